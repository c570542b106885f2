"""The events of a snapshot in the order of a text, by the text index."""

from __future__ import annotations

import threading
from bisect import insort
from functools import partial
from itertools import compress, repeat
from operator import and_
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pyroaring import BitMap

from audit_tui.store.index.text_build import MIXED
from audit_tui.store.index.text_index import LEFT_OUT
from audit_tui.store.index.text_parts import Parts, bitmap_of
from audit_tui.store.index.text_search import by_two, entries_of
from audit_tui.store.index.text_stretch import TextStretch, group_part, originals, unfolded
from audit_tui.store.tables.text_layout import SEPARATOR, GroupPart, block_of, damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from typing import Any

    from audit_tui.store.index.text_parts import Snapshot
    from audit_tui.store.index.text_search import Entry
    from audit_tui.store.index.text_stretch import Group

_BEGINNING_BYTES = 64
"""Of the first text of a group."""
_BEGIN_BYTES = 64 * 1024
"""Of the texts of a group: often no others of its half a megabyte are wanted."""
_REGION_BYTES = 4 * 1024
"""Texts of fewer bytes are all looked at: 100 of them take 10 us, and to halve them again 5."""


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
                groups = self._groups_with_next(sets)
                for group, following in groups if is_up else reversed(groups):
                    if self._may_lie_between(group, following, *span()):
                        yield from self._rare_between(group, following, sets, span, is_up=is_up)
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
            for group, following in self._groups_with_next(sets):
                if self._may_lie_between(group, following, LOWEST, edge):
                    (folded,) = self._frames(group, GroupPart.TEXTS, 1)
                    case = partial(self._frames, group, GroupPart.CASE, 1)
                    places = _below(edge, folded, group.texts, case)
                    rows |= bitmap_of(self._rows_of_texts(group, places, sets))
        except (ValueError, IndexError, OverflowError) as error:
            raise damaged("does not hold what it should") from error
        return rows

    def _numbers_named(self, field: str) -> list[int]:
        return [number for number, name in enumerate(self._names) if name == field]

    def _groups_with_next(self, sets: Collection[int]) -> list[tuple[Group, Group | None]]:
        """Return the groups that may have texts of some sets of fields, each with the one that follows."""
        groups = self._groups
        return [
            (group, following if following and following.fields == group.fields != MIXED else None)
            for group, following in zip(groups, [*groups[1:], None], strict=True)
            if group.fields == MIXED or group.fields in sets
        ]

    def _missing(self, numbers: Sequence[int], span: Span) -> Iterator[tuple[TextKey, BitMap]]:
        if span()[1].is_missing:
            yield HIGHEST, self._all_rows() - self._presence(numbers)

    def _frequent_between(
        self, sets: set[int], span: Span, *, is_up: bool
    ) -> Iterator[tuple[TextKey, BitMap]]:
        fields = self._text_fields
        if sets.isdisjoint(fields):
            return
        several = self._texts[1:-1].split(SEPARATOR)
        if len(several) != len(fields):
            raise damaged("has other texts than it tells")
        places = [place for place in _between(several, *span()) if fields[place] in sets]
        for key, place in self._in_order(
            several, places, span, lambda: originals(self._texts, self._case), is_up=is_up
        ):
            yield key, self._union([place])

    def _may_lie_between(self, group: Group, following: Group | None, low: TextKey, high: TextKey) -> bool:
        """Tell whether texts of a group may lie between two: those of the next group come later."""
        if following is None:
            return True
        return _may_lie(self._beginning(group), self._beginning(following), low, high)

    def _beginning(self, group: Group) -> bytes:
        """Return the beginning of the first text of a group, before it was folded."""
        return self._begin_of(group, _BEGINNING_BYTES)[1][1:].partition(SEPARATOR)[0]

    def _begin_of(self, group: Group, length: int) -> tuple[bytes, bytes]:
        """Return the beginning of the texts of a group, folded, and as they were before."""
        folded = self._parts.beginning(group_part(group, GroupPart.TEXTS), length)
        return folded, unfolded(folded, self._parts.beginning(group_part(group, GroupPart.CASE), length))

    def _rare_between(
        self, group: Group, following: Group | None, sets: set[int], span: Span, *, is_up: bool
    ) -> Iterator[tuple[TextKey, BitMap]]:
        for first_of, several, before in self._near(group, following, *span(), is_up=is_up):
            places = _between(several, *span())
            if not places:
                continue
            first, (ends, rows, fields) = first_of(), self._ends_of(group)
            if group.fields == MIXED:
                places = [place for place in places if fields[first + place] in sets]
            for key, place in self._in_order(several, places, span, before, is_up=is_up):
                yield key, bitmap_of(rows[ends[first + place] : ends[first + place + 1]])

    def _near(
        self, group: Group, following: Group | None, low: TextKey, high: TextKey, *, is_up: bool
    ) -> Iterator[tuple[Callable[[], int], list[bytes], Callable[[], list[bytes]]]]:
        """Yield those texts of a group that may lie between two, and maybe others near them.

        They stand in the order of what they were before they were folded: all from one text to another can be
        told to lie elsewhere by these two.

        Yields:
            What returns the number of the first, the texts, folded, and what returns them unfolded.
        """
        if is_up and following is not None:
            several, texts = _whole(*self._begin_of(group, _BEGIN_BYTES))
            if several and not _may_lie(texts[-1], self._beginning(following), low, high):
                yield int, several, lambda: texts
                return
        (folded,) = self._frames(group, GroupPart.TEXTS, 1)
        (case,) = self._frames(group, GroupPart.CASE, 1)
        if group.fields == MIXED or not _is_aligned(folded, case):
            several = folded[1:-1].split(SEPARATOR)
            if len(several) != group.texts:
                raise damaged("has other texts than it tells")
            yield int, several, lambda: originals(folded, case)
            return
        for begin, end in list(_regions(folded, case, low, high))[:: 1 if is_up else -1]:
            several, cased = folded[begin + 1 : end].split(SEPARATOR), case[begin : end + 1]
            yield (
                partial(folded.count, SEPARATOR, 0, begin),
                several,
                partial(originals, folded[begin : end + 1], cased),
            )

    def _in_order(
        self,
        several: list[bytes],
        places: Sequence[int],
        span: Span,
        before: Callable[[], list[bytes]],
        *,
        is_up: bool,
    ) -> Iterator[tuple[TextKey, int]]:
        """Yield some texts in their order, each with its place, as long as they are wanted.

        Args:
            several: All texts, folded.
            places: Of those that may be wanted.
            span: Between which they are.
            before: Returns all as they were before they were folded.
            is_up: In ascending order; else in descending.
        """
        if not places:
            return
        texts = before()
        keys = ((TextKey(False, several[place], texts[place]), place) for place in places)
        for key, place in sorted(keys, reverse=not is_up):
            low, high = span()
            if low <= key <= high:
                yield key, place
            elif key > high if is_up else key < low:
                return


def _between(texts: list[bytes], low: TextKey, high: TextKey) -> list[int]:
    """Return the places of those texts that may lie between two."""
    is_between: Iterable[bool] = repeat(True, len(texts))
    if low.folded:
        is_between = map(low.folded.__le__, texts)
    if not high.is_missing:
        is_below = map(high.folded.__ge__, texts)
        is_between = map(and_, is_between, is_below) if low.folded else is_below
    return list(compress(range(len(texts)), is_between))


def _may_lie(first: bytes, last: bytes, low: TextKey, high: TextKey) -> bool:
    """Tell whether a text that comes from one to another may lie between two others when it is folded.

    Args:
        first: Its beginning, before it was folded.
        last: The same of the other one.
        low: The lower one of the two others.
        high: The higher one.
    """
    both = min(len(first), len(last))
    common = next((place for place in range(both) if first[place] != last[place]), both)
    begin, letters = first[:common], b""
    if not begin.isascii():
        # Others may be folded to less than they are.
        begin = begin[: next(place for place, letter in enumerate(begin) if letter >= 0x80)]
    elif common < both and last[common] < 0x80:
        letters = bytes(range(first[common], last[common] + 1)).lower()
    begin = begin.lower()
    lowest, highest = begin + bytes(sorted(letters)[:1]), begin + bytes(sorted(letters)[-1:])
    return (high.is_missing or lowest <= high.folded) and highest + SEPARATOR >= low.folded


def _whole(folded: bytes, before: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the texts that lie whole in the beginning of a group: folded, and as they were before."""
    several, texts = folded.split(SEPARATOR)[1:-1], before.split(SEPARATOR)[1:-1]
    both = min(len(several), len(texts))
    return several[:both], texts[:both]


def _is_aligned(folded: bytes, case: bytes) -> bool:
    """Tell whether texts certainly have the same lengths as before they were folded.

    Letters that differ by no more than a bit move no separator, but for one byte that the bit makes one.
    """
    return not case or (case[:1] == b"\0" and not case.translate(None, b"\0 ") and b"\xdf" not in folded)


def _regions(folded: bytes, case: bytes, low: TextKey, high: TextKey) -> Iterator[tuple[int, int]]:
    """Yield between which separators texts of a group may lie between two, from the beginning to the end."""

    def text_at(place: int) -> bytes:
        end = place + _BEGINNING_BYTES
        return unfolded(folded[place:end], case[place:end])[1:].partition(SEPARATOR)[0]

    waiting, region = [(0, len(folded) - 1)], (0, 0)
    while waiting:
        begin, end = waiting.pop()
        if not _may_lie(text_at(begin), text_at(folded.rindex(SEPARATOR, begin, end)), low, high):
            continue
        middle = folded.find(SEPARATOR, (begin + end) // 2, end)
        if middle > begin and end - begin > _REGION_BYTES:
            waiting += [(middle, end), (begin, middle)]
        elif region[1] == begin:
            region = region[0], end
        else:
            if region[1]:
                yield region
            region = begin, end
    if region[1]:
        yield region


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
    return sorted(places)


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
