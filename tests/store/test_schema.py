"""Versions of the schema, and the way from one to the next."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.store.read.reader import StoreReader
from audit_tui.store.tables import schema
from audit_tui.store.write.writer import StoreWriter
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from pathlib import Path


def add_a_table(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE seal (block INTEGER PRIMARY KEY) STRICT")


def fail(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE half (x INTEGER) STRICT")
    raise RuntimeError("interrupted")


def test_a_new_store_has_this_version_and_a_name_of_its_own(tmp_path: Path) -> None:
    ids = set()
    for name in ("one.db", "other.db"):
        with StoreWriter(tmp_path / name):
            pass
        with StoreReader(tmp_path / name) as reader:
            ids.add(reader.info().store_id)
            assert reader.info().schema_version == schema.VERSION
            assert (reader.note("created") or "").endswith("Z")
    assert len(ids) == 2


def test_a_migration_takes_an_older_store_on(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = (*schema.MIGRATIONS, add_a_table)
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    monkeypatch.setattr(schema, "VERSION", len(migrations))
    with StoreReader(store_path) as reader:
        assert reader.info().schema_version == len(migrations) - 1
    with StoreWriter(store_path):
        pass
    with StoreReader(store_path) as reader:
        assert reader.info().schema_version == len(migrations)
        assert reader.newest_seq() == len(EVENTS)


def test_a_migration_that_fails_changes_nothing(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store_path.read_bytes()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, add_a_table, fail))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 2)
    with pytest.raises(RuntimeError):
        StoreWriter(store_path)
    monkeypatch.undo()
    assert store_path.read_bytes() == before
    with StoreWriter(store_path) as writer:
        assert writer.newest_seq() == len(EVENTS)


def test_the_tables_are_strict_and_checked(store_path: Path) -> None:
    wrong = (
        "UPDATE events SET occurred_us = 'soon'",
        "UPDATE events SET outcome = 'maybe'",
        "UPDATE events SET severity = 9",
        "UPDATE events SET user_id = 4711",
        "UPDATE events SET key = 'k1'",
    )
    with closing(sqlite3.connect(store_path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for statement in wrong:
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)
            connection.rollback()


def test_the_header_tells_a_store_from_another_database(store_path: Path) -> None:
    assert store_path.read_bytes()[68:72] == b"audt"


def test_an_index_of_keys_over_something_else_is_noticed(store_path: Path) -> None:
    with closing(sqlite3.connect(store_path)) as connection:
        assert schema.has_key_index(connection)
        connection.execute("DROP INDEX events_key")
        connection.execute("CREATE INDEX events_key ON events (target)")
        assert not schema.has_key_index(connection)
