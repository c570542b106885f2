"""Logs of one event a line, which a vendor's own code takes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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


def named_records(
    text: LogText, names_in: Callable[[str], list[str] | None], kind: str, names: Sequence[str] = ()
) -> Iterator[Record | Reject]:
    """Return the records of a log, one of whose lines names what those below it hold.

    Args:
        text: The log.
        names_in: Gives the names in a line, none where it tells something else of the log; None of a record.
        kind: The format, as the reason of a reject names it.
        names: Of a log without such a line.
    """

    def fields_of(line: str) -> Fields | None:
        nonlocal names
        if (named := names_in(line)) is not None:
            names = named or names
            return {}
        values = line.split("\t") if "\t" in line else line.split(" ")
        if len(values) != len(names):
            return None
        return {name: value for name, value in zip(names, values, strict=True) if value != "-"}

    for record in line_records(text, fields_of, kind):
        if isinstance(record, Reject) or record.fields:
            yield record


def has_no_text(line: str) -> bool:
    """Tell whether a line holds bytes that are not UTF-8."""
    return not line.isascii() and any("\udc80" <= letter <= "\udcff" for letter in line)
