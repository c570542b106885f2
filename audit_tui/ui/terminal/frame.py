"""The contents of the terminal, cell by cell.

Pure: no Textual, no output. A line is a tuple of cells; the cells behind the first of a wide character
hold no text of their own.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Unicode's wide blocks of letters and their punctuation. Not emoji: terminals of different ages
# disagree about the width of those.
_WIDE_LETTERS = (
    "\u1100-\u115e\u2e80-\u303e\u3041-\u3163\u3165-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff"
    "\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
)
ONE_CELL_EACH = re.compile(
    "[\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u2190-\u21ff\u2500-\u25fc\u2713-\u2718]*"
)
_SHOWS_ON_BLANK = frozenset({"4", "7", "9", "21", "51", "52", "53"})
"""SGR codes that can be seen on a space: lines, reverse, frames."""


class Pen(NamedTuple):
    """The look of a cell."""

    attributes: tuple[str, ...] = ()
    """SGR codes that are neither colour."""
    foreground: str = ""
    """SGR codes; empty is the terminal's own colour."""
    background: str = ""
    link: str = ""
    """Parameters and address of an OSC 8 link, as ``id=1;https://...``; empty when there is none."""

    @property
    def shows_on_blank(self) -> bool:
        return not _SHOWS_ON_BLANK.isdisjoint(self.attributes)

    def shows_like(self, other: Pen) -> bool:
        return self.on_blank == other.on_blank

    def for_blank(self, blank: Pen) -> Pen:
        """The pen with as much of this one left as cannot be seen on a space that needs ``blank``."""
        keeps = not self.shows_on_blank and not blank.shows_on_blank and self.link == blank.link
        return self._replace(background=blank.background) if keeps else blank

    @property
    def on_blank(self) -> Pen:
        """The pen for a space: what cannot be seen on it makes no difference."""
        return self if self.shows_on_blank else Pen((), "", self.background, self.link)


PLAIN = Pen()
_ENDS = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29"}
"""The code that ends an attribute; 22 ends two."""

Cell: TypeAlias = tuple[str, Pen]
UNKNOWN: Cell = ("\0", PLAIN)
"""A cell whose content is not known."""
Run: TypeAlias = tuple[str, Pen]


@lru_cache(maxsize=4096)
def pen_of(sgr: str, link: str = "") -> Pen:
    """Take SGR codes apart.

    Args:
        sgr: The codes between ``CSI`` and ``m``, without a reset: ``1;38;5;9;48;5;0``.
        link: As in ``Pen``; one with control characters is left out.
    """
    attributes: list[str] = []
    foreground = background = ""
    codes = iter(sgr.split(";") if sgr else ())
    for code in codes:
        if code in ("38", "48"):
            kind = next(codes, "")
            value = ";".join([code, kind, *islice(codes, 1 if kind == "5" else 3)])
            if code == "38":
                foreground = value
            else:
                background = value
        elif code.startswith(("3", "9")) and len(code) == 2:
            foreground = "" if code == "39" else code
        elif code.startswith(("4", "10")) and len(code) >= 2:
            background = "" if code == "49" else code
        else:
            attributes.append(code)
    return Pen(tuple(attributes), foreground, background, link if link.isprintable() else "")


def style_change(old: Pen | None, new: Pen) -> str:
    """The shortest SGR sequence from one style to another; links are not its business."""
    if old is not None and old[:3] == new[:3]:
        return ""
    fresh = ";".join(_codes(new.attributes, new.foreground, new.background))
    ways = [f"\x1b[0;{fresh}m" if fresh else "\x1b[m"]
    ended = None if old is None else _ended(old.attributes, new.attributes)
    if old is not None and ended is not None:
        added = [*ended, *(code for code in new.attributes if code not in old.attributes)]
        foreground = "" if old.foreground == new.foreground else new.foreground or "39"
        background = "" if old.background == new.background else new.background or "49"
        ways.append(f"\x1b[{';'.join(_codes(added, foreground, background))}m")
    return min(ways, key=len)


def _ended(old: Sequence[str], new: Sequence[str]) -> list[str] | None:
    """The codes that end what the new style has no more; None when only a reset can."""
    gone = [code for code in old if code not in new]
    ends = {_ENDS.get(code, "") for code in gone}
    if "" in ends or ends & {_ENDS.get(code) for code in new}:
        return None
    return sorted(ends)


def _codes(attributes: Iterable[str], foreground: str, background: str) -> list[str]:
    return [code for code in (*attributes, foreground, background) if code]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the terminal."""

    cells: tuple[Cell, ...]
    is_sure: bool = True


def unknown_line(width: int) -> Line:
    """A line whose content is not known."""
    return Line((UNKNOWN,) * width)


def line_of(runs: Iterable[Run]) -> Line:
    """Lay runs out in cells."""
    cells: list[Cell] = []
    is_sure = True
    for text, pen in runs:
        blank = pen.on_blank
        if text.isascii() or ONE_CELL_EACH.fullmatch(text):
            cells += [(character, pen if character != " " else blank) for character in text]
            continue
        for cluster, width in clusters(text):
            is_sure = is_sure and is_sure_width(cluster)
            cells.append((cluster, pen if cluster != " " else blank))
            cells += [("", pen)] * (width - 1)
    return Line(tuple(cells), is_sure)


@lru_cache(maxsize=4096)
def clusters(text: str) -> tuple[tuple[str, int], ...]:
    """The characters of a text with what belongs on the same cells, and how many cells those are.

    The widths add up to what ``rich.cells.cell_len`` says of the text, which Textual lays out by.
    """
    parts: list[str] = []
    for character in text:
        if parts and not is_sure_width(character) and _belongs_to_last(character, parts[-1]):
            parts[-1] += character
        else:
            parts.append(character)
    measured = tuple((part, cell_len(part)) for part in parts)
    if all(width for _, width in measured) and sum(width for _, width in measured) == cell_len(text):
        return measured
    total = cell_len(text)
    return ((text, total),) if total else ()


def _belongs_to_last(character: str, last: str) -> bool:
    return (
        last.endswith("\u200d")
        or cell_len(character) == 0
        or unicodedata.category(character).startswith("M")
        or cell_len(last + character) <= cell_len(last)
    )


@lru_cache(maxsize=1)
def _wide_letter() -> re.Pattern[str]:
    # When first needed: 4 ms of every start.
    return re.compile(f"[{_WIDE_LETTERS}]")


@lru_cache(maxsize=4096)
def is_sure_width(cluster: str) -> bool:
    """Tell whether all terminals give the cluster the same number of cells, as far as one can know."""
    if len(cluster) != 1:
        return False
    if _wide_letter().match(cluster):
        return cell_len(cluster) == 2
    return cell_len(cluster) == 1 and unicodedata.category(cluster)[0] not in "MC"


def spliced(base: Line, parts: Iterable[tuple[int, Line]]) -> Line:
    """Replace cells of a line.

    Args:
        base: The line as it was; its width stays.
        parts: Each a first cell and what stands from there on; what reaches beyond the line is cut.
    """
    parts = list(parts)
    if _covers(parts, len(base.cells)):
        whole = chain.from_iterable(part.cells for _, part in parts)
        return Line(tuple(whole), all(part.is_sure for _, part in parts))
    cells = list(base.cells)
    is_sure = base.is_sure
    for start, part in parts:
        fresh = list(part.cells)
        _blank_halves(fresh, len(cells) - start)
        del fresh[max(0, len(cells) - start) :]
        end = start + len(fresh)
        _blank_halves(cells, start)
        _blank_halves(cells, end)
        cells[start:end] = fresh
        is_sure = is_sure and part.is_sure
    return Line(tuple(cells), is_sure or all(not text or is_sure_width(text) for text, _ in cells))


def _covers(parts: Sequence[tuple[int, Line]], width: int) -> bool:
    """Tell whether the parts, one after the other, are just a whole line."""
    place = 0
    for start, part in parts:
        if start != place:
            return False
        place += len(part.cells)
    return place == width


def _blank_halves(cells: list[Cell], edge: int) -> None:
    """Blank a character that stands across an edge.

    Terminals do so too when half of it is written over, but not all with the same colours.
    """
    if not 0 < edge < len(cells) or cells[edge][0]:
        return
    first = last = edge
    while first > 0 and not cells[first][0]:
        first -= 1
    while last < len(cells) and not cells[last][0]:
        last += 1
    for index in range(first, last):
        cells[index] = (" ", cells[index][1])
