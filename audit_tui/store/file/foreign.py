"""Tables of databases that are not ours, read as a hostile file is: only tables, only reading, no waiting."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from audit_tui.errors import FileError, StoreError, UsageError
from audit_tui.store.file import connect
from audit_tui.store.tables.schema import APPLICATION_ID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEADLINE_S = 10.0
"""No row takes longer: an expression in a schema may be made to run for ever."""
_ROWS_AT_ONCE = 2_000
_SHOWN_TABLES = 40
_STEPS = 10_000
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_ROW_NUMBERS = ("rowid", "_rowid_", "oid")
_FORBIDDEN = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"})
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^'"
    " AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
)


class ForeignTable:
    """One table of a database, to be read once.

    Args:
        connection: To the database, set up for reading.
        path: Of the database.
        name: The table as the database calls it.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, name: str) -> None:
        self._connection = connection
        self._path = path
        self._name = name
        self._until_s = 0.0

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows as they lie in the table: the number of each, and its values by column.

        A table is read a few thousand rows at a time, so that programs that write to it need not wait.

        Raises:
            FileError: If it cannot be read on, or a row takes too long.
        """
        self._connection.set_progress_handler(lambda: time.monotonic() > self._until_s, _STEPS)
        try:
            yield from self._rows()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise FileError(f"A row of {self._name} in {self._path} takes too long to read.") from None
            raise FileError(f"{self._path} cannot be read on: {error}.") from None

    def _rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        table = _quoted(self._name)
        self._hurry()
        columns = [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")]
        for number, row in enumerate(self._values(table, columns), 1):
            yield number, dict(zip(columns, row, strict=False))
            self._hurry()

    def _values(self, table: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
        names = ", ".join(_quoted(column) for column in columns)
        taken = {column.lower() for column in columns}
        row_number = next((name for name in _ROW_NUMBERS if name not in taken), None)
        has_numbers = row_number is not None and self._has(row_number, table)
        if not has_numbers:
            yield from self._connection.execute(f"SELECT {names} FROM {table}")  # noqa: S608 - quoted
            return
        sql = (
            f"SELECT {row_number}, {names} FROM {table} WHERE {row_number} >= ?"  # noqa: S608 - quoted
            f" ORDER BY {row_number} LIMIT {_ROWS_AT_ONCE}"
        )
        from_number = _SMALLEST
        while True:
            last = None
            for row in self._connection.execute(sql, (from_number,)):
                last = int(row[0])
                yield row[1:]
            if last is None or last == _LARGEST:
                return
            from_number = last + 1

    def _has(self, row_number: str, table: str) -> bool:
        try:
            self._connection.execute(f"SELECT {row_number} FROM {table} LIMIT 0")  # noqa: S608 - quoted
        except sqlite3.OperationalError:
            return False
        return True

    def _hurry(self) -> None:
        self._until_s = time.monotonic() + DEADLINE_S


@contextmanager
def open_table(path: Path, name: str) -> Iterator[ForeignTable]:
    """Open one table of a database for reading.

    Raises:
        FileError: If it is not a database that can be read, or an audit store.
        UsageError: If there is no such table; names those that are there.
    """
    connection = _open(path)
    try:
        names = _names(connection, path)
        table = name if name in names else {other.lower(): other for other in names}.get(name.lower())
        if table is None:
            like = get_close_matches(name, names, 1)
            hint = f"Did you mean {like[0]}? " if like else ""
            raise UsageError(f"{path} has no table {name!r}.", hint + _listed(names))
        yield ForeignTable(connection, path, table)
    finally:
        connection.close()


def tables_of(path: Path) -> str:
    """A sentence with the names of the tables of a database.

    Raises:
        FileError: If it is not a database that can be read, or an audit store.
    """
    connection = _open(path)
    try:
        return _listed(_names(connection, path))
    finally:
        connection.close()


def _listed(names: list[str]) -> str:
    if not names:
        return "It has no tables."
    more = f" and {len(names) - _SHOWN_TABLES:,} more" if len(names) > _SHOWN_TABLES else ""
    return f"Its tables are {', '.join(names[:_SHOWN_TABLES])}{more}."


def _open(path: Path) -> connect.Connection:
    path = path.resolve()
    try:
        # A log that nobody has open needs no shared memory beside it, and none is made.
        is_quiet = not path.with_name(f"{path.name}-wal").exists() and _is_in_wal_mode(path)
        connection = connect.open_viewer(path, immutable=is_quiet)
    except StoreError as error:
        raise FileError(error.message.replace("an audit store", "a database")) from None
    except (sqlite3.Error, OSError) as error:
        raise FileError(f"{path} cannot be read: {error}.") from None
    with connect.closed_on_error(connection):
        connection.text_factory = _text
        until_s = time.monotonic() + DEADLINE_S
        connection.set_progress_handler(lambda: time.monotonic() > until_s, _STEPS)
        try:
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        except sqlite3.Error as error:
            raise FileError(f"{path} cannot be read: {error}.") from None
        if application_id == APPLICATION_ID:
            raise FileError(
                f"{path} is an audit store, not a log.",
                "Export its events as JSONL with audit-tui export, and import that.",
            )
        connection.set_authorizer(_authorize)
    return connection


def _is_in_wal_mode(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(20)
    return len(head) == 20 and head[18] == 2


def _names(connection: sqlite3.Connection, path: Path) -> list[str]:
    try:
        return [row[0] for row in connection.execute(_TABLES)]
    except sqlite3.Error as error:
        raise FileError(f"{path} cannot be read: {error}.") from None


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def _text(data: bytes) -> str:
    """TEXT that is not UTF-8 comes as the bytes of a log file do."""
    return data.decode("utf-8", "surrogateescape")


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Reading, and the functions of generated columns but those that reach outside."""
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_TRANSACTION):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if second in _FORBIDDEN else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first in ("table_info", "table_xinfo"):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
