"""Look at the values of what is shown, and narrow by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.ui.screens.review.narrowing import Narrowing
from audit_tui.ui.widgets.facets.facet_panel import FacetPanel

if TYPE_CHECKING:
    from collections.abc import Sequence


class Faceting(Narrowing):
    """The panel of facets, and what is chosen there."""

    @on(FacetPanel.Closed)
    def action_facets(self) -> None:
        if self.facets is None:
            self._body.open_facets()
        else:
            self._body.close_facets()

    @on(FacetPanel.Chosen)
    def _narrow_by_facet(self, message: FacetPanel.Chosen) -> None:
        operator = IS_NOT if message.is_negated else IS
        self.narrow_by(Condition(message.field, operator, message.value))

    @on(FacetPanel.FieldWanted)
    def _pick_field(self) -> None:
        self._ask_once(lambda reader: reader.metadata_names(), self._open_picker)

    def _open_picker(self, names: Sequence[str]) -> None:
        from audit_tui.ui.screens.field_picker import FieldPicker

        self.app.push_screen(FieldPicker(names), self._add_facet)

    def _add_facet(self, path: str | None) -> None:
        if path is not None and self.facets is not None:
            self.facets.add_field(path)
