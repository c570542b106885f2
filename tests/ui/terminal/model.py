"""A small strict terminal: knows just what the painter may send, and fails at anything else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len

from audit_tui.ui.terminal.frame import PLAIN, Cell, Pen, pen_of

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = re.compile(
    r"\x1b\[(?P<parameters>[0-9;]*)(?P<final>[A-Za-z])"
    r"|\x1b\]8;(?P<link>[^\x1b]*)\x1b\\"
    r"|(?P<control>[\r\n])"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f])"
)
_ENDS = {"22": "12", "23": "3", "24": ("4", "21"), "25": "5", "27": "7", "29": "9"}
"""The attributes that each code ends."""
GARBAGE: Cell = ("?", pen_of("31;42"))
BROKEN: Cell = ("BROKEN", PLAIN)
"""Half of a wide character that was written over: terminals differ in what they show."""


class Model:
    """A terminal without automatic wrap, in an odd style and full of garbage at first.

    Args:
        width: Its columns.
        height: Its rows.
        width_of: How many cells it gives a character with what is combined with it.
    """

    def __init__(self, width: int, height: int, width_of: Callable[[str], int] = cell_len) -> None:
        self.width = width
        self.height = height
        self.rows = [[GARBAGE] * width for _ in range(height)]
        self.pen = pen_of("1;35")
        self._width_of = width_of
        self.is_odd = width_of is not cell_len
        self._margins = (0, height - 1)
        self._x = self._y = 0
        self._last: tuple[int, int] | None = None
        """The column of the last character, for marks that combine with it."""

    def feed(self, output: str) -> None:
        """Do what the output says."""
        position = 0
        while position < len(output):
            token = _TOKEN.match(output, position)
            assert token is not None, f"unknown: {output[position : position + 20]!r}"
            position = token.end()
            if token["text"] is not None:
                self._draw(token["text"])
                continue
            self._last = None
            if token["link"] is not None:
                self.pen = self.pen._replace(link="" if token["link"] == ";" else token["link"])
            elif token["control"] is not None:
                self._control(token["control"])
            else:
                self._sequence(token["final"], token["parameters"])

    def _control(self, character: str) -> None:
        self._x = 0
        if character == "\n":
            assert self._y < self.height - 1, "a line feed on the last line scrolls"
            self._y += 1

    def _sequence(self, final: str, parameters: str) -> None:
        numbers = [int(number or 1) for number in parameters.split(";")]
        match final:
            case "m":
                self._style(parameters)
            case "H":
                self._y, self._x = numbers[0] - 1, numbers[1] - 1 if len(numbers) > 1 else 0
            case "G":
                self._x = numbers[0] - 1
            case "C":
                self._x += numbers[0]
            case "B":
                self._y += numbers[0]
            case "K":
                assert not parameters and not self.pen.background, "erasing is not the same everywhere"
                self._put(self._x, [(" ", PLAIN)] * (self.width - self._x))
            case "r":
                self._margins = (numbers[0] - 1, numbers[1] - 1) if parameters else (0, self.height - 1)
                self._y = self._x = 0
            case "L" | "M":
                self._move_lines(numbers[0], down=final == "L")
            case _:
                raise AssertionError(f"unknown: CSI {parameters} {final}")
        assert 0 <= self._x < self.width, "the cursor left the line"
        assert 0 <= self._y < self.height, "the cursor left the screen"

    def _style(self, parameters: str) -> None:
        link = self.pen.link
        if not parameters:
            self.pen = PLAIN._replace(link=link)
        elif parameters.startswith("0;"):
            self.pen = pen_of(parameters[2:], link)
        else:
            added = pen_of(parameters)
            codes = parameters.split(";")
            gone = {code for end, ended in _ENDS.items() if end in added.attributes for code in ended}
            remaining = [code for code in self.pen.attributes if code not in gone]
            self.pen = Pen(
                (*remaining, *(code for code in added.attributes if code not in _ENDS)),
                "" if "39" in codes else added.foreground or self.pen.foreground,
                "" if "49" in codes else added.background or self.pen.background,
                link,
            )

    def _move_lines(self, number: int, *, down: bool) -> None:
        top, bottom = self._margins
        assert self._y == top, "lines are moved from the top margin"
        block = self.rows[top : bottom + 1]
        fresh = [[GARBAGE] * self.width for _ in range(number)]
        self.rows[top : bottom + 1] = [*fresh, *block[:-number]] if down else [*block[number:], *fresh]

    def _draw(self, character: str) -> None:
        if self._last is not None and self._width_of(character) == 0:
            x, y = self._last
            self.rows[y][x] = (self.rows[y][x][0] + character, self.rows[y][x][1])
            return
        cells: list[Cell] = [(character, self.pen), *[("", self.pen)] * (self._width_of(character) - 1)]
        x = min(self._x, self.width - len(cells))
        self._put(x, cells)
        self._last = (x, self._y)
        self._x = min(x + len(cells), self.width - 1)

    def _put(self, x: int, cells: list[Cell]) -> None:
        row = self.rows[self._y]
        for edge in (x, x + len(cells)):
            if edge < self.width and not row[edge][0]:
                first = edge
                while not row[first][0]:
                    row[first] = BROKEN
                    first -= 1
                row[first] = BROKEN
                edge += 1
                while edge < self.width and not row[edge][0]:
                    row[edge] = BROKEN
                    edge += 1
        row[x : x + len(cells)] = cells

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor."""
        return self._y, self._x

    def seen(self) -> list[list[Cell]]:
        """The cells, without differences that cannot be seen."""
        return [[seen(cell) for cell in row] for row in self.rows]


def seen(cell: Cell) -> Cell:
    """A cell without what cannot be seen: the colour of a space, the order of attributes."""
    text, pen = cell
    pen = pen.on_blank if text == " " else pen
    return text, pen._replace(attributes=tuple(sorted(set(pen.attributes))))
