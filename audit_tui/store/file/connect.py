"""Opening the file: telling a store from what else may lie there, and the settings of both connections.

A process must never open the store's file as a file while it has a connection to it: closing that file
drops SQLite's POSIX locks, and another process may then delete a write-ahead log that holds acknowledged
events. So the first bytes are looked at only while this process has no connection to that file.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.new_file import private_folder
from audit_tui.errors import (
    NotAStore,
    QueryCancelled,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreMissing,
    StoreTooNew,
)
from audit_tui.store.file.file_system import refuse_other_names

if TYPE_CHECKING:
    from collections.abc import Iterator

_SQLITE_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_APPLICATION_ID_AT = 68
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_WAL_FORMAT = 2
"""The newest file format version that SQLite 3 reads, in bytes 18 and 19 of the file."""
VIEWER_WAIT_S = 2.0
WRITER_WAIT_S = 10.0
MAX_VALUE_BYTES = 64 * 1024 * 1024
"""A longer value is never read, nor written: a changed definition may make a gigabyte of one."""
_LIMITS = (
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
    (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 20),
    (sqlite3.SQLITE_LIMIT_VDBE_OP, 100_000),
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
    (sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 1_000),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES),
)
_VIEWER_PRAGMAS = (
    "PRAGMA query_only = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -3072",
)

_opening = threading.Lock()
_open_files: Counter[tuple[int, int]] = Counter()
"""The files, by device and inode, that this process has connections to."""
# A child in which another thread of its parent held this would wait for it for ever.
os.register_at_fork(
    before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_opening.release
)


class Connection(sqlite3.Connection):
    """A connection that is noted while it is open, so that nobody opens its file beside it."""

    file_id: tuple[int, int] | None = None

    def close(self) -> None:
        """Close it, and forget the note."""
        with _opening:
            super().close()
            if self.file_id is not None:
                _open_files[self.file_id] -= 1
                if _open_files[self.file_id] <= 0:
                    del _open_files[self.file_id]
                self.file_id = None


def open_viewer(path: Path, *, immutable: bool = False) -> Connection:
    """Connect for reading only; the caller checks the schema and then sets the authorizer.

    Args:
        path: The store, resolved.
        immutable: Read a file that cannot change, where no write-ahead log can be opened.

    Raises:
        StoreError: One of its kinds, when something else is there, or nothing.
        sqlite3.Error: If SQLite cannot read it; the caller may have another way.
    """
    query = "?mode=ro&immutable=1" if immutable else "?mode=ro"
    connection = _connect(path, query, VIEWER_WAIT_S, may_be_empty=False)
    with closed_on_error(connection):
        for limit, value in _LIMITS:
            connection.setlimit(limit, value)
        for pragma in _VIEWER_PRAGMAS:
            connection.execute(pragma)
    connection.text_factory = decode_anything
    return connection


def in_memory() -> sqlite3.Connection:
    """Connect to an empty database that no file holds."""
    return sqlite3.connect(":memory:", isolation_level=None)


def open_writer(path: Path, *, durable: bool) -> Connection:
    """Connect for writing to a file that exists; an empty one will be a new store.

    Raises:
        StoreError: One of its kinds, when something else is there, or it cannot be written.
    """
    refuse_other_names(path)
    connection = _connect(path, "?mode=rw", WRITER_WAIT_S, may_be_empty=True)
    with store_errors(path), closed_on_error(connection):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        for pragma in (
            "PRAGMA trusted_schema = OFF",
            "PRAGMA cell_size_check = ON",
            "PRAGMA mmap_size = 0",
            "PRAGMA foreign_keys = ON",
            f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}",
            "PRAGMA journal_size_limit = 67108864",
            "PRAGMA wal_autocheckpoint = 1000",
        ):
            connection.execute(pragma)
    return connection


def open_scratch() -> sqlite3.Connection:
    """Connect to a file without a name, that only this process can read and that goes with it."""
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    for pragma in ("PRAGMA journal_mode = MEMORY", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -4096"):
        connection.execute(pragma)
    return connection


def writable_place(given: Path) -> Path:
    """Return the place of a store, existing or not: its path resolved, and the folders made.

    Raises:
        StoreError: One of its kinds, when something else is there, or the folder cannot be made.
    """
    # Not Path.resolve, which raises RuntimeError for links in a circle.
    path = Path(os.path.realpath(given))
    if given.is_symlink() and not path.exists():
        # In a shared folder somebody else would choose where the store is made.
        raise StoreError(f"{given} is a symbolic link to nothing.", "Give the path of the store itself.")
    try:
        private_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"The folder {path.parent} cannot be made: {error.strerror}.", "Choose another with --store."
        ) from error
    if path.exists():
        _regular_file(path)
    return path


def create_file(path: Path) -> bool:
    """Make an empty file that only its owner can read, and say so; False if something is there.

    Raises:
        StoreError: If that is not allowed here.
    """
    try:
        with _opening:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    except OSError as error:
        raise StoreError(
            f"{path} cannot be made: {error.strerror}.", "Choose another place with --store."
        ) from error
    return True


def application_id(path: Path) -> int | None:
    """Return whose database a regular file is, by its header; None if it is not a database of SQLite.

    It is opened as a file: only while this process has no connection to it.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    if not head.startswith(_SQLITE_MAGIC) or len(head) < _HEADER_BYTES:
        return None
    return int.from_bytes(head[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4], "big")


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite raises inside this block into what users can read."""
    try:
        yield
    except sqlite3.Error as error:
        raise readable(error, path) from error
    except OverflowError as error:
        # A number that was read from the file, and asked for with another added to it.
        raise StoreDamaged(f"{path} holds a number that is out of range.", "Verify the store.") from error


@contextmanager
def closed_on_error(connection: Connection) -> Iterator[None]:
    """Close the connection if the block fails."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def readable(error: sqlite3.Error, path: Path) -> StoreError | QueryCancelled:
    """An error of SQLite as one of ours, by its code."""
    extended = getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_ERROR
    code = extended & 0xFF
    if code == sqlite3.SQLITE_INTERRUPT:
        return QueryCancelled("The query was cancelled.")
    if code == sqlite3.SQLITE_FULL or extended in _WRITE_FAILURES:
        return StoreFull(
            f"{path} could not be written: {error}; {free_bytes(path):,} bytes are free there.",
            "What was acknowledged is safe. Make room, then do it again.",
        )
    if code == sqlite3.SQLITE_NOTADB:
        return NotAStore(f"{path} is not an audit store.", "Choose another with --store.")
    if code == sqlite3.SQLITE_CORRUPT:
        return StoreDamaged(
            f"{path} is damaged: {error}.", "Keep a copy, and restore the last good one if there is one."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        from audit_tui.store.file.holders import writer_of

        return StoreBusy(f"{path} is busy: {writer_of(path)} is writing to it.", "Try again when it is done.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StoreError(f"{path} cannot be written to: {error}.", _whose(path))
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(f"{path} cannot be opened: {error}.", _whose(path))
    return StoreError(f"{path} cannot be used: {error}.")


_WRITE_FAILURES = frozenset(
    {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE}
)


def free_bytes(path: Path) -> int:
    """The space left where the store is; 0 when it cannot be told."""
    try:
        status = os.statvfs(path.parent)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize


def _connect(path: Path, query: str, wait_s: float, *, may_be_empty: bool) -> Connection:
    """Check the file, connect, and note it, with nobody else of this process in between."""
    with _opening:
        status = _regular_file(path)
        file_id = (status.st_dev, status.st_ino)
        if status.st_size == 0 and not may_be_empty:
            raise NotAStore(f"{path} is an empty file, not an audit store.", _MAKE_ONE)
        if status.st_size and not _open_files[file_id]:
            _check_head(path)
        with store_errors(path):
            connection = sqlite3.connect(
                path.as_uri() + query,
                uri=True,
                isolation_level=None,
                timeout=wait_s,
                check_same_thread=False,
                factory=Connection,
            )
        connection.file_id = file_id
        _open_files[file_id] += 1
    return connection


_MAKE_ONE = "Make one with audit-tui demo or audit-tui import, or choose another with --store."


def _regular_file(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise StoreMissing(f"There is no store at {path}.", _MAKE_ONE) from None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.", _whose(path)) from error
    if stat.S_ISDIR(status.st_mode):
        raise NotAStore(
            f"{path} is a folder, not an audit store.",
            "Give the path of a store; a folder of logs can be imported: audit-tui import FOLDER",
        )
    if not stat.S_ISREG(status.st_mode):
        kind = "a named pipe" if stat.S_ISFIFO(status.st_mode) else "a device or a socket"
        raise NotAStore(f"{path} is {kind}, not an audit store.", _MAKE_ONE)
    return status


def _check_head(path: Path) -> None:
    """Look at the first bytes of a file that this process has no connection to."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.", _whose(path)) from error
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            raise NotAStore(
                f"{path} is compressed ({name}), not an audit store.",
                "If it is a log, import it: audit-tui import FILE; a compressed store must be unpacked.",
            )
    if not head.startswith(_SQLITE_MAGIC) or len(head) < _HEADER_BYTES:
        raise NotAStore(f"{path} is not an audit store.", "If it is a log, import it: audit-tui import FILE")
    if max(head[18:20]) > _WAL_FORMAT:
        raise StoreTooNew(
            f"{path} has a newer file format than SQLite {sqlite3.sqlite_version} can read.",
            "Use a Python that brings a newer SQLite.",
        )


def _whose(path: Path) -> str:
    """Tell who may read the file, for the hint of a refusal."""
    import grp
    import pwd

    try:
        status = path.stat()
    except OSError:
        return f"Ask whoever owns {path.parent} for the right to read it."
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        owner, group = str(status.st_uid), str(status.st_gid)
    mode = stat.filemode(status.st_mode)
    return f"It belongs to {owner}, group {group}, mode {mode}."


def decode_anything(data: bytes) -> str:
    """TEXT that is not UTF-8 must not end the query that meets it."""
    return data.decode("utf-8", "backslashreplace")
