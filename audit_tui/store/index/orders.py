"""The rows of a query in its order: pages, their number, and the row of a key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import accumulate, chain, islice
from typing import TYPE_CHECKING, NamedTuple

from pyroaring import BitMap

from audit_tui.core.columns import READ_TO_SORT, Column
from audit_tui.core.query import AtRow, Before
from audit_tui.store.index.fields import BY_NAME, MISSING, texts_of
from audit_tui.store.index.segment import NOTHING, Moment, within_of
from audit_tui.store.index.timeline import Bitmaps
from audit_tui.store.index.totals import FEW_EVENTS, all_totals, has_bitmaps
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    from audit_tui.core.query import EventQuery, PageKey, Place, Sort, SortRank
    from audit_tui.store.index.fields import IndexField
    from audit_tui.store.index.segment import Segment
    from audit_tui.store.index.session import Session
    from audit_tui.store.index.text_order import TextKey, TextOrder
    from audit_tui.store.index.timeline import Timeline

    Value: TypeAlias = int | str

_AT_ONCE = 32
_MAX_WALKED = 2 * _AT_ONCE
"""When this many names gave too few rows, those without any are found out all at once."""
_SEQS_AT_ONCE = 65_536
_WINDOW = 5_000
"""This many rows in the order of a text stay in memory, on either side of the page: a minute of scrolling."""
_WINDOW_BYTES = 4 * 1024 * 1024
"""Fewer stay where they take more than this."""
_KEY_BYTES = 400
_INDEXED_WINDOW = 1_000
"""The same where the text index tells the order: of more, more texts of each stretch are looked at."""
_MANY_ROWS = 30_000
"""Fewer rows are read in less time than it takes to look into all stretches of the text index: 0.2 s."""


class Order(ABC):
    """The rows of a result in their order."""

    @abstractmethod
    def at(self, row: int, limit: int) -> list[int]:
        """Return the seqs of the rows from one on."""

    @abstractmethod
    def after(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that follow a key, the nearest first."""

    @abstractmethod
    def before(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that lead up to a key, the nearest first."""

    @abstractmethod
    def locate(self, key: PageKey) -> int:
        """Return how many rows come before a key."""

    def page(self, place: Place, limit: int) -> tuple[list[int], bool]:
        """Return the seqs at a place, in the result's order, and whether there are none beyond them."""
        if isinstance(place, AtRow):
            seqs = self.at(max(0, place.index), limit + 1)
        elif isinstance(place, Before):
            seqs = self.before(place.key, limit + 1)
        else:
            seqs = self.after(place.key, limit + 1)
        is_end = len(seqs) <= limit
        seqs = seqs[:limit]
        return (seqs[::-1] if isinstance(place, Before) else seqs), is_end


def order_of(session: Session, timeline: Timeline, query: EventQuery) -> Order:
    """Return the rows of a query in the order that it asks for."""
    sort = query.sort
    if sort.column is Column.TIME:
        return ByTime(timeline, newest_first=sort.descending)
    if sort.column is Column.SEQ:
        return BySeq(timeline, descending=sort.descending)
    field = BY_NAME.get(sort.column.value)
    if field is not None and has_bitmaps(timeline.settled(), field):
        return ByName(session, timeline, field, sort)
    return ByText(session, timeline, sort)


class ByTime(Order):
    """Rows in the order of time."""

    def __init__(self, timeline: Timeline, *, newest_first: bool) -> None:
        self._timeline, self._newest_first = timeline, newest_first

    def at(self, row: int, limit: int) -> list[int]:
        """Return the seqs of the rows from one on."""
        return self._timeline.first(row, limit, newest_first=self._newest_first)

    def after(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that follow a key."""
        return (self._timeline.before if self._newest_first else self._timeline.after)(_moment(key), limit)

    def before(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that lead up to a key, the nearest first."""
        return (self._timeline.after if self._newest_first else self._timeline.before)(_moment(key), limit)

    def locate(self, key: PageKey) -> int:
        """Return how many rows come before a key."""
        timeline, moment = self._timeline, _moment(key)
        return timeline.rank_down(moment) if self._newest_first else timeline.rank(moment)


class BySeq(Order):
    """Rows in the order in which they were appended."""

    def __init__(self, timeline: Timeline, *, descending: bool) -> None:
        self._settled, self._is_down = timeline.settled(), descending

    def at(self, row: int, limit: int) -> list[int]:
        """Return the seqs of the rows from one on."""
        seqs: list[int] = []
        for segment, places in self._pieces():
            if row < len(places):
                ordered = sorted(segment.seqs(list(places)), reverse=self._is_down)
                seqs += ordered[row : row + limit - len(seqs)]
                if len(seqs) >= limit:
                    break
            row = max(0, row - len(places))
        return seqs

    def after(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that follow a key."""
        number = int(key.value or 0)
        is_passed = key.seq == number and any(self._between(number, number + 1))
        return self.at(self.locate(key) + is_passed, limit)

    def before(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that lead up to a key, the nearest first."""
        rows = self.locate(key)
        first = max(0, rows - limit)
        return self.at(first, rows - first)[::-1]

    def locate(self, key: PageKey) -> int:
        """Return how many rows come before a key."""
        number = int(key.value or 0)
        # Of the same value, newer rows come first: a key may stand before or behind the event itself.
        is_behind = key.seq < number
        if self._is_down:
            return sum(self._between(number if is_behind else number + 1, None))
        return sum(self._between(0, number + 1 if is_behind else number))

    def _between(self, first: int, stop: int | None) -> Iterator[int]:
        """Yield how many rows of each segment have seqs from one to another."""
        for segment, places in zip(self._settled.segments, self._settled.places, strict=True):
            low = max(first, segment.first_seq)
            high = segment.last_seq + 1 if stop is None else min(stop, segment.last_seq + 1)
            if low <= segment.first_seq and high > segment.last_seq:
                yield len(places)
            elif low < high:
                yield segment.places(BitMap(range(low, high))).intersection_cardinality(places)

    def _pieces(self) -> Iterator[tuple[Segment, BitMap]]:
        """Yield the rows of each stretch of seqs, in the order of the result."""
        step = -1 if self._is_down else 1
        for segment, places in list(zip(self._settled.segments, self._settled.places, strict=True))[::step]:
            for first in range(segment.first_seq, segment.last_seq + 1, _SEQS_AT_ONCE)[::step]:
                yield segment, segment.places(BitMap(range(first, first + _SEQS_AT_ONCE))) & places


class ByName(Order):
    """Rows value by value, each one's newest first; those without a value behind all others, or before.

    Args:
        session: The snapshot.
        timeline: Which events.
        field: With the values.
        sort: Their order.
    """

    def __init__(self, session: Session, timeline: Timeline, field: IndexField, sort: Sort) -> None:
        self._session, self._field, self._sort, self._is_down = session, field, sort, sort.descending
        self._timeline = timeline
        self._settled = timeline.settled()
        self._read: dict[int, tuple[BitMap, ...]] = {}
        self._ahead = 1
        self._last: tuple[int, Bitmaps] | None = None

    def at(self, row: int, limit: int) -> list[int]:
        """Return the seqs of the rows from one on."""
        reached = 0
        for number, size in enumerate(self._walked_sizes(row)):
            if reached + size > row:
                return self._from(number, row - reached, limit)
            reached += size
        return []

    def after(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that follow a key."""
        number, is_same = self._group_of(key)
        if not is_same:
            return self._from(number, 0, limit)
        moment = _moment(key)
        group = self._group(number)
        seqs = group.nearest([s.place_of(moment) for s in group.segments], limit, is_later=False)
        return seqs + self._from(number + 1, 0, limit - len(seqs))

    def before(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that lead up to a key, the nearest first."""
        number, is_same = self._group_of(key)
        seqs: list[int] = []
        if is_same:
            moment = _moment(key)
            group = self._group(number)
            edge = moment._replace(seq=moment.seq + 1)
            edges = [segment.place_of(edge) for segment in group.segments]
            seqs = group.nearest(edges, limit, is_later=True)
        for walked, earlier in enumerate(range(number - 1, -1, -1)):
            if len(seqs) >= limit:
                break
            if walked > _MAX_WALKED and not self._totals.get(self._values[earlier]):
                continue
            group = self._group(earlier)
            seqs += group.nearest([0] * len(group.segments), limit - len(seqs), is_later=True)
        return seqs

    def locate(self, key: PageKey) -> int:
        """Return how many rows come before a key."""
        number, is_same = self._group_of(key)
        row = self._sums[number]
        if is_same:
            moment = _moment(key)
            group = self._group(number)
            row += len(group) - group.rank(moment._replace(seq=moment.seq + 1))
        return row

    def _from(self, number: int, row: int, limit: int) -> list[int]:
        """Return rows from one of a name on, and then those of the names that follow."""
        seqs: list[int] = []
        walked = 0
        while number < len(self._values) and len(seqs) < limit:
            walked += 1
            if walked > _MAX_WALKED and not self._totals.get(self._values[number]):
                number, row = number + 1, 0
                continue
            self._read_ahead(number)
            group = self._group(number)
            edges = [segment.events for segment in group.segments]
            seqs += group.nearest(edges, limit - len(seqs), is_later=False, offset=row)
            number, row = number + 1, 0
        return seqs

    @cached_property
    def _positions(self) -> list[int]:
        """The names that have rows, or may have, by their place among all names; ascending."""
        if len(self._settled) <= FEW_EVENTS:
            present = set(self._totals)
        else:
            parts = zip(self._settled.segments, self._settled.places, strict=True)
            present = set[int | str]().union(
                *(self._values_in(segment) for segment, places in parts if places)
            )
        names = self._all
        positions = [position for position, number in enumerate(names) if number in present]
        # The missing one stands behind all names.
        return [*positions, len(names)] if MISSING in present else positions

    @cached_property
    def _all(self) -> Sequence[Value]:
        """All values but the missing one in their order, as the index has them: numbers, or texts."""
        field, session, rank = self._field, self._session, self._sort.rank
        if field.names is not None:
            return session.names_in_order(field)
        if field.choices:
            return sorted(
                range(1, len(field.choices) + 1), key=lambda value: rank(texts_of(field, (value,))[0])
            )
        segments = self._settled.segments
        key = ("texts in order", field.number, *(segment.key for segment in segments))
        texts = session.cache.get(key, list)
        if texts is None:
            texts = sorted(set[int | str]().union(*map(self._values_in, segments)) - {MISSING}, key=rank)
            session.cache.put(key, texts, 100 * len(texts))
        return texts

    def _values_in(self, segment: Segment) -> Iterable[Value]:
        """Return the values of a segment, and maybe MISSING."""
        counts = segment.counts(self._field)
        if counts is None:
            return ()
        return counts.events if counts.texts is None else [MISSING, *counts.texts]

    def _bitmaps(self, values: Sequence[Value]) -> Iterator[list[BitMap]]:
        """Yield, for each segment, at least those places of each of some values that are among the rows."""
        for segment, places in zip(self._settled.segments, self._settled.places, strict=True):
            counts = segment.counts(self._field)
            if counts is None or not places:
                yield [NOTHING] * len(values)
                continue
            numbers = [value if counts.texts is None else _number_in(counts.texts, value) for value in values]
            present = [number for number in numbers if isinstance(number, int)]
            read = iter(segment.bitmaps(self._field, present, within=within_of(places, segment)))
            yield [NOTHING if number is None else next(read) for number in numbers]

    @cached_property
    def _values(self) -> list[Value]:
        """The same values in the result's order."""
        names = [*self._all, MISSING]
        values = [names[position] for position in self._positions]
        return values[::-1] if self._is_down else values

    @cached_property
    def _totals(self) -> dict[Value, int]:
        """The number of rows of each value."""
        key = ("totals", self._field.number, *(part.key for part in self._timeline.parts))
        totals = self._session.cache.get(key, dict)
        if totals is None:
            counted = all_totals(self._session, self._settled, self._field)
            totals = {MISSING if value is None else value: events for value, events in counted.items()}
            self._session.cache.put(key, totals, 100 * len(totals))
        return totals

    @cached_property
    def _sums(self) -> list[int]:
        """The number of rows before each name, and of all rows."""
        return [0, *accumulate(self._totals.get(value, 0) for value in self._values)]

    def _walked_sizes(self, row: int) -> Iterator[int]:
        """Yield how many rows each name has: all are counted only to reach a row that is far."""
        if row > FEW_EVENTS:
            yield from (self._totals.get(value, 0) for value in self._values)
            return
        for number, value in enumerate(self._values):
            if number > _MAX_WALKED:
                yield self._totals.get(value, 0)
                continue
            self._read_ahead(number)
            yield len(self._group(number))

    def _read_ahead(self, number: int) -> None:
        """Read the bitmaps of the names from one on, more by one statement the more were not enough."""
        if number in self._read:
            return
        self._session.check()
        following: Iterable[int] = range(number, len(self._values))
        if "_totals" in self.__dict__:
            following = (n for n in following if self._totals.get(self._values[n]))
        numbers = list(islice(following, self._ahead))
        self._ahead = min(2 * self._ahead, _AT_ONCE)
        read = self._bitmaps([self._values[number] for number in numbers])
        self._read = dict(zip(numbers, zip(*read, strict=True), strict=False))

    def _group(self, number: int) -> Bitmaps:
        """Return the rows of a name; only one is kept, for a common name has many."""
        if self._last is None or self._last[0] != number:
            bitmaps: Sequence[BitMap] | None = self._read.get(number)
            if bitmaps is None:
                bitmaps = [places for (places,) in self._bitmaps((self._values[number],))]
            self._last = number, self._timeline.narrowed(bitmaps)
        return self._last[1]

    def _group_of(self, key: PageKey) -> tuple[int, bool]:
        """Return how many names come before that of a key, and whether it is the next."""
        if key.value is None:
            position, exists = len(self._all), True
        elif self._field.names is not None:
            position, exists = self._session.name_position(self._field, key.value)
        else:
            position, exists = self._position(stored_text(key.value))
        positions = self._positions
        earlier, later = bisect_left(positions, position), bisect_left(positions, position + exists)
        return len(positions) - later if self._is_down else earlier, earlier < later

    def _position(self, text: str) -> tuple[int, bool]:
        """Return how many values come before a text, and whether it is one of them."""

        def text_of(value: Value) -> str | None:
            return self._session.text_of(self._field, value)

        position = bisect_left(self._all, self._sort.rank(text), key=lambda v: self._sort.rank(text_of(v)))
        return position, text in map(text_of, self._all[position : position + 1])


def _number_in(texts: Sequence[str], value: Value) -> int | None:
    """Return the number of a value in a segment with these texts; None when it has none."""
    if not isinstance(value, str):
        return value
    place = bisect_left(texts, value)
    return place + 1 if texts[place : place + 1] == [value] else None


class _TextKey(NamedTuple):
    """The place of a row in an order by a text."""

    rank: SortRank
    signed_us: int
    """The time, negative in an ascending order: of the same text, newer rows come first."""
    signed_seq: int


class _Window(NamedTuple):
    """The rows of an order by a text that lie between two, or at an end of the result."""

    keys: list[_TextKey]
    """Ascending, all that there are from the first to the last of them."""
    has_lowest: bool
    """Nothing comes before them."""
    has_highest: bool
    """Nothing comes behind them."""

    def after(self, edge: _TextKey | None, limit: int, *, is_up: bool) -> list[_TextKey] | None:
        """Return the nearest keys on one side of an edge, or from an end on; None if more must be read."""
        keys = self.keys if is_up else self.keys[::-1]
        is_begun, is_ended = self.has_lowest, self.has_highest
        if not is_up:
            is_begun, is_ended = is_ended, is_begun
        if edge is None:
            begin = 0
        else:
            begin = bisect_right(self.keys, edge) if is_up else len(keys) - bisect_left(self.keys, edge)
            # The edge itself, or what lies before it, must be here too.
            is_begun = is_begun or (bool(keys) and (keys[0] <= edge if is_up else keys[0] >= edge))
        is_enough = is_ended or begin + limit <= len(keys)
        return keys[begin : begin + limit] if is_begun and is_enough else None

    def covers(self, edge: _TextKey) -> bool:
        """Tell whether nothing lies between these rows and an edge."""
        is_below = self.has_highest or (bool(self.keys) and edge <= self.keys[-1])
        return is_below and (self.has_lowest or (bool(self.keys) and self.keys[0] <= edge))


class ByText(Order):
    """Rows in the order of a text that has no bitmaps.

    The text index tells which come next. Events that it does not have are all read, and so are a few rows;
    those that follow stay in memory for the pages to come.

    Args:
        session: The snapshot.
        timeline: Which events.
        sort: By a column of the table ``events``.
    """

    def __init__(self, session: Session, timeline: Timeline, sort: Sort) -> None:
        self._session, self._sort, self._is_up = session, sort, not sort.descending
        self._settled = timeline.settled()
        self._sign = -1 if self._is_up else 1
        self._name = ("texts", sort, *(part.key for part in timeline.parts))

    def at(self, row: int, limit: int) -> list[int]:
        """Return the seqs of the rows from one on."""
        rows = len(self._settled)
        if row > rows // 2:
            return self._nearest(None, max(0, rows - row), is_up=not self._is_up)[::-1][:limit]
        return self._nearest(None, row + limit, is_up=self._is_up)[row:]

    def after(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that follow a key."""
        return self._nearest(self._key_of(key), limit, is_up=self._is_up)

    def before(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that lead up to a key, the nearest first."""
        return self._nearest(self._key_of(key), limit, is_up=not self._is_up)

    def locate(self, key: PageKey) -> int:
        """Return how many rows come before a key."""
        edge = self._key_of(key)
        window = self._window
        before = None if window is None else window.after(None, len(window.keys), is_up=self._is_up)
        if before is not None and edge in before:
            return before.index(edge)
        if not self._is_indexed:
            return sum(other != edge and (other < edge) is self._is_up for other in self._keys())
        order = self._text_order(is_up=self._is_up)
        lower, equal = order.below(_text_key(edge))
        moment = Moment(self._sign * edge.signed_us, self._sign * edge.signed_seq + 1)
        segments = self._settled.segments
        with_text = Bitmaps(segments, [segment.places(equal) for segment in segments])
        newer = len(equal) - with_text.rank(moment)
        rest = sum(other != edge and (other < edge) is self._is_up for other in self._keys(order.untested))
        others = lower if self._is_up else len(self._settled) - len(order.untested) - lower - len(equal)
        return others + newer + rest

    @property
    def _is_indexed(self) -> bool:
        """The text index tells the order, and the rows are many."""
        return len(self._settled) > _MANY_ROWS and self._sort.column in READ_TO_SORT

    def _text_order(self, *, is_up: bool) -> TextOrder:
        # It is imported in 15 ms, which most questions need not wait for.
        from audit_tui.store.index.text_order import TextOrder

        parts = zip(self._settled.segments, self._settled.places, strict=True)
        seqs = BitMap.union(NOTHING, *(_seqs_of(segment, places) for segment, places in parts))
        return TextOrder(self._session, self._sort.column.value, seqs, is_up=is_up)

    @property
    def _window(self) -> _Window | None:
        return self._session.cache.get(self._name, _Window)

    def _nearest(self, edge: _TextKey | None, limit: int, *, is_up: bool) -> list[int]:
        """Return the seqs on one side of an edge, or from an end on, the nearest first."""
        window = self._window
        keys = None if window is None else window.after(edge, limit, is_up=is_up)
        if keys is None:
            keys, is_whole = self._read(edge, limit, is_up=is_up)
            self._keep(window, edge, keys, is_whole=is_whole, is_up=is_up)
        return [self._sign * key.signed_seq for key in keys[:limit]]

    def _read(self, edge: _TextKey | None, limit: int, *, is_up: bool) -> tuple[list[_TextKey], bool]:
        """Return the nearest keys on one side of an edge, more than asked for, and whether these are all."""
        wanted, is_whole = max(limit, _INDEXED_WINDOW if self._is_indexed else _WINDOW), True
        nearest: list[_TextKey] = []
        pending: list[_TextKey] = []

        def settle() -> bool:
            nonlocal wanted
            nearest.extend(pending)
            pending.clear()
            nearest.sort(reverse=not is_up)
            while wanted > limit and sum(map(_size_of, nearest[:wanted])) > _WINDOW_BYTES:
                wanted = max(limit, wanted // 2)
            is_cut = len(nearest) > wanted
            del nearest[wanted:]
            return is_cut

        keys: Iterable[_TextKey] = self._keys()
        is_end = True
        if self._is_indexed:
            keys, is_end = self._keys_beyond(edge, wanted, is_up=is_up)
        for key in keys:
            if edge is not None and (key <= edge if is_up else key >= edge):
                continue
            if is_whole or (key < nearest[-1] if is_up else key > nearest[-1]):
                pending.append(key)
                if len(pending) >= wanted:
                    is_whole = not settle() and is_whole
        is_whole = not settle() and is_whole
        return nearest, is_whole and is_end

    def _keys_beyond(
        self, edge: _TextKey | None, wanted: int, *, is_up: bool
    ) -> tuple[Iterable[_TextKey], bool]:
        """Return at least the nearest keys on one side of an edge, and whether these are all."""
        order = self._text_order(is_up=is_up)
        texts, is_whole = order.nearest(None if edge is None else _text_key(edge), wanted + 1)
        return chain(
            self._keys(order.untested), self._keys_of(texts, edge, wanted + 1, is_up=is_up)
        ), is_whole

    def _keys_of(
        self, texts: Iterable[tuple[TextKey, BitMap]], edge: _TextKey | None, wanted: int, *, is_up: bool
    ) -> Iterator[_TextKey]:
        """Yield the keys of the events that have some texts: of each text at least the nearest."""
        few = [(text, self._nearest_with(text, seqs, edge, wanted, is_up=is_up)) for text, seqs in texts]
        every = BitMap.union(NOTHING, *(seqs for _, seqs in few))
        time_of = self._session.times(list(every))
        for text, seqs in few:
            value = None if text.is_missing else text.text.decode()
            yield from (self._key(value, time_of[seq], seq) for seq in seqs)

    def _nearest_with(
        self, text: TextKey, seqs: BitMap, edge: _TextKey | None, wanted: int, *, is_up: bool
    ) -> BitMap:
        """Return at least the nearest of the events with a text, on one side of an edge."""
        if len(seqs) <= wanted:
            return seqs
        segments, is_later = self._settled.segments, is_up is not self._is_up
        edges = [0 if is_later else segment.events for segment in segments]
        if edge is not None and text == _text_key(edge):
            seq = self._sign * edge.signed_seq + is_later
            edges = [segment.place_of(Moment(self._sign * edge.signed_us, seq)) for segment in segments]
        with_text = Bitmaps(segments, [segment.places(seqs) for segment in segments])
        return BitMap(with_text.nearest(edges, wanted, is_later=is_later))

    def _keep(
        self,
        window: _Window | None,
        edge: _TextKey | None,
        keys: list[_TextKey],
        *,
        is_whole: bool,
        is_up: bool,
    ) -> None:
        """Remember keys that follow an edge, and those before them as far as they were known."""
        # Of a row that is far from the end, only what is near it.
        near = keys[-_WINDOW:] if len(keys) > 2 * _WINDOW else keys
        ascending = near if is_up else near[::-1]
        is_begun = edge is None and len(near) == len(keys)
        if edge is not None and len(near) == len(keys) and window is not None and window.covers(edge):
            begin = bisect_right(window.keys, edge) if is_up else bisect_left(window.keys, edge)
            earlier = window.keys[:begin][-_WINDOW:] if is_up else window.keys[begin:][:_WINDOW]
            is_begun = len(earlier) == (begin if is_up else len(window.keys) - begin)
            is_begun = is_begun and (window.has_lowest if is_up else window.has_highest)
            ascending = earlier + ascending if is_up else ascending + earlier
        size_bytes = sum(map(_size_of, ascending))
        if size_bytes <= 2 * _WINDOW_BYTES:
            ends = (is_begun, is_whole) if is_up else (is_whole, is_begun)
            self._session.cache.put(self._name, _Window(ascending, *ends), size_bytes)

    def _keys(self, seqs: BitMap | None = None) -> Iterator[_TextKey]:
        """Yield the keys of all events, or of those that are among some, by their rows."""
        for segment, all_places in zip(self._settled.segments, self._settled.places, strict=True):
            places = all_places if seqs is None else all_places & segment.places(seqs)
            for seq, occurred_us, text in self._session.texts(self._sort.column, segment, places):
                yield self._key(text, occurred_us, seq)

    def _key_of(self, key: PageKey) -> _TextKey:
        return self._key(key.value, key.occurred_us, key.seq)

    def _key(self, text: str | None, occurred_us: int, seq: int) -> _TextKey:
        rank = self._sort.rank(None if text is None else stored_text(text))
        return _TextKey(rank, self._sign * occurred_us, self._sign * seq)


def _text_key(key: _TextKey) -> TextKey:
    from audit_tui.store.index.text_order import TextKey

    is_missing, folded, text = key.rank
    return TextKey(is_missing, folded.encode(), text.encode())


def _seqs_of(segment: Segment, places: BitMap) -> BitMap:
    """Return the seqs of the events at some places."""
    around = segment.seqs_around(places)
    return around if len(around) == len(places) else BitMap(segment.seqs(list(places)))


def _size_of(key: _TextKey) -> int:
    """Return about how much memory a key takes."""
    return _KEY_BYTES + 2 * len(key.rank[2])


def _moment(key: PageKey) -> Moment:
    return Moment(key.occurred_us, key.seq)
