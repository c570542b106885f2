"""Sharing the check of the events with a second process, so that both cores have work.

The process is a new one, never a fork: a fork would inherit the store's connection and locks. It is told
its units through its standard input, a line each, and answers on its standard output.
"""

from __future__ import annotations

import gc
import json
import marshal
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from audit_tui.core.evidence.merkle import BLOCK_LEAVES
from audit_tui.store.evidence.stretch_check import PAGES, StretchCheck, UnitResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from audit_tui.store.evidence.stretch_check import Unit

_STEP_BYTES = 2 * 1024 * 1024
LEAST_EVENTS = 300_000
"""With fewer events a second process, which takes 0.3 s to start, gains nothing."""
_RUN = (
    "import marshal, sys\n"
    "sys.path[:] = marshal.load(sys.stdin.buffer)\n"
    "from audit_tui.store.evidence.verify_work import main\n"
    "main()\n"
)


class SharedCheck:
    """The units of a store, checked by this process and a second one; both end with the block.

    The second one begins at once, while this one reads seals.

    Args:
        path: The store.
        units: The units to check, as ``stretch_check.units`` gives them.
        size: How many events are sealed.
        is_all: The units are all of the store.
        with_indexes: Check what is made of the events as well.
    """

    def __init__(
        self, path: Path, units: Sequence[Unit], size: int, *, is_all: bool, with_indexes: bool
    ) -> None:
        self._task = (path, size, with_indexes)
        self._is_all = is_all
        self._waiting = deque([PAGES, *units])
        self._events = BLOCK_LEAVES * sum(end - first for first, end in units)
        self._results: list[UnitResult] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._drive, name="verify", daemon=True)

    def __enter__(self) -> Self:
        if self._events >= LEAST_EVENTS and _cores() > 1:
            # -I: nothing of the environment and nothing of the working directory is imported.
            with suppress(OSError):  # then this one does it all
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
                    [sys.executable, "-I", "-c", _RUN],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._thread.join()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()

    def finish(self, progress: Callable[[int], None] | None = None) -> tuple[list[UnitResult], list[str]]:
        """Do what is left, and wait for the other process.

        Args:
            progress: Is told, after each unit, how many events are done.

        Returns:
            What the units gave, in no order, and what is wrong with the whole.

        Raises:
            StoreError: One of its kinds, if the store cannot be read.
        """
        path, size, with_indexes = self._task
        with without_cycles(), closing(StretchCheck(path, size, with_indexes=with_indexes)) as check:
            # In this order: it may put a unit back and end.
            while self._thread.is_alive() or self._waiting:
                for unit in self._take():
                    self._results.append(check.check(unit))
                    if progress is not None:
                        done = sum(result.checked_events for result in self._results)
                        progress(size * min(done, self._events) // max(1, self._events))
                # What it could not do is waiting again then.
                self._thread.join(0.1)
            rows = sum(result.rows for result in self._results)
            return self._results, check.finish(rows if self._is_all else None) if with_indexes else []

    def _take(self) -> Iterator[Unit]:
        while self._waiting:
            try:
                yield self._waiting.popleft()
            except IndexError:  # the other thread was faster
                return

    def _drive(self) -> None:
        """Give the process a unit, take its answer, and so on."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            return
        stdin, stdout = self._process.stdin, self._process.stdout
        path, *more = self._task
        unit: Unit | None = None
        try:
            marshal.dump(sys.path, stdin)
            stdin.write(json.dumps([str(path), *more]).encode() + b"\n")
            for unit in self._take():
                stdin.write(b"%d %d\n" % unit)
                stdin.flush()
                answer = stdout.readline()
                if not answer.endswith(b"\n"):
                    break
                self._results.append(UnitResult(*json.loads(answer)))
            else:
                unit = None
        except (BrokenPipeError, ValueError, TypeError):
            pass  # it ended, or this block did
        if unit is not None:
            self._waiting.append(unit)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read_ahead(path: str) -> None:
    """Have the system read a store from beginning to end, if it fits into half of the memory.

    SQLite asks for a page at a time, in the order of its tables: from a disk that takes ten times as long.
    """
    if hasattr(os, "posix_fadvise"):
        # Never closed: with any descriptor of the file, the locks of SQLite would go.
        file = os.open(path, os.O_RDONLY)
        size = os.fstat(file).st_size
        if size <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2:
            for begin in range(0, size, _STEP_BYTES):
                os.posix_fadvise(file, begin, _STEP_BYTES, os.POSIX_FADV_WILLNEED)


@contextmanager
def without_cycles() -> Iterator[None]:
    """Look for no cycles of objects in the block: rows make none, and looking costs a tenth."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def main() -> None:
    """Check units until there are no more: the whole of the second process."""
    # ^C goes to both processes; the first one ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    path, size, with_indexes = json.loads(stdin.readline())
    threading.Thread(target=_read_ahead, args=(path,), name="read ahead", daemon=True).start()
    with without_cycles(), closing(StretchCheck(Path(path), size, with_indexes=with_indexes)) as check:
        for line in stdin:
            first, end = map(int, line.split())
            stdout.write(json.dumps(check.check((first, end))).encode() + b"\n")
            stdout.flush()
