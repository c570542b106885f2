"""The rows of the Filter dialog."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Static

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, MetaField
from audit_tui.core.flat_filter import Draft, Form, RowOperator, row_operators
from audit_tui.core.query_line.complete import NO_NAMES
from audit_tui.core.text import clean
from audit_tui.ui.widgets.fields.button import Button
from audit_tui.ui.widgets.fields.dropdown import Alternative, Dropdown
from audit_tui.ui.widgets.fields.value_input import ValueInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget

    from audit_tui.core.filter.filters import FilterField
    from audit_tui.ui.widgets.fields.candidates import CandidateSource
    from audit_tui.ui.widgets.fields.popup_list import PopupList

FIELDS: tuple[FilterField, ...] = (
    *(Column.EVENT, Column.CATEGORY, Column.USER, Column.OUTCOME, Column.SEVERITY),
    *(Column.SOURCE_IP, Column.TARGET, Column.SOURCE, Column.DESCRIPTION, ANY_TEXT),
)
"""The columns that every row offers; behind them, the fields of the store's metadata."""
_NO_COLUMN = Alternative("Column", "Column")


class Opener(Static):
    """The mark at the end of a value that opens the list with the mouse."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__("▾ ", classes="opener", markup=False)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if isinstance(self.parent, ConditionRow):
            self.parent.value.open_list()


class ConditionRow(Horizontal):
    """Column, operator, value, and the cross that removes it."""

    @dataclass
    class Edited(Message):
        """The user changed something in the row."""

    def __init__(
        self, popup: PopupList, values: CandidateSource, draft: Draft, names: Mapping[str, int] = NO_NAMES
    ) -> None:
        super().__init__()
        self._names = names
        self._fields: tuple[FilterField, ...] = FIELDS
        self._operators = row_operators(None)
        self._column = Dropdown(_columns(FIELDS), popup, prompt=_NO_COLUMN, searches=True, classes="column")
        self._operator = Dropdown(_words(self._operators), popup, classes="operator")
        self.value = ValueInput(popup, values)
        self._opener = Opener()
        self._draft = draft
        self._is_ready = False

    def compose(self) -> ComposeResult:
        self._is_ready = True
        self.show(self._draft)
        yield self._column
        yield self._operator
        yield self.value
        yield self._opener
        yield Button("✕", classes="remove")

    def show(self, draft: Draft) -> None:
        self._draft = draft
        if not self._is_ready:
            return
        self.value.show(draft)
        self._offer(draft)
        self._column.is_wrong = self._operator.is_wrong = False

    def offer_names(self, names: Mapping[str, int]) -> None:
        self._names = names
        if self._is_ready:
            self._offer(self.draft)

    @property
    def draft(self) -> Draft:
        return self.value.draft(self._head) if self._is_ready else self._draft

    @property
    def _head(self) -> Draft:
        column, operator = self._column.index, self._operators[self._operator.index or 0]
        field = None if column is None else self._fields[column]
        return Draft(field, operator.operator, form=operator.form)

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
        for kind in (".column", ".operator", ".remove"):
            if widget is not None and widget in widget.screen.query(f"ConditionRow > {kind}"):
                return self.query_one(kind)
        return self.value

    def _offer(self, draft: Draft) -> None:
        fields: list[FilterField] = [*FIELDS, *map(MetaField, self._names)]
        if draft.field is not None and draft.field not in fields:
            fields.append(draft.field)
        operators, place = row_operators(draft.field), _place_of(row_operators(draft.field), draft)
        if place is None:
            operator = draft.operator
            place = len(operators)
            operators += (RowOperator(operator, draft.form, operator.label, operator.symbol),)
        self._fields, self._operators = tuple(fields), operators
        self._column.offer(_columns(fields, self._names))
        self._operator.offer(_words(operators))
        self._column.index = None if draft.field is None else fields.index(draft.field)
        self._operator.index = place
        self._opener.visible = self.value.has_list

    @on(Dropdown.Changed)
    def _tell_of_choice(self, event: Dropdown.Changed) -> None:
        event.stop()
        draft = self.draft
        if event.dropdown is self._column and _place_of(row_operators(draft.field), draft) is None:
            # The other column has no such operator: the first one that takes out, or leaves in, as this does.
            others = row_operators(draft.field)
            wanted = draft.operator.is_negated
            other = next((each for each in others if each.operator.is_negated is wanted), others[0])
            draft = replace(draft, operator=other.operator, form=other.form)
        self.value.fit(draft)
        self._offer(draft)
        if draft.form is Form.EMPTY and event.dropdown is self._operator:
            self._operator.focus()
        self.post_message(self.Edited())

    @on(ValueInput.Edited)
    def _tell_of_value(self, event: ValueInput.Edited) -> None:
        event.stop()
        if event.picked_field is not None:
            self._offer(replace(self.draft, field=event.picked_field))
            self._column.is_wrong = False
        self.post_message(self.Edited())

    @on(ValueInput.Unclear)
    def _ask_for_column(self, event: ValueInput.Unclear) -> None:
        event.stop()
        self._column.is_wrong = True

    @on(ValueInput.Changed)
    def _keep(self, event: ValueInput.Changed) -> None:
        event.stop()


def _place_of(operators: Sequence[RowOperator], draft: Draft) -> int | None:
    """Return the place of a row's operator among those on offer; None if it is not there."""
    wanted = (draft.operator, draft.form)
    return next((n for n, each in enumerate(operators) if (each.operator, each.form) == wanted), None)


def _columns(fields: Sequence[FilterField], names: Mapping[str, int] = NO_NAMES) -> tuple[Alternative, ...]:
    return tuple(_column(field, names) for field in fields)


def _column(field: FilterField, names: Mapping[str, int]) -> Alternative:
    label = clean(field.label)
    if isinstance(field, MetaField):
        # Its end tells it from others.
        return Alternative(label, label.rpartition(".")[2] or label, names.get(field.path, 0))
    return Alternative(label, label if len(label) < 10 else f"{label[:8]}…")


def _words(operators: Sequence[RowOperator]) -> tuple[Alternative, ...]:
    return tuple(Alternative(operator.label, operator.short) for operator in operators)


class ConditionRows(VerticalScroll, can_focus=False, inherit_bindings=False):
    """All rows, at least one. Rows that are not needed stay mounted and hidden, to be used again.

    The bindings of a scrolling container are left out: up and down go from row to row.
    """

    def __init__(self, popup: PopupList, values: CandidateSource) -> None:
        super().__init__()
        self._popup = popup
        self._values = values
        self._names: Mapping[str, int] = NO_NAMES
        self._rows: list[ConditionRow] = []
        self._used = 0

    @property
    def rows(self) -> Sequence[ConditionRow]:
        return self._rows[: self._used]

    @property
    def drafts(self) -> list[Draft]:
        return [row.draft for row in self.rows]

    def show(self, drafts: Sequence[Draft], *, keeps_list: bool = False) -> None:
        wanted = list(drafts) or [Draft()]
        if not keeps_list:
            self._popup.close()
        for row, draft in zip(self._rows, wanted, strict=False):
            row.show(draft)
        for index, row in enumerate(self._rows):
            if row.display != (is_used := index < len(wanted)):
                row.display = is_used
        new = [
            ConditionRow(self._popup, self._values, draft, self._names) for draft in wanted[len(self._rows) :]
        ]
        self._rows += new
        self._used = len(wanted)
        if new and self.is_attached:
            self.mount_all(new)

    def compose(self) -> ComposeResult:
        yield from self._rows

    def offer_names(self, names: Mapping[str, int]) -> None:
        self._names = names
        for row in self._rows:
            row.offer_names(names)

    def add(self) -> None:
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
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._popup.close()
