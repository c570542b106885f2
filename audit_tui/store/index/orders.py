"""The rows of a query in its order: pages, their number, and the row of a key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from functools import cached_property
from heapq import nlargest, nsmallest
from itertools import accumulate, islice
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import Column
from audit_tui.core.query import AtRow, Before
from audit_tui.store.index.fields import BY_NAME, MISSING
from audit_tui.store.index.segment import Moment
from audit_tui.store.index.totals import FEW_EVENTS, all_totals
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyroaring import BitMap

    from audit_tui.core.query import EventQuery, PageKey, Place
    from audit_tui.store.index.fields import IndexField
    from audit_tui.store.index.session import Session
    from audit_tui.store.index.timeline import Bitmaps, Timeline

_AT_ONCE = 32
_MAX_WALKED = 2 * _AT_ONCE
"""When so many names gave too few rows, those without any are found out all at once."""


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
    column, is_down = query.sort.column, query.sort.descending
    if column is Column.TIME:
        return ByTime(timeline, newest_first=is_down)
    field = BY_NAME.get(column.value)
    if field is not None and field.names is not None:
        return ByName(session, timeline, field, descending=is_down)
    return ByText(session, timeline, column.value, descending=is_down)


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


class ByName(Order):
    """Rows name by name, each name's newest first; those without a name behind all others, or before.

    Args:
        session: The snapshot.
        timeline: Which events.
        field: Whose names.
        descending: From the last name to the first.
    """

    def __init__(self, session: Session, timeline: Timeline, field: IndexField, *, descending: bool) -> None:
        self._session, self._field, self._is_down = session, field, descending
        self._timeline = timeline
        self._settled = timeline.settled()
        self._read: dict[int, tuple[BitMap, ...]] = {}
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
            all_counts = [segment.counts(self._field) for segment, places in parts if places]
            present = {value for counts in all_counts if counts is not None for value in counts.events}
        names = self._session.names_in_order(self._field)
        positions = [position for position, number in enumerate(names) if number in present]
        # The missing one stands behind all names.
        return [*positions, len(names)] if MISSING in present else positions

    @cached_property
    def _values(self) -> list[int]:
        """The numbers of the same names in the result's order."""
        names = [*self._session.names_in_order(self._field), MISSING]
        values = [names[position] for position in self._positions]
        return values[::-1] if self._is_down else values

    @cached_property
    def _totals(self) -> dict[int, int]:
        """The number of rows of each name."""
        key = ("totals", self._field.number, *(part.key for part in self._timeline.parts))
        totals = self._session.cache.get(key, dict)
        if totals is None:
            counted = all_totals(self._session, self._settled, self._field)
            totals = {int(value or MISSING): events for value, events in counted.items()}
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
        """Read the bitmaps of the names from one on, many by one statement."""
        if number in self._read:
            return
        self._session.check()
        following: Iterable[int] = range(number, len(self._values))
        if "_totals" in self.__dict__:
            following = (n for n in following if self._totals.get(self._values[n]))
        numbers = list(islice(following, _AT_ONCE))
        values = [self._values[number] for number in numbers]
        read = [segment.bitmaps(self._field, values) for segment in self._settled.segments]
        self._read = dict(zip(numbers, zip(*read, strict=True), strict=True)) if read else {}

    def _group(self, number: int) -> Bitmaps:
        """Return the rows of a name; only one is kept, for a common name has many."""
        if self._last is None or self._last[0] != number:
            bitmaps: Sequence[BitMap] | None = self._read.get(number)
            if bitmaps is None:
                value = (self._values[number],)
                bitmaps = [segment.bitmaps(self._field, value)[0] for segment in self._settled.segments]
            self._last = number, self._timeline.narrowed(bitmaps)
        return self._last[1]

    def _group_of(self, key: PageKey) -> tuple[int, bool]:
        """Return how many names come before that of a key, and whether it is the next."""
        if key.value is None:
            position, exists = len(self._session.names_in_order(self._field)), True
        else:
            position, exists = self._session.name_position(self._field, key.value)
        positions = self._positions
        earlier, later = bisect_left(positions, position), bisect_left(positions, position + exists)
        return len(positions) - later if self._is_down else earlier, earlier < later


class _TextKey(NamedTuple):
    """The place of a row in an order by a text."""

    is_missing: bool
    folded: str
    text: str
    signed_us: int
    """The time, negative in an ascending order: of the same text, newer rows come first."""
    signed_seq: int


class ByText(Order):
    """Rows in the order of a text that has no bitmaps: every one of them is read for each page.

    Args:
        session: The snapshot.
        timeline: Which events.
        column: Of the table ``events``.
        descending: From the last text to the first.
    """

    def __init__(self, session: Session, timeline: Timeline, column: str, *, descending: bool) -> None:
        self._session, self._column, self._is_down = session, column, descending
        self._settled = timeline.settled()
        self._sign = 1 if descending else -1
        self._first, self._last = (nlargest, nsmallest) if descending else (nsmallest, nlargest)

    def at(self, row: int, limit: int) -> list[int]:
        """Return the seqs of the rows from one on."""
        return self._seqs(self._first(row + limit, self._keys()))[row:]

    def after(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that follow a key."""
        edge = self._key(key.value, key.occurred_us, key.seq)
        following = (
            candidate
            for candidate in self._keys()
            if candidate != edge and (candidate < edge) is self._is_down
        )
        return self._seqs(self._first(limit, following))

    def before(self, key: PageKey, limit: int) -> list[int]:
        """Return the seqs of the rows that lead up to a key, the nearest first."""
        edge = self._key(key.value, key.occurred_us, key.seq)
        leading = (
            candidate
            for candidate in self._keys()
            if candidate != edge and (candidate > edge) is self._is_down
        )
        return self._seqs(self._last(limit, leading))

    def locate(self, key: PageKey) -> int:
        """Return how many rows come before a key."""
        edge = self._key(key.value, key.occurred_us, key.seq)
        return sum(candidate != edge and (candidate > edge) is self._is_down for candidate in self._keys())

    def _keys(self) -> Iterator[_TextKey]:
        for segment, places in zip(self._settled.segments, self._settled.places, strict=True):
            for seq, occurred_us, text in self._session.texts(self._column, segment, places):
                yield self._key(text, occurred_us, seq)

    def _key(self, text: str | None, occurred_us: int, seq: int) -> _TextKey:
        stored = "" if text is None else stored_text(text)
        return _TextKey(text is None, stored.casefold(), stored, self._sign * occurred_us, self._sign * seq)

    def _seqs(self, keys: Iterable[_TextKey]) -> list[int]:
        return [self._sign * key.signed_seq for key in keys]


def _moment(key: PageKey) -> Moment:
    return Moment(key.occurred_us, key.seq)
