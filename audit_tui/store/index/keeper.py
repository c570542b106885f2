"""Keeping the index in step with the events: in their transaction, and in few large segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from audit_tui.store.index.cache import Cache
from audit_tui.store.index.fields import FIELDS, ROWS
from audit_tui.store.index.merging import MAX_SEGMENT, merge, move_values, restamp, write_rows
from audit_tui.store.index.segment import Moment, RowSegment, stored_values
from audit_tui.store.index.stored import HEADERS, StoredSegment, in_order
from audit_tui.store.tables.index_layout import REMOVALS
from audit_tui.store.tables.schema import EVENT_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from audit_tui.store.index.fields import IndexField
    from audit_tui.store.tables.rows import Draft, StoredRow

TAIL_EVENTS = 4_096
"""Up to this many events lie in no segment; a reader reads their rows, in 15 ms."""
BULK_TAIL_EVENTS = 32_768
"""The same while a log is imported: larger segments cost less."""
FANOUT = 8
"""This many segments of about one size become one."""
MAX_SMALL_MERGE = 400_000
"""A single append merges no more events than this: 100 ms."""
WORTH_MERGING = 8
"""After an import, what is newer is merged with a segment up to this many times as large."""
_PIECE = 4
"""A segment is made of up to this many times the rows that may lie in none."""
_CACHE_BYTES = 8 * 1024 * 1024

_COUNT_REMOVAL = (
    "INSERT INTO store_info (name, value) VALUES (?, '1')"
    " ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)"
)


class _Source:
    """Reads segments through a writer's connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement."""
        return self._connection.execute(statement, tuple(parameters)).fetchall()

    def stream(self, statement: str, parameters: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement."""
        return iter(self._connection.execute(statement, tuple(parameters)))


def segments_of(connection: sqlite3.Connection, cache: Cache | None = None) -> list[StoredSegment]:
    """Return the segments, for one transaction.

    Raises:
        StoreDamaged: If one cannot be.
    """
    source, cache = _Source(connection), cache or Cache(_CACHE_BYTES)
    return [StoredSegment(header, source, cache) for header in in_order(source.rows(HEADERS))]


def indexed_upto(connection: sqlite3.Connection) -> int:
    """Return the last seq that is in a segment; 0 without any."""
    newest = "SELECT ifnull(CAST(max(last_seq) AS INTEGER), 0) FROM index_segments"
    return int(connection.execute(newest).fetchone()[0])


def write_segment(
    connection: sqlite3.Connection,
    first_seq: int,
    last_seq: int,
    events: sqlite3.Connection | None = None,
) -> None:
    """Make the segment of these seqs from their rows.

    Args:
        connection: Where it is written.
        first_seq: Of the seqs.
        last_seq: Of the seqs, inside.
        events: Where the rows are; None reads them from where it writes.
    """
    segment = RowSegment(first_seq)
    cursor = (events or connection).execute(
        f"{ROWS} WHERE seq BETWEEN ? AND ? ORDER BY seq", (first_seq, last_seq)
    )
    while rows := cursor.fetchmany(TAIL_EVENTS):
        segment.add(rows)
    segment.finish(last_seq)
    write_rows(connection, segment)


def due(sizes: Sequence[int], least_events: int, most_events: int) -> tuple[int, int] | None:
    """Return which segments to merge next, from the first to the one behind the last; None for none.

    Args:
        sizes: Events of each segment, in the order of their seqs.
        least_events: Segments of about this many are the smallest.
        most_events: No more than this many are merged.
    """
    limit = least_events * FANOUT // 2
    while limit <= most_events:
        start = len(sizes)
        while start and sizes[start - 1] < limit:
            start -= 1
        if len(sizes) - start >= FANOUT and sum(sizes[start:]) <= most_events:
            return start, len(sizes)
        limit *= FANOUT
    return None


def worth_merging(sizes: Sequence[int]) -> tuple[int, int] | None:
    """Return which segments to merge after an import, as ``due`` does."""
    start, total = len(sizes), 0
    while start and sizes[start - 1] <= total * WORTH_MERGING + (total == 0) * MAX_SEGMENT:
        if total + sizes[start - 1] > MAX_SEGMENT:
            break
        start -= 1
        total += sizes[start]
    return (start, len(sizes)) if len(sizes) - start > 1 else None


class IndexKeeper:
    """The index as a companion of a writer.

    Args:
        tail_events: Up to this many events lie in no segment.
        most_events: No more than this many are merged in one append.
    """

    def __init__(self, tail_events: int = TAIL_EVENTS, most_events: int = MAX_SMALL_MERGE) -> None:
        self.tail_events, self.most_events = tail_events, most_events
        self._removed: set[int] = set()

    def on_append(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Write a segment where too many events are in none."""
        newest = rows[-1].seq
        # Not all that is missing: while another program makes the index again, that would be the whole store.
        for _ in range(2 + len(rows) // self.tail_events):
            if (reached := indexed_upto(connection)) + self.tail_events > newest:
                break
            self.catch_up(connection, newest, reached)

    def catch_up(
        self,
        connection: sqlite3.Connection,
        newest: int,
        reached: int,
        events: sqlite3.Connection | None = None,
    ) -> bool:
        """Write the segment that follows, and merge.

        Args:
            connection: In a transaction.
            newest: The number of the event appended last.
            reached: Up to which seq all is indexed.
            events: Where the rows are, if elsewhere.

        Returns:
            False when there are no such events any more: they were pruned.
        """
        next_seq = "SELECT min(seq) FROM events WHERE seq BETWEEN ? AND ?"
        (first,) = (events or connection).execute(next_seq, (reached + 1, newest)).fetchone()
        if first is None:
            return False
        write_segment(connection, first, min(newest, first + _PIECE * self.tail_events - 1), events)
        self._merge(connection)
        return True

    def _merge(self, connection: sqlite3.Connection) -> None:
        while True:
            segments = segments_of(connection)
            chosen = due([segment.events for segment in segments], self.tail_events, self.most_events)
            if chosen is None:
                return
            merge(connection, segments[slice(*chosen)])

    def compact(self, connection: sqlite3.Connection) -> None:
        """Merge what is worth it after an import."""
        segments = segments_of(connection)
        chosen = worth_merging([segment.events for segment in segments])
        if chosen is not None:
            merge(connection, segments[slice(*chosen)])

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None:
        """Do nothing: ``remove`` or ``replace`` does."""

    def on_replace(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Do nothing: ``replace`` does."""

    def forget(self) -> None:
        """Forget what was to be taken out."""
        self._removed = set()

    def remove(self, seqs: Iterable[int]) -> None:
        """Note events that are about to be deleted; ``flush`` takes them out."""
        self._removed.update(seqs)

    def replace(
        self, connection: sqlite3.Connection, before: Sequence[StoredRow], after: Sequence[StoredRow]
    ) -> None:
        """Give events the values that their new rows have; their times stay."""
        connection.execute(_COUNT_REMOVAL, (REMOVALS,))
        for segment in _holding(connection, [row.seq for row in before]):
            pairs = [
                (segment.place_of(Moment(old.occurred_us, old.seq)), old, new)
                for old, new in zip(before, after, strict=True)
                if segment.first_seq <= old.seq <= segment.last_seq
            ]
            for field in FIELDS:
                values = [(place, _value(field, old), _value(field, new)) for place, old, new in pairs]
                moves = [move for move in values if move[1] != move[2]]
                if moves:
                    move_values(connection, segment, field, moves)
            restamp(connection, segment)

    def flush(self, connection: sqlite3.Connection) -> None:
        """Take out the events that were removed in this transaction, whose rows are gone."""
        if not self._removed:
            return
        connection.execute(_COUNT_REMOVAL, (REMOVALS,))
        removed, self._removed = self._removed, set()
        for segment in _holding(connection, removed):
            places = segment.places(BitMap(removed))
            if places:
                merge(connection, [segment], {0: places})


def _holding(connection: sqlite3.Connection, seqs: Iterable[int]) -> list[StoredSegment]:
    """Return the segments that hold some of these seqs."""
    wanted = BitMap(seqs)
    return [
        segment
        for segment in segments_of(connection)
        if wanted.range_cardinality(segment.first_seq, segment.last_seq + 1)
    ]


_COLUMNS = {column: place for place, column in enumerate(EVENT_COLUMNS)}


def _value(field: IndexField, row: StoredRow) -> int | str | None:
    return next(iter(stored_values(field, (row[_COLUMNS[field.column]],))))
