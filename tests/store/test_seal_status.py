"""The check behind the seal in the status line, and seals of a store whose writer was killed."""

from __future__ import annotations

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
                AuditEvent("e", number, key=f"k{number}", description="it was")
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


def test_it_reports_after_each_snapshot_and_goes_on_with_what_is_new(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal_walk, "BLOCKS_AT_ONCE", 2)
    checker = StoreSealChecker(path)
    reports: list[SealStatus] = []
    assert checker.run(reports.append).words == "verified up to 1,500, not anchored"
    assert [one.verified_seq for one in reports] == [512, 1_024, 1_500, 1_500]
    assert [one.state for one in reports] == [SealState.CHECKING] * 3 + [SealState.HOLDS]
    # What was read is not read again; what is new is.
    change(path, "UPDATE events SET target = 'x' WHERE seq = 7")
    add(path, 2_000, 100)
    assert checker.run(reports.append).verified_seq == 1_600
    change(path, "UPDATE events SET target = 'x' WHERE seq = 1550")
    add(path, 3_000, 1)
    status = checker.run(reports.append)
    assert (status.state, status.first_wrong_seq, status.words) == (
        SealState.BROKEN,
        1_550,
        "broken at event 1,550",
    )
    add(path, 4_000, 600)
    assert checker.run(reports.append).words == "broken at event 1,550"
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
    # A file that was touched is read again.
    change(path, "UPDATE events SET target = 'x' WHERE seq = 7")
    checker = StoreSealChecker(path, memory)
    status = checker.run(ignored)
    assert (status.words, status.trusted_seq) == ("broken at event 7", 0)
    checker.close()
    # It is an anchor of its own: an older copy is seen.
    shutil.copy(older, path)
    checker = StoreSealChecker(path, memory)
    status = checker.run(ignored)
    assert (status.state, status.words) == (SealState.BROKEN, "seals broken")
    assert "older copy" in status.message
    checker.close()


def test_what_was_written_while_it_was_verified_is_read_again(path: Path, tmp_path: Path) -> None:
    memory = tmp_path / "verified"
    checker = StoreSealChecker(path, memory)
    checker.run(ignored)
    change(path, "UPDATE events SET target = 'x' WHERE seq = 7")
    add(path, 2_000, 10)
    assert checker.run(ignored).state is SealState.HOLDS
    checker.close()
    checker = StoreSealChecker(path, memory)
    assert checker.run(ignored).words == "broken at event 7"
    checker.close()


@pytest.mark.parametrize(
    ("statement", "state", "wrong"),
    [
        ("DELETE FROM events WHERE seq BETWEEN 5 AND 7", SealState.BROKEN, [(Wrong.MISSING, 5, 7)]),
        ("UPDATE events SET seq = 1600 WHERE seq = 1500", SealState.BROKEN,
         [(Wrong.MISSING, 1_500, 1_500), (Wrong.ADDED, 1_600, 1_600)]),
        ("UPDATE seal_head SET root = zeroblob(32)", SealState.BROKEN, [(Wrong.SEAL, 1, 1_500)]),
        ("DELETE FROM seal_block WHERE block = 1", SealState.BROKEN, None),
        ("DELETE FROM seal_head", SealState.UNSEALED, []),
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


def test_removals_that_are_declared_are_no_damage(path: Path) -> None:
    with StoreWriter(path, durable=False) as writer:
        redact(writer, [600, 601], ["description"], ACT)
        assert prune(writer, 301, ACT).events == 300
    checker = StoreSealChecker(path)
    assert checker.run(ignored).state is SealState.HOLDS
    checker.close()


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
