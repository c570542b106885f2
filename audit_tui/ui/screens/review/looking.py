"""Look closer: seals, the raw JSON of an event, the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.ui.commands import Where
from audit_tui.ui.screens.review.base import ReviewBase

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent


class Looking(ReviewBase):
    """The keys that show more: seals, raw JSON, help."""

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

    def action_help(self) -> None:
        from audit_tui.ui.screens.help import help_dialog

        here = Where.PANE if self.pane is not None and self.pane.has_focus else Where.TABLE
        if self.facets is not None and self.facets.has_focus:
            here = Where.FACETS
        self.app.push_screen(help_dialog(here, self._keymap))
