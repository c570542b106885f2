"""Places where a store is not safe: another machine's file system, and a file that has several names.

SQLite's locks and shared memory work on local file systems only. Its log and our lock go by the store's
name: two writers that come by two names of one file each have their own, and lose what they acknowledged.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from audit_tui.core.text import lazy_pattern
from audit_tui.errors import StoreError

_MOUNTS = Path("/proc/self/mountinfo")
NETWORK_KINDS = frozenset(
    {
        "9p",
        "afs",
        "afpfs",
        "ceph",
        "cifs",
        "davfs",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)
"""Several machines may write there, and each has memory of its own: a write-ahead log cannot work."""
_FUSE = "fuse"
_ESCAPED = lazy_pattern(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mounted file system."""

    kind: str
    """As the system calls it: ext4, nfs4, fuse.sshfs."""
    is_read_only: bool
    point: str = "/"
    """The folder, or the single file, that it is mounted on."""

    @property
    def is_network(self) -> bool:
        """True when it is, or may be, another machine's."""
        return self.kind in NETWORK_KINDS or self.kind == _FUSE or self.kind.startswith(f"{_FUSE}.")


def mount_of(path: Path, mounts: Path = _MOUNTS) -> Mount | None:
    """The file system that a path lies on; None where the system does not tell.

    Args:
        path: Resolved; need not exist.
        mounts: What the system tells of its mounts, for tests.
    """
    try:
        lines = os.fsdecode(mounts.read_bytes()).split("\n")
    except OSError:
        return None
    nearest: tuple[int, Mount] | None = None
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ", 1)[0]
        if len(fields) < 6 or not kind:
            continue
        point = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
        # Of two on one point the later one covers the earlier.
        if path.is_relative_to(point) and (nearest is None or len(point) >= nearest[0]):
            nearest = (len(point), Mount(kind, "ro" in fields[5].split(","), point))
    return None if nearest is None else nearest[1]


def other_names(path: Path, mounts: Path = _MOUNTS) -> str:
    """The reason why a file may be reached by another name too, as a sentence; empty when it cannot.

    Args:
        path: Resolved; need not exist.
        mounts: What the system tells of its mounts, for tests.
    """
    try:
        names = path.stat().st_nlink
    except OSError:
        return ""
    if names > 1:
        return f"{path} has {names} names (hard links)."
    mount = mount_of(path, mounts)
    if mount is not None and mount.point == str(path):
        return f"{path} is mounted as a single file, so it has another name elsewhere."
    return ""


ONE_NAME = "Keep one name: remove the others (find / -samefile FILE lists them), or mount the store's folder."


def refuse_other_names(path: Path) -> None:
    """Refuse to write to a file that others may write to by another name.

    Raises:
        StoreError: If it has one.
    """
    if reason := other_names(path):
        raise StoreError(f"{reason} Its log goes by the name, so writing would lose events.", ONE_NAME)


def place_notice(path: Path) -> str:
    """A notice about where a store lies; empty when that is a good place."""
    if reason := other_names(path):
        return f"{reason} It is only read; what is in the log of another name is not shown."
    mount = mount_of(path)
    if mount is None or not mount.is_network:
        return ""
    return f"This store is on {mount.kind}, where writing is not safe: keep it on a local disk."
