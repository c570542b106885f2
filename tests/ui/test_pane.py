"""The detail pane's values: = and ! on any of them, a menu on Enter or a click, each undone by u."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import Condition, MetaField
from audit_tui.core.filter.matching import matcher
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.time.dates import Preset
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import Chip, View
from audit_tui.ui.screens.menu import Menu
from audit_tui.ui.terminal.clipboard import CopyResult, Place
from audit_tui.ui.widgets.pane.detail_lines import Target, detail_lines, spots_in
from tests.ui import incident
from tests.ui.review_app import Driver, run_review

if TYPE_CHECKING:
    from audit_tui.ui.widgets.pane.detail_pane import DetailPane

ALL_TIME = View(time_range=Preset.ALL_TIME)
KEY = MetaField("userIdentity.accessKeyId")

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=80)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text(min_size=1, max_size=12), values, max_size=4),
    st.text(min_size=1, max_size=200),
    st.none() | st.text(max_size=90),
    st.integers(20, 120),
)
def test_the_event_matches_every_value_that_its_pane_offers(
    metadata: dict[str, object], name: str, user: str | None, width: int
) -> None:
    metadata = json.loads(json.dumps(metadata))
    event = AuditEvent(
        event=name, user=user, occurred_us=1, severity=3, seq=7, description="did it", metadata=metadata
    )
    spots = spots_in(detail_lines(event, None, zone_named("UTC"), width))
    assert {spot.target.field for spot in spots} >= {Column.EVENT, Column.USER, Column.SEVERITY, Column.SEQ}
    for spot in spots:
        field, value = spot.target
        if value is not None or not isinstance(field, MetaField):
            assert matcher(Condition(field, IS, value))(event), spot


def pane_of(driver: Driver) -> DetailPane:
    pane = driver.review.pane
    assert pane is not None
    return pane


def test_everything_with_the_access_key_in_the_pane_takes_four_keys() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("enter", "tab", "backslash", "equals_sign")
        assert driver.review.view.in_force == Condition(KEY, IS, incident.STOLEN_KEY)
        assert driver.review.event_list.count.value == incident.STOLEN_KEY_EVENTS
        await driver.press("u", "u")
        assert driver.review.event_list.count.value == incident.THEFTS

    view = View(Condition(Column.SOURCE_IP, IS, incident.THIEF_IP), Preset.ALL_TIME)
    run_review(script, incident.incident(), view=view)


def test_enter_on_a_value_offers_what_can_be_done_with_it() -> None:
    async def script(driver: Driver) -> None:
        review = driver.review
        await driver.press("enter", "tab", "down", "enter")
        assert isinstance(driver.app.screen, Menu)
        value = pane_of(driver).target
        assert value is not None
        for words in ("Only these", "Without these", "Copy", str(value.value)):
            assert words in driver.text()
        await driver.press("escape")
        assert pane_of(driver).has_focus
        await driver.press("enter", "exclamation_mark")
        assert review.view.chips == (Chip(Condition(value.field, IS_NOT, value.value)),)
        await driver.press("u", "enter", "enter")
        assert review.view.chips == (Chip(Condition(value.field, IS, value.value)),)
        await driver.press("u")
        assert review.view == ALL_TIME

    run_review(script, incident.incident(), view=ALL_TIME)


def test_a_click_on_a_member_of_a_list_offers_that_member() -> None:
    event = AuditEvent(event="Users invited", occurred_us=1, metadata={"Added User IDs": ["u-1", "u-22", 3]})

    async def script(driver: Driver) -> None:
        await driver.press("enter")
        line = next(n for n, text in enumerate(driver.lines()) if "u-22" in text)
        await driver.pilot.click(offset=(driver.lines()[line].index("u-22") + 1, line))
        await driver.settle()
        assert isinstance(driver.app.screen, Menu)
        await driver.press("equals_sign")
        chip = Chip(Condition(MetaField("Added User IDs"), IS, "u-22"))
        assert driver.review.view.chips == (chip,)
        assert len(driver.review.table.taken_rows) == 1

    run_review(script, [event], view=ALL_TIME)


def test_the_cursor_stays_on_the_field_from_event_to_event_and_passes_nothing_over() -> None:
    metadata = {"note": "word " * 300, "role": "admin"}
    events = [AuditEvent(event=f"Event {n}", occurred_us=n, metadata=metadata) for n in range(1, 4)]

    role, title = Target(MetaField("role"), "admin"), Target(Column.EVENT, "Event 2")

    async def script(driver: Driver) -> None:
        await driver.press("enter", "tab", "end")
        pane = pane_of(driver)
        assert pane.target == role
        await driver.press("shift+tab", "down")
        assert pane.target == role
        await driver.press("tab", "home")
        assert pane.target == title
        seen: list[tuple[Target, int]] = []
        while (target := pane.target) is not None and target.field != MetaField("role"):
            seen.append((target, pane.scroll_offset.y))
            assert len(set(seen)) == len(seen), "each key moves the cursor, or scrolls"
            await driver.press("down")
        assert len({y for _, y in seen}) > 10, "a long value is read line by line"

    run_review(script, events, view=ALL_TIME)


@pytest.mark.parametrize("keys", [("enter", "y"), ("y",)])
def test_a_value_is_copied(keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def script(driver: Driver) -> None:
        def copy(text: str) -> CopyResult:
            copied.append(text)
            return CopyResult(Place.TERMINAL, "to the terminal")

        monkeypatch.setattr(driver.review.clipboard, "copy", copy)
        await driver.press("enter", "tab", *keys)
        await driver.until(lambda: "the value" in driver.lines()[-2])
        target = pane_of(driver).target
        assert target is not None
        assert copied == [target.value]

    run_review(script, incident.incident(), view=ALL_TIME)


def test_a_click_on_a_label_means_the_value_behind_it_and_x_shows_around_it() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("enter")
        line = next(n for n, text in enumerate(driver.lines()) if "source IP" in text)
        await driver.pilot.click(offset=(2, line))
        await driver.settle()
        assert "Source IP: " in driver.text()
        await driver.press("x")
        assert "around an event" in driver.lines()[0]
        await driver.press("escape")
        assert driver.review.view.time_range is Preset.ALL_TIME

    run_review(script, incident.incident(), view=ALL_TIME)


def test_a_time_is_for_the_time_range() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("enter", "tab", "home", "down", "down")
        pane = pane_of(driver)
        while pane.target is not None and pane.target.field is not Column.TIME:
            await driver.press("down")
        await driver.press("equals_sign")
        assert "t chooses times." in driver.lines()[-2]

    run_review(script, incident.incident(), view=ALL_TIME)
