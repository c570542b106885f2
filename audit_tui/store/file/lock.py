"""The one lock that every writer takes around a transaction and around a checkpoint.

SQLite before 3.51.3 can lose commits when one connection commits and another checkpoints at the same
instant (sqlite.org/wal.html#walresetbug); under this lock that cannot happen. It is also fair: eight
writers wait 0.2 s at most, with SQLite's own lock alone 2 s.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import stat
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audit_tui.errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_S = 10.0
_POLL_S = 0.0003
"""A durable commit takes 1 ms: with 2 ms here the lock lay free for longer than it was held, and p95 of eight
writers without a pause was 100 ms instead of 55. Constant, so that whoever waits longest is not worse off."""


class StoreLock:
    """An exclusive lock on ``<store>.lock``, for one writer; the file goes when the last one is done.

    Args:
        store_path: The store's own path, resolved.
        wait_s: How long to wait for another program.
    """

    def __init__(self, store_path: Path, wait_s: float = WAIT_S) -> None:
        self.path = store_path.with_name(store_path.name + ".lock")
        self._store_path = store_path
        self._wait_s = wait_s
        self._descriptor: int | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock inside this block.

        Raises:
            StoreBusy: If another program holds it for too long.
            StoreError: If the lock file cannot be made here.
        """
        self._acquire()
        try:
            yield
        finally:
            if self._descriptor is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def remove(self) -> None:
        """Delete the lock file, inside a ``held`` block: whoever waits on it makes a new one."""
        if self._descriptor is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def close(self) -> None:
        """Let go of the file without deleting it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _acquire(self) -> None:
        deadline = time.monotonic() + self._wait_s
        while not self._try():
            if time.monotonic() >= deadline:
                holder = self._holder()
                # Whoever gives up here may never come back to close it.
                self.close()
                raise StoreBusy(
                    f"{self._store_path} is busy: {holder} has held it for {self._wait_s:g} s.",
                    "Wait until it is done, then try again.",
                )
            time.sleep(_POLL_S * (1 + random.random()))  # noqa: S311 - jitter, not a secret

    def _try(self) -> bool:
        if self._descriptor is None:
            self._descriptor = self._open()
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # The holder may delete the file: only what lies at the path now is worth waiting for.
            if not self._is_current():
                self.close()
            return False
        except OSError as error:
            raise StoreError(
                f"{self._store_path} cannot be locked: {error.strerror}.",
                "Keep the store on a local disk.",
            ) from error
        if not self._is_current():
            self.close()
            return False
        os.pwrite(self._descriptor, f"{os.getpid():<10}\n".encode(), 0)
        return True

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
            raise StoreError(
                f"The lock file {self.path} cannot be opened: {reason}.",
                "Writing needs the right to make files in the store's folder.",
            ) from error
        status = os.fstat(descriptor)
        # The holder writes its number into it: into a file that is not a lock, that would be damage.
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            os.close(descriptor)
            reason = "has several names" if stat.S_ISREG(status.st_mode) else "is not a regular file"
            raise StoreError(f"The lock file {self.path} {reason}.", "Remove it while nobody records.")
        if status.st_uid == os.geteuid():
            os.fchmod(descriptor, self._mode())
        return descriptor

    def _mode(self) -> int:
        """The lock's mode: for whoever may write the store. A reader could hold up all writers."""
        try:
            mode = self._store_path.stat().st_mode
        except OSError:
            mode = 0
        return 0o600 | (0o060 if mode & stat.S_IWGRP else 0) | (0o006 if mode & stat.S_IWOTH else 0)

    def _is_current(self) -> bool:
        if self._descriptor is None:
            return False
        try:
            status = self.path.lstat()
        except FileNotFoundError:
            return False
        return os.path.samestat(status, os.fstat(self._descriptor))

    def _holder(self) -> str:
        if self._descriptor is None:
            return "another program"
        from audit_tui.store.file.holders import lock_holder

        pid = os.pread(self._descriptor, 16, 0).decode("ascii", "replace").strip()
        return lock_holder(self.path, int(pid) if pid.isdecimal() else None)
