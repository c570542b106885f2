"""Narrow the list: by the Filter dialog, by the cell under the cursor, by chips."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from audit_tui.core.columns import Column
from audit_tui.core.filters import EVERYTHING, Condition
from audit_tui.core.flat_filter import FlatFilter, flat
from audit_tui.core.operators import IS, IS_NOT
from audit_tui.core.view import chipped
from audit_tui.ui.screens.review.base import ReviewBase
from audit_tui.ui.widgets.chips import ChipLine

if TYPE_CHECKING:
    from audit_tui.core.filters import Filter
    from audit_tui.core.view import View


class Narrowing(ReviewBase):
    """The keys that narrow the list, and those that take that back."""

    def action_filter(self) -> None:
        from audit_tui.ui.screens.filter_by import FilterDialog

        if self._filter_dialog is None:
            self._filter_dialog = FilterDialog(self._open_reader)
            self.app.install_screen(self._filter_dialog, "filter-by")
        view, rows = self.view, flat(self.view.filter)
        if rows is None:
            view, rows = chipped(view), FlatFilter()
        others = replace(view, filter=EVERYTHING, is_lifted=False)
        self._filter_dialog.begin(rows, others.query(self.context))
        self.app.push_screen("filter-by", partial(self._take_filter, others))

    def _take_filter(self, others: View, chosen: FlatFilter | None) -> None:
        if chosen is not None:
            view = replace(others, filter=chosen.expression())
            if view != self.view:
                self.show_view(view)

    def narrow_by(self, more: Filter) -> None:
        """Show only events that match this too: each part of it becomes a chip."""
        view = self.view.narrowed(more)
        if view != self.view:
            self.show_view(view)

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
        self.narrow_by(Condition(column, IS_NOT if is_negated else IS, row.text(column)))

    def action_clear_filter(self) -> None:
        if self.view != self.view.without_filters():
            self.show_view(self.view.without_filters())

    def action_lift_filters(self) -> None:
        view = self.view
        if view.filter == EVERYTHING and not view.chips:
            self.say("There is no filter to lift.")
        else:
            self.show_view(replace(view, is_lifted=not view.is_lifted))

    # -- chips

    def action_chips(self) -> None:
        if self.view.chips:
            self._chips.focus()
        else:
            self.say(f"There are no chips: {self._keymap.key_of('include')} on a value makes one.")

    @on(ChipLine.Left)
    def _leave_chips(self) -> None:
        self.table.focus()

    @on(ChipLine.Switched)
    def _switch_chip(self, message: ChipLine.Switched) -> None:
        if message.index < len(self.view.chips):
            self.show_view(self.view.with_chip_switched(message.index))

    @on(ChipLine.Dropped)
    def _drop_chip(self, message: ChipLine.Dropped) -> None:
        if message.index < len(self.view.chips):
            self.show_view(self.view.without_chip(message.index))

    def action_drop_last(self) -> None:
        if self.view.chips:
            self.show_view(self.view.without_chip(-1))
        else:
            self.say("There is no chip to drop.")
