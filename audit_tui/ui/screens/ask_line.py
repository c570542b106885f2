"""A dialog that asks for one line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.widgets import Input, Static

from audit_tui.core.text import clean
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.line_input import LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult


class AskLine(Dialog[str]):
    """Asks for a line; gives it back, or None when it was cancelled.

    Args:
        title: From data or not.
        value: The text that stands there first.
        hint: Words below the field.
        placeholder: The words that an empty field shows.
        is_search: It stands at the bottom, and the first letter replaces the text.
    """

    AUTO_FOCUS = "#line"

    def __init__(
        self, title: str, value: str = "", *, hint: str = "", placeholder: str = "", is_search: bool = False
    ) -> None:
        super().__init__()
        self._heading = title
        self._hint = hint
        self._field = LineInput(value, placeholder, id="line")
        self._is_search = is_search
        self.set_class(is_search, "-search")

    def compose(self) -> ComposeResult:
        with self.box(self._heading, f"⏎ {'go' if self._is_search else 'take'}   Esc cancel"):
            yield self._field
            if self._hint:
                yield Static(Content(clean(self._hint)), id="hint")

    def on_mount(self) -> None:
        if self._is_search:
            self._field.select_all()

    @on(Input.Submitted)
    def _take(self, message: Input.Submitted) -> None:
        self.leave(message.value)
