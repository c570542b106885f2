"""The events of a snapshot in the order of a text, by the text index."""

from __future__ import annotations

import threading
from bisect import insort
from functools import partial
from itertools import compress, repeat
from operator import and_, xor
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pyroaring import BitMap

from audit_tui.store.index.text_build import MIXED
from audit_tui.store.index.text_index import LEFT_OUT
from audit_tui.store.index.text_parts import Parts
from audit_tui.store.index.text_search import by_two, entries_of
from audit_tui.store.index.text_stretch import TextStretch, bitmap_of, group_part, originals
from audit_tui.store.tables.text_layout import SEPARATOR, GroupPart, block_of, damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from audit_tui.store.index.text_parts import Snapshot
    from audit_tui.store.index.text_search import Entry
    from audit_tui.store.index.text_stretch import Group

_BEGINNING_BYTES = 64
"""Of the first text of a group."""


class TextKey(NamedTuple):
    """A text in the order of texts: without regard to case first. The missing one comes last."""

    is_missing: bool
    folded: bytes
    text: bytes


LOWEST = TextKey(False, b"", b"")
HIGHEST = TextKey(True, b"", b"")
Span: TypeAlias = "Callable[[], tuple[TextKey, TextKey]]"
"""Returns the lowest and the highest text that are wanted now: the more are found, the closer they are."""


class OrderedStretch(TextStretch):
    """The texts of one stretch in their order, as far as they are asked for."""

    def texts_between(self, field: str, span: Span, *, is_up: bool) -> Iterator[tuple[TextKey, BitMap]]:
        """Yield the texts of a field that lie between two, these included, each with its rows.

        A text may come in several parts.

        Args:
            field: A column of texts.
            span: Is asked again before each text.
            is_up: The lower ones first, so that few come where a few of them are enough.

        Raises:
            StoreDamaged: If the stretch does not hold what it should.
        """
        numbers = self._numbers_named(field)
        sets = {number for number, some in enumerate(self._sets) if numbers and numbers[0] in some}
        try:
            if not is_up:
                yield from self._missing(numbers, span)
            if sets and not span()[0].is_missing:
                yield from self._frequent_between(sets, span, is_up=is_up)
                groups = list(zip(self._groups, [*self._groups[1:], None], strict=True))
                for group, following in groups if is_up else reversed(groups):
                    is_of_field = group.fields == MIXED or group.fields in sets
                    if is_of_field and self._may_lie_between(group, following, *span()):
                        yield from self._rare_between(group, sets, span, is_up=is_up)
            if is_up:
                yield from self._missing(numbers, span)
        except (ValueError, IndexError, OverflowError) as error:
            raise damaged("does not hold what it should") from error

    def rows_below(self, field: str, edge: TextKey) -> BitMap:
        """Return the rows whose text of a field comes before another one.

        Raises:
            StoreDamaged: If the stretch does not hold what it should.
        """
        numbers = self._numbers_named(field)
        if edge.is_missing or not numbers:
            return self._presence(numbers)
        sets = frozenset(number for number, some in enumerate(self._sets) if numbers[0] in some)
        try:
            places = _below(edge, self._texts, len(self._text_fields), lambda: [self._case])
            rows = self._union([place for place in places if self._text_fields[place] in sets])
            for group, following in zip(self._groups, [*self._groups[1:], None], strict=True):
                is_of_field = group.fields == MIXED or group.fields in sets
                if is_of_field and self._may_lie_between(group, following, LOWEST, edge):
                    (folded,) = self._frames(group, GroupPart.TEXTS, 1)
                    case = partial(self._frames, group, GroupPart.CASE, 1)
                    places = _below(edge, folded, group.texts, case)
                    rows |= self._rows_of_texts(group, places, sets)
        except (ValueError, IndexError, OverflowError) as error:
            raise damaged("does not hold what it should") from error
        return rows

    def _numbers_named(self, field: str) -> list[int]:
        return [number for number, name in enumerate(self._names) if name == field]

    def _missing(self, numbers: Sequence[int], span: Span) -> Iterator[tuple[TextKey, BitMap]]:
        if span()[1].is_missing:
            yield HIGHEST, self._all_rows() - self._presence(numbers)

    def _frequent_between(
        self, sets: set[int], span: Span, *, is_up: bool
    ) -> Iterator[tuple[TextKey, BitMap]]:
        places = self._places_of(frozenset(sets))
        if not places:
            return
        several = self._texts[1:-1].split(SEPARATOR)
        if len(several) != len(self._text_fields):
            raise damaged("has other texts than it tells")
        places = _between(list(map(several.__getitem__, places)), places, *span())
        for key in self._in_order(several, places, span, lambda: (self._texts, self._case), is_up=is_up):
            yield key[0], self._union([key[1]])

    def _may_lie_between(self, group: Group, following: Group | None, low: TextKey, high: TextKey) -> bool:
        """Tell whether texts of a group may lie between two: those of the next group come later."""
        if following is None or following.fields != group.fields or group.fields == MIXED:
            return True
        first, end = self._beginning(group), self._beginning(following)
        if not (first + end).isascii():
            return True
        both = min(len(first), len(end))
        common = next((place for place in range(both) if first[place] != end[place]), both)
        begin, letters = first[:common].lower(), [b""]
        if common < both:
            letters = [bytes([letter]).lower() for letter in range(first[common], end[common] + 1)]
        is_below = high.is_missing or begin + min(letters) <= high.folded
        return is_below and begin + max(letters) + SEPARATOR >= low.folded

    def _beginning(self, group: Group) -> bytes:
        """Return the beginning of the first text of a group, before it was folded."""
        folded = self._parts.beginning(group_part(group, GroupPart.TEXTS), _BEGINNING_BYTES)
        case = self._parts.beginning(group_part(group, GroupPart.CASE), _BEGINNING_BYTES)
        if case[:1] != SEPARATOR:
            case = bytes(map(xor, folded, case or bytes(len(folded))))
        return case[1:].partition(SEPARATOR)[0]

    def _rare_between(
        self, group: Group, sets: set[int], span: Span, *, is_up: bool
    ) -> Iterator[tuple[TextKey, BitMap]]:
        (folded,) = self._frames(group, GroupPart.TEXTS, 1)
        several = folded[1:-1].split(SEPARATOR)
        if len(several) != group.texts:
            raise damaged("has other texts than it tells")
        places = _between(several, range(group.texts), *span())
        if places:
            ends, rows, fields = self._numbers_of(group)
            if group.fields == MIXED:
                places = [place for place in places if fields[place] in sets]
        if not places:
            return

        def texts() -> tuple[bytes, bytes]:
            # Only as far as the last of them: the lowest texts mostly stand at the beginning.
            length = 1 + sum(map(len, several[: places[-1] + 1])) + places[-1] + 1
            case = self._parts.beginning(group_part(group, GroupPart.CASE), length)
            if case[:1] == SEPARATOR:
                (case,) = self._frames(group, GroupPart.CASE, 1)
            return folded[:length], case

        for key, place in self._in_order(several, places, span, texts, is_up=is_up):
            yield key, bitmap_of(rows[ends[place] : ends[place + 1]])

    def _in_order(
        self,
        several: list[bytes],
        places: Sequence[int],
        span: Span,
        texts: Callable[[], tuple[bytes, bytes]],
        *,
        is_up: bool,
    ) -> Iterator[tuple[TextKey, int]]:
        """Yield some texts in their order, each with its place, as long as they are wanted.

        Args:
            several: All texts, folded.
            places: Of those that may be wanted.
            span: Between which they are.
            texts: Returns them folded, and what makes them as they were before.
            is_up: In ascending order; else in descending.
        """
        if not places:
            return
        unfolded = originals(*texts())
        keys = ((TextKey(False, several[place], unfolded[place]), place) for place in places)
        for key, place in sorted(keys, reverse=not is_up):
            low, high = span()
            if low <= key <= high:
                yield key, place
            elif key > high if is_up else key < low:
                return


def _between(texts: list[bytes], places: Sequence[int], low: TextKey, high: TextKey) -> list[int]:
    """Return the places of those texts that may lie between two."""
    is_between: Iterable[bool] = repeat(True, len(texts))
    if low.folded:
        is_between = map(low.folded.__le__, texts)
    if not high.is_missing:
        is_between = map(and_, is_between, map(high.folded.__ge__, texts))
    return list(compress(places, is_between))


def _below(edge: TextKey, folded: bytes, count: int, case_of: Callable[[], list[bytes]]) -> list[int]:
    """Return the numbers of the texts that come before another one.

    Args:
        edge: The other one.
        folded: The texts.
        count: How many there are.
        case_of: Returns what makes them as they were before they were folded; only where some are equal then.
    """
    several = folded[1:-1].split(SEPARATOR) if count else []
    if len(several) != count:
        raise damaged("has other texts than it tells")
    places = list(compress(range(count), map(edge.folded.__gt__, several)))
    if edge.folded in several:
        unfolded = originals(folded, case_of()[0])
        equal = [place for place, text in enumerate(several) if text == edge.folded]
        places += [place for place in equal if unfolded[place] < edge.text]
    return places


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

        def span() -> tuple[TextKey, TextKey]:
            if self._is_up:
                return edge or LOWEST, nearest.farthest or HIGHEST
            return nearest.farthest or LOWEST, edge or HIGHEST

        def look(entry: Entry, stretch: OrderedStretch, seqs: BitMap) -> None:
            for key, rows in stretch.texts_between(self._field, span, is_up=self._is_up):
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

        def look(entry: Entry, stretch: OrderedStretch, seqs: BitMap) -> None:
            base = block_of(entry.first_seq)
            texts = stretch.texts_between(self._field, lambda: (edge, edge), is_up=True)
            rows = [rows.shift(base) & seqs for _, rows in texts]
            equal.append(BitMap.union(BitMap(), *rows))
            lower.append(len(stretch.rows_below(self._field, edge).shift(base) & seqs))

        self._in_all(look)
        return sum(lower), BitMap.union(BitMap(), *equal)

    def _in_all(self, look: Callable[[Entry, OrderedStretch, BitMap], None]) -> None:
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
            look(entry, OrderedStretch(parts, entry.events), seqs)
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
