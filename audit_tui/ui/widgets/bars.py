"""The line above the list and the two below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from audit_tui.core.evidence.sealed import SealState, SealStatus
from audit_tui.core.text import clean
from audit_tui.ui.commands import COMMANDS
from audit_tui.ui.widgets.painter import ROLES, Line, Piece, Role, command_at, fit, fit_at_most, paint, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.strip import Strip
    from textual.timer import Timer

    from audit_tui.core.query import RowCount
    from audit_tui.ui.keymap import Keymap

NOTICE_S = 4.0
STANDING_S = 20.0
_GAP = "   "


class Bar(Widget):
    """A line of pieces; a click on one with a command runs it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = ROLES

    @dataclass
    class Pressed(Message):
        """A piece with a command was clicked, or a widget asks for an action of the screen."""

        command: str

    def line(self, width: int) -> Line:
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        return paint(self, self.line(self.size.width), self.size.width)

    def on_click(self, event: events.Click) -> None:
        if command := command_at(self.line(self.size.width), event.x):
            self.post_message(self.Pressed(command))


class TopLine(Bar):
    """The store, the buttons, the filter in words, the zone.

    One widget that draws it all: five of them cost 20 ms of the start.
    """

    def __init__(self, store_name: str) -> None:
        super().__init__(id="top")
        self._store_name = clean(store_name)
        self._buttons = ("Filter", "")
        self._applied = ""
        self._zone = ""
        self._command = ""

    def rename(self, store_name: str) -> None:
        self._store_name = clean(store_name)
        self.refresh()

    def show(
        self, *, filter_count: int, range_words: str, applied: str, zone: str, command: str = "filter"
    ) -> None:
        self._command = command
        self._buttons = (f"Filter ({filter_count})" if filter_count else "Filter", clean(range_words))
        self._applied = clean(applied)
        self._zone = clean(zone)
        self.refresh()

    def line(self, width: int) -> Line:
        filter_words, range_words = self._buttons
        head = (
            Piece(f" {fit_at_most(self._store_name, width // 3)}  ", Role.TITLE),
            Piece(f" {filter_words} ", Role.BUTTON, "filter"),
            Piece(" "),
            Piece(f" {range_words} ", Role.BUTTON, "time-range"),
            Piece(" "),
        )
        zone = f" {self._zone} "
        room = max(0, width - sum(cell_len(piece.text) for piece in head) - cell_len(zone))
        applied = Piece(fit(f" {self._applied}" if room > 3 else "", room), Role.VALUE, self._command)
        return (*head, applied, Piece(zone, Role.QUIET, "zone"))


class StatusLine(Bar):
    """The row of how many, the order, what there is to say, and the seal, each with its place."""

    order_words: reactive[str] = reactive("")
    waiting_words: reactive[str] = reactive("")
    """Tell what takes long; empty when nothing does, as the others."""
    selection_words: reactive[str] = reactive("")
    match_words: reactive[str] = reactive("")
    """Tell which of several matches the cursor stands on."""
    progress_words: reactive[str] = reactive("")
    """Tell how far it is with what comes in."""

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(id="status")
        self._keymap = keymap
        self._place = ""
        self._place_cells = 0
        """With them, what follows stays where it is when the place gets another digit."""
        self._seal = SealStatus(SealState.CHECKING)
        self._notice = ""
        self._standing = ""
        self._timer: Timer | None = None
        self._standing_timer: Timer | None = None

    def show_place(self, row: int, count: RowCount) -> None:
        number = f"{count.value:,}" if count.exact else f"at least {count.value:,}"
        place = f"{row + 1:,} of {number}" if count.value else "no events" if count.exact else "reading…"
        if place != self._place:
            self._place = place
            self._place_cells = max(cell_len(place), 2 * len(number) + len(" of "))
            self.refresh()

    def show_seal(self, status: SealStatus) -> None:
        self._seal = status
        self.refresh()

    def show_standing(self, words: str, short: str = "") -> None:
        """Say what holds for longer of the store; an empty text when nothing does."""
        self._standing = clean(words)
        if self._standing_timer is not None:
            self._standing_timer.stop()
            self._standing_timer = None
        if words:
            self._standing_timer = self.set_timer(STANDING_S, lambda: self.show_standing("", short))
        elif short:
            self._standing = clean(short)
        self.refresh()

    def say(self, words: str) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(NOTICE_S, lambda: self._show_notice(""))
        self._show_notice(clean(words))

    def _show_notice(self, words: str) -> None:
        self._notice = words
        self.refresh()
        self.screen.query_one(KeyLine).show_rest(self._lines(self.size.width)[1:])

    def _lines(self, width: int) -> list[str]:
        return list(wrap(self._notice, width - 2)) if self._notice == self.words else []

    @property
    def words(self) -> str:
        """Return what is said now: what was done, else what is going on, else what holds for longer."""
        now = self.waiting_words or self._notice or self.selection_words or self.match_words
        return now or self._broken_words() or self.progress_words or self._standing

    def _broken_words(self) -> str:
        if self._seal.state is not SealState.BROKEN:
            return ""
        return f"{self._seal.words.capitalize()}: {self._keymap.key_of('seal')} explains"

    def _seal_words(self) -> tuple[str, str]:
        match self._seal.state:
            case SealState.CHECKING:
                return "", ""
            case SealState.HOLDS:
                return self._seal.words, "sealed ✓"
            case SealState.BROKEN:
                return "seals broken !", "broken !"
            case SealState.UNSEALED | SealState.OLDER:
                return self._seal.words, self._seal.words

    def line(self, width: int) -> Line:
        place = f" {self._place}"
        long_seal, seal = self._seal_words()
        room = width - cell_len(place) - 1
        notice = self.words
        if seal and cell_len(seal) + len(_GAP) + 10 * bool(notice) > room:
            seal = ""
        rest = room - (cell_len(seal) + len(_GAP) if seal else 0)
        now = self.waiting_words or self._notice
        if notice == now and cell_len(now) > rest - len(_GAP):
            # For a moment it matters more than all else here; what is left stands in the line of keys.
            return (Piece(" "), Piece(fit_at_most((self._lines(width) or [now])[0], width - 2), Role.LABEL))
        notice = fit_at_most(notice, max(0, rest - len(_GAP)))
        rest -= cell_len(notice) + len(_GAP) if notice else 0
        order = f"{_GAP}{self.order_words}" if cell_len(self.order_words) + len(_GAP) <= rest else ""
        rest -= cell_len(order)
        spare = min(rest, self._place_cells - cell_len(self._place))
        rest -= spare
        if seal and cell_len(long_seal) - cell_len(seal) <= rest:
            rest -= cell_len(long_seal) - cell_len(seal)
            seal = long_seal
        is_broken = self._seal.state is SealState.BROKEN
        return (
            Piece(place + " " * spare),
            Piece(order, Role.QUIET),
            Piece(" " * max(0, rest) + (_GAP if notice else "")),
            Piece(notice, Role.FAILURE if is_broken and notice == self._broken_words() else Role.LABEL),
            Piece(_GAP if seal else ""),
            Piece(seal, Role.FAILURE if is_broken else Role.QUIET, "seal"),
            Piece(" "),
        )


class KeyLine(Bar):
    """The keys that matter most here, at most seven; a click does what the key does."""

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(id="keys")
        self._keymap = keymap
        self._has_pane = False
        self._rest = ""

    def show_rest(self, lines: Sequence[str]) -> None:
        if (rest := " ".join(lines)) != self._rest:
            self._rest = rest
            self.refresh()

    def show_pane(self, *, is_open: bool) -> None:
        self._has_pane = is_open
        self.refresh()

    def line(self, width: int) -> Line:
        if self._rest:
            return (Piece(" "), Piece(fit_at_most(self._rest, width - 2), Role.LABEL))
        pieces = [Piece(" ")]
        x = 1
        for command in COMMANDS:
            key = self._keymap.first_key(command)
            is_other = self._has_pane and command.pane_line is not None
            word = command.pane_line if is_other else command.key_line
            if not key or not word:
                continue
            x += cell_len(key) + 1 + cell_len(word) + len(_GAP)
            if x - len(_GAP) > width:
                break
            pieces += [
                Piece(key, Role.KEY, command.id),
                Piece(f" {word}", Role.QUIET, command.id),
                Piece(_GAP, Role.QUIET),
            ]
        return tuple(pieces)
