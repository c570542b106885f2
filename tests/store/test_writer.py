"""Appending: numbers without gaps, nothing twice, nothing by halves, one file afterwards."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_tui.core.columns import NAME_COLUMNS
from audit_tui.core.event import MAX_US, MIN_US, AuditEvent, Outcome
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import AtRow, EventQuery
from audit_tui.errors import StoreError, StoreFull
from audit_tui.store.file import connect
from audit_tui.store.index import keeper
from audit_tui.store.read.reader import StoreReader, read_note
from audit_tui.store.tables import schema
from audit_tui.store.tables.rows import NOT_JSON
from audit_tui.store.write.companion import AppendResult
from audit_tui.store.write.writer import StoreWriter
from tests.store.samples import EVENTS, tiny_segments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit_tui.store.tables.rows import Draft, StoredRow


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def some(count: int, start: int = 0) -> list[AuditEvent]:
    return [AuditEvent("e", place, key=f"s{place}") for place in range(start, start + count)]


def test_numbers_go_up_without_gaps_and_duplicates_take_none(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with StoreWriter(path) as writer:
        assert writer.append(some(3)) == AppendResult(3, 0, 1, 3)
        assert writer.append(some(3)) == AppendResult(0, 3, None, None)
        again = [*some(2), *some(2, 10), *some(1, 11), *some(1, 20)]
        assert writer.append(again) == AppendResult(3, 3, 4, 6)
        assert writer.append([]) == AppendResult(0, 0, None, None)
    assert rows(path, "SELECT seq, key FROM events ORDER BY seq") == [
        (1, "s0"),
        (2, "s1"),
        (3, "s2"),
        (4, "s10"),
        (5, "s11"),
        (6, "s20"),
    ]


def test_the_first_of_two_with_one_key_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with StoreWriter(path) as writer:
        writer.append([AuditEvent("first", 1, key="k"), AuditEvent("second", 2, key="k")])
    with StoreReader(path) as reader:
        assert [event.event for event in reader.events(EventQuery())] == ["first"]


def test_keys_that_are_not_given_are_random(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with StoreWriter(path) as writer:
        assert writer.append([AuditEvent("e", 1)] * 500).stored == 500
        assert writer.append([AuditEvent("e", 1)] * 500).duplicates == 0


FULL = AuditEvent(
    event="Role assigned",
    occurred_us=-1,
    key="k",
    category="Roles",
    user="al\0ice\ud800",
    description="line\nbreak \U0001f600 \x1b[31m",
    outcome=Outcome.FAILURE,
    severity=6,
    source_ip="2001:db8::1",
    target="",
    source="test",
    metadata={"big": 2**80, "lone": "\ud800", "nul": "a\0b", "deep": [{"x": None}], "float": 1.5, "": True},
    original=b"\x00raw\xff" * 100,
)


def test_an_event_comes_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with StoreWriter(path) as writer:
        writer.append([FULL])
    with StoreReader(path) as reader:
        event = reader.event(1)
        assert reader.event(2) is None
    assert event is not None
    assert event.user == "al\u2400ice\\ud800"
    assert event.description == FULL.description
    assert event.metadata == FULL.metadata
    assert event.original == FULL.original
    assert {**event.to_json(), "seq": None, "user": None} == {**FULL.to_json(), "seq": None, "user": None}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TEXT = st.text(st.characters(exclude_categories=()), max_size=20)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=TEXT,
    metadata=st.dictionaries(TEXT, JSON, max_size=4),
    occurred_us=st.sampled_from([MIN_US, MAX_US]) | st.integers(-(10**16), 10**17),
    original=st.none() | st.binary(max_size=50),
)
def test_any_text_and_metadata_can_be_stored_and_found(
    tmp_path_factory: pytest.TempPathFactory,
    text: str,
    metadata: dict[str, Any],
    occurred_us: int,
    original: bytes | None,
) -> None:
    path = tmp_path_factory.mktemp("any") / "audit.db"
    event = AuditEvent(
        text, occurred_us, key=text, category=text, user=text, metadata=metadata, original=original
    )
    with StoreWriter(path, durable=False) as writer:
        assert writer.append([event]).stored == 1
        assert writer.append([event]).duplicates == 1
    with StoreReader(path) as reader:
        written = reader.event(1)
        assert written is not None
        assert written.metadata == metadata
        assert written.original == original
        assert written.occurred_us == occurred_us
        for field in NAME_COLUMNS:
            assert reader.count(EventQuery(Condition(field, IS, text))) == 1
    shown = rows(path, "SELECT time, event, length(event) FROM audit_log")
    assert shown == [(written.to_json()["time"], written.event, len(written.event))]


@pytest.mark.parametrize(
    "wrong",
    [
        AuditEvent("e", MAX_US + 1),
        AuditEvent("e", 2**70),
        AuditEvent("e", 1, severity=7),
        AuditEvent("e", 1, severity=-1),
        AuditEvent("e", 1, metadata={"x": object()}),
    ],
    ids=["time", "huge time", "severity", "negative severity", "metadata"],
)
def test_what_cannot_be_stored_stores_nothing_of_its_append(tmp_path: Path, wrong: AuditEvent) -> None:
    with StoreWriter(tmp_path / "audit.db") as writer:
        with pytest.raises(ValueError, match=r"time|severity|metadata"):
            writer.append([*some(2), wrong])
        assert writer.newest_seq() == 0


def test_metadata_that_is_no_json_is_shown_all_the_same(store_path: Path) -> None:
    with closing(sqlite3.connect(store_path)) as connection:
        connection.execute("UPDATE events SET metadata = '{broken' WHERE seq = 1")
        connection.execute("UPDATE events SET metadata = '[1]' WHERE seq = 2")
        connection.execute(
            "UPDATE events SET metadata = CAST(x'ff41' AS TEXT), original = x'00' WHERE seq = 3"
        )
        connection.commit()
    with StoreReader(store_path) as reader:
        events = [reader.event(seq) for seq in (1, 2, 3)]
    assert [event.metadata if event else None for event in events] == [
        {NOT_JSON: "{broken"},
        {NOT_JSON: [1]},
        {NOT_JSON: "\\xffA"},
    ]
    assert events[2] is not None
    assert events[2].original == b"\x00"


def test_a_new_store_is_private_and_one_file_when_closed(tmp_path: Path) -> None:
    open_before = connect._open_files.copy()
    path = tmp_path / "new" / "deeper" / "audit.db"
    with StoreWriter(path) as writer:
        writer.append(some(5))
        beside = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert beside == dict.fromkeys(("audit.db", "audit.db-wal", "audit.db-shm", "audit.db.lock"), 384)
    assert [file.name for file in path.parent.iterdir()] == ["audit.db"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert connect._open_files == open_before


def test_an_existing_mode_is_kept(store_path: Path) -> None:
    store_path.chmod(0o640)
    with StoreWriter(store_path) as writer:
        writer.append(some(1))
    assert stat.S_IMODE(store_path.stat().st_mode) == 0o640


def test_an_open_reader_does_not_keep_events_in_the_log(store_path: Path) -> None:
    log = store_path.with_name(store_path.name + "-wal")
    with StoreReader(store_path) as reader:
        reader.count(EventQuery())
        with StoreWriter(store_path) as writer:
            writer.append(some(500))
        assert log.stat().st_size == 0
        assert reader.newest_seq() == len(EVENTS) + 500


def test_the_counts_of_names_stay_in_step(store_path: Path) -> None:
    with StoreWriter(store_path) as writer:
        writer.append([*EVENTS, AuditEvent("new", 1, user="bob", source="s")])
    for names in schema.ALL_NAME_TABLES:
        assert rows(store_path, f"SELECT name, events FROM {names.table} ORDER BY id") == rows(
            store_path,
            f"SELECT name, count(*) FROM events JOIN {names.table} ON id = {names.column}"
            " GROUP BY id ORDER BY id",
        )
    assert rows(store_path, "PRAGMA foreign_key_check") == []
    assert rows(store_path, "PRAGMA integrity_check") == [("ok",)]


class Counted:
    """A companion that keeps its own sum, and can fail."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.is_broken = False
        self.forgot = 0

    def on_append(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        assert [row.key for row in rows] == [draft.key for draft in drafts]
        newest = connection.execute("SELECT max(seq) FROM events").fetchone()[0]
        assert newest == rows[-1].seq
        if self.is_broken:
            raise RuntimeError("broken")
        self.seen += [row.seq for row in rows]

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None:
        raise NotImplementedError

    def on_replace(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        raise NotImplementedError

    def forget(self) -> None:
        self.forgot += 1


def test_a_companion_that_fails_undoes_the_append(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    companion = Counted()
    with StoreWriter(path, companions=(companion,)) as writer:
        writer.append(some(2))
        companion.is_broken = True
        with pytest.raises(RuntimeError):
            writer.append([AuditEvent("undone", 1, user="undone")])
        companion.is_broken = False
        assert writer.append([AuditEvent("undone", 1)]).first_seq == 3
    assert companion.seen == [1, 2, 3]
    assert companion.forgot == 1
    assert rows(path, "SELECT count(*) FROM user_names") == [(0,)]
    assert rows(path, "SELECT name, events FROM event_names") == [("e", 2), ("undone", 1)]


def test_notes_are_remembered(store_path: Path) -> None:
    with StoreWriter(store_path) as writer:
        writer.note("demo", '{"events": 5}')
        writer.note("demo", "newer")
        with pytest.raises(ValueError, match="own"):
            writer.note("store_id", "x")
    assert read_note(store_path, "demo") == "newer"
    assert read_note(store_path, "nothing") is None


def indexed_upto(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return keeper.indexed_upto(connection)


def test_a_bulk_load_is_indexed_on_its_way_and_leaves_few_segments(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with tiny_segments():
        with StoreWriter(path, durable=False, bulk=True) as writer:
            for first in range(0, len(EVENTS), 10):
                writer.append(EVENTS[first : first + 10])
                assert indexed_upto(path) > first
            with StoreReader(path) as reader:
                assert reader.count(EventQuery()) == len(EVENTS)
        assert indexed_upto(path) > len(EVENTS) - 4
        assert rows(path, "SELECT count(*) FROM index_segments") == [(1,)]


def test_what_an_interrupted_writer_left_is_completed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with pytest.raises(KeyboardInterrupt), StoreWriter(path, durable=False, bulk=True) as writer:
        writer.append(EVENTS)
        raise KeyboardInterrupt
    assert [file.name for file in tmp_path.iterdir()] == ["audit.db"]
    assert indexed_upto(path) == 0
    with tiny_segments(), StoreWriter(path, durable=False) as writer:
        assert writer.append(EVENTS).duplicates == len(EVENTS)
        built: list[str] = []
        writer.ensure_indexes(built.append)
        assert built == []
    assert indexed_upto(path) > len(EVENTS) - 4


def test_a_store_of_version_1_is_taken_over_step_by_step(store_path: Path) -> None:
    with closing(sqlite3.connect(store_path)) as connection:
        for table in ("index_segments", "index_values", "index_bitmaps", "index_blocks"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("CREATE INDEX events_time ON events (occurred_us, seq)")
        connection.execute("CREATE TABLE segments (first_seq INTEGER PRIMARY KEY, data BLOB) STRICT")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    before = store_path.read_bytes()
    with StoreReader(store_path) as reader:
        assert reader.count(EventQuery()) == len(EVENTS)
        rows = reader.page(EventQuery(), AtRow(0), 200).rows
    assert store_path.read_bytes() == before
    steps: list[str] = []

    def stopped(step: str) -> None:
        steps.append(step)
        if len(steps) % 3 == 0:
            raise KeyboardInterrupt

    is_done = False
    with tiny_segments():
        while not is_done:
            with contextlib.suppress(KeyboardInterrupt):
                StoreWriter(store_path, durable=False, progress=stopped).close()
                is_done = True
            with StoreReader(store_path) as reader:
                assert reader.page(EventQuery(), AtRow(0), 200).rows == rows
    assert len(steps) > 9
    assert steps[0] == f"index: 0 of {len(EVENTS)} events"
    with closing(sqlite3.connect(store_path)) as connection:
        left = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
        assert not left & {"events_time", "segments"}
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


def test_an_interrupted_creation_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    path.touch(mode=0o600)
    with StoreWriter(path) as writer:
        writer.append(some(1))
    with StoreReader(path) as reader:
        assert reader.newest_seq() == 1


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="file"):
        StoreWriter(tmp_path / "file" / "audit.db")


def test_a_symbolic_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    # Whoever may write to a shared folder must not choose where the store is made.
    link = tmp_path / "audit.db"
    link.symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(StoreError):
        StoreWriter(link)
    assert not (tmp_path / "elsewhere.db").exists()


FILL_UP = """
import resource, signal, sys
from audit_tui.core.event import AuditEvent
from audit_tui.errors import StoreFull
from audit_tui.store.write.writer import StoreWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with StoreWriter(sys.argv[1], durable=False) as writer:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    stored = 0
    try:
        while True:
            stored += writer.append([AuditEvent("e", n, user=f"u{stored}") for n in range(100)]).stored
    except StoreFull as error:
        print(stored, writer.newest_seq(), sys.argv[1] in error.message, "bytes are free" in error.message)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(writer.append([AuditEvent("room", 1)]).first_seq == stored + 1)
"""


def test_no_space_left_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    done = subprocess.run(
        [sys.executable, "-c", FILL_UP, str(path)], stdout=subprocess.PIPE, text=True, check=True
    )
    stored, newest, names_path, names_space, resumed = done.stdout.split()
    assert int(stored) == int(newest) > 0
    assert (names_path, names_space, resumed) == ("True", "True", "True")
    with StoreReader(path) as reader:
        assert reader.newest_seq() == int(stored) + 1
    assert rows(path, "SELECT sum(events) FROM user_names") == [(int(stored),)]


@pytest.mark.parametrize("code", ["SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC"])
def test_the_errors_of_a_full_disk_are_one(tmp_path: Path, code: str) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = getattr(sqlite3, code)
    readable = connect.readable(error, tmp_path / "audit.db")
    assert isinstance(readable, StoreFull)


APPEND_UNTIL_KILLED = """
import sys
from audit_tui.core.event import AuditEvent
from audit_tui.store.write.writer import StoreWriter
with StoreWriter(sys.argv[1], durable=False, bulk=sys.argv[2] == "bulk") as writer:
    batch = 0
    while True:
        batch += 1
        writer.append([AuditEvent("e", n, key=f"{batch}-{n}", user=f"u{n}") for n in range(50)])
        print(batch, flush=True)
"""


@pytest.mark.parametrize("mode", ["row", "bulk"])
def test_a_kill_loses_nothing_acknowledged_and_leaves_no_half(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "audit.db"
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", APPEND_UNTIL_KILLED, str(path), mode], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        with child.stdout:
            acknowledged = [int(child.stdout.readline()) for _ in range(8)][-1]
            child.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *(int(line) for line in child.stdout if line.endswith("\n"))])
        child.wait()
        with StoreReader(path) as reader:
            newest = reader.newest_seq()
            assert newest >= 50 * acknowledged
            assert newest % 50 == 0
            assert reader.count(EventQuery()) == newest
    with StoreWriter(path):
        pass
    assert rows(path, "SELECT sum(events) FROM user_names") == [(newest,)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert [file.name for file in tmp_path.iterdir()] == ["audit.db"]


def test_two_programs_append_without_gaps_or_doubles(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    script = (
        "import sys\n"
        "from audit_tui.core.event import AuditEvent\n"
        "from audit_tui.store.write.writer import StoreWriter\n"
        "with StoreWriter(sys.argv[1], durable=False) as writer:\n"
        "    for n in range(40):\n"
        "        own = AuditEvent('e', n, user=f'{sys.argv[2]}-{n}')\n"
        "        writer.append([own, AuditEvent('e', n, key=str(n))])\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", script, str(path), name]) for name in ("a", "b", "c")]
    assert [child.wait() for child in children] == [0, 0, 0]
    expected = 3 * 40 + 40
    assert rows(path, "SELECT count(*), min(seq), max(seq), count(DISTINCT key) FROM events") == [
        (expected, 1, expected, expected)
    ]
    assert rows(path, "SELECT count(*), sum(events) FROM user_names") == [(120, 120)]
    assert [file.name for file in tmp_path.iterdir()] == ["audit.db"]


def test_the_view_reads_as_people_expect(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with StoreWriter(path) as writer:
        writer.append([AuditEvent("Login", 0, key="a", category="Login/Logout", metadata={"a": 1})])
        writer.append([AuditEvent("Old", -1, key="b", user="bob", source="s", severity=0)])
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        shown = [dict(row) for row in connection.execute("SELECT * FROM audit_log ORDER BY seq")]
    assert shown[0]["time"] == "1970-01-01T00:00:00.000000Z"
    assert shown[1]["time"] == "1969-12-31T23:59:59.999999Z"
    with StoreReader(path) as reader:
        for place, row in enumerate(shown, 1):
            event = reader.event(place)
            assert event is not None
            row["metadata"] = json.loads(row["metadata"] or "{}")
            assert row == event.to_json()
