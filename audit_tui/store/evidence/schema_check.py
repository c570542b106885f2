"""Comparing the definitions of a store with those that this program makes.

A table, an index or a view may have the right name and columns and still say something else: an index that
leaves events out, names that may stand twice, a view that shows other events.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.text import counted
from audit_tui.store.file import connect
from audit_tui.store.tables import schema

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

MAX_NAMED = 100
_DERIVED = frozenset(schema.OPTIONAL_TABLES)
"""Tables that may be missing: not built yet, left out, or, as seals, asked for elsewhere."""
_OLD_INDEXES = frozenset(schema.OLD_INDEXES)
"""Those of version 1, which the next writer takes away; no search goes by them."""
_STRICT_TYPES = {"INTEGER": "integer", "TEXT": "text", "BLOB": "blob"}


class _IndexShape(NamedTuple):
    """The definition of an index."""

    table: str
    is_unique: bool
    is_partial: bool
    columns: tuple[tuple[Any, ...], ...]
    """Of each column its name (None for an expression), whether it descends, and how it compares."""


def definition_problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Compare all definitions.

    Args:
        connection: The store, in a snapshot.
    """
    with closing(connect.in_memory()) as reference:
        schema.migrate(reference)
        expected = _definitions(reference)
        shapes = _index_shapes(reference)
    definitions = _definitions(connection)
    for name, (kind, sql) in expected.items():
        if name not in definitions:
            if name not in _DERIVED:
                yield f"the {kind} {name} is missing"
        elif definitions[name] != (kind, sql):
            yield f"the {kind} {name} is not defined as audit-tui defines it"
    yield from _index_problems(_index_shapes(connection), shapes)


def _index_problems(shapes: Mapping[str, _IndexShape], expected: Mapping[str, _IndexShape]) -> Iterator[str]:
    tables = {shape.table for shape in shapes.values()}
    for name, shape in expected.items():
        # A table that is missing is told above; an index of version 1 is built when an import ends.
        if name not in shapes and name not in _OLD_INDEXES and shape.table in tables | schema.TABLES.keys():
            yield f"index {name} is missing"
        elif name in shapes and shapes[name] != shape:
            yield f"index {name} is not defined as audit-tui defines it: searches may miss events"
    for name in shapes.keys() - expected.keys() - _OLD_INDEXES:
        yield f"index {name} is not one of audit-tui: searches that SQLite answers by it may miss events"


def _definitions(connection: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """Return the kinds and the statements of the tables of this program and of all views, by name."""
    rows = connection.execute(
        "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY rowid"
    )
    ours = schema.TABLES.keys() | schema.OPTIONAL_TABLES.keys()
    return {
        _text(name): (_text(kind), _text(sql))
        for name, kind, sql in rows
        if _text(kind) == "view" or _text(name) in ours
    }


def _index_shapes(connection: sqlite3.Connection) -> dict[str, _IndexShape]:
    """Return the indexes over the tables of this program, but for those that SQLite makes by itself."""
    shapes = {}
    for table in schema.TABLES.keys() | schema.OPTIONAL_TABLES.keys():
        for _, name, is_unique, origin, is_partial in connection.execute(f"PRAGMA index_list({table})"):
            if _text(origin) != "c":
                continue
            quoted = '"{}"'.format(_text(name).replace('"', '""'))
            columns = connection.execute(f"PRAGMA index_xinfo({quoted})").fetchall()
            shapes[_text(name)] = _IndexShape(
                table,
                bool(is_unique),
                bool(is_partial),
                tuple((_text(row[2]), row[3], _text(row[4]).upper()) for row in columns if row[5]),
            )
    return shapes


def name_problems(connection: sqlite3.Connection, *, may_stand_twice: bool) -> Iterator[str]:
    """Look for names that stand twice, or are not what a search compares.

    Args:
        connection: In a snapshot, gives texts as bytes.
        may_stand_twice: No whole unique index was found over them, which would prevent that: sort them all.
    """
    for names in schema.ALL_NAME_TABLES:
        if may_stand_twice:
            yield from _doubles(connection, names.table)
        wrong = 0
        for name, folded in connection.execute(f"SELECT name, folded FROM {names.table}"):  # noqa: S608 - ours
            wrong += not isinstance(name, bytes) or _folded(name) != folded
        if wrong:
            yield f"{counted(wrong, 'name')} in {names.table} cannot be found by a search"


def _doubles(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    names = connection.execute(
        f"SELECT name FROM {table} NOT INDEXED GROUP BY name HAVING count(*) > 1"  # noqa: S608 - ours
        f" LIMIT {MAX_NAMED}"
    ).fetchall()
    for (name,) in names:
        yield f"the name {_text(name)!r} stands twice in {table}: a filter finds the events of one only"


def type_problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Name the rows that hold values of another type than their columns; 1.5 s a million events.

    SQLite itself finds such rows with ``quick_check``, but does not say which.
    """
    for table, key in (("events", "seq"), *((names.table, "id") for names in schema.ALL_NAME_TABLES)):
        tests = []
        for _, column, kind, is_required, _, is_key in connection.execute(f"PRAGMA table_info({table})"):
            expected = _STRICT_TYPES.get(_text(kind).upper())
            if expected is not None and not is_key:
                absent = "" if is_required else ", 'null'"
                tests.append(f"typeof({_text(column)}) NOT IN ('{expected}'{absent})")
        rows = connection.execute(
            f"SELECT {key} FROM {table} NOT INDEXED WHERE {' OR '.join(tests)}"  # noqa: S608 - our own names
            f" ORDER BY {key} LIMIT {MAX_NAMED + 1}"
        ).fetchall()
        if rows:
            numbers = ", ".join(f"{number:,}" for (number,) in rows[:MAX_NAMED])
            more = " ..." if len(rows) > MAX_NAMED else ""
            yield f"values of another type in {table}: {key} {numbers}{more}"


def _folded(name: bytes) -> bytes:
    if name.isascii():
        return name.lower()
    return name.decode("utf-8", "backslashreplace").casefold().encode("utf-8", "backslashreplace")


def _text(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def count_problems(
    connection: sqlite3.Connection, names: schema.NameTable, counts: Mapping[int, int], after_seq: int
) -> Iterator[str]:
    """Compare how often names stand in events with what their table says.

    Args:
        connection: In a snapshot.
        names: The table.
        counts: How often each number stands in the first events.
        after_seq: The last of these events.
    """
    later = Counter(
        number
        for (number,) in connection.execute(
            f"SELECT {names.column} FROM events NOT INDEXED WHERE seq > ?",  # noqa: S608 - our own
            (after_seq,),
        )
    )
    rows = connection.execute(f"SELECT id, events FROM {names.table}")  # noqa: S608 - our own
    wrong = sum(counts.get(number, 0) + later[number] != events for number, events in rows)
    if wrong:
        yield f"{counted(wrong, 'name')} in {names.table} with a wrong number of events"
