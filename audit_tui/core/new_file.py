"""The one place that writes files: whole or not at all, for their owner's eyes, and over nothing else.

A file that exists is replaced only by a file of its own kind, which its first bytes tell: a checkpoint by a
checkpoint, an export by an export. A link is never followed. A database, and what belongs to one, is never
written over, whatever its name.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from audit_tui.core.record import Record
from audit_tui.core.text import lazy_pattern
from audit_tui.errors import FileError, FileExists

MODE = 0o600
HEAD_BYTES = 4_096
"""The part of an existing file that tells its kind."""
BESIDE_DATABASE = ("-wal", "-shm", "-journal", ".lock")
"""Endings of the files that SQLite and this program keep beside a database."""
_DATABASE_MAGIC = b"SQLite format 3\0"
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""Errors of file systems that have no hard links."""
_PART = lazy_pattern(r"\.audit-tui-[0-9a-f]{16}\.part")
_ATTEMPTS = 100


class FileKind(Record):
    """A kind of file, which may take the place of an older one of its kind."""

    words: str
    """Its name in "exists and is not ...": "an export"."""
    is_own: Callable[[bytes], bool]
    """Tells by the first ``HEAD_BYTES`` of a file whether it is of this kind; an empty file always is."""


ANYTHING = FileKind("a file of this program", lambda _: True)
"""For a file whose place is this program's own: it takes the place of whatever lies there but a database."""


def file_identity(path: Path) -> tuple[int, int] | None:
    """Return what tells whether two paths are one file; None when nothing is there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def database_files(path: Path) -> list[Path]:
    """The files that a database may consist of, whether they exist or not."""
    return [path, *(path.with_name(path.name + suffix) for suffix in BESIDE_DATABASE)]


def private_folder(path: Path) -> None:
    """Make a folder that nobody else can enter, and the ones above it that do not exist, likewise.

    ``Path.mkdir`` gives its mode to the last one only.

    Raises:
        OSError: If that is not allowed.
    """
    missing = []
    while not path.is_dir():
        missing.append(path)
        if path == path.parent:
            break
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)


def read_small(path: Path, max_bytes: int) -> str:
    """Return the text of a file of this program; empty when there is none.

    Raises:
        OSError: If it cannot be read, or is not a plain file.
        ValueError: If it is not text, or larger than that.
    """
    try:
        # Without waiting for a writer, should it be a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a file")
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError("too large")
    return content.decode()


@contextmanager
def new_file(
    path: Path,
    kind: FileKind | None,
    *,
    never_over: Sequence[Path] = (),
    may_replace: bool = True,
    mode: int = MODE,
) -> Iterator[TextIOWrapper]:
    """A text file in UTF-8 that takes its name when the block ends well, and is gone when it does not.

    All of it happens in the folder that was opened first, so that nobody can exchange it for a link on the
    way. Newlines are written as they are. What killed runs left in the folder is removed.

    ``kind`` may be replaced; None replaces nothing, and ``may_replace`` False asks first, by raising
    FileExists. Files that are never written over are not opened either: a process that closes the file of a
    database drops the locks of its own connections to it.

    Raises:
        FileExists: If a regular file of that name exists and must not be replaced.
        FileError: If the file cannot be written, or something else stands in its way.
    """
    _refuse_database(path, never_over)
    with _folder_of(path) as folder:
        _refuse_replacing(path, folder, kind, may_replace=may_replace)
        try:
            _remove_leftovers(folder)
            with ExitStack() as stack:
                name, stream = _new_part(stack, folder, mode)
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
                _refuse_database(path, never_over)
                _refuse_replacing(path, folder, kind, may_replace=may_replace)
                _give_name(name, path, folder, may_replace=kind is not None and may_replace)
            os.fsync(folder)
        except OSError as error:
            raise _unwritable(path, error) from None


@contextmanager
def private_file(path: Path) -> Iterator[TextIOWrapper]:
    """Write a file of this program's own as ``new_file`` does, in a folder that nobody else can enter."""
    try:
        private_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    with new_file(path, ANYTHING) as stream:
        yield stream


@contextmanager
def appended_file(path: Path, kind: FileKind, never_over: Sequence[Path] = ()) -> Iterator[TextIOWrapper]:
    """A text file in UTF-8 that is written on at its end, made if nothing is there.

    Raises:
        FileError: If it cannot be written, is of another kind, is another user's, or is not a regular file.
    """
    _refuse_database(path, never_over)
    # Without waiting for a reader, should it be a pipe.
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with ExitStack() as stack:
        with _folder_of(path) as folder:
            _refuse_mode(path, folder)
            try:
                descriptor = os.open(path.name, flags, MODE, dir_fd=folder)
            except OSError as error:
                raise _unwritable(path, error) from None
        stream = os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace", newline="")
        stack.callback(_close, stream)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _not_regular(path, status.st_mode)
        if status.st_uid != os.geteuid() or status.st_nlink > 1:
            whose = "has several names" if status.st_nlink > 1 else "belongs to another user"
            raise FileError(f"{path} {whose}.", "Name another file.")
        _refuse_kind(path, os.pread(descriptor, HEAD_BYTES, 0), kind)
        yield stream
        try:
            stream.flush()
        except OSError as error:
            raise _unwritable(path, error) from None


@contextmanager
def _folder_of(path: Path) -> Iterator[int]:
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {path.parent}: {error.strerror}.") from None
    try:
        yield folder
    finally:
        os.close(folder)


def _new_part(stack: ExitStack, folder: int, mode: int) -> tuple[str, TextIOWrapper]:
    """A new file of a name that is gone when the stack ends, locked as long as this process lives.

    Raises:
        OSError: If it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for _ in range(_ATTEMPTS):
        # Not from the file's own name, which may be as long as a name can be.
        name = f".audit-tui-{os.urandom(8).hex()}.part"
        descriptor = os.open(name, flags, mode, dir_fd=folder)
        stream = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="")
        stack.callback(_remove, name, folder)
        stack.callback(_close, stream)
        os.fchmod(descriptor, mode)
        # Before it is locked, another run may take it for a leftover: it has the lock then, or removed it.
        with suppress(BlockingIOError):
            lock_while_living(descriptor)
            if os.fstat(descriptor).st_nlink:
                return name, stream
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def lock_while_living(descriptor: int) -> None:
    """Lock a file or folder, which tells other runs that this one lives.

    On a file system without locks nothing is locked, and no leftovers are removed.

    Raises:
        BlockingIOError: If another run has the lock.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return


def _close(stream: TextIOWrapper) -> None:
    # What is still in its buffer does not fit on a full disk either.
    with suppress(OSError):
        stream.close()


def _remove(name: str, folder: int) -> None:
    with suppress(OSError):
        os.unlink(name, dir_fd=folder)


def _give_name(part: str, path: Path, folder: int, *, may_replace: bool) -> None:
    if not may_replace:
        # Fails if somebody was quicker, which replacing would not.
        try:
            os.link(part, path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            raise _exists(path) from None
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        else:
            return
    os.replace(part, path.name, src_dir_fd=folder, dst_dir_fd=folder)


def _remove_leftovers(folder: int) -> None:
    """Remove what killed runs of this user left in a folder; a run that lives holds a lock on its file."""
    for name in os.listdir(folder):
        if _PART.fullmatch(name):
            with suppress(OSError):
                _remove_leftover(name, folder)


def _remove_leftover(name: str, folder: int) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=folder)
    finally:
        os.close(descriptor)


def _refuse_database(path: Path, never_over: Sequence[Path]) -> None:
    """Refuse what must not even be opened: the files of a store that is in use."""
    identity = file_identity(path)
    for other in never_over:
        if path.resolve() == other.resolve() or (identity is not None and identity == file_identity(other)):
            raise FileError(f"{path} belongs to the store.", "Name another file.")
    for suffix in BESIDE_DATABASE:
        # Also where it does not exist yet: SQLite would take it for its own.
        if path.name.endswith(suffix) and path.with_name(path.name.removesuffix(suffix)).is_file():
            raise FileError(f"{path} would lie where a database keeps its own.", "Name another file.")


def _refuse_mode(path: Path, folder: int) -> os.stat_result | None:
    """Refuse what is not a regular file; None when nothing is there."""
    try:
        status = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unwritable(path, error) from None
    if not stat.S_ISREG(status.st_mode):
        raise _not_regular(path, status.st_mode)
    return status


def _refuse_replacing(path: Path, folder: int, kind: FileKind | None, *, may_replace: bool) -> None:
    if _refuse_mode(path, folder) is None:
        return
    if kind is None:
        raise _exists(path)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path.name, flags, dir_fd=folder)
        try:
            head = os.read(descriptor, HEAD_BYTES)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise FileError(
            f"{path} exists and cannot be read: {error.strerror}.", "Name another file."
        ) from None
    _refuse_kind(path, head, kind)
    if not may_replace:
        raise _exists(path)


def _refuse_kind(path: Path, head: bytes, kind: FileKind) -> None:
    if head.startswith(_DATABASE_MAGIC):
        raise FileError(f"{path} is a database, and is never replaced.", "Name another file.")
    if head and not kind.is_own(head):
        raise FileError(f"{path} exists and is not {kind.words}.", "Name another file, or remove that one.")


def _not_regular(path: Path, mode: int) -> FileError:
    if stat.S_ISLNK(mode):
        return FileError(f"{path} is a link, and links are not followed.", "Name the file itself.")
    return FileError(
        f"{path} is {'a folder' if stat.S_ISDIR(mode) else 'not a regular file'}.", "Name another file."
    )


def _exists(path: Path) -> FileExists:
    return FileExists(f"{path} exists already.", "Name another file, or replace it.")


def _unwritable(path: Path, error: OSError) -> FileError:
    hint = "Nothing was left behind. Make room, or choose another place." if error.errno in _NO_SPACE else ""
    return FileError(f"{path} cannot be written: {error.strerror or type(error).__name__}.", hint)
