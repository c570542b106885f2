"""The tables of the seals: what proves the events. A reader that only shows them does without."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

SEAL_KEY = "seal_key"
"""The name in ``store_info`` of the public key that signs from now on; absent while nothing is signed."""
TABLES: dict[str, tuple[str, ...]] = {
    "seal_block": ("block", "n", "root", "leaves"),
    "seal_head": ("size", "root", "at", "note", "edge"),
    "seal_removed": ("event_seq", "first_seq", "last_seq"),
}
# The root before the leaves, which lie on pages of their own: all roots are then read five times as fast.
_CREATE = (
    """
CREATE TABLE seal_block (
    block INTEGER PRIMARY KEY, -- 0, 1, 2 ...: events 1-256, 257-512 ...
    n INTEGER NOT NULL,        -- how many events it seals; 256 but in the last
    root BLOB NOT NULL,        -- of the tree over its leaves
    leaves BLOB NOT NULL       -- a SHA-256 of 32 bytes for each event
) STRICT
""",
    """
CREATE TABLE seal_head (
    size INTEGER PRIMARY KEY,  -- it seals the events 1 to size
    root BLOB NOT NULL,        -- of the tree over them
    at INTEGER NOT NULL,       -- seconds since 1970, by the writer's clock
    note TEXT NOT NULL,        -- the checkpoint, signed or not
    edge BLOB                  -- of the newest: roots of its whole subtrees, for who appends next
) STRICT
""",
    """
CREATE TABLE seal_removed (
    event_seq INTEGER NOT NULL, -- the event that records who redacted or pruned them, and why
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (event_seq, first_seq)
) STRICT, WITHOUT ROWID
""",
)


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, inside the caller's transaction."""
    for statement in _CREATE:
        connection.execute(statement)
