"""Logs that are read into a store by a process of its own, while the store is looked at.

The process tells a few times a second how far it is. Asked to end, it stores what it has read; killed, it
leaves a store that holds what it told of.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Self

from audit_tui.core.arriving import Arrival
from audit_tui.errors import AuditTuiError, FileError
from audit_tui.ingest.events import Reading
from audit_tui.ingest.find import STDIN
from audit_tui.ingest.pipeline import Importer, InStore, Progress, Tally, import_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType, TracebackType

    from audit_tui.ingest.batches import Batch
    from audit_tui.ingest.find import LogFile

TELL_S = 0.25
"""The time between words of the process about how far it is."""
FIRST_EVENTS = 200
"""This many events are stored as soon as they are read: a screen of them is wanted at once."""
_RUN = (
    "import marshal, os, sys\n"
    "job = os.fdopen(int(sys.argv[1]), 'rb')\n"
    "sys.path[:] = marshal.load(job)\n"
    "from audit_tui.ingest.background import main\n"
    "main(job)\n"
)


class Told(NamedTuple):
    """The progress of the process."""

    tally: Tally
    arrival: Arrival
    error: AuditTuiError | None = None
    """Why it could not go on; None when nothing is wrong."""


class BackgroundImport:
    """Reads logs into a store in a process of its own; killed when the block ends before it does.

    Args:
        names: Files, folders, ``-`` for the standard input of this process, which is then the other one's.
        store: Where; nothing lies there yet.
    """

    def __init__(self, names: Sequence[str], store: Path) -> None:
        self._job = (list(names), str(store))
        self._told = Told(Tally(), Arrival())
        self._has_news = threading.Condition()
        self._is_stopping = False

    def __enter__(self) -> Self:
        import marshal

        job, self._lifeline = os.pipe()
        # -I: nothing of the environment and nothing of the working directory is imported.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
            [sys.executable, "-I", "-c", _RUN, str(job)],
            stdin=None if STDIN in self._job[0] else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(job,),
        )
        os.close(job)
        # It stays open: when this process is killed, the other one sees its end.
        with contextlib.suppress(BrokenPipeError):
            os.write(self._lifeline, marshal.dumps(sys.path) + pickle.dumps(self._job))
        self._thread = threading.Thread(target=self._listen, name="arrivals", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        os.close(self._lifeline)
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def told(self) -> Told:
        """The last that the process told."""
        return self._told

    def look(self) -> Arrival:
        """Return how far it is."""
        return self._told.arrival

    def stop(self) -> None:
        """Let the process store what it has read, and end."""
        if not self._is_stopping:
            self._is_stopping = True
            self._process.terminate()

    def wait(self, is_enough: Callable[[Told], bool], wait_s: float | None = None) -> bool:
        """Wait until the process is done, or has told what is enough; False after so long."""
        with self._has_news:
            return self._has_news.wait_for(
                lambda: self._told.arrival.is_done or is_enough(self._told), timeout=wait_s
            )

    def _listen(self) -> None:
        stream: IO[bytes] | None = self._process.stdout
        try:
            while stream is not None:
                self._take(pickle.load(stream))  # noqa: S301 - from our own process
        except (EOFError, pickle.UnpicklingError, OSError):
            pass  # it has ended
        if not self._told.arrival.is_done:
            tally, arrival, _ = self._told
            problem = f"Reading ended before its end, after {arrival.events:,} events."
            error = FileError(problem, "Open it again.")
            self._take(Told(tally, Arrival(arrival.events, None, is_done=True, problem=problem), error))

    def _take(self, told: Told) -> None:
        with self._has_news:
            self._told = told
            self._has_news.notify_all()


class _Stopped(BaseException):
    """The other process asks to end; no handler of errors may hold that up."""


class _Teller(Progress):
    """In the process: tells how far it is.

    Args:
        stream: Where.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(())
        self._stream = stream
        self._next_s = 0.0
        self.tally = Tally()

    def __call__(self, logs: Sequence[LogFile]) -> Self:
        super().__init__(logs)
        return self

    def tell(self, *, is_due: bool = False) -> None:
        """Tell of what is stored; not more often than it is read."""
        if is_due or time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + TELL_S
            self.send(Arrival(self.tally.stored, self._about()))

    def _about(self) -> int | None:
        if not self.total_bytes or not self.done_bytes:
            return None
        return self.tally.read * self.total_bytes // self.done_bytes

    def send(self, arrival: Arrival, error: AuditTuiError | None = None) -> None:
        """Tell this."""
        pickle.dump(Told(self.tally, arrival, error), self._stream)
        self._stream.flush()


class _TellingImporter(Importer):
    """Tells of what it has stored, and ends between two batches when that is wished."""

    def __init__(self, sink: InStore, teller: _Teller) -> None:
        super().__init__(sink, Reading(), lambda _: None)
        self._teller = teller
        teller.tally = self.tally
        self.is_stopped = False

    def add(self, batch: Batch) -> None:
        super().add(batch)
        if self.tally.stored < FIRST_EVENTS:
            self.flush()
        self._look_up()

    def flush(self) -> None:
        before = self.tally.stored
        super().flush()
        self._teller.tell(is_due=not before and self.tally.stored > 0)
        self._look_up()

    def _look_up(self) -> None:
        if self.is_stopped:
            raise _Stopped


def main(job: IO[bytes]) -> None:
    """Read the logs of a job into its store: the whole of the other process."""
    names, store = pickle.load(job)  # noqa: S301 - from the process that started this one
    # ^C goes to both processes; the one with the screen decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(job,), daemon=True).start()
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as stream:
        # What foreign code prints must not come between what is told.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        teller = _Teller(stream)
        try:
            _import(teller, names, Path(store))
        except BrokenPipeError:
            os._exit(0)  # nobody is there any more
        except AuditTuiError as error:
            teller.send(Arrival(teller.tally.stored, is_done=True, problem=error.message), error)


def _end_with(job: IO[bytes]) -> None:
    """End this process when the one that started it is gone."""
    job.read()
    os._exit(0)


def _import(teller: _Teller, names: Sequence[str], store: Path) -> None:
    with ExitStack() as stack:
        importer = _TellingImporter(InStore(store, stack), teller)

        def stop(_number: int, _frame: FrameType | None) -> None:
            importer.is_stopped = True

        signal.signal(signal.SIGTERM, stop)
        try:
            import_all(importer, names, (), teller)
        except _Stopped:
            Importer.flush(importer)
        stored = importer.tally.stored
        teller.send(Arrival(stored, work="making the indexes"))
    teller.send(Arrival(stored, is_done=True, is_stopped=importer.is_stopped))
