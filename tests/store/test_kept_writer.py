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

    def __init__(self, monkeypatch: pytest.MonkeyPatch, writer: KeptWriter) -> None:
        self.batches: list[list[str | None]] = []
        self.is_inside = threading.Event()
        self.may_go = threading.Event()
        self.instead: Callable[[], None] = lambda: None
        append, stand_in = StoreWriter.append, self

        def slow(writer: StoreWriter, events: Sequence[AuditEvent]) -> AppendResult:
            stand_in.batches.append([event.key for event in events])
            if len(stand_in.batches) == 1:
                stand_in.is_inside.set()
                assert stand_in.may_go.wait(60)
                stand_in.instead()
            return append(writer, events)

        monkeypatch.setattr(StoreWriter, "append", slow)
        self._writer = writer

    def go_when_waiting(self, threads: int) -> None:
        """Let the first call go on once that many others have queued up behind it."""
        while len(self._writer._waiting) < threads:
            threading.Event().wait(0.001)
        self.may_go.set()


def test_threads_that_append_at_once_share_a_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = KeptWriter(path)
    slow = Slow(monkeypatch, writer)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(writer.append, event("first"))
        assert slow.is_inside.wait(60)
        others = [pool.submit(writer.append, event(f"k{number}")) for number in range(8)]
        slow.go_when_waiting(8)
        recorded = [first.result(), *(other.result() for other in others)]
    writer.close()
    assert slow.batches[0] == ["first"]
    assert sorted(map(str, slow.batches[1])) == [f"k{number}" for number in range(8)]
    assert all(result.is_new for result in recorded)
    assert sorted((result.event for result in recorded), key=lambda event: event.seq or 0) == stored(path)


def test_of_those_with_one_key_in_a_commit_one_is_new(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = KeptWriter(path)
    writer.append(event("old"))
    slow = Slow(monkeypatch, writer)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(writer.append, event("first"))
        assert slow.is_inside.wait(60)
        keys = ["old", "twice", "twice", "once", "first"]
        others = [pool.submit(writer.append, event(key)) for key in keys]
        slow.go_when_waiting(5)
        recorded = [other.result() for other in others]
        assert first.result().is_new
    writer.close()
    assert sorted((result.event.key, result.is_new) for result in recorded) == [
        ("first", False),
        ("old", False),
        ("once", True),
        ("twice", False),
        ("twice", True),
    ]
    assert [event.key for event in stored(path)][:2] == ["old", "first"]
    assert len(stored(path)) == 4


def test_what_fails_fails_for_each_with_an_error_of_its_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StoreFull("full", "make room")

    writer = KeptWriter(path)
    slow = Slow(monkeypatch, writer)
    slow.instead = full
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(writer.append, event("first"))
        assert slow.is_inside.wait(60)
        others = [pool.submit(writer.append, event(f"k{number}")) for number in range(2)]
        slow.go_when_waiting(2)
        error = first.exception()
        assert isinstance(error, StoreFull)
        assert (error.message, error.hint) == ("full", "make room")
        assert [other.result().is_new for other in others] == [True, True]
    writer.close()


def test_who_is_interrupted_takes_nobody_along(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The second transaction holds three threads' events; its own thread is interrupted after the first.
    def interrupt() -> None:
        raise KeyboardInterrupt

    writer = KeptWriter(path)
    writer._waiting.extend([kept_writer._Ticket(event("waits")), kept_writer._Ticket(event("waits too"))])
    waiting = list(writer._waiting)
    slow = Slow(monkeypatch, writer)
    slow.instead = interrupt
    slow.may_go.set()
    with pytest.raises(KeyboardInterrupt):
        writer.append(event("interrupted"))
    assert slow.batches == [["waits", "waits too", "interrupted"]]
    writer.append(event("next"))
    writer.close()
    assert [ticket.recorded is not None and ticket.recorded.event.seq for ticket in waiting] == [1, 2]
    assert [event.key for event in stored(path)] == ["waits", "waits too", "next"]


def test_a_signal_that_comes_while_recording_is_told_to_wait(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = KeptWriter(path)
    told: list[BaseException] = []

    def handler() -> None:
        # What a signal's handler does runs in the middle of this thread's append.
        writer.close()
        writer.open()
        with pytest.raises(StoreBusy) as busy:
            writer.append(event("inner"))
        told.append(busy.value)

    slow = Slow(monkeypatch, writer)
    slow.instead = handler
    slow.may_go.set()
    assert writer.append(event("outer")).event.seq == 1
    writer.close()
    assert len(told) == 1
    assert [event.key for event in stored(path)] == ["outer"]


def test_a_store_has_one_writer_and_a_few_stay_open(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.db" for number in range(MAX_IDLE + 2)]
    for path in paths:
        writer = kept_writer.take(path)
        assert kept_writer.take(path) is writer
        writer.append(event("k"))
        kept_writer.let_go(writer)
        kept_writer.let_go(writer)
    last = kept_writer.take(paths[-1])
    assert last is writer
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
    assert [event.event for event in stored(path)] == ["parent", "child", "child", "child", "parent"]


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
    assert [event.seq for event in events] == list(range(1, last + 1))
    assert [event.key for event in events if event.event == "child"] == [
        f"child {number}" for number in range(8)
    ]


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
    writer = KeptWriter(path)
    recorded = writer.append(event("k"))
    assert recorded == Recorded(AuditEvent("Heartbeat", 0, key="k", seq=1), is_new=True)
    assert writer.append(event("k")) == (recorded.event, False)
    writer.close()
