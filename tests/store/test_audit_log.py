"""Recording from a program: what is stored, what is refused, and that acknowledged means on the disk."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui import AuditLog
from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.query import EventQuery
from audit_tui.errors import ConfigError, EventError, NotAStore, StoreBusy, StoreError
from audit_tui.store.file import lock
from audit_tui.store.file.lock import StoreLock
from audit_tui.store.read.reader import StoreReader

if TYPE_CHECKING:
    from collections.abc import Mapping

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
ROLE = {"IP Address": "10.0.0.1", "User ID": "u-1", "Role ID": "r-1", "Role Name": "Auditor"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


def stored(path: Path) -> list[AuditEvent]:
    """All events, in order of append."""
    with StoreReader(path) as reader:
        return sorted(reader.events(EventQuery()), key=lambda event: event.seq or 0)


def files_of(path: Path) -> list[str]:
    """The store and what lies beside it."""
    return sorted(file.name for file in path.parent.glob("audit.db*"))


def open_descriptors() -> int:
    """Return the number of files this process has open; 0 where that cannot be told."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def run_python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program that uses the package; its exit code must be 0."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def test_an_event_is_recorded_whole(path: Path) -> None:
    with AuditLog(path, source="billing") as log:
        event = log.record(
            "Role created",
            user="alice",
            category="Mine",
            description="alice created role Auditor",
            outcome="success",
            severity=2,
            source_ip="::1",
            target="it",
            metadata={**ROLE, "pair": (1, 2)},
            occurred_at=NOON,
            key="k",
        )
    assert event == AuditEvent(
        event="Role created",
        occurred_us=to_us(datetime(2026, 11, 1, 10, 0, tzinfo=UTC)),
        key="k",
        category="Mine",
        user="alice",
        description="alice created role Auditor",
        outcome=Outcome.SUCCESS,
        severity=2,
        source_ip="::1",
        target="it",
        source="billing",
        metadata={**ROLE, "pair": [1, 2]},
        seq=1,
    )
    assert stored(path) == [event]


def test_what_is_given_back_is_what_the_store_holds(path: Path) -> None:
    with AuditLog(path) as log:
        events = [
            log.record("Role assigned", metadata=ROLE),
            log.record(
                "nul \0 and \ud800", user="\x1b[31m", key="a\0", source="a\0", metadata={"\ud800": "\0"}
            ),
            log.record("a\0"),
        ]
    assert (events[0].category, events[0].source_ip, events[0].target) == ("Roles", "10.0.0.1", "Auditor")
    assert [event.seq for event in events] == [1, 2, 3]
    assert stored(path) == events


def test_the_time_is_now_and_the_key_random_unless_given(path: Path) -> None:
    before = to_us(datetime.now(UTC))
    with AuditLog(path) as log:
        first, second = log.record("Heartbeat"), log.record("Heartbeat")
    assert before <= first.occurred_us <= second.occurred_us <= to_us(datetime.now(UTC))
    assert first.key != second.key


def test_the_outcome_is_unknown_unless_told(path: Path) -> None:
    with AuditLog(path) as log:
        assert log.record("Login").outcome is Outcome.UNKNOWN
        assert log.record("Login", outcome=Outcome.FAILURE).outcome is Outcome.FAILURE


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"occurred_at": datetime(2026, 11, 1, 12, 0)}, "has no zone"),  # noqa: DTZ001 - what is refused
    ({"outcome": "ok"}, "no outcome 'ok'"),
    ({"metadata": [("a", 1)]}, "metadata must be a mapping, not list"),
    ({"metadata": "a=1"}, "metadata must be a mapping, not str"),
    ({"event": " "}, "needs a name"),
    ({"user": 5}, "user must be text"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_refused_makes_no_store(path: Path, fields: Mapping[str, Any], message: str) -> None:
    log = AuditLog(path)
    with pytest.raises(EventError, match=message):
        log.record(**{"event": "Heartbeat", **fields})
    assert not path.exists()


def test_strict_recording_refuses_and_stores_nothing(path: Path) -> None:
    with AuditLog(path, strict=True) as log:
        log.record("Role created", metadata=ROLE)
        for event, metadata in (("Role Created", ROLE), ("Role created", {}), ("Heartbeat", {})):
            with pytest.raises(EventError):
                log.record(event, metadata=metadata)
    assert [event.event for event in stored(path)] == ["Role created"]


def test_a_key_given_twice_stores_once(path: Path) -> None:
    with AuditLog(path) as log:
        first = log.record("Payment", key="p-1", metadata={"amount": 5}, occurred_at=NOON)
        again = log.record("Payment", key="p-1", metadata={"amount": 5})
        assert again == first
        assert log.add(AuditEvent("Payment", 0, key="p-1", metadata={"amount": 5})) == (first, False)
        assert log.add(AuditEvent("Payment", 0, key="p-2")).is_new
    assert [event.key for event in stored(path)] == ["p-1", "p-2"]


def test_a_key_of_something_else_is_refused_and_not_lost_in_silence(path: Path) -> None:
    with AuditLog(path) as log:
        log.record("Payment", key="p-1", metadata={"amount": 5})
        with pytest.raises(EventError, match="'p-1' is that of event 1, which says something else"):
            log.record("Payment", key="p-1", metadata={"amount": 6})
    assert len(stored(path)) == 1


def test_a_store_that_is_made_is_its_owners_only(path: Path) -> None:
    with AuditLog(path) as log:
        log.record("Heartbeat")
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("audit.db*")}
        assert modes == {0o600}
    assert files_of(path) == ["audit.db"]


def test_a_closed_log_opens_again(path: Path) -> None:
    log = AuditLog(path)
    log.close()
    assert not path.exists()
    assert log.record("one").seq == 1
    log.close()
    log.close()
    assert log.record("two").seq == 2
    log.close()
    assert files_of(path) == ["audit.db"]


def test_a_block_that_fails_leaves_one_file_too(path: Path) -> None:
    def work() -> None:
        with AuditLog(path) as log:
            log.record("one")
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert files_of(path) == ["audit.db"]


def test_logs_of_one_store_share_a_connection(path: Path) -> None:
    with AuditLog(path, source="a") as first, AuditLog(path, source="b", strict=True) as second:
        first.record("Heartbeat")
        second.record("Role created", metadata=ROLE)
        first.close()
        second.record("Role created", metadata=ROLE)
    assert [event.source for event in stored(path)] == ["a", "b", "b"]


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = AuditLog("audit.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    log.record("Heartbeat")
    log.close()
    assert (tmp_path / "audit.db").exists()
    assert repr(log) == f"AuditLog('{tmp_path / 'audit.db'}', strict=False, source=None)"


def test_without_a_path_it_is_the_store_of_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert AuditLog().path == Path(os.environ["XDG_DATA_HOME"]) / "audit-tui" / "audit.db"
    monkeypatch.setenv("AUDIT_TUI_STORE", str(tmp_path / "mine.db"))
    assert AuditLog().path == tmp_path / "mine.db"
    monkeypatch.setenv("AUDIT_TUI_ZONE", "Mars/Olympus")
    with pytest.raises(ConfigError):
        AuditLog()


def test_a_path_that_is_no_store_says_so_each_time(path: Path) -> None:
    path.write_text("a log\n" * 100)
    log = AuditLog(path)
    before = open_descriptors()
    for _ in range(20):
        with pytest.raises(NotAStore):
            log.record("Heartbeat")
    with pytest.raises(NotAStore), log:
        pass
    assert open_descriptors() == before
    assert path.read_text() == "a log\n" * 100
    assert files_of(path) == ["audit.db"]


def test_a_store_that_is_held_is_busy_and_then_free(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock.StoreLock.__init__, "__defaults__", (0.05,))
    with AuditLog(path) as log:
        log.record("one")
        with StoreLock(path).locked(), pytest.raises(StoreBusy):
            log.record("two")
        assert log.record("three").seq == 2
    assert [event.event for event in stored(path)] == ["one", "three"]


def test_a_store_that_was_moved_is_made_anew_and_nothing_is_lost(path: Path) -> None:
    with AuditLog(path) as log:
        log.record("before")
        path.rename(path.with_name("moved.db"))
        assert log.record("after").seq == 1
    assert [event.event for event in stored(path)] == ["after"]
    assert [event.event for event in stored(path.with_name("moved.db"))] == ["before"]


def test_a_store_that_was_deleted_is_made_anew(path: Path) -> None:
    with AuditLog(path) as log:
        log.record("before")
        path.unlink()
        log.record("after")
    assert [event.event for event in stored(path)] == ["after"]


def test_a_store_that_becomes_unusable_is_tried_again(path: Path) -> None:
    with AuditLog(path) as log:
        log.record("one")
        path.rename(path.with_name("aside.db"))
        path.mkdir()
        with pytest.raises(StoreError):
            log.record("two")
        path.rmdir()
        path.with_name("aside.db").rename(path)
        assert log.record("three").seq == 2


WRITER = """
import sys
from audit_tui import AuditLog
path, name, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
log = AuditLog(path, source=name)
for number in range(events):
    event = log.record("Heartbeat", user=name, metadata={"number": number}, key=f"{name}-{number}")
    print(event.seq, event.key, flush=True)
"""


@pytest.mark.parametrize("each", [50, pytest.param(300, marks=pytest.mark.long)])
def test_processes_record_at_once_without_errors_losses_or_gaps(path: Path, each: int) -> None:
    # None of them closes: the store is one file all the same.
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WRITER, str(path), f"w{number}", str(each)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    acknowledged = {}
    for process in started:
        out, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
        acknowledged.update({key: int(seq) for seq, key in map(str.split, out.splitlines())})
    assert files_of(path) == ["audit.db"]
    events = stored(path)
    assert [event.seq for event in events] == list(range(1, 8 * each + 1))
    assert {event.key: event.seq for event in events} == acknowledged
    for number in range(8):
        mine = [event.metadata["number"] for event in events if event.user == f"w{number}"]
        assert mine == list(range(each))


@pytest.mark.parametrize("events", [1, 20, 60])
def test_what_was_acknowledged_outlives_the_program(path: Path, events: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "w", "100000"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().split() for _ in range(events)]
        process.kill()
        acknowledged += [line.split() for line in process.stdout if line.endswith("\n")]
    with AuditLog(path) as log:
        log.record("after")
    events_stored = stored(path)
    assert [event.seq for event in events_stored] == list(range(1, len(events_stored) + 1))
    assert acknowledged == [[str(event.seq), event.key] for event in events_stored[: len(acknowledged)]]
    # At most the one that was stored and not yet told.
    assert len(events_stored) - 1 - len(acknowledged) in (0, 1)


FULL = """
import json, resource, sys
from audit_tui import AuditLog
from audit_tui.errors import StoreFull
log = AuditLog(sys.argv[1])
log.record("first")
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
seqs = []
try:
    while True:
        seqs.append(log.record("more", metadata={"text": "x" * 10_000}).seq)
except StoreFull as error:
    message = str(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(json.dumps([seqs, message, log.record("again").seq]))
"""


def test_a_full_disk_is_told_and_what_was_acknowledged_stays(path: Path) -> None:
    seqs, message, again = json.loads(run_python(FULL, str(path)).stdout)
    assert seqs == list(range(2, len(seqs) + 2))
    assert len(seqs) > 10
    assert str(path) in message
    assert "bytes are free" in message
    assert again == len(seqs) + 2
    assert [event.seq for event in stored(path)] == list(range(1, again + 1))


def test_every_commit_goes_to_the_disk(path: Path) -> None:
    # FULL (2) syncs the log at each commit; NORMAL (1) would lose the last events in a power cut.
    with AuditLog(path) as log:
        log.record("one")
        writer = log._writer._writer
        assert writer is not None
        modes = [
            writer._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "journal_mode")
        ]
    assert modes == [2, "wal"]
