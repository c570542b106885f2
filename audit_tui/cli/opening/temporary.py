"""A place for a store that only this run needs: gone when the run ends.

What a killed run had no time to remove, the next one removes. The folder for temporary files is often
everyone's, so nothing in it is trusted by its name alone: a folder is removed only if it is a real one, of
this user, open to nobody else, not claimed by a run that still lives; and of its files only those of a store.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp

from audit_tui.errors import StoreError


@contextmanager
def claimed(folder: Path) -> Iterator[int]:
    """Hold a folder's lock, which ends with the process whatever ends it.

    systemd-tmpfiles, too, leaves a locked folder alone however old it is.

    Yields:
        The folder, open.

    Raises:
        OSError: If another process holds it, or it is a link to a folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


PREFIX = "audit-tui-log-"
STORE_NAME = "log.db"
_STORE_FILES = tuple(f"{STORE_NAME}{suffix}" for suffix in ("", "-wal", "-shm", "-journal", ".lock"))
# As mkdtemp ends a name.
_OURS = re.compile(f"{re.escape(PREFIX)}[a-z0-9_]{{8}}")
_ATTEMPTS = 100


@contextmanager
def temporary_store() -> Iterator[Path]:
    """Yield where a store can be made, in a folder of its own that is gone afterwards.

    Raises:
        StoreError: If no folder can be made.
    """
    remove_leftovers()
    with ExitStack() as stack:
        folder, descriptor = _make_folder(stack)
        try:
            yield folder / STORE_NAME
        finally:
            try:
                _remove(folder, descriptor)
            finally:
                # A signal may have cut the first attempt short.
                _remove(folder, descriptor)


def remove_leftovers() -> None:
    """Remove the temporary stores of runs that were killed."""
    with suppress(OSError):
        for name in os.listdir(gettempdir()):  # noqa: PTH208 - names are all that is wanted of many files
            if not _OURS.fullmatch(name):
                continue
            folder = Path(gettempdir(), name)
            # It may be another user's, or claimed, or gone by now.
            with suppress(OSError), claimed(folder) as descriptor:
                status = os.fstat(descriptor)
                if status.st_uid == os.geteuid() and not status.st_mode & 0o077:
                    _remove(folder, descriptor)


def _make_folder(stack: ExitStack) -> tuple[Path, int]:
    """A folder that is claimed until the stack ends, and its descriptor."""
    for _ in range(_ATTEMPTS):
        try:
            folder = Path(mkdtemp(prefix=PREFIX)).absolute()
        except OSError as error:
            raise StoreError(
                f"No temporary folder can be made: {error.strerror}.",
                "Set TMPDIR to a folder where you may write.",
            ) from error
        # Before it is claimed, another run takes it for a leftover.
        with suppress(OSError):
            descriptor = stack.enter_context(claimed(folder))
            if os.path.samestat(folder.lstat(), os.fstat(descriptor)):
                return folder, descriptor
    raise StoreError("Temporary folders go as soon as they are made.", "Set TMPDIR to another folder.")


def _remove(folder: Path, descriptor: int) -> None:
    """Remove the files of a store from an open folder, and the folder if nothing else is in it."""
    for name in _STORE_FILES:
        with suppress(OSError):
            os.unlink(name, dir_fd=descriptor)
    with suppress(OSError):
        folder.rmdir()
