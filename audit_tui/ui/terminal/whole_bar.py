"""A scrollbar of whole cells, for few bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from textual.scrollbar import ScrollBar


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
