"""Events of Windows in lines of syslog, as Snare and its like write them: parts with tabs between them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from audit_tui.formats.record import Format, RecordError
from audit_tui.formats.values import NO_NAMES

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent

_SIGN = "MSWinEventLog"
_APART = re.compile(r"\t|#011|\s{2,}")
_NAMES = (
    "",
    "",
    "Channel",
    "RecordNumber",
    "EventTime",
    "EventID",
    "SourceName",
    "AccountName",
    "",
    "EventType",
)
_NUMBER, _COMPUTER = 5, 10
_DIGITS = 4
"""Of the numbers since Windows Vista; the messages of older ones say who in words of their own."""
_MESSAGE = 12
"""The part from which on the vendor's message stands, with what its lines were apart."""


@cache
def _windows() -> Format:
    from audit_tui.formats.vendor import vendor_format

    return vendor_format("windows")[1]


def event_of_snare(message: str) -> AuditEvent | None:
    """Return the event of Windows in a line; None where there is none. Its time is that of the line."""
    place = message.find(_SIGN)
    if place < 0:
        return None
    parts = [part.strip() for part in _APART.split(message[place:])]
    if len(parts) <= _COMPUTER or len(parts[_NUMBER]) < _DIGITS:
        return None
    fields = {
        name: part
        for name, part in zip(_NAMES, parts, strict=False)
        if name and part and part.lower() not in NO_NAMES
    }
    fields |= {"Hostname": parts[_COMPUTER], "Message": "\n".join(_lines(parts[_MESSAGE:]))}
    try:
        return _windows().map({**fields, "EventTime": "2000-01-01T00:00:00Z"})
    except RecordError:
        return None


def _lines(parts: list[str]) -> list[str]:
    """The lines of a message, a label and its value in one."""
    lines: list[str] = []
    for part in parts:
        if lines and lines[-1].endswith(":") and not part.endswith(":"):
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return lines
