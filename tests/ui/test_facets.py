"""The panel of facets: counts of what is shown, and narrowing by them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import Condition, MetaField
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.errors import StoreDamaged
from audit_tui.ui.widgets.facets import facet_panel
from tests.payloads import PAYLOADS
from tests.ui.review_app import Driver, account, run_review

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import Facet, FacetField
    from audit_tui.ui.widgets.facets.facet_panel import FacetPanel

ALL_TIME = View(time_range=Preset.ALL_TIME)
SIZES = [(80, 24), (160, 50)]


def panel(driver: Driver) -> FacetPanel:
    facets = driver.review.facets
    assert facets is not None
    return facets


def facet(driver: Driver, field: FacetField) -> Facet:
    section = next(section for section in panel(driver).sections if section.field == field)
    assert section.facet is not None
    assert not section.is_stale
    return section.facet


def events_of(driver: Driver, field: FacetField) -> dict[str | None, int]:
    return {value.value: value.events for value in facet(driver, field).values}


@pytest.mark.parametrize("size", SIZES)
def test_they_count_what_is_shown_and_narrow_it(size: tuple[int, int]) -> None:
    events = account()
    names = Counter(event.event for event in events)

    async def script(driver: Driver) -> None:
        await driver.press("S")
        assert panel(driver).has_focus
        assert events_of(driver, Column.EVENT) == names
        assert "Category  4 values" in driver.text()
        field, value = panel(driver).chosen or (None, None)
        assert field is Column.EVENT
        await driver.press("enter")
        shown = driver.review.event_list.shown.view
        assert shown.in_force == Condition(Column.EVENT, IS, value)
        assert driver.review.event_list.count.value == names[value or ""]
        assert events_of(driver, Column.EVENT) == {value: names[value or ""]}
        assert panel(driver).chosen == (Column.EVENT, value)
        await driver.press("u")
        assert driver.review.view == ALL_TIME
        assert events_of(driver, Column.EVENT) == names
        await driver.press("!")
        assert driver.review.view.in_force == Condition(Column.EVENT, IS_NOT, value)
        assert value not in events_of(driver, Column.EVENT)
        await driver.press("u")
        assert events_of(driver, Column.EVENT) == names
        await driver.press("escape")
        assert driver.review.facets is None
        assert driver.review.table.has_focus
        assert "Category  4 values" not in driver.text()

    run_review(script, events, view=ALL_TIME, size=size)


def test_the_rarest_come_first_and_all_others_on_wish() -> None:
    events = account()
    users = Counter(event.user for event in events)

    async def script(driver: Driver) -> None:
        await driver.press("S", "l")
        top = [value.events for value in facet(driver, Column.USER).values]
        assert top == sorted(users.values(), reverse=True)[:5]
        assert "+ 3 others" in driver.text()
        await driver.press("r")
        assert [value.events for value in facet(driver, Column.USER).values] == sorted(users.values())[:5]
        assert facet(driver, Column.USER).distinct == len(users)
        await driver.press(*["j"] * 5, "enter")
        assert events_of(driver, Column.USER) == users
        assert "(none)" in driver.text()
        assert panel(driver).chosen == (Column.USER, facet(driver, Column.USER).values[5].value), (
            "read on there"
        )
        await driver.press("r")
        assert "most frequent first" in driver.text()

    run_review(script, events, view=ALL_TIME, size=(100, 40))


def test_the_missing_value_narrows_too() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("S", "r")
        while (panel(driver).chosen or ("",))[-1] is not None or panel(driver).chosen is None:
            await driver.press("j")
        await driver.press("enter")
        assert driver.review.view.in_force == Condition(Column.USER, IS, None)
        assert driver.review.event_list.count.value == 100

    run_review(script, view=ALL_TIME)


def test_a_metadata_field_is_added_by_its_name() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("S", "end", "enter")
        await driver.press(*"id", "enter")
        assert events_of(driver, MetaField("Model ID")) == {"m-4f19c2": 1000}
        assert panel(driver).chosen == (MetaField("Model ID"), "m-4f19c2")
        await driver.press("end", "enter", "escape")
        assert panel(driver).has_focus
        assert len(panel(driver).sections) == len(facet_panel.FIELDS) + 1

    run_review(script, view=ALL_TIME)


def test_they_follow_the_range_and_are_not_counted_twice() -> None:
    asked: list[str] = []

    def hook(method: str, _: CancelToken | None) -> None:
        asked.append(method)

    async def script(driver: Driver) -> None:
        await driver.press("S")
        assert facet(driver, Column.EVENT).counted == 1000
        before = asked.count("facets")
        await driver.press("T", "s")
        assert asked.count("facets") == before
        await driver.press("escape", "0", "=", "S")
        assert facet(driver, Column.EVENT).counted == driver.review.event_list.count.value < 1000

    run_review(script, view=ALL_TIME, hook=hook)


def test_what_cannot_be_counted_says_so() -> None:
    def hook(method: str, _: CancelToken | None) -> None:
        if method == "facets":
            raise StoreDamaged("Page 7 is torn.", "Verify the store.")

    async def script(driver: Driver) -> None:
        await driver.press("S")
        assert StoreDamaged.title in driver.text()
        await driver.press("enter", "!", "j", "escape")
        assert driver.review.view == ALL_TIME

    run_review(script, view=ALL_TIME, hook=hook)


def test_values_counted_in_the_newest_events_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facet_panel, "COUNTED_EVENTS", 300)

    async def script(driver: Driver) -> None:
        await driver.press("S")
        assert not facet(driver, Column.TARGET).is_whole
        assert "Target  1 in newest 300" in driver.text()

    run_review(script, view=ALL_TIME, size=(120, 60))


@pytest.mark.parametrize("size", SIZES)
def test_a_click_chooses_and_another_narrows(size: tuple[int, int]) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("S")
        region = panel(driver).region
        line = next(y for y, text in enumerate(driver.lines()) if "Agents" in text[region.x : region.right])
        await driver.pilot.click(offset=(region.x + 3, line))
        await driver.settle()
        assert panel(driver).chosen == (Column.CATEGORY, "Agents")
        assert driver.review.view == ALL_TIME
        await driver.pilot.click(offset=(region.x + 3, line))
        await driver.settle()
        assert driver.review.view.in_force == Condition(Column.CATEGORY, IS, "Agents")
        await driver.press("u")
        row = driver.lines()[line]
        await driver.pilot.click(offset=(row.rindex("!", region.x, region.right), line))
        await driver.settle()
        assert driver.review.view.in_force == Condition(Column.CATEGORY, IS_NOT, "Agents")
        region = panel(driver).region
        await driver.pilot.click(offset=(region.right - 3, region.y))
        await driver.settle()
        assert driver.review.facets is None

    run_review(script, view=ALL_TIME, size=size)


@pytest.mark.parametrize("width", [40, 80, 119, 120, 160, 200])
@pytest.mark.parametrize("with_pane", [False, True])
def test_the_list_beside_them_keeps_its_room(width: int, with_pane: bool) -> None:
    async def script(driver: Driver) -> None:
        await driver.press(*(["enter"] if with_pane else []), "S")
        facets, table = panel(driver), driver.review.table
        beside = table.region.x >= facets.region.right
        assert beside == (table.region.width >= 60 and table.region.x > 0)
        assert facets.region.right <= width

    run_review(script, view=ALL_TIME, size=(width, 24))


def test_values_command_nothing() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("S")
        assert not any(character in driver.text() for character in "\x1b\x07\x9b\u202e")

    events = [
        event.__class__(event=payload, user=payload, occurred_us=event.occurred_us, target=payload)
        for event, payload in zip(account(), PAYLOADS, strict=False)
    ]
    run_review(script, events, view=ALL_TIME, size=(160, 50))
