"""Sending only the cells that changed.

Textual 8.2.8 sends each dirty region whole: 7,341 bytes to scroll a table by one line at 80x24, of which 154
are news (Textualize/textual#4086). This keeps what stands on the terminal and sends the difference.

What it needs of Textual's private parts is read here and nowhere else: ``strips`` and ``region`` of a full
update, ``chops``, ``spans`` and ``chop_ends`` of a partial one. ``why_not`` tries them at the start.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from rich.color import ColorSystem
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from audit_tui.ui.terminal.frame import PLAIN, Line, Pen, line_of, pen_of, spliced, unknown_line
from audit_tui.ui.terminal.painting import painted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.style import Style

OFF_SWITCH = "AUDIT_TUI_NO_DIFF"
"""Set to anything but empty or 0, Textual's own output is used."""


@runtime_checkable
class FullUpdate(Protocol):
    """Textual's update of the whole screen."""

    strips: Sequence[Iterable[Strip]]
    region: Region


@runtime_checkable
class PartialUpdate(Protocol):
    """Textual's update of some cells."""

    chops: Sequence[Mapping[int, Strip | None]]
    """For each line, what stands from a column on; None is not drawn."""
    spans: Sequence[tuple[int, int, int]]
    """What changed: line, first column, column after the last."""
    chop_ends: Sequence[Sequence[int]]
    """For each line, where each of its chops ends."""


class FrameDiff:
    """Turns Textual's updates into the shortest output, given what stands on the terminal."""

    def __init__(self) -> None:
        self._frame: list[Line] = []
        self._width = 0

    def forget(self) -> None:
        """Know nothing of what stands on the terminal; the next full update sends all."""
        self._frame = []

    def output_for(self, update: object, color_system: ColorSystem) -> str | None:
        """What to send for an update.

        Args:
            update: What Textual wants to draw.
            color_system: The colours that the terminal has.

        Returns:
            Text and escape sequences, ending in the plain style with the cursor anywhere; empty when the
            terminal shows it already. None when the update cannot be drawn on what is known.
        """
        if isinstance(update, FullUpdate):
            return self._output(self._lines_of_full(update, color_system))
        if isinstance(update, PartialUpdate) and self._fits(update):
            return self._output(self._lines_of_partial(update, color_system))
        return None

    def _output(self, lines: Mapping[int, Line]) -> str:
        return painted(self._frame, lines)

    def _lines_of_full(self, update: FullUpdate, color_system: ColorSystem) -> dict[int, Line]:
        x, y, width, height = update.region
        if (self._width, len(self._frame)) != (x + width, y + height):
            self._width = x + width
            self._frame = [unknown_line(self._width)] * (y + height)
        return {
            row: spliced(self._frame[row], [(x, _line_of_strips(strips, color_system))])
            for row, strips in enumerate(update.strips, y)
        }

    def _fits(self, update: PartialUpdate) -> bool:
        """Whether the frame is known, and of the size that the update is made for."""
        return len(self._frame) == len(update.chops) and all(
            ends and ends[-1] == self._width for ends in update.chop_ends
        )

    def _lines_of_partial(self, update: PartialUpdate, color_system: ColorSystem) -> dict[int, Line]:
        lines: dict[int, Line] = {}
        for y, start, end in update.spans:
            if 0 <= y < len(self._frame):
                parts = (
                    (x, _line_of_strips([strip], color_system))
                    for x, strip in _strips_in(update.chops[y], update.chop_ends[y], start, end)
                )
                lines[y] = spliced(lines.get(y, self._frame[y]), parts)
        return lines


def _strips_in(
    chops: Mapping[int, Strip | None], ends: Sequence[int], start: int, end: int
) -> Iterable[tuple[int, Strip]]:
    """What Textual draws of a line for a span: whole chops, cut only at the span's end."""
    for chop_end, (x, strip) in zip(ends, chops.items(), strict=False):
        if strip is None or x > end or chop_end <= start:
            continue
        yield x, strip if chop_end <= end else strip.crop(0, end - x)


def _line_of_strips(strips: Iterable[Strip], color_system: ColorSystem) -> Line:
    return line_of(
        (text, PLAIN if style is None else _pen(style, color_system))
        for strip in strips
        for text, style, control in strip
        if text and not control
    )


@lru_cache(maxsize=4096)
def _pen(style: Style, color_system: ColorSystem) -> Pen:
    link = f"id={style.link_id};{style.link}" if style.link else ""
    return pen_of(Strip.render_ansi(style, color_system), link)


def is_wanted() -> bool:
    """Whether the environment lets frames be compared."""
    return os.environ.get(OFF_SWITCH, "0") in ("", "0")


def why_not(full: type[Any] | None, partial: type[Any] | None) -> str:
    """Try Textual's private parts on a small screen.

    Args:
        full: Textual's class of full updates; None if there is no such class.
        partial: That of partial updates.

    Returns:
        What is not as expected; empty when all is.
    """
    if full is None or partial is None:
        return "no LayoutUpdate or ChopsUpdate"
    try:
        whole = full([[Strip([Segment("ab")]), Strip([Segment("cd")])]], Region(0, 0, 4, 1))
        part = partial([{0: None, 2: Strip([Segment("xy")])}], [(0, 2, 4)], [[2, 4]])
    except TypeError:
        return "updates are made in another way"
    diff = FrameDiff()
    if diff.output_for(whole, ColorSystem.STANDARD) is None:
        return "a full update has other parts"
    if diff.output_for(part, ColorSystem.STANDARD) is None:
        return "a partial update has other parts"
    return "" if _text_of(diff) == "abxy" else "updates mean something else"


def _text_of(diff: FrameDiff) -> str:
    return "".join(text for line in diff._frame for text, _ in line.cells)
