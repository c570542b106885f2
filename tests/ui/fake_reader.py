"""An ``EventReader`` over a list in memory, by brute force: each answer as the protocol's words say it.

It is slow and simple. One may serve several threads at once: all it remembers is the results of questions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.columns import NAME_COLUMNS, Column, NameColumn
from audit_tui.core.event import AuditEvent, EventRow
from audit_tui.core.event_fields import row_text
from audit_tui.core.filter.filters import NO_VALUE_WORDS
from audit_tui.core.filter.matching import leaves
from audit_tui.core.query import (
    NEWEST_FIRST,
    After,
    AtRow,
    Before,
    EventQuery,
    EventReader,
    Facet,
    FacetField,
    Page,
    PageKey,
    Place,
    ReaderFactory,
    Sort,
    SourceState,
    StoreInfo,
    ValueCount,
)
from tests.matching import matches, stored, texts_of, values_in

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken

Comparable: TypeAlias = int | str
Hook: TypeAlias = Callable[[str, "CancelToken | None"], None]
"""Called with the method's name before each answer: may record it, wait, or raise an error."""


def texts_of_paths(event: AuditEvent, paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return what a list shows of fields of the metadata."""
    values = [*values_in("", event.metadata)]
    texts = {path: [text for name, text in values if f"{name}.".startswith(f"{path}.")] for path in paths}
    return tuple((path, ", ".join(several)) for path, several in texts.items() if several)


def row_of(event: AuditEvent, paths: Sequence[str] = ()) -> EventRow:
    """Return what a list shows of a stored event."""
    assert event.seq is not None, "a stored event has a number"
    return EventRow(
        event.seq,
        event.occurred_us,
        event.event,
        event.category,
        event.user,
        event.description,
        event.outcome,
        event.severity,
        event.source_ip,
        event.target,
        event.source,
        texts_of_paths(event, paths),
    )


def compare(left: PageKey, right: PageKey, sort: Sort) -> int:
    """Below 0 when ``left`` stands before ``right`` in a result sorted so, 0 when they are the same."""
    if sort.column is Column.TIME:
        order = _sign((left.occurred_us, left.seq), (right.occurred_us, right.seq))
        return -order if sort.descending else order
    order = _sign(sort.rank(left.value), sort.rank(right.value))
    if order:
        return -order if sort.descending else order
    return _sign((right.occurred_us, right.seq), (left.occurred_us, left.seq))


class FakeReader:
    """Answers about events in memory.

    Args:
        events: In order of append; those without ``seq`` and ``key`` are given theirs.
        hook: Called before each answer.
        name: What the store is called.
    """

    def __init__(self, events: Sequence[AuditEvent], hook: Hook | None = None, name: str = "fake.db") -> None:
        self._events: list[AuditEvent] = [
            event
            if event.seq and event.key
            else replace(event, seq=event.seq or index, key=event.key or f"fake-{index}")
            for index, event in enumerate(events, start=1)
        ]
        self.hook = hook
        self.name = name
        self.source_state = SourceState()
        self._results: dict[tuple[EventQuery, int], list[EventRow]] = {}

    @cached_property
    def _counts(self) -> dict[NameColumn, list[tuple[str, ValueCount]]]:
        return {
            field: [
                (NO_VALUE_WORDS if value is None else value.casefold(), ValueCount(value, count))
                for value, count in Counter(getattr(event, field.value) for event in self._events).items()
            ]
            for field in NAME_COLUMNS
        }

    def append(self, *events: AuditEvent) -> None:
        """Let events be appended, as another program would."""
        for event in events:
            number = len(self._events) + 1
            self._events.append(replace(event, seq=number, key=event.key or f"fake-{number}"))
        self.source_state = replace(self.source_state, newest_seq=len(self._events))

    def info(self) -> StoreInfo:
        self._enter("info")
        times = [event.occurred_us for event in self._events]
        return StoreInfo(
            name=self.name,
            path=f"/fake/{self.name}",
            store_id="fake",
            schema_version=1,
            events=len(self._events),
            first_us=min(times, default=None),
            last_us=max(times, default=None),
            size_bytes=0,
        )

    def state(self) -> SourceState:
        # No hook: the screen asks it whenever two seconds have passed, which a test cannot know.
        return self.source_state

    def newest_seq(self) -> int:
        self._enter("newest_seq")
        return max((event.seq or 0 for event in self._events), default=0)

    def page(
        self, query: EventQuery, place: Place, limit_rows: int, cancel: CancelToken | None = None
    ) -> Page:
        self._enter("page", cancel)
        rows = self.result(query)
        match place:
            case AtRow(index=index):
                start = max(index, 0)
            case After(key=key):
                start = bisect_right(rows, 0, key=partial(_side, key, query.sort))
            case Before(key=key):
                end = bisect_left(rows, 0, key=partial(_side, key, query.sort))
                start = max(end - limit_rows, 0)
                return Page(tuple(rows[start:end]), is_end=start == 0)
        return Page(tuple(rows[start : start + limit_rows]), is_end=start + limit_rows >= len(rows))

    def count(
        self,
        query: EventQuery,
        cancel: CancelToken | None = None,
        report: Callable[[int], None] | None = None,
    ) -> int:
        self._enter("count", cancel)
        return sum(_wanted(query, event) for event in self._events)

    def locate(self, query: EventQuery, key: PageKey, cancel: CancelToken | None = None) -> int:
        self._enter("locate", cancel)
        return bisect_left(self.result(query), 0, key=partial(_side, key, query.sort))

    def values(
        self, field: NameColumn, search: str, limit: int, cancel: CancelToken | None = None
    ) -> tuple[ValueCount, ...]:
        self._enter("values", cancel)
        text = stored(search)
        wanted = text.casefold()

        def rank(entry: tuple[str, ValueCount]) -> tuple[int, int, bool, str, str]:
            folded, (value, events) = entry[0], (entry[1].value, entry[1].events)
            nearness = (value != text, folded != wanted, not folded.startswith(wanted))
            near = nearness.index(False) if text and False in nearness else 3
            return near, -events, *_text_key(value)

        matching = sorted((entry for entry in self._counts[field] if wanted in entry[0]), key=rank)
        return tuple(entry[1] for entry in matching[:limit])

    def facets(
        self,
        query: EventQuery,
        field: FacetField,
        limit: int,
        cancel: CancelToken | None = None,
        *,
        rarest: bool = False,
        counts_all: bool = False,
        most_events: int | None = None,
    ) -> Facet:
        self._enter("facets", cancel)
        events = self.events(replace(query, sort=NEWEST_FIRST))
        if most_events is not None:
            is_whole = len(self.result(query)) <= most_events
            events = islice(events, most_events)
        else:
            is_whole = True
        counted: Counter[str | None] = Counter()
        number = 0
        for event in events:
            number += 1
            texts: set[str | None] = {*texts_of(field, event)}
            counted.update(texts or {None})
        sign = 1 if rarest else -1
        ordered = sorted(counted.items(), key=lambda entry: (sign * entry[1], *_text_key(entry[0])))
        values = tuple(ValueCount(value, times) for value, times in ordered[:limit])
        return Facet(values, len(ordered), number, is_whole)

    def histogram(
        self, query: EventQuery, edges_us: Sequence[int], cancel: CancelToken | None = None
    ) -> tuple[int, ...]:
        self._enter("histogram", cancel)
        times = [row.occurred_us for row in self.result(query)]
        return tuple(sum(start <= time < end for time in times) for start, end in pairwise(edges_us))

    def prepare(self, query: EventQuery | None = None, cancel: CancelToken | None = None) -> None:
        self._enter("prepare", cancel)

    def event(self, seq: int) -> AuditEvent | None:
        self._enter("event")
        return next((event for event in self._events if event.seq == seq), None)

    def metadata_names(self, cancel: CancelToken | None = None) -> dict[str, int]:
        self._enter("metadata_names", cancel)
        events = ({stored(path) for path, _ in leaves(event.metadata)} for event in self._events)
        return dict(sorted(Counter(chain.from_iterable(events)).items()))

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        self._enter("events", cancel)
        by_seq = {event.seq: event for event in self._events}
        for row in self.result(query):
            yield by_seq[row.seq]

    def close(self) -> None:
        self._enter("close")

    def result(self, query: EventQuery) -> list[EventRow]:
        """All rows of a result, in its order."""
        rows = self._results.get((query, len(self._events)))
        if rows is None:
            events = [*self._events]
            rows = [row_of(event, query.row_paths) for event in events if _wanted(query, event)]
            sort, by_time = query.sort, query.sort.column is Column.TIME
            rows.sort(key=lambda row: (row.occurred_us, row.seq), reverse=sort.descending or not by_time)
            if not by_time:
                # Rows of one value stay newest first, also when turned round.
                rows.sort(key=lambda row: sort.rank(row_text(row, sort.column)), reverse=sort.descending)
            self._results[query, len(events)] = rows
        return [*rows]

    def _enter(self, method: str, cancel: CancelToken | None = None) -> None:
        if self.hook is not None:
            self.hook(method, cancel)
        if cancel is not None:
            cancel.check()


def fake_factory(
    events: Sequence[AuditEvent], hook: Hook | None = None, name: str = "fake.db"
) -> ReaderFactory:
    """A factory whose readers all answer from these events."""
    reader = FakeReader(events, hook, name)

    def open_reader() -> EventReader:
        return reader

    return open_reader


def _side(key: PageKey, sort: Sort, row: EventRow) -> int:
    """Below 0 when a row stands before a key."""
    return compare(PageKey.of(row, sort), key, sort)


def _wanted(query: EventQuery, event: AuditEvent) -> bool:
    interval = query.interval
    return (
        (interval.start_us is None or event.occurred_us >= interval.start_us)
        and (interval.end_us is None or event.occurred_us < interval.end_us)
        and (query.upto_seq is None or (event.seq or 0) <= query.upto_seq)
        and matches(query.filter, event)
    )


def _text_key(value: str | None) -> tuple[bool, str, str]:
    text = value or ""
    return value is None, text.casefold(), text


def _sign(left: tuple[Comparable, ...], right: tuple[Comparable, ...]) -> int:
    return (left > right) - (left < right)
