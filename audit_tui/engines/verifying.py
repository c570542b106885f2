"""Checking a shared engine from its rows alone: each event against its leaf, the leaves against the roots.

What a host sealed before it shipped is what counts. Whoever can write to the engine can change rows, leaves
and roots together; that is seen by a checkpoint from elsewhere (``--anchor``), or by a signature (``--key``).
What nobody can see here is a host that stopped shipping: so the age of each head is told.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.event import packed_seq
from audit_tui.core.evidence.checkpoint import origin_of, read_checkpoint
from audit_tui.core.evidence.leaf import EncodedValues, Encodings, Form, make_leaves
from audit_tui.core.evidence.merkle import HASH_BYTES, Frontier, split_leaves
from audit_tui.core.evidence.sealed import Wrong, WrongRuns
from audit_tui.core.text import counted
from audit_tui.engines.dialect import SEALED, Args
from audit_tui.engines.layout import MARK_BYTES, OUTCOMES, Derived, PathMarks, derived
from audit_tui.errors import CheckpointError
from audit_tui.store.evidence.declared import ACTION, DIGEST, LEAVES, PRUNE, REDACT, ranges_digest
from audit_tui.store.evidence.signing import is_signed_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.evidence.checkpoint import PublicKey, SignedCheckpoint
    from audit_tui.core.evidence.sealed import WrongEvents
    from audit_tui.engines.dialect import Dialect
    from audit_tui.engines.pool import Pool

_BATCHES_AT_ONCE = 10


class SharedStore(NamedTuple):
    """A store that was shipped, and how far."""

    number: int
    store_id: str
    name: str
    size: int
    shipped_us: int | None
    """The time of its newest batch, by the clock of the host that shipped it; None before the first."""


class StoreReport(NamedTuple):
    """The result of the check of one store."""

    store: SharedStore
    matching: int
    """Events that are what was sealed."""
    redacted: int
    pruned: int
    wrong: tuple[WrongEvents, ...]
    problems: tuple[str, ...]
    """Faults of the seals, in words."""
    signed: int
    """The newest event under a signature of a given key; 0 for none."""
    anchored: int
    """The newest event under a given anchor; 0 for none."""

    @property
    def holds(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.wrong and not self.problems


class Batch(NamedTuple):
    """A row of ``audit_batches``."""

    first: int
    last: int
    root: bytes
    note: SignedCheckpoint | None
    leaves: list[bytes]
    """Of each event, or the first bytes of it."""
    edge: bytes


def stores_of(pool: Pool, dialect: Dialect) -> list[SharedStore]:
    """Return the stores that were shipped, in the order of their numbers."""
    rows = pool.rows(dialect.stores(), {})
    return [
        SharedStore(int(number), str(store_id), str(name), int(size or 0), None if at is None else int(at))
        for number, store_id, name, size, at in rows
    ]


def problems_of(pool: Pool, dialect: Dialect) -> list[str]:
    """Return what is wrong with what is counted of all events, in words."""
    statements = dialect.problems().items()
    return [words for words, statement in statements if pool.rows(statement, {}, has_deadline=False)]


class SharedCheck:
    """Checks one store, batch by batch.

    Args:
        pool: Asks the engine.
        dialect: Its SQL.
        store: The store, and up to where.
        keys: The keys whose signatures count.
        anchors: Checkpoints of this store from elsewhere.
    """

    def __init__(
        self,
        pool: Pool,
        dialect: Dialect,
        store: SharedStore,
        keys: Sequence[PublicKey] = (),
        anchors: Sequence[SignedCheckpoint] = (),
    ) -> None:
        self._pool = pool
        self._dialect = dialect
        self._store = store
        self._keys = keys
        self._marks = {anchor.checkpoint.size: anchor.checkpoint.root for anchor in anchors}
        self._frontier = Frontier()
        self._problems: list[str] = []
        self._unmatched: dict[int, set[bytes]] = {}
        """The leaves that events have which do not match: a declared redaction may explain them."""
        self._missing: set[int] = set()
        self._unproved: set[int] = set()
        """Events whose leaf nothing here gives."""
        self._acts: dict[int, dict[str, Any]] = {}
        """The metadata of the events that are sealed as acts."""
        self._matching = self._signed = self._anchored = 0
        self._redacted = self._pruned = 0
        self.done = 0
        """Up to this event everything was looked at."""
        values = EncodedValues()
        self._encodings = Encodings(values, values, values, values, values)

    def grow(self, store: SharedStore) -> None:
        """Let the next run go up to where the store is shipped now."""
        self._store = store

    def run(self, report: Callable[[int], None], cancel: CancelToken | None = None) -> StoreReport:
        """Check what is not checked yet; a second run goes on where the first one ended.

        Args:
            report: Is told after each batch up to which event.
            cancel: Ends it.

        Raises:
            QueryCancelled: If the token is cancelled.
            StoreError: If the engine cannot be read.
        """
        for size in sorted(mark for mark in self._marks if mark > self._store.size):
            self._problems.append(f"an anchor is of {size:,} events: the newest were removed")
        for batch in self._batches(cancel):
            if batch.first != self.done + 1 or len(batch.leaves) != batch.last - batch.first + 1:
                self._problems.append(
                    f"the seals of events {self.done + 1:,} to {batch.first - 1:,} are missing"
                )
                break
            self._check_seals(batch, self._check_events(batch, cancel))
            self.done = batch.last
            report(self.done)
        redacted, pruned = self._explain()
        self._redacted, self._pruned = self._redacted + redacted, self._pruned + pruned
        if unproved := self._unproved - self._unmatched.keys() - self._missing:
            self._problems.append(f"the seals of {counted(len(unproved), 'event')} are missing")
            self._unproved -= unproved
        wrong = [(number, Wrong.CHANGED) for number in self._unmatched]
        wrong += [(number, Wrong.MISSING) for number in self._missing]
        wrong += [(number, Wrong.ADDED) for number in self._added(cancel)]
        runs = WrongRuns()
        for number, kind in sorted(wrong):
            runs.add(kind, number)
        return StoreReport(
            self._store,
            self._matching,
            self._redacted,
            self._pruned,
            tuple(runs.runs),
            tuple(self._problems),
            self._signed,
            self._anchored,
        )

    def _batches(self, cancel: CancelToken | None) -> Iterator[Batch]:
        after = self.done
        while True:
            args = Args(self._dialect)
            statement = (
                f"SELECT b.first_n, b.last_n, b.root, b.note, {self._dialect.leaves} FROM audit_batches b"
                f" WHERE b.store = {args(self._store.number)} AND b.last_n > {args(after)}"
                f" AND b.last_n <= {args(self._store.size)} ORDER BY b.last_n LIMIT {_BATCHES_AT_ONCE}"
            )
            rows = self._pool.rows(statement, args.values, cancel, has_deadline=False)
            for begin, after, root, note, *seals in rows:
                first, last = int(begin), int(after)
                leaves, edge = map(self._dialect.read_leaves, seals)
                width = MARK_BYTES if len(leaves) == MARK_BYTES * (last - first + 1) else HASH_BYTES
                split = [leaves[at : at + width] for at in range(0, len(leaves), width)]
                yield Batch(first, last, base64.b64decode(root), _note(note), split, edge)
            if len(rows) < _BATCHES_AT_ONCE:
                return

    def _check_events(self, batch: Batch, cancel: CancelToken | None) -> list[bytes]:
        """Compare events with their seals; return the leaf of each, or no bytes where nothing gives it."""
        leaves = self._whole_leaves(batch, cancel)
        args = Args(self._dialect)
        number = self._store.number
        ends = packed_seq(number, batch.first), packed_seq(number, batch.last)
        rows = self._pool.rows(self._dialect.sealed(args, *ends), args.values, cancel, has_deadline=False)
        base = packed_seq(number, 0)
        sealed = [_sealed(row, base) for row in rows]
        made = make_leaves(sealed, self._encodings, Form.EVENT)
        existing = set()
        marks = PathMarks()
        columns = list(zip(*rows, strict=True)) or [()] * (len(SEALED) + len(Derived._fields))
        further = zip(*derived(columns[6], columns[10], columns[9], columns[12], marks), strict=True)
        for row, values, leaf, searched in zip(rows, sealed, made, further, strict=True):
            event = values[0]
            existing.add(event)
            place = event - batch.first
            expected = leaves[place] or batch.leaves[place]
            if not leaf.startswith(expected):
                other = self._leaf_of_other_form(values, expected)
                if other is None:
                    self._unmatched[event] = {leaf, self._leaf(values, Form.OLD)}
                    continue
                leaf = other
            leaves[place] = leaf
            self._matching += 1
            if tuple(row[len(SEALED) :]) != searched:
                self._problems.append(f"event {event:,} would be found by other texts than it has")
        self._missing.update(set(range(batch.first, batch.last + 1)) - existing)
        return leaves

    def _whole_leaves(self, batch: Batch, cancel: CancelToken | None) -> list[bytes]:
        """Return the leaves that are told as a whole; no bytes for the others."""
        leaves = [leaf if len(leaf) == HASH_BYTES else b"" for leaf in batch.leaves]
        args = Args(self._dialect)
        statement = self._dialect.removed_leaves(args, self._store.number, batch.first, batch.last)
        rows = self._pool.rows(statement, args.values, cancel, has_deadline=False) if statement else ()
        for first, text in rows:
            for number, leaf in enumerate(split_leaves(bytes.fromhex(text)), int(first)):
                place = number - batch.first
                if 0 <= place < len(leaves) and leaf.startswith(batch.leaves[place]):
                    leaves[place] = leaf
        return leaves

    def _leaf_of_other_form(self, values: Sequence[Any], expected: bytes) -> bytes | None:
        act = self._leaf(values, Form.ACT)
        if act.startswith(expected):
            self._acts[values[0]] = _metadata(values[12])
            return act
        old = self._leaf(values, Form.OLD)
        return old if old.startswith(expected) else None

    def _leaf(self, values: Sequence[Any], form: Form) -> bytes:
        return make_leaves((values,), self._encodings, form)[0]

    def _check_seals(self, batch: Batch, leaves: Sequence[bytes]) -> None:
        unproved = [number for number, leaf in enumerate(leaves, batch.first) if not leaf]
        self._unproved.update(unproved)
        for number, leaf in enumerate(leaves, batch.first):
            if not unproved:
                self._frontier.push(leaf)
            elif number == batch.last:
                # What is missing is told by itself; the seals after it can be checked all the same.
                self._frontier = _edge(batch)
            root = self._marks.get(number)
            if root is not None:
                if self._frontier.size == number and self._frontier.root() == root:
                    self._anchored = max(self._anchored, number)
                else:
                    self._problems.append(f"an anchor of {number:,} events has another root")
        if self._frontier.root() != batch.root:
            self._problems.append(
                f"the seals of events {batch.first:,} to {batch.last:,} do not fit their root"
            )
        if batch.note is None:
            return
        checkpoint = batch.note.checkpoint
        told = (checkpoint.origin, checkpoint.size, checkpoint.root)
        if told != (origin_of(self._store.store_id), batch.last, batch.root):
            self._problems.append(f"the checkpoint of {batch.last:,} events is of something else")
        elif any(is_signed_by(batch.note, key) for key in self._keys):
            self._signed = batch.last

    def _explain(self) -> tuple[int, int]:
        """Take out of what is wrong what declared acts explain; return how many they redacted and pruned."""
        args = Args(self._dialect)
        statement = (
            "SELECT r.by_n, r.first_n, r.last_n FROM audit_removed r WHERE r.store ="
            f" {args(self._store.number)} ORDER BY r.by_n, r.first_n"
        )
        ranges: dict[int, list[tuple[int, int]]] = {}
        for by, first, last in self._pool.rows(statement, args.values, has_deadline=False):
            ranges.setdefault(int(by), []).append((int(first), int(last)))
        redacted = pruned = 0
        for by, several in ranges.items():
            act = self._acts.get(by, {})
            if act.get(DIGEST) != ranges_digest(several):
                continue
            numbers = {number for first, last in several for number in range(first, last + 1) if number < by}
            if act.get(ACTION) == PRUNE:
                gone = self._missing & numbers
                self._missing -= gone
                pruned += len(gone)
            elif act.get(ACTION) == REDACT:
                leaves = _leaves(act)
                left = {n for n in numbers if leaves.get(n) in self._unmatched.get(n, ())}
                for number in left:
                    del self._unmatched[number]
                redacted += len(left)
        return redacted, pruned

    def _added(self, cancel: CancelToken | None) -> list[int]:
        """Return events of this store that no batch has."""
        args = Args(self._dialect)
        base, end = packed_seq(self._store.number, 0), packed_seq(self._store.number + 1, 0)
        head = f"SELECT max(b.last_n) FROM audit_batches b WHERE b.store = {args(self._store.number)}"
        statement = (
            f"SELECT e.id FROM audit_events e WHERE e.id >= {args(base)} AND e.id < {args(end)}"
            f" AND (e.id = {args(base)} OR e.id > {args(base)} + coalesce(({head}), 0))"
            " ORDER BY e.id LIMIT 1000"
        )
        rows = self._pool.rows(statement, args.values, cancel, has_deadline=False)
        return [int(seq) - base for (seq,) in rows]


def _edge(batch: Batch) -> Frontier:
    """Return the right edge of the tree as the batch tells it, empty where that cannot be one."""
    try:
        return Frontier(batch.last, split_leaves(batch.edge))
    except ValueError:
        return Frontier()


def _sealed(row: Sequence[Any], base: int) -> tuple[Any, ...]:
    (seq, occurred_us, key, event, category, user, description, outcome, severity, source_ip, target, source,
     metadata, original) = row[:14]  # fmt: skip
    return (
        int(seq) - base, int(occurred_us), _bytes(key), event, category, user, _bytes(description),
        OUTCOMES[int(outcome)], None if severity is None else int(severity), source_ip, _bytes(target),
        source, _bytes(metadata), None if original is None else base64.b64decode(original),
    )  # fmt: skip


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _note(text: str | None) -> SignedCheckpoint | None:
    try:
        return None if not text else read_checkpoint(text)
    except CheckpointError:
        return None


def _metadata(text: bytes | None) -> dict[str, Any]:
    try:
        value = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _leaves(act: Mapping[str, Any]) -> dict[int, bytes]:
    try:
        return {int(number): bytes.fromhex(leaf) for number, leaf in dict(act[LEAVES]).items()}
    except (KeyError, ValueError, TypeError):
        return {}
