"""The process that keeps a store busy, by its number and name, for a message."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

LOCKS = Path("/proc/locks")
"""All locks of all processes, as Linux tells them."""
_SOMEBODY = "another program"


def process_words(pid: int) -> str:
    """A process by its number, and by its name where the system tells it."""
    with suppress(OSError):
        name = Path(f"/proc/{pid}/comm").read_bytes().decode("ascii", "replace").strip()
        if name.isprintable() and name:
            return f"process {pid} ({name})"
    return f"process {pid}"


def writer_of(store_path: Path, locks: Path = LOCKS) -> str:
    """Name the other process that holds a lock for writing of SQLite's own on a store.

    A program that is not this one takes no lock of ours. Linux lists the locks of all processes, so no file
    need be opened: to open the store and close it again would drop this process's own locks.

    Args:
        store_path: The store, resolved.
        locks: What the system tells of locks, for tests.
    """
    paths = (store_path, store_path.with_name(f"{store_path.name}-shm"))
    pids = [pid for pid in _holders(paths, ("WRITE",), locks) if pid != os.getpid()]
    return process_words(pids[0]) if pids else _SOMEBODY


def lock_holder(lock_path: Path, written_pid: int | None, locks: Path = LOCKS) -> str:
    """Name the process that holds a lock file, which need not be the one that wrote its number into it.

    Args:
        lock_path: The file.
        written_pid: The number that stands in it; None when there is none.
        locks: What the system tells of locks, for tests.
    """
    pids = list(_holders((lock_path,), ("READ", "WRITE"), locks))
    if written_pid is not None and (not pids or written_pid in pids):
        return process_words(written_pid)
    return process_words(pids[0]) if pids else _SOMEBODY


def _holders(paths: Iterable[Path], modes: Collection[str], locks: Path) -> Iterator[int]:
    """The numbers of the processes that hold locks of these modes on one of several files."""
    files = set()
    for path in paths:
        with suppress(OSError):
            status = path.stat()
            files.add((os.major(status.st_dev), os.minor(status.st_dev), status.st_ino))
    try:
        lines = locks.read_text(encoding="ascii", errors="replace").split("\n")
    except OSError:
        return
    for line in lines:
        # 1: POSIX  ADVISORY  WRITE 1234 fe:01:98765 120 120; with an arrow behind the number for who waits.
        fields = line.split()
        if len(fields) < 6 or fields[3] not in modes or not fields[4].isdigit():
            continue
        # 0 is a process of another container.
        if int(fields[4]) and _file_of(fields[5]) in files:
            yield int(fields[4])


def _file_of(text: str) -> tuple[int, int, int] | None:
    major, _, rest = text.partition(":")
    minor, _, inode = rest.partition(":")
    try:
        return int(major, 16), int(minor, 16), int(inode)
    except ValueError:
        return None
