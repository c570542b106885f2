"""What is made of the events and can be made anew: indexes, segments, the text index, the names' counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.store import segment_layout, text_layout
from audit_tui.store.tables import schema

if TYPE_CHECKING:
    import sqlite3


def drop(connection: sqlite3.Connection) -> None:
    """Take away what is derived, inside the caller's transaction; a store without text index stays so."""
    for index in schema.SECONDARY_INDEXES:
        connection.execute(f"DROP INDEX IF EXISTS {index.name}")
    connection.execute(f"REINDEX {schema.KEY_INDEX.name}")
    segment_layout.STORED.drop(connection)
    segment_layout.STORED.create(connection)
    if text_layout.STORED.are_there(connection):
        text_layout.STORED.drop(connection)
        text_layout.STORED.create(connection)


def recount_names(connection: sqlite3.Connection) -> None:
    """Write anew how many events each name has, and how it is searched for."""
    for names in schema.ALL_NAME_TABLES:
        connection.execute(
            f"UPDATE {names.table} SET events = 0 WHERE events <> 0"  # noqa: S608 - our own names
        )
        counted = connection.execute(
            f"SELECT count(*), {names.column} FROM events"  # noqa: S608 - our own names
            f" WHERE {names.column} IS NOT NULL GROUP BY {names.column}"
        ).fetchall()
        connection.executemany(
            f"UPDATE {names.table} SET events = ? WHERE id = ?",  # noqa: S608 - our own names
            counted,
        )
        found = connection.execute(f"SELECT id, name, folded FROM {names.table}")  # noqa: S608 - our own
        wrong = [(name.casefold(), number) for number, name, folded in found if name.casefold() != folded]
        connection.executemany(
            f"UPDATE {names.table} SET folded = ? WHERE id = ?",  # noqa: S608 - our own names
            wrong,
        )
