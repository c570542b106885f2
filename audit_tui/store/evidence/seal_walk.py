"""Walking over a store's seals from the first block to the last: leaves, roots, heads, and the events."""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.evidence.merkle import BLOCK_LEAVES, HASH_BYTES, Frontier, split_leaves, tree_root
from audit_tui.core.evidence.sealed import Wrong, WrongRuns
from audit_tui.store.evidence.content import stored_leaf, stored_leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit_tui.store.evidence.declared import Declared
    from audit_tui.store.evidence.seal_reading import Block, SealedStore

BLOCKS_AT_ONCE = 256
"""In one snapshot: 65,536 events, 0.4 s."""
_ROOTS_AT_ONCE = 8_192


class Mark(NamedTuple):
    """A root that the tree should have at a size: a head's, or a checkpoint's."""

    size: int
    root: bytes


class SealWalk:
    """Checks seals, and events against them, block by block, and can be stopped between any two snapshots.

    Args:
        store: What is checked.
        size: How many events, by the head that the walk goes up to.
        marks: The roots that the tree should have on the way.
        declared: Removals that are no damage.
        content_from: The first event whose content is checked; before it only the seals are. 0 checks all.
        with_content: Check the events at all.
    """

    def __init__(
        self,
        store: SealedStore,
        size: int,
        marks: Iterable[Mark],
        declared: Declared,
        *,
        content_from: int = 0,
        with_content: bool = True,
    ) -> None:
        self.size = size
        self.content_from = content_from
        self.wrong = WrongRuns()
        self.broken_marks: list[Mark] = []
        self.first_broken: tuple[int, int] | None = None
        """The events among which the seals stop fitting the first mark that fails; None when none does."""
        self.checked_events = 0
        """Events whose content was looked at."""
        self.matching_events = 0
        self.redacted_events = 0
        self.pruned_events = 0
        self.blocks = 0
        self.matching_blocks = 0
        self.counts: tuple[Counter[Any], ...] = (Counter(), Counter(), Counter(), Counter())
        """How often each name's number was met: event, category, user, source."""
        self.declared = declared
        self._store = store
        self._with_content = with_content
        self._edge = Frontier()
        self._lost = False
        self._held_size = 0
        """The largest size whose root was confirmed by a mark."""
        self._set_marks(marks)

    @property
    def is_done(self) -> bool:
        """Whether the walk has arrived."""
        return self.blocks * BLOCK_LEAVES >= self.size

    @property
    def seq(self) -> int:
        """The event up to which everything was looked at."""
        return min(self.size, self.blocks * BLOCK_LEAVES)

    @property
    def is_intact(self) -> bool:
        """Whether nothing wrong was met so far."""
        return not self.wrong.runs and not self.broken_marks

    def step(self) -> None:
        """Go on by one snapshot's worth; inside a snapshot of the store."""
        first = self.blocks
        wants_content = self._with_content and (first + 1) * BLOCK_LEAVES > self.content_from
        if not wants_content:
            self._step_by_roots(first)
            return
        end = min(-(-self.size // BLOCK_LEAVES), first + BLOCKS_AT_ONCE)
        try:
            found = {block.number: block for block in self._store.blocks(first, end - first)}
        except sqlite3.DatabaseError as error:
            found = self._readable_blocks(first, end, error)
        for number in range(first, end):
            self._check_block(number, found.get(number))

    def _readable_blocks(self, first: int, end: int, error: sqlite3.DatabaseError) -> dict[int, Block]:
        """The blocks that a damaged file still gives."""
        _raise_unless_damaged(error)
        found = {}
        for number in range(first, end):
            try:
                found.update({block.number: block for block in self._store.blocks(number, 1)})
            except sqlite3.DatabaseError as one:
                _raise_unless_damaged(one)
        return found

    def _step_by_roots(self, first: int) -> None:
        last_root_only = max(self.content_from // BLOCK_LEAVES, 0) if self._with_content else 1 << 60
        end = min(-(-self.size // BLOCK_LEAVES), first + _ROOTS_AT_ONCE, max(last_root_only, first + 1))
        found = {block.number: block for block in self._store.blocks(first, end - first, with_leaves=False)}
        for number in range(first, end):
            block = found.get(number)
            if block is None or block.events < self._events_in(number):
                self._miss(number)
            elif self._next_mark_size <= (number + 1) * BLOCK_LEAVES or block.events > self._events_in(
                number
            ):
                with_leaves = self._store.blocks(number, 1)
                self._seal_block(number, with_leaves[0] if with_leaves else None)
            else:
                self._push(block.root, is_full=block.events == BLOCK_LEAVES)
                self.matching_blocks += 1
            self.blocks = number + 1

    def _check_block(self, number: int, block: Block | None) -> None:
        matching = self.matching_blocks
        leaves = self._seal_block(number, block)
        is_whole = self.matching_blocks > matching
        self._check_events(number, leaves, None if is_whole or block is None else block.root)
        self.blocks = number + 1

    def _seal_block(self, number: int, block: Block | None) -> list[bytes]:
        """Check a block's leaves against its root and the marks in it, and give the leaves."""
        wanted = self._events_in(number)
        if block is None or len(block.leaves) != block.events * HASH_BYTES or block.events < wanted:
            self._miss(number)
            return []
        leaves = split_leaves(block.leaves)
        root = tree_root(leaves)
        is_whole = root == block.root
        if is_whole:
            self.matching_blocks += 1
        else:
            self._note_seal(number)
        self._meet_marks(number, leaves)
        # Where leaves were replaced the stored root still leads to the heads, and they tell how far.
        self._push(block.root, is_full=block.events == BLOCK_LEAVES)
        return leaves[:wanted]

    def _events_in(self, number: int) -> int:
        return min(BLOCK_LEAVES, self.size - number * BLOCK_LEAVES)

    def _push(self, root: bytes, *, is_full: bool) -> None:
        if is_full and not self._lost:
            self._edge.push(root)

    def _miss(self, number: int) -> None:
        """Note a block that is not there: no head after it can be checked."""
        self._note_seal(number)
        self._lost = True
        self._skip_marks((number + 1) * BLOCK_LEAVES)

    def _note_seal(self, number: int) -> None:
        first = number * BLOCK_LEAVES + 1
        self.wrong.add(Wrong.SEAL, first, first - 1 + self._events_in(number))

    # --- marks

    def _set_marks(self, marks: Iterable[Mark]) -> None:
        self._marks = sorted({mark for mark in marks if mark.size <= self.size}, reverse=True)
        self.marks = len(self._marks)
        for mark in self._take_marks(0):
            if mark.root != Frontier().root():
                self.broken_marks.append(mark)

    @property
    def _next_mark_size(self) -> int:
        return self._marks[-1].size if self._marks else 1 << 62

    def _take_marks(self, upto: int) -> list[Mark]:
        taken = []
        while self._marks and self._marks[-1].size <= upto:
            taken.append(self._marks.pop())
        return taken

    def _skip_marks(self, upto: int) -> None:
        self.broken_marks += self._take_marks(upto)

    def _meet_marks(self, number: int, leaves: Sequence[bytes]) -> None:
        before = number * BLOCK_LEAVES
        roots: dict[int, bytes] = {}
        for mark in self._take_marks(before + len(leaves)):
            if mark.size not in roots:
                roots[mark.size] = self._edge.root(tree_root(leaves[: mark.size - before]))
            if self._lost or mark.root != roots[mark.size]:
                if not self.broken_marks:
                    self.first_broken = (self._held_size + 1, mark.size)
                self.broken_marks.append(mark)
            else:
                self._held_size = mark.size

    # --- events

    def _check_events(self, number: int, leaves: Sequence[bytes], root: bytes | None) -> None:
        """Check a block's events against its leaves, or against its root where leaves were replaced."""
        first = number * BLOCK_LEAVES + 1
        last = first - 1 + self._events_in(number)
        try:
            rows = self._store.content.raw_rows(first, last)
        except sqlite3.DatabaseError as error:
            _raise_unless_damaged(error)
            rows = self._readable_rows(first, last)
        self._tally(rows)
        self.checked_events += last - first + 1
        if not leaves:
            return
        try:
            made = stored_leaves(rows, self._store.content.names)
        except (struct.error, TypeError, AttributeError):
            made = []
        if made == leaves or (root is not None and tree_root(made) == root):
            self.matching_events += len(made)
            return
        self._compare(first, leaves, rows)

    def _readable_rows(self, first: int, last: int) -> list[tuple[Any, ...]]:
        rows = []
        for seq in range(first, last + 1):
            try:
                rows += self._store.content.raw_rows(seq, seq)
            except sqlite3.DatabaseError as error:
                _raise_unless_damaged(error)
                rows.append((seq, *[None] * 4, *[_UNREADABLE] * 9))
        return rows

    def _tally(self, rows: Sequence[Sequence[Any]]) -> None:
        for counts, place in zip(self.counts, (3, 4, 5, 11), strict=True):
            counts.update([row[place] for row in rows])

    def _compare(self, first: int, leaves: Sequence[bytes], rows: Sequence[Sequence[Any]]) -> None:
        """Look at each event of a block in which not all is as it was sealed."""
        there = {row[0]: row for row in rows}
        for seq, leaf in enumerate(leaves, first):
            row = there.get(seq)
            if row is None:
                if self.declared.is_pruned(seq):
                    self.pruned_events += 1
                else:
                    self.wrong.add(Wrong.MISSING, seq)
            elif row[-1] is _UNREADABLE:
                self.wrong.add(Wrong.UNREADABLE, seq)
            else:
                self._compare_one(seq, leaf, stored_leaf(row, self._store.content.names))

    def _compare_one(self, seq: int, leaf: bytes, made: bytes) -> None:
        if self.declared.is_pruned(seq):
            self.wrong.add(Wrong.RETURNED, seq)
        elif seq in self.declared.redacted:
            if made in (self.declared.redacted[seq], leaf):
                self.redacted_events += 1
            else:
                self.wrong.add(Wrong.CHANGED, seq)
        elif made == leaf:
            self.matching_events += 1
        else:
            self.wrong.add(Wrong.CHANGED, seq)


_UNREADABLE = object()


def _raise_unless_damaged(error: sqlite3.DatabaseError) -> None:
    """Go on after damage; let everything else, an interrupt above all, end the walk."""
    if (getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF) not in _DAMAGE:
        raise error


_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
