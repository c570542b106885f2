"""All that may happen to a store while it is read: RELIABILITY's 6.1, from the reader's side."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.event import AuditEvent
from audit_tui.core.query import AtRow, EventQuery, SourceState, Standing
from audit_tui.errors import QueryTooLong, StoreBusy, StoreDamaged, StoreError
from audit_tui.store.file import connect, file_system, foreign_log, holders
from audit_tui.store.file.file_system import Mount, mount_of
from audit_tui.store.file.watch import Watch
from audit_tui.store.read.reader import SNAPSHOT_NOTICE, StoreReader, open_store
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 300
ALL = EventQuery()


def events(count: int, name: str = "e") -> list[AuditEvent]:
    return [AuditEvent(f"{name}{number % 7}", number, user=f"u{number % 3}") for number in range(count)]


def make(path: Path, count: int = COUNT, name: str = "e") -> Path:
    with StoreWriter(path, durable=False) as writer:
        writer.append(events(count, name))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make(tmp_path / "audit.db")


# -- replaced, deleted, cut short


def test_a_look_finds_what_others_append(path: Path) -> None:
    with StoreReader(path) as reader:
        assert reader.state() == SourceState(Standing.IN_PLACE, COUNT)
        with StoreWriter(path) as writer:
            writer.append(events(1))
            assert reader.state() == SourceState(Standing.IN_PLACE, COUNT + 1)
        assert reader.state().standing is Standing.IN_PLACE


def test_a_look_that_finds_nothing_new_asks_no_query(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with StoreReader(path) as reader:
        reader.state()
        monkeypatch.setattr(StoreReader, "newest_seq", lambda self: pytest.fail("asked"))
        for _ in range(3):
            assert reader.state().newest_seq == COUNT


def test_a_replaced_store_is_told_and_the_old_one_still_read(path: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other.db", 5)
    with StoreReader(path) as reader:
        other.replace(path)
        assert reader.state().standing is Standing.REPLACED
        assert len(reader.page(ALL, AtRow(0), COUNT).rows) == COUNT
    with StoreReader(path) as reader:
        assert reader.state() == SourceState(Standing.IN_PLACE, 5)


def test_a_deleted_store_is_told_and_still_read(path: Path) -> None:
    with StoreReader(path) as reader:
        path.unlink()
        assert reader.state().standing is Standing.DELETED
        assert len(reader.page(ALL, AtRow(0), COUNT).rows) == COUNT


@pytest.mark.parametrize("length", [0, 100, 4096, 20_000])
def test_a_store_that_is_cut_short_is_told_and_ends_nothing(path: Path, length: int) -> None:
    # With mmap SQLite would be killed by SIGBUS here.
    with StoreReader(path) as reader:
        assert reader.state().standing is Standing.IN_PLACE
        os.truncate(path, length)
        assert reader.state().standing is Standing.DAMAGED
        with pytest.raises(StoreError):
            reader.page(EventQuery(upto_seq=10), AtRow(5), 10)
    if length:
        with pytest.raises(StoreError), StoreReader(path) as reader:
            reader.page(ALL, AtRow(0), 10)


def test_what_is_written_over_the_store_is_told(path: Path) -> None:
    with StoreReader(path) as reader:
        reader.state()
        with path.open("r+b") as file:
            file.write(b"x" * 8192)
        # What is in its cache SQLite may still read; nothing falls, and the next reader is told.
        reader.state()
    with pytest.raises(StoreError):
        StoreReader(path)


# -- snapshots


@pytest.fixture
def snapshot(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that can only be read as a snapshot, as on a read-only medium."""
    real = connect.open_viewer

    def refuses(path: Path, *, immutable: bool = False) -> connect.Connection:
        if not immutable:
            with closing(sqlite3.connect(f"{path.as_uri()}/no?mode=ro", uri=True)) as none:
                none.execute("PRAGMA schema_version")
        return real(path, immutable=immutable)

    monkeypatch.setattr(connect, "open_viewer", refuses)
    return path


def test_a_snapshot_says_so_and_follows_the_file(snapshot: Path) -> None:
    with StoreReader(snapshot) as reader:
        assert reader.state() == SourceState(Standing.IN_PLACE, COUNT, SNAPSHOT_NOTICE)
        before = reader._connection
        assert reader.state().newest_seq == COUNT
        assert reader._connection is before
        with StoreWriter(snapshot) as writer:
            writer.append(events(1))
        assert reader.state() == SourceState(Standing.IN_PLACE, COUNT + 1, SNAPSHOT_NOTICE)
        assert len(reader.page(ALL, AtRow(0), COUNT * 2).rows) == COUNT + 1


def test_a_snapshot_that_is_replaced_stays_until_it_is_opened_anew(snapshot: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other.db", 5)
    with StoreReader(snapshot) as reader:
        other.replace(snapshot)
        assert reader.state().standing is Standing.REPLACED
        assert len(reader.page(ALL, AtRow(0), COUNT).rows) == COUNT


def test_a_snapshot_stays_readable_while_its_new_events_cannot_be(snapshot: Path) -> None:
    with StoreReader(snapshot) as reader:
        with StoreWriter(snapshot) as writer:
            writer.append(events(1))
            with pytest.raises(StoreError, match="-wal"):
                reader.newest_seq()
            assert reader.info is not None
        assert reader.newest_seq() == COUNT + 1


# -- another store's log


def copied_with_a_log(tmp_path: Path, store: Path, logged: Path) -> Path:
    """``store`` copied to a place where the log of ``logged`` lies."""
    place = tmp_path / "place.db"
    shutil.copyfile(store, place)
    shutil.copyfile(f"{logged}-wal", f"{place}-wal")
    return place


def with_a_log(path: Path, count: int) -> Path:
    """A store that a killed program left with everything in its log."""
    script = (
        "import os, sys\n"
        "from audit_tui.core.event import AuditEvent\n"
        "from audit_tui.store.write.writer import StoreWriter\n"
        "writer = StoreWriter(sys.argv[1], durable=False)\n"
        "writer.append([AuditEvent(f'w{n}', n) for n in range(int(sys.argv[2]))])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path), str(count)], check=False)
    assert foreign_log.log_bytes(path)
    return path


def test_the_log_of_another_store_is_refused_and_harms_nothing(path: Path, tmp_path: Path) -> None:
    place = copied_with_a_log(tmp_path, path, with_a_log(tmp_path / "other.db", 20))
    before, open_before = place.read_bytes(), connect._open_files.copy()
    with pytest.raises(StoreDamaged, match="belongs to another store") as caught:
        StoreReader(place)
    assert "place.db-wal" in caught.value.hint
    with pytest.raises(StoreDamaged, match="belongs to another store"):
        StoreWriter(place)
    assert place.read_bytes() == before
    assert connect._open_files == open_before
    place.with_name("place.db-wal").unlink()
    place.with_name("place.db-shm").unlink(missing_ok=True)
    with StoreReader(place) as reader:
        assert reader.newest_seq() == COUNT


def test_an_older_log_of_the_same_store_is_refused(tmp_path: Path) -> None:
    old = with_a_log(tmp_path / "old.db", 20)
    with StoreWriter(shutil.copyfile(old, tmp_path / "new.db")) as writer:
        writer.append(events(COUNT))
    # The copy lacks the log, so it has a beginning of its own; give it the same name.
    store_id = "UPDATE store_info SET value = 'the same' WHERE name = 'store_id'"
    for path in (old, tmp_path / "new.db"):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(store_id)
            connection.commit()
            if path == old:
                shutil.copyfile(f"{old}-wal", tmp_path / "old-wal")
    shutil.copyfile(tmp_path / "old-wal", tmp_path / "new.db-wal")
    with pytest.raises(StoreDamaged, match="leads back from event 300"):
        StoreReader(tmp_path / "new.db")


def test_the_own_log_of_a_killed_program_is_taken(path: Path) -> None:
    with_a_log(path, 20)
    with StoreReader(path) as reader:
        assert reader.newest_seq() == COUNT + 20


# -- taking too long


def test_a_question_ends_when_its_time_is_up_and_the_next_is_answered(path: Path) -> None:
    endless = "SELECT count(*) FROM events AS a, events AS b, events AS c, events AS d"
    with StoreReader(path, deadline_s=0.05) as reader:
        with pytest.raises(QueryTooLong) as caught, reader._asking(None) as session:
            session._connection.execute(endless).fetchone()
        assert "0.05 s" in caught.value.message
        assert "deadline" in caught.value.hint
        assert reader.newest_seq() == COUNT
        token = CancelToken()
        # A count is in nobody's way.
        assert reader.count(ALL, token) == COUNT


def test_a_watch_without_a_limit_waits_for_ever_and_one_that_expired_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch = Watch()
    with watch.over(None, None):
        now[0] = 1e9
        assert not watch.should_stop()
    with watch.over(None, 10):
        assert not watch.should_stop()
        now[0] += 10.1
        assert watch.should_stop()
    with watch.over(None, 10):
        assert not watch.should_stop()


def test_the_deadline_is_each_readers(path: Path) -> None:
    opener = open_store(path, 7.5)
    with closing(opener()) as first, closing(opener()) as second:
        assert isinstance(first, StoreReader)
        assert isinstance(second, StoreReader)
        assert first._deadline_s == second._deadline_s == 7.5


# -- busy


def test_a_program_that_is_not_ours_is_named_when_it_keeps_the_store_busy(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not holders.LOCKS.exists():
        pytest.skip("this system does not list its locks")
    monkeypatch.setattr(connect, "WRITER_WAIT_S", 0.01)
    script = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read(1)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child, child.stdin, child.stdout:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(StoreBusy) as caught, StoreWriter(path):
            pass
        assert f"process {child.pid} (" in caught.value.message
        child.kill()


LOCKS = """\
1: POSIX  ADVISORY  READ 11 fe:01:77 128 128
2: FLOCK  ADVISORY  WRITE 12 fe:01:78 0 EOF
3: POSIX  ADVISORY  WRITE 0 fe:01:77 120 120
3: -> POSIX  ADVISORY  WRITE 13 fe:01:77 120 120
garbage
4: POSIX  ADVISORY  WRITE 14 zz 0 EOF
"""


def test_locks_of_others_are_nobodys(tmp_path: Path) -> None:
    listed = tmp_path / "locks"
    listed.write_text(LOCKS)
    assert holders.writer_of(tmp_path / "audit.db", listed) == "another program"
    assert holders.writer_of(tmp_path / "audit.db", tmp_path / "none") == "another program"
    assert holders.process_words(os.getpid()).startswith(f"process {os.getpid()} (")
    assert holders.process_words(2**31 - 1) == f"process {2**31 - 1}"


# -- the file system

MOUNTS = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:40 / /srv/with\\040space rw - nfs4 host:/x rw
23 21 0:41 / /media/cd ro,nosuid - iso9660 /dev/sr0 ro
24 21 0:42 / /home/u/remote rw - fuse.sshfs u@h: rw
25 21 0:43 / /home/u/remote rw - tmpfs tmpfs rw
26 bad line
"""


@pytest.mark.parametrize(
    ("place", "mount"),
    [
        ("/var/audit.db", Mount("ext4", is_read_only=False)),
        ("/srv/with space/a/audit.db", Mount("nfs4", is_read_only=False)),
        ("/srv/with spaces/audit.db", Mount("ext4", is_read_only=False)),
        ("/media/cd/audit.db", Mount("iso9660", is_read_only=True)),
        ("/home/u/remote/audit.db", Mount("tmpfs", is_read_only=False)),
    ],
)
def test_the_file_system_of_a_path(tmp_path: Path, place: str, mount: Mount) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    mounted = mount_of(type(tmp_path)(place), mounts)
    assert mounted is not None
    assert mounted._replace(point="/") == mount


@pytest.mark.parametrize(
    ("kind", "is_network"),
    [("nfs", True), ("cifs", True), ("9p", True), ("fuse.sshfs", True), ("ext4", False), ("fuseblk", False)],
)
def test_which_file_systems_are_other_machines(kind: str, is_network: bool) -> None:
    assert Mount(kind, is_read_only=False).is_network is is_network


def test_a_store_on_another_machine_is_said(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("21 1 8:1 / / rw,relatime shared:1 - nfs4 host:/ rw\n")
    real = file_system.mount_of
    monkeypatch.setattr(file_system, "mount_of", lambda path, _=None: real(path, mounts))
    with StoreReader(path) as reader:
        assert "nfs4" in reader.info().notice
    assert mount_of(path, tmp_path / "none") is None


# -- private


def test_everything_beside_a_store_is_the_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with StoreWriter(tmp_path / "audit.db") as writer, StoreReader(writer.path):
            writer.append(events(3))
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    names = ("audit.db", "audit.db-wal", "audit.db-shm", "audit.db.lock")
    assert {name: modes.get(name) for name in names} == dict.fromkeys(names, 0o600)
