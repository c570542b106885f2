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
from textual.geometry import Offset, Region
from textual.strip import Strip

from audit_tui.ui.terminal.frame import PLAIN, Line, Pen, Run, line_of, pen_of, spliced
from audit_tui.ui.terminal.painting import Frame, Place, painted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.style import Style

OFF_SWITCH = "AUDIT_TUI_NO_DIFF"
"""Set to anything but empty or 0, Textual's own output is used."""
KNOWN_LINES = 512


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
    """The changed cells: line, first column, column after the last."""
    chop_ends: Sequence[Sequence[int]]
    """For each line, where each of its chops ends."""


class FrameDiff:
    """Turns Textual's updates into the shortest output, given what stands on the terminal."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._strip_lines = _KnownLines()

    def forget(self) -> None:
        self._frame = None

    def output_for(self, update: object, color_system: ColorSystem, cursor: Offset) -> str | None:
        """Return what to send for an update.

        Returns:
            Text and escape sequences; empty when the terminal shows it already. None when the update cannot
            be drawn on what is known.
        """
        place = Place(cursor.y, cursor.x)
        strip_lines = self._strip_lines.use(color_system)
        if isinstance(update, FullUpdate):
            frame = self._frame_for(update.region)
            return painted(frame, _lines_of_full(frame, update, strip_lines), place)
        frame_now = self._frame
        if isinstance(update, PartialUpdate) and frame_now is not None and _fits(frame_now, update):
            return painted(frame_now, _lines_of_partial(frame_now, update, strip_lines), place)
        return None

    def text(self) -> str:
        lines = self._frame.lines if self._frame is not None else []
        return "".join(text for line in lines for text, _ in line.cells)

    def _frame_for(self, region: Region) -> Frame:
        size = (region.right, region.bottom)
        if self._frame is None or (self._frame.width, len(self._frame.lines)) != size:
            self._frame = Frame(*size)
        return self._frame


class _KnownLines:
    """The lines of strips: Textual's strips never change, so one that comes again is the same line.

    Most do: a list that scrolls by one row has one new strip.
    """

    def __init__(self) -> None:
        self._lines: dict[int, tuple[Strip, Line]] = {}
        self._color_system: ColorSystem | None = None

    def use(self, color_system: ColorSystem) -> _KnownLines:
        if color_system is not self._color_system:
            self._lines.clear()
            self._color_system = color_system
        return self

    def line_of(self, strip: Strip) -> Line:
        # By identity, which holds as long as the strip is kept beside: its own hash would read it all.
        strip_lines = self._lines.pop(id(strip), None)
        if strip_lines is None:
            strip_lines = strip, line_of(self._runs(strip))
            if len(self._lines) >= KNOWN_LINES:
                del self._lines[next(iter(self._lines))]
        self._lines[id(strip)] = strip_lines
        return strip_lines[1]

    def _runs(self, strip: Strip) -> Iterable[Run]:
        system = self._color_system
        for text, style, control in strip:
            if text and not control:
                yield text, PLAIN if style is None or system is None else _pen(style, system)


def _lines_of_full(frame: Frame, update: FullUpdate, strip_lines: _KnownLines) -> dict[int, Line]:
    x, y = update.region.offset
    lines = {}
    for row, strips in enumerate(update.strips, y):
        start, parts = x, []
        for strip in strips:
            parts.append((start, strip_lines.line_of(strip)))
            start += len(parts[-1][1].cells)
        lines[row] = spliced(frame.lines[row], parts)
    return lines


def _fits(frame: Frame, update: PartialUpdate) -> bool:
    return len(frame.lines) == len(update.chops) and all(
        ends and ends[-1] == frame.width for ends in update.chop_ends
    )


def _lines_of_partial(frame: Frame, update: PartialUpdate, strip_lines: _KnownLines) -> dict[int, Line]:
    lines: dict[int, Line] = {}
    for y, start, end in update.spans:
        if 0 <= y < len(frame.lines):
            parts = [
                (x, strip_lines.line_of(strip))
                for x, strip in _strips_in(update.chops[y], update.chop_ends[y], start, end)
            ]
            lines[y] = spliced(lines.get(y, frame.lines[y]), parts)
    return lines


def _strips_in(
    chops: Mapping[int, Strip | None], ends: Sequence[int], start: int, end: int
) -> Iterable[tuple[int, Strip]]:
    """Return what Textual draws of a line for a span: whole chops, cut only at the span's end."""
    for chop_end, (x, strip) in zip(ends, chops.items(), strict=False):
        if strip is None or x > end or chop_end <= start:
            continue
        yield x, strip if chop_end <= end else strip.crop(0, end - x)


@lru_cache(maxsize=4096)
def _pen(style: Style, color_system: ColorSystem) -> Pen:
    link = f"id={style.link_id};{style.link}" if style.link else ""
    return pen_of(Strip.render_ansi(style, color_system), link)


def is_wanted() -> bool:
    """Tell whether the environment lets frames be compared."""
    return os.environ.get(OFF_SWITCH, "0") in ("", "0")


def why_not(full: type[Any] | None, partial: type[Any] | None) -> str:
    """Try Textual's classes of updates; return what is not as expected, or an empty text."""
    if full is None or partial is None:
        return "no LayoutUpdate or ChopsUpdate"
    try:
        whole = full([[Strip([Segment("ab")]), Strip([Segment("cd")])]], Region(0, 0, 4, 1))
        part = partial([{0: None, 2: Strip([Segment("xy")])}], [(0, 2, 4)], [[2, 4]])
    except TypeError:
        return "updates are made in another way"
    diff, cursor = FrameDiff(), Offset(0, 0)
    if diff.output_for(whole, ColorSystem.STANDARD, cursor) is None:
        return "a full update has other parts"
    if diff.output_for(part, ColorSystem.STANDARD, cursor) is None:
        return "a partial update has other parts"
    return "" if diff.text() == "abxy" else "updates mean something else"
