"""A consistent copy of a store that may be in use, as one file, put in its place when it is whole."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import tempfile
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.new_file import lock_while_living
from audit_tui.errors import FileError, FileExists, UsageError
from audit_tui.store.file import connect
from audit_tui.store.file.foreign_log import log_bytes
from audit_tui.store.tables import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Progress = Callable[[int, int], None]
    """Is told how many bytes are copied, and of how many."""

_PAGES_AT_ONCE = 2_048
"""About 8 MB: an interrupt is heard 50 times a second."""
_PREFIX = ".audit-tui-copy-"
_COPY = "copy.db"
_BESIDE = ("-wal", "-shm", "-journal")
_ATTEMPTS = 100


@contextmanager
def copied_store(source: Path, target: Path, progress: Progress) -> Iterator[Path]:
    """Copy a store, and give the copy its name when the block ends without an error.

    The source may be read and written meanwhile: the copy is of one moment, and nothing of the source is
    changed. What kills the process leaves a folder ``.audit-tui-copy-...`` beside the target, which the next
    copy into that folder removes.

    Args:
        source: The store.
        target: The name of the copy; must not exist.
        progress: Is told how far it is.

    Yields:
        The copy under a name that goes with the block, to be checked.

    Raises:
        FileExists: If something is at the target, also when it came during the block.
        FileError: If the copy cannot be written.
        StoreError: One of its kinds, if the source cannot be read.
    """
    source, target = Path(os.path.realpath(source)), Path(os.path.abspath(target))  # noqa: PTH100 - no link followed
    if source == target:
        raise UsageError("The store and its copy have one name.", "Name another file.")
    refuse_existing(target)
    with ExitStack() as stack:
        try:
            _remove_leftovers(target.parent)
            folder = _new_folder(stack, target.parent)
        except OSError as error:
            raise FileError(f"{target} cannot be written: {error.strerror}.") from error
        part = folder / _COPY
        _copy(source, part, progress)
        yield part
        try:
            _put(part, target)
        except OSError as error:
            raise FileError(f"{target} cannot be written: {error.strerror}.") from error


def _new_folder(stack: ExitStack, place: Path) -> Path:
    """Make a folder that is gone when the stack ends, locked as long as this process lives.

    Raises:
        OSError: If it cannot be made.
    """
    for _ in range(_ATTEMPTS):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place)))
        # Before it is locked, another run may take it for a leftover: it has the lock then, or removed it.
        with suppress(FileNotFoundError, BlockingIOError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, descriptor)
            lock_while_living(descriptor)
            if folder.exists():
                return folder
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _remove_leftovers(place: Path) -> None:
    """Remove the folders of copies of this user whose process was killed, and nothing else that is in one."""
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if os.fstat(descriptor).st_uid == os.geteuid():
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    for name in (_COPY, *(f"{_COPY}{suffix}" for suffix in _BESIDE)):
                        with suppress(FileNotFoundError):
                            os.unlink(name, dir_fd=descriptor)
                    folder.rmdir()
            finally:
                os.close(descriptor)


def refuse_existing(target: Path) -> None:
    """Refuse to copy over a file, or beside what another store left.

    Raises:
        FileExists: If anything is there.
    """
    if os.path.lexists(target):
        raise FileExists(f"{target} exists, and is left as it is.", "Name a file that does not exist.")
    for suffix in _BESIDE:
        beside = target.with_name(target.name + suffix)
        if os.path.lexists(beside) and (suffix != "-shm" and beside.stat().st_size > 0):
            raise FileExists(
                f"{beside} is there without its store, and may hold events.", "Move it away, then try again."
            )


def _copy(source: Path, part: Path, progress: Progress) -> None:
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    with closing(_opened(source)) as reader, connect.store_errors(source):
        schema.check_identity(reader, str(source), for_writing=False)
        page_bytes = int(reader.execute("PRAGMA page_size").fetchone()[0])
        reader.execute("BEGIN")
        # The first read fixes the moment that is copied; without it each writer would begin the copy again.
        reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()

        def told(_: int, remaining: int, total: int) -> None:
            progress((total - remaining) * page_bytes, total * page_bytes)

        with closing(sqlite3.connect(part, isolation_level=None)) as writer:
            try:
                reader.backup(writer, pages=_PAGES_AT_ONCE, progress=told)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE):
                    raise FileError(
                        f"{part.parent.parent} has no room for the copy.", "Make room."
                    ) from error
                raise


def _opened(source: Path) -> connect.Connection:
    try:
        connection = connect.open_viewer(source)
        with connect.closed_on_error(connection):
            connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError as error:
        if log_bytes(source):
            raise connect.readable(error, source) from error
        # A folder that cannot be written to has no place for the log's index, and needs none.
        with connect.store_errors(source):
            return connect.open_viewer(source, immutable=True)
    except sqlite3.Error as error:
        raise connect.readable(error, source) from error
    return connection


def _put(part: Path, target: Path) -> None:
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    for suffix in _BESIDE:
        # An index of a log that is gone would make SQLite look for it.
        with suppress(FileNotFoundError):
            target.with_name(target.name + suffix).unlink()
    try:
        os.link(part, target)
    except FileExistsError:
        raise FileExists(
            f"{target} came to be meanwhile, and is left as it is.", "Name another file."
        ) from None
    except OSError:
        # A file system without hard links.
        refuse_existing(target)
        part.rename(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
