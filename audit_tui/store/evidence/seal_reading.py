"""A connection that reads seals and events in short snapshots, so that it never holds up a writer's log."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.evidence.checkpoint import SignedCheckpoint, origin_of, read_checkpoint
from audit_tui.core.evidence.merkle import BLOCK_LEAVES, HASH_BYTES
from audit_tui.errors import CheckpointError, StoreError
from audit_tui.store.evidence.content import Content
from audit_tui.store.file import connect, foreign_log
from audit_tui.store.file.closing import Closing
from audit_tui.store.tables import schema, seal_layout

if TYPE_CHECKING:
    from collections.abc import Iterator


# With OR, SQLite goes over all events: 3 s of ten million.
ADDED = (
    "SELECT seq FROM events NOT INDEXED WHERE seq < 1"
    " UNION ALL SELECT seq FROM events NOT INDEXED WHERE seq > ? LIMIT ?"
)
"""Events before the first number, or past the seals."""
MAX_HEAD_CHARS = 2_048
"""The note of a head is shorter: 400 characters with a signature. All heads are read at once."""


class Head(NamedTuple):
    """A row of ``seal_head``."""

    size: int
    root: bytes
    at_s: int
    """The time at which it was made, in seconds since 1970, as the store says."""
    note: str

    @property
    def checkpoint(self) -> SignedCheckpoint | None:
        """Its note; None when it is not a checkpoint."""
        try:
            return read_checkpoint(self.note)
        except CheckpointError:
            return None

    def own_checkpoint(self, origin: str) -> tuple[SignedCheckpoint | None, str]:
        """Return its checkpoint if it is of this head and store, and what is wrong with it."""
        note = self.checkpoint
        if note is None or note.checkpoint[:3] != (origin, self.size, self.root):
            return None, f"the checkpoint of the head at event {self.size:,} is not its own"
        if note.checkpoint.at_s not in (None, self.at_s):
            return note, f"the time of the head at event {self.size:,} is not its checkpoint's"
        return note, ""


class Block(NamedTuple):
    """A row of ``seal_block``; without its leaves where only roots were asked for."""

    number: int
    events: int
    root: bytes
    leaves: bytes

    @property
    def is_whole(self) -> bool:
        """Tell whether it holds what a block holds: a damaged or forged one may hold anything."""
        return (
            type(self.events) is int
            and isinstance(self.root, bytes)
            and isinstance(self.leaves, bytes)
            and 0 < self.events <= BLOCK_LEAVES
            and len(self.leaves) == self.events * HASH_BYTES
        )


class SealedStore(Closing):
    """A read-only connection for checking seals; for one thread at a time.

    Args:
        path: The store.

    Raises:
        StoreError: One of its kinds, when something else is there, or nothing, or it cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        schema.require_sqlite()
        self.path = Path(os.path.realpath(path))
        self.connection = open_reading(self.path)
        with connect.closed_on_error(self.connection), connect.store_errors(self.path):
            self.schema_version = schema.user_version(self.connection)
            self.store_id = self.info(schema.STORE_ID) or ""
            self.sealing_key = self.info(seal_layout.SEAL_KEY)
            tables = {str(row[0]) for row in self.connection.execute("SELECT name FROM sqlite_schema")}
        self.has_seals = tables >= seal_layout.TABLES.keys()
        self.connection.text_factory = bytes
        self.content = Content(self.connection)

    @property
    def origin(self) -> str:
        """The name of the store in checkpoints."""
        return origin_of(self.store_id)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One short read transaction; names are read again in each."""
        with connect.store_errors(self.path):
            self.connection.execute("BEGIN")
            try:
                self.content.forget_names()
                yield
            finally:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    def heads(self, since_size: int = 0) -> list[Head]:
        """Return the heads from a size on, in order."""
        return [_head(*row) for row in self.connection.execute(_HEADS, (since_size, MAX_HEAD_CHARS))]

    def newest_head(self) -> Head | None:
        """Return the head that covers the most events; None in a store without any."""
        newest = self.connection.execute("SELECT max(size) FROM seal_head").fetchone()[0]
        return None if newest is None else self.heads(newest)[0]

    def blocks(self, first: int, end: int, *, with_leaves: bool = True) -> list[Block]:
        """Return the blocks from ``first`` to before ``end`` that exist."""
        leaves = f"substr(leaves, 1, {BLOCK_LEAVES * HASH_BYTES + 1})" if with_leaves else "x''"
        rows = self.connection.execute(
            f"SELECT block, n, substr(root, 1, 33), {leaves} FROM seal_block"  # noqa: S608 - one of two texts of ours
            " WHERE block >= ? AND block < ? ORDER BY block",
            (first, end),
        )
        return [Block(*row) for row in rows]

    def next_block(self, number: int) -> int | None:
        """Return the first block that exists from a number on; None when there is none."""
        row = self.connection.execute(
            "SELECT min(block) FROM seal_block WHERE block >= ?", (number,)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def number(self, statement: str, *parameters: int) -> int:
        """Return the one number that a statement gives; 0 for NULL."""
        return int(self.connection.execute(statement, parameters).fetchone()[0] or 0)

    def info(self, name: str) -> str | None:
        """Return what ``store_info`` says under a name; None if nothing."""
        row = self.connection.execute("SELECT value FROM store_info WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        return row[0].decode("utf-8", "replace") if isinstance(row[0], bytes) else str(row[0])

    def close(self) -> None:
        """Let the connection go."""
        self.connection.close()


_HEADS = """
SELECT size, substr(root, 1, 33), at, CASE typeof(note) WHEN 'text' THEN substr(note, 1, ?2) END
FROM seal_head WHERE size >= ?1 ORDER BY size
"""


def _head(size: int, root: object, at_s: object, note: bytes | None) -> Head:
    """Return a head of a file that may hold anything; what is not a value of a head becomes an empty one."""
    return Head(
        size,
        root if isinstance(root, bytes) else b"",
        at_s if type(at_s) is int else 0,
        (note or b"").decode("utf-8", "replace"),
    )


def open_reading(path: Path) -> connect.Connection:
    """Connect to a store for reading, as a file that cannot change where no log can be opened beside it.

    Raises:
        StoreError: One of its kinds.
    """
    try:
        return _checked(path, immutable=False)
    except sqlite3.OperationalError as error:
        if not foreign_log.may_be_read_alone(path, error):
            raise connect.readable(error, path) from error
    except sqlite3.Error as error:
        raise connect.readable(error, path) from error
    with connect.store_errors(path):
        return _checked(path, immutable=True)


def _checked(path: Path, *, immutable: bool) -> connect.Connection:
    connection = connect.open_viewer(path, immutable=immutable)
    with connect.closed_on_error(connection):
        connection.execute("PRAGMA schema_version").fetchone()
        schema.check_identity(connection, str(path), for_writing=False)
        schema.check_tables(connection, str(path))
    return connection


def require_seals(store: SealedStore) -> None:
    """Refuse a store that has nothing to check.

    Raises:
        StoreError: If its seals were taken away.
    """
    if store.has_seals:
        with store.snapshot():
            if store.newest_head() is not None:
                return
            if not store.number("SELECT count(*) FROM events"):
                return
    raise StoreError(
        f"{store.path} has events, but no seals: audit-tui seals every store that it writes, so somebody"
        " took them away.",
        "Nothing can be checked; take a copy that has them.",
    )
