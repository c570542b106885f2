"""``backup`` and ``restore``: a copy of one moment, verified, over nothing."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.core.query import EventQuery
from audit_tui.store.file.copying import copied_store
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.writer import StoreWriter
from tests.cli.running import EVENTS, at, make_store, run

if TYPE_CHECKING:
    from pathlib import Path


def events_in(path: Path) -> int:
    with StoreReader(path) as reader:
        return reader.count(EventQuery())


def files(folder: Path) -> set[str]:
    """Return the names in a folder, but for the empty log that readers keep open beside a store."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))}


def test_a_copy_and_back(store: Path, tmp_path: Path) -> None:
    copy, back = tmp_path / "copy.db", tmp_path / "back.db"
    result = run("backup", str(copy), "-s", str(store))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        f"Copied 4 events of {store} to {copy}.\nIts seals were checked: 4 events match.\n"
    )
    assert copy.stat().st_mode & 0o777 == 0o600
    result = run("restore", str(copy), "-s", str(back))
    assert result.exit_code == 0
    told = run("query", "-s", str(back), "--range", "all-time", "--format", "jsonl").stdout
    assert told == run("query", "-s", str(store), "--range", "all-time", "--format", "jsonl").stdout
    assert files(tmp_path) == {"audit.db", "copy.db", "back.db"}
    # It goes on as the store that it was.
    assert run("record", "Login", "-s", str(back)).stdout == "5\n"
    assert run("verify", "-s", str(back)).exit_code == 0


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_nothing_is_replaced(store: Path, tmp_path: Path, command: str) -> None:
    other = make_store(tmp_path / "other.db", EVENTS[:1])
    words = (str(other), "-s", str(store)) if command == "backup" else (str(store), "-s", str(other))
    result = run(command, *words)
    assert result.exit_code == 3
    assert f"{other} exists, and is left as it is." in result.stderr
    assert events_in(other) == 1
    result = run(command, str(store), "-s", str(store))
    assert result.exit_code == 2
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "nothing.db")
    words = (str(link), "-s", str(store)) if command == "backup" else (str(store), "-s", str(link))
    assert run(command, *words).exit_code == 3
    assert link.is_symlink()


def test_what_another_store_left_is_not_taken_for_its_own(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "gone.db"
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"gone.db{suffix}").write_bytes(b"" if suffix == "-wal" else b"x" * 32_768)
    assert run("restore", str(store), "-s", str(target)).exit_code == 0
    assert not (tmp_path / "gone.db-shm").exists()
    assert events_in(target) == 4
    log = tmp_path / "lost.db-wal"
    log.write_bytes(b"events that nobody has seen")
    result = run("restore", str(store), "-s", str(tmp_path / "lost.db"))
    assert result.exit_code == 3
    assert "may hold events" in result.stderr
    assert log.read_bytes() == b"events that nobody has seen"


def test_a_store_in_use_is_copied_as_it_was_at_one_moment(store: Path, tmp_path: Path) -> None:
    is_done = threading.Event()

    def append() -> None:
        with StoreWriter(store, durable=False) as writer:
            while not is_done.is_set():
                writer.append([AuditEvent("Busy", at("2026-11-22 10:00")) for _ in range(20)])

    thread = threading.Thread(target=append)
    thread.start()
    try:
        for number in range(3):
            copy = tmp_path / f"copy{number}.db"
            assert run("backup", str(copy), "-s", str(store)).exit_code == 0
            # Whole appends only: 4, and 20 each.
            assert events_in(copy) % 20 == 4
            assert run("verify", "-s", str(copy)).exit_code == 0
    finally:
        is_done.set()
        thread.join()


def test_a_store_that_was_altered_is_told_and_not_restored(store: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE events SET description = 'nothing happened' WHERE seq = 2")
    copy = tmp_path / "copy.db"
    result = run("backup", str(copy), "-s", str(store))
    assert result.exit_code == 1
    assert "The store itself is not as it was recorded" in result.stderr
    assert copy.exists()
    result = run("restore", str(copy), "-s", str(tmp_path / "back.db"))
    assert result.exit_code == 3
    assert "was not restored" in result.stderr
    assert not (tmp_path / "back.db").exists()
    assert files(tmp_path) == {"audit.db", "copy.db"}


def test_what_is_not_a_store_is_not_copied(tmp_path: Path, store: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no store")
    missing = tmp_path / "none.db"
    for source in (text, missing, tmp_path):
        assert run("backup", str(tmp_path / "copy.db"), "-s", str(source)).exit_code == 3
    assert run("backup", str(tmp_path / "no folder" / "copy.db"), "-s", str(store)).exit_code == 3
    assert files(tmp_path) == {"notes.txt", "audit.db"}


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_a_copy_that_is_ended_leaves_no_half_store(tmp_path: Path, signal: str) -> None:
    events = [AuditEvent("Login", at("2026-11-22 10:00"), description="x" * 900) for _ in range(20_000)]
    store = make_store(tmp_path / "audit.db", events)
    command = [sys.executable, "-m", "audit_tui", "backup", str(tmp_path / "copy.db"), "-s", str(store)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ)
    while not any(tmp_path.glob(".audit-tui-*/copy.db")):
        assert process.poll() is None
    process.send_signal(getattr(__import__("signal"), f"SIG{signal}"))
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert not (tmp_path / "copy.db").exists()
    if signal == "TERM":
        assert files(tmp_path) == {"audit.db"}


def test_a_folder_that_another_run_takes_for_a_leftover_is_made_again(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    flock = fcntl.flock
    taken: list[int] = []

    def taken_first(descriptor: int, operation: int) -> None:
        # Between the making and the lock another run has locked and removed the first folder.
        if not taken:
            (folder,) = place.iterdir()
            taken.append(os.open(folder, os.O_RDONLY))
            flock(taken[0], operation)
            folder.rmdir()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", taken_first)
    with copied_store(store, place / "a.db", lambda *_: None):
        pass
    os.close(taken[0])
    assert files(place) == {"a.db"}


def test_what_a_killed_copy_left_is_removed_by_the_next(store: Path, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from audit_tui.store.file.copying import copied_store\n"
        "with copied_store(Path(sys.argv[1]), Path(sys.argv[2]), lambda *_: None):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    place = tmp_path / "place"
    place.mkdir()
    subprocess.run([sys.executable, "-c", code, str(store), str(place / "a.db")], check=False)
    (left,) = place.iterdir()
    foreign = place / ".audit-tui-copy-foreign"
    foreign.mkdir()
    (foreign / "mine.txt").write_text("not a copy")
    with copied_store(store, place / "b.db", lambda *_: None):
        # One that is under way is left alone.
        assert run("backup", str(place / "c.db"), "-s", str(store)).exit_code == 0
        assert len(list(place.glob(".audit-tui-copy-*"))) == 2
    assert not left.exists()
    assert files(place) == {"b.db", "c.db", foreign.name}
    assert (foreign / "mine.txt").exists()
