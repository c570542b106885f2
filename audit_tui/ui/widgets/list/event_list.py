"""The list with its questions: asks for the rows of a view, for more of them, and for their number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container
from textual.message import Message

from audit_tui.core.columns import Column
from audit_tui.core.event_fields import field_words
from audit_tui.core.filter.filters import All, Condition
from audit_tui.core.filter.operators import MORE
from audit_tui.core.query import Bound, SourceState, Standing
from audit_tui.core.record import Record
from audit_tui.core.time.zones import local_time
from audit_tui.core.window import PageRequest, RowWindow
from audit_tui.errors import AuditTuiError, QueryTooLong, StoreMissing
from audit_tui.ui.first_page import Anchor, FirstPage, read_first_page
from audit_tui.ui.lane import Lane, unless_ended
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.list.range_table import RangeTable
from audit_tui.ui.widgets.list.runs import read_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.timer import Timer

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import EventQuery, EventReader, Page, PageKey, ReaderFactory, RowCount
    from audit_tui.ui.history import ShownView
    from audit_tui.ui.lane import Stillness
    from audit_tui.ui.widgets.list.row_text import RowText

PREPARED_EVENTS = 300_000
"""From this size on jumps are prepared: below, they take 30 ms at most without, and 25 MiB less."""
STILL_S = 1.0
"""The time without a key after which jumps are prepared for the first time, 150 ms of imports."""
SLOW_S = 0.3
"""From then on a question is shown to be under way."""
TICK_S = 1.0
"""The time between words about how long it takes."""


class Question(Record):
    """A question for rows, as it may be asked again."""

    wanted: ShownView
    anchor: Anchor | None = None
    top_offset: int = 0
    """The number of rows above it on the screen."""
    page: PageRequest | None = None
    """More rows of the view that is shown; None asks for the first rows of another one."""
    opens: bool = False
    is_patient: bool = False


class EventList(Container):
    """Shows the events of a view."""

    BLANK = True  # The table covers it: drawn as an empty box, 1 ms a frame is saved.

    @dataclass
    class QueryShown(Message):
        """The rows of another view are shown, or newer ones of the same."""

        shown: ShownView
        is_reopened: bool

    class Counted(Message):
        """More is known of the number of rows."""

    @dataclass
    class Waiting(Message):
        """A question takes long; or the one that did has ended."""

        words: str

    @dataclass
    class Dropped(Message):
        """A question ended without an answer; what was shown stays."""

        error: AuditTuiError | None
        retry: Callable[[], None] | None = None
        """Asks again without a limit of time; None where that would not help."""

    def __init__(
        self,
        open_reader: ReaderFactory,
        row_text: RowText,
        stillness: Stillness,
        first: ShownView,
        open_patiently: ReaderFactory | None = None,
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._open_reader = open_reader
        self._open_patiently = open_patiently
        self._rows = Lane(open_reader)
        self._counts = Lane(open_reader)
        self._runs = Lane(open_reader)
        self._row_text = row_text
        self.table = RangeTable(row_text, id="events")
        self._stillness = stillness
        self._is_prepared = False
        self._is_patient = False
        self._slow: Timer | None = None
        self._awaited: Question | None = None
        self._slow_ticks = 0
        self._window = RowWindow(first.query.sort)
        self.has_result = False
        self.shown = first
        """The view whose rows are shown."""
        self.wanted: ShownView | None = None

    def compose(self) -> ComposeResult:
        yield self.table

    @property
    def count(self) -> RowCount:
        return self._window.count

    @property
    def column_cells(self) -> dict[object, int]:
        return {box.column: box.width for box in self._row_text.boxes}

    @property
    def latest(self) -> ShownView:
        """The view that the next change starts from: the one that is asked for, else the one shown."""
        return self.wanted or self.shown

    def ask(
        self,
        wanted: ShownView,
        *,
        keep_cursor: bool = True,
        opens: bool = False,
        is_patient: bool = False,
    ) -> None:
        row = self.table.highlighted if keep_cursor else None
        anchor = None if row is None else Anchor.at_event(row, wanted.query.sort)
        line = self.table.line_of(self.table.cursor_row)
        self.ask_for(wanted, anchor, line, opens=opens, is_patient=is_patient)

    def ask_at(self, wanted: ShownView, key: PageKey | None, top_offset: int) -> None:
        self.ask_for(wanted, None if key is None else Anchor(key), top_offset)

    def go_to_time(self, wanted: ShownView, occurred_us: int) -> None:
        """Show a view sorted by date, with the cursor on the event nearest to a moment."""
        anchor = Anchor.at_time(occurred_us, wanted.query.sort)
        self.ask_for(wanted, anchor, self.table.visible_rows // 2)

    def land(self, index: int, blocks: Sequence[tuple[PageRequest, Page]]) -> None:
        self._window.request(index, index)
        for request, page in blocks:
            self._window.add(request, page)
        self.table.rows_came()
        self.table.jump_to(index)

    def look(self) -> tuple[SourceState, int] | None:
        """In a thread: look what became of the source of these rows; None if that cannot be told now.

        Returns:
            Its state, and how many events of the result were appended since its rows were read.
        """
        query = self.shown.query

        def look_with(reader: EventReader) -> tuple[SourceState, int]:
            state = reader.state()
            upto_seq = query.upto_seq
            if not self.has_result or upto_seq is None or state.newest_seq <= upto_seq:
                return state, 0
            if isinstance(upto_seq, Bound):
                # Numbers do not grow with time there: other stores have events between these.
                every = reader.count(replace(query, upto_seq=None))
                return state, max(0, every - reader.count(query))
            is_newer = Condition(Column.SEQ, MORE, str(upto_seq))
            newer = replace(query, filter=All((query.filter, is_newer)), upto_seq=None)
            return state, reader.count(newer)

        try:
            return self._rows.glance(look_with)
        except StoreMissing:
            return SourceState(Standing.DELETED), 0
        except AuditTuiError:
            # The next question says what is wrong, to someone who asked.
            return None

    def read_missing(self) -> None:
        if self.has_result:
            self.table.rows_came()
            self._count_rest()
        elif self.wanted is None:
            self.ask_at(self.shown, None, 0)

    def show(self, first_page: FirstPage, wanted: ShownView, top_offset: int = 0) -> None:
        self._show(Question(wanted, top_offset=top_offset), first_page)

    def ask_for(
        self,
        wanted: ShownView,
        anchor: Anchor | None,
        top_offset: int,
        *,
        opens: bool = False,
        is_patient: bool = False,
    ) -> None:
        self._counts.cancel()
        self._runs.cancel()
        self.wanted = wanted
        # Back from a reader without a limit.
        opens = opens or (self._is_patient and not is_patient)
        question = Question(wanted, anchor, top_offset, opens=opens, is_patient=is_patient)
        self._start_rows(question)

    def _ask_again(self, question: Question) -> None:
        if question.page is None:
            self._counts.cancel()
            self._runs.cancel()
            self.wanted = question.wanted
        self._start_rows(replace(question, is_patient=True))

    def _show(self, question: Question, first_page: FirstPage) -> None:
        self._await(None)
        self.wanted = None
        self.has_result = True
        self._is_patient = question.is_patient
        if question.opens:
            self._counts.renew()
            self._runs.renew()
        shown = self.shown = replace(question.wanted, query=first_page.query)
        self._window = first_page.window()
        zone = shown.context.zone
        this_year = shown.context.today.year
        start_us = shown.query.interval.start_us
        other_years = start_us is None or local_time(start_us, zone).year != this_year
        self._row_text.choose(shown.view.columns)
        self._row_text.begin(shown.query.sort, zone, this_year, other_years=other_years)
        cursor_row = first_page.cursor_row
        self.table.show(self._window, cursor_row, max(0, cursor_row - question.top_offset))
        self.post_message(self.QueryShown(shown, question.opens))
        self.post_message(self.Counted())
        self._count_rest()

    def _count_rest(self) -> None:
        if not self.count.exact:
            fail = partial(self._take_failure, None)
            read = partial(self._read_count, self.shown.query)
            self._counts.put(self, "events-count", read, partial(self._take_count, is_exact=True), fail)

    def cancel(self) -> bool:
        """End the questions under way, leaving what is shown; False when there are none."""
        workers = (worker for worker in self.workers if worker.node is self)
        running = any(not worker.is_finished and worker.group != "events-prepare" for worker in workers)
        if running:
            self._rows.cancel()
            self._counts.cancel()
            self._drop(None)
        return running

    def _drop(self, error: AuditTuiError | None, retry: Callable[[], None] | None = None) -> None:
        self._counts.cancel()
        was_wanted, self.wanted = self.wanted, None
        self._await(None)
        self.post_message(self.Dropped(error, retry))
        if was_wanted is not None and self.has_result:
            self.table.rows_came()
            self._count_rest()

    def on_unmount(self) -> None:
        self._rows.close()
        self._counts.close()
        self._runs.close()

    # -- saying that it takes long

    def _await(self, question: Question | None) -> None:
        """Tell from time to time that a question is under way; None ends that."""
        if self._slow is not None:
            self._slow.stop()
            self._slow = None
            if self._slow_ticks:
                self.post_message(self.Waiting(""))
        self._slow_ticks = 0
        self._awaited = question
        if question is not None:
            self._slow = self.set_timer(SLOW_S, partial(self._tick, question))

    def _tick(self, question: Question) -> None:
        if question is not self._awaited:
            return  # The timer had gone off already when its question was answered.
        words = f"{self._doing(question)}…"
        if self._slow_ticks:
            words += f" {self._slow_ticks} s"
        self._slow_ticks += 1
        self._slow = self.set_timer(TICK_S - SLOW_S * (self._slow_ticks == 1), partial(self._tick, question))
        self.post_message(self.Waiting(words))

    def _doing(self, question: Question) -> str:
        wanted, shown = question.wanted.view, self.shown.view
        if question.page is not None or not self.has_result or wanted == shown:
            return "Reading"
        if wanted.sort != shown.sort:
            return f"Sorting by {field_words(wanted.sort.column)}"
        return "Filtering" if wanted.in_force != shown.in_force else "Reading another time range"

    # -- questions

    def _start_rows(self, question: Question) -> None:
        self._await(question)
        fail = partial(self._take_failure, question)
        query, anchor, page = question.wanted.query, question.anchor, question.page
        opens = self._open_reader if question.opens else None
        if question.is_patient and not self._is_patient:
            opens = self._open_patiently
        if page is None:
            self._rows.put(
                self,
                "events-rows",
                lambda reader, cancel: read_first_page(reader, query, anchor, cancel),
                partial(self._show, question),
                fail,
                open_reader=opens,
            )
        else:
            self._rows.put(
                self,
                "events-rows",
                lambda reader, cancel: reader.page(query, page.place, page.limit_rows, cancel),
                partial(self._add_page, question, page),
                fail,
                open_reader=opens,
            )

    def _read_count(self, query: EventQuery, reader: EventReader, cancel: CancelToken) -> int:
        told = 0

        def report(value: int) -> None:
            nonlocal told
            # A search is counted in hundreds of steps; each message draws the status line.
            if value > told + told // 4:
                told = value
                self.call_later(unless_ended, cancel, partial(self._take_count, value, is_exact=False))

        return reader.count(query, cancel, report)

    def _prepare(self) -> None:
        """Prepare jumps, when nobody types; nobody asked, so an error says nothing."""
        query, was_prepared = self.shown.query, self._is_prepared

        def prepare(reader: EventReader, cancel: CancelToken) -> None:
            if not was_prepared:
                reader.prepare(None, cancel)
                self._is_prepared = True
            reader.prepare(query, cancel)

        still = None if was_prepared else partial(self._stillness.wait, STILL_S)
        self._counts.put(self, "events-prepare", prepare, lambda _: None, before=still)

    # -- what came of them

    @on(EventTable.PageNeeded)
    def _read_more(self, message: EventTable.PageNeeded) -> None:
        message.stop()
        if self.wanted is None:  # else the rows of an older result would end the read of the newer one
            self._start_rows(Question(self.shown, page=message.request))

    def _add_page(self, question: Question, request: PageRequest, page: Page) -> None:
        self._await(None)
        self._is_patient = self._is_patient or question.is_patient
        before = self.count
        self._window.add(request, page)
        self.table.rows_came()
        if self.count != before:
            self.post_message(self.Counted())

    @on(RangeTable.RunNeeded)
    def _ask_run(self, message: RangeTable.RunNeeded) -> None:
        message.stop()
        query = self.shown.query
        if self.wanted is None and not query.sort.reads_rows:
            row, take = message.row, self.table.take_run
            # Without an answer, the line says that there are more.
            self._runs.put(
                self, "events-runs", lambda reader, cancel: read_run(reader, query, row, cancel), take
            )

    def _take_count(self, value: int, *, is_exact: bool) -> None:
        if is_exact:
            self._window.set_count(value)
        else:
            self._window.set_least(value)
        self.table.rows_came()
        self.post_message(self.Counted())
        if is_exact and (self.shown.query.upto_seq or 0) >= PREPARED_EVENTS:
            self._prepare()

    def _take_failure(self, question: Question | None, error: AuditTuiError) -> None:
        if question is None:
            self.post_message(self.Dropped(error))
            return
        can_wait = isinstance(error, QueryTooLong) and self._open_patiently is not None
        self._drop(error, partial(self._ask_again, question) if can_wait else None)
