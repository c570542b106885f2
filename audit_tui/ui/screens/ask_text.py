"""A dialog that asks for a line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.line_input import LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult


class AskText(Dialog[str | None]):
    """Asks for a line of text; gives it back, or None when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False)]

    def __init__(self, title: str, hint: str, value: str = "") -> None:
        super().__init__()
        self._heading = title
        self._field = LineInput(value, hint)

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self._heading
            box.border_subtitle = "⏎ go   Esc cancel"
            yield self._field

    def on_mount(self) -> None:
        self._field.focus()
        self._field.select_all()

    @on(Input.Submitted)
    def _take(self, message: Input.Submitted) -> None:
        self.leave(message.value)

    def action_cancel(self) -> None:
        self.leave(None)
