"""Long statements that Ctrl+C ends at once: SQLite holds a thread until one is done."""

from __future__ import annotations

import sqlite3
import threading


def run_interruptible(connection: sqlite3.Connection, statement: str) -> list[str]:
    """The first column of what a statement gives; what it cannot read is told as one more text.

    Raises:
        sqlite3.OperationalError: If it is interrupted by somebody else.
    """
    texts: list[str] = []
    failed: list[sqlite3.Error] = []

    def run() -> None:
        try:
            texts.extend(str(row[0]) for row in connection.execute(statement))
        except sqlite3.Error as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="statement")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.1)
    except BaseException:
        connection.interrupt()
        thread.join()
        raise
    for error in failed:
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_INTERRUPT:
            raise error
        texts.append(str(error))
    return texts
