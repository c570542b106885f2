"""The tables of names: finding or making a name's number, and how many events have it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from audit_tui.store.tables.schema import ALL_NAME_TABLES, NameTable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from audit_tui.store.tables.rows import Draft, StoredRow

MAX_REMEMBERED = 100_000
"""Numbers kept in memory per table; beyond it they are looked up again, so that memory stays flat."""


class Names:
    """The numbers of one table's names, for a writer.

    A name never changes its number, so what other writers add does not make these wrong; what a
    transaction that is rolled back added does, hence ``forget``.
    """

    def __init__(self, names: NameTable) -> None:
        table = names.table
        self._find = f"SELECT id FROM {table} WHERE name = ?"  # noqa: S608 - our own table names
        self._add = f"INSERT INTO {table} (name, folded, events) VALUES (?, ?, 0)"  # noqa: S608 - as above
        self._ids: dict[str, int] = {}

    def learn(self, connection: sqlite3.Connection, wanted: Iterable[str | None]) -> dict[str, int]:
        """The numbers of these names, made where they are new, inside the caller's transaction."""
        if len(self._ids) > MAX_REMEMBERED:
            self._ids.clear()
        for name in wanted:
            if name is None or name in self._ids:
                continue
            row = connection.execute(self._find, (name,)).fetchone()
            if row is None:
                made = connection.execute(self._add, (name, name.casefold())).lastrowid
                row = (made,)
            self._ids[name] = int(row[0])
        return self._ids

    def forget(self) -> None:
        """Forget all numbers."""
        self._ids.clear()


class NameCounts:
    """Keeps how many events each name has, in the transaction of the events."""

    def on_append(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Add these events to the counts of their names."""
        _count(connection, rows, 1)

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None:
        """Take these events from the counts of their names."""
        _count(connection, rows, -1)

    def on_replace(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Count these events again."""
        _count(connection, rows, 1)

    def forget(self) -> None:
        """Nothing is remembered between transactions."""


def clear_unused(connection: sqlite3.Connection) -> None:
    """Take the texts of names away that no event has any more; their numbers are never given again.

    The indexes over names are rebuilt: what lies in the gaps of their pages would tell the texts.
    """
    for names in ALL_NAME_TABLES:
        # Random, so that nobody can record a name that stands in the way.
        cleared = connection.execute(
            f"UPDATE {names.table} SET name = lower('(removed ' || hex(randomblob(8)) || ')')"  # noqa: S608
            " WHERE events = 0"
        )
        if cleared.rowcount:
            connection.execute(f"UPDATE {names.table} SET folded = name WHERE events = 0")  # noqa: S608
            connection.execute(f"REINDEX {names.table}")


def _count(connection: sqlite3.Connection, rows: Sequence[StoredRow], sign: int) -> None:
    for names in ALL_NAME_TABLES:
        place = _PLACES[names.column]
        counts = Counter(row[place] for row in rows)
        counts.pop(None, None)
        connection.executemany(
            f"UPDATE {names.table} SET events = events + ? WHERE id = ?",  # noqa: S608 - our own names
            [(sign * events, number) for number, events in counts.items()],
        )


_PLACES = {"event_id": 3, "category_id": 4, "user_id": 5, "source_id": 11}
