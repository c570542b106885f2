"""A segment as questions see it, and one that is made of rows in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left
from collections import defaultdict
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pyroaring import BitMap

from audit_tui.store.index.blocks import Counts, damaged
from audit_tui.store.index.fields import FIELDS, MAX_VALUE, MISSING, IndexField, number_of_choice

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

NOTHING = BitMap()
"""No places; never changed."""
FIRST_SEQ = -(1 << 63)
"""Below every seq: (time, this) is the edge before all events of that time."""
LEAST_EVENTS = 65_536
"""With this many in no segment of a store a private index is made; fewer are read into memory, in 0.2 s."""
MAX_TEXTS = 200_000
"""A segment with more texts in a field has no dictionary of them: it would be megabytes."""


class Moment(NamedTuple):
    """A point in the order of time."""

    occurred_us: int
    seq: int


class Segment(ABC):
    """Events of consecutive seqs, each with its place in the order of (time, seq).

    Attributes:
        key: Equal only for segments with the same content.
        first_seq: Of the seqs that it covers.
        last_seq: Of the seqs that it covers, inside.
        events: How many there are; fewer than seqs once some were pruned.
        first_us: The earliest event.
        last_us: The latest event.
    """

    key: Hashable
    first_seq: int
    last_seq: int
    events: int
    first_us: int
    last_us: int

    @abstractmethod
    def count_before(self, time_us: int) -> int:
        """Return how many events are earlier than a time."""

    @abstractmethod
    def seqs(self, places: Sequence[int]) -> list[int]:
        """Return the seqs of the events at ascending places."""

    @abstractmethod
    def times(self, places: Sequence[int]) -> list[int]:
        """Return the times of the events at ascending places."""

    @abstractmethod
    def places(self, seqs: BitMap) -> BitMap:
        """Return the places of those of its events that are among these seqs."""

    @abstractmethod
    def seqs_around(self, places: BitMap) -> BitMap:
        """Return the seqs of the events at some places, and maybe of others near them."""

    @abstractmethod
    def counts(self, field: IndexField) -> Counts | None:
        """Return the values of a field; None where there are no bitmaps of it."""

    @abstractmethod
    def bitmaps(
        self,
        field: IndexField,
        values: Sequence[int],
        *,
        is_kept: bool = True,
        within: range | None = None,
    ) -> list[BitMap]:
        """Return the places of each of these values, which must not be changed.

        Args:
            field: Which field.
            values: Their numbers.
            is_kept: They are worth keeping for the next question.
            within: Only these places are needed; others may be left out. None for all.
        """

    @property
    def everything(self) -> BitMap:
        """All places."""
        return BitMap(range(self.events))

    def events_of(self, field: IndexField, value: int) -> int:
        """Return how many events have a value; 0 where there are no bitmaps of the field."""
        counts = self.counts(field)
        return 0 if counts is None else counts.events.get(value, 0)

    def moments(self, places: Sequence[int]) -> list[Moment]:
        """Return the moments of the events at ascending places."""
        return list(map(Moment._make, zip(self.times(places), self.seqs(places), strict=True)))

    def place_of(self, moment: Moment) -> int:
        """Return how many events come before a moment."""
        time_us, seq = moment
        if time_us < self.first_us:
            return 0
        if time_us > self.last_us:
            return self.events
        low = self.count_before(time_us)
        if seq <= self.first_seq:
            return low
        high = self.count_before(time_us + 1)
        if seq > self.last_seq:
            return high
        while low < high:
            middle = (low + high) // 2
            if self.seqs((middle,))[0] < seq:
                low = middle + 1
            else:
                high = middle
        return low


_NEW_KEY = count()

_BOUNDS = {"q": range(-(2**63), 2**63), "I": range(2**32)}
"""The numbers that an array of a kind can hold."""


def _array(kind: str, values: Iterable[Any]) -> array[int]:
    """Return numbers of events; 0 for what is not one, so that a damaged event does not hide the others."""
    values = list(values)
    try:
        return array(kind, values)
    except (TypeError, OverflowError):
        bounds = _BOUNDS[kind]
        return array(kind, [value if isinstance(value, int) and value in bounds else 0 for value in values])


class RowSegment(Segment):
    """A segment of rows that were read; the bitmaps of a field are made when they are asked for.

    Args:
        first_seq: Of the seqs that it covers.
    """

    def __init__(self, first_seq: int) -> None:
        self.first_seq, self.last_seq = first_seq, first_seq - 1
        self._times: array[int] = array("q")
        self._seqs: array[int] = array("q")
        self._columns: dict[int, array[int]] = {field.number: array("I") for field in FIELDS}
        self._texts: dict[int, dict[str, int]] = {field.number: {} for field in FIELDS if field.is_text}
        self._sort()

    def extended(self, batches: Iterable[Iterable[Sequence[Any]]], last_seq: int) -> Self:
        """Return this segment with further rows.

        Args:
            batches: Rows as ``fields.ROWS`` gives them, in the order of seqs.
            last_seq: Up to which seq they are all there are.

        Raises:
            StoreDamaged: If a row holds something else than numbers where these should be.
        """
        longer = type(self)(self.first_seq)
        longer._times, longer._seqs = self._times[:], self._seqs[:]
        longer._columns = {number: column[:] for number, column in self._columns.items()}
        longer._texts = {number: dict(texts) for number, texts in self._texts.items()}
        for rows in batches:
            longer.add(rows)
        longer.finish(last_seq)
        return longer

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take further rows; ``finish`` must follow before anything is asked."""
        columns = list(zip(*rows, strict=True))
        if not columns:
            return
        self._seqs.fromlist(list(columns[0]))
        self._times.extend(_array("q", columns[1]))
        for field, column in zip(FIELDS, columns[2:], strict=True):
            self._columns[field.number].extend(_array("I", self._numbers(field, column)))

    def finish(self, last_seq: int) -> None:
        """Put the rows in order.

        Args:
            last_seq: Up to which seq they are all there are.
        """
        self.last_seq = last_seq
        self._sort()

    def count_before(self, time_us: int) -> int:
        """Return how many events are earlier than a time."""
        return bisect_left(self._times, time_us)

    def seqs(self, places: Sequence[int]) -> list[int]:
        """Return the seqs of the events at these places."""
        return [self._seqs[place] for place in places]

    def times(self, places: Sequence[int]) -> list[int]:
        """Return the times of the events at these places."""
        return [self._times[place] for place in places]

    def places(self, seqs: BitMap) -> BitMap:
        """Return the places of those of its events that are among these seqs."""
        return BitMap([place for place, seq in enumerate(self._seqs) if seq in seqs])

    def seqs_around(self, places: BitMap) -> BitMap:
        """Return the seqs of the events at some places."""
        return BitMap(self.seqs(list(places)))

    def counts(self, field: IndexField) -> Counts | None:
        """Return the values of a field; None where there are no bitmaps of it."""
        bitmaps = self._bitmaps(field)
        if bitmaps is None:
            return None
        texts = sorted(self._texts[field.number]) if field.is_text else None
        return Counts({value: len(bitmaps[value]) for value in sorted(bitmaps)}, texts)

    def bitmaps(
        self,
        field: IndexField,
        values: Sequence[int],
        *,
        is_kept: bool = True,
        within: range | None = None,
    ) -> list[BitMap]:
        """Return the places of each of these values, which must not be changed."""
        bitmaps = self._bitmaps(field) or {}
        return [bitmaps.get(value, NOTHING) for value in values]

    def _sort(self) -> None:
        self.key = ("rows", next(_NEW_KEY))
        self._made: dict[int, dict[int, BitMap]] = {}
        times = self._times
        order = sorted(range(len(times)), key=times.__getitem__)
        if order != list(range(len(order))):
            self._times = array("q", list(map(times.__getitem__, order)))
            self._seqs = array("q", list(map(self._seqs.__getitem__, order)))
            self._columns = {
                number: array("I", list(map(column.__getitem__, order)))
                for number, column in self._columns.items()
            }
        self.events = len(times)
        self.first_us, self.last_us = (self._times[0], self._times[-1]) if self.events else (0, 0)

    def _numbers(self, field: IndexField, column: Sequence[Any]) -> Iterable[int]:
        """Return the numbers of the values that a column holds."""
        if field.names is not None:
            return [number or MISSING for number in column]
        if field.choices:
            numbers = number_of_choice(field)
            return [numbers.get(value, field.other) for value in column]
        texts = self._texts[field.number]
        return [
            MISSING if text is None else texts.setdefault(text_of(text), len(texts) + 1) for text in column
        ]

    def _bitmaps(self, field: IndexField) -> dict[int, BitMap] | None:
        if field.is_text and not is_worth_texts(len(self._texts[field.number]), self.events):
            return None
        bitmaps = self._made.get(field.number)
        if bitmaps is None:
            places: defaultdict[int, list[int]] = defaultdict(list)
            for place, value in enumerate(self._columns[field.number]):
                places[value].append(place)
            if field.is_text:
                # As they came they have numbers; as they are stored, the sorted ones count from 1.
                ranked = enumerate(sorted(self._texts[field.number].items(), key=itemgetter(0)), 1)
                rank = {number: place for place, (_, number) in ranked} | {MISSING: MISSING}
                places = defaultdict(list, {rank[number]: of for number, of in places.items()})
            bitmaps = self._made[field.number] = {value: BitMap(of) for value, of in places.items()}
            if max(bitmaps, default=0) >= MAX_VALUE:
                raise damaged("cannot be made: a number is out of all bounds")
        return bitmaps


def is_worth_texts(texts: int, events: int) -> bool:
    """Tell whether a segment keeps a dictionary of a field: not where nearly every event has another text."""
    return texts <= MAX_TEXTS and texts * 2 <= max(events, 256)


def within_of(places: BitMap, segment: Segment) -> range | None:
    """Return a range that holds some places; None where it is much of the segment, or nothing."""
    within = range(places.min(), places.max() + 1) if places else range(0)
    return within if 0 < 2 * len(within) < segment.events else None


def text_of(stored: object) -> str:
    """Return a text as it lies in the file; what is not UTF-8 as escapes."""
    return stored.decode("utf-8", "backslashreplace") if isinstance(stored, bytes) else str(stored)


def is_dense(seqs: Sequence[int]) -> bool:
    """Tell whether most of the seqs from the lowest to the highest are among these."""
    return len(seqs) > 0 and max(seqs) - min(seqs) < 2 * len(seqs)


def stored_values(field: IndexField, column: Iterable[Any]) -> Iterable[int | str | None]:
    """Return the values that a column holds: numbers of a name or a choice, or texts; None for no text."""
    if field.is_text:
        return [None if text is None else text_of(text) for text in column]
    if not field.choices:
        return _array("I", (number or MISSING for number in column))
    numbers = number_of_choice(field)
    return [numbers.get(value, field.other) for value in column]
