"""On what kind of file system a store lies: SQLite's locks and shared memory work on local ones only."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

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
_ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mounted file system."""

    kind: str
    """As the system calls it: ext4, nfs4, fuse.sshfs."""
    is_read_only: bool

    @property
    def is_network(self) -> bool:
        """Whether it is, or may be, another machine's."""
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
    found: tuple[int, Mount] | None = None
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ", 1)[0]
        if len(fields) < 6 or not kind:
            continue
        point = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
        # Of two on one point the later one covers the earlier.
        if path.is_relative_to(point) and (found is None or len(point) >= found[0]):
            found = (len(point), Mount(kind, "ro" in fields[5].split(",")))
    return None if found is None else found[1]


def network_notice(path: Path) -> str:
    """What to say of a store that lies on another machine; empty when it does not."""
    mount = mount_of(path)
    if mount is None or not mount.is_network:
        return ""
    return f"This store is on {mount.kind}, where writing is not safe: keep it on a local disk."
