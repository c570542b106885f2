"""Folders that belong to a run: what a killed run left behind can be told from what another run needs."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
