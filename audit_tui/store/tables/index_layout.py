"""The tables of the index: segments, the bitmaps of their values, and blocks of times.

A segment covers consecutive seqs. Its events are sorted by (time, seq), and an event's place is its rank in
the segment, from 0. Nothing here is needed to read an event: all of it can be made again from the rows.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

TABLES: dict[str, tuple[str, ...]] = {
    "index_segments": (
        "id",
        "stamp",
        "first_seq",
        "last_seq",
        "events",
        "first_us",
        "last_us",
        "is_ordered",
        "fences",
    ),
    "index_values": ("place", "data"),
    "index_bitmaps": ("place", "data"),
    "index_blocks": ("place", "seqs", "times"),
}
"""They may be missing, as in a store of an older version; when they exist, they have these columns."""
REMOVALS = "removals"
"""The name in ``store_info`` of how often events were removed or replaced, so that nobody keeps answers from
before; absent before the first time."""

_CREATE = (
    """
CREATE TABLE IF NOT EXISTS index_segments (
    id INTEGER PRIMARY KEY,
    stamp INTEGER NOT NULL,      -- random: what was read of a segment is kept under it
    first_seq INTEGER NOT NULL,  -- of the seqs that it covers
    last_seq INTEGER NOT NULL,
    events INTEGER NOT NULL,     -- how many of them are in the store
    first_us INTEGER NOT NULL,   -- the earliest event
    last_us INTEGER NOT NULL,    -- the latest event
    is_ordered INTEGER NOT NULL, -- 1: the event at place n has the seq first_seq + n
    fences BLOB NOT NULL         -- of each block its first place and time, its lowest and its highest seq
) STRICT
""",
    """
CREATE TABLE IF NOT EXISTS index_values (
    place INTEGER PRIMARY KEY, -- segment << 8 | field
    data BLOB NOT NULL         -- the values of the field, with how many events have each
) STRICT
""",
    # A row a value, so that a question reads the values that it names.
    """
CREATE TABLE IF NOT EXISTS index_bitmaps (
    place INTEGER PRIMARY KEY, -- segment << 40 | field << 32 | value
    data BLOB NOT NULL         -- the places of the events with this value, in Roaring's portable form
) STRICT
""",
    """
CREATE TABLE IF NOT EXISTS index_blocks (
    place INTEGER PRIMARY KEY, -- segment << 32 | number of the block
    seqs BLOB,                 -- NULL where they follow each other
    times BLOB NOT NULL
) STRICT
""",
)


def create(connection: sqlite3.Connection) -> None:
    """Make the tables where they are missing."""
    for statement in _CREATE:
        connection.execute(statement)


def drop(connection: sqlite3.Connection) -> None:
    """Take the tables away."""
    with overwriting(connection):
        connection.execute("DELETE FROM index_values")
    for table in TABLES:
        connection.execute(f"DROP TABLE IF EXISTS {table}")


@contextmanager
def overwriting(connection: sqlite3.Connection) -> Iterator[None]:
    """Overwrite what is deleted: texts may be redacted later, and must not be left in unused pages."""
    (before,) = connection.execute("PRAGMA secure_delete").fetchone()
    connection.execute("PRAGMA secure_delete = ON").fetchone()
    try:
        yield
    finally:
        connection.execute(f"PRAGMA secure_delete = {_SECURE_DELETE[int(before)]}").fetchone()


_SECURE_DELETE = ("OFF", "ON", "FAST")
