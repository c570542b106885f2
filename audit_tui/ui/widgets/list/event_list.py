"""The list with its questions: asks for the rows of a query, for more of them, and for their number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container
from textual.message import Message

from audit_tui.core.query import EventQuery, Page, RowCount
from audit_tui.core.time.zones import local_time
from audit_tui.core.window import PageRequest, RowWindow
from audit_tui.errors import AuditTuiError, QueryCancelled
from audit_tui.ui.first_page import Anchor, FirstPage, read_first_page
from audit_tui.ui.lane import Lane
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.list.range_table import RangeTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from textual.app import ComposeResult

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import ReaderFactory, SourceState
    from audit_tui.ui.stillness import Stillness
    from audit_tui.ui.widgets.list.row_text import RowText

PREPARED_EVENTS = 300_000
"""From this size on jumps are prepared: below, they take 30 ms at most without, and 25 MiB less."""
STILL_S = 1.0
"""What is prepared for the first time, 150 ms of imports, waits until no key was pressed for so long."""


class EventList(Container):
    """Shows the events of a query.

    Args:
        open_reader: Opens a reader for each thread.
        row_text: How rows read.
        clock: Tells the time, aware; its year is the one that short dates leave out.
        stillness: Knows when the user rests.
    """

    BLANK = True  # The table covers it: drawn as an empty box, 1 ms a frame is saved.

    @dataclass
    class Counted(Message):
        """More is known of the number of rows."""

        event_list: EventList
        count: RowCount

    @dataclass
    class Failed(Message):
        """The source could not answer."""

        event_list: EventList
        error: AuditTuiError

    @dataclass
    class _ResultRead(Message):
        """The first rows of a result were read."""

        generation: int
        first_page: FirstPage
        top_offset: int

    @dataclass
    class _PageRead(Message):
        """More of its rows were read."""

        generation: int
        request: PageRequest
        page: Page

    @dataclass
    class _LeastRead(Message):
        """There are at least so many rows."""

        generation: int
        value: int

    @dataclass
    class _CountRead(Message):
        """There are so many rows."""

        generation: int
        value: int

    @dataclass
    class _AskFailed(Message):
        """A question was not answered."""

        generation: int
        error: AuditTuiError

    def __init__(
        self,
        open_reader: ReaderFactory,
        row_text: RowText,
        clock: Callable[[], datetime],
        stillness: Stillness,
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._rows = Lane(open_reader)
        self._counts = Lane(open_reader)
        self._row_text = row_text
        self._clock = clock
        self._stillness = stillness
        self._is_prepared = False
        self._generation = 0
        self._shown = 0
        self._query = EventQuery()
        self._window = RowWindow(self._query.sort)

    def compose(self) -> ComposeResult:
        yield RangeTable(self._row_text, id="events")

    @property
    def table(self) -> RangeTable:
        """The table itself."""
        return self.query_one(RangeTable)

    @property
    def count(self) -> RowCount:
        """How many events the result has, as far as is known."""
        return self._window.count

    @property
    def query_in_force(self) -> EventQuery:
        """The query whose rows are shown, bounded by the newest event of its moment."""
        return self._query

    def ask(self, query: EventQuery, *, keep_cursor: bool = True) -> None:
        """Show the result of another query when its first rows are read.

        Args:
            query: The query, its ``upto_seq`` not set.
            keep_cursor: Stay on the same event, else on the next older one; False goes to the first row.
        """
        row = self.table.highlighted if keep_cursor else None
        anchor = None if row is None else Anchor.at_event(row, query.sort)
        self._ask(query, anchor, self.table.cursor_row - self.table.scroll_offset.y)

    def begin(self, query: EventQuery, anchor: Anchor | None, top_offset: int = 0) -> None:
        """Show the first result.

        Args:
            query: The query, its ``upto_seq`` not set.
            anchor: Where the cursor begins; None is the first row.
            top_offset: How many rows stand above it on the screen.
        """
        self._ask(query, anchor, top_offset)

    def look(self) -> SourceState | None:
        """In a thread: what became of the source of these rows; None if it cannot be told just now."""
        try:
            return self._rows.glance(lambda reader: reader.state())
        except AuditTuiError:
            # The next question says what is wrong, to someone who asked.
            return None

    def renew(self) -> None:
        """Open the source anew for the next result: it may have been replaced."""
        self._rows.renew()
        self._counts.renew()

    def go_to_time(self, query: EventQuery, occurred_us: int) -> None:
        """Show a result sorted by date, with the cursor on the event nearest to a moment."""
        self._ask(query, Anchor.at_time(occurred_us, query.sort), self.table.visible_rows // 2)

    def _ask(self, query: EventQuery, anchor: Anchor | None, top_offset: int) -> None:
        self._generation += 1
        self._counts.cancel()
        work = partial(self._read_result, self._generation, query, anchor, top_offset)
        self._start("rows", partial(work, self._rows.begin()))

    def show(self, first_page: FirstPage, top_offset: int = 0) -> None:
        """Show rows that were read elsewhere."""
        self._shown = self._generation
        self._query = first_page.query
        self._window = first_page.window()
        this_year = self._clock().astimezone(self._row_text.zone).year
        start_us = self._query.interval.start_us
        other_years = start_us is None or local_time(start_us, self._row_text.zone).year != this_year
        self._row_text.begin(self._query.sort, this_year, other_years=other_years)
        cursor_row = first_page.cursor_row
        self.table.show(self._window, cursor_row, max(0, cursor_row - top_offset))
        self.post_message(self.Counted(self, self.count))
        if not self.count.exact:
            work = partial(self._read_count, self._generation, self._query)
            self._start("count", partial(work, self._counts.begin()))

    def set_zone(self, zone: tzinfo) -> None:
        """Show the times in another zone, from the next result on."""
        self._row_text.zone = zone

    def cancel(self) -> bool:
        """End the questions under way, leaving what is shown; False when there are none."""
        own = (worker for worker in self.workers if worker.node is self)
        running = any(not worker.is_finished and worker.group != "events-prepare" for worker in own)
        if running:
            self._generation += 1
            self._shown = self._generation
            self._rows.cancel()
            self._counts.cancel()
        return running

    def on_unmount(self) -> None:
        self._rows.close()
        self._counts.close()

    # -- in threads: these only ask and post

    def _read_result(
        self,
        generation: int,
        query: EventQuery,
        anchor: Anchor | None,
        top_offset: int,
        token: CancelToken,
    ) -> None:
        try:
            first_page = self._rows.ask(
                lambda reader, cancel: read_first_page(reader, query, anchor, cancel), token
            )
        except QueryCancelled:
            return
        except AuditTuiError as error:
            self.post_message(self._AskFailed(generation, error))
        else:
            self.post_message(self._ResultRead(generation, first_page, top_offset))

    def _read_page(
        self, generation: int, query: EventQuery, request: PageRequest, token: CancelToken
    ) -> None:
        try:
            page = self._rows.ask(
                lambda reader, cancel: reader.page(query, request.place, request.limit_rows, cancel), token
            )
        except QueryCancelled:
            return
        except AuditTuiError as error:
            self.post_message(self._AskFailed(generation, error))
        else:
            self.post_message(self._PageRead(generation, request, page))

    def _read_count(self, generation: int, query: EventQuery, token: CancelToken) -> None:
        told = 0

        def report(value: int) -> None:
            nonlocal told
            # A search is counted in hundreds of steps; each message draws the status line.
            if value > told + told // 4:
                told = value
                self.post_message(self._LeastRead(generation, value))

        try:
            value = self._counts.ask(lambda reader, cancel: reader.count(query, cancel, report), token)
        except QueryCancelled:
            return
        except AuditTuiError as error:
            self.post_message(self._AskFailed(generation, error))
        else:
            self.post_message(self._CountRead(generation, value))

    def _prepare(self, query: EventQuery, token: CancelToken) -> None:
        try:
            if not self._is_prepared:
                self._stillness.wait(STILL_S, token)
                self._counts.ask(lambda reader, cancel: reader.prepare(None, cancel), token)
                self._is_prepared = True
            self._counts.ask(lambda reader, cancel: reader.prepare(query, cancel), token)
        except AuditTuiError:
            # Nobody asked: who needs the source next is told what is wrong with it.
            return

    def _start(self, group: str, work: partial[None]) -> None:
        self.run_worker(work, group=f"events-{group}", thread=True, exclusive=True)

    # -- on the event loop

    @on(_ResultRead)
    def _show_result(self, message: _ResultRead) -> None:
        message.stop()
        if message.generation == self._generation:
            self.show(message.first_page, message.top_offset)

    @on(EventTable.PageNeeded)
    def _read_more(self, message: EventTable.PageNeeded) -> None:
        message.stop()
        if self._shown != self._generation:
            return  # The rows of an older result would end the read of the newer one.
        work = partial(self._read_page, self._generation, self._query, message.request)
        self._start("rows", partial(work, self._rows.begin()))

    @on(_PageRead)
    def _add_page(self, message: _PageRead) -> None:
        message.stop()
        if message.generation != self._generation:
            return
        before = self.count
        self._window.add(message.request, message.page)
        self.table.rows_came()
        if self.count != before:
            self.post_message(self.Counted(self, self.count))

    @on(_LeastRead)
    def _take_least(self, message: _LeastRead) -> None:
        message.stop()
        if message.generation == self._generation:
            self._window.set_least(message.value)
            self.table.rows_came()
            self.post_message(self.Counted(self, self.count))

    @on(_CountRead)
    def _take_count(self, message: _CountRead) -> None:
        message.stop()
        if message.generation != self._generation:
            return
        self._window.set_count(message.value)
        self.table.rows_came()
        self.post_message(self.Counted(self, self.count))
        if (self._query.upto_seq or 0) >= PREPARED_EVENTS:
            self._start("prepare", partial(self._prepare, self._query, self._counts.begin()))

    @on(_AskFailed)
    def _say_failed(self, message: _AskFailed) -> None:
        message.stop()
        if message.generation == self._generation:
            self._shown = self._generation
            self.post_message(self.Failed(self, message.error))
