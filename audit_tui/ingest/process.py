"""Reading logs in a process of its own, so that reading and storing each have a core.

The process is a new one, never forked: a fork would inherit the store's connection and locks. It is told
what to read through its standard input, and gives batches through its standard output, in order. What is
waiting between the two is bounded, so memory does not grow when one is faster.
"""

from __future__ import annotations

import fcntl
import gc
import marshal
import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self

from audit_tui.errors import FileError, UsageError
from audit_tui.formats.record import Reject
from audit_tui.ingest.batches import Batch, LogReader
from audit_tui.ingest.open import IsDatabase, NotALog, NotInArchive
from audit_tui.store.tables.rows import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from audit_tui.ingest.batches import Receiver
    from audit_tui.ingest.events import Reading
    from audit_tui.ingest.find import LogFile

GC_THRESHOLDS = (500_000, 20, 100)
"""For both processes: records make no cycles, so that looking for them after every 700 objects finds none."""
WAITING_BATCHES = 4
"""Up to this many may be read ahead of what is stored."""
PIPE_BYTES = 1024 * 1024
_LENGTH = struct.Struct("=Q")
_RUN = (
    "import marshal, sys\n"
    "sys.path[:] = marshal.load(sys.stdin.buffer)\n"
    "from audit_tui.ingest.process import main\n"
    "main()\n"
)
_FILE, _OPENED, _BATCH, _FAILED, _NOTED, _RAISED, _END = range(7)
_ERRORS: dict[str, type[FileError | UsageError]] = {
    "IsDatabase": IsDatabase,
    "NotInArchive": NotInArchive,
    "NotALog": NotALog,
    "FileError": FileError,
    "UsageError": UsageError,
}


class Job(NamedTuple):
    """The work that the process is to do."""

    reading: Reading
    logs: Sequence[LogFile]
    is_unlimited: bool


class ReaderProcess:
    """A process that reads logs; it ends with the block, whether it is done or not.

    Args:
        job: What it reads.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> Self:
        # -I: nothing of the environment and nothing of the working directory is imported.
        command = [sys.executable, "-I", "-c", _RUN]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        _widen(self._process.stdout)
        self._thresholds = gc.get_threshold()
        gc.set_threshold(*GC_THRESHOLDS)
        self._waiting: queue.Queue[bytes | None] = queue.Queue(WAITING_BATCHES)
        self._thread = threading.Thread(target=self._carry, name="batches", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        gc.set_threshold(*self._thresholds)
        self._process.kill()
        while self._waiting.get() is not None:
            pass
        self._thread.join()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def read(self, receiver: Receiver, begin: Callable[[LogFile], None]) -> None:
        """Give everything that is read to the receiver.

        Args:
            receiver: Takes it.
            begin: Is told of each log before its events come.

        Raises:
            FileError: If the process ends before it is done: what it gave until then is not all.
        """
        self._tell_job()
        while True:
            data = self._waiting.get()
            if data is None:
                # Put back for __exit__, which waits for it too.
                self._waiting.put(None)
                raise FileError(self._how_it_ended(), "What was stored stays. Run the same command again.")
            kind, *values = marshal.loads(data)  # noqa: S302 - from our own process
            if kind == _END:
                return
            if kind == _FILE:
                begin(self._job.logs[values[0]])
            elif kind == _RAISED:
                raise RuntimeError(f"the process that reads logs failed\n{values[0]}")
            else:
                _give(receiver, kind, values)

    def _tell_job(self) -> None:
        stream = self._process.stdin
        if stream is None:
            raise FileError("The process that reads logs has no standard input.")
        try:
            marshal.dump(sys.path, stream)
            pickle.dump(self._job, stream)
            stream.close()
        except BrokenPipeError:
            pass  # it ended already, which is told by its batches ending

    def _carry(self) -> None:
        """Take batches out of the pipe, so that the process can go on while one is being stored."""
        stream: IO[bytes] | None = self._process.stdout
        try:
            while stream is not None and len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
                (size,) = _LENGTH.unpack(head)
                data = stream.read(size)
                if len(data) < size:
                    break
                self._waiting.put(data)
        finally:
            self._waiting.put(None)

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return f"The process that reads the logs ended {how} before it was done."


def _widen(pipe: IO[bytes] | None) -> None:
    """Let whole batches wait in a pipe, where the system can.

    This process takes a piece out of it only when it pauses, 5 ms later, and meanwhile the other would wait.
    """
    set_size = getattr(fcntl, "F_SETPIPE_SZ", None)
    if pipe is not None and set_size is not None:
        with suppress(OSError):  # more than this user may have
            fcntl.fcntl(pipe, set_size, PIPE_BYTES)


def _give(receiver: Receiver, kind: int, values: list[Any]) -> None:
    if kind == _BATCH:
        drafts, rejects, chars, position_bytes = values
        receiver.take(
            Batch(list(map(Draft._make, drafts)), [Reject(*each) for each in rejects], chars, position_bytes)
        )
    elif kind == _OPENED:
        receiver.opened()
    elif kind == _NOTED:
        receiver.noted(*values)
    elif kind == _FAILED:
        name, message, hint = values
        receiver.failed(_ERRORS[name](message, hint))


class _Sender:
    """The receiver in the process that reads: sends everything on."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def send(self, *message: Any) -> None:  # noqa: ANN401 - whatever marshal takes
        data = marshal.dumps(message)
        self._stream.write(_LENGTH.pack(len(data)))
        self._stream.write(data)
        self._stream.flush()

    def opened(self) -> None:
        self.send(_OPENED)

    def take(self, batch: Batch) -> None:
        # Plain tuples: marshal knows no others, and is twice as fast as pickle.
        drafts = [tuple(each) for each in batch.drafts]
        rejects = [tuple(each) for each in batch.rejects]
        self.send(_BATCH, drafts, rejects, batch.chars, batch.position_bytes)

    def hand_over(self) -> None:
        """Files that are there make no pauses."""

    def noted(self, notes: list[str], naive_times: int) -> None:
        self.send(_NOTED, notes, naive_times)

    def failed(self, error: FileError | UsageError) -> None:
        name = next(name for name, kind in _ERRORS.items() if isinstance(error, kind))
        self.send(_FAILED, name, error.message, error.hint)


def main() -> None:
    """Read the logs of a job: the whole of the other process."""
    # ^C goes to both processes; the one that stores tells what became of it, and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(*GC_THRESHOLDS)
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as stream:
        # What foreign code prints must not come between the batches.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        sender = _Sender(stream)
        try:
            reader = LogReader(job.reading, sender, is_unlimited=job.is_unlimited)
            for number, log in enumerate(job.logs):
                sender.send(_FILE, number)
                reader.read(log)
            reader.finish()
            sender.send(_END)
        except BrokenPipeError:
            os._exit(0)  # nobody is there any more
        except Exception:  # noqa: BLE001 - a fault of ours is told where it can be seen
            sender.send(_RAISED, traceback.format_exc())
