"""What a reader keeps of the columns between its questions, and what the readers of a store share.

Nothing here imports numpy: that takes 100 ms and 20 MiB, which most commands never need.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from audit_tui.store.columns.blocks import Block
    from audit_tui.store.columns.coverage import Coverage

MAX_SUMMARIES = 64
"""Answers kept for all readers of a store: 10 KiB each."""
MAX_LOOSE_BLOCKS = 8
"""Events in no segment are read as they come, a block each time; so many blocks are read anew as one."""


class Summaries:
    """Answers that several readers of a store need: the last ones, for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, Any] = OrderedDict()

    def find(self, key: Hashable) -> Any | None:  # noqa: ANN401 - what was put there
        """What was kept under a key; None if nothing is."""
        with self._lock:
            if key not in self._found:
                return None
            self._found.move_to_end(key)
            return self._found[key]

    def put(self, key: Hashable, value: object) -> None:
        """Keep an answer, and forget the oldest."""
        with self._lock:
            self._found[key] = value
            self._found.move_to_end(key)
            while len(self._found) > MAX_SUMMARIES:
                self._found.popitem(last=False)


class ColumnIndex:
    """The columns as one reader sees them.

    Args:
        summaries: What it shares with the other readers of the store.
        source: Tells this file from another that lay at the same path.
    """

    def __init__(self, summaries: Summaries, source: Hashable) -> None:
        self.summaries = summaries
        self.source = source
        self._loose: tuple[Hashable, list[Block]] = (None, [])

    def loose_blocks(self, coverage: Coverage, read: Callable[[int, int], Block | None]) -> list[Block]:
        """The events that are in no segment.

        Args:
            coverage: The snapshot's.
            read: Makes a block of the events between two seqs, both inside; None where there are none.
        """
        if not coverage.loose:
            return []
        # All but the end of the last stretch, which grows with the store.
        kind = (coverage.removals, coverage.loose[:-1], coverage.loose[-1].first_seq)
        known, blocks = self._loose
        newest = coverage.loose[-1].last_seq
        reached = max((block.segment.last_seq for block in blocks), default=0)
        if known != kind or reached > newest or len(blocks) > MAX_LOOSE_BLOCKS:
            found = [read(*stretch) for stretch in coverage.loose]
            blocks = [block for block in found if block is not None]
        elif reached < newest:
            more = read(max(reached + 1, coverage.loose[-1].first_seq), newest)
            blocks = blocks if more is None else [*blocks, more]
        self._loose = (kind, blocks)
        return blocks
