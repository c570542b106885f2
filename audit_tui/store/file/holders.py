"""Who keeps a store busy: the number and name of a process, for a message."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_LOCKS = Path("/proc/locks")
_SOMEBODY = "another program"


def process_words(pid: int) -> str:
    """A process by its number, and by its name where the system tells it."""
    with suppress(OSError):
        name = Path(f"/proc/{pid}/comm").read_bytes().decode("ascii", "replace").strip()
        if name.isprintable() and name:
            return f"process {pid} ({name})"
    return f"process {pid}"


def writer_of(store_path: Path, locks: Path = _LOCKS) -> str:
    """Which other process holds a lock for writing of SQLite's own on a store.

    A program that is not this one takes no lock of ours. Linux lists the locks of all processes, so no file
    need be opened: to open the store and close it again would drop this process's own locks.

    Args:
        store_path: The store, resolved.
        locks: What the system tells of locks, for tests.
    """
    files = set()
    for suffix in ("", "-shm"):
        with suppress(OSError):
            there = store_path.with_name(store_path.name + suffix).stat()
            files.add((os.major(there.st_dev), os.minor(there.st_dev), there.st_ino))
    try:
        lines = locks.read_text(encoding="ascii", errors="replace").split("\n")
    except OSError:
        return _SOMEBODY
    for line in lines:
        # 1: POSIX  ADVISORY  WRITE 1234 fe:01:98765 120 120
        fields = line.split()
        if len(fields) < 6 or fields[3] != "WRITE" or not fields[4].isdigit():
            continue
        pid = int(fields[4])
        # 0 is a process of another container.
        if pid in (0, os.getpid()) or _file_of(fields[5]) not in files:
            continue
        return process_words(pid)
    return _SOMEBODY


def _file_of(text: str) -> tuple[int, int, int] | None:
    major, _, rest = text.partition(":")
    minor, _, inode = rest.partition(":")
    try:
        return int(major, 16), int(minor, 16), int(inode)
    except ValueError:
        return None
