"""Sharing the check of what is derived with a second process, so that both cores have work.

The process is started anew, never forked: a fork would inherit the store's connection and locks. It is told
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
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from audit_tui.core.text import counted
from audit_tui.store.evidence.verify_derived import DerivedCheck, Found, units
from audit_tui.store.evidence.verify_indexes import MAX_PROBLEMS
from audit_tui.store.tables.text_layout import Stretch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

LEAST_EVENTS = 300_000
"""With fewer events a second process, which takes 0.3 s to start, is no gain."""
_RUN = (
    "import marshal, sys\n"
    "sys.path[:] = marshal.load(sys.stdin.buffer)\n"
    "from audit_tui.store.evidence.verify_work import main\n"
    "main()\n"
)


class DerivedWork:
    """The units of a store, done by this process and a second one; both end with the block.

    The second one begins at once, while this one reads events.

    Args:
        path: The store.
        size: How many events are sealed.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._waiting = deque(units(size))
        self._units = len(self._waiting)
        self._found: list[Found] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._drive, name="verify", daemon=True)

    def __enter__(self) -> Self:
        if self._size >= LEAST_EVENTS and _cores() > 1:
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

    def finish(self, progress: Callable[[int, int], None] | None = None) -> tuple[int, list[str]]:
        """Do what is left, and wait for the other process.

        Args:
            progress: Is told how many events are done, and of how many.

        Returns:
            How many indexes are complete, and what is wrong.

        Raises:
            StoreError: One of its kinds, if the store cannot be read.
        """
        with DerivedCheck(self._path, self._size) as check:
            # In this order: it may put a unit back and end.
            while self._thread.is_alive() or self._waiting:
                for unit in self._take():
                    self._found.append(check.check(unit))
                    if progress is not None:
                        progress(self._size * len(self._found) // self._units, self._size)
                # What it could not do is waiting again then.
                self._thread.join(0.1)
            problems = [problem for found in self._found for problem in found.problems]
            rows = [found.rows for found in self._found if found.rows is not None]
            problems += check.finish(sum(rows) if len(rows) == len(self._found) else None)
            names = [index.name for index in check.indexes]
            broken = sum(any(f"index {name} " in problem for problem in problems) for name in names)
            problems = [*check.index_problems, *problems]
            if len(problems) > MAX_PROBLEMS:
                problems[MAX_PROBLEMS:] = [f"and {counted(len(problems) - MAX_PROBLEMS, 'more problem')}"]
            return len(names) - broken, problems

    def _take(self) -> Iterator[Stretch]:
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
        unit: Stretch | None = None
        try:
            marshal.dump(sys.path, stdin)
            stdin.write(json.dumps([str(self._path), self._size]).encode() + b"\n")
            for unit in self._take():
                stdin.write(json.dumps(unit).encode() + b"\n")
                stdin.flush()
                answer = stdout.readline()
                if not answer.endswith(b"\n"):
                    break
                self._found.append(Found(*json.loads(answer)))
            else:
                unit = None
        except (BrokenPipeError, ValueError):
            pass  # it ended, or this block did
        if unit is not None:
            self._waiting.append(unit)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main() -> None:
    """Check units until there are no more: the whole of the second process."""
    # ^C goes to both processes; the first one ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Rows make no cycles: looking for them costs a tenth.
    gc.disable()
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    path, size = json.loads(stdin.readline())
    with DerivedCheck(Path(path), size) as check:
        for line in stdin:
            answer = check.check(Stretch(*json.loads(line)))
            stdout.write(json.dumps(answer).encode() + b"\n")
            stdout.flush()
