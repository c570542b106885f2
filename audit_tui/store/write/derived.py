"""Parts of a store that can be made again from its events: index, text index, the counts of names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.store.tables import index_layout, schema, text_layout

if TYPE_CHECKING:
    import sqlite3


def drop(connection: sqlite3.Connection) -> None:
    """Take away what is derived, inside the caller's transaction; a store without text index stays so."""
    for statement in old_parts(connection):
        connection.execute(statement)
    connection.execute(f"REINDEX {schema.KEY_INDEX.name}")
    index_layout.drop(connection)
    index_layout.create(connection)
    if text_layout.exists(connection):
        text_layout.drop(connection)
        text_layout.create(connection)


def old_parts(connection: sqlite3.Connection) -> list[str]:
    """Return what takes away, one by one, what a store of version 1 had instead of the index."""
    wanted = (*schema.OLD_INDEXES, *schema.OLD_TABLES)
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(f"SELECT type, name FROM sqlite_schema WHERE name IN ({marks})", wanted)  # noqa: S608
    return [f"DROP {'INDEX' if kind == 'index' else 'TABLE'} {name}" for kind, name in rows.fetchall()]


def has_old_text_index(connection: sqlite3.Connection) -> bool:
    """Tell whether the store has the text index of version 1, so that it wants that of today."""
    names = schema.OLD_TEXT_TABLES
    statement = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (?, ?)"
    return bool(connection.execute(statement, names).fetchone()[0] == len(names))


def recount_names(connection: sqlite3.Connection) -> None:
    """Rewrite how many events each name has, and how it is searched for."""
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
        stored = connection.execute(f"SELECT id, name, folded FROM {names.table}")  # noqa: S608 - our own
        wrong = [(name.casefold(), number) for number, name, folded in stored if name.casefold() != folded]
        connection.executemany(
            f"UPDATE {names.table} SET folded = ? WHERE id = ?",  # noqa: S608 - our own names
            wrong,
        )
