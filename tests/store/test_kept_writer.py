"""A writer that stays open: threads that share commits, forks, signals, and what is kept for the next."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.core.query import EventQuery
from audit_tui.errors import StoreBusy, StoreFull
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write import kept_writer
from audit_tui.store.write.kept_writer import MAX_IDLE, KeptWriter, Recorded
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.store.write.companion import AppendResult

needs_proc = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="Linux tells who holds a lock")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


def stored(path: Path) -> list[AuditEvent]:
    with StoreReader(path) as reader:
        return sorted(reader.events(EventQuery()), key=lambda event: event.seq or 0)


def event(key: str, name: str = "Heartbeat") -> AuditEvent:
    return AuditEvent(name, 0, key=key)


class Slow:
    """Stands in for ``StoreWriter.append``: the first call waits, and all tell what they were given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kept: KeptWriter) -> None:
        self.batches: list[list[str | None]] = []
        self.is_inside = threading.Event()
        self.may_go = threading.Event()
        self.instead: Callable[[], None] = lambda: None
        append, own = StoreWriter.append, self

        def slow(writer: StoreWriter, events: Sequence[AuditEvent]) -> AppendResult:
            own.batches.append([one.key for one in events])
            if len(own.batches) == 1:
                own.is_inside.set()
                assert own.may_go.wait(60)
                own.instead()
            return append(writer, events)

        monkeypatch.setattr(StoreWriter, "append", slow)
        self._kept = kept

    def go_when_waiting(self, threads: int) -> None:
        """Let the first call go on once so many others have queued up behind it."""
        while len(self._kept._waiting) < threads:
            threading.Event().wait(0.001)
        self.may_go.set()


def test_threads_that_append_at_once_share_a_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptWriter(path)
    slow = Slow(monkeypatch, kept)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(kept.append, event("first"))
        assert slow.is_inside.wait(60)
        others = [pool.submit(kept.append, event(f"k{number}")) for number in range(8)]
        slow.go_when_waiting(8)
        recorded = [first.result(), *(other.result() for other in others)]
    kept.close()
    assert slow.batches[0] == ["first"]
    assert sorted(map(str, slow.batches[1])) == [f"k{number}" for number in range(8)]
    assert all(one.is_new for one in recorded)
    assert sorted((one.event for one in recorded), key=lambda one: one.seq or 0) == stored(path)


def test_of_those_with_one_key_in_a_commit_one_is_new(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptWriter(path)
    kept.append(event("old"))
    slow = Slow(monkeypatch, kept)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(kept.append, event("first"))
        assert slow.is_inside.wait(60)
        keys = ["old", "twice", "twice", "once", "first"]
        others = [pool.submit(kept.append, event(key)) for key in keys]
        slow.go_when_waiting(5)
        recorded = [other.result() for other in others]
        assert first.result().is_new
    kept.close()
    assert sorted((one.event.key, one.is_new) for one in recorded) == [
        ("first", False),
        ("old", False),
        ("once", True),
        ("twice", False),
        ("twice", True),
    ]
    assert [one.key for one in stored(path)][:2] == ["old", "first"]
    assert len(stored(path)) == 4


def test_what_fails_fails_for_each_with_an_error_of_its_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StoreFull("full", "make room")

    kept = KeptWriter(path)
    slow = Slow(monkeypatch, kept)
    slow.instead = full
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(kept.append, event("first"))
        assert slow.is_inside.wait(60)
        others = [pool.submit(kept.append, event(f"k{number}")) for number in range(2)]
        slow.go_when_waiting(2)
        error = first.exception()
        assert isinstance(error, StoreFull)
        assert (error.message, error.hint) == ("full", "make room")
        assert [other.result().is_new for other in others] == [True, True]
    kept.close()


def test_who_is_interrupted_takes_nobody_along(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The second transaction holds three threads' events; its own thread is interrupted after the first.
    def interrupt() -> None:
        raise KeyboardInterrupt

    kept = KeptWriter(path)
    kept._waiting.extend([kept_writer._Ticket(event("waits")), kept_writer._Ticket(event("waits too"))])
    waiting = list(kept._waiting)
    slow = Slow(monkeypatch, kept)
    slow.instead = interrupt
    slow.may_go.set()
    with pytest.raises(KeyboardInterrupt):
        kept.append(event("interrupted"))
    assert slow.batches == [["waits", "waits too", "interrupted"]]
    kept.append(event("next"))
    kept.close()
    assert [one.recorded is not None and one.recorded.event.seq for one in waiting] == [1, 2]
    assert [one.key for one in stored(path)] == ["waits", "waits too", "next"]


def test_a_signal_that_comes_while_recording_is_told_to_wait(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptWriter(path)
    told: list[BaseException] = []

    def handler() -> None:
        # What a signal's handler does runs in the middle of this thread's append.
        kept.close()
        kept.open()
        with pytest.raises(StoreBusy) as busy:
            kept.append(event("inner"))
        told.append(busy.value)

    slow = Slow(monkeypatch, kept)
    slow.instead = handler
    slow.may_go.set()
    assert kept.append(event("outer")).event.seq == 1
    kept.close()
    assert len(told) == 1
    assert [one.key for one in stored(path)] == ["outer"]


def test_a_store_has_one_writer_and_a_few_stay_open(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.db" for number in range(MAX_IDLE + 2)]
    for path in paths:
        kept = kept_writer.take(path)
        assert kept_writer.take(path) is kept
        kept.append(event("k"))
        kept_writer.let_go(kept)
        kept_writer.let_go(kept)
    last = kept_writer.take(paths[-1])
    assert last is kept
    open_ones = [path for path in paths if path.with_name(f"{path.name}-wal").exists()]
    assert open_ones == paths[1:]
    for path in paths:
        kept_writer.take(path).close()
    assert sorted(tmp_path.glob("*.db*")) == paths


def run_python(code: str, *arguments: object) -> list[Any]:
    """Run a program; what it prints is JSON, a line each."""
    ended = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return [json.loads(line) for line in ended.stdout.splitlines()]


HOLDS = """
import ctypes, json, os, sys, threading
from audit_tui import AuditLog

def holds_lock(path):
    inode = os.stat(path).st_ino
    locks = [line.split() for line in open("/proc/locks")]
    return any(line[1] == "POSIX" and int(line[4]) == os.getpid() and line[5].endswith(f":{inode}")
               for line in locks)

def wait(pid):
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

path, log = sys.argv[1], AuditLog(sys.argv[1])
"""
FORK = """
log.record("parent")
fork = os.fork if sys.argv[2] == "hooks" else ctypes.CDLL(None).fork
pid = fork()
if pid == 0:
    seqs = [log.record("child").seq for _ in range(3)]
    print(json.dumps(["child", seqs[0] > 1, holds_lock(path)]), flush=True)
    os._exit(0)
wait(pid)
seq = log.record("parent").seq
print(json.dumps(["parent", seq, holds_lock(path)]))
"""


@needs_proc
@pytest.mark.parametrize("how", ["hooks", "no hooks"])
def test_both_sides_of_a_fork_hold_locks_of_their_own(path: Path, how: str) -> None:
    # Without a lock of the system's, the next process that closes the store removes the log under it.
    assert run_python(HOLDS + FORK, path, how) == [["child", True, True], ["parent", 5, True]]
    assert [one.event for one in stored(path)] == ["parent", "child", "child", "child", "parent"]


FORK_AMONG_THREADS = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forking at all beside threads
is_over = threading.Event()

def work():
    while not is_over.is_set():
        log.record("thread")

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for number in range(8):
    pid = os.fork()
    if pid == 0:
        log.record("child", key=f"child {number}")
        log.close()
        os._exit(0)
    wait(pid)
is_over.set()
for thread in threads:
    thread.join()
print(json.dumps(log.record("last").seq))
"""


def test_a_fork_among_threads_neither_hangs_nor_stores_twice(path: Path) -> None:
    (last,) = run_python(HOLDS + FORK_AMONG_THREADS, path)
    events = stored(path)
    assert [one.seq for one in events] == list(range(1, last + 1))
    assert [one.key for one in events if one.event == "child"] == [f"child {number}" for number in range(8)]


POOL = """
import multiprocessing

def work(number):
    return log.record("child", user=str(number)).seq

if __name__ == "__main__":
    log.record("parent")
    with multiprocessing.get_context("fork").Pool(3) as pool:
        seqs = pool.map(work, range(30))
    print(json.dumps(sorted(seqs)))
"""


def test_a_pool_of_processes_may_use_its_parents_log(path: Path) -> None:
    assert run_python(HOLDS + POOL, path) == [list(range(2, 32))]
    assert len(stored(path)) == 31


def test_what_is_recorded_is_a_tuple_of_event_and_news(path: Path) -> None:
    kept = KeptWriter(path)
    recorded = kept.append(event("k"))
    assert recorded == Recorded(AuditEvent("Heartbeat", 0, key="k", seq=1), is_new=True)
    assert kept.append(event("k")) == (recorded.event, False)
    kept.close()
