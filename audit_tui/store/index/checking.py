"""Comparing the index with the rows that it was made of, a stretch of seqs at a time."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from itertools import count, repeat
from operator import itemgetter, setitem
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from audit_tui.errors import StoreDamaged
from audit_tui.store.index.cache import Cache
from audit_tui.store.index.fields import FIELDS, MISSING, number_of_choice
from audit_tui.store.index.keeper import segments_of
from audit_tui.store.index.segment import RowSegment, text_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from audit_tui.store.index.blocks import Counts
    from audit_tui.store.index.fields import IndexField
    from audit_tui.store.index.stored import StoredSegment

_CACHE_BYTES = 4 * 1024 * 1024
"""Of blocks of times and lists of values; bitmaps are read again for every stretch."""
_AT_ONCE = 16_384
"""Numbers of this many events are compared together: lists of more take tens of megabytes."""
_SEQ = itemgetter(0)


class IndexCheck:
    """Checks the index of a store; each call in a snapshot of its own, which the caller begins.

    Args:
        connection: The store.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cache = Cache(_CACHE_BYTES)

    def stretch_problems(
        self, first_seq: int, last_seq: int, batches: Iterable[Sequence[Sequence[Any]]]
    ) -> Iterator[str]:
        """Make again what the index says of a stretch, and compare.

        All bitmaps are read for that, so that long stretches cost less an event.

        Args:
            first_seq: Of the stretch.
            last_seq: Of the stretch, inside.
            batches: All its events, as ``fields.ROWS`` gives them, in the order of seqs; texts may be bytes.

        Yields:
            What is wrong, a sentence each. What is in no segment is not built yet, and not wrong.
        """
        segments, problem = self._segments()
        if problem:
            yield problem
        parts = []
        for segment in segments:
            first, last = max(first_seq, segment.first_seq), min(last_seq, segment.last_seq)
            if first <= last:
                parts.append((segment, _FileRows(first), last))
        for rows in batches:
            for _, made, last in parts:
                begin = bisect_left(rows, made.first_seq, key=_SEQ)
                end = bisect_right(rows, last, key=_SEQ)
                made.add(rows[begin:end])
        for segment, made, last in parts:
            made.finish(last)
            for problem in self._guarded(_part_problems(segment, made)):
                yield f"The index of the events {made.first_seq:,} to {last:,} {problem}."

    def layout_problems(self) -> Iterator[str]:
        """Look for segments that overlap, for parts of none, and compare all totals with the bitmaps.

        Yields:
            What is wrong, a sentence each.
        """
        reached = 0
        segments, problem = self._segments()
        if problem:
            yield problem
        for segment in segments:
            if segment.first_seq <= reached:
                yield f"The index of the events from {segment.first_seq:,} on overlaps another part."
            reached = max(reached, segment.last_seq)
            for problem in self._guarded(_fence_problems(segment)):
                yield f"The index of the events {segment.first_seq:,} to {segment.last_seq:,} {problem}."
            for field in FIELDS:
                for problem in self._guarded(_total_problems(segment, field)):
                    yield f"The index of the events {segment.first_seq:,} to {segment.last_seq:,} {problem}."
        for table, bits in (("index_bitmaps", 40), ("index_blocks", 32), ("index_values", 8)):
            (strays,) = self._connection.execute(
                f"SELECT count(*) FROM {table} WHERE place >> {bits} NOT IN (SELECT id FROM index_segments)"  # noqa: S608
            ).fetchone()
            if strays:
                yield f"The index has {strays} parts that belong to nothing."

    def _segments(self) -> tuple[list[StoredSegment], str]:
        """Return the segments, and what is wrong with them."""
        try:
            return segments_of(self._connection, self._cache), ""
        except StoreDamaged as error:
            return [], error.message

    def _guarded(self, problems: Iterator[str]) -> Iterator[str]:
        """Yield problems; what cannot be read is one of them."""
        try:
            yield from problems
        except StoreDamaged as error:
            yield f"cannot be read: {error.message}"
        except OverflowError:
            yield "cannot be read: it has numbers out of all bounds"


class _FileRows(RowSegment):
    """Rows as they lie in the file, for comparing."""

    def __init__(self, first_seq: int) -> None:
        super().__init__(first_seq)
        self._number_of: dict[int, defaultdict[object, int]] = {
            field.number: defaultdict(count(1).__next__, {None: MISSING}) for field in FIELDS if field.is_text
        }
        """Of each text as it lies there, from 1 on."""

    def columns(self, field: IndexField, texts: Sequence[str] | None) -> Iterator[Sequence[int | None]]:
        """Yield the values of a field, many at a time; None for a text that is not among these."""
        number_of: dict[str, int] = dict(zip(texts or (), count(1), strict=False))
        numbers = [
            MISSING if raw is None else number_of.get(text_of(raw))
            for raw in self._number_of.get(field.number, ())
        ]
        for begin in range(0, self.events, _AT_ONCE):
            values = self._columns[field.number][begin : begin + _AT_ONCE].tolist()
            yield values if texts is None else list(map(numbers.__getitem__, values))

    def _numbers(self, field: IndexField, column: Sequence[Any]) -> Iterable[int]:
        if field.is_text:
            return map(self._number_of[field.number].__getitem__, column)
        if not field.choices:
            return super()._numbers(field, column)
        numbers = number_of_choice(field)
        numbers |= {choice.encode(): number for choice, number in numbers.items() if isinstance(choice, str)}
        return map(numbers.get, column, repeat(field.other))


def _part_problems(segment: StoredSegment, made: _FileRows) -> Iterator[str]:
    places = segment.places(BitMap(range(made.first_seq, made.last_seq + 1)))
    if len(places) != made.events:
        yield f"is of {len(places):,} events instead of {made.events:,}"
        return
    in_order = array("I", places)
    for begin in range(0, made.events, _AT_ONCE):
        some = in_order[begin : begin + _AT_ONCE]
        numbers = range(begin, begin + len(some))
        if segment.seqs(some) != made.seqs(numbers):
            yield "has them in another order"
            return
        if segment.times(some) != made.times(numbers):
            yield "has other times"
            return
    for field in FIELDS:
        counts = segment.counts(field)
        if counts is None:
            # Only texts may be left out, and then rows are read instead.
            if not field.is_text:
                yield f"has no bitmaps of {field.name}"
        elif not _is_same(segment, field, counts, made, places, in_order):
            yield f"differs from them in {field.name}"


def _fence_problems(segment: StoredSegment) -> Iterator[str]:
    """Compare what is told of blocks, so that they need not be read, with the blocks."""
    fences, last = segment.fences, len(segment.fences.starts) - 1
    for block, place in enumerate(fences.starts):
        times, seqs = segment.time_block(block), segment.seq_block(block)
        if isinstance(seqs, range):
            first_seq = segment.first_seq + place if segment.is_ordered else seqs[0]
            expected = (times.at(0), first_seq, first_seq + len(seqs) - 1)
        else:
            expected = (times.at(0), min(seqs), max(seqs))
        if (fences.times[block], fences.lowest[block], fences.highest[block]) != expected:
            yield "tells other times or numbers of a block than it has"
            return
    ends = (fences.times[0], segment.time_block(last).at(segment.events_in(last) - 1))
    if (segment.first_us, segment.last_us) != ends:
        yield "tells another time of its first or last event"


def _is_same(
    segment: StoredSegment,
    field: IndexField,
    counts: Counts,
    made: _FileRows,
    places: BitMap,
    in_order: Sequence[int],
) -> bool:
    """Tell whether a field has the same values at some places."""
    offset = in_order[0] if in_order else 0
    is_range = not in_order or in_order[-1] - offset == len(in_order) - 1
    number_at = {} if is_range else dict(zip(in_order, count(), strict=False))
    stored: list[int | None] = [None] * len(in_order)
    # Each event has one value: with more, a bitmap has an event that it should not have.
    events = 0
    for value, bitmap in segment.stream(field):
        some = bitmap & places
        events += len(some)
        numbers = some.shift(-offset).to_array() if is_range else map(number_at.__getitem__, some)
        deque(map(setitem, repeat(stored), numbers, repeat(value)), maxlen=0)
    return events == len(in_order) and all(
        stored[begin : begin + _AT_ONCE] == values
        for begin, values in zip(count(0, _AT_ONCE), made.columns(field, counts.texts), strict=False)
    )


def _total_problems(segment: StoredSegment, field: IndexField) -> Iterator[str]:
    counts = segment.counts(field)
    if counts is None:
        return
    stored = {value: len(bitmap) for value, bitmap in segment.stream(field)}
    if stored != counts.events or sum(stored.values()) != segment.events:
        yield f"has other totals of {field.name} than events"
    if counts.texts is not None and counts.texts != sorted(set(counts.texts)):
        yield f"has texts of {field.name} out of order"
