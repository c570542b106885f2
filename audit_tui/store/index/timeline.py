"""The events of a query in the order of time: how many, from where to where, and the row of a moment."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pyroaring import BitMap

from audit_tui.store.index.matching import Matches
from audit_tui.store.index.segment import FIRST_SEQ, NOTHING, Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.core.filter.filters import Condition
    from audit_tui.core.query import Interval
    from audit_tui.store.index.matching import Matcher
    from audit_tui.store.index.segment import Segment
    from audit_tui.store.index.session import Session

TESTED_AT_ONCE = 2_048
"""Rows are tested this many together: 20 ms."""
_FEW = 256
"""Up to this many rows of several segments are sorted together; more are parted by a binary search."""
_WIDEN = 4
"""This many times as many candidates are looked at when there were too few matches among them."""


class Part:
    """The matches of one segment.

    Args:
        session: The snapshot.
        matcher: The filter.
        segment: Where.
        within: Only these places.
        key: What the answer is kept under.
    """

    def __init__(
        self, session: Session, matcher: Matcher, segment: Segment, within: BitMap, key: tuple[object, ...]
    ) -> None:
        self.segment, self.key = segment, key
        self._session, self._matcher = session, matcher
        matches = session.cache.get(key, Matches)
        if matches is None:
            matches = matcher.matches(segment, within)
            self._keep(matches)
        self.certain, self.untested = matches

    @property
    def possible(self) -> BitMap:
        """The places that match, or may."""
        return self.certain | self.untested if self.untested else self.certain

    @property
    def is_all(self) -> bool:
        """Tell whether every event of the segment matches."""
        return len(self.certain) == self.segment.events

    def settle(self, start: int, stop: int, report: Callable[[int], None] | None = None) -> None:
        """Test the rows from a place to another that must be tested.

        Args:
            start: The first place.
            stop: The place after the last.
            report: Is told, from time to time, how many match here at least.
        """
        if not self.untested.range_cardinality(start, stop):
            return
        pending = self.untested & BitMap(range(start, stop))
        matches = self._matcher.matches(self.segment, pending, self._look)
        self.certain = self.certain | matches.certain
        self.untested = (self.untested - pending) | matches.untested
        left = iter(matches.untested)
        while batch := list(islice(left, TESTED_AT_ONCE)):
            self._session.check()
            places = BitMap(batch)
            self.certain = self.certain | self._matcher.matches(self.segment, places, self._test).certain
            self.untested = self.untested - places
            if report is not None:
                report(len(self.certain))
        self._keep(Matches(self.certain, self.untested))

    def _look(self, condition: Condition, places: BitMap) -> Matches:
        """Return where a condition holds among some places, as far as that is told without their rows."""
        answer, seqs = self._matcher.answer_of(condition), self.segment.seqs_around(places)
        answer.look(seqs)
        holding, untested = (self.segment.places(some & seqs) for some in (answer.matches, answer.untested))
        return Matches(places & holding, places & untested)

    def _test(self, condition: Condition, places: BitMap) -> Matches:
        """Return where a condition holds among some places."""
        answer = self._matcher.answer_of(condition)
        seqs = BitMap(self.segment.seqs(list(places)))
        holding, untested = seqs & answer.matches, seqs & answer.untested
        if untested:
            holding |= BitMap(self._session.seqs_that(condition, list(untested)))
        return Matches(self.segment.places(holding), NOTHING)

    def _keep(self, matches: Matches) -> None:
        events = self.segment.events
        size_bytes = sum(min(2 * len(bitmap), events // 8) + 200 for bitmap in matches)
        self._session.cache.put(self.key, matches, size_bytes)


class Timeline:
    """The events of a filter in the order of time, the earliest first.

    Args:
        session: The snapshot.
        parts: What matches in each segment.
    """

    def __init__(self, session: Session, parts: Sequence[Part]) -> None:
        self._session = session
        self.parts = parts

    @classmethod
    def of(cls, session: Session, matcher: Matcher, interval: Interval, upto_seq: int | None) -> Timeline:
        """Return those of a filter, an interval, and appended up to a seq."""
        parts = []
        # What is indexed here may be newer than the snapshot.
        upto = session.newest_seq if upto_seq is None else min(upto_seq, session.newest_seq)
        for segment in session.segments:
            session.check()
            if segment.first_seq > upto:
                continue
            start, end = interval.start_us, interval.end_us
            first = 0 if start is None else segment.place_of(Moment(start, FIRST_SEQ))
            stop = segment.events if end is None else segment.place_of(Moment(end, FIRST_SEQ))
            if first >= stop:
                continue
            within = BitMap(range(first, stop))
            cut = None if upto >= segment.last_seq else upto
            if cut is not None:
                within &= session.places_upto(segment, cut)
            key = (segment.key, "matches", matcher.expression, first, stop, cut)
            parts.append(Part(session, matcher, segment, within, key))
        return cls(session, parts)

    def narrowed(self, bitmaps: Sequence[BitMap]) -> Bitmaps:
        """Return the events that are also in these bitmaps, one for each part; all must be settled."""
        places = [part.certain & bitmap for part, bitmap in zip(self.parts, bitmaps, strict=True)]
        return Bitmaps([part.segment for part in self.parts], places)

    def settled(self, report: Callable[[int], None] | None = None) -> Bitmaps:
        """Return all events that match, for sure.

        Args:
            report: Is told, from time to time, how many there are at least.
        """
        counted = 0
        for part in self.parts:
            before = counted

            def tell(matches: int, before: int = before) -> None:
                if report is not None:
                    report(before + matches)

            part.settle(0, part.segment.events, tell)
            counted += len(part.certain)
        return Bitmaps([part.segment for part in self.parts], [part.certain for part in self.parts])

    def after(self, moment: Moment, limit: int) -> list[int]:
        """Return the seqs of the events after a moment, the nearest first."""
        edge = moment._replace(seq=moment.seq + 1)
        return self._nearest([part.segment.place_of(edge) for part in self.parts], limit, is_later=True)

    def before(self, moment: Moment, limit: int) -> list[int]:
        """Return the seqs of the events before a moment, the nearest first."""
        return self._nearest([part.segment.place_of(moment) for part in self.parts], limit, is_later=False)

    def first(self, offset: int, limit: int, *, newest_first: bool) -> list[int]:
        """Return the seqs of the events from a row on."""
        edges = [part.segment.events if newest_first else 0 for part in self.parts]
        return self._nearest(edges, limit, is_later=not newest_first, offset=offset)

    def rank(self, moment: Moment) -> int:
        """Return how many of the events come before a moment."""
        for part in self.parts:
            part.settle(0, part.segment.place_of(moment))
        return sum(_rank(part.certain, part.segment.place_of(moment)) for part in self.parts)

    def rank_down(self, moment: Moment) -> int:
        """Return how many of the events come after a moment."""
        edge = moment._replace(seq=moment.seq + 1)
        later = 0
        for part in self.parts:
            place = part.segment.place_of(edge)
            part.settle(place, part.segment.events)
            later += len(part.certain) - _rank(part.certain, place)
        return later

    def _nearest(self, edges: Sequence[int], limit: int, *, is_later: bool, offset: int = 0) -> list[int]:
        """Return the nearest events from an edge on, testing no more rows than that takes."""
        wanted = offset + limit
        looked_at = max(wanted, 1)
        segments = [part.segment for part in self.parts]
        while any(part.untested for part in self.parts):
            possible = Bitmaps(segments, [part.possible for part in self.parts])
            ends, is_end = possible.reach(edges, looked_at, is_later=is_later)
            matches = 0
            for part, edge, end in zip(self.parts, edges, ends, strict=True):
                low, high = min(edge, end), max(edge, end)
                part.settle(low, high)
                matches += part.certain.range_cardinality(low, high)
            if is_end or matches >= wanted:
                break
            looked_at *= _WIDEN
        certain = Bitmaps(segments, [part.certain for part in self.parts])
        return certain.nearest(edges, limit, is_later=is_later, offset=offset)


class Bitmaps:
    """Events of several segments, in the order of time, the earliest first.

    Args:
        segments: Where.
        places: Of the events in each.
    """

    def __init__(self, segments: Sequence[Segment], places: Sequence[BitMap]) -> None:
        self.segments, self.places = segments, places

    def __len__(self) -> int:
        return sum(map(len, self.places))

    def rank(self, moment: Moment) -> int:
        """Return how many of the events come before a moment."""
        pairs = zip(self.segments, self.places, strict=True)
        return sum(_rank(places, segment.place_of(moment)) for segment, places in pairs if places)

    def seqs(self) -> list[int]:
        """Return the seqs of all events, in no order."""
        return [
            seq
            for segment, places in zip(self.segments, self.places, strict=True)
            for seq in segment.seqs(list(places))
        ]

    def nearest(self, edges: Sequence[int], limit: int, *, is_later: bool, offset: int = 0) -> list[int]:
        """Return the seqs of the events from a place in each segment on, the nearest first.

        Args:
            edges: A place in each segment, the same moment in all; events before it are not meant.
            limit: How many.
            is_later: Towards later events; else towards earlier ones, the edge itself not meant.
            offset: The number of events to pass over.
        """
        begins = [_rank(places, edge) for places, edge in zip(self.places, edges, strict=True)]
        if is_later:
            starts = self._split(begins, [len(places) for places in self.places], offset)
            stops = self._split(starts, [len(places) for places in self.places], limit)
        else:
            left = sum(begins)
            stops = self._split([0] * len(begins), begins, max(0, left - offset))
            starts = self._split([0] * len(begins), stops, max(0, left - offset - limit))
        seqs = self._in_order(starts, stops)
        return seqs if is_later else seqs[::-1]

    def reach(self, edges: Sequence[int], events: int, *, is_later: bool) -> tuple[list[int], bool]:
        """Return the places within which a number of the events lie from an edge on, and whether that is all.

        Args:
            edges: A place in each segment, the same moment in all.
            events: How many.
            is_later: Towards later events; else towards earlier ones.
        """
        begins = [_rank(places, edge) for places, edge in zip(self.places, edges, strict=True)]
        if is_later:
            sizes = [len(places) for places in self.places]
            ends = self._split(begins, sizes, events)
            is_end = ends == sizes
        else:
            ends = self._split([0] * len(begins), begins, max(0, sum(begins) - events))
            is_end = not any(ends)
        reached = []
        for segment, places, edge, end in zip(self.segments, self.places, edges, ends, strict=True):
            if is_later:
                reached.append(max(edge, places[end - 1] + 1) if end else edge)
                if end == len(places):
                    reached[-1] = segment.events
            else:
                reached.append(min(edge, places[end]) if end < len(places) else edge)
        return reached, is_end

    def _split(self, lows: Sequence[int], highs: Sequence[int], events: int) -> list[int]:
        """Part the events into the first ones in the order of time, and the rest.

        Args:
            lows: From which one of each segment on they are counted.
            highs: Up to which one of each segment.
            events: How many come first.

        Returns:
            For each segment the number of its events up to there.
        """
        lows, highs = list(lows), list(highs)
        wanted = events
        while True:
            sizes = [high - low for low, high in zip(lows, highs, strict=True)]
            total = sum(sizes)
            if wanted >= total:
                return highs
            if wanted <= 0:
                return lows
            largest = max(range(len(sizes)), key=sizes.__getitem__)
            if sizes[largest] == total:
                lows[largest] += wanted
                return lows
            if total <= _FEW:
                return self._split_few(lows, highs, wanted)
            middle = (lows[largest] + highs[largest]) // 2
            pivot = self.segments[largest].moments((self.places[largest][middle],))[0]
            before = [
                middle if number == largest else self._rank_within(number, pivot, low, high)
                for number, (low, high) in enumerate(zip(lows, highs, strict=True))
            ]
            first = sum(before) - sum(lows)
            if first < wanted:
                # Those before the pivot, and itself, are among the first.
                before[largest] += 1
                wanted -= first + 1
                lows = before
            else:
                highs = before

    def _rank_within(self, number: int, moment: Moment, low: int, high: int) -> int:
        if low == high:
            return low
        rank = _rank(self.places[number], self.segments[number].place_of(moment))
        return min(max(rank, low), high)

    def _split_few(self, lows: list[int], highs: list[int], events: int) -> list[int]:
        ordered = sorted(
            (moment, number)
            for number, (low, high) in enumerate(zip(lows, highs, strict=True))
            for moment in self._moments(number, low, high)
        )
        for _, number in ordered[:events]:
            lows[number] += 1
        return lows

    def _moments(self, number: int, start: int, stop: int) -> list[Moment]:
        if start >= stop:
            return []
        return self.segments[number].moments(list(self.places[number][start:stop]))

    def _in_order(self, starts: Sequence[int], stops: Sequence[int]) -> list[int]:
        """Return the seqs of some events of each segment, in the order of time."""
        present = [number for number, (a, b) in enumerate(zip(starts, stops, strict=True)) if a < b]
        if len(present) == 1:
            (number,) = present
            return self.segments[number].seqs(list(self.places[number][starts[number] : stops[number]]))
        moments = [moment for n in present for moment in self._moments(n, starts[n], stops[n])]
        return [moment.seq for moment in sorted(moments)]


def _rank(places: BitMap, place: int) -> int:
    """Return how many of the places are lower."""
    return places.rank(place - 1) if place else 0
