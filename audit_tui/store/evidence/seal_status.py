"""The check behind the seal in the status line: in short snapshots, going on where it was."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.evidence.checkpoint import SignedCheckpoint, read_checkpoint
from audit_tui.core.evidence.merkle import BLOCK_LEAVES
from audit_tui.core.evidence.sealed import MAX_WRONG_RUNS, SealState, SealStatus, Wrong, WrongEvents
from audit_tui.core.new_file import ANYTHING, new_file, private_folder
from audit_tui.core.text import counted
from audit_tui.errors import CheckpointError, FileError, StoreBusy, StoreError
from audit_tui.store.evidence.declared import PRUNE, REDACT, Declared, read_declared
from audit_tui.store.evidence.schema_check import definition_problems, name_problems
from audit_tui.store.evidence.seal_reading import ADDED, SealedStore, require_seals
from audit_tui.store.evidence.seal_walk import Mark, SealWalk
from audit_tui.store.tables import schema
from audit_tui.store.tables.rows import read_count

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.cancel import CancelToken
    from audit_tui.store.evidence.seal_reading import Head

MAX_ADDED = 100
MAX_NAMES = 100_000
"""With more names than this they are not compared here: that takes a second."""
SHARE = 10
"""While others write, everything is read again when this many times its duration have passed."""


class _FileState(NamedTuple):
    """Marks that change when somebody writes to a store."""

    file: tuple[int, ...]
    """Device, inode, size, time of content and time of status of the store; empty when it is gone."""
    log: tuple[int, ...]
    """The same of its log; empty when there is none, or nothing in it: a reader makes an empty one."""
    data_version: int = 0
    """SQLite's own, of one connection: it changes with what others commit, and when a log is emptied."""

    def follows(self, before: _FileState) -> bool:
        """Tell whether it may differ because a log was written into the file, which changes no event."""
        is_emptied = not self.log or self.data_version == before.data_version
        return self.file[:2] == before.file[:2] and bool(before.log) and is_emptied


class StoreSealChecker:
    """Checks the seals of a store; implements ``core.evidence.sealed.SealChecker``.

    What was appended is checked at once. Whatever else was written makes it begin again: at once where it was
    no append, else before long, since a change may hide behind an append.

    Args:
        path: The store.
        memory: A file that keeps the checkpoint up to which everything was verified, and how the store's file
            was then: the next session reads nothing again of a file that nobody wrote to since. None keeps
            nothing. It also finds a store that was set back.
        clock: Gives the time, in seconds since 1970.

    Raises:
        StoreError: One of its kinds, when something else is there, or nothing, or it cannot be read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        memory: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = os.fspath(path)
        self._memory = memory
        self._clock = clock
        self._store = SealedStore(path)
        self._state = _GONE
        self._is_stale = False
        self._last: SealStatus | None = None
        """The newest result: it stays while the same is read again because others append."""
        self._forget()
        remembered, self._remembered = _read_memory(memory, self._store.origin)
        if self._remembered is not None and remembered == _words(self._state) != _words(_GONE):
            self._trusted = self._earlier = self._remembered.checkpoint.size

    def run(self, report: Callable[[SealStatus], None], cancel: CancelToken | None = None) -> SealStatus:
        """Check what is not checked yet, in short snapshots, and report after each.

        Raises:
            QueryCancelled: If the token is cancelled; the next run begins again after the last that ended.
            StoreError: If the store cannot be opened or read now, but may be later.
        """
        if self._is_stale:
            self._is_stale, self._again_s = False, 0.0
            if _stat(self._path)[:2] != self._store.connection.file_id:
                self._last = None
                self._open_again()
        try:
            require_seals(self._store)
        except StoreBusy:
            raise
        except StoreError as error:
            status = SealStatus(SealState.UNSEALED, message=error.message)
        else:
            try:
                status = self._check(report, cancel)
            except StoreBusy:
                raise
            except StoreError as error:
                status = SealStatus(SealState.BROKEN, message=f"it cannot be read: {error.message}")
        report(status)
        return status

    def is_due(self) -> bool:
        """Tell whether a run would find more to check."""
        if self._is_stale:
            return True
        if self._look() != self._state:
            return True
        return self._is_written_to and self._clock() >= self._again_s

    def begin_again(self) -> None:
        """Let the next run check the store that lies there now, and read again what may have changed."""
        self._is_stale = True

    def close(self) -> None:
        """Let the connection go."""
        self._store.close()

    # --- knowing what changed

    def _forget(self) -> None:
        """Begin again with the first event."""
        self._trusted = self._earlier = 0
        """Up to where events were read, and up to where in an earlier session."""
        self._wrong: tuple[WrongEvents, ...] = ()
        """Wrong events of earlier runs, which are not read again."""
        self._wrong_head = ""
        """The first of the heads that is not that of its checkpoint."""
        self._head: tuple[int, bytes] | None = None
        self._begun_s = self._clock()
        self._again_s = 0.0
        self._has_ended = self._is_written_to = False
        self._state = self._look()

    def _open_again(self) -> None:
        store = SealedStore(self._path)
        self._store.close()
        self._store = store
        self._forget()
        self._remembered = _read_memory(self._memory, store.origin)[1]

    def _look(self) -> _FileState:
        state = _file_state(self._path)
        if state.file[:2] != self._store.connection.file_id:
            # Another store lies there, which is checked when the screen opens it.
            return _GONE
        try:
            (version,) = self._store.connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            version = -1
        return state._replace(data_version=version)

    def _newest(self) -> tuple[Head | None, Declared]:
        with self._store.snapshot():
            return self._store.newest_head(), read_declared(self._store.connection)

    def _begins_again(self, state: _FileState, head: tuple[int, bytes]) -> bool:
        """Tell whether everything is to be read again, by what was written since the last look."""
        if state != self._state and state != _GONE:
            if not self._has_ended or (self._head == head and not state.follows(self._state)):
                self._last = None
                return True
            self._is_written_to = True
        return self._is_written_to and self._clock() >= self._again_s

    # --- checking

    def _check(self, report: Callable[[SealStatus], None], cancel: CancelToken | None) -> SealStatus:
        state = self._look()
        newest, declared = self._newest()
        if newest is not None and self._begins_again(state, (newest.size, newest.root)):
            self._open_again()
            state = self._state
            newest, declared = self._newest()
        self._state = state
        if newest is None:
            return SealStatus(SealState.HOLDS)
        self._head = (newest.size, newest.root)
        with self._store.snapshot():
            heads = self._store.heads(min(self._trusted, newest.size))
        notes = (head.own_checkpoint(self._store.origin)[1] for head in heads)
        self._wrong_head = self._wrong_head or next(filter(None, notes), "")
        marks = [Mark(head.size, head.root) for head in heads if head.size <= newest.size]
        if self._remembered is not None:
            marks.append(Mark(self._remembered.checkpoint.size, self._remembered.checkpoint.root))
        walk = SealWalk(self._store, newest.size, marks, declared, content_from=self._trusted)
        while not walk.is_done:
            if cancel is not None:
                cancel.check()
            with self._store.snapshot():
                walk.step()
            status = self._status_of(walk, newest, declared)
            report(self._last if self._last is not None and status.state is SealState.CHECKING else status)
        self._last = self._end(walk, newest, declared)
        return self._last

    def _end(self, walk: SealWalk, newest: Head, declared: Declared) -> SealStatus:
        status = self._status_of(walk, newest, declared)
        with self._store.snapshot():
            later = self._store.newest_head()
            size = newest.size if later is None else later.size
            added = [seq for (seq,) in self._store.connection.execute(ADDED, (size, MAX_ADDED))]
            problems = [self._wrong_head] if self._wrong_head else []
            problems += [*declared.problems, *self._definition_problems(declared)]
            if self._store.number(_NAMES) <= MAX_NAMES:
                problems += name_problems(self._store.connection, may_stand_twice=bool(problems))
        wrong = (*status.wrong, *(WrongEvents(Wrong.ADDED, seq, seq) for seq in added))
        # Not those that were added: whoever records takes their numbers.
        self._wrong = status.wrong
        self._trusted = max(self._trusted, newest.size)
        if not self._has_ended:
            self._has_ended = True
            self._again_s = self._clock() + SHARE * (self._clock() - self._begun_s)
        status = replace(
            status,
            wrong=wrong,
            message="; ".join(filter(None, (status.message, *problems))),
            read_at_s=self._begun_s,
            is_written_to=self._is_written_to,
        )
        if wrong or status.message:
            return replace(status, state=SealState.BROKEN)
        remembered = self._remembered
        if remembered is not None and remembered.checkpoint.size > newest.size:
            message = (
                f"It had {remembered.checkpoint.size:,} events when it was last verified here, now it has"
                f" {newest.size:,}. Either this is an older copy, or the newest events were removed."
            )
            return replace(status, state=SealState.OLDER, message=message)
        self._remembered = newest.checkpoint
        if not self._is_written_to:
            _write_memory(self._memory, self._state, self._remembered)
        return replace(status, state=SealState.HOLDS)

    def _definition_problems(self, declared: Declared) -> list[str]:
        """Find definitions that are not this program's, and a wrong number of pruned events."""
        problems = list(definition_problems(self._store.connection))
        noted = read_count(self._store.info(schema.PRUNED) or "0")
        if noted != (pruned := _events_of(declared, PRUNE)):
            problems.append(
                f"the store says that {counted(noted, 'event')} were pruned, but {pruned:,} were declared:"
                " its total is not true"
            )
        return problems

    def _status_of(self, walk: SealWalk, newest: Head, declared: Declared) -> SealStatus:
        wrong = list(walk.check.wrong.runs[:MAX_WRONG_RUNS])
        message = ""
        if walk.broken_marks:
            first, last = walk.first_broken or (1, walk.size)
            wrong.append(WrongEvents(Wrong.SEAL, first, last))
            message = f"the seals up to event {last:,} do not fit each other"
        wrong = sorted({*wrong, *self._wrong}, key=lambda run: (run.first_seq, run.last_seq))
        return SealStatus(
            SealState.BROKEN if wrong else SealState.CHECKING,
            verified_seq=max(walk.seq, 0),
            sealed_seq=newest.size,
            trusted_seq=min(self._earlier // BLOCK_LEAVES * BLOCK_LEAVES, walk.seq),
            is_signed="\n\n" in newest.note,
            wrong=tuple(wrong[:MAX_WRONG_RUNS]),
            message=message,
            pruned_events=_events_of(declared, PRUNE),
            redacted_events=_events_of(declared, REDACT),
            declaring_seqs=tuple(act.event_seq for act in declared.declarations),
        )


def _events_of(declared: Declared, action: str) -> int:
    return sum(act.events for act in declared.declarations if act.action == action)


_NAMES = "SELECT max((SELECT max(id) FROM event_names), (SELECT ifnull(max(id), 0) FROM user_names))"
_GONE = _FileState((), ())


def _file_state(path: str) -> _FileState:
    file = _stat(path)
    log = _stat(f"{path}-wal")
    return _FileState(file, log if log and log[2] else ())


def _stat(path: str) -> tuple[int, ...]:
    try:
        status = Path(path).stat()
    except OSError:
        return ()
    # The time of the content can be set to any; that of the status only by setting the clock.
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _words(state: _FileState) -> str:
    """Return a state as it is remembered, without what holds for one connection only."""
    return " ".join(map(str, (*state.file, *state.log)))


def _read_memory(memory: Path | None, origin: str) -> tuple[str, SignedCheckpoint | None]:
    """Return how the file was when it was verified, and up to where; None when nothing is remembered."""
    if memory is None:
        return "", None
    try:
        state, _, text = memory.read_text(encoding="utf-8").partition("\n")
        note = read_checkpoint(text)
    except (OSError, UnicodeDecodeError, CheckpointError):
        return "", None
    return state, note if note.checkpoint.origin == origin else None


def _write_memory(memory: Path | None, state: _FileState, note: SignedCheckpoint | None) -> None:
    """Remember it for the next session; a failure to remember it is ignored."""
    if memory is None or note is None:
        return
    with suppress(OSError, FileError):
        private_folder(memory.parent)
        with new_file(memory, ANYTHING) as file:
            file.write(f"{_words(state)}\n{note.text()}")
