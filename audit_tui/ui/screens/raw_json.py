"""An event as JSON, whole: nothing is left out, however long it is."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import chain, islice
from threading import Lock
from typing import TYPE_CHECKING, Any, overload

from textual.worker import get_current_worker

from audit_tui.core.json_encoding import PIECE_CHARS, indented_json
from audit_tui.core.text import clean_visible
from audit_tui.ui.screens.text_dialog import TextDialog
from audit_tui.ui.widgets.line_view import LineView
from audit_tui.ui.widgets.painter import Line, Piece, Role, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from audit_tui.core.event import AuditEvent

MAX_UNICODE_CHARS = 10_000
"""A longer line is shown with escapes for what is not ASCII, and broken at every width: then the place of
each row is known without a look at those before it."""
LARGE_CHARS = 100_000
"""An event of more text, or of more values, is laid out in a thread: 1 MB takes 50 ms."""
LARGE_VALUES = 5_000
MANY_CHARS = 1_000_000
"""From there on a text is shown with escapes: the cells of 10 MB of other scripts take 2 s to count."""
_BLOCK_CHARS = 8_192
FIRST_LINES = 20
"""Shown each as it is made: a huge one may follow."""
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)}
_LAYOUT = Lock()
"""Held while a text is made, so that those of dialogs that were left do not lie in memory together."""
WAITING: Line = (Piece("Laying it out …", Role.QUIET),)


def raw_json_dialog(event: AuditEvent) -> TextDialog:
    """The dialog with an event's JSON, as ``query --format json`` prints it, and its original if kept."""
    title = f"Event {event.number_words}".rstrip()
    if _is_large(event):
        return LargeJsonDialog(title, event)
    blocks = [*_blocks(event)]
    return TextDialog(title, lambda width: Rows(blocks, width))


class Rows(Sequence[Line]):
    """The rows that blocks of text take at a width; each is made when it is drawn.

    Args:
        blocks: Lines of text, not yet clean; a long line is a block of its own.
        width: Cells for a row.
    """

    def __init__(self, blocks: Iterable[str], width: int) -> None:
        self._blocks: list[str] = []
        self._width = max(2, width)
        self._ends = array("Q")
        self._shown: tuple[int, Sequence[str]] = (-1, ())
        self.is_whole = True
        """False while more blocks come: the last row says so."""
        for block in blocks:
            self.add(block)

    def add(self, block: str) -> None:
        """Add a block behind the others; also while rows are drawn in another thread."""
        self._blocks.append(block)
        self._ends.append((self._ends[-1] if self._ends else 0) + self._rows_of(block))

    def clear(self) -> None:
        self._ends, self._blocks, self._shown = array("Q"), [], (-1, ())

    def __len__(self) -> int:
        return (self._ends[-1] if self._ends else 0) + (not self.is_whole)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        place = bisect_right(self._ends, index)
        if place == len(self._ends):
            if self.is_whole or index < 0:
                raise IndexError(index)
            return WAITING
        row = index - (self._ends[place - 1] if place else 0)
        block = self._blocks[place]
        if len(block) > MAX_UNICODE_CHARS:
            return (Piece(block[row * self._width : (row + 1) * self._width]),)
        if place != self._shown[0]:
            self._shown = place, self._made(block)
        return (Piece(self._shown[1][row]),)

    def _rows_of(self, block: str) -> int:
        if len(block) > MAX_UNICODE_CHARS:
            return -(-len(block) // self._width)
        lines = block.split("\n")
        if block.isascii() and max(map(len, lines)) <= self._width and "".join(lines).isprintable():
            return len(lines)
        return len(self._made(block))

    def _made(self, block: str) -> Sequence[str]:
        return [part for line in block.split("\n") for part in wrap(clean_visible(line), self._width)]


class LargeJsonDialog(TextDialog):
    """The same of an event that takes long to lay out: it opens at once, and is filled as that is done."""

    def __init__(self, title: str, event: AuditEvent) -> None:
        super().__init__(title, self._rows_for)
        self._blocks: list[str] = []
        self._more = _blocks(event)
        self._rows = Rows((), 0)
        self._rows.is_whole = False
        self._width = 0

    def on_unmount(self) -> None:
        # What is left of a dialog may lie about for long, and must not keep the event.
        self._rows.clear()
        self._blocks, self._more = [], iter(())

    def _rows_for(self, width: int) -> Sequence[Line]:
        if width != self._width:
            self._width = width
            self._rows = rows = Rows((), width)
            rows.is_whole = False
            self.run_worker(lambda: self._lay_out(rows), group="layout", thread=True, exclusive=True)
        return self._rows

    def _lay_out(self, rows: Rows) -> None:
        """In a thread: make the text once, and its rows, until the width changes or the dialog is gone."""
        worker = get_current_worker()
        with _LAYOUT:
            told_rows = 0
            for block in chain(tuple(self._blocks), self._made()):
                if worker.is_cancelled:
                    return
                rows.add(block)
                if len(rows) <= FIRST_LINES or len(rows) >= 2 * told_rows:
                    # Then so seldom that telling it takes no time.
                    told_rows = len(rows)
                    self.call_later(self._show_more)
            rows.is_whole = True
            self.call_later(self._show_more)

    def _made(self) -> Iterator[str]:
        for block in self._more:
            self._blocks.append(block)
            yield block

    def _show_more(self) -> None:
        self.query_one(LineView).show(self._rows_for, keep_place=True)


def _blocks(event: AuditEvent) -> Iterator[str]:
    """The lines of an event in blocks of at most MAX_UNICODE_CHARS; a longer line alone, as it is shown."""
    lines: list[str] = []
    chars = 0
    for number, line in enumerate(_lines(_pieces(event))):
        if lines and (chars + len(line) > _BLOCK_CHARS or number <= FIRST_LINES):
            yield "\n".join(lines)
            lines, chars = [], 0
        lines.append(line)
        chars += len(line) + 1
    if lines:
        yield "\n".join(lines)


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    parts: list[str] = []
    chars = 0
    for piece in pieces:
        chars += len(piece)
        first, *others = (_escaped(piece) if chars > MANY_CHARS else piece).split("\n")
        parts.append(first)
        for line in others:
            yield _line(parts)
            parts = [line]
    yield _line(parts)


def _line(parts: Sequence[str]) -> str:
    """Put a line together: clean_visible cuts what is too long to clean at once; here nothing may be cut."""
    if sum(map(len, parts)) <= MAX_UNICODE_CHARS:
        return "".join(parts)
    return "".join(
        part if part.isascii() and part.isprintable() else _escaped(part).translate(_CONTROLS)
        for part in parts
    )


def _pieces(event: AuditEvent) -> Iterator[str]:
    yield from indented_json(event.to_json())
    if event.original is not None:
        yield "\n\noriginal:\n"
        text = event.original.decode("utf-8", "backslashreplace")
        yield from (text[start : start + PIECE_CHARS] for start in range(0, len(text), PIECE_CHARS))


def _escaped(text: str) -> str:
    return text if text.isascii() else text.encode("ascii", "backslashreplace").decode()


def _is_large(event: AuditEvent) -> bool:
    chars, values = len(event.original or b"") + len(event.description or "") + len(event.target or ""), 0
    waiting: list[Any] = [event.metadata]
    while waiting and chars <= LARGE_CHARS and values <= LARGE_VALUES:
        value = waiting.pop()
        values += 1
        if isinstance(value, str):
            chars += len(value)
        elif isinstance(value, dict | list):
            values += len(value)
            waiting += islice(value.values() if isinstance(value, dict) else value, LARGE_VALUES)
            if isinstance(value, dict):
                chars += sum(map(len, islice(value, LARGE_VALUES)))
    return chars > LARGE_CHARS or values > LARGE_VALUES
