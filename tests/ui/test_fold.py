"""Runs of the same event by the same user as one line each; all else stays as it is."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_tui.core.columns import LISTABLE_COLUMNS, Column
from audit_tui.core.query import AtRow, EventQuery, Sort
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.core.window import PageRequest, RowWindow
from audit_tui.ui.widgets.list.runs import Runs, read_run
from tests.ui.fake_reader import FakeReader
from tests.ui.review_app import Driver, account, run_review

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.event import AuditEvent, EventRow

ALL_TIME = View(time_range=Preset.ALL_TIME)


def robot(runs: Sequence[int]) -> list[AuditEvent]:
    """Runs so long, the oldest first, of two events by two users in turn."""
    events = account(sum(runs), minutes_apart=1)
    numbers = [number for number, length in enumerate(runs) for _ in range(length)]
    return [
        replace(event, event=f"Event {number % 2}", user=f"user{number % 3}@acme.io", description=None)
        for event, number in zip(events, numbers, strict=True)
    ]


def groups(rows: Sequence[EventRow]) -> list[tuple[int, int]]:
    """The places of the runs of rows, from where to where."""
    places, start = [], 0
    for _, members in groupby(rows, key=lambda row: (row.event, row.user)):
        length = len([*members])
        places.append((start, start + length))
        start += length
    return places


LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=12)


@settings(deadline=None)
@given(
    lengths=LENGTHS, sort=st.builds(Sort, st.sampled_from(LISTABLE_COLUMNS), st.booleans()), data=st.data()
)
def test_runs_are_those_of_all_rows(lengths: list[int], sort: Sort, data: st.DataObject) -> None:
    reader, query = FakeReader(robot(lengths)), EventQuery(sort=sort)
    rows = reader.result(query)
    expected = groups(rows)
    window = RowWindow(sort)
    page = reader.page(query, AtRow(0), len(rows) + 1)
    window.add(PageRequest(AtRow(0), 0, len(rows) + 1), page)
    runs = Runs()
    runs.begin(window)
    for start, stop in expected:
        for index in range(start, stop):
            run = runs.at(index)
            assert run is not None
            assert (run.start, run.stop, run.is_whole) == (start, stop, True)
            assert (run.first_us, run.last_us) == (rows[start].occurred_us, rows[stop - 1].occurred_us)
            assert read_run(reader, query, rows[index]) == run
    place, lines = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(-15, 15))
    number = next(n for n, (start, stop) in enumerate(expected) if start <= place < stop)
    assert runs.walk(place, lines) == expected[max(0, min(number + lines, len(expected) - 1))][0]


def test_a_run_that_goes_on_where_rows_are_not_in_memory_is_not_whole() -> None:
    reader, query = FakeReader(robot([3, 200, 2])), EventQuery()
    window = RowWindow(query.sort)
    window.add(PageRequest(AtRow(0), 0, 100), reader.page(query, AtRow(0), 100))
    window.set_count(205)
    runs = Runs()
    runs.begin(window)
    run = runs.at(50)
    assert run is not None
    assert (run.start, run.stop, run.is_whole) == (2, 100, False)
    assert runs.at(100) is None
    assert runs.open_run(0, 120) == 2
    runs.add(read_run(reader, query, reader.result(query)[50]))
    assert runs.at(150) == runs.at(2)
    assert runs.walk(2, 1) == 202
    assert runs.walk(202, -1) == 2


def lines_of(driver: Driver) -> list[str]:
    table = driver.review.table
    lines = driver.lines()[table.region.y + 1 : table.region.bottom]
    return [line for line in lines if line.strip(" ▁▂▃▄▅▆▇█")]


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_folding_shows_a_line_a_run_and_changes_no_count(size: tuple[int, int]) -> None:
    events = robot([4, 1, 7, 2, 3000, 5])

    async def script(driver: Driver) -> None:
        review, table = driver.review, driver.review.table
        query = review.event_list.shown.query
        await driver.press("j", "j", "r")
        assert table.cursor_row == 2
        assert len(lines_of(driver)) == 6
        assert "x3,000" in driver.text()
        assert "newest first, folded" in driver.text()
        assert review.event_list.count.value == len(events)
        assert review.event_list.shown.query == query
        await driver.press("j")
        assert table.cursor_row == 5
        await driver.press("j")
        assert table.cursor_row == 3005
        assert table.highlighted is not None
        assert "3,006 of 3,019" in driver.text()
        await driver.press("G")
        assert table.cursor_row == 3018
        await driver.press("k")
        assert table.cursor_row == 3014
        await driver.press("g", "r")
        assert "folded" not in driver.text()
        assert len(lines_of(driver)) > 10

    run_review(script, events, view=ALL_TIME, size=size)


def test_rows_that_are_marked_are_all_of_their_runs() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        await driver.press("r", "j", "v", "j")
        assert table.taken_rows == range(2, 9)
        await driver.press("escape")
        assert table.taken_rows == range(5, 6)
        await driver.press("G", "v")
        assert table.taken_rows == range(9, 13)

    run_review(script, robot([4, 4, 3, 2]), view=ALL_TIME)


def test_by_the_mouse_and_by_pages() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        await driver.press("r")
        await driver.pilot.click(offset=(5, table.region.y + 3))
        await driver.settle()
        assert table.cursor_row == 20
        await driver.press("pagedown")
        first = table.index_at(0)
        assert first == 10 * table.visible_rows
        table._on_mouse_scroll_down(_Wheel())  # type: ignore[arg-type]
        await driver.settle()
        assert table.index_at(0) == first + 20
        table._on_mouse_scroll_up(_Wheel())  # type: ignore[arg-type]
        await driver.press("pageup")
        assert (table.index_at(0), table.cursor_row) == (0, 20)
        await driver.press("colon", *"755", "enter")
        assert 0 <= table.line_of(table.cursor_row) < table.visible_rows
        assert table.cursor_row == 754

    run_review(script, robot([10] * 100), view=ALL_TIME)


class _Wheel:
    ctrl = shift = False

    def stop(self) -> None:
        """Take what Textual does with an event."""


def test_another_query_stays_folded_and_the_cursor_stays_on_its_event() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        await driver.press("r", "j", "j")
        before = table.highlighted
        await driver.press("equals_sign")
        assert table.is_folded
        assert table.highlighted == before
        await driver.press("u", "s")
        assert table.highlighted == before
        assert driver.review.event_list.shown.view.sort.column is Column.EVENT
        assert 0 <= table.line_of(table.cursor_row) < table.visible_rows

    run_review(script, robot([3, 2, 5, 1] * 20), view=ALL_TIME)
