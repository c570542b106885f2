"""Do what is typed after a colon."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.query import NEWEST_FIRST
from audit_tui.ui.commands import Command, Where
from audit_tui.ui.screens.review.ranging import Ranging
from audit_tui.ui.widgets.time_strip import TimeStrip

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from audit_tui.ui.screens.command_line import Order


class Ordering(Ranging):
    """The command line, and what is done with its orders."""

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
