"""Writing segments: as events are appended, anew where events were changed, and all of them at once."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.store.segment_layout import (
    OUTCOMES,
    REMOVALS,
    SEGMENT_EVENTS,
    STORED,
    SegmentColumn,
    pack,
    pack_times,
)
from audit_tui.store.stretches import SegmentKeeper

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from audit_tui.store.stretches import Stretch
    from audit_tui.store.tables.rows import StoredRow

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


class SegmentBuilder(SegmentKeeper):
    """Keeps the segments in step with the events; a companion of the writer.

    Args:
        segment_events: How many seqs a segment covers.
    """

    def __init__(self, segment_events: int = SEGMENT_EVENTS) -> None:
        super().__init__(STORED, build, segment_events)

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None:
        """Take away the segments that hold these rows, and let nobody keep answers from before."""
        connection.execute(_COUNT_REMOVAL, (REMOVALS,))
        super().on_remove(connection, rows)


def outstanding(
    connection: sqlite3.Connection, segment_events: int = SEGMENT_EVENTS, *, least_rest: int = LEAST_REST
) -> list[Stretch]:
    """The segments to build so that all events are in one, but for a few at the end.

    Args:
        connection: The store.
        segment_events: How many seqs a segment covers.
        least_rest: How many events at the end, that make no whole segment, are worth a short one.
    """
    return STORED.outstanding(connection, segment_events, least_rest)


def build(connection: sqlite3.Connection, stretch: Stretch) -> None:
    """Write the segment of these seqs from the rows, in place of any that begins there."""
    rows = connection.execute(ROWS, stretch).fetchall()
    rows.sort(key=itemgetter(0, 1))
    STORED.create(connection)
    STORED.remove(connection, stretch)
    edges = (rows[0][0], rows[-1][0]) if rows else (None, None)
    connection.execute(_PUT_SEGMENT, (*stretch, len(rows), *edges))
    if rows:
        columns = columns_of(rows, stretch.first_seq)
        connection.executemany(
            _PUT_COLUMN,
            [(STORED.place_of(stretch.first_seq, column), data) for column, data in columns],
        )


def columns_of(rows: list[Row], first_seq: int) -> Iterator[tuple[SegmentColumn, bytes]]:
    """The columns of events, which are given in order of time."""
    times, seqs, events, categories, users, outcomes, addresses = zip(*rows, strict=True)
    offsets = [seq - first_seq for seq in seqs]
    distinct = [address for address in dict.fromkeys(addresses) if address is not None]
    numbers: dict[bytes | None, int] = {None: 0} | {
        address: number for number, address in enumerate(distinct, 1)
    }
    # A damaged file may hold what is no UTF-8.
    texts = [address.decode("utf-8", "backslashreplace") for address in distinct]
    yield SegmentColumn.TIME, pack_times(times)
    yield SegmentColumn.SEQ, b"" if offsets == list(range(len(rows))) else pack(offsets)
    yield SegmentColumn.EVENT, pack(events)
    yield SegmentColumn.CATEGORY, pack(categories)
    yield SegmentColumn.USER, pack(users)
    yield SegmentColumn.OUTCOME, pack([_NUMBERS.get(outcome, 0) for outcome in outcomes])
    yield SegmentColumn.ADDRESS, pack([numbers[text] for text in addresses])
    yield SegmentColumn.ADDRESS_TEXTS, json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()
