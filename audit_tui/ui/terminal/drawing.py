"""Mends of what is drawn: the place of the hardware cursor, scrollbars of whole cells, no commands from data.

Textual hides the hardware cursor and leaves it where the last Input put it. Braille displays, screen
readers and magnifiers follow it, hidden or not, so it belongs on what the user is at. And it sends what a
widget draws as it is: ESC, OSC 52, C1 and bidi controls went through all 17 ways to show a text that were
tried with 8.2.8. Data is cleaned where it becomes display text (``core.text``); ``Sanitize`` catches what a
future widget forgets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from rich.segment import Segment, Segments
from rich.style import Style
from textual.filter import LineFilter
from textual.geometry import Offset
from textual.scrollbar import ScrollBarRender

from audit_tui.core.text import UNSAFE_CLASS

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from textual.color import Color
    from textual.scrollbar import ScrollBar
    from textual.widget import Widget

_UNSAFE = re.compile(f"[{UNSAFE_CLASS}]")


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


class WholeBar(ScrollBarRender):
    """Moves in steps of a cell and is drawn as blanks.

    Textual's moves in eighths, and two cells and 40 bytes of it change with every other page.
    """

    VERTICAL_BARS: ClassVar[list[str]] = [" "]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for bar in super().__rich_console__(console, options):
            if isinstance(bar, Segments):
                bar.segments = [_as_background(segment) for segment in bar.segments]
            yield bar


def thumb_cell(bar: ScrollBar, position: float) -> int:
    """In which of its cells a bar's thumb begins when it stands there, as ``ScrollBarRender`` has it."""
    cells, whole, window = bar.outer_size.height, bar.window_virtual_size, bar.window_size
    if not cells or window >= whole:
        return 0
    thumb = max(1.0, window * cells / whole)
    return int((cells - thumb) * position / (whole - window))


def _as_background(segment: Segment) -> Segment:
    """The same look without reverse, which would be one more thing to switch on and off.

    Not in the terminal's own colours: under NO_COLOR they are taken away.
    """
    text, style, control = segment
    if style is None or not style.reverse or style.color is None or style.color.triplet is None:
        return segment
    return Segment(text, Style(bgcolor=style.color, meta=style.meta), control)


class Sanitize(LineFilter):
    """Removes unsafe characters from every line of every widget.

    Nearly all of them measure zero cells, so the layout holds.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(_UNSAFE.search(segment.text) for segment in segments):
            return segments
        return [
            Segment(_UNSAFE.sub("", segment.text), segment.style, segment.control) for segment in segments
        ]
