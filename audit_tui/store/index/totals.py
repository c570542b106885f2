"""Totals of what matches: how many events have each value, and how many lie in each span of time."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from itertools import compress, islice, pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from audit_tui.core.investigate.facets import add_texts, chosen_values, facet_of
from audit_tui.core.query import Facet
from audit_tui.store.index.fields import MISSING
from audit_tui.store.index.segment import FIRST_SEQ, Moment, is_dense, within_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyroaring import BitMap

    from audit_tui.core.query import FacetField
    from audit_tui.store.index.fields import IndexField
    from audit_tui.store.index.segment import Segment
    from audit_tui.store.index.session import Session
    from audit_tui.store.index.timeline import Bitmaps, Timeline

    Value: TypeAlias = int | str | None
    Totals: TypeAlias = Counter[Value]
    Entry: TypeAlias = list[tuple[int, int]]

FEW_EVENTS = 1_000
"""This many events are read by their rows in up to 6 ms."""
_MANY_ROWS = 20_000
"""More rows are never read instead of bitmaps."""
_NEAR_SEQS = 100_000
"""Rows that lie within this many are in pages of the file that were read already, or are read together."""
_DENSE_ROW_US, _NEAR_ROW_US, _FAR_ROW_US = 1, 5, 20
"""Of a row between others, near others, and alone: 5 to 50, as the file is in memory or on the disk."""
_BITMAP_US, _CONTAINER_US, _KB_US = 6, 0.1, 1
"""Of reading a bitmap and counting in it, of each part of 65,536 places, and of its bytes."""
_ROWS_AT_ONCE = 2_048
_AT_ONCE = 32
_KEPT_BATCHES = 6
"""The bitmaps of the values behind these are read again next time: all of them would push out the others."""


def histogram(matching: Bitmaps, edges_us: Sequence[int]) -> tuple[int, ...]:
    """Return how many events lie from each of these ascending moments to the next."""
    ranks = [matching.rank(Moment(edge, FIRST_SEQ)) for edge in edges_us]
    return tuple(max(0, later - earlier) for earlier, later in pairwise(ranks))


def facets(
    session: Session,
    matching: Bitmaps,
    field: IndexField,
    limit: int,
    *,
    rarest: bool = False,
    counts_all: bool = False,
) -> Facet:
    """Return the values of a field with how many events have each, by its bitmaps."""
    is_whole = rarest or counts_all
    counted = len(matching)
    totals = _Totals(session, matching, field).most(None if is_whole else max(1, limit))
    events = sorted((number for number in totals.values() if number), reverse=not rarest)
    distinct = len(events) if is_whole or sum(events) == counted else None
    if limit <= 0 or not events:
        return Facet((), distinct, counted)
    edge = events[min(limit, len(events)) - 1]
    # Only of those that may be among the first, the names are looked up.
    chosen = [value for value, n in totals.items() if (0 < n <= edge if rarest else n >= edge)]
    if field.names is not None:
        session.learn(field.names, (value for value in chosen if isinstance(value, int)))
    named = {session.text_of(field, value): totals[value] for value in chosen}
    return Facet(chosen_values(named, limit, rarest=rarest), distinct, counted)


def row_facets(
    session: Session,
    timeline: Timeline,
    field: FacetField,
    limit: int,
    *,
    rarest: bool = False,
    most_events: int | None = None,
) -> Facet:
    """Return the values of a field with how many events have each, by their rows."""
    totals: Counter[str | None] = Counter()
    counted, is_whole = 0, True
    if most_events is None:
        matching = timeline.settled()
        parts = zip(matching.segments, matching.places, strict=True)
        batches = (segment.seqs(some) for segment, places in parts for some in _some(iter(places)))
    else:
        seqs = timeline.first(0, most_events + 1, newest_first=True)
        is_whole = len(seqs) <= most_events
        batches = (sorted(some) for some in _some(iter(seqs[:most_events])))
    for batch in batches:
        session.check()
        counted += len(batch)
        for texts in session.field_texts(field, batch):
            add_texts(totals, texts)
    return facet_of(totals, counted, limit, rarest=rarest, is_whole=is_whole)


def _some(numbers: Iterator[int]) -> Iterator[list[int]]:
    while batch := list(islice(numbers, _ROWS_AT_ONCE)):
        yield batch


def has_bitmaps(matching: Bitmaps, field: IndexField) -> bool:
    """Tell whether the index counts a field; a segment with too many texts has none of them."""
    return all(segment.counts(field) is not None for segment in matching.segments)


def all_totals(session: Session, matching: Bitmaps, field: IndexField) -> Totals:
    """Return how many events have each value of a field: its number, or its text where it has texts."""
    return _Totals(session, matching, field).most(None)


class _Ranking(NamedTuple):
    """The values of a field in some segments."""

    entries: dict[Value, Entry]
    """The bitmaps of each: in which of the segments, and under which number there."""
    most: Totals
    """The events that have each."""
    order: list[Value]
    """Those with most events first."""


class _Totals:
    """Counts the values of a field among events of several segments.

    Args:
        session: The snapshot.
        matching: The events.
        field: Of them.
    """

    def __init__(self, session: Session, matching: Bitmaps, field: IndexField) -> None:
        self._session, self._field = session, field
        self._totals: Totals = Counter()
        self._segments: list[Segment] = []
        self._places: list[BitMap] = []
        self._events = len(matching)
        self._bitmaps_us = 0.0
        for segment, places in zip(matching.segments, matching.places, strict=True):
            if not places:
                continue
            counts = segment.counts(field)
            bitmaps_us = 0.0 if counts is None else _bitmaps_us(segment, places, len(counts.events))
            if counts is not None and len(places) == segment.events:
                texts = counts.texts
                for value, events in counts.events.items():
                    self._totals[value if texts is None else _text(texts, value)] += events
            elif counts is None or _rows_us(segment, places, bitmaps_us) < bitmaps_us:
                self._read(segment, places)
            else:
                self._segments.append(segment)
                self._places.append(places)
                self._bitmaps_us += bitmaps_us

    def most(self, limit: int | None) -> Totals:
        """Return the totals, at least those with the highest counts up to the limit; None for all."""
        totals = self._totals
        left = self._events - totals.total()
        best = [] if limit is None else sorted(totals.values())[-max(1, limit) :]
        counted: list[tuple[Value, Entry]] = []
        batches, values = self._batches() if left else (iter(()), 0)
        for number, (events, some) in enumerate(batches):
            # Every event has one value, so that no other value can get more than are left.
            least = best[0] if limit is not None and len(best) >= limit else 0
            if not left or min(events, (best[-1] if best else 0) + left) < least:
                break
            read_again_us = self._bitmaps_us * len(counted) / values
            rest_us = self._bitmaps_us * (values - number * _AT_ONCE) / values
            if number and 2 * _FAR_ROW_US * left + read_again_us < rest_us:
                self._read_rest(counted)
                break
            self._session.check()
            for value, matches in self._counted(some, is_kept=number < _KEPT_BATCHES).items():
                before = totals.get(value, 0)
                totals[value] = before + matches
                left -= matches
                if limit is not None:
                    if before and before >= best[0]:
                        best.remove(before)
                    insort(best, totals[value])
                    del best[: -max(1, limit)]
            counted += ((value, entry) for value, entry in some if value in totals)
        return totals

    def _read_rest(self, counted: Sequence[tuple[Value, Entry]]) -> None:
        """Count by their rows the few events that have none of the values that were counted."""
        for number, (segment, places) in enumerate(zip(self._segments, self._places, strict=True)):
            values = [value for _, entry in counted for at, value in entry if at == number]
            rest, within = places, within_of(places, segment)
            for first in range(0, len(values), _AT_ONCE):
                some = values[first : first + _AT_ONCE]
                rest = rest.difference(*segment.bitmaps(self._field, some, is_kept=False, within=within))
            if rest:
                self._read(segment, rest)

    def _batches(self) -> tuple[Iterator[tuple[int, list[tuple[Value, Entry]]]], int]:
        """Return the values, those with most events first, with where their bitmaps are, and their number."""
        ranking = self._ranking()
        most, order = ranking.most, ranking.order
        if self._totals:
            most = most.copy()
            most.update(self._totals)
            order = sorted(order, key=most.__getitem__, reverse=True)
        batches = (order[first : first + _AT_ONCE] for first in range(0, len(order), _AT_ONCE))
        entries = ranking.entries
        return ((most[some[0]], [(value, entries[value]) for value in some]) for some in batches), len(order)

    def _ranking(self) -> _Ranking:
        """Return the values of the segments by how many events have them, made once for each field: 1 ms."""
        cache, key = self._session.cache, ("ranking", self._field.number, *(s.key for s in self._segments))
        ranking = cache.get(key, _Ranking)
        if ranking is None:
            entries: dict[Value, Entry] = {}
            most: Totals = Counter()
            for number, segment in enumerate(self._segments):
                counts = segment.counts(self._field)
                assert counts is not None  # noqa: S101 - else its rows were read
                for value, events in counts.events.items():
                    key_of_value = value if counts.texts is None else _text(counts.texts, value)
                    entries.setdefault(key_of_value, []).append((number, value))
                    most[key_of_value] += events
            ranking = _Ranking(entries, most, sorted(entries, key=most.__getitem__, reverse=True))
            cache.put(key, ranking, (300 + 100 * len(self._segments)) * len(entries))
        return ranking

    def _counted(self, some: Sequence[tuple[Value, Entry]], *, is_kept: bool) -> dict[Value, int]:
        """Return how many events have each of these values."""
        values: list[list[Value]] = [[] for _ in self._segments]
        numbers: list[list[int]] = [[] for _ in self._segments]
        for value, entry in some:
            for at, number in entry:
                values[at].append(value)
                numbers[at].append(number)
        counted: dict[Value, int] = {}
        for at, segment in enumerate(self._segments):
            within = within_of(self._places[at], segment)
            bitmaps = segment.bitmaps(self._field, numbers[at], is_kept=is_kept, within=within)
            matches = list(map(self._places[at].intersection_cardinality, bitmaps))
            for value, number in zip(compress(values[at], matches), filter(None, matches), strict=True):
                counted[value] = counted.get(value, 0) + number
        return counted

    def _read(self, segment: Segment, places: BitMap) -> None:
        """Count the values of a segment's events by their rows."""
        self._totals.update(self._session.values_of(self._field, segment.seqs(list(places))))


def _text(texts: Sequence[str], value: int) -> str | None:
    return None if value == MISSING else texts[value - 1]


def _bitmaps_us(segment: Segment, places: BitMap, values: int) -> float:
    """Return about how long it takes to count these places in the bitmaps of all values."""
    events = segment.events if (within := within_of(places, segment)) is None else len(within)
    size_bytes = min(2 * events, values * events // 8)
    containers = min(events, values * (1 + (events >> 16)))
    return values * _BITMAP_US + containers * _CONTAINER_US + size_bytes / 1_000 * _KB_US


def _rows_us(segment: Segment, places: BitMap, most_us: float) -> float:
    """Return about how long it takes to read these rows; more than the most for what would take longer."""
    rows = len(places)
    if rows > _MANY_ROWS or rows * _DENSE_ROW_US > most_us:
        return most_us + 1
    seqs = segment.seqs(list(places))
    if is_dense(seqs):
        return rows * _DENSE_ROW_US
    return rows * (_NEAR_ROW_US if max(seqs) - min(seqs) < _NEAR_SEQS else _FAR_ROW_US)
