"""Tables of databases that are not ours: read whole, and never trusted."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.errors import FileError, UsageError
from audit_tui.store.file import foreign
from audit_tui.store.file.foreign import open_table, tables_of
from tests.cli.running import make_store

if TYPE_CHECKING:
    from pathlib import Path


def database(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def rows(path: Path, name: str) -> list[tuple[int, dict[str, object]]]:
    with open_table(path, name) as table:
        return list(table.rows())


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE t (a, b)",
        "CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID",
        "CREATE TABLE t (a, b, rowid)",
        "CREATE TABLE t (a, b, rowid, oid, _rowid_)",
        'CREATE TABLE t (a, b, "c ""d" AS (a || b))',
    ],
)
def test_every_row_of_every_kind_of_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setattr(foreign, "_ROWS_AT_ONCE", 3)
    path = database(
        tmp_path / "a.db",
        f"{table}; WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 10)"
        " INSERT INTO t (a, b) SELECT i, 'x' || i FROM n",
    )
    numbered = rows(path, "T")
    assert [number for number, _ in numbered] == list(range(1, 11))
    assert [(row["a"], row["b"]) for _, row in numbered] == [(n, f"x{n}") for n in range(1, 11)]


def test_row_numbers_at_the_ends_of_the_range(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        f"CREATE TABLE t (i INTEGER PRIMARY KEY); INSERT INTO t VALUES ({-(2**63)}), (-1), ({2**63 - 1})",
    )
    assert [row["i"] for _, row in rows(path, "t")] == [-(2**63), -1, 2**63 - 1]


def test_a_wrong_or_missing_name_lists_what_is_there(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db", "CREATE TABLE audit_log (a); CREATE VIEW v AS SELECT 1; CREATE TABLE b (a)"
    )
    with pytest.raises(UsageError) as error:
        rows(path, "audit_logs")
    assert error.value.hint == "Did you mean audit_log? Its tables are audit_log, b."
    assert tables_of(path) == "Its tables are audit_log, b."
    assert tables_of(database(tmp_path / "none.db", "CREATE VIEW v AS SELECT 1")) == "It has no tables."


ENDLESS = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def test_a_view_is_no_table_and_an_endless_one_hangs_nothing(tmp_path: Path) -> None:
    path = database(tmp_path / "a.db", f"CREATE VIEW events AS {ENDLESS}")
    with pytest.raises(UsageError, match="has no table 'events'"):
        rows(path, "events")


def test_a_row_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = "length(replace(hex(zeroblob(20000000)), '00', '0' || a)) "
    path = database(
        tmp_path / "a.db", f"CREATE TABLE t (a, b AS ({slow})); INSERT INTO t (a) VALUES (1), (2), (3)"
    )
    monkeypatch.setattr(foreign, "DEADLINE_S", -1.0)
    monkeypatch.setattr(foreign, "_STEPS", 1)
    with pytest.raises(FileError):
        rows(path, "t")


def test_nothing_is_written_beside_a_database(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = database(
        folder / "a.db", "PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)"
    )
    assert [entry.name for entry in folder.iterdir()] == ["a.db"]
    before = path.read_bytes()
    assert len(rows(path, "t")) == 1
    assert [entry.name for entry in folder.iterdir()] == ["a.db"]
    assert path.read_bytes() == before


def test_what_another_program_writes_meanwhile_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        assert len(rows(path, "t")) == 1


def test_a_store_of_ours_is_not_taken_for_a_log(tmp_path: Path) -> None:
    store = make_store(tmp_path / "audit.db")
    with pytest.raises(FileError, match="is an audit store, not a log"):
        rows(store, "events")


@pytest.mark.parametrize(
    "data", [b"", b"text", b"SQLite format 3\x00", b"SQLite format 3\x00" + b"\xff" * 5_000, b"\x1f\x8bxx"]
)
def test_what_is_no_database_is_said(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(data)
    with pytest.raises(FileError):
        rows(path, "t")
    with pytest.raises(FileError):
        rows(tmp_path / "missing.db", "t")


def test_hostile_values_are_values(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        'CREATE TABLE "t""; DROP" (a);'
        """ INSERT INTO "t""; DROP" VALUES (x'ff'), (9e999), (CAST(x'fe' AS TEXT))""",
    )
    assert [row["a"] for _, row in rows(path, 't"; DROP')] == [b"\xff", float("inf"), "\udcfe"]
