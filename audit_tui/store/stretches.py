"""Segments of consecutive seqs in two tables: what the columns and the text index have in common.

A segment covers the seqs between two multiples of its size, so an append knows by its own seqs which
segments it completes, and nothing needs to be remembered between transactions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.record import Record

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from audit_tui.store.tables.rows import Draft, StoredRow


class Stretch(NamedTuple):
    """Consecutive seqs, both ends inside."""

    first_seq: int
    last_seq: int


class SegmentTables(Record):
    """Two tables that may be missing: the segments, and what is stored of each.

    Every statement runs inside the caller's transaction.
    """

    segments: str
    """The table with a row a segment."""
    parts: str
    """The table with a row for each part of a segment."""
    places: int
    """Numbers that a seq has for its parts."""
    statements: tuple[str, ...]
    """What makes the tables."""

    def create(self, connection: sqlite3.Connection) -> None:
        """Make the tables where they are missing."""
        for statement in self.statements:
            connection.execute(statement)

    def drop(self, connection: sqlite3.Connection) -> None:
        """Take the tables away."""
        for table in (self.segments, self.parts):
            connection.execute(f"DROP TABLE IF EXISTS {table}")

    def are_there(self, connection: sqlite3.Connection) -> bool:
        """Whether both tables are there."""
        found = connection.execute(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (?, ?)",
            (self.segments, self.parts),
        ).fetchone()
        return bool(found[0] == 2)

    def place_of(self, first_seq: int, part: int) -> int:
        """The row that holds a part of a segment."""
        return first_seq * self.places + part

    def places_of(self, first_seq: int) -> tuple[int, int]:
        """The first and the last row that the parts of a segment can have."""
        return self.place_of(first_seq, 0), self.place_of(first_seq + 1, 0) - 1

    def ends(self, connection: sqlite3.Connection) -> dict[int, int]:
        """The last seq of each segment by its first; nothing where the tables are missing."""
        if not self.are_there(connection):
            return {}
        return dict(connection.execute(f"SELECT first_seq, last_seq FROM {self.segments}").fetchall())  # noqa: S608 - our own names

    def holding(self, connection: sqlite3.Connection, seqs: Iterable[int]) -> list[Stretch]:
        """The segments that hold these seqs."""
        before = (
            f"SELECT first_seq, last_seq FROM {self.segments} WHERE first_seq <= ?"  # noqa: S608 - as above
            " ORDER BY first_seq DESC LIMIT 1"
        )
        found: list[Stretch] = []
        for seq in sorted(seqs):
            if found and seq <= found[-1].last_seq:
                continue
            row = connection.execute(before, (seq,)).fetchone()
            if row is not None and row[1] >= seq:
                found.append(Stretch(*row))
        return found

    def remove(self, connection: sqlite3.Connection, stretch: Stretch) -> None:
        """Take away the segments that begin in a stretch."""
        connection.execute(f"DELETE FROM {self.segments} WHERE first_seq BETWEEN ? AND ?", stretch)  # noqa: S608 - as above
        connection.execute(
            f"DELETE FROM {self.parts} WHERE place BETWEEN ? AND ?",  # noqa: S608 - as above
            (self.place_of(stretch.first_seq, 0), self.place_of(stretch.last_seq + 1, 0) - 1),
        )

    def outstanding(self, connection: sqlite3.Connection, size: int, least_rest: int) -> list[Stretch]:
        """The segments to build so that all events are in one, but for a few at the end.

        Args:
            connection: The store.
            size: How many seqs a segment covers.
            least_rest: How many events at the end, that make no whole segment, are worth a short one.
        """
        newest, there = newest_seq(connection), self.ends(connection)
        whole = [stretch_of(number, size) for number in range(newest // size)]
        found = [stretch for stretch in whole if there.get(stretch.first_seq) != stretch.last_seq]
        rest = Stretch(newest // size * size + 1, newest)
        if newest - there.get(rest.first_seq, rest.first_seq - 1) >= least_rest:
            found.append(rest)
        return found


class SegmentKeeper:
    """Keeps segments in step with the events; a companion of the writer.

    Args:
        tables: Where they lie.
        build: Writes the segment of a stretch, in place of any that begins there.
        size: How many seqs a segment covers.
    """

    def __init__(
        self, tables: SegmentTables, build: Callable[[sqlite3.Connection, Stretch], None], size: int
    ) -> None:
        self._tables = tables
        self._build = build
        self._size = size

    def on_append(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Write the segments that these rows complete."""
        complete = range((rows[0].seq - 1) // self._size, rows[-1].seq // self._size)
        if complete and self._tables.are_there(connection):
            for number in complete:
                self._build(connection, stretch_of(number, self._size))

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None:
        """Take away the segments that hold these rows; until they are built again, the rows are read."""
        if self._tables.are_there(connection):
            for stretch in self._tables.holding(connection, [row.seq for row in rows]):
                self._tables.remove(connection, stretch)

    def on_replace(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Build the segments of these rows, which took the places of others."""
        if self._tables.are_there(connection):
            newest = newest_seq(connection)
            for number in sorted({(row.seq - 1) // self._size for row in rows}):
                first, last = stretch_of(number, self._size)
                self._build(connection, Stretch(first, min(last, newest)))

    def forget(self) -> None:
        """Nothing is remembered between transactions."""


def stretch_of(number: int, size: int) -> Stretch:
    """The seqs that a whole segment covers.

    Args:
        number: Which segment, from 0.
        size: How many seqs each covers.
    """
    return Stretch(number * size + 1, (number + 1) * size)


def newest_seq(connection: sqlite3.Connection) -> int:
    """The number of the event appended last; 0 in an empty store."""
    return int(connection.execute("SELECT max(seq) FROM events").fetchone()[0] or 0)
