"""Writing segments: as events are appended, anew where events were changed, and all of them at once.

A segment covers seqs between two multiples of its size, so an append knows by its own seqs which segments
it completes, and nothing needs to be remembered between transactions.
"""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.store.columns.coverage import Stretch
from audit_tui.store.segment_layout import (
    OUTCOMES,
    REMOVALS,
    SEGMENT_EVENTS,
    Column,
    create_tables,
    has_tables,
    pack,
    pack_times,
    place_of,
    places_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from audit_tui.store.rows import Draft, StoredRow

LEAST_REST = 2_048
"""So many events at the end of the store get a short segment when a writer closes: a reader takes 1 ms to
read 1,000 rows."""

ROWS = """
SELECT occurred_us, seq, event_id, ifnull(category_id, 0), ifnull(user_id, 0), outcome,
    CAST(source_ip AS BLOB)
FROM events NOT INDEXED WHERE seq BETWEEN ? AND ?
"""
_PUT_SEGMENT = "INSERT INTO segments (first_seq, last_seq, events, first_us, last_us) VALUES (?, ?, ?, ?, ?)"
_PUT_COLUMN = "INSERT INTO segment_columns (place, data) VALUES (?, ?)"
_COUNT_REMOVAL = (
    "INSERT INTO store_info (name, value) VALUES (?, '1')"
    " ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
)
Row: TypeAlias = tuple[int, int, int, int, int, str, bytes | None]
_NUMBERS = {name: number for number, name in enumerate(OUTCOMES)}


class SegmentBuilder:
    """Keeps the segments in step with the events; a companion of the writer.

    Args:
        segment_events: How many seqs a segment covers.
    """

    def __init__(self, segment_events: int = SEGMENT_EVENTS) -> None:
        self._size = segment_events

    def on_append(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Write the segments that these rows complete."""
        first, last = rows[0].seq, rows[-1].seq
        complete = range((first - 1) // self._size, last // self._size)
        if not complete or not has_tables(connection):
            return
        for number in complete:
            build(connection, _stretch(number, self._size))

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None:
        """Take away the segments that hold these rows; until they are built again, readers read the rows."""
        connection.execute(_COUNT_REMOVAL, (REMOVALS,))
        if has_tables(connection):
            for stretch in _holding(connection, [row.seq for row in rows]):
                _remove(connection, stretch)

    def on_replace(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Build the whole segments of these rows, which took the places of others."""
        if has_tables(connection):
            newest = _newest_seq(connection)
            for number in sorted({(row.seq - 1) // self._size for row in rows}):
                stretch = _stretch(number, self._size)
                if stretch.last_seq <= newest:
                    build(connection, stretch)

    def forget(self) -> None:
        """Nothing is remembered between transactions."""


def outstanding(
    connection: sqlite3.Connection, segment_events: int = SEGMENT_EVENTS, *, least_rest: int = LEAST_REST
) -> list[Stretch]:
    """The segments to build so that all events are in one, but for a few at the end.

    Args:
        connection: The store.
        segment_events: How many seqs a segment covers.
        least_rest: How many events at the end, that make no whole segment, are worth a short one.
    """
    newest = _newest_seq(connection)
    there: dict[int, int] = {}
    if has_tables(connection):
        there = dict(connection.execute("SELECT first_seq, last_seq FROM segments").fetchall())
    whole = [_stretch(number, segment_events) for number in range(newest // segment_events)]
    found = [stretch for stretch in whole if there.get(stretch.first_seq) != stretch.last_seq]
    rest = Stretch(newest // segment_events * segment_events + 1, newest)
    if newest - there.get(rest.first_seq, rest.first_seq - 1) >= least_rest:
        found.append(rest)
    return found


def build(connection: sqlite3.Connection, stretch: Stretch) -> None:
    """Write the segment of these seqs from the rows, in place of any that begins there."""
    rows = connection.execute(ROWS, stretch).fetchall()
    rows.sort(key=itemgetter(0, 1))
    create_tables(connection)
    _remove(connection, stretch)
    edges = (rows[0][0], rows[-1][0]) if rows else (None, None)
    connection.execute(_PUT_SEGMENT, (*stretch, len(rows), *edges))
    if rows:
        columns = columns_of(rows, stretch.first_seq)
        connection.executemany(
            _PUT_COLUMN,
            [(place_of(stretch.first_seq, column), data) for column, data in columns],
        )


def rebuild(
    connection: sqlite3.Connection, seqs: Iterable[int], segment_events: int = SEGMENT_EVENTS
) -> None:
    """Write the segments that hold these seqs anew from the rows, inside the caller's transaction."""
    changed = list(seqs)
    for stretch in _holding(connection, changed):
        _remove(connection, stretch)
    wanted = {(seq - 1) // segment_events for seq in changed}
    for stretch in outstanding(connection, segment_events):
        if (stretch.first_seq - 1) // segment_events in wanted:
            build(connection, stretch)


def columns_of(rows: list[Row], first_seq: int) -> Iterator[tuple[Column, bytes]]:
    """The columns of events, which are given in order of time."""
    times, seqs, events, categories, users, outcomes, addresses = zip(*rows, strict=True)
    offsets = [seq - first_seq for seq in seqs]
    distinct = [address for address in dict.fromkeys(addresses) if address is not None]
    numbers: dict[bytes | None, int] = {None: 0} | {
        address: number for number, address in enumerate(distinct, 1)
    }
    # A damaged file may hold what is no UTF-8.
    texts = [address.decode("utf-8", "backslashreplace") for address in distinct]
    yield Column.TIME, pack_times(times)
    yield Column.SEQ, b"" if offsets == list(range(len(rows))) else pack(offsets)
    yield Column.EVENT, pack(events)
    yield Column.CATEGORY, pack(categories)
    yield Column.USER, pack(users)
    yield Column.OUTCOME, pack([_NUMBERS.get(outcome, 0) for outcome in outcomes])
    yield Column.ADDRESS, pack([numbers[text] for text in addresses])
    yield Column.ADDRESS_TEXTS, json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()


def _stretch(number: int, segment_events: int) -> Stretch:
    return Stretch(number * segment_events + 1, (number + 1) * segment_events)


def _holding(connection: sqlite3.Connection, seqs: Iterable[int]) -> list[Stretch]:
    """The segments that hold these seqs."""
    found: list[Stretch] = []
    for seq in sorted(seqs):
        if found and seq <= found[-1].last_seq:
            continue
        row = connection.execute(
            "SELECT first_seq, last_seq FROM segments WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1",
            (seq,),
        ).fetchone()
        if row is not None and row[1] >= seq:
            found.append(Stretch(*row))
    return found


def _remove(connection: sqlite3.Connection, stretch: Stretch) -> None:
    connection.execute("DELETE FROM segments WHERE first_seq = ?", (stretch.first_seq,))
    connection.execute(
        "DELETE FROM segment_columns WHERE place BETWEEN ? AND ?", places_of(stretch.first_seq)
    )


def _newest_seq(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT max(seq) FROM events").fetchone()[0] or 0)
