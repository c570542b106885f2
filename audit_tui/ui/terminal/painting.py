"""The shortest output that turns one frame into the next.

Pure: frames in, text for the terminal out. Only cells that differ are sent, a style only where it changes,
and a block of lines that moved is moved by the terminal itself. Lines are moved by deleting and inserting
them between margins, not by SU and SD, which the Linux console does not know (no ``indn`` in its terminfo).
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import compress, count, groupby, takewhile
from operator import itemgetter, ne
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.ui.terminal.frame import (
    PLAIN,
    UNKNOWN,
    Cell,
    Line,
    Pen,
    is_sure_width,
    style_change,
    unknown_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

GAP_CELLS = 4
"""Unchanged cells in one style that are rather sent than skipped: a move takes three or more bytes."""
EDGE_CELLS = 2
VOTE_CELLS = 16
"""Lines are compared in pieces this wide to see where they moved, so that a pane beside does not hide it."""
MOVE_GAIN_CELLS = 30
"""The least number of cells that a move of lines must save; it takes about 25 bytes."""

FEW_PIECES = 24
"""The order of this many at most is chosen piece by piece: 1 ms."""
ERASED_CELLS = 4
"""From this many blanks at the end of a line on it is shorter to erase them."""
_PLAIN_BLANK: Cell = (" ", PLAIN)

UNKNOWN_COLUMN = -1


class Place(NamedTuple):
    """A cell of the terminal, counted from the top left one, which is 0, 0."""

    row: int
    column: int


class Move(NamedTuple):
    """A block of lines that moved."""

    top: int
    bottom: int
    up: int
    """The number of lines that it moves up; negative is down."""


class Frame:
    """The contents of the terminal, the style and the place that it writes with next."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.lines = [unknown_line(width)] * height
        self.pen: Pen | None = None
        self.cursor: Place | None = None


def painted(frame: Frame, changes: Mapping[int, Line], cursor: Place) -> str:
    """Bring a frame up to date and say what the terminal must be sent.

    Returns:
        Text and escape sequences; empty when nothing changed.
    """
    lines = frame.lines
    changed = {y: line for y, line in changes.items() if y < len(lines) and line.cells != lines[y].cells}
    output = Output(frame.pen, frame.cursor)
    move = find_move(lines, changed)
    if move is not None:
        # Lines outside the changes moved with the block: they are drawn again at their old place.
        changed = {y: lines[y] for y in range(move.top, move.bottom + 1)} | changed
        output.move_lines(move)
        _shift(lines, move)
    pieces = [piece for y in sorted(changed) for piece in _pieces_to_send(y, lines[y], changed[y])]
    for y, line in changed.items():
        lines[y] = line
    output = min((output.with_pieces(order) for order in _orders(output, pieces)), key=len)
    output.end(cursor)
    frame.pen, frame.cursor = output.pen, cursor
    return output.text


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
    places: dict[tuple[int, str], list[int]] = {}
    for y, line in enumerate(frame):
        for piece in _pieces(line):
            places.setdefault(piece, []).append(y)
    votes: Counter[int] = Counter()
    for y, line in changed.items():
        for piece in _pieces(line):
            rows = places.get(piece, ())
            # A piece that stands in many places says nothing.
            if len(rows) <= 2:
                votes.update(place - y for place in rows if place != y)
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
    top, bottom, up = move
    opened = [unknown_line(len(frame[top].cells))] * abs(up)
    block = frame[top : bottom + 1]
    frame[top : bottom + 1] = [*block[up:], *opened] if up > 0 else [*opened, *block[:up]]


# -- cells that changed


class Piece(NamedTuple):
    """Cells next to each other that are written with one pen."""

    place: Place
    text: str
    """Empty stands for erasing the rest of the row."""
    cells: int
    pen: Pen
    is_sure: bool = True
    reaches_end: bool = False

    @property
    def end(self) -> Place:
        """The cell that is written next; terminals differ about it after the last column."""
        is_sure = self.is_sure and not self.reaches_end
        return Place(self.place.row, self.place.column + self.cells if is_sure else UNKNOWN_COLUMN)


def _pieces_to_send(y: int, old: Line, new: Line) -> Iterable[Piece]:
    # What stands beside a character of doubtful width is not known: such a line is sent whole.
    is_sure = old.is_sure and new.is_sure
    spans = changed_spans(old.cells, new.cells) if is_sure else [(0, len(new.cells))]
    blank_from = len(new.cells) - sum(1 for _ in takewhile(_PLAIN_BLANK.__eq__, reversed(new.cells)))
    for start, end in spans:
        if end - max(start, blank_from) < ERASED_CELLS:
            yield from _pieces_of(y, start, end, new)
            continue
        yield from _pieces_of(y, start, blank_from, new)
        yield Piece(Place(y, max(start, blank_from)), "", 0, PLAIN, reaches_end=True)
        break


def _pieces_of(y: int, start: int, end: int, line: Line) -> Iterable[Piece]:
    cells = line.cells[start:end]
    if not line.is_sure:
        yield from _unsure_pieces(y, start, line, cells)
        return
    for run in _runs(cells):
        first, last, pen, text = run
        if text != UNKNOWN[0] * (last - first):
            yield Piece(
                Place(y, start + first), text, last - first, pen, True, start + last == len(line.cells)
            )


def _unsure_pieces(y: int, start: int, line: Line, cells: Sequence[Cell]) -> Iterable[Piece]:
    pens = [pen for first, last, pen, _ in _runs(cells) for _ in range(first, last)]
    x = 0
    while x < len(cells):
        last = x + 1
        while last < len(cells) and not cells[last][0]:
            last += 1
        text = "".join([text for text, _ in cells[x:last]])
        if cells[x] != UNKNOWN:
            ends = start + last == len(line.cells)
            yield Piece(Place(y, start + x), text, last - x, pens[x], is_sure_width(text), ends)
        x = last


def _runs(cells: Sequence[Cell]) -> list[tuple[int, int, Pen, str]]:
    """The cells in runs of one pen; a blank has the pen of a character beside it if that looks the same."""
    runs: list[tuple[int, int, Pen, str]] = []
    x = 0
    for pen, group in groupby(cells, itemgetter(1)):
        texts = [text for text, _ in group]
        runs.append((x, x + len(texts), pen, "".join(texts)))
        x += len(texts)
    for indices, step in ((range(len(runs) - 2, -1, -1), 1), (range(1, len(runs)), -1)):
        for index in indices:
            first, last, pen, text = runs[index]
            beside = runs[index + step][2]
            if text.isspace() and looks_alike(beside, pen):
                runs[index] = first, last, beside, text
    joined: list[tuple[int, int, Pen, str]] = []
    for first, last, pen, text in runs:
        if joined and joined[-1][2] == pen and UNKNOWN[0] not in (text[:1], joined[-1][3][:1]):
            begin, _, _, before = joined[-1]
            joined[-1] = begin, last, pen, before + text
        else:
            joined.append((first, last, pen, text))
    return joined


@lru_cache(maxsize=4096)
def looks_alike(pen: Pen, blank: Pen) -> bool:
    """Tell whether a space looks the same with both."""
    return pen.shows_like(blank)


def _orders(output: Output, pieces: list[Piece]) -> Iterable[list[Piece]]:
    """Ways to order the pieces: from the top, style after style, and the nearest first."""
    yield pieces
    if len(pieces) <= FEW_PIECES:
        yield list(_nearest_first(output, pieces))
    first: dict[Pen, int] = {}
    for piece in pieces:
        first.setdefault(piece.pen, len(first))
    if len(first) > 1:
        yield sorted(pieces, key=lambda piece: first[piece.pen])


def _nearest_first(output: Output, pieces: list[Piece]) -> Iterable[Piece]:
    """Yield next the piece to which the way and the change of style are shortest."""
    left, pen, place = list(pieces), output.pen, output.cursor
    while left:

        def cost(piece: Piece, pen: Pen | None = pen, place: Place | None = place) -> int:
            way = "" if piece.place == place else _shortest_way(place, piece.place)
            return len(way) + len(style_change(pen, piece.pen))

        piece = min(left, key=cost)
        left.remove(piece)
        pen, place = piece.pen, piece.end
        yield piece


def changed_spans(old: tuple[Cell, ...], new: tuple[Cell, ...]) -> list[tuple[int, int]]:
    """The cells to send, as half-open ranges from the left, which never cut a character."""
    spans: list[tuple[int, int]] = []
    start = end = -1
    for x in compress(count(), map(ne, old, new)):
        if x < end:
            continue
        first, last = x, x + 1
        if not (old[x][0] and new[x][0]) or (last < len(new) and not (old[last][0] and new[last][0])):
            first, last = _whole_characters(x, old, new)
        if first == end or (
            end >= 0 and first - end <= GAP_CELLS and _is_plain_gap(new[end - 1 : first + 1])
        ):
            end = last
            continue
        if end >= 0:
            spans.append((start, end))
        # Blanks at the left edge take fewer bytes than a move over them.
        start, end = (
            0 if first <= EDGE_CELLS and end < 0 and _is_plain_gap(new[:1] + new[: first + 1]) else first,
            last,
        )
    if end >= 0:
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


def _is_plain_gap(cells: Sequence[Cell]) -> bool:
    """Tell whether cells are of one style and, but for the first and the last, of one byte each."""
    pens = {pen for text, pen in cells if text != " "}
    if len(pens) > 1 or not all(text.isascii() and text != UNKNOWN[0] for text, _ in cells[1:-1]):
        return False
    blanks = {pen for text, pen in cells if text == " "}
    return len(blanks) <= 1 and all(looks_alike(pen, blank) for pen in pens for blank in blanks)


class Output:
    """Text for the terminal in the making: knows where the cursor is and how it writes."""

    def __init__(self, pen: Pen | None, cursor: Place | None) -> None:
        self.text = ""
        self.pen = pen
        self.cursor = cursor

    def __len__(self) -> int:
        return len(self.text.encode())

    def with_pieces(self, pieces: Iterable[Piece]) -> Output:
        output = Output(self.pen, self.cursor)
        output.text = self.text
        for piece in pieces:
            output._send(piece)
        return output

    def move_lines(self, move: Move) -> None:
        """Let the terminal move a block of lines; what it opens up is blank in any colour."""
        top, bottom, up = move
        final = "M" if up > 0 else "L"
        number = "" if abs(up) == 1 else str(abs(up))
        self.text += f"\x1b[{top + 1};{bottom + 1}r\x1b[{top + 1}H\x1b[{number}{final}\x1b[r"
        # Setting the margins sends the cursor home.
        self.cursor = Place(0, 0)

    def end(self, cursor: Place) -> None:
        """End a link, and leave the cursor where it shall stand."""
        if self.pen is not None and self.pen.link:
            self._take_pen(self.pen._replace(link=""))
        self._go(cursor)

    def _send(self, piece: Piece) -> None:
        place, text, cells, pen, is_sure, _ = piece
        self._go(place)
        if not text:
            self._take_pen_for_blanks(pen)
            self.text += "\x1b[K"
            return
        if text.isspace():
            self._take_pen_for_blanks(pen)
        else:
            self._take_pen(pen)
        if not is_sure:
            # Blank its cells first, for a terminal that finds it narrower.
            self.text += f"{' ' * cells}\x1b[{place.column + 1}G"
        self.text += text
        self.cursor = piece.end

    def _go(self, place: Place) -> None:
        if place != self.cursor:
            self.text += _shortest_way(self.cursor, place)
            self.cursor = place

    def _take_pen_for_blanks(self, pen: Pen) -> None:
        """Change the style as far as one can see it on spaces."""
        if self.pen is None or pen.shows_on_blank:
            self._take_pen(pen)
        elif not self.pen.shows_like(pen):
            self._take_pen(self.pen.for_blank(pen))

    def _take_pen(self, pen: Pen) -> None:
        if pen == self.pen:
            return
        link = "" if self.pen is None else self.pen.link
        if pen.link != link:
            self.text += f"\x1b]8;{pen.link or ';'}\x1b\\"
        self.text += style_change(self.pen, pen)
        self.pen = pen


def _shortest_way(place: Place | None, to: Place) -> str:
    row, column = to
    ways = [f"\x1b[{row + 1};{column + 1}H" if column else f"\x1b[{row + 1}H"]
    if place is not None and row == place.row:
        if place.column < column and place.column != UNKNOWN_COLUMN:
            ways.append(_forward(column - place.column))
        ways += [f"\r{_forward(column)}", f"\x1b[{column + 1}G"]
    elif place is not None and row == place.row + 1:
        # Not NEL, though shorter by one byte once the kernel has added its carriage return: the terminal
        # emulator pyte, for one, stays in the column.
        ways.append(f"\r\n{_forward(column)}")
        if column == place.column:
            ways.append("\x1b[B")
    return min(ways, key=len)


def _forward(cells: int) -> str:
    return "" if cells == 0 else "\x1b[C" if cells == 1 else f"\x1b[{cells}C"
