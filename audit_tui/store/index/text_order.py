"""The events of a snapshot in the order of a text, by the text index."""

from __future__ import annotations

import threading
from bisect import insort
from typing import TYPE_CHECKING

from pyroaring import BitMap

from audit_tui.store.index.text_index import LEFT_OUT
from audit_tui.store.index.text_parts import Parts
from audit_tui.store.index.text_search import by_two, entries_of
from audit_tui.store.index.text_stretch import TextKey, TextStretch
from audit_tui.store.tables.text_layout import block_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from audit_tui.store.index.text_parts import Snapshot
    from audit_tui.store.index.text_search import Entry


class TextOrder:
    """The texts of a field that come next in their order, with the events that have them.

    Args:
        snapshot: What may be read.
        field: A column of texts.
        seqs: Of which events.
        is_up: In ascending order; else in descending.
    """

    def __init__(self, snapshot: Snapshot, field: str, seqs: BitMap, *, is_up: bool) -> None:
        self._snapshot, self._field, self._seqs, self._is_up = snapshot, field, seqs, is_up
        self._entries = [entry for entry in entries_of(snapshot) if entry.events != LEFT_OUT]
        self.untested = seqs.copy()
        """The events that lie in no stretch."""
        for entry in self._entries:
            self.untested.remove_range(entry.first_seq, entry.last_seq + 1)

    def nearest(self, edge: TextKey | None, wanted: int) -> tuple[list[tuple[TextKey, BitMap]], bool]:
        """Return the nearest texts, each with its events, and whether these are all.

        Args:
            edge: The text from which on, itself included; None begins at the end of the order.
            wanted: As many events at least, if there are; those of the edge do not count.

        Raises:
            QueryCancelled: If the answer is no longer wanted.
            StoreDamaged: If the index does not hold what it should.
        """
        nearest = _Nearest(edge, wanted, is_up=self._is_up)

        def look(entry: Entry, stretch: TextStretch, seqs: BitMap) -> None:
            low, high = (edge, nearest.farthest) if self._is_up else (nearest.farthest, edge)
            for key, rows in stretch.texts_between(self._field, low, high):
                nearest.add(key, rows.shift(block_of(entry.first_seq)) & seqs)

        self._in_all(look)
        return list(nearest.texts()), nearest.farthest is None

    def below(self, edge: TextKey) -> tuple[int, BitMap]:
        """Return how many events have a text before another one, and the events that have this one.

        Raises:
            QueryCancelled: If the answer is no longer wanted.
            StoreDamaged: If the index does not hold what it should.
        """
        lower: list[int] = []
        equal: list[BitMap] = []

        def look(entry: Entry, stretch: TextStretch, seqs: BitMap) -> None:
            base = block_of(entry.first_seq)
            rows = [rows.shift(base) & seqs for _, rows in stretch.texts_between(self._field, edge, edge)]
            equal.append(BitMap.union(BitMap(), *rows))
            lower.append(len(stretch.rows_below(self._field, edge).shift(base) & seqs))

        self._in_all(look)
        return sum(lower), BitMap.union(BitMap(), *equal)

    def _in_all(self, look: Callable[[Entry, TextStretch, BitMap], None]) -> None:
        """Look into all stretches that hold some of the events."""
        reading = threading.Lock()
        taken: dict[int, None] = {}

        def rows_of(statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
            with reading:
                return self._snapshot.rows(statement, parameters)

        def look_into(entry: Entry) -> None:
            nonlocal taken
            self._snapshot.check()
            seqs = self._seqs & BitMap(range(entry.first_seq, entry.last_seq + 1))
            parts = Parts(rows_of, entry.first_seq)
            if taken:
                parts.read_ahead(taken)
            look(entry, TextStretch(parts, entry.events), seqs)
            taken = parts.taken

        by_two(
            look_into,
            [e for e in self._entries if self._seqs.range_cardinality(e.first_seq, e.last_seq + 1)],
        )


class _Nearest:
    """The texts that are nearest so far."""

    def __init__(self, edge: TextKey | None, wanted: int, *, is_up: bool) -> None:
        self._edge, self._wanted, self._is_up = edge, wanted, is_up
        self._lock = threading.Lock()
        self._seqs: dict[TextKey, BitMap] = {}
        self._keys: list[TextKey] = []
        self._events = 0
        self.farthest: TextKey | None = None
        """Texts beyond this one are not among them; None as long as there are too few."""

    def add(self, key: TextKey, seqs: BitMap) -> None:
        """Add events that have a text."""
        if not seqs:
            return
        with self._lock:
            if self.farthest is not None and (key > self.farthest if self._is_up else key < self.farthest):
                return
            if key in self._seqs:
                self._seqs[key] |= seqs
            else:
                self._seqs[key] = seqs
                insort(self._keys, key)
            if key != self._edge:
                self._events += len(seqs)
            end = -1 if self._is_up else 0
            while self._events - len(self._seqs[self._keys[end]]) >= self._wanted:
                self._events -= len(self._seqs.pop(self._keys.pop(end)))
            if self._events >= self._wanted:
                self.farthest = self._keys[end]

    def texts(self) -> Iterator[tuple[TextKey, BitMap]]:
        """Yield the texts, the nearest first, with their events."""
        for key in self._keys if self._is_up else reversed(self._keys):
            yield key, self._seqs[key]
