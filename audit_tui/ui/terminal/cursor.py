"""The place of the hardware cursor.

Textual hides it and leaves it where the last Input put it. Braille displays, screen readers and magnifiers
follow it, hidden or not, so it belongs on what the user is at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from textual.geometry import Offset

if TYPE_CHECKING:
    from textual.widget import Widget


@runtime_checkable
class HasCursor(Protocol):
    """A widget with a cursor of its own."""

    @property
    def cursor_offset(self) -> Offset:
        """The cell of its cursor, from the top left cell of the widget's content."""


@runtime_checkable
class PlacesCursor(Protocol):
    """Textual's Input and TextArea: known by what they have, since importing them takes 12 ms."""

    @property
    def cursor_screen_offset(self) -> Offset:
        """The cell of its cursor on the screen."""


def hardware_cursor(focused: Widget | None) -> Offset:
    """The cell of the screen on which the cursor should stand."""
    if focused is None or not focused.is_on_screen:
        return Offset(0, 0)
    if isinstance(focused, PlacesCursor):
        # An Input's is one cell too far at the end of its value (Textual 8.2.8).
        is_too_far = bool(getattr(focused, "cursor_at_end", False))
        return focused.cursor_screen_offset - Offset(int(is_too_far), 0)
    region = focused.content_region
    if not region:
        return region.offset
    place = focused.cursor_offset if isinstance(focused, HasCursor) else Offset(0, 0)
    x, y = place.clamp(region.width, region.height)
    return region.offset + Offset(x, y)
