"""Logs that are still written while they are read: pipes, and files that rotate."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

IDLE_S = 0.5
"""After so long without anything new, what waits is handed over."""
POLL_S = 0.1
"""Time between two looks at a followed file."""
_FINGERPRINT_BYTES = 256


class Live(Protocol):
    """A source that stays open."""

    def read(self, size: int) -> bytes | None:
        """Return what came; none (``b""``) at the end, None when nothing came for ``IDLE_S``."""
        ...

    def is_ready(self) -> bool:
        """Tell whether there is something to read without waiting."""
        ...


class Pipe:
    """A pipe, a terminal, a socket: whatever tells when it can be read.

    Args:
        descriptor: Of the open file; who opened it closes it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, size: int) -> bytes | None:
        """Return what came; see ``Live``."""
        ready, _, _ = select.select([self._descriptor], [], [], IDLE_S)
        return os.read(self._descriptor, size) if ready else None

    def is_ready(self) -> bool:
        """Tell whether there is something to read."""
        return bool(select.select([self._descriptor], [], [], 0)[0])


class Followed:
    """A file that grows, until another takes its place.

    It ends where the path leads to another file (rename and create), or to a shorter or a different text
    (copy and truncate): then the path is opened again, and read from its beginning.

    Args:
        path: The file.
        descriptor: Of the open file; who opened it closes it.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._position = 0
        self._fingerprint = b""

    def read(self, size: int) -> bytes | None:
        """Return what came; see ``Live``."""
        until_s = time.monotonic() + IDLE_S
        while True:
            # Looked at before reading: what was written to the old file until then is not missed.
            is_replaced = self._is_replaced()
            data = b"" if is_replaced is None else os.read(self._descriptor, size)
            if data:
                if len(self._fingerprint) < _FINGERPRINT_BYTES:
                    self._fingerprint += data[: _FINGERPRINT_BYTES - len(self._fingerprint)]
                self._position += len(data)
                return data
            if is_replaced or is_replaced is None:
                return b""
            if time.monotonic() >= until_s:
                return None
            time.sleep(POLL_S)

    def is_ready(self) -> bool:
        """Tell whether the file is longer than what was read of it."""
        return os.fstat(self._descriptor).st_size > self._position

    def _is_replaced(self) -> bool | None:
        """Tell whether the path leads to another file; None when this one was truncated and begun again."""
        mine = os.fstat(self._descriptor)
        if mine.st_size < self._position:
            return None
        start = os.pread(self._descriptor, len(self._fingerprint), 0)
        if start != self._fingerprint:
            return None
        try:
            other = self._path.stat()
        except OSError:
            return False  # between the renaming and the new file
        return (other.st_dev, other.st_ino) != (mine.st_dev, mine.st_ino)
