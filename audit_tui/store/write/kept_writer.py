"""A writer that stays open between appends: for any thread, and on one side of a fork only.

An SQLite connection must not be carried over a fork: the child would believe that it holds the parent's
locks, the system would not, and another process may then remove a write-ahead log that holds acknowledged
events. So a fork closes it first, and each side opens its own when it appends again.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.errors import AuditTuiError, StoreBusy, StoreDamaged, StoreFull
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.event import AuditEvent

MAX_TOGETHER = 1_000
"""At most this many waiting events go into one transaction, so that the lock is held for milliseconds."""
MAX_IDLE = 4
"""Stores that stay open though nobody has them: ``AuditLog(path).record(...)`` need not open each time."""


class Recorded(NamedTuple):
    """The fate of an event."""

    event: AuditEvent
    """As it is in the store, with its number and key."""
    is_new: bool
    """True when it was stored now; else an event with its key was there, and that is the one given back."""


class _Ticket:
    """An event that waits to be stored, and what became of it."""

    __slots__ = ("error", "event", "recorded")

    def __init__(self, event: AuditEvent) -> None:
        self.event = event
        self.recorded: Recorded | None = None
        self.error: AuditTuiError | OSError | None = None

    @property
    def is_waiting(self) -> bool:
        return self.recorded is None and self.error is None


class KeptWriter:
    """Appends single events, each acknowledged when it is on the disk.

    Threads that append at the same time share a transaction: each pays for one commit, not for all that
    came before it.

    Args:
        path: The store, absolute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.owners = 0
        """The number of those who took it and did not let go."""
        self._writer: StoreWriter | None = None
        self._opened_by_pid = 0
        self._start_anew()

    def open(self) -> None:
        """Open the store now, made if nothing is there; the first append would.

        Raises:
            StoreError: One of its kinds, when something else is there, or it cannot be written.
        """
        with self._guard:
            if not self._is_busy:
                self._open_writer()

    def append(self, event: AuditEvent) -> Recorded:
        """Store an event, unless one with its key is there, and return once it is committed.

        Args:
            event: One with a key.

        Raises:
            StoreError: One of its kinds; the event is not stored then.
        """
        ticket = _Ticket(event)
        self._waiting.append(ticket)
        with self._guard:
            if self._is_busy:
                # Only the thread that is busy comes through the guard: a signal interrupted it.
                self._waiting.remove(ticket)
                raise StoreBusy(
                    f"{self.path} is busy: a signal came while this thread was recording.",
                    "Record from the signal's handler in another thread, or after the handler.",
                )
            while ticket.is_waiting:
                self._commit(ticket)
        if isinstance(ticket.error, AuditTuiError):
            # Each thread raises an exception of its own: a traceback is written into it.
            raise type(ticket.error)(ticket.error.message, ticket.error.hint) from ticket.error
        if ticket.error is not None:
            raise ticket.error
        assert ticket.recorded is not None  # noqa: S101 - neither waiting nor failed
        return ticket.recorded

    def close(self) -> None:
        """Write everything into the one file and let it go; the next append opens it again.

        Never fails: what was acknowledged is safe already, and the next who opens the store tidies up.
        """
        with self._guard:
            if not self._is_busy:
                self._close_writer()

    def hold(self) -> None:
        """Before a fork: let no thread be inside, and no connection be open."""
        self._guard.acquire()
        if not self._is_busy:
            self._close_writer()

    def go_on(self) -> None:
        """After a fork, in the parent."""
        self._guard.release()

    def go_on_in_child(self) -> None:
        """After a fork, in the child: other threads, and what they wait for, are the parent's."""
        self._start_anew()

    def _start_anew(self) -> None:
        self._guard = threading.RLock()
        self._waiting: deque[_Ticket] = deque()
        self._is_busy = False

    def _commit(self, mine: _Ticket) -> None:
        """Store what waits in one transaction."""
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_TOGETHER))]
        self._is_busy = True
        try:
            self._store(batch)
        except (AuditTuiError, OSError) as error:
            for ticket in batch:
                if ticket.is_waiting:
                    ticket.error = error
            if not isinstance(error, StoreBusy | StoreFull):
                self._close_writer()
        except BaseException:
            # Ctrl+C ends this thread's append, not the others': they go again, with their keys.
            others = [ticket for ticket in batch if ticket.is_waiting and ticket is not mine]
            self._waiting.extendleft(reversed(others))
            raise
        finally:
            self._is_busy = False

    def _store(self, batch: list[_Ticket]) -> None:
        writer = self._open_writer()
        result = writer.append([ticket.event for ticket in batch])
        new = set(range(result.first_seq or 0, (result.last_seq or -1) + 1))
        if not result.duplicates:
            for seq, ticket in zip(sorted(new), batch, strict=True):
                ticket.recorded = Recorded(replace(ticket.event, seq=seq), is_new=True)
            return
        for ticket in batch:
            stored = writer.find(ticket.event.key or "")
            if stored is None or stored.seq is None:
                raise StoreDamaged(f"{self.path} has no event that it should have.", "Verify the store.")
            ticket.recorded = Recorded(stored, is_new=stored.seq in new)
            new.discard(stored.seq)

    def _open_writer(self) -> StoreWriter:
        writer = self._writer
        if writer is not None and self._opened_by_pid == os.getpid() and writer.is_in_place():
            return writer
        self._close_writer()
        self._writer = writer = StoreWriter(self.path)
        self._opened_by_pid = os.getpid()
        return writer

    def _close_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if self._opened_by_pid != os.getpid():
            # Forked without the hooks below, by a server written in C. Closing gives up no lock of the
            # parent's; not to close would leave the next connection of this process without any.
            writer.abandon()
            return
        with suppress(AuditTuiError, OSError):
            writer.close()


class _KeptWriters:
    """All kept writers of this process: one for each store, whoever asks for it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._by_path: dict[Path, KeptWriter] = {}
        self._let_go: deque[KeptWriter] = deque()
        self._stopped: list[KeptWriter] = []

    def take(self, path: Path) -> KeptWriter:
        with self._lock:
            while self._let_go:
                self._let_go.popleft().owners -= 1
            writer = self._by_path.pop(path, None) or KeptWriter(path)
            writer.owners += 1
            # The last taken stands last.
            self._by_path[path] = writer
            idle = [idle_writer for idle_writer in self._by_path.values() if idle_writer.owners == 0]
            too_many = idle[: max(0, len(idle) - MAX_IDLE)]
            for idle_writer in too_many:
                del self._by_path[idle_writer.path]
        for idle_writer in too_many:
            idle_writer.close()
        return writer

    def let_go(self, writer: KeptWriter) -> None:
        # Garbage collection calls this at any moment, so it must not wait for anything.
        self._let_go.append(writer)

    def close_all(self) -> None:
        with self._lock:
            writers = list(self._by_path.values())
        for writer in writers:
            writer.close()

    def before_fork(self) -> None:
        self._lock.acquire()
        for writer in self._by_path.values():
            writer.hold()
            self._stopped.append(writer)

    def after_fork_in_parent(self) -> None:
        while self._stopped:
            self._stopped.pop().go_on()
        self._lock.release()

    def after_fork_in_child(self) -> None:
        self._lock = threading.RLock()
        self._stopped.clear()
        for writer in self._by_path.values():
            writer.go_on_in_child()


_writers = _KeptWriters()
atexit.register(_writers.close_all)
os.register_at_fork(
    before=_writers.before_fork,
    after_in_parent=_writers.after_fork_in_parent,
    after_in_child=_writers.after_fork_in_child,
)


def take(path: Path) -> KeptWriter:
    """This process's writer for a store, made now or shared with whoever has it.

    Args:
        path: The store, absolute: it is opened again wherever the process is by then.
    """
    return _writers.take(path)


def let_go(writer: KeptWriter) -> None:
    """Say that one who took a writer is gone. A few stay open for the next, until the program ends."""
    _writers.let_go(writer)
