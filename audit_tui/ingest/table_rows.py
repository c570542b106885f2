"""Rows of a table as records."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import json_text
from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def row_records(name: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterator[Record | Reject]:
    """The records of the rows of a table.

    Args:
        name: What messages call the table.
        rows: The number of each row, and its values by column as SQLite gives them.
    """
    for number, row in rows:
        fields: dict[str, Any] = {}
        is_lossy = False
        for column, value in row.items():
            fields[column], is_same = _json_value(value)
            is_lossy = is_lossy or not is_same
        text = json_text(fields)
        if len(text) > MAX_RECORD_CHARS:
            yield Reject(name, number, None, "the row is longer than 16 MiB", text[:MAX_RECORD_CHARS])
        else:
            yield Record(fields, number, None, text, is_lossy)


def _json_value(value: object) -> tuple[Any, bool]:
    """A value of SQLite as JSON has it, and whether it is the same."""
    if isinstance(value, bytes):
        try:
            return value.decode(), True
        except UnicodeDecodeError:
            return f"base64:{base64.b64encode(value).decode()}", True
    if isinstance(value, float) and value - value != 0:
        return repr(value), False
    if isinstance(value, str) and not value.isascii():
        return value, not any("\udc80" <= character <= "\udcff" for character in value)
    return value, True
