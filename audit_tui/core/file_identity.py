"""Telling whether two paths lead to one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def file_identity(path: Path) -> tuple[int, int] | None:
    """What tells whether two paths are one file; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
