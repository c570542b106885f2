"""Totals of what matches: how many events have each value, and how many lie in each span of time."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from itertools import compress, islice, pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from audit_tui.core.investigate.facets import add_texts, chosen_values, facet_of
from audit_tui.core.query import Facet
from audit_tui.store.index.fields import MISSING
from audit_tui.store.index.segment import FIRST_SEQ, Moment, is_dense

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
"""For up to this many events the rows are read instead of the bitmaps of all values: up to 6 ms."""
DENSE_EVENTS = 4_096
"""For up to this many that were appended together the rows are read too: 2 ms."""
_BITMAP_ROWS = 8
"""This many rows that lie together are read in the time of a bitmap."""
_ROWS_AT_ONCE = 2_048
_AT_ONCE = 32
_READ_AT_ONCE = 512
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
    totals = _Totals(session, matching, field).most(None if is_whole else limit)
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
        found: The events.
        field: Of them.
    """

    def __init__(self, session: Session, matching: Bitmaps, field: IndexField) -> None:
        self._session, self._field = session, field
        self._totals: Totals = Counter()
        self._segments: list[Segment] = []
        self._places: list[BitMap] = []
        self._events = len(matching)
        for segment, places in zip(matching.segments, matching.places, strict=True):
            if not places:
                continue
            counts = segment.counts(field)
            if counts is None or self._is_worth_reading(segment, places, len(counts.events)):
                self._read(segment, places)
            elif len(places) == segment.events:
                texts = counts.texts
                for value, events in counts.events.items():
                    self._totals[value if texts is None else _text(texts, value)] += events
            else:
                self._segments.append(segment)
                self._places.append(places)

    def _is_worth_reading(self, segment: Segment, places: BitMap, values: int) -> bool:
        """Tell whether the rows of events are read faster than the bitmaps of their values."""
        if self._events <= FEW_EVENTS:
            return len(places) < values
        few = min(DENSE_EVENTS, _BITMAP_ROWS * values)
        return len(places) <= few and is_dense(segment.seqs(list(places)))

    def most(self, limit: int | None) -> Totals:
        """Return the totals, at least those with the highest counts up to the limit; None for all."""
        totals = self._totals
        if limit is None:
            self._count_all()
            return totals
        left = self._events - totals.total()
        best = sorted(totals.values())
        highest = best[-1] if best else 0
        for number, (events, some) in enumerate(self._batches()):
            # Every event has one value, so that no other value can get more than are left.
            least = best[-limit] if len(best) >= limit else 0
            if not left or min(events, highest + left) < least:
                break
            self._session.check()
            for value, matches in self._counted(some, is_kept=number < _KEPT_BATCHES).items():
                before = totals.get(value, 0)
                totals[value] = before + matches
                left -= matches
                if before:
                    best.remove(before)
                insort(best, totals[value])
        return totals

    def _count_all(self) -> None:
        """Count every value, segment by segment, until each event has its value."""
        totals = self._totals
        for segment, places in zip(self._segments, self._places, strict=True):
            counts = segment.counts(self._field)
            assert counts is not None  # noqa: S101 - else its rows were read
            left, count_in = len(places), places.intersection_cardinality
            order = sorted(counts.events, key=counts.events.__getitem__, reverse=True)
            for first in range(0, len(order), _READ_AT_ONCE):
                self._session.check()
                values = order[first : first + _READ_AT_ONCE]
                bitmaps = segment.bitmaps(self._field, values, is_kept=first < _KEPT_BATCHES * _AT_ONCE)
                for value, matches in zip(values, map(count_in, bitmaps), strict=True):
                    if matches:
                        totals[value if counts.texts is None else _text(counts.texts, value)] += matches
                        left -= matches
                if not left:
                    break

    def _batches(self) -> Iterator[tuple[int, list[tuple[Value, Entry]]]]:
        """Yield the values, those with most events first, each with where its bitmaps are."""
        ranking = self._ranking()
        most, order = ranking.most, ranking.order
        if self._totals:
            most = most.copy()
            most.update(self._totals)
            order = sorted(order, key=most.__getitem__, reverse=True)
        for first in range(0, len(order), _AT_ONCE):
            some = order[first : first + _AT_ONCE]
            yield most[some[0]], [(value, ranking.entries[value]) for value in some]

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
            bitmaps = segment.bitmaps(self._field, numbers[at], is_kept=is_kept)
            matches = list(map(self._places[at].intersection_cardinality, bitmaps))
            for value, number in zip(compress(values[at], matches), filter(None, matches), strict=True):
                counted[value] = counted.get(value, 0) + number
        return counted

    def _read(self, segment: Segment, places: BitMap) -> None:
        """Count the values of a segment's events by their rows."""
        self._totals.update(self._session.values_of(self._field, segment.seqs(list(places))))


def _text(texts: Sequence[str], value: int) -> str | None:
    return None if value == MISSING else texts[value - 1]
