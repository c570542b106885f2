"""Look at the values of what is shown, and narrow by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from audit_tui.core.filter.filters import Condition, Not
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.ui.screens.review.narrowing import Narrowing
from audit_tui.ui.widgets.facets.facet_lines import NamedFilters
from audit_tui.ui.widgets.facets.facet_panel import FacetPanel

if TYPE_CHECKING:
    from collections.abc import Mapping


class Faceting(Narrowing):
    """The panel of facets, and what is chosen there."""

    @on(FacetPanel.Closed)
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

    @on(FacetPanel.FieldWanted)
    def _pick_field(self) -> None:
        self._ask_once(lambda reader: reader.metadata_names(), self._open_picker)

    def _open_picker(self, names: Mapping[str, int]) -> None:
        from audit_tui.ui.screens.field_picker import FieldPicker

        self.app.push_screen(FieldPicker(names), self._add_facet)

    def _add_facet(self, path: str | None) -> None:
        if path is not None and self.facets is not None:
            self.facets.add_field(path)
