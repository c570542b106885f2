"""The tables of a store, their version, and the way from an older version to this one."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column, NameColumn
from audit_tui.core.event import iso_utc, to_us
from audit_tui.core.record import Record
from audit_tui.errors import NotAStore, StoreError, StoreTooNew
from audit_tui.store.tables import index_layout, seal_layout, text_layout
from audit_tui.store.tables.index_layout import REMOVALS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

APPLICATION_ID = 0x61756474
"""``audt`` in the file's header, so that ``file`` and this program know a store from any other database."""
MIN_SQLITE = (3, 37, 0)
"""STRICT tables begin here."""

STORE_ID = "store_id"
CREATED = "created"
READABLE_FROM = "readable_from"
"""The lowest schema version whose programs may read this store: a newer schema that only adds keeps it."""
PRUNED = "pruned_events"
"""The number of events pruned so far, written in their transactions; absent before the first."""
OWN_NAMES = frozenset({STORE_ID, CREATED, READABLE_FROM, PRUNED, REMOVALS, seal_layout.SEAL_KEY})
"""Names in ``store_info`` that notes must not take."""


class NameTable(Record):
    """A table of names, and the column of ``events`` that points into it."""

    table: str
    column: str


class Index(Record):
    """An index over ``events``."""

    name: str
    columns: tuple[str, ...]
    is_unique: bool = False


NAME_TABLES: dict[NameColumn, NameTable] = {
    Column.EVENT: NameTable("event_names", "event_id"),
    Column.CATEGORY: NameTable("category_names", "category_id"),
    Column.USER: NameTable("user_names", "user_id"),
}
SOURCE_NAMES = NameTable("source_names", "source_id")
ALL_NAME_TABLES = (*NAME_TABLES.values(), SOURCE_NAMES)

KEY_INDEX = Index("events_key", ("key",), is_unique=True)
OLD_INDEXES = ("events_time", "events_event", "events_category", "events_user")
"""The indexes that stores of version 1 had instead of the bitmaps."""
OLD_TEXT_TABLES = ("text_segments", "text_parts")
"""The text index of version 1."""
OLD_TABLES = ("segments", "segment_columns", *OLD_TEXT_TABLES)
"""The tables that they had."""

NAME_TABLE_COLUMNS = ("id", "name", "folded", "events")
EVENT_COLUMNS = (
    "seq",
    "key",
    "occurred_us",
    "event_id",
    "category_id",
    "user_id",
    "description",
    "outcome",
    "severity",
    "source_ip",
    "target",
    "source_id",
    "metadata",
    "original",
)
TABLES: dict[str, tuple[str, ...]] = {
    "store_info": ("name", "value"),
    "events": EVENT_COLUMNS,
    **{names.table: NAME_TABLE_COLUMNS for names in ALL_NAME_TABLES},
}
"""The tables that a reader reads, with the columns it knows."""
OPTIONAL_TABLES: dict[str, tuple[str, ...]] = {
    **index_layout.TABLES,
    **text_layout.TABLES,
    **seal_layout.TABLES,
}
"""The tables that a reader reads where they exist: derived from the events, or their seals."""

VIEW = "audit_log"

_INFO_TABLE = "CREATE TABLE store_info (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID"
_NAMES_TABLE = """
CREATE TABLE {table} (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,    -- the name without regard to case, for search and order
    events INTEGER NOT NULL  -- how many events have it; written in their transaction
) STRICT
"""
# OR instead of IN: a list of three is a table that SQLite fills for each row, 5 µs.
_EVENTS_TABLE = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,      -- 1, 2, 3 ... in order of append, without gaps
    key TEXT NOT NULL,            -- the same record has the same key
    occurred_us INTEGER NOT NULL, -- microseconds since 1970, UTC
    event_id INTEGER NOT NULL REFERENCES event_names (id),
    category_id INTEGER REFERENCES category_names (id),
    user_id INTEGER REFERENCES user_names (id),
    description TEXT,
    outcome TEXT NOT NULL CHECK (outcome = 'success' OR outcome = 'failure' OR outcome = 'unknown'),
    severity INTEGER CHECK (severity BETWEEN 0 AND 6),
    source_ip TEXT,
    target TEXT,
    source_id INTEGER REFERENCES source_names (id),
    metadata TEXT,                -- a JSON object; NULL when empty
    original BLOB                 -- zlib
) STRICT
"""
# Names by subquery, so that the planner cannot begin with a table of names; % of a negative number is
# negative, hence the second one.
_VIEW_SELECT = """
SELECT
    seq,
    strftime('%Y-%m-%dT%H:%M:%S',
        (occurred_us - (occurred_us % 1000000 + 1000000) % 1000000) / 1000000, 'unixepoch')
        || printf('.%06dZ', (occurred_us % 1000000 + 1000000) % 1000000) AS time,
    (SELECT name FROM event_names WHERE id = event_id) AS event,
    (SELECT name FROM category_names WHERE id = category_id) AS category,
    (SELECT name FROM user_names WHERE id = user_id) AS user,
    description, outcome, severity, source_ip, target,
    (SELECT name FROM source_names WHERE id = source_id) AS source,
    metadata, key
FROM events
"""


def _create(connection: sqlite3.Connection) -> None:
    """Version 1: the events, their names, and what is known of the store."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(_INFO_TABLE)
    for names in ALL_NAME_TABLES:
        connection.execute(_NAMES_TABLE.format(table=names.table))
        _create_unique(connection, f"{names.table}_name", names.table, ["name"])
        _create_unique(connection, f"{names.table}_order", names.table, ["folded", "name"])
    connection.execute(_EVENTS_TABLE)
    _create_unique(connection, KEY_INDEX.name, "events", KEY_INDEX.columns)
    connection.execute(f'CREATE VIEW "{VIEW}" AS {_VIEW_SELECT}')
    seal_layout.create_tables(connection)
    text_layout.create(connection)
    created = {
        STORE_ID: os.urandom(16).hex(),
        CREATED: iso_utc(to_us(datetime.now(UTC))),
        READABLE_FROM: "1",
    }
    connection.executemany("INSERT INTO store_info (name, value) VALUES (?, ?)", created.items())


def _create_unique(connection: sqlite3.Connection, index: str, table: str, columns: Sequence[str]) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    connection.execute(f'CREATE UNIQUE INDEX "{index}"\n    ON "{table}" ({names})')


def _add_index(connection: sqlite3.Connection) -> None:
    """Version 2: bitmaps instead of indexes; a writer fills them, and drops what was before."""
    index_layout.create(connection)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create, _add_index)
"""The step at index n takes a store from version n to n + 1; a step that landed never changes."""
VERSION = len(MIGRATIONS)


def require_sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse an SQLite that cannot hold a store.

    Raises:
        StoreError: If it is older than 3.37.
    """
    if version < MIN_SQLITE:
        current = ".".join(map(str, version))
        raise StoreError(
            f"Python is linked with SQLite {current}; audit-tui needs 3.37 or newer.",
            "Use a Python that brings a newer SQLite.",
        )


def user_version(connection: sqlite3.Connection) -> int:
    """The schema version in the file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a store, or an empty database, to this version, inside the caller's transaction."""
    current = user_version(connection)
    for step in MIGRATIONS[current:]:
        step(connection)
    if current < VERSION:
        connection.execute(f"PRAGMA user_version = {VERSION}")


def is_blank(connection: sqlite3.Connection) -> bool:
    """Tell whether the database holds nothing at all, as when its creation was interrupted."""
    row = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return int(row[0]) == 0 and user_version(connection) == 0


def check_identity(connection: sqlite3.Connection, path: str, *, for_writing: bool) -> int:
    """Check that the database is a store of a version this program can use, and return the version.

    Raises:
        NotAStore: If the database belongs to another program.
        StoreTooNew: If a newer program wrote it.
    """
    found_id = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if found_id != APPLICATION_ID:
        raise NotAStore(
            f"{path} is an SQLite database, but not an audit store.",
            "Choose another with --store, or import a table of it: audit-tui import FILE --table TABLE",
        )
    version = user_version(connection)
    if not 1 <= version <= VERSION and (for_writing or _readable_from(connection) > VERSION):
        raise StoreTooNew(
            f"{path} has schema {version}; this audit-tui knows schemas up to {VERSION}.",
            "Upgrade audit-tui: pip install --upgrade audit-tui",
        )
    return version


def _readable_from(connection: sqlite3.Connection) -> int:
    try:
        row = connection.execute("SELECT value FROM store_info WHERE name = ?", (READABLE_FROM,)).fetchone()
        return int(row[0])
    except (sqlite3.OperationalError, TypeError, ValueError):
        return VERSION + 1


def check_tables(connection: sqlite3.Connection, path: str) -> None:
    """Check that what a reader will read are plain tables with the known columns, and nothing lurks.

    Raises:
        NotAStore: If there is a trigger, an unknown view, a virtual table, or a table is not as it should be.
    """
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema"):
        is_virtual = kind == "table" and str(sql).lstrip()[:14].upper() == "CREATE VIRTUAL"
        if kind == "trigger" or is_virtual or (kind == "view" and name != VIEW):
            raise _altered(path, f"it holds a {'virtual table' if is_virtual else kind} named {name!r}")
    kinds = {
        str(name): (str(kind), bool(is_strict))
        for schema, name, kind, _, _, is_strict in connection.execute("PRAGMA table_list")
        if schema == "main"
    }
    existing = {table: columns for table, columns in OPTIONAL_TABLES.items() if table in kinds}
    for table, expected in (TABLES | existing).items():
        if kinds.get(table) != ("table", True):
            raise _altered(path, f"it has no table {table} of the right kind")
        columns = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
        hidden = {str(column[1]): int(column[6]) for column in columns}
        if any(hidden.get(column, 1) != 0 for column in expected):
            raise _altered(path, f"the columns of {table} are not those of a store")


def _altered(path: str, why: str) -> NotAStore:
    return NotAStore(f"{path} looks like an audit store, but {why}.", "Do not trust it; use a clean copy.")


def has_index(connection: sqlite3.Connection) -> bool:
    """Tell whether the tables of the index exist; ``check_tables`` has looked at their columns."""
    names = tuple(index_layout.TABLES)
    marks = ", ".join("?" * len(names))
    statement = f"SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ({marks})"  # noqa: S608
    return int(connection.execute(statement, names).fetchone()[0]) == len(names)


def has_key_index(connection: sqlite3.Connection) -> bool:
    """Tell whether the index of keys is there, over the column that it should have."""
    columns = connection.execute(f"PRAGMA index_info({KEY_INDEX.name})").fetchall()
    return tuple(column[2] for column in columns) == KEY_INDEX.columns
