"""Narrow the list: by the Filter dialog, by the cell under the cursor, by chips, by facets."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from audit_tui.core.columns import Column
from audit_tui.core.event_fields import row_text
from audit_tui.core.filter.filters import EVERYTHING, NO_VALUE_WORDS, Condition, Not
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.flat_filter import FlatFilter
from audit_tui.ui.commands import COMMANDS
from audit_tui.ui.screens.review.base import ReviewBase
from audit_tui.ui.widgets.chips import ChipLine
from audit_tui.ui.widgets.facets.facet_lines import NamedFilters
from audit_tui.ui.widgets.facets.facet_panel import FacetPanel
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.pane.detail_lines import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.filter.filters import Filter, FilterField
    from audit_tui.core.query_line.parse import Query
    from audit_tui.core.view import View
    from audit_tui.ui.screens.menu import MenuItem
    from audit_tui.ui.widgets.pane.detail_pane import DetailPane


class Narrowing(ReviewBase):
    """The keys that narrow the list, and those that take that back."""

    def action_filter(self) -> None:
        from audit_tui.ui.screens.filter_by import FilterDialog

        if self._filter_dialog is None:
            self._filter_dialog = FilterDialog(self._open_reader)
            self.app.install_screen(self._filter_dialog, "filter-by")
        context = self.context
        others = replace(self.view, filter=EVERYTHING, is_lifted=False)
        words = others.range_words(context)
        self._filter_dialog.begin(self.view.filter, others.query(context), words, context)
        self.app.push_screen("filter-by", partial(self._take_filter, others))

    def _take_filter(self, others: View, chosen: FlatFilter | Query | None) -> None:
        if chosen is None:
            return
        if isinstance(chosen, FlatFilter):
            view = replace(others, filter=chosen.expression())
        else:
            time_range = chosen.time_range or others.time_range
            view = replace(others, filter=chosen.filter, time_range=time_range)
        if view != self.view:
            self.show_view(view)

    def narrow_by(self, more: Filter) -> None:
        view = self.view.narrowed(more)
        if view != self.view:
            self.show_view(view)

    def action_include(self) -> None:
        self._narrow_by_cell(is_negated=False)

    def action_exclude(self) -> None:
        self._narrow_by_cell(is_negated=True)

    def _narrow_by_cell(self, *, is_negated: bool) -> None:
        pane = self.pane
        if pane is not None and pane.has_focus:
            if pane.target is not None:
                self._narrow_by_value(*pane.target, is_negated=is_negated)
            return
        row, column = self.table.highlighted, self.table.column
        if row is None:
            return
        self._narrow_by_value(column, row_text(row, column), is_negated=is_negated)

    def _narrow_by_value(self, field: FilterField, value: str | None, *, is_negated: bool) -> None:
        if field is Column.TIME:
            self.say(f"{self._keymap.key_of('time-range')} chooses times.")
        else:
            self.narrow_by(Condition(field, IS_NOT if is_negated else IS, value))

    def on_detail_pane_chosen(self, message: DetailPane.Chosen) -> None:
        self._ask_what_to_do(message.target)

    @on(EventTable.CellPressed)
    def _ask_of_cell(self) -> None:
        row, column = self.table.highlighted, self.table.column
        if row is not None:
            self._ask_what_to_do(Target(column, row_text(row, column)))

    def _ask_what_to_do(self, target: Target) -> None:
        from audit_tui.ui.screens.menu import Menu, MenuItem

        acts: list[tuple[MenuItem, Callable[[], object]]] = []
        if target.field is not Column.TIME:
            for command, is_negated in (("include", False), ("exclude", True)):
                narrow = partial(self._narrow_by_value, *target, is_negated=is_negated)
                acts.append((self._item_of(command), narrow))
        if (look_around := getattr(self, "action_context", None)) is not None:
            acts.append((MenuItem("x", "Around this moment"), look_around))
        if (go_on := getattr(self, "action_pivot", None)) is not None:
            acts.append((self._item_of("pivot"), go_on))
        acts.append((MenuItem("y", "Copy"), partial(self._copy_value, target)))
        title = f"{target.field.label}: {NO_VALUE_WORDS if target.value is None else target.value}"
        self._open(Menu(title, [item for item, _ in acts]), lambda place: acts[place][1]())

    def _item_of(self, command_id: str) -> MenuItem:
        from audit_tui.ui.screens.menu import MenuItem

        command = next(command for command in COMMANDS if command.id == command_id)
        return MenuItem(next(iter(self._keymap.keys(command)), ""), command.title)

    def on_detail_pane_copied(self, message: DetailPane.Copied) -> None:
        self._copy_value(message.target)

    def _copy_value(self, target: Target) -> None:
        def copy() -> None:
            self.call_later(self.tell_copied, "the value", self.clipboard.copy(target.value or ""))

        self.run_worker(copy, thread=True, group="copy", exclusive=True)

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

    def action_go_to_list(self) -> None:
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

    def action_facets(self) -> None:
        if self.facets is None:
            self._body.open_facets()
            self.show_named_filters()
        else:
            self._body.close_facets()

    def named_filters(self) -> NamedFilters:
        return NamedFilters("", ())

    def show_named_filters(self) -> None:
        if self.facets is not None:
            self.facets.show_filters(self.named_filters())

    @on(FacetPanel.Chosen)
    def _narrow_by_facet(self, message: FacetPanel.Chosen) -> None:
        if isinstance(message.field, NamedFilters):
            wanted = dict(message.field.filters)[message.value or ""]
            self.narrow_by(Not(wanted) if message.is_negated else wanted)
            return
        operator = IS_NOT if message.is_negated else IS
        self.narrow_by(Condition(message.field, operator, message.value))

    def action_pick_field(self) -> None:
        from audit_tui.ui.screens.columns_dialog import FieldPicker

        facets = self.facets
        if facets is not None:
            self._ask_once(
                lambda reader: reader.metadata_names(),
                lambda names: self._open(FieldPicker(names), facets.add_field),
            )
