"""A field of one line to type a time in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from audit_tui.ui.widgets.fields.in_order import hand_on, step_focus

if TYPE_CHECKING:
    from textual.events import Key


class TimeInput(Input):
    """An Input without frame or blinking that keeps the order of keys.

    Args:
        value: What stands in it.
        placeholder: What an empty one stands for.
        id: The widget's id.
    """

    def __init__(self, value: str, placeholder: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(value, placeholder, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def on_key(self, event: Key) -> None:
        """Send on what came after the focus had left, and leave at once."""
        if hand_on(self, event):
            return
        if step_focus(self, event.key):
            event.stop()
            event.prevent_default()
