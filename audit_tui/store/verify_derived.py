"""Checking what is derived from the events: a row that an index lacks is there, and nobody finds it.

SQLite's own check finds holes in its indexes and damaged pages; ours, what it cannot know: that an index
is over the right columns, that names are folded and counted right, and what the segments and the text index
say.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING, Any

from audit_tui.core.text import counted
from audit_tui.store import connect, schema
from audit_tui.store.seal_reading import open_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

MAX_PROBLEMS = 100
CHECKS = (
    ("segments", "audit_tui.store.columns.building"),
    ("text index", "audit_tui.store.text_index"),
)
"""What each derived part is called, and the module whose ``check(connection)`` tells what is wrong."""


def index_problems(path: Path) -> tuple[int, int, list[str]]:
    """Check the B-tree indexes and all pages of the file.

    Returns:
        How many indexes are complete, how many there should be, and what is wrong.
    """
    connection = open_reading(path)
    with connect.store_errors(path):
        try:
            found = schema.found_indexes(connection)
            wanted = (schema.KEY_INDEX, *schema.SECONDARY_INDEXES)
            problems = [f"index {one.name} is missing" for one in wanted if one.name not in found]
            odd = list(_odd_indexes(connection))
            messages = _interruptible(connection, _integrity)
        finally:
            connection.close()
    broken = sum(any(one.name in text for text in [*odd, *messages]) for one in wanted)
    return len(found) - broken, len(wanted), [*odd, *messages, *problems]


def derived_problems(path: Path) -> Iterator[tuple[str, str]]:
    """What is wrong with the segments and the text index: which of them, and a sentence."""
    for part, module in CHECKS:
        check: Callable[[sqlite3.Connection], Iterator[str]] = import_module(module).check
        connection = open_reading(path)
        connection.execute("BEGIN")
        try:
            for number, problem in enumerate(check(connection)):
                if number == MAX_PROBLEMS:
                    yield part, "and more"
                    break
                yield part, problem
        except sqlite3.DatabaseError as error:
            yield part, str(error)
        finally:
            connection.close()


def name_problems(
    connection: sqlite3.Connection, counts: Sequence[Counter[Any]] | None, after_seq: int
) -> Iterator[str]:
    """What is wrong with the tables of names.

    Args:
        connection: In a snapshot, gives texts as bytes.
        counts: How often each number was met among the first events; None leaves the counts unchecked.
        after_seq: The last of these events.
    """
    for place, names in enumerate(schema.ALL_NAME_TABLES):
        expected: Counter[Any] | None = None
        if counts is not None:
            late = connection.execute(
                f"SELECT {names.column} FROM events NOT INDEXED WHERE seq > ?",  # noqa: S608 - our own
                (after_seq,),
            )
            expected = counts[place] + Counter(row[0] for row in late)
        wrong_counts = wrong_folds = 0
        for number, name, folded, events in connection.execute(
            f"SELECT id, name, folded, events FROM {names.table}"  # noqa: S608 - our own
        ):
            text = bytes(name).decode("utf-8", "backslashreplace")
            wrong_folds += text.casefold().encode("utf-8", "backslashreplace") != folded
            wrong_counts += expected is not None and expected[number] != events
        if wrong_folds:
            yield f"{counted(wrong_folds, 'name')} in {names.table} cannot be found by a search"
        if wrong_counts:
            yield f"{counted(wrong_counts, 'name')} in {names.table} with a wrong number of events"


def _odd_indexes(connection: sqlite3.Connection) -> Iterator[str]:
    """Indexes that leave rows out, or sort them in another way than they should."""
    partial = {str(row[1]) for row in connection.execute("PRAGMA index_list(events)") if row[4]}
    for index in (schema.KEY_INDEX, *schema.SECONDARY_INDEXES):
        rows = connection.execute(f"PRAGMA index_xinfo({index.name})").fetchall()
        is_odd = any(row[3] or str(row[4]).upper() != "BINARY" for row in rows if row[5])
        if is_odd or index.name in partial:
            yield f"index {index.name} is not over all events in their order"


def _integrity(connection: sqlite3.Connection) -> list[str]:
    try:
        rows = connection.execute(f"PRAGMA integrity_check({MAX_PROBLEMS})").fetchall()
    except sqlite3.DatabaseError as error:
        if (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_INTERRUPT:
            raise
        return [str(error)]
    return [str(row[0]) for row in rows if row[0] != "ok"]


def _interruptible(
    connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], list[str]]
) -> list[str]:
    """Run one long statement so that Ctrl+C ends it at once: SQLite holds a thread until it is done."""
    found: list[str] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.extend(work(connection))
        except sqlite3.Error as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="integrity_check")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.1)
    except BaseException:
        connection.interrupt()
        thread.join()
        raise
    if failed:
        raise failed[0]
    return found
