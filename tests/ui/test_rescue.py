"""An empty list says what to drop and how many events that shows, and one key does it."""

from __future__ import annotations

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import EVERYTHING, All, Any, Condition, Filter
from audit_tui.core.filter.operators import IS
from audit_tui.core.time.dates import Preset, TimeContext
from audit_tui.core.view import Chip, View, last_resorts, ways_out
from tests.ui.review_app import NOW, Driver, run_review

CONTEXT = TimeContext(UTC, NOW)
LOGIN = Condition(Column.EVENT, IS, "Login")
ROLES = Condition(Column.CATEGORY, IS, "Roles")
MODELS = Condition(Column.CATEGORY, IS, "Models")
NOBODY = Condition(Column.USER, IS, "nobody@acme.io")
PARTS: tuple[Filter, ...] = (LOGIN, ROLES, MODELS, NOBODY, Any((LOGIN, ROLES)))


@given(
    st.lists(st.sampled_from(PARTS), max_size=2, unique=True),
    st.lists(st.builds(Chip, st.sampled_from(PARTS), st.booleans()), max_size=3),
    st.sampled_from([Preset.ALL_TIME, Preset.TODAY]),
)
def test_each_way_drops_one_thing(rows: list[Filter], chips: list[Chip], time_range: Preset) -> None:
    view = View(All(tuple(rows)) if len(rows) != 1 else rows[0], time_range, chips=tuple(chips))
    on = [chip for chip in chips if chip.is_on]
    ways = ways_out(view, CONTEXT)
    assert len(ways) == len(on) + len(rows) + (time_range is Preset.TODAY)
    for way in ways:
        is_wider = way.view.time_range is not time_range
        off = sum(chip.is_on for chip in chips) - sum(chip.is_on for chip in way.view.chips)
        fewer = way.view.filter != view.filter
        assert is_wider + off + fewer == 1, way
    for way in last_resorts(view, CONTEXT):
        assert way.view.in_force == EVERYTHING


def test_enter_drops_what_came_last_and_u_puts_it_back() -> None:
    async def script(driver: Driver) -> None:
        review = driver.review
        text = driver.text()
        assert "No events in the time range Last 30 Days match the filter." in text
        assert "⏎ shows the events, ↓ another way:" in text
        assert "▌ without category=Roles" in text
        assert "without event=Login" in text
        assert "All Time instead" not in text, "that shows nothing either"
        before = review.view
        await driver.press("enter")
        assert review.view.in_force == LOGIN
        assert review.event_list.count.value > 0
        await driver.press("u")
        assert review.view == before
        await driver.press("down", "enter")
        assert review.view.in_force == ROLES
        await driver.press("u")
        line = next(number for number, text in enumerate(driver.lines()) if "without event=Login" in text)
        await driver.pilot.click(offset=(40, line))
        await driver.settle()
        assert review.view.in_force == ROLES

    run_review(script, view=View(LOGIN, chips=(Chip(ROLES),)))


def test_the_range_is_widened_where_that_helps() -> None:
    async def script(driver: Driver) -> None:
        assert "▌ All Time instead of Today" in driver.text()
        await driver.press("enter")
        assert driver.review.view.time_range is Preset.ALL_TIME
        assert driver.review.view.in_force == ROLES

    from tests.ui.review_app import account

    run_review(script, account(100)[:50], view=View(time_range=Preset.TODAY, chips=(Chip(ROLES),)))


def test_where_no_single_thing_helps_all_filters_are_lifted() -> None:
    async def script(driver: Driver) -> None:
        assert "▌ without any filter" in driver.text()
        await driver.press("enter")
        assert driver.review.view.is_lifted
        assert driver.review.event_list.count.value > 0

    other = Condition(Column.USER, IS, "else@acme.io")
    run_review(script, view=View(time_range=Preset.ALL_TIME, chips=(Chip(NOBODY), Chip(other))))


def test_an_empty_store_offers_nothing() -> None:
    async def script(driver: Driver) -> None:
        assert "The store holds no events yet." in driver.text()
        await driver.press("enter", "down")
        assert driver.review.table.choice is None

    run_review(script, [], view=View(time_range=Preset.ALL_TIME))
