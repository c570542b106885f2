"""The check behind the seal in the status line: in short snapshots, going on where it was."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.evidence.checkpoint import SignedCheckpoint, read_checkpoint
from audit_tui.core.evidence.merkle import BLOCK_LEAVES
from audit_tui.core.evidence.sealed import MAX_WRONG_RUNS, SealState, SealStatus, Wrong, WrongEvents
from audit_tui.errors import CheckpointError, StoreError
from audit_tui.store.evidence.declared import read_declared
from audit_tui.store.evidence.seal_reading import SealedStore, require_seals
from audit_tui.store.evidence.seal_walk import Mark, SealWalk

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.cancel import CancelToken
    from audit_tui.store.evidence.seal_reading import Head


_TOUCHED = "touched"
"""A file that was written to while it was verified, or is not there: as no file ever is."""


class StoreSealChecker:
    """Checks the seals of a store; implements ``core.sealed.SealChecker``.

    Args:
        path: The store.
        memory: A file that keeps the checkpoint up to which everything was verified, and how the store's file
            was then: the next session reads nothing again of a file that nobody touched since. None keeps
            nothing. It also finds a store that was set back.

    Raises:
        StoreError: One of its kinds, when something else is there, or nothing, or it cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str], memory: Path | None = None) -> None:
        self._store = SealedStore(path)
        self._memory = memory
        self._path = os.fspath(path)
        self._state = _file_state(self._path)
        kept_state, self._kept = _read_memory(memory, self._store.origin)
        is_untouched = kept_state == self._state != _TOUCHED
        self._trusted = self._kept.checkpoint.size if self._kept is not None and is_untouched else 0
        self._found: tuple[WrongEvents, ...] = ()
        """What earlier runs found: those events are not read again."""
        self._status = SealStatus(SealState.CHECKING)

    def run(self, report: Callable[[SealStatus], None], cancel: CancelToken | None = None) -> SealStatus:
        """Check what is not checked yet, in short snapshots, and report after each.

        Raises:
            QueryCancelled: If the token is cancelled; the next run begins again after the last that ended.
            StoreError: If the store cannot be read.
        """
        try:
            require_seals(self._store)
        except StoreError as error:
            self._status = SealStatus(SealState.UNSEALED, message=error.message)
            report(self._status)
            return self._status
        with self._store.snapshot():
            newest = self._store.newest_head()
            declared = read_declared(self._store.connection)
            heads = self._store.heads(min(self._trusted, newest.size if newest else 0))
        if newest is None:
            self._status = SealStatus(SealState.HOLDS)
            report(self._status)
            return self._status
        marks = [Mark(head.size, head.root) for head in heads]
        if self._kept is not None:
            marks.append(Mark(self._kept.checkpoint.size, self._kept.checkpoint.root))
        walk = SealWalk(self._store, newest.size, marks, declared, content_from=self._trusted)
        while not walk.is_done:
            if cancel is not None:
                cancel.check()
            with self._store.snapshot():
                walk.step()
            self._status = self._status_of(walk, newest)
            report(self._status)
        return self._end(walk, newest, report)

    def close(self) -> None:
        """Let the connection go."""
        self._store.close()

    def _end(self, walk: SealWalk, newest: Head, report: Callable[[SealStatus], None]) -> SealStatus:
        status = self._status_of(walk, newest)
        message = "; ".join(walk.check.declared.problems)
        if self._kept is not None and self._kept.checkpoint.size > newest.size:
            message = (
                f"it had {self._kept.checkpoint.size:,} events when it was last verified here, now"
                f" {newest.size:,}: the newest were removed, or this is an older copy"
            )
        with self._store.snapshot():
            added = self._store.number("SELECT min(seq) FROM events WHERE seq > ?", self._sealed())
        wrong = status.wrong
        if added:
            wrong = (*wrong, WrongEvents(Wrong.ADDED, added, added))
        if wrong or message:
            status = replace(status, state=SealState.BROKEN, wrong=wrong, message=message or status.message)
        else:
            status = replace(status, state=SealState.HOLDS)
            self._kept = _note_of(newest)
            # What was written meanwhile may have changed what was read before.
            state = self._state if _file_state(self._path) == self._state else _TOUCHED
            _write_memory(self._memory, state, self._kept)
        self._found = tuple(run for run in wrong if run.wrong is not Wrong.ADDED)
        self._trusted = max(self._trusted, newest.size)
        self._status = status
        report(status)
        return status

    def _sealed(self) -> int:
        newest = self._store.newest_head()
        return 0 if newest is None else newest.size

    def _status_of(self, walk: SealWalk, newest: Head) -> SealStatus:
        wrong = list(walk.check.wrong.runs)
        message = ""
        if walk.broken_marks:
            first, last = walk.first_broken or (1, walk.size)
            wrong.append(WrongEvents(Wrong.SEAL, first, last))
            message = f"the seals up to event {last:,} do not fit each other"
        wrong = sorted({*wrong, *self._found}, key=lambda run: (run.first_seq, run.last_seq))
        return SealStatus(
            SealState.BROKEN if wrong else SealState.CHECKING,
            verified_seq=max(walk.seq, 0),
            sealed_seq=newest.size,
            trusted_seq=min(self._trusted // BLOCK_LEAVES * BLOCK_LEAVES, walk.seq),
            is_signed="\n\n" in newest.note,
            wrong=tuple(wrong[:MAX_WRONG_RUNS]),
            message=message,
        )


def _note_of(head: Head) -> SignedCheckpoint | None:
    try:
        return read_checkpoint(head.note)
    except CheckpointError:
        return None


def _file_state(path: str) -> str:
    """What changes when somebody writes to a store: which file it is, its size and time, and its log's."""
    said = []
    for name in (path, f"{path}-wal"):
        try:
            found = Path(name).stat()
        except OSError:
            continue
        # A reader makes an empty log.
        if found.st_size:
            said.append(f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns}")
    return " ".join(said) or _TOUCHED


def _read_memory(memory: Path | None, origin: str) -> tuple[str, SignedCheckpoint | None]:
    """How the file was when it was verified, and up to where; None when nothing of this store is kept."""
    if memory is None:
        return "", None
    try:
        state, _, text = memory.read_text(encoding="utf-8").partition("\n")
        note = read_checkpoint(text)
    except (OSError, UnicodeDecodeError, CheckpointError):
        return "", None
    return state, note if note.checkpoint.origin == origin else None


def _write_memory(memory: Path | None, state: str, note: SignedCheckpoint | None) -> None:
    """Keep it for the next session; that it cannot be kept is no reason to fail."""
    if memory is None or note is None:
        return
    with suppress(OSError):
        memory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = memory.with_name(f"{memory.name}.{os.getpid()}.new")
        new.write_text(f"{state}\n{note.text()}", encoding="utf-8")
        new.replace(memory)
