"""The differences between two stretches of time, and what stands in an event for the first time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import Column
from audit_tui.core.event import to_us
from audit_tui.core.filter.filters import All, Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import AtRow, EventQuery, Interval, Sort
from audit_tui.core.record import Record
from audit_tui.core.text import cut
from audit_tui.core.time.dates import Preset, resolve
from audit_tui.core.time.moves import shifted
from audit_tui.core.time.words import interval_of, range_from_bounds
from audit_tui.errors import TimeError

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import EventRow
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.query import EventReader
    from audit_tui.core.time.dates import TimeContext, TimeRange


COMPARED = (Column.EVENT, Column.USER, Column.SOURCE_IP, Column.TARGET)
"""The columns whose values are compared."""
MAX_VALUES = 2_000
"""This many of the most frequent values of each are asked for; rarer ones are looked up one by one."""
MOST_EVENTS = 30_000
"""For columns without an index the values of up to this many events are counted at once: 0.1 s."""
MOST_READ_EVENTS = 2_000_000
"""Those of up to this many are counted in the background: 8 s of CPU."""
_SLICE_EVENTS = 50_000
"""Read between two words about how far it is."""
LIMIT = 10
"""Shown of each column."""
LEAST_RATIO = 2
LEAST_SCORE = 4.0
"""About two standard deviations: less is chance."""
_RARELY_TOLD = (Column.SOURCE_IP, Column.TARGET)
"""Columns whose missing values are not worth a line."""
_MINUTE_US = 60_000_000
_WEEK_US = 7 * 86_400_000_000
PREVIOUS, LAST_WEEK = "previous", "last-week"


class Kind(Enum):
    """The sort of a difference."""

    NEW = "NEW"
    GONE = "GONE"
    MORE = "more"
    LESS = "less"


class Shift(Record):
    """A value that is otherwise frequent than before."""

    field: Column
    value: str | None
    """None is the missing value."""
    now: int
    before: int

    @property
    def kind(self) -> Kind:
        """Its sort."""
        if not self.before:
            return Kind.NEW
        if not self.now:
            return Kind.GONE
        return Kind.MORE if self.now > self.before else Kind.LESS

    @property
    def words(self) -> str:
        """The word for it: NEW, GONE, or the ratio behind a sign."""
        if self.kind in (Kind.NEW, Kind.GONE):
            return str(self.kind.value)
        sign = "\u00d7" if self.kind is Kind.MORE else "÷"
        more, less = max(self.now, self.before), min(self.now, self.before)
        ratio = more / less
        return f"{sign}{ratio:.1f}" if ratio < 10 else f"{sign}{ratio:,.0f}"

    @property
    def score(self) -> float:
        """Its distance from chance."""
        return float((self.now - self.before) ** 2) / (self.now + self.before)

    @property
    def condition(self) -> Condition:
        """The filter of its events."""
        return Condition(self.field, IS, self.value)


class Comparison(Record):
    """The differences between two stretches of time."""

    now: Interval
    before: Interval
    now_events: int
    before_events: int
    shifts: tuple[Shift, ...]
    """By column, the least likely to be chance first; what is new or gone before the rest."""
    left_out: tuple[Column, ...] = ()
    """Columns that were not compared: their events have to be read, ``compare_rest`` does it."""

    @property
    def can_be_read(self) -> bool:
        """Tell whether there are few enough events to read them for the columns that were left out."""
        return max(self.now_events, self.before_events) <= MOST_READ_EVENTS


def intervals(
    time_range: TimeRange, context: TimeContext, against: str = PREVIOUS
) -> tuple[Interval, Interval]:
    """Return a range up to the end of this minute, and the stretch to compare it with, as long.

    Against ``previous``, ``last-week`` (the same hours of it), or a range as it is typed, ``A..B``.

    Raises:
        TimeError: If there is no such stretch.
    """
    now_us = -(-to_us(context.now) // _MINUTE_US) * _MINUTE_US
    whole = resolve(time_range, context)
    start_us, end_us = whole.start_us, now_us if whole.end_us is None else whole.end_us
    end_us = min(end_us, max(now_us, (start_us or 0) + 1))
    if against not in (PREVIOUS, LAST_WEEK):
        before = _typed(against, context)
        return Interval(start_us, end_us), before
    if start_us is None:
        raise TimeError("There is nothing before All Time.", "Choose a shorter time range.")
    now = Interval(start_us, end_us)
    if against == LAST_WEEK:
        return now, Interval(start_us - _WEEK_US, end_us - _WEEK_US)
    earlier = resolve(shifted(time_range, context, -1), context)
    if earlier.start_us is None:
        raise TimeError("There is nothing before this range.", "Choose another time range.")
    return now, Interval(earlier.start_us, min(earlier.start_us + end_us - start_us, start_us))


def _typed(text: str, context: TimeContext) -> Interval:
    try:
        return resolve(Preset.parse(text), context)
    except TimeError:
        typed = range_from_bounds(text, None if ".." in text else text, context)
        return interval_of(typed, context)


def compare(
    reader: EventReader,
    query: EventQuery,
    now: Interval,
    before: Interval,
    limit: int = LIMIT,
    cancel: CancelToken | None = None,
) -> Comparison:
    """Compare the events of a query in two stretches of time; the interval of the query plays no part."""
    this, that = replace(query, interval=now), replace(query, interval=before)
    shifts: list[Shift] = []
    left_out: list[Column] = []
    for field in COMPARED:
        facets = [
            reader.facets(each, field, MAX_VALUES, cancel, most_events=MOST_EVENTS) for each in (this, that)
        ]
        if not all(facet.is_whole for facet in facets):
            left_out.append(field)
            continue
        counts = [{each.value: each.events for each in facet.values} for facet in facets]
        is_cut = [len(facet.values) == MAX_VALUES for facet in facets]
        shifts += _shifts(reader, field, (this, that), counts, is_cut, limit, cancel)
    return Comparison(
        now, before, reader.count(this, cancel), reader.count(that, cancel), tuple(shifts), tuple(left_out)
    )


def compare_rest(
    reader: EventReader,
    query: EventQuery,
    comparison: Comparison,
    limit: int = LIMIT,
    cancel: CancelToken | None = None,
    report: Callable[[float], None] = lambda _: None,
) -> Comparison:
    """Compare the columns that were left out too, by reading all events: 4 s of CPU a million.

    Where too many events are to be read, the comparison is returned as it is. The report is told the share
    that was read, up to 1, from time to time.
    """
    sides = ((comparison.now, comparison.now_events), (comparison.before, comparison.before_events))
    if not comparison.can_be_read:
        return comparison
    whole = len(comparison.left_out) * (comparison.now_events + comparison.before_events)
    shifts, done = list(comparison.shifts), 0
    queries = replace(query, interval=comparison.now), replace(query, interval=comparison.before)
    for field in comparison.left_out:
        counts: list[Counter[str | None]] = []
        for interval, events in sides:
            totals: Counter[str | None] = Counter()
            for part in _slices(interval, events):
                facet = reader.facets(replace(query, interval=part), field, MOST_READ_EVENTS, cancel)
                totals.update({each.value: each.events for each in facet.values})
                done += facet.counted
                report(min(1.0, done / whole))
            counts.append(totals)
        shifts += _shifts(reader, field, queries, counts, [False, False], limit, cancel)
    return replace(comparison, shifts=tuple(shifts), left_out=())


def _slices(interval: Interval, events: int) -> list[Interval]:
    """Return parts of a stretch of time, each with some 50,000 events where they are spread evenly."""
    start_us, end_us, parts = interval.start_us, interval.end_us, -(-events // _SLICE_EVENTS)
    if start_us is None or end_us is None or parts < 2:
        return [interval]
    edges = [start_us + (end_us - start_us) * part // parts for part in range(parts + 1)]
    return [Interval(*pair) for pair in pairwise(edges)]


def _shifts(
    reader: EventReader,
    field: Column,
    queries: tuple[EventQuery, EventQuery],
    counts: Sequence[Mapping[str | None, int]],
    is_cut: Sequence[bool],
    limit: int,
    cancel: CancelToken | None,
) -> list[Shift]:
    shifts: list[Shift] = []
    for value in dict.fromkeys((*counts[0], *counts[1])):
        if value is None and field in _RARELY_TOLD:
            continue
        shift = Shift(field, value, counts[0].get(value, 0), counts[1].get(value, 0))
        if is_shift(shift):
            shifts.append(shift)
    shifts.sort(key=_rank)
    checked: list[Shift] = []
    for shift in shifts:
        if len(checked) >= limit:
            break
        # Values that are too rare for the list are counted one by one.
        numbers = [
            reader.count(replace(query, filter=All((query.filter, shift.condition))), cancel)
            if cut and not events
            else events
            for query, cut, events in zip(queries, is_cut, (shift.now, shift.before), strict=True)
        ]
        exact = Shift(field, shift.value, *numbers)
        if is_shift(exact):
            checked.append(exact)
    return sorted(checked, key=_rank)


def is_shift(shift: Shift) -> bool:
    """Tell whether a difference is worth a line: new, gone, or at least twice and more than chance."""
    if shift.kind in (Kind.NEW, Kind.GONE):
        return True
    more, less = max(shift.now, shift.before), min(shift.now, shift.before)
    return more >= LEAST_RATIO * less and shift.score >= LEAST_SCORE


def _rank(shift: Shift) -> tuple[int, float, str]:
    order = (Kind.NEW, Kind.GONE, Kind.MORE, Kind.LESS).index(shift.kind)
    return min(order, 2), -shift.score, shift.value or ""


def new_values(
    reader: EventReader, query: EventQuery, field: Column, limit: int, cancel: CancelToken | None = None
) -> list[str]:
    """Return the values of a column that stand in a result and in no event before its range, rarest first."""
    start_us = query.interval.start_us
    if start_us is None:
        return []
    values: list[str] = []
    facet = reader.facets(query, field, MAX_VALUES, cancel, rarest=True, most_events=MOST_EVENTS)
    for each in facet.values:
        if each.value is None:
            continue
        condition = Condition(field, IS, each.value)
        earlier = replace(query, filter=condition, interval=Interval(None, start_us))
        if not reader.count(earlier, cancel):
            values.append(each.value)
            if len(values) == limit:
                break
    return values


OLDEST_FIRST = Sort(Column.TIME, descending=False)
BEGINNING = 20
"""The first 20th of the time that a store spans: there everything is new, and nothing is said."""
NAME_CELLS = 60
"""A name is cut there in a remark."""
MAX_REMEMBERED = 50_000


class First(NamedTuple):
    """Something that no earlier event has."""

    tag: str
    """For the end of a line: ``NEW IP``."""
    words: str
    """A sentence."""


class FirstSeen:
    """Looks up the first event of each value, each once until there are more events: one may come late."""

    def __init__(self) -> None:
        self._first: dict[Filter, int] = {}
        self._newest_seq = 0
        self._begin_us: int | None = None

    def of(self, reader: EventReader, row: EventRow, cancel: CancelToken | None = None) -> Sequence[First]:
        """Return what is new with an event, the weightiest first; nothing at the beginning of a store.

        Raises:
            QueryCancelled: If the token is cancelled.
        """
        if self._begin_us is None:
            info = reader.info()
            span_us = (info.last_us or 0) - (info.first_us or 0)
            self._begin_us = (info.first_us or 0) + span_us // BEGINNING
        if row.occurred_us <= self._begin_us:
            return ()
        if (newest_seq := reader.newest_seq()) != self._newest_seq:
            self._first.clear()
            self._newest_seq = newest_seq
        return [
            First(tag, words)
            for tag, words, condition in _questions(row)
            if self._first_seq(reader, condition, cancel) == row.seq
        ]

    def _first_seq(self, reader: EventReader, condition: Filter, cancel: CancelToken | None) -> int | None:
        seq = self._first.get(condition)
        if seq is None:
            rows = reader.page(EventQuery(condition, sort=OLDEST_FIRST), AtRow(0), 1, cancel).rows
            if not rows:
                return None
            if len(self._first) >= MAX_REMEMBERED:
                self._first.clear()
            seq = self._first[condition] = rows[0].seq
        return seq


def _questions(row: EventRow) -> list[tuple[str, str, Filter]]:
    # Whoever names himself must not push what matters out of sight: the pane has the whole names below.
    name, source = (cut(text or "", NAME_CELLS) for text in (row.user, row.source_ip))
    event = Condition(Column.EVENT, IS, row.event)
    user = None if row.user is None else Condition(Column.USER, IS, row.user)
    address = None if row.source_ip is None else Condition(Column.SOURCE_IP, IS, row.source_ip)
    questions: list[tuple[str, str, Filter]] = []
    if user is not None:
        questions.append(("NEW USER", f"No earlier event is by {name}.", user))
    if address is not None:
        questions.append(("NEW IP", f"No earlier event comes from {source}.", address))
    questions.append(("NEW EVENT", f"No earlier event is called {cut(row.event, NAME_CELLS)}.", event))
    if user is not None and address is not None:
        words = f"{name} never came from {source} before."
        questions.append(("OTHER IP", words, All((user, address))))
    if user is not None:
        questions.append(("UNUSUAL", f"{name} never did this before.", All((user, event))))
    return questions
