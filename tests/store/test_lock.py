"""The lock that writers share: exclusive, fair about who holds it, and gone when nobody needs it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.errors import StoreBusy, StoreError
from audit_tui.store.file import lock
from audit_tui.store.file.holders import LOCKS
from audit_tui.store.file.lock import StoreLock
from audit_tui.store.write import writer
from audit_tui.store.write.writer import StoreWriter


def test_a_held_lock_is_waited_for_and_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    lock, other = StoreLock(path), StoreLock(path, wait_s=0.01)
    with lock.locked():
        with pytest.raises(StoreBusy) as caught, other.locked():
            pass
        assert f"process {os.getpid()}" in caught.value.message
        assert str(path) in caught.value.message
    with other.locked():
        pass
    lock.close()
    other.close()


def test_a_writer_waits_for_the_lock(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_S", 0.01)
    with StoreWriter(store_path) as writer:
        blocker = StoreLock(store_path)
        monkeypatch.setattr(writer._lock, "_wait_s", 0.01)
        with blocker.locked(), pytest.raises(StoreBusy):
            writer.append([AuditEvent("e", 1)])
        blocker.close()
        assert writer.append([AuditEvent("e", 1)]).stored == 1


def test_whoever_waits_on_a_deleted_lock_file_makes_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    first, second, third = StoreLock(path), StoreLock(path), StoreLock(path, wait_s=0.01)
    with second.locked():
        pass
    with first.locked():
        first.remove()
        assert not first.path.exists()
        # The second one still has the deleted file open: its lock would protect nothing.
        with second.locked():
            assert second.path.exists()
            with pytest.raises(StoreBusy), third.locked():
                pass
            second.remove()
    third.close()
    assert list(tmp_path.iterdir()) == []


def test_only_one_is_inside_while_files_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(30):
            lock = StoreLock(path)
            with lock.locked():
                inside.append(1)
                most.append(len(inside))
                inside.pop()
                lock.remove()
            lock.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 120
    assert list(tmp_path.iterdir()) == []


def test_the_lock_file_can_be_used_by_whoever_may_write_the_store(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    path.touch(mode=0o660)
    path.chmod(0o660)
    lock = StoreLock(path)
    with lock.locked():
        assert stat.S_IMODE(lock.path.stat().st_mode) == 0o660
        lock.remove()
    lock.close()


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    target = tmp_path / "precious"
    target.write_text("x")
    (tmp_path / "audit.db.lock").symlink_to(target)
    with pytest.raises(StoreError, match="symbolic link"), StoreLock(path).locked():
        pass
    assert target.read_text() == "x"


@pytest.mark.parametrize(
    ("store_mode", "lock_mode"),
    [(0o600, 0o600), (0o640, 0o600), (0o644, 0o600), (0o664, 0o660), (0o666, 0o666)],
)
def test_who_may_only_read_the_store_cannot_hold_its_lock(
    store_mode: int, lock_mode: int, tmp_path: Path
) -> None:
    path = tmp_path / "audit.db"
    path.touch()
    path.chmod(store_mode)
    lock_file = tmp_path / "audit.db.lock"
    lock_file.touch()
    lock_file.chmod(0o644)
    lock = StoreLock(path)
    with lock.locked():
        assert stat.S_IMODE(lock_file.stat().st_mode) == lock_mode
    lock.close()


HOLD = (
    "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_SH); print(1, flush=True); input()"
)


def test_the_holder_is_named_and_not_who_wrote_its_number_last(tmp_path: Path) -> None:
    if not LOCKS.exists():
        pytest.skip("this system does not list its locks")
    path = tmp_path / "audit.db"
    lock = StoreLock(path, wait_s=0.01)
    with lock.locked():
        pass
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child, child.stdin, child.stdout:
        assert child.stdout.readline() == b"1\n"
        with pytest.raises(StoreBusy) as caught, lock.locked():
            pass
        assert f"process {child.pid} (" in caught.value.message
        child.kill()
    lock.close()


@pytest.mark.parametrize("kind", ["fifo", "hard link", "folder"])
def test_a_planted_file_is_not_written_to(kind: str, tmp_path: Path) -> None:
    victim, planted = tmp_path / "victim", tmp_path / "audit.db.lock"
    victim.write_text("precious")
    match kind:
        case "fifo":
            os.mkfifo(planted)
        case "folder":
            planted.mkdir()
        case _:
            planted.hardlink_to(victim)
    with pytest.raises(StoreError, match="lock file"), StoreLock(tmp_path / "audit.db").locked():
        pass
    assert victim.read_text() == "precious"


def test_no_write_begins_without_the_write_lock() -> None:
    # A transaction that reads first and writes later fails in spite of any timeout (BUSY_SNAPSHOT).
    source = Path(writer.__file__).read_text(encoding="utf-8")
    begins = [line for line in source.split("\n") if '"BEGIN' in line]
    assert begins
    assert all('"BEGIN IMMEDIATE"' in line for line in begins)
