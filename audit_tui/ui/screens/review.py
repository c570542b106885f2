"""The review screen: what it shows, with what the keys and the mouse do there."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on

from audit_tui.core.columns import Column, ListColumn
from audit_tui.core.event_text import cell_text
from audit_tui.core.filters import with_users
from audit_tui.core.flat_filter import FlatFilter, flat
from audit_tui.core.query import NEWEST_FIRST
from audit_tui.core.time.zones import local_time, zone_named
from audit_tui.core.view import next_sort, sort_words
from audit_tui.errors import AuditTuiError
from audit_tui.ui.commands import Command, Where
from audit_tui.ui.keymap import Keymap, bindings
from audit_tui.ui.screens.review_view import ReviewView
from audit_tui.ui.terminal.terminal_app import TerminalApp
from audit_tui.ui.widgets.bars import TopLine
from audit_tui.ui.widgets.list.event_table import EventTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from textual.binding import BindingType
    from textual.dom import DOMNode

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.privacy.pseudonyms import Pseudonyms
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.query import EventReader
    from audit_tui.core.time.dates import TimeRange
    from audit_tui.ui.first_page import Opening
    from audit_tui.ui.lane import Lane
    from audit_tui.ui.screens.command_line import Order
    from audit_tui.ui.screens.copying import CopyForm, CopySource
    from audit_tui.ui.screens.export_dialog import ExportDialog
    from audit_tui.ui.screens.filter_by import FilterDialog
    from audit_tui.ui.terminal.clipboard import Clipboard, CopyResult

Answer = TypeVar("Answer")


class ReviewScreen(ReviewView):
    """Shows who did what and when, and does what is asked of it.

    Args:
        opening: What the review begins with.
        keymap: The keys to name on the screen.
        clipboard: Where copies go.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.SCREEN)]

    def __init__(self, opening: Opening, keymap: Keymap, clipboard: Clipboard) -> None:
        super().__init__(opening, keymap)
        self.clipboard = clipboard
        self._export_dialog: ExportDialog | None = None
        self._filter_dialog: FilterDialog | None = None
        self._filter_lanes: tuple[Lane, ...] = ()

    @on(EventTable.RowSelected)
    def action_open_event(self) -> None:
        if self.pane is not None:
            self.close_pane()
            return
        row = self.table.highlighted
        if row is not None:
            self.open_pane(row.seq)

    def action_back(self) -> None:
        if self.table.is_selecting:
            self.table.end_selection()
        else:
            self.close_pane()

    def action_quit(self) -> None:
        if self.table.is_selecting or self.pane is not None:
            self.action_back()
        else:
            self.app.exit()

    @on(TopLine.ButtonPressed)
    async def _press_button(self, message: TopLine.ButtonPressed) -> None:
        await self.run_action(message.command.replace("-", "_"))

    def action_filter(self) -> None:
        from audit_tui.ui.lane import Lane
        from audit_tui.ui.screens.filter_by import FilterDialog

        if self._filter_dialog is None:
            values, counts = self._filter_lanes = Lane(self._open_reader), Lane(self._open_reader)
            self._filter_dialog = FilterDialog(values, counts)
            self.app.install_screen(self._filter_dialog, "filter-by")
        self._filter_dialog.begin(flat(self._view.filter) or FlatFilter(), self._view.query(self.context))
        self.app.push_screen("filter-by", self._take_filter)

    def _take_filter(self, chosen: FlatFilter | None) -> None:
        if chosen is not None and chosen.expression() != self._view.filter:
            self.show_view(replace(self._view, filter=chosen.expression()))

    def on_unmount(self) -> None:
        for lane in self._filter_lanes:
            lane.close()
        if self.seals is not None:
            self.seals.close()

    def action_clear_filter(self) -> None:
        self._take_filter(FlatFilter())

    def action_time_range(self) -> None:
        # The first event's day is the beginning of All Time.
        self._ask_once(lambda reader: reader.info().first_us, self._open_time_range)

    def _open_time_range(self, first_us: int | None) -> None:
        from audit_tui.ui.screens.time_range import TimeRangeDialog

        first_event = None if first_us is None else local_time(first_us, self._zone).date()
        dialog = TimeRangeDialog(self._view.time_range, self.context, first_event)
        self.app.push_screen(dialog, self._take_time_range)

    def _take_time_range(self, chosen: TimeRange | None) -> None:
        if chosen is not None and chosen != self._view.time_range:
            self.show_view(replace(self._view, time_range=chosen))

    def action_next_part(self) -> None:
        self.focus_next()

    def action_sort_column(self) -> None:
        self._sort_by(self.table.column)

    @on(EventTable.HeaderSelected)
    def _sort_by_heading(self, message: EventTable.HeaderSelected) -> None:
        self._sort_by(message.column)

    def _sort_by(self, column: ListColumn) -> None:
        self.show_view(replace(self._view, sort=next_sort(self._view.sort, column)))

    def action_zone(self) -> None:
        utc = zone_named("UTC")
        self._zone = self._own_zone if self._zone == utc else utc
        self.event_list.set_zone(self._zone)
        if self._pane is not None:
            self._pane.set_zone(self._zone)
        self.show_view(self._view)

    def action_reload(self) -> None:
        at_top = self.table.cursor_row == 0
        self.event_list.renew()
        for lane in self._filter_lanes:
            lane.renew()
        if self.pane is not None:
            self.pane.renew()
        self.event_list.ask(self._view.query(self.context), keep_cursor=not at_top)

    def action_redact(self) -> None:
        mode = self._opening.redact
        if mode is None:
            self.say("Names cannot be replaced here.")
            return
        # Switched when it is known what with: the first time that asks for a key and for all users.
        self._ask_once(mode.pseudonyms_of, partial(self._switch_names, mode))

    def _switch_names(self, mode: RedactMode, names: Pseudonyms) -> None:
        is_on = mode.toggle()
        self._view = replace(
            self._view, filter=with_users(self._view.filter, names.user if is_on else names.real)
        )
        self._say_view()
        self.action_reload()

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

    # -- taking it out

    def action_copy(self) -> None:
        from audit_tui.ui.screens.copy_menu import CopyMenu
        from audit_tui.ui.screens.copying import CopySource

        table = self.table
        source = CopySource(
            self.event_list.query_in_force,
            table.taken_rows,
            table.column,
            self._keys_of_columns(),
            self.context,
            self._view,
            self._opening.command_words,
            self._opening.settings.mask_secrets,
        )
        row = table.highlighted
        cell = "" if row is None else cell_text(source.shown(row), table.column, self.context)
        self.app.push_screen(CopyMenu(source, cell), partial(self._copy, source))

    def _copy(self, source: CopySource, form: CopyForm | None) -> None:
        if form is not None:
            self.run_worker(partial(self._copy_text, source, form), thread=True, group="copy", exclusive=True)

    def _copy_text(self, source: CopySource, form: CopyForm) -> None:
        """In a thread: reads the events and hands the text on."""
        reader = self._open_reader()
        try:
            text = source.text(form, reader)
        except AuditTuiError as error:
            self.app.call_from_thread(self.show_error, error)
            return
        finally:
            reader.close()
        result = self.clipboard.copy(text)
        self.app.call_from_thread(self._say_copied, source.what(form), result)

    def _say_copied(self, what: str, result: CopyResult) -> None:
        from audit_tui.ui.screens.copying import where_it_went
        from audit_tui.ui.screens.text_dialog import told_dialog

        self.table.end_selection()
        if words := where_it_went(what, result):
            self.say(words)
        else:
            self.app.push_screen(told_dialog("Copy", result.words))

    def _keys_of_columns(self) -> tuple[ListColumn, ...]:
        return self._opening.settings.columns

    def action_export(self) -> None:
        from audit_tui.ui.screens.export_dialog import ExportDialog, Shown, working_folder

        if self._opening.exporter is None:
            self.say("What is shown here cannot be exported.")
            return
        shown = Shown(
            self.event_list.query_in_force,
            self.event_list.count,
            self._keys_of_columns(),
            sort_words(self.event_list.query_in_force.sort),
            self.context,
        )
        self._export_dialog = ExportDialog(self._opening.exporter, shown, working_folder())
        self.app.push_screen(self._export_dialog)

    def interrupt(self) -> bool:
        is_export = self._export_dialog is not None and self._export_dialog.cancel()
        return is_export or super().interrupt()

    def action_help(self) -> None:
        from audit_tui.ui.screens.help import help_dialog

        here = Where.PANE if self.pane is not None and self.pane.has_focus else Where.TABLE
        self.app.push_screen(help_dialog(here, self._keymap))

    def action_command_line(self) -> None:
        from audit_tui.ui.screens.command_line import CommandLine

        self.app.push_screen(CommandLine(self._keymap, self.context, self._day_of_row), self._take_order)

    def action_go_to_time(self) -> None:
        from audit_tui.ui.screens.command_line import CommandLine

        dialog = CommandLine(self._keymap, self.context, self._day_of_row, for_time=True)
        self.app.push_screen(dialog, self._take_order)

    @property
    def _day_of_row(self) -> date:
        row = self.table.highlighted
        return self.context.today if row is None else local_time(row.occurred_us, self._zone).date()

    async def _take_order(self, order: Order | None) -> None:
        from audit_tui.ui.screens.command_line import GoToRow, GoToTime, RunCommand

        match order:
            case RunCommand(command=command):
                await self.app.run_action(command.action, self._place_of(command))
            case GoToRow(index=index):
                self.table.move_cursor(index)
            case GoToTime(occurred_us=occurred_us):
                if self._view.sort.column is not Column.TIME:
                    self._view = replace(self._view, sort=NEWEST_FIRST)
                    self._say_view()
                self.event_list.go_to_time(self._view.query(self.context), occurred_us)

    def _place_of(self, command: Command) -> DOMNode:
        places: dict[Where, DOMNode] = {Where.TABLE: self.table, Where.APP: self.app}
        if self._pane is not None:
            places[Where.PANE] = self._pane
        return places.get(command.where, self)
