"""A row of wrong types, as only an attacker or a damaged file has: it hides none of its neighbours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import LISTABLE_COLUMNS
from audit_tui.core.query import AtRow, EventQuery, Sort
from audit_tui.store.read.reader import StoreReader
from tests.cli.running import make_store, run

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = (
    *("occurred_us", "event_id", "category_id", "user_id", "description", "outcome", "severity", "source_ip"),
    *("target", "source_id", "metadata"),
)
VALUES = ("abc", 1.5, b"\xff\x00", float("inf"), 2**63 - 1, -(2**63), "")


def forge(path: Path, column: str, value: object) -> None:
    """Put a value into the first event that the table's own declaration refuses."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        strict = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'events'").fetchone()[0]
        columns = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
        loose = ", ".join(f"{name} INTEGER PRIMARY KEY" if name == "seq" else name for name in columns)
        declare(connection, f"CREATE TABLE events ({loose})")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE events SET {column} = ? WHERE seq = 1", (value,))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        declare(connection, strict)


def declare(connection: sqlite3.Connection, sql: str) -> None:
    version = connection.execute("PRAGMA schema_version").fetchone()[0]
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'events'", (sql,))
    connection.execute(f"PRAGMA schema_version = {version + 1}")


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_the_readable_rest_is_shown(column: str, value: object, tmp_path: Path) -> None:
    path = make_store(tmp_path / "audit.db")
    with StoreReader(path) as reader:
        others = {row for row in reader.page(EventQuery(), AtRow(0), 10).rows if row.seq != 1}
    forge(path, column, value)
    with StoreReader(path) as reader:
        for order in LISTABLE_COLUMNS:
            rows = reader.page(EventQuery(sort=Sort(order)), AtRow(0), 10).rows
            assert {row for row in rows if row.seq != 1} == others
            assert len(rows) == 4
        assert reader.count(EventQuery()) == 4
        assert {event.seq for event in reader.events(EventQuery())} == {1, 2, 3, 4}
        assert reader.event(1) is not None
    printed = run("query", "-s", str(path), "--range", "all-time", "--format", "jsonl", "--limit", "0")
    assert (printed.exit_code, printed.stdout.count("\n")) == (0, 4)
