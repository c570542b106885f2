"""Logs of one event a line, which a vendor's own code takes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audit_tui.formats.record import Fields, LogText


def line_records(
    text: LogText, fields_of: Callable[[str], Fields | None], kind: str
) -> Iterator[Record | Reject]:
    """Return the records of a log, and the lines that are none.

    Args:
        text: The log.
        fields_of: Gives the fields of a line without its end; None when it is not one of the format.
        kind: The format, as the reason of a reject names it.
    """
    number = 0
    for line in text.lines():
        number += bool(line)
        plain = line.rstrip("\r\n")
        if not plain or plain.isspace():
            continue
        fields = fields_of(plain) if len(plain) <= MAX_RECORD_CHARS else None
        if fields is None:
            yield Reject(text.name, number, None, f"it is not a line of {kind}", plain[:MAX_RECORD_CHARS])
        else:
            yield Record(fields, number, None, plain, has_no_text(plain))


def has_no_text(line: str) -> bool:
    """Tell whether a line holds bytes that are not UTF-8."""
    return not line.isascii() and any("\udc80" <= letter <= "\udcff" for letter in line)
