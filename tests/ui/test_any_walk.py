"""Any walk by the keys of an investigation: rows, count, cursor and strip always speak of the same events."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.ui.widgets.time_strip import TimeStrip
from tests.ui import incident
from tests.ui.fake_reader import FakeReader, fake_factory
from tests.ui.review_app import Driver, run_review

EVENTS = incident.incident()[::3]
ORACLE = FakeReader(EVENTS)
ACTS: tuple[tuple[str, ...], ...] = (
    *(("j",), ("k",), ("G",), ("g",), ("pagedown",), ("l",), ("h",), ("s",)),
    *(("x",), ("x",), ("escape",), ("u",), ("u",), ("ctrl+r",), ("q",)),
    *(("p", "u"), ("p", "i"), ("p", "left", "e"), ("p", "escape"), ("p", "down", "down", "enter")),
    *(("e",), ("E",), ("o",), ("O",), ("n",), ("N",)),
    *(("slash", "g", "e", "t", "enter"), ("ampersand", "s", "3", "enter"), ("=",), ("!",)),
    *(("[",), ("]",), ("z",), ("Z",), ("(",), (")",)),
    *(("i",), ("i", "left", "enter"), ("i", "space", "left", "left", "enter"), ("i", "e"), ("i", "escape")),
    *(("\\",), ("backspace",), ("0",)),
)


def check(driver: Driver, acts: list[tuple[str, ...]]) -> None:
    review, table = driver.review, driver.review.table
    shown = review.event_list.shown
    assert driver.app.screen is review, acts
    assert review.event_list.wanted is None, acts
    assert shown.query.filter == shown.view.query(shown.context).filter, acts
    rows = ORACLE.result(shown.query)
    assert review.event_list.count.value == len(rows), acts
    if not rows:
        assert table.highlighted is None, acts
        return
    assert table.highlighted == rows[table.cursor_row], acts
    assert table.scroll_offset.y <= table.cursor_row < table.scroll_offset.y + table.visible_rows, acts
    assert f" {table.cursor_row + 1} of {len(rows)} " in driver.lines()[-2], acts
    assert ("◂ here" in driver.text()) <= ("x returns" in driver.lines()[0]), acts
    for strip in review.query(TimeStrip):
        if strip.display:
            assert sum(strip._buckets.events) == len(rows), acts
            here = strip._here
            assert here is not None, acts
            edges = strip._buckets.edges_us
            assert edges[here] <= rows[table.cursor_row].occurred_us < edges[here + 1], acts


@settings(max_examples=12)
@given(st.lists(st.sampled_from(ACTS), max_size=12), st.sampled_from([(100, 24), (160, 34)]))
def test_all_speaks_of_the_same_events(acts: list[tuple[str, ...]], size: tuple[int, int]) -> None:
    async def script(driver: Driver) -> None:
        for act in acts:
            if act == ("q",) and "x returns" not in driver.lines()[0]:
                continue  # it would quit
            await driver.press(*act)
            check(driver, acts)

    run_review(
        script,
        size=size,
        view=View(time_range=Preset.ALL_TIME),
        open_reader=fake_factory(EVENTS, name="demo.db"),
    )
