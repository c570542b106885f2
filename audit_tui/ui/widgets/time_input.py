"""A field of one line to type a time in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from audit_tui.ui.widgets.in_order import hand_on, step_focus

if TYPE_CHECKING:
    from textual.events import Key


class TimeInput(Input):
    """An Input without frame or blinking that keeps the order of keys.

    Args:
        value: What stands in it.
        placeholder: What an empty one stands for.
        id: The widget's id.
    """

    DEFAULT_CSS = """
    TimeInput {
        background: $foreground 8%;
        &:focus { background: $foreground 14%; background-tint: transparent; }
        & > .input--placeholder { color: $foreground 70%; }
        &.-invalid { color: $text-error; text-style: bold; }
        &:ansi {
            text-style: underline;
            &:focus { text-style: bold underline; }
            &.-invalid { color: ansi_red; text-style: bold underline; }
        }
    }
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
