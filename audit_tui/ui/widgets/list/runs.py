"""Runs of rows that say the same, for a list that shows each as one line. No Textual here.

Nothing is counted ahead: a place in the list stays the rank of an event, and runs are found round the lines
on the screen, in the rows in memory. Where a run goes on beyond these, its ends are asked of the reader.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import All, Condition, Not
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import After, AtRow, Before, PageKey

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import EventRow
    from audit_tui.core.query import EventQuery, EventReader
    from audit_tui.core.window import RowWindow

ASKED_ROWS = 64
"""The ends of a run with this many rows in memory that goes on are asked for."""


class Run(NamedTuple):
    """Rows one after the other that have the same event and user."""

    start: int
    stop: int
    first_us: int
    last_us: int
    is_whole: bool = True
    """False: it may go on where rows are not in memory."""

    @property
    def rows(self) -> int:
        return self.stop - self.start


def is_same(row: EventRow, other: EventRow) -> bool:
    """Tell whether two rows next to each other belong to one run."""
    return row.event == other.event and row.user == other.user


class Runs:
    """The runs of a result, found in its rows in memory and from what the reader told of longer ones."""

    def __init__(self) -> None:
        self._window: RowWindow | None = None
        self._long: list[Run] = []
        self._cached: dict[int, Run] = {}

    def begin(self, window: RowWindow) -> None:
        self._window = window
        self._long.clear()
        self._cached.clear()

    def renew(self) -> None:
        self._cached.clear()

    def add(self, run: Run) -> None:
        self._long.append(run)
        self._cached.clear()

    def at(self, index: int) -> Run | None:
        """Return the run that a row belongs to; None while the row is not in memory."""
        cached = self._cached.get(index)
        if cached is not None:
            return cached
        run = next((run for run in self._long if run.start <= index < run.stop), None) or self._look(index)
        if run is not None:
            self._cached[index] = self._cached[run.start] = run
        return run

    def _look(self, index: int) -> Run | None:
        window = self._window
        row = None if window is None else window.row(index)
        if window is None or row is None:
            return None
        count = window.count.value
        start, first = index, row
        while start and (before := window.row(start - 1)) is not None and is_same(before, row):
            start, first = start - 1, before
        stop, last = index + 1, row
        while stop < count and (after := window.row(stop)) is not None and is_same(after, row):
            stop, last = stop + 1, after
        is_begun = not start or window.row(start - 1) is not None
        is_ended = (stop >= count and window.count.exact) or window.row(stop) is not None
        return Run(start, stop, first.occurred_us, last.occurred_us, is_begun and is_ended)

    def walk(self, index: int, lines: int) -> int:
        """Return the first row of the line that many lines after a row's, or before it (negative)."""
        count = 0 if self._window is None else self._window.count.value
        run = self.at(index)
        place = index if run is None else run.start
        for _ in range(lines):
            run = self.at(place)
            following = place + 1 if run is None else run.stop
            if following >= count:
                break
            place = following
        for _ in range(-lines):
            if not place:
                break
            run = self.at(place - 1)
            place = place - 1 if run is None else run.start
        return place

    def open_run(self, first: int, last: int) -> int | None:
        """Return a row of a long run whose ends are not in memory, if there is one between two rows."""
        place = first
        while place < last:
            run = self.at(place)
            if run is None:
                return None
            if not run.is_whole and run.rows >= ASKED_ROWS:
                return place
            place = run.stop
        return None


def read_run(reader: EventReader, query: EventQuery, row: EventRow, cancel: CancelToken | None = None) -> Run:
    """Ask for the ends of the run that a row belongs to, however far they are; blocks."""
    same = (Condition(Column.EVENT, IS, row.event), Condition(Column.USER, IS, row.user))
    others = replace(query, filter=All((query.filter, Not(All(same)))), paths=())
    key = PageKey.of(row, query.sort)
    after = reader.page(others, After(key), 1, cancel).rows
    before = reader.page(others, Before(key), 1, cancel).rows
    stop = reader.locate(query, PageKey.of(after[0], query.sort), cancel) if after else None
    stop = reader.count(query, cancel) if stop is None else stop
    start = reader.locate(query, PageKey.of(before[0], query.sort), cancel) + 1 if before else 0
    first, last = (reader.page(query, AtRow(index), 1, cancel).rows[0] for index in (start, stop - 1))
    return Run(start, stop, first.occurred_us, last.occurred_us)
