"""A write-ahead log that lies beside a store and belongs to another one.

SQLite takes any ``-wal`` beside a file for the file's own. Where somebody copied a store over another one,
or put an older copy back, it silently shows what is in the log: 100 events of the one instead of 3,000 of
the other. So what the file says without its log is looked at first: the log must not lead to another store,
nor back to fewer events.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.errors import StoreDamaged, StoreError
from audit_tui.store.file import connect

if TYPE_CHECKING:
    from pathlib import Path

_STORE_ID = "SELECT value FROM store_info WHERE name = 'store_id'"
_NEWEST = "SELECT max(seq) FROM events"


class Base(NamedTuple):
    """The contents of a store's file without its log."""

    store_id: str
    newest_seq: int


def log_bytes(path: Path) -> int:
    """Return the bytes in the write-ahead log beside a store; 0 when there is none."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        return 0


NO_LOG = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY_DIRECTORY,
        sqlite3.SQLITE_READONLY_CANTINIT,
        sqlite3.SQLITE_READONLY_RECOVERY,
    }
)
"""Errors of SQLite where it cannot open a log beside a file: then the file may be read as it is."""


def may_be_read_alone(path: Path, error: sqlite3.OperationalError) -> bool:
    """Tell whether a file that SQLite did not open holds all there is, so that it can be read as it is.

    Raises:
        StoreError: If something beside it belongs to its content.
    """
    if log_bytes(path):
        raise StoreError(
            f"{path} cannot be opened: its newest events are in {path.name}-wal, which cannot be read here.",
            "Open it with the right to write to its folder, or copy it with its -wal and -shm files.",
        ) from error
    journal = path.with_name(f"{path.name}-journal")
    with suppress(OSError):
        if journal.stat().st_size:
            raise StoreError(
                f"{path} cannot be opened: {journal.name} beside it holds an unfinished change of another"
                " program, which must be taken back first.",
                "Whoever may write to the store does that by opening it: audit-tui record, or sqlite3.",
            ) from error
    return error.sqlite_errorcode in NO_LOG


def base_of(path: Path) -> Base | None:
    """Return what the file alone holds, to be told from what the log makes of it.

    To be called before the connection that counts: that one must see at least as much.

    Args:
        path: The store, resolved.

    Returns:
        None when there is no log, or the file alone cannot be read, as when another process is just writing
        the log into it, or when all that was ever written is in the log.
    """
    try:
        if not log_bytes(path) or not path.stat().st_size:
            return None
        with closing(connect.open_viewer(path, immutable=True)) as connection:
            return _read(connection)
    except (OSError, ValueError, StoreError, sqlite3.Error):
        return None


def check(connection: sqlite3.Connection, path: Path, base: Base | None) -> None:
    """Check that the log beside a store is the store's own.

    Args:
        connection: Sees the store with its log.
        path: The store, resolved.
        base: What the file holds without it.

    Raises:
        StoreDamaged: If it belongs to another store, or an older copy of this one.
        sqlite3.Error: If the store cannot be read.
    """
    if base is None:
        return
    seen = _read(connection)
    if seen is None or seen.store_id != base.store_id:
        raise _foreign(path, "belongs to another store")
    if seen.newest_seq < base.newest_seq:
        raise _foreign(path, f"leads back from event {base.newest_seq:,} to event {seen.newest_seq:,}")


def refuse(path: Path) -> None:
    """Check the log beside a store before somebody connects for writing, who would carry it into the file.

    Raises:
        StoreDamaged: As ``check``.
    """
    base = base_of(path)
    if base is not None:
        with connect.store_errors(path), closing(connect.open_viewer(path)) as connection:
            check(connection, path, base)


def _read(connection: sqlite3.Connection) -> Base | None:
    seen = connection.execute(_STORE_ID).fetchone()
    newest = connection.execute(_NEWEST).fetchone()[0] or 0
    return Base(seen[0], newest) if seen and isinstance(newest, int) else None


def _foreign(path: Path, why: str) -> StoreDamaged:
    return StoreDamaged(
        f"{path.name}-wal beside {path} {why}.",
        f"If {path.name} was copied or restored, it is whole without it: move {path.name}-wal and"
        f" {path.name}-shm away, and open it again.",
    )
