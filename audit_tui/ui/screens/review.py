"""The review screen: the bars round the list, and what the keys and the mouse do there."""

from __future__ import annotations

import gc
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.screen import Screen

from audit_tui.core.columns import Column, ListColumn
from audit_tui.core.event_text import cell_text
from audit_tui.core.filters import EVERYTHING, All, Any, Condition, conditions_in
from audit_tui.core.flat_filter import FlatFilter, Match, flat
from audit_tui.core.left import Left
from audit_tui.core.operators import IS, IS_NOT
from audit_tui.core.privacy.redact_mode import real_filter, shown_filter
from audit_tui.core.query import NEWEST_FIRST, PageKey
from audit_tui.core.text import counted
from audit_tui.core.time.dates import TimeContext
from audit_tui.core.time.zones import local_time, zone_label, zone_named
from audit_tui.core.view import next_sort, sort_words
from audit_tui.errors import AuditTuiError
from audit_tui.ui.commands import Command, Where
from audit_tui.ui.history import History
from audit_tui.ui.keymap import Keymap, bindings
from audit_tui.ui.screens.empty_words import why_empty
from audit_tui.ui.screens.review_body import ReviewBody
from audit_tui.ui.screens.seal_watch import BEGIN_S, SealWatch
from audit_tui.ui.screens.source_watch import LOOK_S, Notice, SourceWatch, notice_of
from audit_tui.ui.shown_view import ShownView
from audit_tui.ui.stillness import Stillness
from audit_tui.ui.terminal.terminal_app import TerminalApp
from audit_tui.ui.widgets.bars import Bar, KeyLine, StatusLine, TopLine
from audit_tui.ui.widgets.list.event_list import EventList
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.list.range_table import RangeTable
from audit_tui.ui.widgets.list.row_text import RowText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.dom import DOMNode

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filters import Filter
    from audit_tui.core.privacy.pseudonyms import Pseudonyms
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.query import EventReader, SourceState
    from audit_tui.core.time.dates import TimeRange
    from audit_tui.core.view import View
    from audit_tui.ui.first_page import Opening
    from audit_tui.ui.screens.command_line import Order
    from audit_tui.ui.screens.copy_menu import Copied
    from audit_tui.ui.screens.filter_by import FilterDialog
    from audit_tui.ui.screens.text_dialog import TextDialog
    from audit_tui.ui.terminal.clipboard import Clipboard
    from audit_tui.ui.widgets.pane.detail_pane import DetailPane

    Answer = TypeVar("Answer")

MIDNIGHT_CHECK_S = 30.0
"""The time between looks whether a new day has begun, so that Today stays today."""


class ReviewScreen(Screen[None]):
    """Shows who did what and when, and does what is asked of it.

    The event list holds the view that is shown (``ShownView``). Commands ask it for another; when the rows of
    that have come, ``QueryShown`` brings the bars up to date.

    Args:
        opening: The store and the view to begin with.
        keymap: The keys to name on the screen.
        clipboard: Takes copies.
    """

    BLANK = True  # Its parts cover it.
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.SCREEN)]

    def __init__(self, opening: Opening, keymap: Keymap, clipboard: Clipboard) -> None:
        super().__init__()
        self._opening = opening
        self._open_reader = opening.open_reader
        self._keymap = keymap
        self.clipboard = clipboard
        self.stillness = Stillness()
        """Knows when the user rests."""
        settings = opening.settings
        redact = opening.redact
        first = ShownView.of(
            opening.view,
            TimeContext(opening.zone, opening.clock(), settings.first_weekday),
            is_redacted=redact is not None and redact.is_on,
        )
        row_text = RowText(settings.columns, settings.date_format, masks_secrets=settings.mask_secrets)
        self.event_list = EventList(
            self._open_reader, row_text, self.stillness, first, opening.open_patiently, id="list"
        )
        """The list of events."""
        self._body = ReviewBody(self.event_list, self._open_reader)
        self._history = History(self._by_name(opening.view))
        self._top = TopLine(opening.store_name)
        self._status = StatusLine(keymap)
        self._keys = KeyLine(keymap)
        self._notice = Notice(opening.notice)
        self._source = SourceWatch(self, self._look)
        self._day = first.context.today
        self._table: RangeTable | None = None
        checker = opening.open_checker
        self.seals = None if checker is None else SealWatch(checker, self, self.stillness)
        """The check of the seals; None where there is none."""
        self._seal_dialog: TextDialog | None = None
        self._filter_dialog: FilterDialog | None = None

    # -- its parts

    def compose(self) -> ComposeResult:
        yield self._top
        yield self._body
        yield self._status
        yield self._keys

    def on_mount(self) -> None:
        opening = self._opening
        self._table = self.table
        self._show_view()
        self._status.show_standing(self._notice.words)
        if opening.first_page is not None:
            self.event_list.show(opening.first_page, self.event_list.shown, opening.begin_line)
        else:
            self.event_list.begin(opening.begin_at, opening.begin_line)
        self.table.focus()
        self.set_interval(MIDNIGHT_CHECK_S, self._follow_the_day)
        self.set_interval(LOOK_S, self._source.run)
        self.watch(self.table, "cursor_row", self._show_place, init=False)
        self.call_after_refresh(_collect_garbage)
        if self.seals is not None:
            self.set_timer(BEGIN_S, self.seals.run)

    def on_unmount(self) -> None:
        if self.seals is not None:
            self.seals.close()

    def on_resize(self, event: events.Resize) -> None:
        self._body.fit(event.size.width)

    @property
    def table(self) -> RangeTable:
        """The table in the list."""
        return self.event_list.table

    @property
    def pane(self) -> DetailPane | None:
        """The detail pane; None while it is closed."""
        return self._body.pane

    @property
    def view(self) -> View:
        """The view that is shown, or asked for."""
        return self.event_list.latest.view

    @property
    def context(self) -> TimeContext:
        """This moment, in the zone that is shown."""
        return replace(self.event_list.latest.context, now=self._opening.clock())

    @property
    def left(self) -> Left:
        """Return what is shown and where the cursor stands; also when the screen is gone."""
        view, table = self.event_list.shown.view, self._table
        row = None if table is None else table.highlighted
        if table is None or row is None:
            return Left(view)
        return Left(view, PageKey.of(row, view.sort), max(0, table.cursor_row - table.scroll_offset.y))

    # -- what is shown

    def show_view(self, view: View, *, keep_cursor: bool = True) -> None:
        """Show something else; the cursor stays on the same event, else on the next older one."""
        self._history.note_asked()
        self.event_list.ask(self._worked_out(view), keep_cursor=keep_cursor)

    def _by_name(self, view: View) -> View:
        """Return a view with names in the place of pseudonyms: what is undone may be shown either way."""
        redact = self._opening.redact
        return view if redact is None else replace(view, filter=redact.real(view.filter))

    def _worked_out(self, view: View) -> ShownView:
        if self._opening.redact is not None:
            # A name that was typed is not shown.
            view = replace(view, filter=self._opening.redact.shown(view.filter))
        return ShownView.of(view, self.context, is_redacted=self.event_list.latest.is_redacted)

    @on(EventList.QueryShown)
    def _show_view(self) -> None:
        shown = self.event_list.shown
        view, context = shown.view, shown.context
        zone = zone_label(context.zone, context.now)
        self._top.show(
            filter_count=sum(1 for _ in conditions_in(view.filter)),
            range_words=view.range_words(context),
            applied=view.filter_words(),
            zone=f"redacted · {zone}" if shown.is_redacted else zone,
        )
        self._status.show_order(sort_words(view.sort))
        self._history.note_shown(self._by_name(view))
        if self._filter_dialog is not None:
            self._filter_dialog.renew()

    @on(EventList.Counted)
    def _show_count(self) -> None:
        count = self.event_list.count
        self._show_place(self.table.cursor_row)
        if count.exact and not count.value:
            self.table.show_words(*why_empty(self.event_list.shown, self._keymap))

    @on(EventTable.RowHighlighted)
    def _follow_cursor(self, message: EventTable.RowHighlighted) -> None:
        self._show_place(message.cursor_row)

    def _show_place(self, row: int) -> None:
        # In the frame that shows the cursor there: the message that tells of it comes a frame later.
        self._status.show_place(row, self.event_list.count)

    @on(EventList.Waiting)
    def _show_waiting(self, message: EventList.Waiting) -> None:
        key = self._keymap.key_of("back")
        self._status.show_waiting(message.words and f"{message.words}  {key} ends it")

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
        if error is not None:
            self.show_error(error, message.retry)

    def show_error(self, error: AuditTuiError, retry: Callable[[], None] | None = None) -> None:
        """Say calmly what happened and what to do; one dialog at a time.

        Args:
            error: What happened.
            retry: Asks again, without a limit of time; None where that would not help.
        """
        from audit_tui.ui.screens.text_dialog import error_dialog

        def take(is_wanted: bool | None) -> None:
            if retry is not None and is_wanted:
                retry()

        if self.app.screen is self:
            self.app.push_screen(error_dialog(error, "" if retry is None else "Wait on"), take)

    def say(self, words: str) -> None:
        """Say something for a moment, in the status line."""
        self._status.say(words)

    def _look(self) -> SourceState | None:
        """In a thread: look at the source, and let the seals be checked when something was written."""
        if self.seals is not None and self.seals.is_due():
            self.call_later(self.seals.run)
        return self.event_list.look()

    def _follow_the_day(self) -> None:
        today = self.context.today
        if today != self._day:
            self._day = today
            self.show_view(self.view, keep_cursor=self.table.cursor_row > 0)

    @on(SourceWatch.Looked)
    def _say_source(self, message: SourceWatch.Looked) -> None:
        state = message.state
        upto_seq = self.event_list.shown.query.upto_seq
        notice = notice_of(state, upto_seq, self._opening.notice, self._keymap.key_of("reload"))
        if notice != self._notice:
            self._notice = notice
            self._status.show_standing(*notice)

    @on(SealWatch.Changed)
    def _say_seals(self, message: SealWatch.Changed) -> None:
        status = message.status
        self._status.show_seal(status)
        self._body.mark_wrong(status.wrong)
        if self._seal_dialog is not None and self._seal_dialog.is_current:
            from audit_tui.ui.screens.seal_dialog import seal_lines

            self._seal_dialog.show(seal_lines(status))

    @on(RangeTable.RangeChanged)
    def _say_selection(self, message: RangeTable.RangeChanged) -> None:
        copy, back = self._keymap.key_of("copy"), self._keymap.key_of("back")
        rows = counted(message.count, "row")
        self._status.show_selection((message.count and f"{rows} selected: {copy} copies, {back} ends") or "")

    # -- moving, opening, leaving

    @on(EventTable.RowSelected)
    def action_open_event(self) -> None:
        if self.pane is not None:
            self._body.close_pane()
        else:
            self._body.open_pane()

    @on(ReviewBody.PaneToggled)
    def _show_keys(self) -> None:
        self._keys.show_pane(is_open=self.pane is not None)

    def action_back(self) -> None:
        if self._status.is_waiting:
            self.event_list.cancel()
        elif self.table.is_selecting:
            self.table.end_selection()
        elif self.pane is not None:
            self._body.close_pane()
        else:
            self.event_list.cancel()

    def action_quit(self) -> None:
        if self.table.is_selecting or self.pane is not None:
            self.action_back()
        else:
            self.app.exit()

    def interrupt(self) -> bool:
        """End what runs; False when nothing does."""
        from audit_tui.ui.screens.export_dialog import ExportDialog

        screen = self.app.screen
        is_export = isinstance(screen, ExportDialog) and screen.cancel()
        return is_export or self.event_list.cancel()

    def action_next_part(self) -> None:
        self.focus_next()

    @on(Bar.Pressed)
    async def _press(self, message: Bar.Pressed) -> None:
        await self.run_action(message.command.replace("-", "_"))

    # -- choosing another view

    def action_filter(self) -> None:
        from audit_tui.ui.screens.filter_by import FilterDialog

        if self._filter_dialog is None:
            self._filter_dialog = FilterDialog(self._open_reader)
            self.app.install_screen(self._filter_dialog, "filter-by")
        view = self.view
        rows, rest = for_dialog(view.filter)
        self._filter_dialog.begin(rows, replace(view, filter=rest).query(self.context))
        self.app.push_screen("filter-by", partial(self._take_filter, rest))

    def _take_filter(self, rest: Filter, chosen: FlatFilter | None) -> None:
        if chosen is not None:
            expression = narrowed(chosen.expression(), rest)
            if expression != self.view.filter:
                self.show_view(replace(self.view, filter=expression))

    def action_include(self) -> None:
        self._narrow_by_cell(is_negated=False)

    def action_exclude(self) -> None:
        self._narrow_by_cell(is_negated=True)

    def _narrow_by_cell(self, *, is_negated: bool) -> None:
        row, column = self.table.highlighted, self.table.column
        if row is None:
            return
        if column is Column.TIME:
            self.say(f"{self._keymap.key_of('time-range')} chooses times.")
            return
        condition = Condition(column, IS_NOT if is_negated else IS, row.text(column))
        self.show_view(replace(self.view, filter=narrowed(self.view.filter, condition)))

    def action_clear_filter(self) -> None:
        if self.view.filter != EVERYTHING:
            self.show_view(replace(self.view, filter=EVERYTHING))

    def action_time_range(self) -> None:
        # The first event's day is the beginning of All Time.
        self._ask_once(lambda reader: reader.info().first_us, self._open_time_range)

    def _open_time_range(self, first_us: int | None) -> None:
        from audit_tui.ui.screens.time_range import TimeRangeDialog

        context = self.context
        first_event = None if first_us is None else local_time(first_us, context.zone).date()
        dialog = TimeRangeDialog(self.view.time_range, context, first_event)
        self.app.push_screen(dialog, self._take_time_range)

    def _take_time_range(self, chosen: TimeRange | None) -> None:
        if chosen is not None and chosen != self.view.time_range:
            # Who stands on the first row has not looked further yet: the first row of another range it is.
            keep_cursor = self.table.cursor_row > 0
            self.show_view(replace(self.view, time_range=chosen), keep_cursor=keep_cursor)

    def action_undo(self) -> None:
        self._step(-1, "Nothing to undo.")

    def action_redo(self) -> None:
        self._step(1, "Nothing to redo.")

    def _step(self, by: int, nothing: str) -> None:
        view = self._history.step(by)
        if view is None:
            self.say(nothing)
        else:
            self.event_list.ask(self._worked_out(view))

    def action_narrow_list(self) -> None:
        self._body.move_split(-1)

    def action_widen_list(self) -> None:
        self._body.move_split(1)

    def action_sort_column(self) -> None:
        self._sort_by(self.table.column)

    @on(EventTable.HeaderSelected)
    def _sort_by_heading(self, message: EventTable.HeaderSelected) -> None:
        self._sort_by(message.column)

    def _sort_by(self, column: ListColumn) -> None:
        self.show_view(replace(self.view, sort=next_sort(self.view.sort, column)))

    def action_zone(self) -> None:
        utc = zone_named("UTC")
        context = self.context
        zone = self._opening.zone if context.zone == utc else utc
        wanted = ShownView.of(
            self.view, replace(context, zone=zone), is_redacted=self.event_list.latest.is_redacted
        )
        self.event_list.ask(wanted)

    def action_reload(self) -> None:
        if self.seals is not None:
            self.seals.begin_again()
        wanted = self._worked_out(self.view)
        self.event_list.ask(wanted, keep_cursor=self.table.cursor_row > 0, opens=True)

    def action_redact(self) -> None:
        mode = self._opening.redact
        if mode is None:
            self.say("Names cannot be replaced here.")
            return
        # Switched when it is known what with: the first time that asks for a key and for all users.
        self._ask_once(mode.pseudonyms_of, partial(self._switch_names, mode))

    def _switch_names(self, mode: RedactMode, names: Pseudonyms) -> None:
        mode.is_on = is_on = not self.event_list.latest.is_redacted
        change = shown_filter if is_on else real_filter
        view = replace(self.view, filter=change(self.view.filter, names))
        wanted = ShownView.of(view, self.context, is_redacted=is_on)
        self.event_list.ask(wanted, keep_cursor=self.table.cursor_row > 0, opens=True)

    # -- looking at something

    def action_seal(self) -> None:
        from audit_tui.ui.screens.seal_dialog import seal_dialog

        if self.seals is None:
            self.say("The seals are not checked here.")
        else:
            self._seal_dialog = seal_dialog(self.seals.status)
            self.app.push_screen(self._seal_dialog)

    def action_raw_json(self) -> None:
        if self.pane is not None and self.pane.event is not None:
            self._show_raw_json(self.pane.event)
        elif (row := self.table.highlighted) is not None:
            seq = row.seq
            self._ask_once(lambda reader: reader.event(seq), self._show_raw_json)

    def _show_raw_json(self, event: AuditEvent | None) -> None:
        from audit_tui.ui.screens.raw_json import raw_json_dialog

        if event is not None:
            self.app.push_screen(raw_json_dialog(event))

    def _ask_once(self, question: Callable[[EventReader], Answer], take: Callable[[Answer], None]) -> None:
        """Put one question to a reader in a thread; the answer, or a dialog with the error, comes later.

        Keys wait until then: they are meant for the dialog that the answer opens.
        """
        release = self.app.hold_keys() if isinstance(self.app, TerminalApp) else None

        def read() -> None:
            try:
                with closing(self._open_reader()) as reader:
                    answer = question(reader)
            except AuditTuiError as error:
                self.call_later(self.show_error, error)
            else:
                self.call_later(take, answer)
            finally:
                if release is not None:
                    self.call_later(release)

        self.run_worker(read, thread=True, group="ask-once", exclusive=True)

    def action_help(self) -> None:
        from audit_tui.ui.screens.help import help_dialog

        here = Where.PANE if self.pane is not None and self.pane.has_focus else Where.TABLE
        self.app.push_screen(help_dialog(here, self._keymap))

    # -- taking it out

    def action_copy(self) -> None:
        from audit_tui.ui.screens.copy_menu import CopyMenu
        from audit_tui.ui.screens.copy_source import CopySource

        table, settings = self.table, self._opening.settings
        source = CopySource(
            self.event_list.shown,
            table.taken_rows,
            table.column,
            settings.columns,
            self._opening.command_words,
            settings.mask_secrets,
        )
        row = table.highlighted
        cell = "" if row is None else cell_text(source.masked(row), table.column, source.shown.context)
        menu = CopyMenu(source, cell, self._open_reader, self.clipboard)
        self.app.push_screen(menu, self._take_copied)

    def _take_copied(self, copied: Copied | AuditTuiError | None) -> None:
        from audit_tui.ui.screens.text_dialog import told_dialog

        if isinstance(copied, AuditTuiError):
            self.show_error(copied)
        elif copied is not None:
            self.table.end_selection()
            if copied.words:
                self.say(copied.words)
            else:
                self.app.push_screen(told_dialog("Copy", copied.result.words))

    def action_export(self) -> None:
        from audit_tui.ui.screens.export_dialog import ExportDialog, Exported, working_folder

        if self._opening.exporter is None:
            self.say("What is shown here cannot be exported.")
            return
        exported = Exported(self.event_list.shown, self.event_list.count, self._opening.settings.columns)
        self.app.push_screen(ExportDialog(self._opening.exporter, exported, working_folder()))

    # -- the command line

    def action_command_line(self) -> None:
        self._open_command_line(for_time=False)

    def action_go_to_time(self) -> None:
        self._open_command_line(for_time=True)

    def _open_command_line(self, *, for_time: bool) -> None:
        from audit_tui.ui.screens.command_line import CommandLine

        dialog = CommandLine(self._keymap, self.context, self._day_of_row, for_time=for_time)
        self.app.push_screen(dialog, self._take_order)

    @property
    def _day_of_row(self) -> date:
        row, context = self.table.highlighted, self.context
        return context.today if row is None else local_time(row.occurred_us, context.zone).date()

    async def _take_order(self, order: Order | None) -> None:
        from audit_tui.ui.screens.command_line import GoToRow, GoToTime, Narrow, RunCommand, SetRange

        match order:
            case RunCommand(command=command):
                await self.app.run_action(command.action, self._place_of(command))
            case GoToRow(index=index):
                self.table.jump_to(index)
            case SetRange(time_range=time_range):
                self._take_time_range(time_range)
            case Narrow(filter=more, time_range=time_range):
                view = replace(self.view, time_range=time_range or self.view.time_range)
                self.show_view(replace(view, filter=narrowed(view.filter, more)))
            case GoToTime(occurred_us=occurred_us):
                view = self.view
                if view.sort.column is not Column.TIME:
                    view = replace(view, sort=NEWEST_FIRST)
                self.event_list.go_to_time(self._worked_out(view), occurred_us)

    def _place_of(self, command: Command) -> DOMNode:
        places: dict[Where, DOMNode] = {Where.TABLE: self.table, Where.APP: self.app}
        if self.pane is not None:
            places[Where.PANE] = self.pane
        return places.get(command.where, self)


def for_dialog(expression: Filter) -> tuple[FlatFilter, Filter]:
    """Return the rows that the Filter dialog edits, and the rest, which goes on to hold beside them.

    A filter of rows is edited whole, of others the first group of alternatives, else the single conditions.
    """
    rows = flat(expression)
    if rows is not None:
        return rows, EVERYTHING
    if not isinstance(expression, All):
        return FlatFilter(), expression
    group = next((part for part in expression.parts if isinstance(part, Any) and flat(part)), None)
    if group is not None:
        return flat(group) or FlatFilter(), _all(part for part in expression.parts if part is not group)
    single = tuple(part for part in expression.parts if isinstance(part, Condition))
    rest = _all(part for part in expression.parts if not isinstance(part, Condition))
    return FlatFilter(Match.ALL, single), rest


def _all(parts: Iterable[Filter]) -> Filter:
    parts = tuple(parts)
    return parts[0] if len(parts) == 1 else All(parts)


def narrowed(expression: Filter, more: Filter) -> Filter:
    """Return a filter with one more part that must hold; a part that it has already changes nothing."""
    parts = expression.parts if isinstance(expression, All) else (expression,)
    new = more.parts if isinstance(more, All) else (more,)
    parts += tuple(part for part in new if part not in parts)
    return parts[0] if len(parts) == 1 else All(parts)


def _collect_garbage() -> None:
    """Look for garbage from now on, but not among what the start made, which stays: that took 50 ms a time.

    It is switched off while the program starts (cli.open_).
    """
    gc.freeze()
    gc.enable()
