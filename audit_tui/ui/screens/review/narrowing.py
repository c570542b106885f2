"""Narrow the list: by the Filter dialog, and by the cell under the cursor."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.filters import EVERYTHING, Condition
from audit_tui.core.narrowing import for_dialog, narrowed
from audit_tui.core.operators import IS, IS_NOT
from audit_tui.ui.screens.review.base import ReviewBase

if TYPE_CHECKING:
    from audit_tui.core.filters import Filter
    from audit_tui.core.flat_filter import FlatFilter


class Narrowing(ReviewBase):
    """The keys that narrow the list: the Filter dialog, and the cell under the cursor."""

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
