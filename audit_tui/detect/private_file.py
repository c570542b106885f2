"""Files of detections in the user's data: small databases of what can be made again, no stores."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from audit_tui.core.new_file import private_folder

if TYPE_CHECKING:
    from pathlib import Path


def open_private(path: Path, form: int, tables: dict[str, str]) -> sqlite3.Connection | None:
    """Open a file that nobody else can read, made if need be; None where that cannot be done.

    Args:
        path: The file.
        form: The form of its content; what was written in another is forgotten.
        tables: The tables by name, and what is in them.
    """
    try:
        private_folder(path.parent)
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, timeout=2)
    except (OSError, sqlite3.Error):
        return None
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] != form:
            for name in tables:
                connection.execute(f"DROP TABLE IF EXISTS {name}")
            connection.execute(f"PRAGMA user_version = {form}")
        for name, content in tables.items():
            connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({content}) WITHOUT ROWID")
    except sqlite3.Error:
        connection.close()
        return None
    return connection
