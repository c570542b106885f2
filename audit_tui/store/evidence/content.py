"""The events as they lie in the file, and their leaves made again."""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.evidence.leaf import HEADER, MISSING, RECORD_VERSION, column_bytes
from audit_tui.core.evidence.merkle import LEAF_MARK
from audit_tui.store.tables.schema import ALL_NAME_TABLES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

MAX_REMEMBERED = 100_000
"""Names kept in memory per table; then it starts anew."""
_ROWS = """
SELECT seq, occurred_us, key, event_id, category_id, user_id, description, outcome, severity, source_ip,
    target, source_id, metadata, original
FROM events NOT INDEXED WHERE seq BETWEEN ? AND ? ORDER BY seq
"""
_NO_NAME = (-2, b"")
"""A name that is not there: no length of a record is below -1."""


class FileRow(NamedTuple):
    """A row of ``events`` as it lies in the file, texts as bytes; a damaged file may hold anything."""

    seq: int
    occurred_us: int
    key: bytes
    event_id: int
    category_id: int | None
    user_id: int | None
    description: bytes | None
    outcome: bytes
    severity: int | None
    source_ip: bytes | None
    target: bytes | None
    source_id: int | None
    metadata: bytes | None
    original: bytes | None


class _NameBytes(dict[int | None, tuple[int, bytes]]):
    """The length and the bytes of a table's names, by number, read when they are asked for."""

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        super().__init__()
        self._connection = connection
        self._find = f"SELECT name FROM {table} WHERE id = ?"  # noqa: S608 - our own table names

    def __missing__(self, number: int | None) -> tuple[int, bytes]:
        if number is None:
            return MISSING
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        found = self._connection.execute(self._find, (number,)).fetchone()
        made = self[number] = _NO_NAME if found is None else column_bytes(found[0])
        return made


class _ValueBytes(dict[Any, tuple[int, bytes]]):
    """The length and the bytes of values that come again and again."""

    def __missing__(self, value: Any) -> tuple[int, bytes]:  # noqa: ANN401 - as it lies in the file
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        made = self[value] = column_bytes(value)
        return made


class StoredNames(NamedTuple):
    """The names of a store in one snapshot, and other values that repeat."""

    events: _NameBytes
    categories: _NameBytes
    users: _NameBytes
    sources: _NameBytes
    values: _ValueBytes


class Content:
    """Reads events for checking.

    Args:
        connection: Gives texts as bytes.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        events, categories, users, sources = (_NameBytes(connection, one.table) for one in ALL_NAME_TABLES)
        self.names = StoredNames(events, categories, users, sources, _ValueBytes())

    def forget_names(self) -> None:
        """Read the names anew: in another snapshot they may be others, if somebody changed them."""
        for names in self.names:
            names.clear()

    def rows(self, first_seq: int, last_seq: int) -> list[FileRow]:
        """The events with these numbers, in their order."""
        return list(map(FileRow._make, self.raw_rows(first_seq, last_seq)))

    def raw_rows(self, first_seq: int, last_seq: int) -> list[tuple[Any, ...]]:
        """The same, without the names of the columns, which cost 0.4 µs a row."""
        return self.connection.execute(_ROWS, (first_seq, last_seq)).fetchall()


def stored_leaves(rows: Iterable[Sequence[Any]], names: StoredNames) -> list[bytes]:
    """The leaves of rows, as ``core.leaf.event_leaf`` makes them, at a third of its cost.

    Raises:
        struct.error, TypeError, AttributeError: If a row holds what no row of a whole file holds.
    """
    pack, join, hashed = HEADER.pack, b"".join, sha256
    events, categories, users, sources, values = names
    leaves = []
    for (seq, occurred_us, key, event, category, user, text, outcome, severity, source_ip, target, source,
         metadata, original) in rows:  # fmt: skip
        event_length, event_bytes = events[event]
        category_length, category_bytes = categories[category]
        user_length, user_bytes = users[user]
        outcome_length, outcome_bytes = values[outcome]
        severity_length, severity_bytes = values[severity]
        ip_length, ip_bytes = values[source_ip]
        source_length, source_bytes = sources[source]
        header = pack(
            LEAF_MARK, RECORD_VERSION, seq, occurred_us, len(key), event_length, category_length,
            user_length, -1 if text is None else len(text), outcome_length, severity_length, ip_length,
            -1 if target is None else len(target), source_length,
            -1 if metadata is None else len(metadata), -1 if original is None else len(original),
        )  # fmt: skip
        leaves.append(
            hashed(
                join(
                    (header, key, event_bytes, category_bytes, user_bytes, text or b"", outcome_bytes,
                     severity_bytes, ip_bytes, target or b"", source_bytes, metadata or b"",
                     original or b"")
                )
            ).digest()
        )  # fmt: skip
    return leaves


def stored_leaf(row: Sequence[Any], names: StoredNames) -> bytes:
    """The leaf of one row; empty when it holds what no row of a whole file holds."""
    try:
        return stored_leaves((row,), names)[0]
    except (struct.error, TypeError, AttributeError):
        return b""
