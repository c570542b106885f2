"""Choose the columns of the list."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from audit_tui.config import keep_columns
from audit_tui.core.view import ListedColumn
from audit_tui.errors import AuditTuiError
from audit_tui.ui.screens.review.base import ReviewBase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_tui.ui.screens.columns_dialog import ChosenColumns


class Choosing(ReviewBase):
    """The key that chooses columns."""

    def action_columns(self) -> None:
        self._ask_once(lambda reader: reader.metadata_names(), self._open_columns)

    def _open_columns(self, names: Mapping[str, int]) -> None:
        from audit_tui.ui.screens.columns_dialog import ColumnsDialog

        columns = self.view.columns or tuple(map(ListedColumn, self.fields))
        dialog = ColumnsDialog(columns, self.event_list.column_cells, names)
        self.app.push_screen(dialog, partial(self._take_columns, columns))

    def _take_columns(self, before: Sequence[ListedColumn], chosen: ChosenColumns | None) -> None:
        if chosen is None:
            return
        if chosen.columns != before:
            self.show_view(replace(self.view, columns=chosen.columns))
        if chosen.is_kept:
            try:
                path = keep_columns(chosen.columns)
            except AuditTuiError as error:
                self.show_error(error)
            else:
                self.say(f"The columns are in {path}.")
