"""The line of chips: the conditions that were made by pointing at values, each to be switched off and on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.cells import cell_len
from textual.message import Message

from audit_tui.ui.commands import Where
from audit_tui.ui.keymap import bindings
from audit_tui.ui.widgets.bars import Bar
from audit_tui.ui.widgets.painter import Line, Piece, Role, fit_at_most

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType

    from audit_tui.core.view import Chip

MAX_CELLS = 44
"""A longer chip is cut, so that two stand on a line of 80 cells."""
_MARKS = {True: "●", False: "○"}
_CROSS = " ✕"
_GAP = "  "


class _Placed(NamedTuple):
    """A chip on the line, or the number of those that do not fit."""

    chip: int
    text: str
    is_rest: bool = False


class ChipLine(Bar, can_focus=True):
    """Shows the chips of a view, and is there only while it has some.

    Those that do not fit are counted at the end, "+2"; the cursor and a click there move on to them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.CHIPS)]

    @dataclass
    class Switched(Message):
        """A chip is to be switched off, or on again."""

        index: int

    @dataclass
    class Dropped(Message):
        """A chip is to be taken away."""

        index: int

    def __init__(self) -> None:
        super().__init__(id="chips")
        self.display = False
        self._chips: tuple[Chip, ...] = ()
        self._texts: tuple[str, ...] = ()
        self._is_lifted = False
        self._first = 0
        self.cursor = 0

    def show(self, chips: Sequence[Chip], *, is_lifted: bool) -> None:
        if (chips, is_lifted) == (self._chips, self._is_lifted):
            return
        self._chips, self._is_lifted = tuple(chips), is_lifted
        self._texts = _texts(self._chips) if chips else ()
        self.cursor = max(0, min(self.cursor, len(chips) - 1))
        self._first = min(self._first, self.cursor)
        if self.display != bool(chips):
            self.display = bool(chips)
            if self.has_focus and not chips:
                self.post_message(self.Pressed("go-to-list"))
        self.refresh()

    def line(self, width: int) -> Line:
        pieces = [Piece(" ")]
        for placed in self._placed(width):
            if placed.is_rest:
                pieces.append(Piece(placed.text, Role.QUIET))
                continue
            is_on = self._chips[placed.chip].is_on and not self._is_lifted
            is_current = self.has_focus and placed.chip == self.cursor
            role = Role.CURSOR if is_current else Role.BUTTON if is_on else Role.QUIET
            pieces += [
                Piece(f"{_MARKS[is_on]} {placed.text}", role),
                Piece(_CROSS, Role.QUIET),
                Piece(_GAP),
            ]
        return tuple(pieces)

    def _placed(self, width: int) -> list[_Placed]:
        placed: list[_Placed] = []
        x = 1
        for index in range(self._first, len(self._texts)):
            text = self._texts[index]
            rest = len(self._texts) - index
            end = x + _chip_cells(text)
            room = width if rest == 1 else width - len(f"+{rest - 1}")
            if end > room and placed:
                return [*placed, _Placed(index, f"+{rest}", is_rest=True)]
            placed.append(_Placed(index, text))
            x = end
        # Those before the first are reached again from here.
        return [*placed, _Placed(0, f"+{self._first}", is_rest=True)] if self._first else placed

    def _go_to(self, index: int) -> None:
        self.cursor = max(0, min(index, len(self._chips) - 1))
        self._first = min(self._first, self.cursor)
        while self._first < self.cursor and not any(
            placed.chip == self.cursor and not placed.is_rest for placed in self._placed(self.size.width)
        ):
            self._first += 1
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        x = 1
        for placed in self._placed(self.size.width):
            if placed.is_rest:
                if x <= event.x < x + len(placed.text):
                    self._first = placed.chip
                    self._go_to(placed.chip)
                return
            end = x + _chip_cells(placed.text)
            if event.x < end - len(_GAP):
                self.cursor = placed.chip
                is_cross = event.x >= end - len(_GAP) - len(_CROSS)
                self.post_message((self.Dropped if is_cross else self.Switched)(placed.chip))
                return
            x = end

    def action_chip(self, by: int) -> None:
        self._go_to(self.cursor + by)

    def action_switch_chip(self) -> None:
        self.post_message(self.Switched(self.cursor))

    def action_drop_chip(self) -> None:
        self.post_message(self.Dropped(self.cursor))

    def action_leave_chips(self) -> None:
        self.post_message(self.Pressed("go-to-list"))


def _texts(chips: Sequence[Chip]) -> tuple[str, ...]:
    # Imported with the first chip: 5 ms of the start.
    from audit_tui.core.query_line.text import line_of

    return tuple(fit_at_most(line_of(chip.filter), MAX_CELLS) for chip in chips)


def _chip_cells(text: str) -> int:
    """Return the cells that a chip takes, with the gap behind it."""
    return 2 + cell_len(text) + len(_CROSS) + len(_GAP)
