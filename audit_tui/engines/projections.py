"""Statements that count events in ClickHouse: by its projections, which it keeps beside the events itself.

A statement about the columns of a projection alone is answered by that, some 20 times as fast. So the bound,
which is a condition on numbers, stands apart: all events are counted, and those beyond it are taken away.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import All, Any, Condition
from audit_tui.core.query import Interval
from audit_tui.engines.conditions import TRUE
from audit_tui.engines.layout import COLUMN_OF, HOUR_US, NAME_FIELDS, Field
from audit_tui.engines.totals import Totals, or_else, whole_spans, within_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.query import EventQuery
    from audit_tui.engines.dialect import Args

_COUNT = "toInt64(count())"


class Projections(Totals):
    """Writes statements of numbers of events that a projection answers, where one can."""

    def meeting(self, args: Args, expression: Filter) -> str:
        """Return no further condition: a page reads so few columns that it takes less time."""
        del args, expression
        return ""

    def counted(self, args: Args, query: EventQuery) -> str:
        """Return an expression for the number of a result's events."""
        scopes = self._scopes(args, query)
        if len(scopes) == 1:
            return f"(SELECT count() FROM audit_events e WHERE {scopes[0][1]})"
        counts = [f"SELECT {sign}{_COUNT} AS n FROM audit_events e WHERE {where}" for sign, where in scopes]
        return f"(SELECT sum(n) FROM ({' UNION ALL '.join(counts)}) u)"

    def grouped(self, args: Args, query: EventQuery, field: Field, cancel: CancelToken | None) -> str:
        """Return the statement of the keys ``k`` of a field, each with the number ``n`` of its events."""
        del cancel
        column = f"e.{COLUMN_OF[field]}"
        groups = [
            f"SELECT {column} AS k, {sign}{_COUNT} AS n FROM audit_events e WHERE {where} GROUP BY {column}"
            for sign, where in self._scopes(args, query, field)
        ]
        return (
            groups[0] if len(groups) == 1 else f"SELECT k, sum(n) AS n FROM ({_union(groups)}) u GROUP BY k"
        )

    def buckets(
        self, args: Args, query: EventQuery, edges_us: Sequence[int], cancel: CancelToken | None
    ) -> str:
        """Return the statement of the buckets, each with a number of events."""
        inner = within_edges(query, edges_us)
        grain = _grain_us(_fields_of(query.filter))
        if not grain or all(after - before < 4 * grain for before, after in pairwise(edges_us)):
            return self._dialect.histogram(args, self._where(args, inner, cancel), edges_us)
        start, end = inner.interval.start_us or 0, inner.interval.end_us or 0
        first, last = max(-(-start // grain), 1), end // grain
        cut = sorted({edge // grain for edge in (*edges_us, start, end) if edge % grain and edge >= grain})
        span, where = _span(grain), self._scope.conditions(args, cancel).sql(query.filter)
        not_cut = f"{span} NOT IN ({', '.join(map(str, cut))})" if cut else TRUE
        spans = (
            f"SELECT {span} AS s, {_COUNT} AS n FROM audit_events e"
            f" WHERE {span} >= {first} AND {span} < {last} AND {not_cut} AND ({where}) GROUP BY s"
        )
        bucket = self._dialect.bucket(args, "e.occurred_us", edges_us)
        of_span = self._dialect.bucket(args, f"s * {grain}", edges_us)
        groups = [f"SELECT {of_span} AS b, sum(n) AS n FROM ({spans}) GROUP BY b"]
        by_event = [f"{span} IN ({', '.join(map(str, cut))})"] if cut else []
        by_event += [f"e.occurred_us < {grain}"] if start < grain else []
        rest = [("", f"{condition} AND {self._where(args, inner, cancel)}") for condition in by_event]
        if query.upto_seq is not None:
            later = self._later(args, query, Interval(first * grain, last * grain))
            rest.append(("-", f"{later} AND {not_cut}"))
        groups += [
            f"SELECT {bucket} AS b, {sign}{_COUNT} AS n FROM audit_events e WHERE {condition} GROUP BY b"
            for sign, condition in rest
        ]
        return f"SELECT indexOf({args(list(edges_us))}, b) - 1, sum(n) FROM ({_union(groups)}) u GROUP BY b"

    def span_before(self, args: Args, query: EventQuery, index: int) -> tuple[int, str] | None:
        """Return the statement of the span in which a row lies, and its grain; or None."""
        grain = _grain_us(_fields_of(query.filter))
        if not grain:
            return None
        order = "DESC" if query.sort.descending else "ASC"
        inside = self._inside(query.interval, grain)
        where = self._scope.conditions(args, None).sql(query.filter)
        spans = (
            f"SELECT {_span(grain)} AS s, {_COUNT} AS n FROM audit_events e"
            f" WHERE {inside} AND ({where}) GROUP BY s"
        )
        sums = f"SELECT s, sum(n) OVER (ORDER BY s {order}) - n AS before FROM ({spans})"
        # Spans before 1970 end where others begin, and the first one is twice as long.
        begin = "s" if query.sort.descending else "if(s > 0, s, s - 1)"
        return grain, (
            f"SELECT {begin} FROM ({sums}) WHERE before <= {args(index)} ORDER BY before DESC LIMIT 1"
        )

    @staticmethod
    def _inside(interval: Interval, grain: int) -> str:
        """Return the condition of the spans that an interval touches."""
        parts = [TRUE]
        if interval.start_us is not None:
            parts.append(f"{_span(grain)} >= {interval.start_us // grain}")
        if interval.end_us is not None:
            parts.append(f"{_span(grain)} < {-(-interval.end_us // grain)}")
        return " AND ".join(parts)

    def _scopes(self, args: Args, query: EventQuery, field: Field | None = None) -> list[tuple[str, str]]:
        """Return conditions that make up a result together, each with a minus where it is taken away."""
        fields = _fields_of(query.filter)
        grain = _grain_us(fields if fields is None or field is None else fields | {field})
        whole: Interval | None = None
        parts: list[Interval] = []
        if query.interval == Interval() and fields is not None and field is not Field.SOURCE:
            whole = query.interval
        elif grain:
            # Divisions round towards zero: only the spans after the first are what they are elsewhere.
            start = max(or_else(query.interval.start_us, grain), grain)
            whole, parts = whole_spans(replace(query.interval, start_us=start), grain)
            if start != query.interval.start_us:
                parts.append(
                    replace(query.interval, end_us=min(start, or_else(query.interval.end_us, start)))
                )
        if whole is None:
            return [("", self._where(args, query))]
        condition = self._scope.conditions(args, None).sql(query.filter)
        scopes = [("", f"{self._inside(whole, grain)} AND ({condition})")]
        scopes += [("", self._where(args, replace(query, interval=part))) for part in parts]
        if query.upto_seq is not None:
            scopes.append(("-", self._later(args, query, whole)))
        return scopes


def _fields_of(expression: Filter) -> set[Field] | None:
    """Return the fields that a filter asks for; None where a projection has not all of them."""
    if isinstance(expression, Condition):
        field = NAME_FIELDS.get(expression.field) if isinstance(expression.field, Column) else None
        return None if field is None or field is Field.SOURCE else {field}
    parts = expression.parts if isinstance(expression, All | Any) else (expression.part,)
    fields: set[Field] = set()
    for inner in map(_fields_of, parts):
        if inner is None:
            return None
        fields |= inner
    return fields


def _grain_us(fields: set[Field] | None) -> int:
    """Return the length of the spans of the projection that has these fields; 0 where none has."""
    if fields is None or Field.SOURCE in fields or (Field.USER in fields and len(fields) > 1):
        return 0
    return 24 * HOUR_US if Field.USER in fields else HOUR_US


def _span(grain: int) -> str:
    """Return the number of the span that an event lies in, as the projections have it."""
    return f"intDiv(e.occurred_us, {grain})"


def _union(statements: Sequence[str]) -> str:
    return " UNION ALL ".join(statements)
