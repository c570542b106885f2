"""Change the view in other ways: back and forth, order, columns, fresh rows, pseudonyms, the command line."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from audit_tui.config import keep_columns
from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import MetaField
from audit_tui.core.privacy.redact_mode import real_filter, shown_filter
from audit_tui.core.query import NEWEST_FIRST
from audit_tui.core.text import thousands
from audit_tui.core.view import ListedColumn, next_sort
from audit_tui.errors import AuditTuiError, QueryTooLong
from audit_tui.ui.commands import Command, Where
from audit_tui.ui.history import ShownView
from audit_tui.ui.screens.review.ranging import Ranging
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.time_strip import TimeStrip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.dom import DOMNode

    from audit_tui.core.event_fields import ListField
    from audit_tui.core.privacy.pseudonyms import Pseudonyms
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.view import View
    from audit_tui.ui.screens.columns_dialog import ChosenColumns
    from audit_tui.ui.screens.command_line import Order

MOST_SORTED_EVENTS = 1_000_000
"""Up to this many events are sorted by their metadata without a word: 20 seconds."""
SORTED_EVENT_S = 20e-6


class Changing(Ranging):
    """The keys that go back and forth, order, read again and replace names."""

    def action_undo(self) -> None:
        self.say("" if self.step_back() else "Nothing to undo.")

    def action_redo(self) -> None:
        self.say("" if self.step_back(-1) else "Nothing to redo.")

    def action_sort_column(self) -> None:
        self._sort_by(self.table.column)

    @on(EventTable.HeaderSelected)
    def _sort_by_heading(self, message: EventTable.HeaderSelected) -> None:
        self._sort_by(message.column)

    def _sort_by(self, column: ListField) -> None:
        view = replace(self.view, sort=next_sort(self.view.sort, column))
        events = self.event_list.count.value
        if isinstance(view.sort.column, MetaField) and events > MOST_SORTED_EVENTS:
            seconds = round(events * SORTED_EVENT_S, -1)
            told = QueryTooLong(
                f"All {thousands(events)} events' metadata must be read to sort by them:"
                f" about {seconds:.0f} seconds, and again for each page.",
                "Narrow the list first.",
            )
            self.show_error(told, partial(self._sort_patiently, view), "Sort all the same")
            return
        self.show_view(view)

    def _sort_patiently(self, view: View) -> None:
        self._history.note_asked()
        self.event_list.ask(self._worked_out(view), is_patient=True)

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
        view = self.view.with_filters(partial(change, names=names))
        wanted = ShownView.of(view, self.context, is_redacted=is_on)
        self.event_list.ask(wanted, keep_cursor=self.table.cursor_row > 0, opens=True)

    def action_columns(self) -> None:
        self._ask_once(lambda reader: reader.metadata_names(), self._open_columns)

    def _open_columns(self, names: Mapping[str, int]) -> None:
        from audit_tui.ui.screens.columns_dialog import ColumnsDialog

        columns = self.view.columns or tuple(map(ListedColumn, self.fields))
        dialog = ColumnsDialog(columns, self.event_list.column_cells, names)
        self._open(dialog, partial(self._take_columns, columns))

    def _take_columns(self, before: Sequence[ListedColumn], chosen: ChosenColumns) -> None:
        if chosen.columns != before:
            self.show_view(replace(self.view, columns=chosen.columns))
        if chosen.is_kept:
            try:
                path = keep_columns(chosen.columns)
            except AuditTuiError as error:
                self.show_error(error)
            else:
                self.say(f"The columns are in {path}.")

    def action_command_line(self) -> None:
        self._open_command_line(for_time=False)

    def action_go_to_time(self) -> None:
        self._open_command_line(for_time=True)

    def _open_command_line(self, *, for_time: bool) -> None:
        from audit_tui.ui.screens.command_line import CommandLine

        dialog = CommandLine(self._keymap, self.context, self._day_of_row, for_time=for_time)
        self.app.push_screen(dialog, self._take_order)

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
                self.show_view(view.narrowed(more))
            case GoToTime(occurred_us=occurred_us):
                view = self.view
                if view.sort.column is not Column.TIME:
                    view = replace(view, sort=NEWEST_FIRST)
                self.event_list.go_to_time(self._worked_out(view), occurred_us)

    def _place_of(self, command: Command) -> DOMNode:
        places: dict[Where, DOMNode] = {
            Where.TABLE: self.table,
            Where.APP: self.app,
            Where.CHIPS: self._chips,
        }
        if self.pane is not None:
            places[Where.PANE] = self.pane
        if self.facets is not None:
            places[Where.FACETS] = self.facets
        for strip in self.query(TimeStrip):
            places[Where.STRIP] = strip
        return places.get(command.where, self)
