"""Things that an attacker hides from searches, and hostile files under the checks themselves."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.core.evidence.sealed import Wrong
from audit_tui.core.query import EventQuery
from audit_tui.errors import SigningKeyError, StoreDamaged, StoreError
from audit_tui.store.evidence import verifying
from audit_tui.store.evidence.seal_status import StoreSealChecker
from audit_tui.store.evidence.verifying import Mode, Request, Result, verify
from audit_tui.store.index.session import Session
from audit_tui.store.read import reader
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.removing import Act, prune, redact
from audit_tui.store.write.seal_keys import give_key
from audit_tui.store.write.writer import StoreWriter
from tests.store import forger

if TYPE_CHECKING:
    from collections.abc import Sequence

ACT = Act("root", "host", 10_000_000, "a test")
EVENTS = 1_200


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("honest") / "audit.db"
    with StoreWriter(path, durable=False) as writer:
        writer.append(
            [
                AuditEvent(
                    "Login", number, key=f"k{number}", user=f"user{number % 3}", description=f"text {number}",
                    source_ip="10.0.0.1", target="t", source="s", severity=number % 7, metadata={"n": number},
                )
                for number in range(1, EVENTS + 1)
            ]
        )  # fmt: skip
    return path


@pytest.fixture
def path(honest: Path, tmp_path: Path) -> Path:
    """A copy to strike."""
    return Path(shutil.copy(honest, tmp_path / "audit.db"))


def problems(path: Path) -> str:
    report = verify(path, Request())
    assert (report.result, report.wrong) == (Result.FAILED, ()), report.index_problems
    return "; ".join(report.index_problems)


@pytest.mark.parametrize("edge", ["zeroblob(length(edge))", "x'00'", "zeroblob(1000000)", "NULL"])
def test_an_altered_edge_of_the_tree_ends_no_recording(path: Path, edge: str) -> None:
    """The edge is sealed by nothing, for it follows from the blocks: so it is not believed either."""
    forger.strike(path, f"UPDATE seal_head SET edge = {edge}")
    with StoreWriter(path, durable=False) as writer:
        writer.append([AuditEvent("Login", EVENTS + 1, key="new")])
    report = verify(path, Request())
    assert (report.result, report.size) == (Result.NOT_ANCHORED, EVENTS + 1)


def test_a_name_that_stands_twice_is_found(path: Path) -> None:
    """Point all events but one of a user to another number of the same name: a filter finds the one."""
    forger.strike(
        path,
        "DROP INDEX user_names_name",
        "DROP INDEX user_names_order",
        "CREATE INDEX user_names_name ON user_names (name)",
        "CREATE INDEX user_names_order ON user_names (folded, name)",
        "INSERT INTO user_names SELECT 1000, name, folded, events - 1 FROM user_names WHERE name = 'user1'",
        "UPDATE user_names SET events = 1 WHERE name = 'user1' AND id <> 1000",
        "UPDATE events SET user_id = 1000 WHERE user_id = (SELECT id FROM user_names WHERE name = 'user1')"
        " AND seq > 3",
    )
    with StoreWriter(path, durable=False) as writer:
        writer.reindex()
    words = problems(path)
    assert "index user_names_name is not defined as audit-tui defines it" in words
    assert "the name 'user1' stands twice in user_names" in words


def rewrite(path: Path, table: str, old: str, new: str) -> None:
    """Change a definition behind SQLite's back."""
    with forger.opened(path) as connection:
        (version,) = connection.execute("PRAGMA schema_version").fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        changed = connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ? AND instr(sql, ?)",
            (old, new, table, old),
        )
        assert changed.rowcount == 1
        connection.execute(f"PRAGMA schema_version = {version + 1}")


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["DROP VIEW audit_log"], "the view audit_log is missing"),
        (
            ["DROP VIEW audit_log", "CREATE VIEW audit_log AS SELECT * FROM events WHERE seq <> 7"],
            "the view audit_log is not defined as audit-tui defines it",
        ),
        (
            [
                "DROP INDEX user_names_name",
                "CREATE UNIQUE INDEX user_names_name ON user_names (name) WHERE name <> 'user1'",
            ],
            "index user_names_name is not defined",
        ),
        (["DROP INDEX events_key"], "index events_key is missing"),
        (
            ["DROP INDEX events_key", "CREATE UNIQUE INDEX events_key ON events (key COLLATE NOCASE)"],
            "index events_key is not defined",
        ),
        (
            ["CREATE INDEX mine ON user_names (name) WHERE name <> 'user1'"],
            "index mine is not one of audit-tui",
        ),
        (["UPDATE user_names SET folded = 'x' WHERE id = 1"], "1 name in user_names cannot be found"),
        (
            ["INSERT INTO store_info VALUES ('pruned_events', '1000')"],
            "the store says that 1,000 events were pruned, but 0 declared ones are gone",
        ),
    ],
)
def test_definitions_and_counts_are_compared(path: Path, statements: list[str], words: str) -> None:
    forger.strike(path, *statements)
    assert words in problems(path)


SEGMENT = "UPDATE index_segments SET "


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (SEGMENT + "first_us = last_us", "tells another time of its first or last event"),
        (SEGMENT + "last_us = last_us + 5", "tells another time of its first or last event"),
        (
            SEGMENT + "fences = CAST(substr(fences, 1, 48) || x'01' || substr(fences, 50) AS BLOB)",
            "tells other times",
        ),
        (
            SEGMENT + "fences = CAST(substr(fences, 1, 24) || x'01' || substr(fences, 26) AS BLOB)",
            "tells other times",
        ),
    ],
)
def test_what_the_index_tells_of_its_blocks_is_compared(path: Path, statement: str, words: str) -> None:
    """A range of times skips what ends before it: events would be hidden from it."""
    with StoreWriter(path, durable=False) as writer:
        writer.append([AuditEvent("e", 5_000 + number) for number in range(4_000)])
    forger.strike(path, statement)
    assert words in problems(path)


@pytest.mark.parametrize("column", ["first_seq", "last_seq", "events", "first_us", "last_us", "stamp"])
def test_an_index_of_other_types_is_damage_and_no_traceback(path: Path, column: str) -> None:
    with StoreWriter(path, durable=False) as writer:
        writer.append([AuditEvent("e", 5_000 + number) for number in range(4_000)])
    with forger.opened(path) as connection:
        (strict,) = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'index_segments'"
        ).fetchone()
    loose = (
        "CREATE TABLE index_segments (id INTEGER PRIMARY KEY, stamp, first_seq, last_seq, events, first_us,"
        " last_us, is_ordered, fences)"
    )
    rewrite(path, "index_segments", strict, loose)
    forger.strike(path, f"{SEGMENT}{column} = 'x'")
    rewrite(path, "index_segments", loose, strict)
    with StoreReader(path) as reader, pytest.raises(StoreDamaged, match="where a number should be"):
        reader.count(EventQuery())
    assert "where a number should be" in problems(path)


def test_a_collation_that_mixes_names_is_found(path: Path) -> None:
    rewrite(path, "user_names", "name TEXT NOT NULL,", "name TEXT NOT NULL COLLATE NOCASE,")
    assert "the table user_names is not defined as audit-tui defines it" in problems(path)


LOOSE = (
    "CREATE TABLE events (seq INTEGER PRIMARY KEY, key, occurred_us, event_id, category_id, user_id,"
    " description, outcome, severity, source_ip, target, source_id, metadata, original)"
)


@pytest.mark.parametrize(
    "change",
    [
        "description = CAST(description AS BLOB)",
        "outcome = CAST(outcome AS BLOB)",
        "key = CAST(key AS BLOB)",
        "severity = CAST(severity AS TEXT)",
        "event_id = event_id + 0.0",
        "source_ip = CAST(source_ip AS BLOB)",
        "metadata = CAST(metadata AS BLOB)",
        "user_id = CAST(user_id AS TEXT)",
        "occurred_us = occurred_us + 0.0",
        "occurred_us = 'then'",
        "event_id = 'x'",
        "event_id = NULL",
        "key = 7",
    ],
)
def test_values_of_another_type_are_named_and_end_no_check(path: Path, change: str) -> None:
    with forger.opened(path) as connection:
        (strict,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'events'").fetchone()
    rewrite(path, "events", strict, LOOSE)
    forger.strike(path, f"UPDATE events SET {change} WHERE seq = 777")
    rewrite(path, "events", LOOSE, strict)
    report = verify(path, Request())
    assert report.result is Result.FAILED
    named = [run.first_seq for run in report.wrong]
    assert named == [777] or "values of another type in events: seq 777" in report.index_problems
    StoreSealChecker(path).run(lambda _: None)


def test_what_is_not_built_yet_is_not_wrong(path: Path) -> None:
    """As after an import that was killed, or while one goes on."""
    with forger.opened(path) as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if name.startswith(("index_", "segment", "text_"))
        ]
        for table in tables:
            connection.execute(f"DELETE FROM {table}")
        for index in ("events_time", "events_event", "events_category", "events_user"):
            connection.execute(f"DROP INDEX IF EXISTS {index}")
    assert tables
    report = verify(path, Request())
    assert (report.result, report.index_problems) == (Result.NOT_ANCHORED, ())


def test_a_journal_that_was_left_behind_is_named(path: Path) -> None:
    """Another program was killed while it wrote: what it began is in the file, and is not what was sealed."""
    code = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA journal_mode = DELETE'); c.execute('PRAGMA cache_size = 5'); c.execute('BEGIN')\n"
        'c.execute("UPDATE events SET description = hex(zeroblob(400))"); os.kill(os.getpid(), 9)'
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    for command in (lambda: verify(path, Request()), lambda: StoreReader(path)):
        with pytest.raises(StoreError, match="journal beside it holds an unfinished change"):
            command()
    StoreWriter(path, durable=False).close()
    assert verify(path, Request()).result is Result.NOT_ANCHORED


def test_a_store_that_lost_its_signatures_is_not_continued_unsigned(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_TUI_CONFIG", str(tmp_path / "config" / "config.toml"))
    with StoreWriter(path, durable=False) as writer:
        _, key_file = give_key(writer, ACT)
    forger.strike(
        path,
        "DELETE FROM store_info WHERE name = 'seal_key'",
        "UPDATE seal_head SET note = substr(note, 1, instr(note, char(10) || char(10)))",
    )
    with StoreWriter(path, durable=False) as writer:
        with pytest.raises(SigningKeyError, match="took the signatures away"):
            writer.append([AuditEvent("e", 1)])
        key_file.rename(tmp_path / "elsewhere")
        assert writer.append([AuditEvent("e", 1)]).stored == 1


def test_pruned_events_are_counted(path: Path) -> None:
    with StoreWriter(path, durable=False) as writer:
        assert prune(writer, 501, ACT).events == 500
    assert verify(path, Request()).result is Result.NOT_ANCHORED


def test_a_check_that_fails_by_itself_is_no_evidence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a fault")

    monkeypatch.setattr(verifying, "read_declared", fail)
    with pytest.raises(StoreError, match="failed by itself, which says nothing of the store: KeyError"):
        verify(path, Request())


HOSTILE = {
    "head 10^12": ["INSERT INTO seal_head VALUES (1000000000000, zeroblob(32), 1, 'x', NULL)"],
    "head 2^63": ["INSERT INTO seal_head VALUES (9223372036854775807, zeroblob(32), 1, 'x', NULL)"],
    "head and block": [
        "INSERT INTO seal_head VALUES (1000000000000, zeroblob(32), 1, 'x', NULL)",
        "INSERT INTO seal_block VALUES (3900000000, 256, zeroblob(32), zeroblob(8192))",
    ],
    "head 0 and below": [
        "INSERT INTO seal_head VALUES (0, zeroblob(32), 1, 'x', NULL)",
        "INSERT INTO seal_head VALUES (-5, zeroblob(32), 1, 'x', NULL)",
    ],
    "seq 10^11": ["UPDATE events SET seq = 100000000000 WHERE seq = 1200"],
    "removals without end": [
        "INSERT INTO seal_removed VALUES (9223372036854775807, 5, 1)",
        "INSERT INTO seal_removed VALUES (-1, 5, 1)",
        "INSERT INTO seal_removed VALUES (1200, 1, 9223372036854775806)",
        "INSERT INTO seal_removed SELECT 77, seq * 2, seq * 2 FROM events",
    ],
    "long root and note": ["UPDATE seal_head SET root = zeroblob(50000000), note = hex(zeroblob(20000000))"],
    "long leaves": ["UPDATE seal_block SET leaves = zeroblob(50000000)"],
    "long name": ["UPDATE event_names SET name = hex(zeroblob(8000000))"],
    "long parts": ["UPDATE text_stretch_parts SET data = zeroblob(15000000)"],
    "long texts": ["UPDATE events SET description = hex(zeroblob(10000000)) WHERE seq % 100 = 0"],
}


MORE_S = 10.0
"""Far more than is taken, for a busy machine; what a hostile number may lead to takes minutes."""


# An honest store of such texts is as slow.
@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - {"long texts", "long parts"}))
@pytest.mark.parametrize("mode", [Mode.FULL, Mode.QUICK])
def test_a_hostile_store_is_checked_as_fast_as_another(path: Path, name: str, mode: Mode) -> None:
    verify(path, Request(mode))
    spent_s = -time.process_time()
    verify(path, Request(mode))
    spent_s += time.process_time()
    forger.strike(path, *HOSTILE[name])
    started_s = time.process_time()
    report = verify(path, Request(mode))
    assert time.process_time() - started_s < spent_s + MORE_S
    assert report.result is Result.FAILED or (mode is Mode.QUICK and name in FOUND_BY_READING)
    started_s = time.process_time()
    checker = StoreSealChecker(path)
    checker.run(lambda _: None)
    checker.close()
    assert time.process_time() - started_s < spent_s + MORE_S


FOUND_BY_READING = {"removals without end", "long name"}


def test_events_with_a_long_name_are_read_few_at_a_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []
    whole_events = Session.whole_events

    def noted(session: Session, seqs: Sequence[int]) -> dict[int, tuple[object, ...]]:
        batches.append(len(seqs))
        return whole_events(session, seqs)

    monkeypatch.setattr(Session, "whole_events", noted)
    monkeypatch.setattr(reader, "STREAM_BYTES", 100_000)
    forger.strike(path, "UPDATE event_names SET name = hex(zeroblob(20000))")
    with StoreReader(path) as store:
        assert sum(1 for _ in islice(store.events(EventQuery()), 30)) == 30
    assert max(batches) <= 2


def test_long_names_are_checked_like_others_and_redacted(tmp_path: Path) -> None:
    """They are hashed one by one, and what does not match for one event may match for the next."""
    path = tmp_path / "audit.db"
    with StoreWriter(path, durable=False) as writer:
        writer.append(
            [
                AuditEvent("Login" * 20_000, number, key=f"k{number}", user="u" * 100_000, description="gone")
                for number in range(1, 21)
            ]
        )
        redact(writer, range(1, 21), ["description"], ACT)
    report = verify(path, Request())
    assert (report.result, report.redacted_events) == (Result.NOT_ANCHORED, 20)
    forger.strike(
        path, "UPDATE user_names SET name = name || 'x', folded = folded || 'x' WHERE length(name) > 9"
    )
    report = verify(path, Request())
    assert [(run.wrong, run.first_seq, run.last_seq) for run in report.wrong] == [(Wrong.CHANGED, 1, 20)]


MEMORY = """
import sys
from contextlib import suppress
from audit_tui.errors import StoreDamaged
from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import CONTAINS
from audit_tui.core.query import EventQuery
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.evidence.verifying import Request, verify
from audit_tui.store.write.seal_keys import give_key
from audit_tui.store.evidence.seal_status import StoreSealChecker
from pathlib import Path
verify(Path(sys.argv[1]), Request())
StoreSealChecker(Path(sys.argv[1])).run(lambda _: None)
with suppress(StoreDamaged), StoreReader(sys.argv[1]) as reader:
    assert reader.count(EventQuery(Condition(Column.DESCRIPTION, CONTAINS, "zzz"))) == 0
# Not of getrusage, which begins with what the process had that started this one.
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.parametrize(
    "name", ["head and block", "long root and note", "long leaves", "long name", "long parts", "long texts"]
)
def test_a_hostile_store_takes_no_more_memory(path: Path, name: str) -> None:
    forger.strike(path, *HOSTILE[name])
    checked = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True
    )
    assert int(checked.stdout) < 300


@pytest.mark.parametrize(
    "definition", ["CHECK (length(hex(zeroblob(900000000))) > 0)", "g TEXT AS (hex(zeroblob(900000000)))"]
)
def test_a_definition_makes_no_gigabyte_of_a_record(path: Path, definition: str) -> None:
    with forger.opened(path) as connection:
        (sql,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'events'").fetchone()
    end = sql.rindex(")")
    rewrite(path, "events", sql, f"{sql[:end].rstrip()}, {definition}{sql[end:]}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(StoreError), StoreWriter(path, durable=False) as writer:
        writer.append([AuditEvent("e", 1)])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


def test_a_note_that_is_a_number_is_no_memory(path: Path) -> None:
    """``bytes(2_000_000_000)`` is two billion zeros."""
    with forger.opened(path) as connection:
        (strict,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'seal_head'").fetchone()
    loose = "CREATE TABLE seal_head (size INTEGER PRIMARY KEY, root, at, note, edge)"
    rewrite(path, "seal_head", strict, loose)
    forger.strike(path, "UPDATE seal_head SET note = 2000000000, at = 'x', root = 7")
    rewrite(path, "seal_head", loose, strict)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = verify(path, Request())
    assert report.result is Result.FAILED
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024
