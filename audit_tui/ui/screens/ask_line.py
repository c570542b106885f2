"""A dialog that asks for one line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from audit_tui.core.text import clean
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.line_input import LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult


class AskLine(Dialog["str | None"]):
    """Asks for a line; gives it back, or None when it was cancelled."""

    AUTO_FOCUS = "#line"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False)]

    def __init__(self, title: str, value: str = "", *, hint: str = "", placeholder: str = "") -> None:
        super().__init__()
        self._heading = title
        self._value = value
        self._hint = hint
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = Content(clean(self._heading)).markup
            box.border_subtitle = "⏎ take   Esc cancel"
            yield LineInput(self._value, self._placeholder, id="line")
            if self._hint:
                yield Static(Content(clean(self._hint)), id="hint")

    @on(Input.Submitted)
    def _take(self, message: Input.Submitted) -> None:
        self.leave(message.value)

    def action_cancel(self) -> None:
        self.leave(None)
