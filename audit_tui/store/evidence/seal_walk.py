"""Walking over a store's seals from the first block to the last: leaves, roots, heads, and the events."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.evidence.merkle import BLOCK_LEAVES, Frontier, tree_root
from audit_tui.store.evidence.block_check import BlockCheck, raise_unless_damaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit_tui.store.evidence.declared import Declared
    from audit_tui.store.evidence.seal_reading import Block, SealedStore

BLOCKS_AT_ONCE = 256
"""In one snapshot: 65,536 events, 0.4 s."""
_ROOTS_AT_ONCE = 8_192
_NO_MARK = 1 << 64


class Mark(NamedTuple):
    """A root that the tree should have at a size: a head's, or a checkpoint's."""

    size: int
    root: bytes


class SealWalk:
    """Checks seals, and events against them, block by block, and can be stopped between any two snapshots.

    Args:
        store: The store to check.
        size: How many events, by the head that the walk goes up to. A forged one may be far beyond the seals.
        marks: The roots that the tree should have on the way.
        declared: Removals that are not damage.
        content_from: The first event whose content is checked; before it only the roots are. 0 checks all.
        with_content: Check the events at all.
        with_events: Compare the events with their leaves; False leaves that to somebody else.
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
        with_events: bool = True,
    ) -> None:
        self.size = size
        self.check = BlockCheck(store, size, declared)
        """The results of the blocks and their events."""
        self.broken_marks: list[Mark] = []
        self.first_broken: tuple[int, int] | None = None
        """The events among which the seals stop fitting the first mark that fails; None when none does."""
        self._blocks = 0
        self._all_blocks = -(-size // BLOCK_LEAVES)
        self._content_from = content_from if with_content else size
        self._with_events = with_events
        self._store = store
        self._edge = Frontier()
        self._lost = False
        self._confirmed_size = 0
        """The largest size whose root was confirmed by a mark."""
        self._marks = sorted({mark for mark in marks if mark.size <= size}, reverse=True)
        self.broken_marks += [mark for mark in self._take_marks(0) if mark.root != Frontier().root()]

    @property
    def is_done(self) -> bool:
        """Tell whether the walk has arrived."""
        return self._blocks >= self._all_blocks

    @property
    def seq(self) -> int:
        """The event up to which everything was looked at."""
        return min(self.size, self._blocks * BLOCK_LEAVES)

    def step(self) -> None:
        """Go on by one snapshot's worth; inside a snapshot of the store."""
        first = self._blocks
        with_content = (first + 1) * BLOCK_LEAVES > self._content_from and self._content_from < self.size
        end = min(self._all_blocks, first + (BLOCKS_AT_ONCE if with_content else _ROOTS_AT_ONCE))
        if not with_content and self._content_from < self.size:
            end = min(end, max(self._content_from // BLOCK_LEAVES, first + 1))
        blocks = self._read_blocks(first, end, with_leaves=with_content)
        for number, block in sorted(blocks.items()):
            self._pass_gap(number)
            if with_content or self._needs_leaves(number, block):
                self._check_block(block, with_content=with_content)
            else:
                self._push(block)
                self.check.blocks += 1
                self.check.matching_blocks += 1
            self._blocks = number + 1
        # A forged head may stand a trillion events beyond the last block.
        self._pass_gap(
            end if blocks else min(self._store.next_block(end) or self._all_blocks, self._all_blocks)
        )

    def _read_blocks(self, first: int, end: int, *, with_leaves: bool) -> dict[int, Block]:
        """Read blocks, of a damaged file those that it still gives."""
        try:
            return {block.number: block for block in self._store.blocks(first, end, with_leaves=with_leaves)}
        except sqlite3.DatabaseError as error:
            raise_unless_damaged(error)
        blocks = {}
        for number in range(first, end):
            try:
                blocks.update({block.number: block for block in self._store.blocks(number, number + 1)})
            except sqlite3.DatabaseError as error:
                raise_unless_damaged(error)
        return blocks

    def _pass_gap(self, target: int) -> None:
        """Note the blocks before this one that do not exist."""
        if target > self._blocks:
            self.check.note_seal(self._blocks, target - 1)
            self.check.blocks += target - self._blocks
            self._lose(target)
            self._blocks = target

    def _needs_leaves(self, number: int, block: Block) -> bool:
        """Tell whether the stored root alone does not do: for a mark inside, or more leaves than wanted."""
        next_mark_size = self._marks[-1].size if self._marks else _NO_MARK
        return next_mark_size <= (number + 1) * BLOCK_LEAVES or block.events != self.check.events_in(number)

    def _check_block(self, block: Block, *, with_content: bool) -> None:
        if not with_content:
            block = self._read_blocks(block.number, block.number + 1, with_leaves=True).get(
                block.number, block
            )
        leaves = self.check.check_seal(block)
        if leaves is None:
            self._lose(block.number + 1)
            return
        self._meet_marks(block.number, leaves)
        # Where leaves were replaced the stored root still leads to the heads, and they tell how far.
        self._push(block)
        if with_content and self._with_events:
            self.check.check_events(block, leaves)

    def _push(self, block: Block) -> None:
        if block.events == BLOCK_LEAVES and not self._lost:
            self._edge.push(block.root)

    def _lose(self, upto_block: int) -> None:
        """Give the marks up: without all blocks before them none can be checked."""
        self._lost = True
        self.broken_marks += self._take_marks(upto_block * BLOCK_LEAVES)

    def _take_marks(self, upto: int) -> list[Mark]:
        taken = []
        while self._marks and self._marks[-1].size <= upto:
            taken.append(self._marks.pop())
        return taken

    def _meet_marks(self, number: int, leaves: Sequence[bytes]) -> None:
        before = number * BLOCK_LEAVES
        roots: dict[int, bytes] = {}
        for mark in self._take_marks(before + len(leaves)):
            if mark.size not in roots:
                roots[mark.size] = self._edge.root(tree_root(leaves[: mark.size - before]))
            if self._lost or mark.root != roots[mark.size]:
                if not self.broken_marks:
                    self.first_broken = (self._confirmed_size + 1, mark.size)
                self.broken_marks.append(mark)
            else:
                self._confirmed_size = mark.size
