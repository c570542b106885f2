"""Writing a file whole or not at all, for its owner's eyes only, and never through a link."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from audit_tui.errors import FileError, FileExists

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

MODE = 0o600
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def new_file(path: Path, *, may_replace: bool) -> Iterator[TextIO]:
    """A text file in UTF-8 that takes its name when the block ends well, and is gone when it does not.

    All of it happens in the folder that was opened first, so that nobody can exchange it for a link on the
    way. Newlines are written as they are.

    Args:
        path: What the file is to be called.
        may_replace: Whether a regular file of that name may be replaced; anything else never is.

    Raises:
        FileExists: If a regular file is in the way.
        FileError: If it cannot be written, or something else than a regular file is there.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {path.parent}: {error.strerror}.") from None
    try:
        _refuse(path, folder, may_replace=may_replace)
        # Not from the name, which may be as long as a name can be.
        temporary = f".audit-tui-{secrets.token_hex(8)}.part"
        try:
            with _removed_on_error(temporary, folder), _opened(temporary, folder) as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
                _refuse(path, folder, may_replace=may_replace)
                os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
        except OSError as error:
            raise _unwritable(path, error) from None
    finally:
        os.close(folder)


@contextmanager
def _opened(name: str, folder: int) -> Iterator[TextIO]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    stream = os.fdopen(
        os.open(name, flags, MODE, dir_fd=folder),
        "w",
        encoding="utf-8",
        errors="backslashreplace",
        newline="",
    )
    try:
        os.fchmod(stream.fileno(), MODE)
        yield stream
    finally:
        # What is still in its buffer does not fit on a full disk either.
        with suppress(OSError):
            stream.close()


@contextmanager
def _removed_on_error(name: str, folder: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise


def _refuse(path: Path, folder: int, *, may_replace: bool) -> None:
    try:
        mode = os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unwritable(path, error) from None
    if stat.S_ISLNK(mode):
        raise FileError(f"{path} is a link, and links are not followed.", "Name the file itself.")
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise FileError(f"{path} is {what}.", "Name another file.")
    if not may_replace:
        raise FileExists(f"{path} is there already.", "Name another file, or replace it.")


def _unwritable(path: Path, error: OSError) -> FileError:
    hint = "Nothing was left behind. Make room, or choose another place." if error.errno in _NO_SPACE else ""
    return FileError(f"{path} cannot be written: {error.strerror or type(error).__name__}.", hint)
