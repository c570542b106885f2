"""The check behind the seal in the status line, and seals of a store whose writer was killed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.event import AuditEvent
from audit_tui.core.evidence.sealed import SealState, SealStatus, Wrong
from audit_tui.errors import QueryCancelled
from audit_tui.store.evidence import seal_walk
from audit_tui.store.evidence.seal_status import StoreSealChecker
from audit_tui.store.evidence.verifying import Request, Result, verify
from audit_tui.store.write.removing import Act, prune, redact
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from pathlib import Path

ACT = Act("root", "host", 10_000, "a test")


def add(path: Path, first: int, events: int) -> None:
    with StoreWriter(path, durable=False) as writer:
        writer.append(
            [
                AuditEvent("e", number, key=f"k{number}", user="u", description="it was")
                for number in range(first, first + events)
            ]
        )


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    add(tmp_path / "audit.db", 1, 1_500)
    return tmp_path / "audit.db"


def ignored(_: SealStatus) -> None:
    pass


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def test_it_reports_after_each_snapshot_and_goes_on_with_what_is_new(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal_walk, "BLOCKS_AT_ONCE", 2)
    checker = StoreSealChecker(path)
    reports: list[SealStatus] = []
    assert checker.run(reports.append).words == "verified up to 1,500, not anchored"
    assert [status.verified_seq for status in reports] == [512, 1_024, 1_500, 1_500]
    assert [status.state for status in reports] == [SealState.CHECKING] * 3 + [SealState.HOLDS]
    assert not checker.is_due()
    add(path, 2_000, 100)
    assert checker.is_due()
    assert checker.run(reports.append).verified_seq == 1_600
    checker.close()


def test_what_others_edit_is_read_again_at_once(path: Path) -> None:
    checker = StoreSealChecker(path)
    assert checker.run(ignored).state is SealState.HOLDS
    change(path, "UPDATE events SET description = 'forged' WHERE seq = 7")
    assert checker.is_due()
    assert checker.run(ignored).words == "broken at event 7"
    change(path, "UPDATE events SET description = 'it was' WHERE seq = 7")
    assert checker.run(ignored).state is SealState.HOLDS
    change(path, "UPDATE event_names SET name = 'E'")
    assert checker.run(ignored).words == "broken at event 1"
    checker.close()


def test_an_edit_behind_an_append_is_found_before_long_and_the_status_says_what_it_does_not_know(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    checker = StoreSealChecker(path, clock=clock)
    step = seal_walk.SealWalk.step

    def slow_step(walk: seal_walk.SealWalk) -> None:
        clock.now_s += 3
        step(walk)

    monkeypatch.setattr(seal_walk.SealWalk, "step", slow_step)
    status = checker.run(ignored)
    assert (status.is_written_to, status.read_at_s) == (False, 1_800_000_000)
    change(path, "UPDATE events SET description = 'forged' WHERE seq = 7")
    add(path, 2_000, 10)
    status = checker.run(ignored)
    assert (status.state, status.verified_seq, status.is_written_to) == (SealState.HOLDS, 1_510, True)
    assert status.read_at_s == 1_800_000_000
    assert not checker.is_due()
    clock.now_s += 10 * 3
    assert checker.is_due()
    assert checker.run(ignored).words == "broken at event 7"
    checker.close()


def test_while_the_same_is_read_again_the_result_stays(path: Path) -> None:
    clock = Clock()
    checker = StoreSealChecker(path, clock=clock)
    checker.run(ignored)
    add(path, 2_000, 10)
    reports: list[SealStatus] = []
    checker.run(reports.append)
    clock.now_s += 1
    while checker.is_due():
        checker.run(reports.append)
    assert {status.words for status in reports} <= {
        "verified up to 1,510, not anchored",
        "verified up to 1,500, not anchored",
    }
    assert not reports[-1].is_written_to
    checker.close()


def test_a_store_put_in_its_place_is_checked_when_the_screen_opens_it(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    add(other, 1, 300)
    change(other, "UPDATE events SET description = 'forged' WHERE seq = 7")
    checker = StoreSealChecker(path)
    checker.run(ignored)
    other.replace(path)
    # What is shown is still the first one.
    assert checker.run(ignored).words == "verified up to 1,500, not anchored"
    checker.begin_again()
    assert checker.is_due()
    assert checker.run(ignored).words == "broken at event 7"
    checker.close()


def test_the_next_session_knows_what_was_verified(path: Path, tmp_path: Path) -> None:
    memory, older = tmp_path / "state" / "verified", tmp_path / "older.db"
    shutil.copy(path, older)
    add(path, 2_000, 600)
    checker = StoreSealChecker(path, memory)
    assert checker.run(ignored).trusted_seq == 0
    checker.close()
    checker = StoreSealChecker(path, memory)
    status = checker.run(ignored)
    assert (status.state, status.trusted_seq, status.verified_seq) == (SealState.HOLDS, 2_048, 2_100)
    checker.close()
    # A file that was written to is read again, also with the times of its content put back.
    times = path.stat()
    change(path, "UPDATE events SET target = 'x' WHERE seq = 7")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_mtime_ns == times.st_mtime_ns
    checker = StoreSealChecker(path, memory)
    status = checker.run(ignored)
    assert (status.words, status.trusted_seq) == ("broken at event 7", 0)
    checker.close()
    # It is an anchor of its own: an older copy is seen, and told from a forged one.
    shutil.copy(older, path)
    checker = StoreSealChecker(path, memory)
    status = checker.run(ignored)
    assert (status.state, status.words) == (SealState.OLDER, "older copy")
    assert "had 2,100 events when it was last verified here, now it has 1,500" in status.message
    checker.close()


def test_what_was_written_while_it_was_verified_is_not_remembered(path: Path, tmp_path: Path) -> None:
    memory = tmp_path / "verified"
    clock = Clock()
    checker = StoreSealChecker(path, memory, clock)
    checker.run(ignored)
    clock.now_s -= 1
    change(path, "UPDATE events SET target = 'x' WHERE seq = 7")
    add(path, 2_000, 10)
    assert checker.run(ignored).state is SealState.HOLDS
    checker.close()
    checker = StoreSealChecker(path, memory)
    assert checker.run(ignored).words == "broken at event 7"
    checker.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("INSERT INTO user_names SELECT id + 90000, name, folded, events FROM user_names", "stands twice"),
        ("DROP TABLE events", "cannot be read"),
    ],
)
def test_names_that_stand_twice_and_tables_that_are_gone_are_told(
    path: Path, statement: str, words: str
) -> None:
    checker = StoreSealChecker(path)
    checker.run(ignored)
    change(path, "DROP INDEX user_names_name")
    change(path, "DROP INDEX user_names_order")
    change(path, statement)
    status = checker.run(ignored)
    assert (status.state, words in status.message) == (SealState.BROKEN, True)
    checker.close()


def test_garbage_over_the_pages_is_told(path: Path) -> None:
    checker = StoreSealChecker(path)
    checker.run(ignored)
    with path.open("r+b") as file:
        file.seek(8_192)
        file.write(b"\xa5" * (path.stat().st_size - 8_192))
    assert checker.is_due()
    assert checker.run(ignored).state is SealState.BROKEN
    checker.close()


@pytest.mark.parametrize(
    ("statement", "state", "wrong"),
    [
        ("DELETE FROM events WHERE seq BETWEEN 5 AND 7", SealState.BROKEN, [(Wrong.MISSING, 5, 7)]),
        ("UPDATE events SET seq = 1600 WHERE seq = 1500", SealState.BROKEN,
         [(Wrong.MISSING, 1_500, 1_500), (Wrong.ADDED, 1_600, 1_600)]),
        ("UPDATE events SET seq = -3 WHERE seq = 1500", SealState.BROKEN,
         [(Wrong.MISSING, 1_500, 1_500), (Wrong.ADDED, -3, -3)]),
        ("UPDATE seal_head SET root = zeroblob(32)", SealState.BROKEN, [(Wrong.SEAL, 1, 1_500)]),
        ("DELETE FROM seal_block WHERE block = 1", SealState.BROKEN, None),
        ("DELETE FROM seal_head", SealState.UNSEALED, []),
        ("UPDATE seal_head SET at = at - 86400", SealState.BROKEN, []),
        ("UPDATE store_info SET value = hex(zeroblob(16)) WHERE name = 'store_id'", SealState.BROKEN, []),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(
    path: Path, statement: str, state: SealState, wrong: list[tuple[Wrong, int, int]] | None
) -> None:
    change(path, statement)
    checker = StoreSealChecker(path)
    status = checker.run(ignored)
    checker.close()
    assert status.state is state
    if wrong is not None:
        assert [(run.wrong, run.first_seq, run.last_seq) for run in status.wrong] == wrong


def test_removals_that_are_declared_are_no_damage_and_are_told(path: Path) -> None:
    with StoreWriter(path, durable=False) as writer:
        redact(writer, [600, 601], ["description"], ACT)
        assert prune(writer, 301, ACT).events == 300
    checker = StoreSealChecker(path)
    status = checker.run(ignored)
    checker.close()
    assert status.state is SealState.HOLDS
    assert status.removal_words == "300 events pruned here, 2 events redacted"
    assert status.declaring_seqs == (1_501, 1_502)


def test_an_empty_store_holds(tmp_path: Path) -> None:
    StoreWriter(tmp_path / "audit.db").close()
    checker = StoreSealChecker(tmp_path / "audit.db")
    assert checker.run(ignored).state is SealState.HOLDS
    checker.close()
    assert verify(tmp_path / "audit.db", Request()).result is Result.NOT_ANCHORED


def test_it_can_be_cancelled_and_run_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_walk, "BLOCKS_AT_ONCE", 1)
    token = CancelToken()
    checker = StoreSealChecker(path)
    reports: list[SealStatus] = []

    def report(status: SealStatus) -> None:
        reports.append(status)
        token.cancel()

    with pytest.raises(QueryCancelled):
        checker.run(report, token)
    assert len(reports) == 1
    assert checker.run(ignored).state is SealState.HOLDS
    checker.close()


APPENDING = """
import sys
from audit_tui.core.event import AuditEvent
from audit_tui.store.write.writer import StoreWriter
with StoreWriter(sys.argv[1], durable=False) as writer:
    number = 0
    while True:
        writer.append([AuditEvent("e", number + one, key=f"k{number + one}") for one in range(70)])
        number += 70
        print(number, flush=True)
"""


def test_a_killed_writer_leaves_seals_that_fit(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    writer = subprocess.Popen([sys.executable, "-c", APPENDING, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = 0
    for line in writer.stdout:
        acknowledged = int(line)
        if acknowledged >= 2_100:
            break
    writer.send_signal(signal.SIGKILL)
    acknowledged += 70 * len(writer.stdout.read().splitlines())
    writer.wait()
    writer.stdout.close()
    add(path, 1_000_000, 1)
    report = verify(path, Request())
    assert (report.result, report.wrong, report.index_problems) == (Result.NOT_ANCHORED, (), ())
    assert report.size - 1 >= acknowledged
    assert (report.size - 1) % 70 == 0


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            ["DROP INDEX events_key", "CREATE UNIQUE INDEX events_key ON events (key) WHERE seq > 5"],
            "index events_key is not defined as audit-tui defines it: searches may miss events",
        ),
        (
            ["DROP VIEW audit_log", "CREATE VIEW audit_log AS SELECT 1 AS seq"],
            "the view audit_log is not defined as audit-tui defines it",
        ),
        (
            [
                "INSERT INTO store_info (name, value) VALUES ('pruned_events', '1400')"
                " ON CONFLICT (name) DO UPDATE SET value = '1400'"
            ],
            "the store says that 1,400 events were pruned, but 0 were declared: its total is not true",
        ),
    ],
)
def test_what_the_file_is_made_of_is_checked_too(path: Path, statements: list[str], message: str) -> None:
    checker = StoreSealChecker(path)
    assert checker.run(ignored).state is SealState.HOLDS
    for statement in statements:
        change(path, statement)
    assert checker.is_due()
    status = checker.run(ignored)
    checker.close()
    assert (status.state, status.message) == (SealState.BROKEN, message)


def test_a_removal_that_was_declared_is_no_wrong_total(path: Path) -> None:
    with StoreWriter(path, durable=False) as writer:
        prune(writer, 100, ACT)
    checker = StoreSealChecker(path)
    status = checker.run(ignored)
    checker.close()
    assert (status.state, status.message) == (SealState.HOLDS, "")
    assert "pruned here" in status.removal_words
