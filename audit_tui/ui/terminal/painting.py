"""The shortest output that turns one frame into the next.

Pure: frames in, text for the terminal out. Only cells that differ are sent, a style only where it changes,
and a block of lines that moved is moved by the terminal itself. Lines are moved by deleting and inserting
them between margins, not by SU and SD, which the Linux console does not know (no ``indn`` in its terminfo).
"""

from __future__ import annotations

from collections import Counter
from itertools import compress, count, takewhile
from operator import ne
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.ui.terminal.frame import PLAIN, UNKNOWN, Cell, Line, Pen, is_sure_width, unknown_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

GAP_CELLS = 4
"""Unchanged cells in one style that are rather sent than skipped: a move takes three or more bytes."""
VOTE_CELLS = 16
"""Lines are compared in pieces this wide to see where they moved, so that a pane beside does not hide it."""
MOVE_GAIN_CELLS = 30
"""How many cells a move of lines must save; it takes about 25 bytes."""

ERASED_CELLS = 4
"""From this many blanks at the end of a line on it is shorter to erase them."""
_PLAIN_BLANK: Cell = (" ", PLAIN)


class Move(NamedTuple):
    """A block of lines that moved."""

    top: int
    """The first line of the block, counted from 0."""
    bottom: int
    """The last line of the block."""
    up: int
    """How many lines it moves up; negative is down."""


def painted(frame: list[Line], changes: Mapping[int, Line]) -> str:
    """Bring a frame up to date and say what the terminal must be sent.

    Args:
        frame: What stands on the terminal; becomes what will stand there.
        changes: The lines that may have changed, by their place from the top.

    Returns:
        Text and escape sequences, ending in the plain style; the cursor is anywhere. Empty when nothing
        changed.
    """
    changed = {y: line for y, line in changes.items() if y < len(frame) and line.cells != frame[y].cells}
    output = Output()
    move = find_move(frame, changed)
    if move is not None:
        # Lines outside the changes moved with the block: they are drawn again at their old place.
        changed = {y: frame[y] for y in range(move.top, move.bottom + 1)} | changed
        output.move_lines(move)
        _shift(frame, move)
    for y in sorted(changed):
        _paint_line(output, y, frame[y], changed[y])
        frame[y] = changed[y]
    return output.finished()


# -- lines that moved


def find_move(frame: Sequence[Line], changed: Mapping[int, Line]) -> Move | None:
    """Find the block of lines whose move saves the most output, if one is worth it."""
    if len(changed) < 3:
        return None
    best_gain, best = MOVE_GAIN_CELLS, None
    for up in _likely_shifts(frame, changed):
        gain, move = _best_block(frame, changed, up)
        if gain > best_gain:
            best_gain, best = gain, move
    return best


def _likely_shifts(frame: Sequence[Line], changed: Mapping[int, Line]) -> list[int]:
    """The two shifts that explain most pieces of changed lines."""
    places: dict[tuple[int, str], list[int]] = {}
    for y, line in enumerate(frame):
        for piece in _pieces(line):
            places.setdefault(piece, []).append(y)
    votes: Counter[int] = Counter()
    for y, line in changed.items():
        for piece in _pieces(line):
            found = places.get(piece, ())
            # A piece that stands in many places says nothing.
            if len(found) <= 2:
                votes.update(place - y for place in found if place != y)
    return [up for up, number in votes.most_common(2) if number > 2]


def _pieces(line: Line) -> list[tuple[int, str]]:
    texts = [text for text, _ in line.cells]
    pieces = [(x, "".join(texts[x : x + VOTE_CELLS])) for x in range(0, len(texts), VOTE_CELLS)]
    return [(x, piece) for x, piece in pieces if not piece.isspace()]


def _best_block(frame: Sequence[Line], changed: Mapping[int, Line], up: int) -> tuple[int, Move]:
    """The block of lines for which a shift saves most, and how many cells it saves."""
    height = len(frame)
    best_gain, best_first, best_last = 0, 0, -1
    gain = first = 0
    for y in range(max(0, -up), min(height, height - up)):
        wanted = changed.get(y, frame[y])
        if gain <= 0:
            gain, first = 0, y
        gain += _differing(frame[y], wanted) - _differing(frame[y + up], wanted)
        if gain > best_gain:
            best_gain, best_first, best_last = gain, first, y
    move = Move(min(best_first, best_first + up), max(best_last, best_last + up), up)
    opened = range(best_last + 1, best_last + up + 1) if up > 0 else range(best_first + up, best_first)
    for y in opened:
        wanted = changed.get(y, frame[y])
        best_gain -= len(wanted.cells) - _differing(frame[y], wanted)
    return best_gain, move


def _differing(old: Line, new: Line) -> int:
    return 0 if old.cells == new.cells else sum(map(ne, old.cells, new.cells))


def _shift(frame: list[Line], move: Move) -> None:
    """Do to the frame what the terminal does when it moves lines."""
    top, bottom, up = move
    opened = [unknown_line(len(frame[top].cells))] * abs(up)
    block = frame[top : bottom + 1]
    frame[top : bottom + 1] = [*block[up:], *opened] if up > 0 else [*opened, *block[:up]]


# -- cells that changed


def _paint_line(output: Output, y: int, old: Line, new: Line) -> None:
    # What stands beside a character of doubtful width is not known: such a line is sent whole.
    is_sure = old.is_sure and new.is_sure
    spans = changed_spans(old.cells, new.cells) if is_sure else [(0, len(new.cells))]
    blank_from = len(new.cells) - _plain_tail(new.cells)
    for start, end in spans:
        if end - max(start, blank_from) < ERASED_CELLS:
            output.write_cells(y, start, new.cells[start:end], reaches_end=end == len(new.cells))
            continue
        output.write_cells(y, start, new.cells[start:blank_from], reaches_end=False)
        output.erase(y, max(start, blank_from))
        break


def changed_spans(old: Sequence[Cell], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """The cells to send, as half-open ranges from the left, none of which cuts a character."""
    spans: list[tuple[int, int]] = []
    for x in compress(count(), map(ne, old, new)):
        if spans and x < spans[-1][1]:
            continue
        start, end = _whole_characters(x, old, new)
        if spans and _is_short_gap(new, spans[-1][1], start):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _whole_characters(x: int, old: Sequence[Cell], new: Sequence[Cell]) -> tuple[int, int]:
    """The least range around a cell that cuts no character of the old line and none of the new."""
    start, end = x, x + 1
    while start > 0 and not (old[start][0] and new[start][0]):
        start -= 1
    while end < len(new) and not (old[end][0] and new[end][0]):
        end += 1
    return start, end


def _is_short_gap(cells: Sequence[Cell], start: int, end: int) -> bool:
    """Whether the cells between two ranges cost less than a move, because they need no other style."""
    if end - start > GAP_CELLS:
        return False
    pen = cells[start - 1][1]
    return (
        all(
            text.isascii()
            and (own == pen or (text == " " and own == pen.on_blank and not pen.shows_on_blank))
            for text, own in cells[start:end]
        )
        and UNKNOWN not in cells[start:end]
    )


class Output:
    """Text for the terminal in the making: knows where the cursor is and how it writes."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._pen = PLAIN
        self._row = -1
        self._column = -1
        """-1: not known."""

    def finished(self) -> str:
        """All of it, with the plain style restored."""
        self._take_pen(PLAIN)
        return "".join(self._pieces)

    def move_lines(self, move: Move) -> None:
        """Let the terminal move a block of lines; what it opens up is blank in any colour."""
        top, bottom, up = move
        final = "M" if up > 0 else "L"
        number = "" if abs(up) == 1 else str(abs(up))
        self._pieces.append(f"\x1b[{top + 1};{bottom + 1}r\x1b[{top + 1}H\x1b[{number}{final}\x1b[r")
        # Setting the margins sends the cursor home.
        self._row, self._column = 0, 0

    def write_cells(self, row: int, column: int, cells: Sequence[Cell], *, reaches_end: bool) -> None:
        """Write cells next to each other.

        Args:
            row: Their row, from 0.
            column: The first one's column, from 0.
            cells: What to write; what is unknown is left as it is.
            reaches_end: Whether the last of them is the last of the row.
        """
        pens = _pens_for_blanks(cells)
        for index, (text, pen) in enumerate(cells):
            if not text or (text, pen) == UNKNOWN:
                continue
            self._go(row, column + index)
            if text != " ":
                self._take_pen(pen)
            elif not self._pen.shows_like(pen):
                self._take_pen(pens[index] if pens[index] != pen else self._pen.for_blank(pen))
            self._write(text, _width_at(cells, index))
        if reaches_end:
            # Terminals differ in where the cursor is after the last column.
            self._column = -1

    def erase(self, row: int, column: int) -> None:
        """Blank the rest of a row in the terminal's own colours."""
        self._go(row, column)
        if not self._pen.shows_like(PLAIN):
            self._take_pen(self._pen.for_blank(PLAIN))
        self._pieces.append("\x1b[K")

    def _write(self, text: str, width: int) -> None:
        if is_sure_width(text):
            self._pieces.append(text)
            self._column += width
            return
        # Blank its cells first, for a terminal that finds it narrower, and go on at a known column.
        self._pieces.append(f"{' ' * width}\x1b[{self._column + 1}G{text}")
        self._column = -1

    def _go(self, row: int, column: int) -> None:
        if (row, column) == (self._row, self._column):
            return
        self._pieces.append(_shortest_way(self._row, self._column, row, column))
        self._row, self._column = row, column

    def _take_pen(self, pen: Pen) -> None:
        if pen == self._pen:
            return
        if pen.link != self._pen.link:
            self._pieces.append(f"\x1b]8;{pen.link or ';'}\x1b\\")
        self._pieces.append(_style_change(self._pen, pen))
        self._pen = pen


def _pens_for_blanks(cells: Sequence[Cell]) -> list[Pen]:
    """The pens of the cells, but for a blank that of the next character if that looks the same."""
    pens = [pen for _, pen in cells]
    for index in range(len(cells) - 2, -1, -1):
        if cells[index][0] == " " and pens[index + 1].shows_like(pens[index]):
            pens[index] = pens[index + 1]
    return pens


def _width_at(cells: Sequence[Cell], index: int) -> int:
    end = index + 1
    while end < len(cells) and not cells[end][0]:
        end += 1
    return end - index


def _plain_tail(cells: Sequence[Cell]) -> int:
    """How many blanks in the terminal's own colours stand at the end."""
    return sum(1 for _ in takewhile(_PLAIN_BLANK.__eq__, reversed(cells)))


def _shortest_way(row: int, column: int, to_row: int, to_column: int) -> str:
    ways = [move_to(to_column, to_row)]
    forward = _forward(to_column)
    if row == to_row:
        ways += [f"\r{forward}", f"\x1b[{to_column + 1}G"]
        if 0 <= column < to_column:
            ways.append(_forward(to_column - column))
    elif row >= 0 and to_row == row + 1:
        ways.append(f"\r\n{forward}")
        if column == to_column:
            ways.append("\x1b[B")
    return min(ways, key=len)


def move_to(column: int, row: int) -> str:
    """Move the cursor, wherever it is, to a cell counted from 0."""
    return f"\x1b[{row + 1};{column + 1}H" if column else f"\x1b[{row + 1}H"


def _forward(cells: int) -> str:
    return "" if cells == 0 else "\x1b[C" if cells == 1 else f"\x1b[{cells}C"


def _style_change(old: Pen, new: Pen) -> str:
    """The shortest SGR sequence from one style to another; links are not its business."""
    if old[:3] == new[:3]:
        return ""
    fresh = ";".join(_codes(new.attributes, new.foreground, new.background))
    ways = [f"\x1b[0;{fresh}m" if fresh else "\x1b[m"]
    if set(old.attributes) <= set(new.attributes):
        added = [code for code in new.attributes if code not in old.attributes]
        foreground = "" if old.foreground == new.foreground else new.foreground or "39"
        background = "" if old.background == new.background else new.background or "49"
        ways.append(f"\x1b[{';'.join(_codes(added, foreground, background))}m")
    return min(ways, key=len)


def _codes(attributes: Iterable[str], foreground: str, background: str) -> list[str]:
    return [code for code in (*attributes, foreground, background) if code]
