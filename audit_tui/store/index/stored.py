"""A segment that lies in the file, read as it is asked for."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pyroaring import BitMap

from audit_tui.store.index.blocks import (
    Counts,
    Fences,
    TimeBlock,
    damaged,
    unpack,
    unpack_seqs,
)
from audit_tui.store.index.fields import MAX_VALUE
from audit_tui.store.index.segment import NOTHING, Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from audit_tui.store.index.cache import Cache
    from audit_tui.store.index.fields import IndexField

MAX_EVENTS = 1 << 26
"""A segment that says it has more is a lie: none is made of more than 16 million."""
_AT_ONCE = 64
"""Bitmaps read by one statement."""
_ONE = "SELECT place, data FROM index_bitmaps WHERE place = ?"
_SEVERAL = f"SELECT place, data FROM index_bitmaps WHERE place IN ({', '.join('?' * _AT_ONCE)})"  # noqa: S608
_FEW = 4_096
"""For up to this many events each seq is looked up: 2 ms."""
_OBJECT_BYTES = 120
"""Memory of an object beside its content, about."""


class Source(Protocol):
    """A database that segments are read from."""

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement."""
        ...

    def stream(self, statement: str, parameters: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement, one in memory at a time."""
        ...


class Header(NamedTuple):
    """A row of the table of segments, without its fences."""

    id: int
    stamp: int
    first_seq: int
    last_seq: int
    events: int
    first_us: int
    last_us: int
    is_ordered: int


def in_order(rows: Iterable[tuple[int, ...]]) -> list[Header]:
    """Return rows of ``HEADERS`` in the order of their seqs.

    Raises:
        StoreDamaged: If one holds something else than numbers.
    """
    return sorted(map(Header._make, numbers_of(rows)), key=lambda header: header.first_seq)


def numbers_of(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, ...]]:
    """Yield rows that hold nothing but numbers: another program may have put anything into a table.

    Raises:
        StoreDamaged: If one does not.
    """
    for row in rows:
        if any(type(value) is not int for value in row):
            raise damaged("has something else where a number should be")
        yield row


HEADERS = f"SELECT {', '.join(Header._fields)} FROM index_segments"  # noqa: S608 - our own


def value_place(segment: int, field: int) -> int:
    """Return the row of the values of a field."""
    return segment << 8 | field


def bitmap_place(segment: int, field: int, value: int) -> int:
    """Return the row of the bitmap of a value."""
    return segment << 40 | field << 32 | value


def block_place(segment: int, block: int) -> int:
    """Return the row of a block."""
    return segment << 32 | block


class StoredSegment(Segment):
    """A segment of the table.

    Args:
        header: Its row.
        source: What reads more of it.
        cache: What was read before.
        file_key: Another one for another file, where the cache is shared.

    Raises:
        StoreDamaged: If the row cannot be right; so may every method.
    """

    def __init__(self, header: Header, source: Source, cache: Cache, file_key: object = None) -> None:
        seqs = header.last_seq - header.first_seq + 1
        is_right = (
            header.last_seq <= MAX_VALUE
            and 0 < header.events <= min(seqs, MAX_EVENTS)
            and header.first_us <= header.last_us
        )
        if not is_right or (header.is_ordered and header.events != seqs):
            raise damaged("has a segment that cannot be")
        self.header = header
        self.key = (file_key, header)
        # Its hash is worked out once, where that of a tuple takes 0.3 us each time.
        self._name = repr(self.key)
        self.first_seq, self.last_seq, self.events = header.first_seq, header.last_seq, header.events
        self.first_us, self.last_us = header.first_us, header.last_us
        self.is_ordered = bool(header.is_ordered)
        self._source, self._cache = source, cache
        self._fences: Fences | None = None

    @property
    def fences(self) -> Fences:
        """Facts of its blocks that need no reading of them."""
        if self._fences is None:
            rows = self._source.rows("SELECT fences FROM index_segments WHERE id = ?", (self.header.id,))
            packed = rows[0][0] if rows else None
            self._fences = Fences.unpack(packed)
            if self._fences.starts[-1] >= self.events:
                raise damaged("has blocks beyond its events")
        return self._fences

    def count_before(self, time_us: int) -> int:
        """Return how many events are earlier than a time."""
        if time_us <= self.first_us:
            return 0
        if time_us > self.last_us:
            return self.events
        block = bisect_left(self.fences.times, time_us) - 1
        if block < 0:
            return 0
        return self.fences.starts[block] + self.time_block(block).count_before(time_us)

    def seqs(self, places: Sequence[int]) -> list[int]:
        """Return the seqs of the events at ascending places."""
        if self.is_ordered:
            return [self.first_seq + place for place in places]
        seqs: list[int] = []
        for block, begin, low, high in self._by_block(places):
            of_block = self.seq_block(block)
            seqs += [of_block[place - begin] for place in places[low:high]]
        return seqs

    def times(self, places: Sequence[int]) -> list[int]:
        """Return the times of the events at ascending places."""
        times: list[int] = []
        for block, begin, low, high in self._by_block(places):
            of_block = self.time_block(block)
            first, last = places[low] - begin, places[high - 1] - begin
            if last - first == high - 1 - low:
                times += of_block.between(first, last + 1)
            else:
                times += [of_block.at(place - begin) for place in places[low:high]]
        return times

    def places(self, seqs: BitMap) -> BitMap:
        """Return the places of those of its events that are among these seqs."""
        if self.is_ordered:
            return _shifted(seqs & BitMap(range(self.first_seq, self.last_seq + 1)), -self.first_seq)
        if seqs.range_cardinality(self.first_seq, self.last_seq + 1) == self.last_seq - self.first_seq + 1:
            return self.everything
        fences = self.fences
        pieces: list[BitMap] = []
        for block, (lowest, highest) in enumerate(zip(fences.lowest, fences.highest, strict=True)):
            wanted = seqs.range_cardinality(lowest, highest + 1)
            if not wanted:
                continue
            begin = fences.starts[block]
            of_block = range(begin, begin + self.events_in(block))
            if wanted == highest - lowest + 1:
                pieces.append(BitMap(of_block))
                continue
            of_seqs = self.seq_block(block)
            if isinstance(of_seqs, range):
                pieces.append(_shifted(seqs & BitMap(of_seqs), begin - of_seqs.start))
            else:
                numbered = zip(of_block, of_seqs, strict=True)
                pieces.append(BitMap([place for place, seq in numbered if seq in seqs]))
        return BitMap.union(NOTHING, *pieces)

    def seqs_around(self, places: BitMap) -> BitMap:
        """Return the seqs of the events at some places, and maybe of others near them."""
        if self.is_ordered:
            return _shifted(places, self.first_seq)
        if len(places) <= _FEW:
            return BitMap(self.seqs(list(places)))
        if len(places) == self.events:
            return BitMap(range(self.first_seq, self.last_seq + 1))
        fences = self.fences
        blocks = zip(
            fences.starts, [*fences.starts[1:], self.events], fences.lowest, fences.highest, strict=True
        )
        ranges = [
            BitMap(range(lowest, highest + 1))
            for begin, end, lowest, highest in blocks
            if places.range_cardinality(begin, end)
        ]
        return BitMap.union(NOTHING, *ranges)

    def counts(self, field: IndexField) -> Counts | None:
        """Return the values of a field; None where there are no bitmaps of it."""
        key = (self.key, "counts", field.number)
        counts = self._cache.get(key, Counts)
        if counts is None:
            place = value_place(self.header.id, field.number)
            rows = self._source.rows("SELECT data FROM index_values WHERE place = ?", (place,))
            if not rows:
                return None
            counts = Counts.unpack(rows[0][0], has_texts=field.is_text)
            # An entry of a dictionary with its two numbers is about 100 bytes.
            size_bytes = _OBJECT_BYTES * len(counts.events) + 2 * len(rows[0][0])
            self._cache.put(key, counts, size_bytes)
        return counts

    def bitmaps(
        self,
        field: IndexField,
        values: Sequence[int],
        *,
        is_kept: bool = True,
        within: range | None = None,
    ) -> list[BitMap]:
        """Return the places of each of these values, which must not be changed."""
        begin = bitmap_place(self.header.id, field.number, 0)
        name = self._name
        bitmaps = self._cache.get_all([(name, begin + value) for value in values], BitMap)
        lacking = [place for place, bitmap in enumerate(bitmaps) if bitmap is None]
        for first in range(0, len(lacking), _AT_ONCE):
            some = lacking[first : first + _AT_ONCE]
            read = self._read(begin, [values[place] for place in some], is_kept=is_kept, within=within)
            for place in some:
                bitmaps[place] = read.get(values[place], NOTHING)
        return [NOTHING if bitmap is None else bitmap for bitmap in bitmaps]

    def stream(self, field: IndexField) -> Iterator[tuple[int, BitMap]]:
        """Yield each value with its places, and keep none of them."""
        counts = self.counts(field)
        begin = bitmap_place(self.header.id, field.number, 0)
        values = [] if counts is None else list(counts.events)
        for first in range(0, len(values), _AT_ONCE):
            yield from self._read(begin, values[first : first + _AT_ONCE], is_kept=False).items()

    def block_of(self, place: int) -> int:
        """Return the block of an event."""
        return bisect_right(self.fences.starts, place) - 1

    def events_in(self, block: int) -> int:
        """Return how many events a block has."""
        starts = self.fences.starts
        return (starts[block + 1] if block + 1 < len(starts) else self.events) - starts[block]

    def time_block(self, block: int) -> TimeBlock:
        """Return the times of a block."""
        events = self.events_in(block)
        times: TimeBlock = self._block("times", block, lambda data: TimeBlock(data, events))
        return times

    def seq_block(self, block: int) -> Sequence[int]:
        """Return the seqs of a block."""
        lowest, events = self.fences.lowest[block], self.events_in(block)
        if self.is_ordered:
            return range(lowest, lowest + events)
        seqs: Sequence[int] = self._block("seqs", block, lambda data: unpack_seqs(data, lowest, events))
        return seqs

    def _by_block(self, places: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
        """Yield the blocks of ascending places: number, first place, from where to where they stand."""
        low = 0
        while low < len(places):
            block = self.block_of(places[low])
            begin = self.fences.starts[block]
            high = bisect_left(places, begin + self.events_in(block), low)
            yield block, begin, low, high
            low = high

    def _block(self, column: str, block: int, unpack: Callable[[object], Any]) -> Any:  # noqa: ANN401 - two kinds
        key = (self.key, column, block)
        unpacked = self._cache.get(key, object)
        if unpacked is None:
            place = block_place(self.header.id, block)
            rows = self._source.rows(f"SELECT {column} FROM index_blocks WHERE place = ?", (place,))  # noqa: S608
            unpacked = unpack(rows[0][0] if rows else None)
            self._cache.put(key, unpacked, _OBJECT_BYTES + 8 * self.events_in(block))
        return unpacked

    def _read(
        self, begin: int, values: Sequence[int], *, is_kept: bool, within: range | None = None
    ) -> dict[int, BitMap]:
        places = [begin + value for value in values]
        if len(places) > 1:
            places += [-1] * (_AT_ONCE - len(places))
        bitmaps: dict[int, BitMap] = {}
        for place, data in self._source.stream(_ONE if len(places) == 1 else _SEVERAL, places):
            bitmap = bitmap_of(data, self.events, within)
            if is_kept and within is None:
                self._cache.put((self._name, place), bitmap, _size_of(data))
            bitmaps[place - begin] = bitmap
        return bitmaps


def _size_of(data: bytes) -> int:
    """Return about how much memory a stored bitmap takes."""
    cookie, containers = unpack("I", data[:8])
    if cookie & 0xFFFF == _WITH_RUNS:
        containers = (cookie >> 16) + 1
    return _OBJECT_BYTES + len(data) + _CONTAINER_BYTES * containers


def _cut(data: bytes, within: range) -> bytes:
    """Return a stored bitmap without the parts of 65,536 places that lie outside a range: 2 µs, not 20."""
    if data[:4] != _WITHOUT_RUNS or sys.byteorder == "big":
        return data
    parts = int.from_bytes(data[4:8], "little")
    offsets = 8 + 4 * parts
    view = memoryview(data)
    keys, begins = view[8:offsets].cast("H")[::2], view[offsets : offsets + 4 * parts].cast("I")
    low = bisect_left(keys, within.start >> 16)
    high = bisect_right(keys, (within.stop - 1) >> 16, low)
    body = view[begins[low] : begins[high] if high < parts else len(data)] if low < high else b""
    count = (high - low).to_bytes(4, "little")
    # Nobody reads where the parts begin.
    return b"".join((_WITHOUT_RUNS, count, view[8 + 4 * low : 8 + 4 * high], bytes(4 * (high - low)), body))


_WITHOUT_RUNS = (12_346).to_bytes(4, "little")
"""The beginning of a bitmap without runs of places."""
_WITH_RUNS = 12_347
"""The beginning of a bitmap that has runs of places."""
_CONTAINER_BYTES = 40
"""Memory of each part of 65,536 places beside its content."""


def bitmap_of(data: object, events: int, within: range | None = None) -> BitMap:
    """Return a stored bitmap of places, or at least those of them that lie within a range.

    Raises:
        StoreDamaged: If it is something else, or has places beyond that many events.
    """
    if not isinstance(data, bytes):
        raise damaged("lacks a bitmap")
    try:
        bitmap = BitMap.deserialize(data if within is None else _cut(data, within))
    except (ValueError, IndexError, TypeError) as error:
        raise damaged("has a bitmap that is none") from error
    if bitmap and bitmap.max() >= events:
        raise damaged("has a bitmap of events that are not there")
    return bitmap


def _shifted(bitmap: BitMap, offset: int) -> BitMap:
    return bitmap.shift(offset) if offset else bitmap
