"""Keys in the order they were typed, also when many come at once.

Textual 8.2.8 hands every key of a burst (a slow line sends several in one packet) to the widget that has
the focus before the first of them is worked on, and runs key bindings last of all: of Tab and ``x`` typed
quickly, ``x`` lands in the field that was left. A widget that works on its keys itself, and hands on those
that came after the focus had left it, keeps the order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.widget import Widget


def hand_on(widget: Widget, event: events.Key) -> bool:
    """Send a key that came too late for this widget to where the focus is now.

    Returns:
        Whether it was sent; the widget must not act on it then.
    """
    if widget.app.focused is widget or not widget.is_attached:
        return False
    event.stop()
    event.prevent_default()
    widget.app.post_message(events.Key(event.key, event.character))
    return True


def step_focus(widget: Widget, key: str) -> bool:
    """Move the focus at once if the key says so; whether it did."""
    if key == "tab":
        widget.screen.focus_next()
    elif key == "shift+tab":
        widget.screen.focus_previous()
    else:
        return False
    return True
