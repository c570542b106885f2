"""Lines made of pieces of text, each with a role that the styles give a look.

One painter for the bars, the pane, the dialogs' texts and lists; only the rows of the event list, of which
thousands pass by, have one of their own (``list.row_strips``).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip

from audit_tui.core.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from textual.widget import Widget

CUT = "…"
MIN_CUT_CELLS = 9
"""A narrower column shows more of a text at its beginning alone."""


class Role(Enum):
    """The purpose of a piece of text; the value is its component class."""

    TITLE = "paint--title"
    LABEL = "paint--label"
    VALUE = "paint--value"
    QUIET = "paint--quiet"
    FAILURE = "paint--failure"
    GOOD = "paint--good"
    BUTTON = "paint--button"
    KEY = "paint--key"
    SPECIAL = "paint--special"
    CURSOR = "paint--cursor"


ROLES = {role.value for role in Role}
"""The component classes of every widget that is painted so."""


class Piece(NamedTuple):
    """Text of one role: clean, and without line feeds."""

    text: str
    role: Role = Role.VALUE
    command: str = ""
    """The id of the command that a click on it runs; empty for none."""
    target: object = None
    """The value that it stands for, where it can be pointed at; several pieces may stand for the same one."""


Line = tuple[Piece, ...]


def command_at(line: Line, x: int) -> str:
    """Return the command of the piece at a cell; empty for none."""
    for piece in line:
        x -= cell_len(piece.text)
        if x < 0:
            return piece.command
    return ""


def paint(widget: Widget, line: Iterable[Piece], width: int) -> Strip:
    """Draw a line in the looks that a widget has for the roles, as wide as said."""
    segments = [Segment(piece.text, widget.get_component_rich_style(piece.role.value)) for piece in line]
    return Strip(segments).adjust_cell_length(width, widget.rich_style)


def fit(text: str, width: int) -> str:
    """Return a text from data as exactly ``width`` cells of one line, cleaned, with … where it was cut."""
    text = fit_at_most(text, width)
    return text + " " * (width - cell_len(text))


def fit_at_most(text: str, width: int) -> str:
    """Return a text from data in at most ``width`` cells, cleaned, with … where it was cut."""
    # Four characters a cell leave room for combining marks and stop at once in a cell of 100 MB.
    text = clean(text[: 4 * width + 4])
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)) + CUT[:width]


def fit_middle(text: str, width: int) -> str:
    """Return a text as ``fit`` does, but cut in its middle if it is one word: both its ends say much."""
    head = text[: 4 * width + 4]
    if " " in head or cell_len(clean(head)) <= width or width < MIN_CUT_CELLS:
        return fit(text, width)
    tail_cells = (width - 1) // 2
    tail = clean(text[-4 * width - 4 :])
    while cell_len(tail) > tail_cells:
        tail = tail[max(1, (cell_len(tail) - tail_cells) // 2) :]
    head = set_cell_size(clean(head), width - 1 - cell_len(tail))
    return fit(f"{head}{CUT}{tail}", width)


def wrap(text: str, width: int) -> Iterator[str]:
    """Break a clean text into lines of at most ``width`` cells, at spaces where there are some.

    Linear in the text's length: the rest is never copied.
    """
    width = max(2, width)
    start = 0
    while len(text) - start > 2 * width or cell_len(text[start:]) > width:
        end = start + _fitting(text, start, width)
        space = text.rfind(" ", start + width // 3, end + 1)
        if space > start:
            yield text[start:space]
            start = space + 1
        else:
            yield text[start:end]
            start = end
    yield text[start:]


def _fitting(text: str, start: int, width: int) -> int:
    """Return how many characters from a place on fit; at least one, so that a wrap always ends."""
    if text[start : start + width].isascii():
        return width
    cells = count = 0
    for character in text[start : start + 4 * width]:
        cells += cell_len(character)
        if cells > width:
            break
        count += 1
    return max(1, count)
