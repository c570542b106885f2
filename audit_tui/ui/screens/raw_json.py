"""An event as JSON, whole: nothing is left out, however long it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from audit_tui.core.text import clean_visible
from audit_tui.ui.screens.text_dialog import TextDialog
from audit_tui.ui.widgets.painter import Line, Piece, wrap

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent

MAX_UNICODE_CHARS = 100_000
"""A longer value is shown with escapes for what is not ASCII: measuring each character takes 0.3 µs."""


def raw_json_dialog(event: AuditEvent) -> TextDialog:
    """The dialog with an event's JSON, as ``query --format json`` prints it, and its original if kept."""
    text = json.dumps(event.to_json(), indent=2, ensure_ascii=False)
    lines = text.split("\n")
    if event.original is not None:
        lines += ["", "original:", *event.original.decode("utf-8", "backslashreplace").split("\n")]
    return TextDialog(f"Event {event.seq:,}" if event.seq else "Event", lambda width: _wrapped(lines, width))


def _wrapped(lines: list[str], width: int) -> list[Line]:
    return [(Piece(part),) for line in lines for part in wrap(_shown(line), width)]


def _shown(line: str) -> str:
    if len(line) > MAX_UNICODE_CHARS and not line.isascii():
        line = line.encode("ascii", "backslashreplace").decode()
    # clean_visible cuts what is too long to clean at once; here nothing may be cut.
    step = MAX_UNICODE_CHARS // 2
    return "".join(clean_visible(line[start : start + step]) for start in range(0, len(line), step))
