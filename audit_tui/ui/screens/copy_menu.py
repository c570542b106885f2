"""The menu that asks as what to copy: one key each, or arrows and Enter, or a click."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from audit_tui.core.text import clean, counted
from audit_tui.errors import UsageError
from audit_tui.ui.screens.copying import CopyForm
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.button import Button

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from audit_tui.ui.screens.copying import CopySource

_TITLES = {
    CopyForm.CELL: "Cell",
    CopyForm.ROW: "Row",
    CopyForm.JSON: "JSON",
    CopyForm.MARKDOWN: "Markdown",
    CopyForm.COMMAND: "Command",
}
_TITLE_CELLS = 11
_MAX_CHARS = 400
"""No terminal is wider."""


class CopyMenu(Dialog[CopyForm | None]):
    """Asks as what to copy; gives back the form, or None when it was cancelled.

    Args:
        source: What would be copied.
        cell: The text under the cursor; from data.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel", show=False),
        Binding("up,k", "app.focus_previous", "Up", show=False),
        Binding("down", "app.focus_next", "Down", show=False),
        *(Binding(form.value, f"take({form.name!r})", _TITLES[form], show=False) for form in CopyForm),
    ]

    def __init__(self, source: CopySource, cell: str) -> None:
        super().__init__()
        self._source = source
        self._forms = [form for form in CopyForm if source.rows or form is CopyForm.COMMAND]
        self._cell = cell

    def compose(self) -> ComposeResult:
        count = len(self._source.rows)
        with Vertical(id="box") as box:
            box.border_title = f"Copy {counted(count, 'event')}" if count > 1 else "Copy"
            box.border_subtitle = "⏎ copy   Esc cancel"
            for form in self._forms:
                head = Content.assemble((form.value, "bold"), f"  {_TITLES[form]:<{_TITLE_CELLS}}")
                words = clean(self._words(form)[:_MAX_CHARS])
                yield Button(head + Content(words), id=form.name.lower())

    def _words(self, form: CopyForm) -> str:
        several = len(self._source.rows) > 1
        column = self._source.column.label
        match form:
            case CopyForm.CELL:
                return f"{column} of each, one a line" if several else f"{column}: {self._cell}"
            case CopyForm.ROW:
                return "the columns of the list, between tabs"
            case CopyForm.JSON:
                return "all that is known, one event a line" if several else "all that is known, on one line"
            case CopyForm.MARKDOWN:
                return "a table of the columns of the list"
            case CopyForm.COMMAND:
                try:
                    return self._source.command()
                except UsageError as error:
                    return error.message

    @on(Button.Pressed)
    def _take_pressed(self, message: Button.Pressed) -> None:
        self.action_take((message.button.id or "").upper())

    def action_take(self, name: str) -> None:
        if CopyForm[name] in self._forms:
            self.leave(CopyForm[name])

    def action_cancel(self) -> None:
        self.leave()
