"""The review screen's parts, and what is common to all that is done there: views, errors, questions."""

from __future__ import annotations

import gc
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from textual import on
from textual.screen import Screen

from audit_tui.core.filter.filters import EVERYTHING, in_words, two_ways_words
from audit_tui.core.left import Left
from audit_tui.core.query import PageKey
from audit_tui.core.text import clean, counted
from audit_tui.core.time.dates import Preset, TimeContext
from audit_tui.core.time.zones import zone_label
from audit_tui.core.view import chipped, sort_words
from audit_tui.errors import AuditTuiError, SourceLost
from audit_tui.ui.history import History, ShownView
from audit_tui.ui.lane import Stillness
from audit_tui.ui.screens.review.body import ReviewBody, read_splits, write_splits
from audit_tui.ui.screens.review.seal_watch import BEGIN_S, SealWatch
from audit_tui.ui.terminal.terminal_app import TerminalApp
from audit_tui.ui.widgets.bars import KeyLine, StatusLine, TopLine
from audit_tui.ui.widgets.chips import ChipLine
from audit_tui.ui.widgets.list.event_list import EventList
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.list.range_table import RangeTable
from audit_tui.ui.widgets.list.row_text import RowText

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from textual import events
    from textual.app import ComposeResult

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.event_fields import ListField
    from audit_tui.core.evidence.sealed import SealStatus
    from audit_tui.core.filter.filters import Filter, FilterField
    from audit_tui.core.query import EventReader
    from audit_tui.core.time.dates import TimeRange
    from audit_tui.core.view import View
    from audit_tui.ui.first_page import Opening
    from audit_tui.ui.keymap import Keymap
    from audit_tui.ui.screens.dialog import Dialog
    from audit_tui.ui.screens.filter_by import FilterDialog
    from audit_tui.ui.screens.text_dialog import TextDialog
    from audit_tui.ui.terminal.clipboard import Clipboard, CopyResult
    from audit_tui.ui.widgets.facets.facet_panel import FacetPanel
    from audit_tui.ui.widgets.pane.detail_pane import DetailPane

    Answer = TypeVar("Answer")
    Result = TypeVar("Result")

MIDNIGHT_CHECK_S = 30.0
LIFTED_WORDS = "all filters lifted"


class ReviewBase(Screen[None]):
    """Holds the parts of the review screen, and what its themes share: views, questions, errors.

    The event list holds the view that is shown (``ShownView``). Commands ask it for another; when the rows of
    that have come, ``QueryShown`` brings the bars up to date.
    """

    is_lost = False
    """A question met a source whose connection is gone; it was not seen to be back since."""
    BLANK = True  # Its parts cover it.

    def __init__(self, opening: Opening, keymap: Keymap, clipboard: Clipboard) -> None:
        super().__init__()
        self._opening = opening
        self._open_reader = opening.open_reader
        self._keymap = keymap
        self.clipboard = clipboard
        self.stillness = Stillness()
        settings = opening.settings
        redact = opening.redact
        self._settled_columns = settings.listed_columns
        first = ShownView.of(
            self._with_columns(opening.view),
            TimeContext(opening.zone, opening.clock(), settings.first_weekday),
            is_redacted=redact is not None and redact.is_on,
        )
        row_text = RowText(settings.columns, settings.date_format, masks_secrets=settings.mask_secrets)
        self.event_list = EventList(
            self._open_reader, row_text, self.stillness, first, opening.open_patiently, id="list"
        )
        self.table = self.event_list.table
        self._splits = read_splits(opening.state_directory)
        self._body = ReviewBody(self.event_list, self._open_reader, dict(self._splits), self)
        self._history = History(self._by_name(opening.view))
        self._top = TopLine(opening.store_name)
        self._chips = ChipLine()
        self._status = StatusLine(keymap)
        self._keys = KeyLine(keymap)
        self._day = first.context.today
        checker = opening.open_checker
        self.seals = None if checker is None else SealWatch(checker, self, self._say_seals, self.stillness)
        self._seal_dialog: TextDialog | None = None
        self._filter_dialog: FilterDialog | None = None

    def compose(self) -> ComposeResult:
        yield self._top
        yield self._chips
        yield from self.above_list()
        yield self._body
        yield self._status
        yield self._keys

    def above_list(self) -> ComposeResult:
        yield from ()

    def on_mount(self) -> None:
        opening = self._opening
        self._show_view()
        if opening.first_page is not None:
            self.event_list.show(opening.first_page, self.event_list.shown, opening.begin_line)
        else:
            self.event_list.ask_for(self.event_list.shown, opening.begin_at, opening.begin_line)
        self.table.focus()
        self.set_interval(MIDNIGHT_CHECK_S, self._follow_the_day)
        self.watch(self.table, "cursor_row", self._show_place, init=False)
        self.call_after_refresh(_collect_garbage)
        if self.seals is not None:
            self.set_timer(BEGIN_S, self.seals.run)

    def on_unmount(self) -> None:
        if self._body.splits != self._splits:
            write_splits(self._opening.state_directory, self._body.splits)
        if self.seals is not None:
            self.seals.close()

    def on_resize(self, event: events.Resize) -> None:
        self._body.fit(event.size.width)

    @property
    def pane(self) -> DetailPane | None:
        return self._body.pane

    @property
    def fields(self) -> tuple[ListField, ...]:
        """The columns that are shown, in order; copies and exports follow them."""
        columns = self.event_list.shown.view.columns
        return tuple(column.field for column in columns) or self._opening.settings.columns

    @property
    def facets(self) -> FacetPanel | None:
        """The panel of facets; None while it is closed."""
        return self._body.facets

    @property
    def view(self) -> View:
        return self.event_list.latest.view

    @property
    def context(self) -> TimeContext:
        return replace(self.event_list.latest.context, now=self._opening.clock())

    @property
    def left(self) -> Left:
        view, table = self.event_list.shown.view, self.table
        row = table.highlighted
        if row is None:
            return Left(view)
        return Left(view, PageKey.of(row, view.sort), max(0, table.cursor_row - table.scroll_offset.y))

    def show_view(self, view: View, *, keep_cursor: bool = True) -> None:
        """Show something else; the cursor stays on the same event, else on the next older one."""
        self.note_left()
        self._history.note_asked()
        self.event_list.ask(self._worked_out(view), keep_cursor=keep_cursor)

    def view_of(self, expression: Filter = EVERYTHING, time_range: TimeRange = Preset.ALL_TIME) -> View:
        return chipped(replace(self.view.without_filters(), filter=expression, time_range=time_range))

    def remarks_of(self, event: AuditEvent) -> Sequence[str]:
        """Return what stands above an event in the pane."""
        return ()

    def fields_of(self, event: AuditEvent) -> Collection[FilterField]:
        """Return the fields of an event whose values stand out in the pane."""
        return ()

    @property
    def marked_us(self) -> Sequence[int]:
        return ()

    def mark_strip(self) -> None:
        """Mark in the strip, where there is one, what is to be marked now."""

    def note_left(self) -> None:
        if self.event_list.wanted is None:
            self._history.note_left(self.left)

    def step_back(self, steps: int = 1) -> bool:
        """Show an earlier view (a later one when negative) as it was left; False when there is none."""
        self.note_left()
        left = self._history.step(-steps)
        if left is not None:
            self.event_list.ask_at(self._worked_out(left.view), left.event, left.line)
        return left is not None

    def _by_name(self, view: View) -> View:
        """Return a view with names in the place of pseudonyms: what is undone may be shown either way."""
        redact = self._opening.redact
        return view if redact is None else view.with_filters(redact.real)

    def _with_columns(self, view: View) -> View:
        return view if view.columns else replace(view, columns=self._settled_columns)

    def _worked_out(self, view: View) -> ShownView:
        view = self._with_columns(view)
        if self._opening.redact is not None:
            # A name that was typed is not shown.
            view = view.with_filters(self._opening.redact.shown)
        return ShownView.of(view, self.context, is_redacted=self.event_list.latest.is_redacted)

    @on(EventList.QueryShown)
    def _show_view(self) -> None:
        shown = self.event_list.shown
        view, context = shown.view, shown.context
        self._history.note_shown(self._by_name(view))
        self.view_shown()
        zone = zone_label(context.zone, context.now)
        self._top.show(
            filter_count=view.filter_count,
            range_words=view.range_words(context),
            applied=self.applied_words(view),
            zone=f"redacted · {zone}" if shown.is_redacted else zone,
            command=self.applied_command,
        )
        self._chips.show(view.chips, is_lifted=view.is_lifted)
        self._show_order()
        if self._filter_dialog is not None:
            self._filter_dialog.renew()

    def view_shown(self) -> None:
        """Do what follows when a view is shown, before the line above tells of it."""

    @property
    def applied_command(self) -> str:
        return "filter"

    def applied_words(self, view: View) -> str:
        return LIFTED_WORDS if view.is_lifted else in_words(view.filter)

    @on(RangeTable.Folded)
    def _show_order(self) -> None:
        order = sort_words(self.event_list.shown.view.sort)
        self._status.order_words = f"{order}, folded" if self.table.is_folded else order

    @on(EventList.Counted)
    def _show_count(self) -> None:
        count = self.event_list.count
        self._show_place(self.table.cursor_row)
        if count.exact and not count.value:
            self.table.show_words(*why_empty(self.event_list.shown, self._keymap))
            self.nothing_found()

    def nothing_found(self) -> None:
        """Say more about a view without events."""

    @on(EventTable.RowHighlighted)
    def _follow_cursor(self, message: EventTable.RowHighlighted) -> None:
        self._show_place(message.cursor_row)

    def _show_place(self, row: int) -> None:
        # In the frame that shows the cursor there: the message that tells of it comes a frame later.
        self._status.show_place(row, self.event_list.count)

    @on(EventList.Waiting)
    def _show_waiting(self, message: EventList.Waiting) -> None:
        key = self._keymap.key_of("back")
        self._status.waiting_words = message.words and f"{message.words}  {key} ends it"

    @on(EventList.Dropped)
    def _go_on(self, message: EventList.Dropped) -> None:
        self._history.note_asked()
        redact = self._opening.redact
        if redact is not None:
            redact.is_on = self.event_list.shown.is_redacted
        error = message.error
        if not self.event_list.has_result:
            title = "Cancelled." if error is None else error.title
            self.table.show_words(title, f"Press {self._keymap.key_of('reload')} to try again.")
        if isinstance(error, SourceLost):
            # The status line says it until it is back; a dialog for each question would be in the way.
            self.is_lost = True
            self.say("Not read: the connection is lost.")
        elif error is not None:
            self.show_error(error, message.retry)

    def show_error(
        self, error: AuditTuiError, retry: Callable[[], None] | None = None, offer: str = "Wait on"
    ) -> None:
        """Say calmly what happened and what to do; one dialog at a time.

        Args:
            error: What happened.
            retry: Asks again, without a limit of time; None where that would not help.
            offer: The words for that.
        """
        from audit_tui.ui.screens.text_dialog import error_dialog

        def take(is_wanted: bool | None) -> None:
            if retry is not None and is_wanted:
                retry()

        if self.app.screen is self:
            self.app.push_screen(error_dialog(error, "" if retry is None else offer), take)

    def _open(self, dialog: Dialog[Result], take: Callable[[Result], object]) -> None:
        """Open a dialog and take its result; None cancels."""

        def taken(result: Result | None) -> None:
            if result is not None:
                take(result)

        self.app.push_screen(dialog, taken)

    def _with_event(self, take: Callable[[AuditEvent], None]) -> None:
        """Read the event under the cursor, whole, and go on with it."""
        row = self.table.highlighted
        if row is not None:
            self._ask_once(
                lambda reader: reader.event(row.seq), lambda event: None if event is None else take(event)
            )

    def tell_copied(self, what: str, result: CopyResult) -> None:
        """Say where a copy went: in the status line if it has room for that, else in a dialog."""
        from audit_tui.ui.screens.copy_source import where_it_went
        from audit_tui.ui.screens.text_dialog import told_dialog

        if words := where_it_went(what, result):
            self.say(words)
        else:
            self.app.push_screen(told_dialog("Copy", result.words))

    def say(self, words: str) -> None:
        self._status.say(words)

    def _follow_the_day(self) -> None:
        today = self.context.today
        if today != self._day:
            self._day = today
            self.show_view(self.view, keep_cursor=self.table.cursor_row > 0)

    def _say_seals(self, status: SealStatus) -> None:
        self._status.show_seal(status)
        self._body.mark_wrong(status.wrong)
        self.event_list.table.end_with(status.removal_words)
        if self._seal_dialog is not None and self._seal_dialog.is_current:
            from audit_tui.ui.screens.seal_dialog import seal_lines

            self._seal_dialog.show(seal_lines(status))

    @on(RangeTable.RangeChanged)
    def _say_selection(self, message: RangeTable.RangeChanged) -> None:
        copy, back = self._keymap.key_of("copy"), self._keymap.key_of("back")
        rows = counted(message.count, "row")
        self._status.selection_words = (
            message.count and f"{rows} selected: {copy} copies, {back} ends"
        ) or ""

    def _compositor_refresh(self) -> None:
        # Textual 8.2.8 draws a dialog for ever when the screen behind it changed once: 20 ms of a key.
        super()._compositor_refresh()
        if self is not self.app.screen:
            # Whoever takes the dialog away draws everything.
            self._repaint_required = False

    def _ask_once(self, question: Callable[[EventReader], Answer], take: Callable[[Answer], None]) -> None:
        """Put one question to a reader in a thread; the answer, or a dialog with the error, comes later.

        Keys wait until then: they are meant for the dialog that the answer opens.
        """
        release = self.app.hold_keys() if isinstance(self.app, TerminalApp) else None
        self._ask_quietly("ask-once", question, take, self.show_error, release)

    def _ask_quietly(
        self,
        group: str,
        question: Callable[[EventReader], Answer],
        take: Callable[[Answer], None],
        fail: Callable[[AuditTuiError], None] | None = None,
        end: Callable[[], None] | None = None,
    ) -> None:
        """Put a question to a reader in a thread; without ``fail`` nobody waits: no answer, no word."""

        def read() -> None:
            try:
                with closing(self._open_reader()) as reader:
                    answer = question(reader)
            except AuditTuiError as error:
                if fail is not None:
                    self.call_later(fail, error)
            else:
                self.call_later(take, answer)
            finally:
                if end is not None:
                    self.call_later(end)

        self.run_worker(read, thread=True, group=group, exclusive=True)


def _collect_garbage() -> None:
    """Look for garbage from now on, but not among what the start made, which stays: that took 50 ms a time.

    It is switched off while the program starts (cli.open_).
    """
    gc.freeze()
    gc.enable()


def why_empty(shown: ShownView, keymap: Keymap) -> tuple[str, ...]:
    """Say why a view shows nothing."""
    view = shown.view
    range_words = view.range_words(shown.context)
    is_all_time = view.time_range is Preset.ALL_TIME
    change = (
        f"Press {keymap.key_of('filter')} to change the filter, {keymap.key_of('clear-filter')} to clear it"
    )
    another_range = f"{keymap.key_of('time-range')} for another time range."
    two_ways = tuple(filter(None, (clean(two_ways_words(view.in_force)),)))
    if view.in_force != EVERYTHING and is_all_time:
        return "No event matches the filter.", f"{change}.", *two_ways
    if view.in_force != EVERYTHING:
        words = f"No events in the time range {range_words} match the filter."
        return words, f"{change}, {another_range}", *two_ways
    if is_all_time:
        return "The store holds no events yet.", "audit-tui import brings some in."
    return f"No events in the time range {range_words}.", f"Press {another_range}"
