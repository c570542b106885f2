"""Move between the list, the pane and the way out."""

from __future__ import annotations

from textual import on

from audit_tui.ui.screens.review.following import Following
from audit_tui.ui.screens.review.parts.body import ReviewBody
from audit_tui.ui.screens.review.rescuing import Rescuing
from audit_tui.ui.widgets.bars import Bar
from audit_tui.ui.widgets.list.event_table import EventTable


class Moving(Following, Rescuing):
    """The keys that move between the list, the pane and the way out."""

    @on(EventTable.RowSelected)
    def action_open_event(self) -> None:
        if self.take_way_out():
            return
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
        elif self.facets is not None and (self.facets.has_focus or self.pane is None):
            self._body.close_facets()
        elif self.pane is not None:
            self._body.close_pane()
        elif not self.stop_arrivals() and not self.event_list.cancel():
            self.step_back()

    def action_quit(self) -> None:
        if self.table.is_selecting or self.pane is not None or self.facets is not None:
            self.action_back()
        else:
            self.app.exit()

    def interrupt(self) -> bool:
        from audit_tui.ui.screens.export_dialog import ExportDialog

        screen = self.app.screen
        is_export = isinstance(screen, ExportDialog) and screen.cancel()
        return is_export or self.event_list.cancel()

    def action_next_part(self) -> None:
        self.focus_next()
        if self.pane is not None and self.focused is self.pane:
            self.pane.call_after_refresh(self.pane.show_cursor)

    @on(Bar.Pressed)
    async def _press(self, message: Bar.Pressed) -> None:
        await self.run_action(message.command.replace("-", "_"))

    def action_narrow_list(self) -> None:
        self._body.move_split(-1)

    def action_widen_list(self) -> None:
        self._body.move_split(1)
