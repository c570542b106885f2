"""``verify``: events against leaves, blocks, heads, signatures, anchors; then what is derived from them."""

from __future__ import annotations

import os
import sqlite3
import time
from bisect import bisect_left
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

from audit_tui.core.evidence.checkpoint import PublicKey, SignedCheckpoint  # noqa: TC001 - fields of records
from audit_tui.core.evidence.sealed import Wrong, WrongEvents, WrongRuns
from audit_tui.core.record import Record
from audit_tui.core.text import counted, thousands
from audit_tui.errors import AuditTuiError, CheckpointError, StoreError
from audit_tui.store.evidence.block_check import raise_unless_damaged
from audit_tui.store.evidence.declared import Declaration, Declared, read_declared
from audit_tui.store.evidence.schema_check import (
    count_problems,
    definition_problems,
    name_problems,
    type_problems,
)
from audit_tui.store.evidence.seal_reading import ADDED, Head, SealedStore, require_seals
from audit_tui.store.evidence.seal_walk import Mark, SealWalk
from audit_tui.store.evidence.signing import is_signed_by
from audit_tui.store.evidence.stretch_check import MAX_PROBLEMS, units
from audit_tui.store.evidence.verify_work import SharedCheck
from audit_tui.store.index.keeper import indexed_upto
from audit_tui.store.tables import schema
from audit_tui.store.tables.rows import read_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from audit_tui.store.evidence.stretch_check import UnitResult

    Progress = Callable[[int, int], None]

QUICK_HEADS = 500
"""A quick check looks at this many heads at equal distances and the newest: 0.3 s with signatures."""
MAX_ADDED = 1_000
"""Up to this many events that are past the seals are told by number."""


class Mode(StrEnum):
    """The extent of a check."""

    FULL = "full"
    SINCE = "since"
    """The content of the events after a checkpoint; before it only the seals."""
    QUICK = "quick"
    """Only the seals."""


class Result(StrEnum):
    """The outcome of a check."""

    VERIFIED = "VERIFIED"
    NOT_ANCHORED = "CONSISTENT, NOT ANCHORED"
    FAILED = "FAILED"


class Anchor(Record):
    """A checkpoint that was kept elsewhere."""

    name: str
    """The place where it was kept, for the report."""
    note: SignedCheckpoint
    is_since: bool = False
    """It only says where to begin."""


class AnchorResult(Record):
    """The result for an anchor."""

    name: str
    size: int
    at_s: int | None
    """When the store had that size, by its own account, in seconds since 1970; None when not known."""
    is_exact: bool = False
    """That is the moment; else it was before."""
    problem: str = ""
    """Empty when it is in the store's history."""
    is_since: bool = False
    is_time_sealed: bool = False
    """The time stands in the checkpoint itself; else only the store says so."""


class Request(Record):
    """A request for a check."""

    mode: Mode = Mode.FULL
    keys: tuple[PublicKey, ...] = ()
    """Every head from the first signed one on must be signed with one of them; none leaves them unchecked."""
    anchors: tuple[Anchor, ...] = ()
    indexes: bool = True
    """Check what is derived as well; a quick check never does."""

    @property
    def since(self) -> int:
        """The events up to which only the seals are checked."""
        return max((anchor.note.checkpoint.size for anchor in self.anchors if anchor.is_since), default=0)


class Report(Record):
    """The results of a check."""

    path: str
    store_id: str
    schema_version: int
    sqlite_version: str
    mode: Mode
    size: int
    """The number of events that the newest head covers."""
    since: int
    checked_events: int
    matching_events: int
    redacted_events: int
    pruned_events: int
    blocks: int
    matching_blocks: int
    heads: int
    tried_heads: int
    """Fewer than all in a quick check of many."""
    matching_heads: int
    signatures: int
    """The number of heads that carry a signature of a given key that holds."""
    checked_signatures: int
    sealing_key: str | None
    """The public key that the store says it is signed with; None when it says none."""
    keys: tuple[str, ...]
    """The ids of the keys that were given."""
    anchors: tuple[AnchorResult, ...]
    declarations: tuple[Declaration, ...]
    wrong: tuple[WrongEvents, ...]
    unlisted_events: int
    """Wrong events that are not in ``wrong``, which has an end."""
    seal_problems: tuple[str, ...]
    unindexed_events: int | None
    """The number of events that no index covers yet, whose rows are read; None when it was not checked."""
    index_problems: tuple[str, ...]
    seconds: float

    @property
    def is_anchored(self) -> bool:
        """Tell whether an anchor covers any event: one of an empty store says nothing."""
        return self.anchored_size > 0

    @property
    def anchored_size(self) -> int:
        """The number of events that an anchor covers."""
        return max((anchor.size for anchor in self.anchors if not anchor.problem), default=0)

    @property
    def result(self) -> Result:
        """The outcome."""
        anchor_problems = any(anchor.problem for anchor in self.anchors)
        if self.wrong or self.seal_problems or self.index_problems or anchor_problems:
            return Result.FAILED
        return Result.VERIFIED if self.is_anchored else Result.NOT_ANCHORED

    @property
    def not_covered(self) -> tuple[str, ...]:
        """Gaps that the result does not speak of, each in a few words."""
        if self.result is Result.FAILED:
            return ()
        gaps = []
        if self.mode is Mode.QUICK:
            gaps.append("the events were not read")
        elif unread := self.size - self.checked_events:
            gaps.append(f"{counted(unread, 'event')} before --since were not read")
        newer = self.size - self.anchored_size
        if self.anchors and newer:
            gaps.append(f"the anchor covers {self.anchored_size:,} of {counted(self.size, 'event')}")
        return tuple(gaps)

    @property
    def wrong_events(self) -> int:
        """The number of events that are themselves wrong."""
        return sum(run.events for run in self.wrong if run.wrong is not Wrong.SEAL) + self.unlisted_events


def verify(
    path: str | os.PathLike[str],
    request: Request,
    progress: Progress | None = None,
) -> Report:
    """Check a store.

    Args:
        path: The store.
        request: What to check.
        progress: Is told how many events are done, and of how many, now and then.

    Raises:
        StoreError: One of its kinds, if it cannot be read, or has no seals, or the check itself fails: that
            is not evidence of anything.
        CheckpointError: If a key or an anchor is another store's.
    """
    try:
        return _verify(path, request, progress)
    except (AuditTuiError, OSError):
        raise
    except Exception as error:
        raise StoreError(
            f"The check of {os.fspath(path)} failed by itself, which says nothing of the store:"
            f" {type(error).__name__}: {error}.",
            "That should not happen with any file. Keep a copy of it, and report this.",
        ) from error


def _verify(path: str | os.PathLike[str], request: Request, progress: Progress | None) -> Report:
    with SealedStore(path) as store:
        require_seals(store)
        for key in request.keys:
            _require_own(store, key.name, "This public key")
        for anchor in request.anchors:
            _require_own(store, anchor.note.checkpoint.origin, f"The checkpoint {anchor.name}")
        while True:
            check = _Verification(store, request)
            report = check.run(progress)
            if not check.has_new_removals:
                return report


class _Verification:
    """One pass over a store."""

    def __init__(self, store: SealedStore, request: Request) -> None:
        self._store = store
        self._request = request
        self._started_s = time.monotonic()
        self._results: list[UnitResult] = []
        self._wrong: list[WrongEvents] = []
        with store.snapshot():
            self._heads = store.heads()
            self._removals = self._count_removals()
            self._declared = Declared() if request.mode is Mode.QUICK else read_declared(store.connection)
        self._tried = self._heads
        self._size = self._heads[-1].size if self._heads else 0
        self._problems: list[str] = list(self._declared.problems)
        self._index_problems: list[str] = []
        self._added = WrongRuns()
        self.has_new_removals = False

    def run(self, progress: Progress | None) -> Report:
        """Check everything, in short snapshots."""
        if self._request.mode is Mode.QUICK and len(self._heads) > QUICK_HEADS:
            step = -(-len(self._heads) // QUICK_HEADS)
            self._tried = [*self._heads[:-1:step], self._heads[-1]]
        notes = [self._read_note(head) for head in self._tried]
        signatures, checked = self._check_signatures(notes)
        walk = self._check_content(progress)
        self._problems += [
            f"event {seq:,} says that it removed events, but the list of removals has nothing of it"
            for result in self._results
            for seq in result.undeclared
        ]
        self._check_heads(walk)
        anchors = tuple(self._anchor_result(anchor, walk) for anchor in self._request.anchors)
        self._check_end(walk)
        return self._report(walk, anchors, signatures, checked)

    @property
    def _wants_derived(self) -> bool:
        return self._request.indexes and self._request.mode is not Mode.QUICK

    def _check_content(self, progress: Progress | None) -> SealWalk:
        """Check the seals in this process, and the events meanwhile in another, then in both."""
        marks = [Mark(head.size, head.root) for head in self._tried]
        marks += [_mark(anchor) for anchor in self._request.anchors]
        reads_events = self._request.mode is not Mode.QUICK
        size, since = self._size, self._request.since
        walk = SealWalk(
            self._store, size, marks, self._declared,
            content_from=since, with_content=reads_events, with_events=False,
        )  # fmt: skip
        if not reads_events:
            self._walk(walk)
            return walk
        with self._store.snapshot():
            parts = units(self._store, since, size)
        with SharedCheck(
            self._store.path, parts, size, is_all=not since, with_indexes=self._request.indexes
        ) as shared:
            self._walk(walk)
            told = None if progress is None else (lambda done: progress(done, size))
            self._results, self._index_problems = shared.finish(told)
        self._index_problems += [problem for result in self._results for problem in result.problems]
        if len(self._index_problems) > MAX_PROBLEMS:
            more = len(self._index_problems) - MAX_PROBLEMS
            self._index_problems[MAX_PROBLEMS:] = [f"and {counted(more, 'more problem')}"]
        for result in self._results:
            for wrong, first, last in result.wrong:
                self._wrong.append(WrongEvents(Wrong(wrong), first, last))
        self._wrong = _joined(self._wrong)
        return walk

    def _walk(self, walk: SealWalk) -> None:
        while not walk.is_done:
            with self._store.snapshot():
                walk.step()

    # --- heads and signatures

    def _read_note(self, head: Head) -> SignedCheckpoint | None:
        """Return the checkpoint of a head; None when it is not that of the head. Notes what is wrong."""
        note, problem = head.own_checkpoint(self._store.origin)
        self._problems += [problem] if problem else []
        return note

    def _check_signatures(self, notes: Sequence[SignedCheckpoint | None]) -> tuple[int, int]:
        """Check what the given keys signed: the newest head, and each after the first that is signed."""
        keys = self._request.keys
        if not keys or not notes:
            return 0, 0
        signed = 0
        unsigned: list[int] = []
        for note in notes:
            if note is None:
                continue
            signed_by = [is_signed_by(note, key) for key in keys]
            size = note.checkpoint.size
            if True in signed_by:
                signed += 1
            elif False in signed_by:
                self._problems.append(f"the signature of the head at event {size:,} is forged")
            elif signed or note.signatures or note is notes[-1]:
                unsigned.append(size)
        if unsigned:
            self._problems.append(
                f"{counted(len(unsigned), 'head')} not signed with the given key, the first at event"
                f" {unsigned[0]:,}, the last at event {unsigned[-1]:,}"
            )
        return signed, len(notes)

    def _check_heads(self, walk: SealWalk) -> None:
        heads = {Mark(head.size, head.root) for head in self._tried}
        broken = [mark for mark in walk.broken_marks if mark in heads]
        self._broken_heads = len(broken)
        if broken and walk.first_broken is not None:
            first, last = walk.first_broken
            self._problems.append(
                f"the first head that does not match is at event {broken[0].size:,}:"
                f" among the events {first:,}-{last:,} some were forged together with their seals"
            )
            self._wrong.append(WrongEvents(Wrong.SEAL, first, last))
        elif broken:
            self._problems.append(f"{counted(len(broken), 'head')} cannot be checked")

    def _anchor_result(self, anchor: Anchor, walk: SealWalk) -> AnchorResult:
        checkpoint = anchor.note.checkpoint
        problem = ""
        if checkpoint.size > self._size:
            problem = (
                f"it covers {checkpoint.size:,} events, the store has {self._size:,}:"
                " the newest were removed, or this is an older copy"
            )
        elif _mark(anchor) in walk.broken_marks:
            problem = f"is not in this history: something up to event {checkpoint.size:,} was rewritten"
        elif self._request.keys and anchor.note.signatures:
            signed_by = [is_signed_by(anchor.note, key) for key in self._request.keys]
            if True not in signed_by:
                problem = "its signature is not that of the given key"
        own_at_s = checkpoint.at_s
        at_s = self._sealed_at(checkpoint.size)[0] if own_at_s is None else own_at_s
        is_exact = own_at_s is not None or any(head.size == checkpoint.size for head in self._heads)
        return AnchorResult(
            anchor.name, checkpoint.size, at_s, is_exact, problem, anchor.is_since, own_at_s is not None
        )

    def _sealed_at(self, seq: int) -> tuple[int | None, bool]:
        """Return when an event was sealed at the latest, and whether a checkpoint says so."""
        place = bisect_left(self._heads, seq, key=lambda head: head.size)
        if place == len(self._heads):
            return None, False
        note = self._heads[place].checkpoint
        at_s = None if note is None else note.checkpoint.at_s
        return (self._heads[place].at_s, False) if at_s is None else (at_s, True)

    # --- the end

    def _check_end(self, walk: SealWalk) -> None:
        """Find events that no seal covers, and heads that are no longer what they were at the start."""
        with self._store.snapshot():
            newest = self._store.newest_head()
            size = 0 if newest is None else newest.size
            now = {(head.size, head.root) for head in self._store.heads()}
            earlier = {(head.size, head.root) for head in self._heads[:-1]}
            if size < self._size or not earlier <= now:
                self._problems.append("heads were removed or changed while this check ran")
            self._find_added(size)
            self.has_new_removals = self._count_removals() != self._removals
            self._unindexed = max(0, size - self._indexed_upto())
            if self._wants_derived and not self.has_new_removals:
                self._index_problems += self._definition_problems()
                if self._request.mode is Mode.FULL:
                    self._index_problems += self._count_problems()

    def _indexed_upto(self) -> int:
        connection = self._store.connection
        return indexed_upto(connection) if schema.has_index(connection) else 0

    def _definition_problems(self) -> list[str]:
        """Find tables, indexes, views and names that are not as this program makes them."""
        connection = self._store.connection
        try:
            problems = list(definition_problems(connection))
            problems += name_problems(connection, may_stand_twice=bool(problems))
            if self._index_problems:
                problems += type_problems(connection)
        except sqlite3.DatabaseError as error:
            raise_unless_damaged(error)
            problems = [f"definitions and names cannot be read: {error}"]
        return problems

    def _count_problems(self) -> list[str]:
        """Compare the numbers that the store notes with those that were counted."""
        problems: list[str] = []
        try:
            for place, names in enumerate(schema.ALL_NAME_TABLES):
                counts = sum((Counter(dict(result.names[place])) for result in self._results), Counter())
                problems += count_problems(self._store.connection, names, counts, self._size)
        except sqlite3.DatabaseError as error:
            raise_unless_damaged(error)
            problems.append(f"the counts of names cannot be read: {error}")
        noted = read_count(self._store.info(schema.PRUNED) or "0")
        if noted != (pruned := self._sum("pruned_events")):
            problems.append(
                f"the store says that {counted(noted, 'event')} were pruned, but {thousands(pruned)} declared"
                " ones are gone"
            )
        return problems

    def _sum(self, name: str) -> int:
        """Sum up what the units counted."""
        return sum(getattr(result, name) for result in self._results)

    def _find_added(self, size: int) -> None:
        added = self._store.connection.execute(ADDED, (size, MAX_ADDED + 1))
        for number, (seq,) in enumerate(added):
            if number == MAX_ADDED:
                self._problems.append(f"more than {MAX_ADDED:,} events are past the seals")
                break
            self._added.add(Wrong.ADDED, seq)

    def _count_removals(self) -> int:
        return self._store.number("SELECT count(*) FROM seal_removed")

    def _report(
        self, walk: SealWalk, anchors: tuple[AnchorResult, ...], signatures: int, checked: int
    ) -> Report:
        runs = sorted(
            [*walk.check.wrong.runs, *self._wrong, *self._added.runs],
            key=lambda run: (run.first_seq, run.last_seq),
        )
        return Report(
            path=str(self._store.path),
            store_id=self._store.store_id,
            schema_version=self._store.schema_version,
            sqlite_version=sqlite3.sqlite_version,
            mode=self._request.mode,
            size=self._size,
            since=self._request.since,
            checked_events=self._sum("checked_events"),
            matching_events=self._sum("matching_events"),
            redacted_events=self._sum("redacted_events"),
            pruned_events=self._sum("pruned_events"),
            blocks=walk.check.blocks,
            matching_blocks=walk.check.matching_blocks,
            heads=len(self._heads),
            tried_heads=len(self._tried),
            matching_heads=len(self._tried) - self._broken_heads,
            signatures=signatures,
            checked_signatures=checked,
            sealing_key=self._store.sealing_key,
            keys=tuple(key.key_id.hex() for key in self._request.keys),
            anchors=anchors,
            declarations=self._declared.declarations,
            wrong=tuple(
                run
                if run.wrong is Wrong.ADDED
                else WrongEvents(run.wrong, run.first_seq, run.last_seq, *self._sealed_at(run.first_seq))
                for run in runs
            ),
            unlisted_events=self._sum("unlisted_events"),
            seal_problems=tuple(self._problems),
            unindexed_events=self._unindexed if self._wants_derived else None,
            index_problems=tuple(self._index_problems),
            seconds=time.monotonic() - self._started_s,
        )


def _joined(runs: Iterable[WrongEvents]) -> list[WrongEvents]:
    """Return runs in order, those joined that were divided between two units."""
    joined = WrongRuns()
    for run in sorted(runs, key=lambda run: run.first_seq):
        joined.add(run.wrong, run.first_seq, run.last_seq)
    return joined.runs


def _mark(anchor: Anchor) -> Mark:
    return Mark(anchor.note.checkpoint.size, anchor.note.checkpoint.root)


def _require_own(store: SealedStore, name: str, what: str) -> None:
    if name != store.origin:
        raise CheckpointError(
            f"{what} is for another store: {name}, and this one is {store.origin}.",
            "Take the one that was kept for this store. If this is it, the store was exchanged.",
        )
