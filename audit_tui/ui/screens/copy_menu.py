"""The menu that asks as what to copy: one key each, or arrows and Enter, or a click."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from audit_tui.core.text import clean, counted
from audit_tui.errors import UsageError
from audit_tui.ui.screens.copying import CopyForm
from audit_tui.ui.screens.dialog import Dialog

if TYPE_CHECKING:
    from textual import events
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


class CopyMenu(Dialog[CopyForm | None]):
    """Asks as what to copy; gives back the form, or None when it was cancelled.

    Args:
        source: What would be copied.
        cell: The text under the cursor; from data.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel", show=False),
        Binding("up,k", "step(-1)", "Up", show=False),
        Binding("down,tab", "step(1)", "Down", show=False),
        Binding("shift+tab", "step(-1)", "Up", show=False),
        Binding("enter,space", "take", "Copy", show=False),
        *(Binding(form.value, f"take({form.name!r})", _TITLES[form], show=False) for form in CopyForm),
    ]

    index: reactive[int] = reactive(0)
    """Which line Enter takes."""

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
            for number, form in enumerate(self._forms):
                yield CopyLine(form, self._words(form), is_current=number == 0)

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

    def watch_index(self, index: int) -> None:
        for number, line in enumerate(self.query(CopyLine)):
            line.is_current = number == index

    def action_step(self, step: int) -> None:
        self.index = (self.index + step) % len(self._forms)

    def action_take(self, name: str = "") -> None:
        form = CopyForm[name] if name else self._forms[self.index]
        if form in self._forms:
            self.leave(form)

    def action_cancel(self) -> None:
        self.leave()


class CopyLine(Widget):
    """One form: its key, its name, and what it gives."""

    is_current: reactive[bool] = reactive(False, toggle_class="-current")

    def __init__(self, form: CopyForm, words: str, *, is_current: bool) -> None:
        super().__init__()
        self.set_reactive(CopyLine.is_current, is_current)
        self.set_class(is_current, "-current")
        self._form = form
        self._words = clean(words[:400])

    def render(self) -> Content:
        head = Content.assemble((f" {self._form.value}", "bold"), f"  {_TITLES[self._form]:<{_TITLE_CELLS}}")
        room = max(self.size.width - cell_len(head.plain) - 1, 0)
        words = Content(self._words).truncate(room, ellipsis=True)
        return head + (words if self.is_current else words.stylize("dim"))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        menu = self.screen
        if isinstance(menu, CopyMenu):
            menu.action_take(self._form.name)
