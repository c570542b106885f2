"""An event as JSON, whole: nothing is left out, however long it is."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, Any, overload

from textual.message import Message
from textual.worker import get_current_worker

from audit_tui.core.text import clean_visible
from audit_tui.ui.screens.text_dialog import TextDialog
from audit_tui.ui.widgets.line_view import LineView
from audit_tui.ui.widgets.painter import Line, Piece, Role, wrap

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent

MAX_UNICODE_CHARS = 10_000
"""A longer line is shown with escapes for what is not ASCII, and broken at every width: then the place of
each row is known without a look at those before it."""
LARGE_CHARS = 100_000
"""An event of more text, or of more values, is laid out in a thread: 1 MB takes 50 ms."""
LARGE_VALUES = 5_000
MANY_CHARS = 1_000_000
"""A text of more is shown with escapes altogether: the cells of 10 MB of other scripts take 2 s to count."""
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)}
_LAYOUT = Lock()
"""Held while a text is made, so that those of dialogs that were left do not lie in memory together."""
WAITING: tuple[Line, ...] = ((Piece("Laying it out …", Role.QUIET),),)


def raw_json_dialog(event: AuditEvent) -> TextDialog:
    """The dialog with an event's JSON, as ``query --format json`` prints it, and its original if kept."""
    title = f"Event {event.number_words}".rstrip()
    if _is_large(event):
        return LargeJsonDialog(title, event)
    lines = _lines(event)
    return TextDialog(title, lambda width: Rows(lines, width))


class Rows(Sequence[Line]):
    """The rows that lines of text take at a width; each is made when it is drawn.

    Args:
        lines: The text, not yet clean.
        width: Cells for a row.
    """

    def __init__(self, lines: Sequence[str], width: int) -> None:
        self._lines = lines
        self._width = max(2, width)
        self._ends = array("Q", accumulate(map(self._rows_of, lines)))
        """Of each line the first row behind it."""
        self._place = -1
        self._parts: Sequence[str] = ()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        place = bisect_right(self._ends, index)
        row = index - (self._ends[place - 1] if place else 0)
        if len(self._lines[place]) > MAX_UNICODE_CHARS:
            return (Piece(self._lines[place][row * self._width : (row + 1) * self._width]),)
        if place != self._place:
            self._place, self._parts = place, list(wrap(clean_visible(self._lines[place]), self._width))
        return (Piece(self._parts[row]),)

    def _rows_of(self, line: str) -> int:
        if len(line) <= self._width and line.isascii() and line.isprintable():
            return 1
        if len(line) > MAX_UNICODE_CHARS:
            return -(-len(line) // self._width)
        return sum(1 for _ in wrap(clean_visible(line), self._width))


class LargeJsonDialog(TextDialog):
    """The same of an event that takes long to lay out: it opens at once, and is filled when that is done."""

    class LaidOut(Message):
        """The rows for a width are known."""

        def __init__(self, rows: Rows, width: int) -> None:
            super().__init__()
            self.rows = rows
            self.width = width

    def __init__(self, title: str, event: AuditEvent) -> None:
        super().__init__(title, self._rows_for)
        self._event = event
        self._text: list[str] | None = None
        self._rows: Sequence[Line] = WAITING
        self._width = 0
        """The width that rows were asked for last."""

    def _rows_for(self, width: int) -> Sequence[Line]:
        if width != self._width:
            self._width = width
            self.run_worker(lambda: self._lay_out(width), group="layout", thread=True, exclusive=True)
        return self._rows

    def _lay_out(self, width: int) -> None:
        """In a thread: make the text once, and its rows; nothing for a width or a dialog that is gone."""
        worker = get_current_worker()
        with _LAYOUT:
            if not worker.is_cancelled and self._text is None:
                self._text = _lines(self._event)
            if not worker.is_cancelled:
                self.post_message(self.LaidOut(Rows(self._text or [], width), width))

    def on_large_json_dialog_laid_out(self, message: LaidOut) -> None:
        message.stop()
        if message.width == self._width:
            self._rows = message.rows
            self.query_one(LineView).show(self._rows_for, keep_place=True)


def _lines(event: AuditEvent) -> list[str]:
    text = json.dumps(event.to_json(), indent=2, ensure_ascii=False)
    if event.original is not None:
        text += f"\n\noriginal:\n{event.original.decode('utf-8', 'backslashreplace')}"
    if len(text) > MANY_CHARS and not text.isascii():
        text = _escaped(text)
    # clean_visible cuts what is too long to clean at once; here nothing may be cut.
    return [
        _escaped(line).translate(_CONTROLS)
        if len(line) > MAX_UNICODE_CHARS and not (line.isascii() and line.isprintable())
        else line
        for line in text.split("\n")
    ]


def _escaped(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def _is_large(event: AuditEvent) -> bool:
    chars, values = len(event.original or b"") + len(event.description or "") + len(event.target or ""), 0
    waiting: list[Any] = [event.metadata]
    while waiting and chars <= LARGE_CHARS and values <= LARGE_VALUES:
        value = waiting.pop()
        values += 1
        if isinstance(value, str):
            chars += len(value)
        elif isinstance(value, dict):
            values += len(value)
            waiting += [*value.values()][:LARGE_VALUES]
            chars += sum(map(len, [*value][:LARGE_VALUES]))
        elif isinstance(value, list):
            values += len(value)
            waiting += value[:LARGE_VALUES]
    return chars > LARGE_CHARS or values > LARGE_VALUES
