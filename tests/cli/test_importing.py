"""The course of an import: in two processes, from pipes, with files that grow, and when it is killed."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.ingest import open as opened_files
from audit_tui.ingest import pipeline, process
from audit_tui.ingest.events import Reading
from audit_tui.ingest.find import LogFile
from audit_tui.ingest.pipeline import Importer, NoProgress, Nowhere
from tests.cli.running import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_S = 60.0


def line(number: int, **fields: object) -> str:
    return (
        json.dumps({"time": 1793541600 + number, "event": "login", "user": f"user{number}", **fields}) + "\n"
    )


def stored(store: Path) -> int:
    """Return the number of events another process has stored so far."""
    if not store.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])
    except sqlite3.Error:
        return 0


def wait_until(condition: Callable[[], bool]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def start(*args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "audit_tui", "import", *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def always_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "PROCESS_BYTES", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    lines = [line(number) for number in range(2_500)]
    (folder / "a.jsonl").write_text("".join(lines) + "bad \x1b\n")
    (folder / "b.json.gz").write_bytes(gzip.compress("".join(lines[:3]).encode(), mtime=0))
    (folder / "c.gz").write_bytes(gzip.compress(b"x" * 500, mtime=0)[:20])
    (folder / "README.md").write_text("# Not a log\n\nIt is not.\n")
    return folder


@pytest.mark.usefixtures("always_apart")
class TestApart:
    """Reading in a process of its own tells the same as reading here."""

    def test_all_is_told_as_without_it(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        apart = run("import", str(folder), "-s", str(tmp_path / "apart.db"), "--json")
        again = run("import", str(folder), "-s", str(tmp_path / "apart.db"), "--json")
        monkeypatch.setattr(pipeline, "PROCESS_BYTES", 10**12)
        here = run("import", str(folder), "-s", str(tmp_path / "here.db"), "--json")
        assert json.loads(apart.stdout) == json.loads(here.stdout)
        summary = json.loads(apart.stdout)
        counts = [summary[name] for name in ("read", "stored", "duplicate", "rejected")]
        assert counts == [2504, 2500, 3, 1]
        assert summary["rejects"][0]["line"] == 2501
        assert len(summary["problems"]) == 2
        assert json.loads(again.stdout)["duplicate"] == 2503
        assert apart.exit_code == here.exit_code == 3

    def test_a_process_that_dies_is_an_error_and_loses_nothing_silently(
        self, folder: Path, store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(process, "_RUN", "import sys; sys.stdin.buffer.read(); sys.exit(7)")
        result = run("import", str(folder), "-s", str(store))
        assert result.exit_code == 3
        assert "The process that reads the logs ended with code 7 before it was done." in result.stderr

    def test_wrong_fields_are_refused_before_anything_is_stored(self, folder: Path, store: Path) -> None:
        result = run("import", str(folder / "a.jsonl"), "-s", str(store), "--map", "user=who")
        assert result.exit_code == 2
        assert "has no field 'who'" in result.stderr
        assert not store.exists()

    def test_ending_early_ends_the_process(self, folder: Path) -> None:
        processes: list[subprocess.Popen[bytes]] = []

        class Full:
            def append(self, drafts: object) -> tuple[int, int]:
                processes.append(apart._process)
                raise KeyboardInterrupt

        log = LogFile(str(folder / "a.jsonl"), folder / "a.jsonl", 1)
        importer = Importer(Full(), Reading(), lambda _: None)
        apart = process.ReaderProcess(process.Job(Reading(), [log] * 50, False))
        with pytest.raises(KeyboardInterrupt), apart:
            apart.read(pipeline._OfOneLog(importer, log, lambda _: None), lambda _: None)
        assert processes[0].returncode is not None


def test_small_files_and_pipes_are_read_here(tmp_path: Path) -> None:
    big = LogFile("a.gz", tmp_path / "a.gz", pipeline.PROCESS_BYTES)
    assert pipeline.is_worth_a_process([big]) == (len(os.sched_getaffinity(0)) > 1)
    assert not pipeline.is_worth_a_process([LogFile("a", tmp_path / "a", 1_000)])
    assert not pipeline.is_worth_a_process([big, LogFile("-", None, 0)])
    importer = Importer(Nowhere(), Reading(), lambda _: None)
    importer.take_all([], NoProgress())
    assert importer.tally.read == 0


def test_standard_input_is_stored_as_it_comes_and_sigterm_keeps_it(store: Path) -> None:
    process = start("-", "-s", str(store))
    assert process.stdin is not None
    process.stdin.write(line(1).encode())
    process.stdin.flush()
    wait_until(lambda: stored(store) == 1)
    process.stdin.write(line(2).encode() + b'{"time": 1793541600, "event": "half')
    process.stdin.flush()
    wait_until(lambda: stored(store) == 2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 143
    assert stored(store) == 2


def test_sigterm_ends_a_followed_file_with_its_summary(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "app.jsonl"
    log.write_text(line(1))
    process = start("--follow", str(log), "-s", str(store))
    wait_until(lambda: stored(store) == 1)
    process.send_signal(signal.SIGTERM)
    _, words = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 143
    assert b"goes on from there" in words
    assert b"1 record read from 1 file: 1 stored" in words


def test_a_followed_file_is_stored_across_rotation_and_nothing_twice(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "app.jsonl"
    log.write_text(line(1))
    process = start("--follow", str(log), "-s", str(store), "--json")
    wait_until(lambda: stored(store) == 1)
    with log.open("a") as file:
        file.write(line(2))
    wait_until(lambda: stored(store) == 2)
    log.rename(tmp_path / "app.jsonl.1")
    log.write_text(line(2) + line(3))
    wait_until(lambda: stored(store) == 3)
    process.send_signal(signal.SIGINT)
    out, words = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert b"the same command again goes on from there" in words
    summary = json.loads(out)
    assert (summary["read"], summary["stored"], summary["duplicate"], summary["files"]) == (4, 3, 1, 2)
    assert summary["interrupted"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--follow", "a", "b"), "goes with one file"),
        (("--follow", "."), "is a folder"),
        (("--follow", "--dry-run", "a"), "goes with one file"),
        (("--mapping", "none.toml", "a"), "none.toml cannot be read"),
        (("--mapping", "slack", "--format", "jsonl", "a"), "both say what the files are"),
        (
            ("--format", "xml", "a"),
            "There is no format 'xml'. Formats are atlassian, auditd, auth0, azure, box, cef",
        ),
    ],
)
def test_wrong_usage(store: Path, args: tuple[str, ...], message: str) -> None:
    result = run("import", *args, "-s", str(store))
    assert result.exit_code in (2, 3)
    assert message in result.stderr
    assert not store.exists()


def kill_after(store: Path, log: Path, events: int) -> int:
    """Import, and kill without warning once that many events are stored; return their number."""
    process = start(str(log), "-s", str(store))
    wait_until(lambda: stored(store) >= events or process.poll() is not None)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    return stored(store)


def made_log(path: Path, events: int) -> Path:
    path.write_text("".join(line(number, pad="x" * 400) for number in range(events)))
    return path


def check_after_kills(tmp_path: Path, store: Path, events: int, kills: int) -> None:
    log = made_log(tmp_path / "a.jsonl", events)
    before = 0
    for number in range(kills):
        after = kill_after(store, log, events * (number + 1) // (kills + 2))
        assert after >= before
        before = after
    result = run("import", str(log), "-s", str(store), "--json")
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert (summary["read"], summary["stored"]) == (events, events - before)
    assert stored(store) == events


def test_an_import_that_is_killed_is_completed_by_the_next_one(tmp_path: Path, store: Path) -> None:
    check_after_kills(tmp_path, store, 10_500, 1)


@pytest.mark.long
def test_an_import_that_is_killed_often_is_completed(tmp_path: Path, store: Path) -> None:
    check_after_kills(tmp_path, store, 200_000, 100)


def test_a_table_of_a_database(tmp_path: Path, store: Path) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE audit_log (id INTEGER PRIMARY KEY, created_at, actor, act, blob);"
            "CREATE TABLE other (a);"
            "INSERT INTO audit_log VALUES (1, 1793541600, 'ann', 'opened', x'ff'),"
            " (2, '2026-11-01 14:00', 'bob', 'closed', 'text'), (3, NULL, 'carl', 'left', 9e999)"
        )
    without = run("import", str(path), "-s", str(store))
    assert without.exit_code == 3
    assert "is a database, not a log." in without.stderr
    assert "Its tables are audit_log, other." in without.stderr
    wrong = run("import", str(path), "-s", str(store), "--table", "audit")
    assert (wrong.exit_code, store.exists()) == (2, False)
    assert "Its tables are audit_log, other." in wrong.stderr
    options = (
        "--table",
        "audit_log",
        "--map",
        "event=act",
        "--map",
        "user=actor",
        "--map",
        "time=created_at",
    )
    dry = run("import", str(path), "-s", str(store), *options, "--dry-run")
    assert "Table audit_log, row 1:" in dry.stdout
    opened = run("info", "-s", str(path))
    assert "or import a table of it: audit-tui import FILE --table TABLE" in opened.stderr
    result = run("import", str(path), "-s", str(store), *options)
    assert f"{path}:3: it has no time in created_at" in result.stderr
    assert "3 records read from 1 file: 2 stored, 0 duplicate, 1 rejected." in result.stderr
    again = run("import", str(path), "-s", str(store), *options)
    assert "0 stored, 2 duplicate, 1 rejected" in again.stderr


def test_a_bomb_is_given_up_unless_it_is_wanted(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened_files, "FREE_BYTES", 100_000)
    monkeypatch.setattr(opened_files, "MAX_RATIO", 10)
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress((line(1) + " " * 1_000_000 + "\n" + line(2)).encode(), mtime=0))
    result = run("import", str(bomb), "-s", str(store))
    assert result.exit_code == 3
    assert "unpacks to more than 10 times its size" in result.stderr
    assert "--no-limit" in result.stderr
    assert run("import", str(bomb), "-s", str(store), "--no-limit").exit_code == 0
    assert stored(store) == 2


def test_a_mapping_is_used_and_explained(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text(
        '{"date_create": 1793541600, "action": "user_login", "actor": {"user": {"email": "a@b.c"}}}\n'
    )
    shown = run("import", str(log), "-s", str(store), "--mapping", "slack", "--dry-run")
    assert "Slack audit logs, line 1:" in shown.stdout
    assert "user         a@b.c  (from actor.user.email)" in shown.stdout
    assert run("import", str(log), "-s", str(store), "--mapping", "slack").exit_code == 0
    assert stored(store) == 1
