"""A look around an event with the filters lifted, and the way on by one of its values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audit_tui.config import Settings
from audit_tui.core.columns import Column
from audit_tui.core.event import to_us
from audit_tui.core.filter.filters import Condition, MetaField
from audit_tui.core.filter.operators import IS
from audit_tui.core.investigate.meaning import MAX_PIVOTS, pivots
from audit_tui.core.privacy.redact_mode import RedactMode
from audit_tui.core.query import NEWEST_FIRST, Sort
from audit_tui.core.time.dates import Preset
from audit_tui.core.time.moves import around
from audit_tui.core.view import Chip, View
from audit_tui.errors import StoreDamaged
from tests.ui import incident
from tests.ui.review_app import Driver, account, run_review

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import EventRow

EVENTS = incident.incident()
KEYS = incident.only("event:CreateAccessKey")
EVERYTHING = View(time_range=Preset.ALL_TIME)


def row(driver: Driver) -> EventRow:
    highlighted = driver.review.table.highlighted
    assert highlighted is not None
    return highlighted


def place(driver: Driver) -> tuple[View, int, int, int]:
    table = driver.review.table
    return driver.review.event_list.shown.view, row(driver).seq, table.cursor_row, table.scroll_offset.y


def test_it_shows_what_happened_around_and_returns_exactly() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        for back in ("x", "escape", "u"):
            await driver.press("home", "j", "j")
            before = place(driver)
            await driver.press("x")
            assert driver.review.view == EVERYTHING
            assert row(driver).seq == before[1]
            assert table.cursor_row - table.scroll_offset.y == table.visible_rows // 2
            at = table.cursor_row - table.scroll_offset.y + 2
            assert driver.lines()[at].rstrip().endswith("◂ here")
            assert "x returns: around an event" in driver.lines()[0]
            assert driver.review.event_list.count.value == len(EVENTS)
            await driver.press("j", "j")
            await driver.press(back)
            assert place(driver) == before
            assert "◂" not in driver.text()
            assert "around" not in driver.lines()[0]

    run_review(script, EVENTS, view=KEYS)


def test_a_long_list_is_scrolled_as_it_was() -> None:
    view = View(time_range=Preset.ALL_TIME, chips=(Chip(Condition(Column.CATEGORY, IS, "Models")),))

    async def script(driver: Driver) -> None:
        table = driver.review.table
        table.move_cursor(205)
        await driver.press("up", "up", "up")
        before = place(driver)
        await driver.press("x", "pagedown", "x")
        assert place(driver) == before
        await driver.press("x", "escape")
        assert place(driver) == before

    run_review(script, view=view)


def test_it_can_be_narrowed_there_and_left_in_one_step() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("j")
        before = place(driver)
        await driver.press("x", "l", "l", "=")
        assert driver.review.view.in_force == Condition(Column.USER, IS, incident.THIEF)
        assert row(driver).seq == before[1]
        assert "◂ here" in driver.text()
        await driver.press("u")
        assert driver.review.view == EVERYTHING
        assert "◂ here" in driver.text()
        await driver.press("ctrl+r", "x")
        assert place(driver) == before

    run_review(script, EVENTS, view=KEYS)


def test_the_order_of_time_is_kept_and_any_other_left() -> None:
    async def script(driver: Driver) -> None:
        for sort, expected in (
            (Sort(Column.TIME, descending=False), Sort(Column.TIME, descending=False)),
            (Sort(Column.USER), NEWEST_FIRST),
        ):
            driver.review.show_view(View(time_range=Preset.ALL_TIME, sort=sort))
            await driver.settle()
            await driver.press("j", "j", "j")
            before = place(driver)
            await driver.press("x")
            assert driver.review.event_list.shown.view.sort == expected
            assert row(driver).seq == before[1]
            await driver.press("q")
            assert place(driver) == before

    run_review(script)


def test_where_nothing_is_filtered_it_only_marks() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        table.move_cursor(500)
        await driver.press("up", "up")
        before = place(driver)
        await driver.press("x")
        assert table.cursor_row - table.scroll_offset.y == table.visible_rows // 2
        assert "◂ here" in driver.text()
        await driver.press("x")
        assert place(driver) == before
        assert "◂ here" not in driver.text()

    run_review(script, view=EVERYTHING)


def test_an_error_leaves_all_as_it_was() -> None:
    is_damaged = False

    def hook(name: str, _: CancelToken | None) -> None:
        if is_damaged and name == "locate":
            raise StoreDamaged("The store is damaged.")

    async def script(driver: Driver) -> None:
        nonlocal is_damaged
        before = place(driver)
        is_damaged = True
        await driver.press("x")
        assert "The store is damaged." in driver.text()
        await driver.press("escape")
        assert place(driver) == before
        is_damaged = False
        await driver.press("x")
        assert "◂ here" in driver.text()

    run_review(script, EVENTS, view=KEYS, hook=hook)


def test_a_pivot_takes_a_value_and_the_time_around_and_is_undone() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("j")
        before, event = place(driver), row(driver)
        for keys, condition, reach_s in (
            (("u",), Condition(Column.USER, IS, incident.THIEF), 3_600),
            (("left", "i"), Condition(Column.SOURCE_IP, IS, incident.THIEF_IP), 1_800),
            (("right", "right", "t"), Condition(Column.TARGET, IS, "old-intern"), 86_400),
        ):
            await driver.press("p", *keys)
            shown = driver.review.event_list.shown
            assert shown.view.time_range == around(event.occurred_us, reach_s)
            assert condition in [chip.filter for chip in shown.view.chips]
            assert row(driver) == event
            await driver.press("u" if reach_s == 1_800 else "escape")
            assert place(driver) == before

    run_review(script, EVENTS, view=KEYS)


def test_the_next_pivot_takes_the_place_of_the_last() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("j", "p", "u", "p", "i")
        same_ip = Condition(Column.SOURCE_IP, IS, incident.THIEF_IP)
        assert [chip.filter for chip in driver.review.view.chips] == [same_ip]
        await driver.press("u")
        same_user = Condition(Column.USER, IS, incident.THIEF)
        assert [chip.filter for chip in driver.review.view.chips] == [same_user]

    run_review(script, EVENTS, view=KEYS)


def test_a_look_around_keeps_the_columns() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("x")
        assert driver.review.fields == (field, Column.TIME)
        assert "AKIA" in driver.text()

    field = MetaField("userIdentity.accessKeyId")
    run_review(script, EVENTS, view=KEYS, settings=Settings(columns=(field, Column.TIME)))


def test_a_pivot_by_metadata_with_the_range_as_it_is() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("p", "left", "left", "left")
        assert "in range" in driver.text()
        label = "meta.userIdentity.accessKeyId"
        menu = driver.app.screen.query_one("OptionList")
        place_of_key = [c.field.value for c in pivots(EVENTS[-1])].index(label)
        await driver.press(*["down"] * place_of_key, "enter")
        assert menu is not None
        assert driver.review.view.time_range == EVERYTHING.time_range
        chips = driver.review.view.chips
        assert [chip.filter for chip in chips] == [
            Condition(MetaField("userIdentity.accessKeyId"), IS, "AKIAROBOT")
        ]

    run_review(script, EVENTS, view=EVERYTHING)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
def test_the_menu_is_no_higher_than_its_lines(size: tuple[int, int]) -> None:
    many = [replace(EVENTS[-1], metadata={f"Key {n}": f"value {n}" for n in range(MAX_PIVOTS)})]

    async def script(driver: Driver) -> None:
        await driver.press("p")
        screen = driver.app.screen
        for height in (size[1], size[1] - 2):
            await driver.pilot.resize_terminal(size[0], height)
            await driver.settle()
            values, box = screen.query_one("OptionList").region, screen.query_one("#box").region
            assert values.height == height * 45 // 100
            assert box.height == values.height + 4, "a frame, a blank line and the reaches"

    run_review(script, many, size=size)


def test_a_pivot_by_mouse() -> None:
    async def script(driver: Driver) -> None:
        event = row(driver)
        await driver.press("p")
        await driver.pilot.click("#reach-3")
        await driver.pilot.click("OptionList", offset=(4, 0))
        await driver.settle()
        assert driver.review.view.time_range == around(event.occurred_us, 86_400)
        assert driver.review.view.in_force == Condition(Column.SOURCE_IP, IS, "10.20.4.7")
        await driver.press("p", "escape")
        assert driver.app.screen is driver.review

    run_review(script, account())


def test_every_value_of_an_event_is_offered_once() -> None:
    event = EVENTS[-1]
    offered = [(c.field.value, c.value) for c in pivots(event)]
    assert offered[:3] == [("user", event.user), ("source_ip", event.source_ip), ("event", event.event)]
    assert ("meta.userIdentity.userName", event.user) in offered
    assert len(set(offered)) == len(offered)
    many = account(1)[0]
    many.metadata["list"] = [str(n) for n in range(100_000)]
    assert len(pivots(many)) == MAX_PIVOTS


# -- the questions of the incident: how many keys to the answer


def test_what_a_user_did_around_it_is_three_keys_away() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("x", "p", "u")
        interval = driver.review.event_list.shown.query.interval
        assert interval.start_us is not None
        assert interval.start_us <= to_us(incident.FIRST_THEFT)
        rows = driver.review.event_list.count.value
        assert rows == incident.THEFTS
        assert "◂ here" in driver.text()

    run_review(script, EVENTS, view=KEYS)


def test_what_happened_before_and_after_is_two_keys_there_and_back() -> None:
    async def script(driver: Driver) -> None:
        before = place(driver)
        await driver.press("x")
        lines = driver.lines()
        at = next(number for number, line in enumerate(lines) if "◂ here" in line)
        assert incident.AFTER_STOPPING in lines[at - 1]
        assert lines[at + 1].split()[0].startswith("Attach")
        await driver.press("x")
        assert place(driver) == before

    run_review(script, EVENTS, view=incident.only("event:StopLogging"))


def test_no_name_is_shown_on_the_way_while_names_are_replaced() -> None:
    names = ("acme.io", "10.20.4.7")

    async def script(driver: Driver) -> None:
        def is_hidden() -> bool:
            return not any(name in driver.text() for name in names)

        await driver.press("j", "o")
        assert "event of this user 2 of 129" in driver.text()
        await driver.press("O", "slash", *"user4", "at", *"acme.io", "enter")
        assert is_hidden()
        assert "match 1 of 129" in driver.text()
        before = place(driver)
        await driver.press("p")
        assert is_hidden()
        assert "user-" in driver.text()
        await driver.press("right", "right", "u")
        assert driver.review.event_list.count.value == 129
        assert is_hidden()
        await driver.press("x", "slash")
        assert is_hidden()
        await driver.press("escape", "x", "escape")
        assert place(driver) == before

    redact = RedactMode(lambda: bytes(32), is_on=True)
    run_review(script, account(), view=EVERYTHING, redact=redact)
