"""The events as they lie in the file, and their leaves made again."""

from __future__ import annotations

import struct
import sys
from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.evidence.leaf import EncodedValues, Encodings, Form, column_bytes, make_leaves
from audit_tui.core.evidence.merkle import BLOCK_LEAVES, HASH_BYTES
from audit_tui.store.tables.schema import ALL_NAME_TABLES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

_ROWS = """
SELECT seq, occurred_us, key, event_id, category_id, user_id, description, outcome, severity, source_ip,
    target, source_id, metadata, original
FROM events NOT INDEXED WHERE seq BETWEEN ? AND ? ORDER BY seq
"""
_NO_NAME = (-2, b"")
"""A name that does not exist: no length of a record is below -1."""
_LONG_NAME = (-3, b"")
"""A name that is not hashed with a whole block: of events that all have it, it would be hashed for each."""
LONG_BYTES = 64 * 1024
MAX_MISSES = 4
"""Events with a long name that match in no form before the name itself is taken to be altered: to hash 30 MB
for each of a thousand events takes 25 s."""
_NAME_NUMBERS = itemgetter(3, 4, 5, 11)
"""Of event, category, user and source in a row."""
NOT_A_ROW = (struct.error, TypeError, AttributeError, OverflowError)
"""Raised where a row holds what no row of a whole file holds."""


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


class _NameBytes(EncodedValues):
    """The encodings of a table's names, by number, read when asked for; ``_LONG_NAME`` of long ones."""

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        super().__init__()
        self._connection = connection
        self._find = f"SELECT name FROM {table} WHERE id = ?"  # noqa: S608 - our own table names
        self.misses: Counter[Any] = Counter()
        """By number, how many events with this long name were not as they were sealed."""

    def _encode(self, value: Any) -> tuple[int, bytes]:  # noqa: ANN401 - as it lies in the file
        encoded = self._read(value)
        return _LONG_NAME if encoded[0] > LONG_BYTES else encoded

    def whole(self, value: Any) -> tuple[int, bytes]:  # noqa: ANN401 - as it lies in the file
        """Return the encoding of a name of any length; long ones are read each time."""
        encoded = self[value]
        return self._read(value) if encoded is _LONG_NAME else encoded

    def _read(self, value: Any) -> tuple[int, bytes]:  # noqa: ANN401 - as it lies in the file
        if value is None:
            return column_bytes(None)
        row = self._connection.execute(self._find, (value,)).fetchone()
        return _NO_NAME if row is None else column_bytes(row[0])


class Content:
    """Reads events for checking.

    Args:
        connection: Gives texts as bytes.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        events, categories, users, sources = (
            _NameBytes(connection, names.table) for names in ALL_NAME_TABLES
        )
        self.names = (events, categories, users, sources)
        """The tables of names; ``whole`` gives one of any length."""
        self.encodings = Encodings(events, categories, users, sources, EncodedValues())

    def forget_names(self) -> None:
        """Read the names again: in another snapshot they may be others, if somebody changed them."""
        for names in self.names:
            names.clear()
            names.misses.clear()

    def rows(self, first_seq: int, last_seq: int) -> list[FileRow]:
        """Return the events with these numbers, in their order."""
        return list(map(FileRow._make, self.stream(first_seq, last_seq)))

    def stream(self, first_seq: int, last_seq: int) -> Iterator[tuple[Any, ...]]:
        """Yield the same one by one, without the names of the columns, which cost 0.4 µs a row.

        A row may hold 64 MB, so a block of them is never in memory at once.
        """
        return iter(self.connection.execute(_ROWS, (first_seq, last_seq)))

    def leaves(self, rows: Sequence[Sequence[Any]], form: Form) -> list[bytes]:
        """Make the leaves of rows in a form; none where one holds what no row of a whole file does.

        Those of rows with long names are wrong: ``form_of`` takes them one by one.
        """
        return self._leaves(rows, form, self.encodings)

    def _leaves(self, rows: Sequence[Sequence[Any]], form: Form, encodings: Encodings) -> list[bytes]:
        try:
            return make_leaves(rows, encodings, form)
        except NOT_A_ROW:
            return []

    def form_of(self, row: Sequence[Any], leaf: bytes) -> Form | None:
        """Return the form in which a row has this leaf; None when it has in no form."""
        names = list(zip(self.names, _NAME_NUMBERS(row), strict=True))
        long = [(table, number) for table, number in names if table[number] is _LONG_NAME]
        if any(table.misses[number] >= MAX_MISSES for table, number in long):
            return None
        encodings = self.encodings
        if long:
            events, categories, users, sources = ({number: table.whole(number)} for table, number in names)
            encodings = Encodings(events, categories, users, sources, encodings.values)
        form = next((form for form in Form if self._leaves((row,), form, encodings) == [leaf]), None)
        for table, number in long:
            # A name that matched once is what was sealed.
            table.misses[number] = table.misses[number] + 1 if form is None else -sys.maxsize
        return form

    def texts(self, row: FileRow) -> FileRow:
        """Return a row with its names in the places of their numbers."""
        event, category, user, source = (
            None if number is None else names.whole(number)[1]
            for names, number in zip(self.names, _NAME_NUMBERS(row), strict=True)
        )
        values: dict[str, Any] = {"event_id": event, "category_id": category, "user_id": user}
        values["source_id"] = source
        return row._replace(**values)


def sealed_leaf(connection: sqlite3.Connection, seq: int) -> bytes | None:
    """Return the leaf with which an event was sealed; None when there is none."""
    block, place = divmod(seq - 1, BLOCK_LEAVES)
    row = connection.execute(
        "SELECT substr(leaves, ?, ?) FROM seal_block WHERE block = ?",
        (place * HASH_BYTES + 1, HASH_BYTES, block),
    ).fetchone()
    return row[0] if row is not None and isinstance(row[0], bytes) and len(row[0]) == HASH_BYTES else None
