"""Take events out: copies and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event_text import cell_text
from audit_tui.errors import AuditTuiError
from audit_tui.ui.screens.review.base import ReviewBase

if TYPE_CHECKING:
    from audit_tui.ui.screens.copy_menu import Copied


class TakingOut(ReviewBase):
    """The keys that copy and export."""

    def action_copy(self) -> None:
        from audit_tui.ui.screens.copy_menu import CopyMenu
        from audit_tui.ui.screens.copy_source import CopySource

        table, settings = self.table, self._opening.settings
        source = CopySource(
            self.event_list.shown,
            table.taken_rows,
            table.column,
            self.fields,
            self._opening.command_words,
            settings.mask_secrets,
            self._opening.names,
            self._opening.store_id,
            self.left.event,
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
        exported = Exported(self.event_list.shown, self.event_list.count, self.fields)
        self.app.push_screen(ExportDialog(self._opening.exporter, exported, working_folder()))
