"""The rows of a query that tests the rows themselves, with the help of the text index where it is there."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.columns import Column, NameColumn
from audit_tui.core.query import AtRow, Before
from audit_tui.store import by_columns, totals
from audit_tui.store.predicate import is_of_names
from audit_tui.store.read import sql
from audit_tui.store.read.sql import Moment, Span
from audit_tui.store.remembered import MAX_SORTED
from audit_tui.store.result import Result
from audit_tui.store.runs import SmallRun
from audit_tui.store.tables.rows import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.core.query import EventQuery, PageKey, Place, Sort, ValueCount
    from audit_tui.store.hits import Hits
    from audit_tui.store.read.session import Session
    from audit_tui.store.remembered import Remembered
    from audit_tui.store.scope import Scope

MAX_READ_ROWS = 100_000
"""With more events than this in no segment, the index is no help."""

STRETCH_EVENTS = 16_384
"""Without an index so many events are tested between two reports: 100 ms."""

Answer: TypeAlias = "Result | SearchResult"


def result_of(session: Session, query: EventQuery, remembered: Remembered) -> Answer:
    """The rows of a query, by the way that finds them soonest."""
    result = Result(session, query)
    if is_of_names(result.scope.predicate) or by_columns.can_answer(result.scope):
        return result
    if not _has_index(session):
        return ReadResult(session, query)
    return SearchResult(result, query.sort, remembered)


class ReadResult(Result):
    """The rows of a query that tests rows, each of which is read."""

    def count(self, report: Callable[[int], None] | None = None) -> int:
        """Exactly how many rows there are, told stretch by stretch where all events are looked at."""
        scope = self.scope
        if scope.drivers() is not None:
            return super().count(report)
        counted = 0
        for first in range(1, scope.session.newest_seq + 1, STRETCH_EVENTS):
            scope.session.check()
            counted += scope.session.number(sql.stretch_count(scope, first, first + STRETCH_EVENTS - 1))
            if report is not None:
                report(counted)
        return counted


class SearchResult:
    """The rows of a query that tests rows, found by the text index.

    Args:
        result: The same without the index, for what it has no order for.
        sort: The order.
        remembered: What earlier questions found.
    """

    def __init__(self, result: Result, sort: Sort, remembered: Remembered) -> None:
        self._result = result
        self._scope: Scope = result.scope
        self._sort = sort
        self._remembered = remembered

    def page(self, place: Place, limit: int) -> tuple[list[Moment], bool]:
        """The keys at a place, in the result's order, and whether there are none beyond them."""
        if self._sort.column is not Column.TIME:
            return self._page_by_value(place, limit)
        span, offset, is_forward = self._scope.span, 0, True
        if isinstance(place, AtRow):
            offset = max(0, place.index)
        else:
            is_forward = not isinstance(place, Before)
            span = self._side(place.key, is_after=is_forward)
        keys = self._hits.keys(span, limit + 1, offset, newest_first=self._sort.descending is is_forward)
        is_end = len(keys) <= limit
        keys = keys[:limit]
        return (keys if is_forward else keys[::-1]), is_end

    def count(self, report: Callable[[int], None] | None = None) -> int:
        """Exactly how many rows there are.

        Args:
            report: Is told, from time to time, how many there are at least.
        """
        return self._hits.count(self._scope.span, report)

    def locate(self, key: PageKey) -> int:
        """How many rows come before a key."""
        if self._sort.column is Column.TIME:
            return self._hits.count(self._side(key, is_after=False))
        if self._small is None:
            return self._result.locate(key)
        return sum(run.count() for run in self._small.split(key)[0])

    def facets(self, field: NameColumn, limit: int) -> tuple[ValueCount, ...]:
        """The values of a field with how many rows have each, the most frequent first."""
        return totals.ranked(self._scope, field, self._hits.totals(self._scope.span, field), limit)

    def histogram(self, edges_us: Sequence[int]) -> tuple[int, ...]:
        """How many rows lie from each of these ascending moments to the next."""
        edges = list(edges_us)
        distinct = sorted(set(edges))
        if len(distinct) < 2:
            return (0,) * max(0, len(edges) - 1)
        found = self._hits.histogram(self._scope.span, distinct)
        held = dict(zip(distinct[:-1], found, strict=True))
        return tuple(held[start] if start < end else 0 for start, end in pairwise(edges))

    def _page_by_value(self, place: Place, limit: int) -> tuple[list[Moment], bool]:
        if self._small is None:
            return self._result.page(place, limit)
        if isinstance(place, AtRow):
            keys = self._small.keys(limit + 1, max(0, place.index), is_forward=True)
            return keys[:limit], len(keys) <= limit
        before, after = self._small.split(place.key)
        if isinstance(place, Before):
            keys = before[0].keys(limit + 1, 0, is_forward=False)
            return keys[:limit][::-1], len(keys) <= limit
        keys = after[0].keys(limit + 1, 0, is_forward=True)
        return keys[:limit], len(keys) <= limit

    @cached_property
    def _hits(self) -> Hits:
        from audit_tui.store.hits import Hits

        return Hits(self._scope.session, self._scope.predicate, self._scope.upto_seq, self._remembered)

    @cached_property
    def _small(self) -> SmallRun | None:
        """All rows sorted in memory; None when they are too many."""
        scope = self._scope
        if self._hits.count(scope.span) > MAX_SORTED:
            return None
        found = self._hits.keys(scope.span, MAX_SORTED, 0, newest_first=True)
        values = (scope.session.rows(sql.value_of(self._sort.column, moment.seq)) for moment in found)
        rows = ((moment, value[0][0]) for moment, value in zip(found, values, strict=True) if value)
        return SmallRun.of(scope, self._sort, rows)

    def _side(self, key: PageKey, *, is_after: bool) -> Span:
        moment = Moment(key.occurred_us, key.seq)
        is_older = is_after is self._sort.descending
        return self._scope.span.until(moment) if is_older else self._scope.span.since(moment)


def _has_index(session: Session) -> bool:
    """Whether the text index is there and holds nearly all events."""
    tables = session.rows(sql.Statement(_TABLES))
    if whole(tables[0][0]) < 2:
        return False
    held = session.rows(sql.Statement("SELECT sum(last_seq - first_seq + 1) FROM text_segments"))
    return session.newest_seq - whole(held[0][0] or 0) <= MAX_READ_ROWS


_TABLES = """
SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND (name = 'text_segments' OR name = 'text_parts')
"""
