"""Writing segments: from rows, and from other segments without a look at the rows."""

from __future__ import annotations

import os
from array import array
from collections import defaultdict
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

from pyroaring import BitMap

from audit_tui.store.index.blocks import BLOCK_EVENTS, Fences, pack_counts, pack_seqs, pack_times
from audit_tui.store.index.fields import FIELDS, MISSING, IndexField
from audit_tui.store.index.segment import NOTHING, RowSegment, is_worth_texts
from audit_tui.store.index.stored import bitmap_place, block_place, value_place
from audit_tui.store.tables import index_layout

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from audit_tui.store.index.stored import StoredSegment

_LEAST_BLOCK = BLOCK_EVENTS // 2
"""A block is copied as it is where this does not make one shorter than this."""
_STEPS_A_RUN = 30
"""Moving a run of a bitmap takes as long as moving this many single places: 1.5 µs."""
MAX_SEGMENT = 1 << 24
"""Events of a segment that is made of others: its bitmaps have at most 2 MB each."""


class Run(NamedTuple):
    """Consecutive places of a segment that stay together in the new one."""

    source: int
    start: int
    stop: int


def write_rows(connection: sqlite3.Connection, segment: RowSegment) -> None:
    """Write a segment that was made of rows, inside the caller's transaction."""
    if not segment.events:
        return
    seqs = segment.seqs(range(segment.events))
    is_ordered = seqs == list(range(segment.first_seq, segment.last_seq + 1))
    writer = _SegmentWriter(connection, segment.first_seq, segment.last_seq, is_ordered=is_ordered)
    writer.add(segment.times(range(segment.events)), seqs)
    for field in FIELDS:
        counts = segment.counts(field)
        if counts is not None:
            values = list(counts.events)
            bitmaps = zip(values, segment.bitmaps(field, values), strict=True)
            writer.write_field(field, bitmaps, counts.texts)
    writer.finish()


def merge(
    connection: sqlite3.Connection,
    sources: Sequence[StoredSegment],
    removed: Mapping[int, BitMap] | None = None,
) -> None:
    """Put one segment in place of several, inside the caller's transaction.

    Args:
        connection: The store.
        sources: In the order of their seqs, with nothing in between.
        removed: Places that are left out, by the number of the segment among these.
    """
    dropped = dict(removed or {})
    runs = list(_runs(sources, dropped))
    is_ordered = not dropped and _is_in_order(sources)
    if runs:
        writer = _SegmentWriter(connection, sources[0].first_seq, sources[-1].last_seq, is_ordered=is_ordered)
        _copy_blocks(writer, sources, runs)
        maps = [_PlaceMap(runs, number, source.events) for number, source in enumerate(sources)]
        for field in FIELDS:
            _merge_field(writer, field, sources, maps)
        writer.finish()
    for source in sources:
        delete(connection, source)


def move_values(
    connection: sqlite3.Connection,
    segment: StoredSegment,
    field: IndexField,
    moves: Sequence[tuple[int, int | str | None, int | str | None]],
) -> None:
    """Give events of a segment another value of a field.

    Args:
        connection: The store, in a transaction.
        segment: Which holds them.
        field: One that the segment has bitmaps of.
        moves: The place of each event, the value that it had and the one that it has; a text where the field
            has texts, else a number.
    """
    counts = segment.counts(field)
    if counts is None:
        return
    texts: list[int | str | None] = [None, *(counts.texts or ())]
    bitmaps = {texts[v] if field.is_text else v: BitMap(bitmap) for v, bitmap in segment.stream(field)}
    for place, before, after in moves:
        bitmaps[before].discard(place)
        bitmaps.setdefault(after, BitMap()).add(place)
    _delete_field(connection, segment, field)
    writer = _SegmentWriter(connection, segment.first_seq, segment.last_seq, number=segment.header.id)
    if field.is_text:
        write_texts(writer, field, {None if text is None else str(text): b for text, b in bitmaps.items()})
    else:
        writer.write_field(field, sorted((int(value or 0), b) for value, b in bitmaps.items()), None)


def restamp(connection: sqlite3.Connection, segment: StoredSegment) -> None:
    """Let nobody use what was kept of a segment."""
    connection.execute("UPDATE index_segments SET stamp = ? WHERE id = ?", (_stamp(), segment.header.id))


def delete(connection: sqlite3.Connection, segment: StoredSegment) -> None:
    """Take a segment away."""
    number = segment.header.id
    for field in FIELDS:
        _delete_field(connection, segment, field)
    ends = block_place(number, 0), block_place(number + 1, 0) - 1
    connection.execute("DELETE FROM index_blocks WHERE place BETWEEN ? AND ?", ends)
    connection.execute("DELETE FROM index_segments WHERE id = ?", (number,))


def _delete_field(connection: sqlite3.Connection, segment: StoredSegment, field: IndexField) -> None:
    number = segment.header.id
    ends = bitmap_place(number, field.number, 0), bitmap_place(number, field.number + 1, 0) - 1
    connection.execute("DELETE FROM index_bitmaps WHERE place BETWEEN ? AND ?", ends)
    with index_layout.overwriting(connection):
        connection.execute("DELETE FROM index_values WHERE place = ?", (value_place(number, field.number),))


def _stamp() -> int:
    return int.from_bytes(os.urandom(8), "big") >> 1


class _SegmentWriter:
    """Writes one segment, its blocks as they come.

    Args:
        connection: In a transaction.
        first_seq: Of the seqs that it covers.
        last_seq: Of the seqs that it covers.
        is_ordered: Its places follow its seqs.
        number: Of a segment that exists; None takes a new one.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        first_seq: int,
        last_seq: int,
        *,
        is_ordered: bool = False,
        number: int | None = None,
    ) -> None:
        self._connection = connection
        self._first_seq, self._last_seq = first_seq, last_seq
        self._is_ordered = is_ordered
        if number is None:
            row = connection.execute("SELECT ifnull(max(id), 0) + 1 FROM index_segments").fetchone()
            number = int(row[0])
        self.number = number
        self._fences = Fences.empty()
        self._events = 0
        self._last_us = 0
        self._times: array[int] = array("q")
        self._seqs: array[int] = array("q")

    def add(self, times: Sequence[int], seqs: Sequence[int]) -> None:
        """Take the events at the next places."""
        self._times.extend(times)
        self._seqs.extend(seqs)
        while len(self._times) >= 2 * BLOCK_EVENTS:
            self._flush(BLOCK_EVENTS)

    def take_block(self, source: StoredSegment, block: int) -> bool:
        """Take a whole block as it is stored; False where that would leave a short one before it."""
        if 0 < len(self._times) < _LEAST_BLOCK or source.events_in(block) < _LEAST_BLOCK:
            return False
        if self._times:
            self._flush(len(self._times))
        row = self._connection.execute(
            "SELECT seqs, times FROM index_blocks WHERE place = ?", (block_place(source.header.id, block),)
        ).fetchone()
        fences, events = source.fences, source.events_in(block)
        lowest, highest = fences.lowest[block], fences.highest[block]
        seqs = row[0]
        if seqs is None and not self._is_ordered:
            seqs = pack_seqs(range(lowest, highest + 1))
        last_us = source.time_block(block).at(events - 1)
        self._write((fences.times[block], last_us), (lowest, highest), events, (seqs, row[1]))
        return True

    def write_field(
        self, field: IndexField, bitmaps: Iterable[tuple[int, BitMap]], texts: Sequence[str] | None
    ) -> None:
        """Write the bitmaps of a field, by value."""
        values: list[int] = []
        events: list[int] = []

        def packed() -> Iterator[tuple[int, bytes]]:
            for value, bitmap in bitmaps:
                if not bitmap:
                    continue
                values.append(value)
                events.append(len(bitmap))
                compact = BitMap(bitmap)
                compact.run_optimize()
                yield bitmap_place(self.number, field.number, value), compact.serialize()

        self._connection.executemany("INSERT INTO index_bitmaps (place, data) VALUES (?, ?)", packed())
        self._connection.execute(
            "INSERT INTO index_values (place, data) VALUES (?, ?)",
            (value_place(self.number, field.number), pack_counts(values, events, texts)),
        )

    def finish(self) -> None:
        """Write what is left, and the segment itself."""
        if len(self._times) > BLOCK_EVENTS:
            self._flush(len(self._times) // 2)
        if self._times:
            self._flush(len(self._times))
        first_us = self._fences.times[0]
        self._connection.execute(
            "INSERT INTO index_segments"
            " (id, stamp, first_seq, last_seq, events, first_us, last_us, is_ordered, fences)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.number, _stamp(), self._first_seq, self._last_seq, self._events, first_us, self._last_us,
                int(self._is_ordered), self._fences.pack(),
            ),
        )  # fmt: skip

    def _flush(self, events: int) -> None:
        times, seqs = self._times[:events], self._seqs[:events]
        del self._times[:events], self._seqs[:events]
        packed = None if self._is_ordered else pack_seqs(seqs)
        self._write((times[0], times[-1]), (min(seqs), max(seqs)), events, (packed, pack_times(times)))

    def _write(
        self, times: tuple[int, int], seqs: tuple[int, int], events: int, packed: tuple[bytes | None, bytes]
    ) -> None:
        place = block_place(self.number, len(self._fences.starts))
        self._connection.execute(
            "INSERT INTO index_blocks (place, seqs, times) VALUES (?, ?, ?)", (place, *packed)
        )
        for fence, value in zip(self._fences, (self._events, times[0], *seqs), strict=True):
            fence.append(value)
        self._events += events
        self._last_us = times[1]


def _is_in_order(sources: Sequence[StoredSegment]) -> bool:
    follow = all(
        older.last_us <= newer.first_us and older.last_seq + 1 == newer.first_seq
        for older, newer in pairwise(sources)
    )
    return follow and all(source.is_ordered for source in sources)


def _runs(sources: Sequence[StoredSegment], removed: Mapping[int, BitMap]) -> Iterator[Run]:
    """Yield the new order of the places."""
    last: Run | None = None
    for run in _windows(sources, removed):
        if last is not None and last.source == run.source and last.stop == run.start:
            last = Run(last.source, last.start, run.stop)
            continue
        if last is not None:
            yield last
        last = run
    if last is not None:
        yield last


def _windows(sources: Sequence[StoredSegment], removed: Mapping[int, BitMap]) -> Iterator[Run]:
    """Yield runs in order, from one window of time to the next, so that little is in memory at once."""
    numbers = range(len(sources))
    edges = sorted(set(chain.from_iterable(source.fences.times for source in sources)))
    starts = [0] * len(sources)
    for edge in [*edges[1:], None]:
        stops = [source.events if edge is None else source.count_before(edge) for source in sources]
        present = [number for number in numbers if starts[number] < stops[number]]
        if len(present) == 1:
            (number,) = present
            yield from _pieces(number, starts[number], stops[number], removed.get(number, NOTHING))
        elif present:
            yield from _interleaved(sources, {n: (starts[n], stops[n]) for n in present}, removed)
        starts = stops


def _pieces(number: int, start: int, stop: int, removed: BitMap) -> Iterator[Run]:
    """Yield what is left of a run."""
    if removed.range_cardinality(start, stop):
        for place in removed & BitMap(range(start, stop)):
            if start < place:
                yield Run(number, start, place)
            start = place + 1
    if start < stop:
        yield Run(number, start, stop)


def _interleaved(
    sources: Sequence[StoredSegment], parts: Mapping[int, tuple[int, int]], removed: Mapping[int, BitMap]
) -> Iterator[Run]:
    """Yield the order of what lies in one window of several segments, an event a run."""
    times: list[int] = []
    places: list[tuple[int, int]] = []
    for number, (start, stop) in parts.items():
        gone = removed.get(number, NOTHING)
        left = [place for place in range(start, stop) if place not in gone] if gone else range(start, stop)
        times += sources[number].times(left)
        places += [(number, place) for place in left]
    # Of the same time, the segment with the lower seqs comes first, and it was put there first.
    for index in sorted(range(len(times)), key=times.__getitem__):
        number, place = places[index]
        yield Run(number, place, place + 1)


def _copy_blocks(writer: _SegmentWriter, sources: Sequence[StoredSegment], runs: Sequence[Run]) -> None:
    for run in runs:
        source, place = sources[run.source], run.start
        while place < run.stop:
            block = source.block_of(place)
            begin = source.fences.starts[block]
            stop = min(run.stop, begin + source.events_in(block))
            is_whole = place == begin and stop == begin + source.events_in(block)
            if not is_whole or not writer.take_block(source, block):
                times = source.time_block(block).between(place - begin, stop - begin)
                writer.add(times, source.seq_block(block)[place - begin : stop - begin])
            place = stop


class _PlaceMap:
    """Moves the places of one segment to where they are in the new one.

    Args:
        runs: The new order.
        number: Of the segment among the sources.
        events: How many it has.
    """

    def __init__(self, runs: Sequence[Run], number: int, events: int) -> None:
        self._runs: list[tuple[Run, int]] = []
        reached = 0
        for run in runs:
            if run.source == number:
                self._runs.append((run, reached - run.start))
            reached += run.stop - run.start
        self._events = events
        self._places: array[int] | None = None

    def moved(self, bitmap: BitMap) -> BitMap:
        """Return where the events of a bitmap are; those left out are not in it."""
        runs = self._runs
        if len(runs) == 1 and runs[0][0].stop - runs[0][0].start == self._events:
            offset = runs[0][1]
            return bitmap.shift(offset) if offset else bitmap
        if len(runs) * _STEPS_A_RUN <= max(len(bitmap), _STEPS_A_RUN * 4):
            pieces = ((bitmap & BitMap(range(run.start, run.stop))).shift(offset) for run, offset in runs)
            return BitMap.union(NOTHING, *pieces)
        return BitMap(array("I", [place for old in bitmap if (place := self._moved_places[old]) != _GONE]))

    @property
    def _moved_places(self) -> array[int]:
        if self._places is None:
            self._places = array("I", [_GONE]) * self._events
            for run, offset in self._runs:
                self._places[run.start : run.stop] = array("I", range(run.start + offset, run.stop + offset))
        return self._places


_GONE = (1 << 32) - 1


def _merge_field(
    writer: _SegmentWriter, field: IndexField, sources: Sequence[StoredSegment], maps: Sequence[_PlaceMap]
) -> None:
    """Write a field of several segments; nothing where one of them has no bitmaps of it."""
    all_counts = [source.counts(field) for source in sources]
    if any(counts is None for counts in all_counts):
        return
    present = [counts for counts in all_counts if counts is not None]
    if field.is_text:
        _merge_texts(writer, field, sources, maps, [counts.texts or [] for counts in present])
        return
    of_value: defaultdict[int, list[int]] = defaultdict(list)
    for number, counts in enumerate(present):
        for value in counts.events:
            of_value[value].append(number)

    def merged() -> Iterator[tuple[int, BitMap]]:
        for value in sorted(of_value):
            parts = [maps[n].moved(sources[n].bitmaps(field, (value,))[0]) for n in of_value[value]]
            yield value, parts[0] if len(parts) == 1 else BitMap.union(*parts)

    writer.write_field(field, merged(), None)


def _merge_texts(
    writer: _SegmentWriter,
    field: IndexField,
    sources: Sequence[StoredSegment],
    maps: Sequence[_PlaceMap],
    texts: Sequence[Sequence[str]],
) -> None:
    """Write a field whose values have other numbers in each segment."""
    if not is_worth_texts(len(set(chain.from_iterable(texts))), sum(source.events for source in sources)):
        return
    of_text: defaultdict[str | None, BitMap] = defaultdict(BitMap)
    for source, place_map, of_source in zip(sources, maps, texts, strict=True):
        for value, bitmap in source.stream(field):
            of_text[None if value == MISSING else of_source[value - 1]] |= place_map.moved(bitmap)
    write_texts(writer, field, of_text)


def write_texts(writer: _SegmentWriter, field: IndexField, of_text: Mapping[str | None, BitMap]) -> None:
    """Write a field by its texts; one that no event has is left out."""
    texts = sorted(text for text, bitmap in of_text.items() if text is not None and bitmap)
    bitmaps = [(number, of_text[text]) for number, text in enumerate(texts, 1)]
    missing = of_text.get(None)
    writer.write_field(field, ([(MISSING, missing)] if missing else []) + bitmaps, texts)
