"""The rows of a result that are in memory, and which ones to read next.

A result may have millions of rows; the list holds blocks of them round what is on the screen. A block is
read by key from a neighbour that is in memory where there is one (0.2 ms anywhere in 10 million rows), and
by its place otherwise.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from audit_tui.core.query import After, AtRow, Before, PageKey, Place, RowCount
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from audit_tui.core.event import EventRow
    from audit_tui.core.query import Page, Sort

PAGE_ROWS = 256
MAX_WINDOW_ROWS = 32 * PAGE_ROWS


class PageRequest(Record):
    """A block of rows that the window lacks."""

    place: Place
    edge: int
    """The row index at which the block begins; for ``Before``, the one at which it stops."""
    limit_rows: int


class _Block(Record):
    start: int
    rows: Sequence[EventRow]

    @property
    def stop(self) -> int:
        return self.start + len(self.rows)


class RowWindow:
    """Row index -> row, for the rows in memory.

    Of more than ``max_rows`` the farthest from the last request are let go first, those of the request itself
    never: it would be asked for again and again.
    """

    def __init__(self, sort: Sort, max_rows: int = MAX_WINDOW_ROWS) -> None:
        self._sort = sort
        self._max_rows = max_rows
        self._blocks: list[_Block] = []
        self._starts: list[int] = []
        self._first = 0
        self._last = 0
        self._count = RowCount(0, exact=False)

    @property
    def count(self) -> RowCount:
        """The number of rows of the result, as far as it has been counted."""
        return self._count

    def set_count(self, value: int) -> None:
        """Take the exact number of rows."""
        self._count = RowCount(value, exact=True)

    def set_least(self, value: int) -> None:
        """Take a number of rows that there are at least, while they are counted."""
        if not self._count.exact:
            self._count = RowCount(max(self._count.value, value), exact=False)

    def row(self, index: int) -> EventRow | None:
        """The row at a 0-based place; None when it is not in memory."""
        block = self._block_at(index)
        return None if block is None else block.rows[index - block.start]

    def key(self, index: int) -> PageKey | None:
        """The page key of a row; None when it is not in memory."""
        row = self.row(index)
        return None if row is None else PageKey.of(row, self._sort)

    def add(self, request: PageRequest, page: Page) -> None:
        """Take a block that was read for this request."""
        is_before = isinstance(request.place, Before)
        start = request.edge - len(page.rows) if is_before else request.edge
        self.put(start, page.rows)
        stop = start + len(page.rows)
        if page.is_end and not is_before and (page.rows or start == 0 or self.row(start - 1)):
            self.set_count(stop)
        else:
            self.set_least(stop)

    def put(self, start: int, rows: Sequence[EventRow]) -> None:
        """Put consecutive rows at a place; those that are there already stay."""
        position = start
        while position < start + len(rows):
            present = self._block_at(position)
            if present is not None:
                position = present.stop
                continue
            place = bisect_right(self._starts, position)
            stop = start + len(rows)
            if place < len(self._blocks):
                stop = min(stop, self._blocks[place].start)
            self._blocks.insert(place, _Block(position, rows[position - start : stop - start]))
            self._starts.insert(place, position)
            position = stop
        self._forget_far_blocks()

    def request(self, first: int, last: int) -> PageRequest | None:
        """Return what to read for the rows ``first`` to ``last``; None when all of them are in memory.

        One block at a time: ask again when it has come.
        """
        first = max(0, first)
        if self._count.exact:
            last = min(last, self._count.value - 1)
        self._first, self._last = first, last
        index = first
        while index <= last:
            block = self._block_at(index)
            if block is None:
                return self._request_at(index)
            index = block.stop
        return None

    def _request_at(self, index: int) -> PageRequest:
        place = bisect_right(self._starts, index)
        gap_start = self._blocks[place - 1].stop if place else 0
        following = self._blocks[place] if place < len(self._blocks) else None
        previous_key = self.key(index - 1) if index else None
        if previous_key is not None:
            limit = PAGE_ROWS if following is None else min(PAGE_ROWS, following.start - index)
            return PageRequest(After(previous_key), index, limit)
        if following is not None and following.start - index <= PAGE_ROWS:
            key = PageKey.of(following.rows[0], self._sort)
            limit = min(PAGE_ROWS, following.start - gap_start)
            return PageRequest(Before(key), following.start, limit)
        # A quarter page before what was asked for, so that a step back finds rows at hand.
        start = max(gap_start, index - PAGE_ROWS // 4)
        stop = start + PAGE_ROWS if following is None else min(start + PAGE_ROWS, following.start)
        return PageRequest(AtRow(start), start, stop - start)

    def _block_at(self, index: int) -> _Block | None:
        place = bisect_right(self._starts, index) - 1
        if place < 0 or index >= self._blocks[place].stop:
            return None
        return self._blocks[place]

    def _forget_far_blocks(self) -> None:
        total = sum(len(block.rows) for block in self._blocks)
        while total > self._max_rows and len(self._blocks) > 1:
            before = self._first - self._blocks[0].stop
            after = self._blocks[-1].start - self._last - 1
            if max(before, after) < 0:
                return
            place = 0 if before > after else -1
            total -= len(self._blocks[place].rows)
            del self._blocks[place], self._starts[place]
