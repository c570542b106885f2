"""Things that may lie at the path instead of a store: a short error that names it, and nothing created."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import AtRow, EventQuery, Sort
from audit_tui.errors import (
    EXIT_UNREADABLE,
    NotAStore,
    StoreDamaged,
    StoreError,
    StoreMissing,
    StoreTooNew,
)
from audit_tui.store.file import connect
from audit_tui.store.read.reader import SNAPSHOT_NOTICE, StoreReader, open_store, read_note
from audit_tui.store.tables import schema
from audit_tui.store.write.writer import StoreWriter
from tests.store.samples import EVENTS, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def links_in_a_circle(path: Path) -> None:
    path.symlink_to(path)


def nothing(path: Path) -> None:
    assert not path.exists()


def an_empty_file(path: Path) -> None:
    path.touch()


def text(path: Path) -> None:
    path.write_text('{"event": "Login"}\n' * 20)


def a_short_header(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00\x10\x00")


def random_bytes(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 16)


def garbage_behind_a_header(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + bytes(range(1, 256)) * 40)


def a_compressed_file(path: Path) -> None:
    path.write_bytes(gzip.compress(b"x" * 500, mtime=0))


def another_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY)")
    connection.close()


def a_newer_schema(path: Path) -> None:
    altered(
        path, "PRAGMA user_version = 99", "UPDATE store_info SET value = '98' WHERE name = 'readable_from'"
    )


def a_newer_schema_without_a_word(path: Path) -> None:
    altered(path, "PRAGMA user_version = 99", "DELETE FROM store_info")


def a_newer_file_format(path: Path) -> None:
    fill(path, EVENTS)
    with path.open("r+b") as file:
        file.seek(18)
        file.write(b"\x03\x03")


def a_view_without_end(path: Path) -> None:
    altered(
        path,
        "ALTER TABLE events RENAME TO hidden",
        "CREATE VIEW events AS"
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    )


def a_trigger(path: Path) -> None:
    altered(path, "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events; END")


def a_virtual_table(path: Path) -> None:
    altered(path, "CREATE VIRTUAL TABLE lurking USING fts5(x)")


def another_view(path: Path) -> None:
    altered(path, "CREATE VIEW other AS SELECT 1")


def a_table_with_other_columns(path: Path) -> None:
    altered(path, "ALTER TABLE events RENAME COLUMN target TO aim")


def a_generated_column(path: Path) -> None:
    altered(
        path,
        "ALTER TABLE source_names RENAME COLUMN name TO other",
        "ALTER TABLE source_names ADD COLUMN name TEXT GENERATED ALWAYS AS (other)",
    )


def a_table_missing(path: Path) -> None:
    altered(path, "DROP TABLE source_names")


def altered(path: Path, *statements: str) -> None:
    """A real store that somebody has tampered with."""
    fill(path, EVENTS[:3])
    connection = sqlite3.connect(path)
    # The audit_log view would refuse to go without its tables.
    connection.execute("DROP VIEW audit_log")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


WRONG: tuple[tuple[Callable[[Path], None], type[StoreError]], ...] = (
    (nothing, StoreMissing),
    (a_folder, NotAStore),
    (a_pipe, NotAStore),
    (links_in_a_circle, StoreError),
    (an_empty_file, NotAStore),
    (text, NotAStore),
    (a_short_header, NotAStore),
    (random_bytes, NotAStore),
    (garbage_behind_a_header, StoreError),
    (a_compressed_file, NotAStore),
    (another_database, NotAStore),
    (a_newer_schema, StoreTooNew),
    (a_newer_schema_without_a_word, StoreTooNew),
    (a_newer_file_format, StoreTooNew),
    (a_view_without_end, NotAStore),
    (a_trigger, NotAStore),
    (a_virtual_table, NotAStore),
    (another_view, NotAStore),
    (a_table_with_other_columns, NotAStore),
    (a_generated_column, NotAStore),
    (a_table_missing, NotAStore),
)


def left(folder: Path) -> list[str]:
    """Return the names in a folder, less what SQLite itself keeps beside a store that is read."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm")))


@pytest.mark.parametrize(("make", "kind"), WRONG, ids=[make.__name__ for make, _ in WRONG])
@pytest.mark.parametrize("name", ["audit.db", "wh?t %41#.db"])
def test_something_else_is_refused(
    tmp_path: Path, make: Callable[[Path], None], kind: type[StoreError], name: str
) -> None:
    path = tmp_path / name
    make(path)
    before, open_before = left(tmp_path), connect._open_files.copy()
    with pytest.raises(kind) as caught:
        open_store(path)
    assert str(path) in caught.value.message
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == EXIT_UNREADABLE
    assert left(tmp_path) == before
    assert connect._open_files == open_before


@pytest.mark.parametrize(("make", "kind"), WRONG, ids=[make.__name__ for make, _ in WRONG])
def test_a_writer_refuses_it_too(
    tmp_path: Path, make: Callable[[Path], None], kind: type[StoreError]
) -> None:
    if make in (nothing, an_empty_file):
        pytest.skip("a writer makes a store there")
    path = tmp_path / "audit.db"
    make(path)
    before, beside = (path.read_bytes() if path.is_file() else b""), left(tmp_path)
    open_before = connect._open_files.copy()
    with pytest.raises(kind):
        StoreWriter(path)
    assert left(tmp_path) == beside
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert connect._open_files == open_before


def test_the_hint_for_a_missing_store_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing) as caught:
        open_store(tmp_path / "none" / "audit.db")
    assert "audit-tui demo" in caught.value.hint
    assert "audit-tui import" in caught.value.hint
    assert not (tmp_path / "none").exists()


def test_a_newer_schema_that_only_adds_can_be_read_but_not_written(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    altered(path, "PRAGMA user_version = 99", "CREATE TABLE further (x INTEGER) STRICT")
    with StoreReader(path) as reader:
        assert reader.info().schema_version == 99
        assert reader.newest_seq() == 3
    with pytest.raises(StoreTooNew) as caught:
        StoreWriter(path)
    assert "schema 99" in caught.value.message


def test_a_path_with_marks_of_a_uri_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory&b#c%20d.db"
    fill(path, EVENTS)
    with StoreReader(path) as reader:
        assert reader.newest_seq() == len(EVENTS)
    assert left(tmp_path) == [path.name]


def test_a_symbolic_link_leads_to_the_store(tmp_path: Path, store_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(store_path)
    with StoreReader(link) as reader:
        assert reader.newest_seq() == len(EVENTS)


@pytest.mark.parametrize("version", [(3, 36, 0), (3, 7, 17)])
def test_an_old_sqlite_is_one_line(version: tuple[int, ...]) -> None:
    with pytest.raises(StoreError, match=r"needs 3\.37 or newer") as caught:
        schema.require_sqlite(version)
    assert "\n" not in caught.value.message


def test_a_store_that_is_open_is_never_opened_as_a_file(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    real = connect._check_head

    def noted(path: Path) -> None:
        opened.append(path)
        real(path)

    monkeypatch.setattr(connect, "_check_head", noted)
    with StoreReader(store_path), StoreReader(store_path), StoreWriter(store_path):
        with pytest.raises(StoreMissing):
            StoreReader(store_path.with_name("other.db"))
        assert read_note(store_path, "nothing") is None
    assert opened == [store_path]
    with StoreReader(store_path):
        assert opened == [store_path, store_path]


def test_acknowledged_events_outlive_another_reader_and_a_kill(store_path: Path) -> None:
    # A file that is closed beside a connection drops its locks; the next program that closes the store
    # then believes that it is the last one, and deletes the log with what was acknowledged.
    script = (
        "import os, sys\n"
        "from audit_tui.core.event import AuditEvent\n"
        "from audit_tui.store.read.reader import StoreReader\n"
        "from audit_tui.store.write.writer import StoreWriter\n"
        "writer = StoreWriter(sys.argv[1])\n"
        "writer.append([AuditEvent('kept', 1)])\n"
        "StoreReader(sys.argv[1]).close()\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read(1)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(store_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdin is not None
    with child, child.stdout, child.stdin:
        assert child.stdout.readline() == b"ready\n"
        other = sqlite3.connect(store_path)
        assert other.execute("SELECT count(*) FROM events").fetchone() == (len(EVENTS) + 1,)
        other.close()
    with StoreReader(store_path) as reader:
        assert reader.newest_seq() == len(EVENTS) + 1


def test_a_damaged_page_is_said_and_the_rest_still_read(store_path: Path) -> None:
    connection = sqlite3.connect(store_path)
    root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'user_names_name'").fetchone()[
        0
    ]
    connection.close()
    with store_path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    with StoreReader(store_path) as reader:
        assert reader.page(EventQuery(), AtRow(0), 10).rows
        with pytest.raises(StoreDamaged, match="damaged"):
            reader.page(EventQuery(Condition(Column.USER, IS, "bob")), AtRow(0), 10)
        assert reader.page(EventQuery(), AtRow(0), 10).rows


READ_AS_NOBODY = """
import grp, os, pwd, sys
sys.path[:0] = [sys.argv[2]]
from audit_tui.store.read.reader import StoreReader
from audit_tui.errors import StoreError
os.setgid(65534)
os.setuid(65534)
try:
    with StoreReader(sys.argv[1]) as reader:
        print(reader.newest_seq(), reader.info().notice)
except StoreError as error:
    print(type(error).__name__, error.message, error.hint)
"""


def read_as_nobody(path: Path) -> str:
    root = str(schema.__file__).rsplit("/audit_tui/", 1)[0]
    done = subprocess.run(
        [sys.executable, "-c", READ_AS_NOBODY, str(path), root], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def shared_path() -> Iterator[Path]:
    """A store in a folder that everybody may look into; every run of pytest closes the folder of them all."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "audit.db")
        fill(path, EVENTS)
        yield path


def test_no_permission_says_whose_it_is(shared_path: Path) -> None:
    message = read_as_nobody(shared_path)
    assert message.startswith("StoreError")
    assert str(shared_path) in message
    assert "Permission denied" in message
    assert "belongs to root" in message
    assert "-rw-------" in message


def test_a_folder_that_may_not_be_written_shows_a_snapshot(shared_path: Path) -> None:
    shared_path.chmod(0o644)
    assert read_as_nobody(shared_path) == f"{len(EVENTS)} {SNAPSHOT_NOTICE}"


def test_a_snapshot_is_refused_while_the_log_holds_events(shared_path: Path) -> None:
    # Read as immutable, the file would silently lack what is only in the log.
    shared_path.chmod(0o644)
    with StoreWriter(shared_path) as writer:
        writer.append([AuditEvent("late", 1)])
        for beside in ("-wal", "-shm"):
            log = shared_path.with_name(shared_path.name + beside)
            log.chmod(0o600)
        message = read_as_nobody(shared_path)
    assert message.startswith("StoreError")
    assert "-wal" in message


def test_a_reader_may_move_between_threads(store_path: Path) -> None:
    open_before = connect._open_files.copy()
    opener = open_store(store_path)
    reader = opener()
    newest: list[int] = []
    thread = threading.Thread(target=lambda: newest.append(reader.newest_seq()))
    thread.start()
    thread.join()
    reader.close()
    assert newest == [len(EVENTS)]
    assert connect._open_files == open_before


def test_numbers_that_are_no_numbers_are_damage_and_not_a_traceback(store_path: Path) -> None:
    # A crafted file can hold anything in a column that says INTEGER.
    with closing(sqlite3.connect(store_path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        tables = ("events", "user_names")
        strict = {
            name: connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).fetchone()[0]
            for name in tables
        }
        for name in tables:
            loose = (
                strict[name]
                .replace("STRICT", "")
                .replace("INTEGER", "BLOB")
                .replace("BLOB PRIM", "INTEGER PRIM")
            )
            connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (loose, name))
        connection.execute("PRAGMA schema_version = 1000")
        connection.commit()
        connection.execute(
            "UPDATE events SET occurred_us = 'soon', description = x'ff', metadata = 5 WHERE seq = 4"
        )
        connection.execute("UPDATE user_names SET events = 'many'")
        for name in tables:
            connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (strict[name], name))
        connection.execute("PRAGMA schema_version = 1001")
        connection.commit()
    with StoreReader(store_path) as reader:
        asked: list[Callable[[], object]] = [
            lambda: reader.page(EventQuery(), AtRow(0), 100),
            lambda: reader.page(EventQuery(sort=Sort(Column.USER)), AtRow(50), 100),
            lambda: list(reader.events(EventQuery())),
            lambda: reader.values(Column.USER, "", 50),
            lambda: reader.event(4),
            lambda: reader.count(EventQuery(Condition(Column.USER, IS, "bob"))),
            lambda: reader.count(EventQuery(Condition(Column.USER, IS, None))),
            reader.info,
        ]
        for question in asked:
            with suppress(StoreDamaged):
                question()
        event = reader.event(4)
        assert event is not None
        assert event.occurred_us == 0
