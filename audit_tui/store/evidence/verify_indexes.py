"""Checking indexes and names: a row that an index lacks is there, and nobody finds it.

``PRAGMA integrity_check`` would hold one snapshot for all of it, 44 s for ten million events, and meanwhile
a writer's log could only grow. So each event is looked for in each index a stretch at a time, at the same
cost, then the entries of each index are counted, and ``quick_check`` goes over the pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.text import counted
from audit_tui.store.file.interruptible import run_interruptible
from audit_tui.store.tables import schema

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from audit_tui.store.tables.schema import Index

MAX_PROBLEMS = 100
INDEXES = (schema.KEY_INDEX,)
_SMALL_TABLES = (*(names.table for names in schema.ALL_NAME_TABLES), "store_info")
"""Tables whose own indexes SQLite checks at once."""


def whole_indexes(connection: sqlite3.Connection) -> tuple[list[Index], list[str]]:
    """The indexes that are over all events in their order, and what is wrong with the others."""
    found = {schema.KEY_INDEX.name} if schema.has_key_index(connection) else set()
    partial = {str(row[1]) for row in connection.execute("PRAGMA index_list(events)") if row[4]}
    whole: list[Index] = []
    problems: list[str] = []
    for index in INDEXES:
        if index.name not in found:
            # Not built yet, as after an import that was killed; another one of this name is told elsewhere.
            continue
        rows = connection.execute(f"PRAGMA index_xinfo({index.name})").fetchall()
        is_odd = any(row[3] or str(row[4]).upper() != "BINARY" for row in rows if row[5])
        if is_odd or index.name in partial:
            problems.append(f"index {index.name} is not over all events in their order")
        else:
            whole.append(index)
    return whole, problems


def count_rows(
    connection: sqlite3.Connection, indexes: Sequence[Index], first_seq: int, last_seq: int
) -> tuple[int, list[str]]:
    """Look for the events of a stretch in the indexes.

    Args:
        connection: In a snapshot.
        indexes: Those that are whole.
        first_seq: The first of the stretch.
        last_seq: The last one, inside.

    Returns:
        How many events there are, and what is wrong.
    """
    lacking = [f"sum({_is_lacking(index)})" for index in indexes]
    rows, *missing = connection.execute(
        f"SELECT {', '.join(['count(*)', *lacking])} FROM events AS e NOT INDEXED"  # noqa: S608 - our own
        " WHERE e.seq BETWEEN ? AND ?",
        (first_seq, last_seq),
    ).fetchone()
    problems = []
    for index, events in zip(indexes, missing, strict=True):
        if events:
            (seq,) = connection.execute(
                "SELECT e.seq FROM events AS e NOT INDEXED WHERE e.seq BETWEEN ? AND ?"  # noqa: S608 - ours
                f" AND {_is_lacking(index)} ORDER BY e.seq LIMIT 1",
                (first_seq, last_seq),
            ).fetchone()
            problems.append(f"index {index.name} lacks {counted(events, 'event')}, the first event {seq:,}")
    return int(rows), problems


def _is_lacking(index: Index) -> str:
    """SQL for whether the event ``e`` is not in an index.

    The seq in the last place of an entry, by which SQLite finds the row, is read; the one among the columns
    is sought.
    """
    same = " AND ".join(f"i.{column} IS e.{column}" for column in index.columns)
    return f"((SELECT i.seq FROM events AS i INDEXED BY {index.name} WHERE {same}) IS NOT e.seq)"  # noqa: S608


def entry_problems(
    connection: sqlite3.Connection, indexes: Sequence[Index], last_seq: int, rows: int
) -> Iterator[str]:
    """Indexes with more entries than there are events up to a seq; in a snapshot each, of a second."""
    for index in indexes:
        (entries,) = connection.execute(
            f"SELECT count(*) FROM events INDEXED BY {index.name}"  # noqa: S608 - our own names
            " WHERE seq BETWEEN 1 AND ?",
            (last_seq,),
        ).fetchone()
        if entries > rows:
            yield f"index {index.name} has {counted(entries - rows, 'row')} of no event"


def page_problems(connection: sqlite3.Connection) -> list[str]:
    """Damaged pages anywhere, and what is wrong with the small tables; 3 s for ten million events."""
    problems = run_interruptible(connection, f"PRAGMA quick_check({MAX_PROBLEMS})")
    for table in _SMALL_TABLES:
        problems += run_interruptible(connection, f"PRAGMA integrity_check({table})")
    return [problem for problem in dict.fromkeys(problems) if problem != "ok"]


def count_problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Compare how often each name stands in the events with what the tables of names say.

    Args:
        connection: In a snapshot.
    """
    for names in schema.ALL_NAME_TABLES:
        events = dict(
            connection.execute(
                f"SELECT {names.column}, count(*) FROM events GROUP BY 1"  # noqa: S608 - our own
            ).fetchall()
        )
        counts = connection.execute(f"SELECT id, events FROM {names.table}")  # noqa: S608 - our own
        wrong = sum(events.get(number, 0) != count for number, count in counts)
        if wrong:
            yield f"{counted(wrong, 'name')} in {names.table} with a wrong number of events"
