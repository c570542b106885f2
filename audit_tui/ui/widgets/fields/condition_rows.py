"""The rows of the Filter dialog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message

from audit_tui.core.columns import NAME_COLUMNS
from audit_tui.core.flat_filter import Draft
from audit_tui.core.operators import IS, NAME_OPERATORS, Operator
from audit_tui.core.text import clean
from audit_tui.ui.widgets.fields.button import Button
from audit_tui.ui.widgets.fields.dropdown import Alternative, Dropdown
from audit_tui.ui.widgets.fields.value_input import ValueInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.widget import Widget

    from audit_tui.core.filters import FilterField
    from audit_tui.ui.lane import Lane
    from audit_tui.ui.widgets.fields.popup_list import PopupList

FIELDS: tuple[FilterField, ...] = NAME_COLUMNS
_NO_COLUMN = Alternative("Column", "Column")


class ConditionRow(Horizontal):
    """Column, operator, value, and the cross that removes it.

    Args:
        popup: The list that all fields share.
        values: Where the value field asks for candidates.
        draft: What it shows at first.
    """

    @dataclass
    class Edited(Message):
        """The user changed something in the row."""

    def __init__(self, popup: PopupList, values: Lane, draft: Draft) -> None:
        super().__init__()
        self._fields = FIELDS
        self._operators: tuple[Operator, ...] = NAME_OPERATORS
        self._column = Dropdown(_columns(FIELDS), popup, prompt=_NO_COLUMN, classes="column")
        self._operator = Dropdown(_words(NAME_OPERATORS), popup, classes="operator")
        self.value = ValueInput(popup, values)
        self._draft = draft
        self._is_ready = False

    def compose(self) -> ComposeResult:
        """The four fields, as they stand from the first frame on."""
        self._is_ready = True
        self.show(self._draft)
        yield self._column
        yield self._operator
        yield self.value
        yield Button("✕", classes="remove")

    def show(self, draft: Draft) -> None:
        """Show another row."""
        self._draft = draft
        if not self._is_ready:
            return
        self._offer(draft)
        self._column.index = None if draft.field is None else self._fields.index(draft.field)
        self._operator.index = self._operators.index(draft.operator)
        self._column.is_wrong = self._operator.is_wrong = False
        self.value.show(draft)

    @property
    def draft(self) -> Draft:
        """Return what the row says now."""
        if not self._is_ready:
            return self._draft
        column, operator = self._column.index, self._operator.index
        row = Draft(
            None if column is None else self._fields[column],
            IS if operator is None else self._operators[operator],
        )
        return self.value.draft(row)

    def mark(self) -> Widget | None:
        """Mark what is missing; the first field of it, or None when there is nothing to ask for."""
        draft = self.draft
        if draft.is_untouched:
            self._column.is_wrong = self.value.is_wrong = False
            return None
        self._column.is_wrong = draft.field is None
        self.value.is_wrong = not draft.has_value
        if draft.field is None:
            return self._column
        return None if draft.has_value else self.value

    def field_like(self, widget: Widget | None) -> Widget:
        """The field that stands under or above this one of another row; the value for any other."""
        for kind in (".column", ".operator", ".remove"):
            if widget is not None and widget in widget.screen.query(f"ConditionRow > {kind}"):
                return self.query_one(kind)
        return self.value

    def _offer(self, draft: Draft) -> None:
        """Offer what every row can have, and what this one has from a command line besides."""
        is_usual = draft.field is None or draft.field in FIELDS
        self._fields = FIELDS if is_usual or draft.field is None else (*FIELDS, draft.field)
        self._operators = (
            NAME_OPERATORS if draft.operator in NAME_OPERATORS else (*NAME_OPERATORS, draft.operator)
        )
        self._column.offer(_columns(self._fields))
        self._operator.offer(_words(self._operators))

    @on(Dropdown.Changed)
    def _tell_of_choice(self, event: Dropdown.Changed) -> None:
        event.stop()
        self.value.look_in(self.draft.field)
        self.post_message(self.Edited())

    @on(ValueInput.Edited)
    def _tell_of_value(self, event: ValueInput.Edited) -> None:
        event.stop()
        if event.picked_field is not None:
            self._column.index = self._fields.index(event.picked_field)
            self._column.is_wrong = False
        self.post_message(self.Edited())

    @on(ValueInput.Unclear)
    def _ask_for_column(self, event: ValueInput.Unclear) -> None:
        event.stop()
        self._column.is_wrong = True

    @on(ValueInput.Changed)
    def _keep(self, event: ValueInput.Changed) -> None:
        event.stop()


def _columns(fields: Sequence[FilterField]) -> tuple[Alternative, ...]:
    labels = (clean(field.label) for field in fields)
    return tuple(Alternative(label, label if len(label) < 10 else f"{label[:8]}…") for label in labels)


def _words(operators: Sequence[Operator]) -> tuple[Alternative, ...]:
    return tuple(Alternative(operator.label, operator.symbol) for operator in operators)


class ConditionRows(VerticalScroll, can_focus=False, inherit_bindings=False):
    """All rows, at least one. Rows that are not needed stay mounted and hidden, to be used again.

    The bindings of a scrolling container are left out: up and down go from row to row.

    Args:
        popup: The list that all fields share.
        values: Where value fields ask for candidates.
    """

    def __init__(self, popup: PopupList, values: Lane) -> None:
        super().__init__()
        self._popup = popup
        self._values = values
        self._rows: list[ConditionRow] = []
        self._used = 0

    @property
    def rows(self) -> Sequence[ConditionRow]:
        """The rows in use."""
        return self._rows[: self._used]

    @property
    def drafts(self) -> list[Draft]:
        """Return what the rows say."""
        return [row.draft for row in self.rows]

    def show(self, drafts: Sequence[Draft]) -> None:
        """Show these rows, or an empty one when there are none."""
        wanted = list(drafts) or [Draft()]
        self._popup.close()
        for row, draft in zip(self._rows, wanted, strict=False):
            row.show(draft)
        for index, row in enumerate(self._rows):
            if row.display != (is_used := index < len(wanted)):
                row.display = is_used
        new = [ConditionRow(self._popup, self._values, draft) for draft in wanted[len(self._rows) :]]
        self._rows += new
        self._used = len(wanted)
        if new and self.is_attached:
            self.mount_all(new)

    def compose(self) -> ComposeResult:
        """The rows that were asked for before there was a screen."""
        yield from self._rows

    def add(self) -> None:
        """Add an empty row and go to it."""
        self.show([*self.drafts, Draft()])
        self.call_after_refresh(self.rows[-1].value.focus)

    def remove_row(self, row: ConditionRow) -> None:
        """Remove a row; the focus goes to the value of the one that moves up, or of the last."""
        index = self._rows.index(row)
        drafts = self.drafts
        del drafts[index]
        self.show(drafts)
        self.rows[min(index, len(self.rows) - 1)].value.focus()

    def focused_row(self) -> ConditionRow | None:
        """The row with the focus."""
        focused = self.screen.focused
        return next((row for row in self.rows if focused in row.children), None)

    def mark_incomplete(self) -> bool:
        """Mark what is missing and go to the first of it; whether anything is.

        A row that says nothing is as good as none.
        """
        missing = [field for row in self.rows if (field := row.mark()) is not None]
        if missing:
            missing[0].focus()
        return bool(missing)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Close the list, which hangs from a row that moves away."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._popup.close()
