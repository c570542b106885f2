"""Statements that count events: by the totals of hours and days, and event by event where those end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.event import packed_seq
from audit_tui.core.filter.filters import EVERYTHING, Condition
from audit_tui.core.query import Bound, Interval
from audit_tui.engines.conditions import TRUE
from audit_tui.engines.layout import COLUMN_OF, GRAIN_US, NAME_FIELDS, NO_NAME, Field
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.query import EventQuery
    from audit_tui.engines.conditions import Conditions
    from audit_tui.engines.dialect import Args, Dialect

_TOTALS_FIELDS = (Field.EVENT, Field.CATEGORY, Field.USER)


class Scope:
    """Writes the conditions of the events of a query.

    Args:
        dialect: The engine's SQL.
        conditions: Writes those of a filter.
        has_bound: Later events have larger numbers.
    """

    def __init__(
        self,
        dialect: Dialect,
        conditions: Callable[[Args, CancelToken | None], Conditions],
        *,
        has_bound: bool = True,
    ) -> None:
        self.dialect = dialect
        self.conditions = conditions
        self._has_bound = has_bound

    def inside(self, args: Args, query: EventQuery) -> str:
        """Return the conditions of the interval and of the bound."""
        parts = _within(args, query.interval)
        upto = query.upto_seq if self._has_bound else None
        if isinstance(upto, Bound) and len(upto.stores) > 1:
            parts.append(self.dialect.is_upto(args, upto.stores))
        elif isinstance(upto, Bound) and upto.stores:
            store, number = upto.stores[0]
            parts.append(
                f"e.id >= {args(packed_seq(store, 0))} AND e.id <= {args(packed_seq(store, number))}"
            )
        elif upto is not None:
            parts.append(f"e.id <= {args(int(upto))}")
        return " AND ".join(parts) or TRUE

    def where(self, args: Args, query: EventQuery, cancel: CancelToken | None = None) -> str:
        """Return the conditions of the interval, of the bound and of the filter."""
        condition = self.conditions(args, cancel).sql(query.filter)
        return f"{self.inside(args, query)} AND ({condition})"


class Totals:
    """Writes statements of numbers of events.

    Args:
        scope: Writes the conditions of a query.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._dialect = scope.dialect
        self._where = scope.where

    def _names_of(self, args: Args, expression: Filter) -> tuple[Field, str] | None:
        """Return the field of the totals that answer a filter, and the condition on their names; or None."""
        if not self._dialect.has_totals:
            return None
        if expression == EVERYTHING:
            return Field.ALL, TRUE
        if not isinstance(expression, Condition) or not isinstance(expression.field, Column):
            return None
        field = NAME_FIELDS.get(expression.field)
        if field not in _TOTALS_FIELDS:
            return None
        operator, value = expression.operator.base, expression.value
        if operator.takes_all_when_empty and not value:
            names = TRUE
        elif value is None:
            names = f"t.name = {NO_NAME}"
        else:
            chosen = self._scope.conditions(args, None).names(field, operator, stored_text(value))
            names = f"t.name IN (SELECT id FROM audit_names WHERE {chosen})"
        return field, f"NOT ({names})" if expression.operator.is_negated else names

    def counted(self, args: Args, query: EventQuery) -> str:
        """Return an expression for the number of a result's events."""
        edges = query.interval.start_us, query.interval.end_us
        totals = self._names_of(args, query.filter)
        if totals is None:
            return f"(SELECT count(*) FROM audit_events e WHERE {self._where(args, query)})"
        field, names = totals
        whole, parts = _whole_spans(edges, GRAIN_US[field])
        if whole is None:
            return f"(SELECT count(*) FROM audit_events e WHERE {self._where(args, query)})"
        terms = [_summed(args, field, names, whole)]
        for part in parts:
            inner = replace(query, interval=part)
            terms.append(f"(SELECT count(*) FROM audit_events e WHERE {self._where(args, inner)})")
        sql = " + ".join(terms)
        if query.upto_seq is not None:
            sql += f" - (SELECT count(*) FROM audit_events e WHERE {self._later(args, query, field, whole)})"
        return f"({sql})"

    def _later(
        self, args: Args, query: EventQuery, field: Field, whole: tuple[int | None, int | None]
    ) -> str:
        """Return the condition of events that the totals count, but the bound leaves out."""
        upto = query.upto_seq
        stores = upto.stores if isinstance(upto, Bound) else ((0, int(upto or 0)),)
        grain = GRAIN_US[field]
        start, end = (None if span is None else span * grain for span in whole)
        spans = _within(args, Interval(start, end))
        ranges = [
            f"(e.id > {args(packed_seq(store, number))} AND e.id < {args(packed_seq(store + 1, 0))})"
            for store, number in stores
        ]
        # Those of stores that were not there yet.
        numbers = [-1, *sorted(store for store, _ in stores)]
        for before, after in zip(numbers, [*numbers[1:], None], strict=True):
            if after != before + 1:
                end_of = "" if after is None else f" AND e.id < {args(packed_seq(after, 0))}"
                ranges.append(f"(e.id >= {args(packed_seq(before + 1, 0))}{end_of})")
        condition = self._scope.conditions(args, None).sql(query.filter)
        return " AND ".join([*spans, f"({' OR '.join(ranges)})", f"({condition})"])

    def grouped(self, args: Args, query: EventQuery, field: Field, cancel: CancelToken | None) -> str:
        """Return the statement of the keys ``k`` of a field, each with the number ``n`` of its events."""
        column = f"e.{COLUMN_OF[field]}"
        totals = self._names_of(args, query.filter)
        if totals is not None and totals[0] in (Field.ALL, field):
            names = totals[1]
            whole, parts = _whole_spans((query.interval.start_us, query.interval.end_us), GRAIN_US[field])
            if whole is not None:
                spans = " AND ".join(_span_range(args, whole))
                groups = [
                    f"SELECT nullif(t.name, {NO_NAME}) AS k, sum(t.n) AS n FROM audit_totals t"
                    f" WHERE t.field = {int(field)} AND {spans} AND ({names}) GROUP BY t.name"
                ]
                for part in parts:
                    where = self._where(args, replace(query, interval=part), cancel)
                    groups.append(
                        f"SELECT {column}, count(*) FROM audit_events e WHERE {where} GROUP BY {column}"
                    )
                if query.upto_seq is not None:
                    later = self._later(args, query, field, whole)
                    groups.append(
                        f"SELECT {column}, -count(*) FROM audit_events e WHERE {later} GROUP BY {column}"
                    )
                union = " UNION ALL ".join(groups)
                return f"SELECT k, sum(n) AS n FROM ({union}) u GROUP BY k"
        where = self._where(args, query, cancel)
        return f"SELECT {column} AS k, count(*) AS n FROM audit_events e WHERE {where} GROUP BY {column}"

    def buckets(
        self, args: Args, query: EventQuery, edges_us: Sequence[int], cancel: CancelToken | None
    ) -> str:
        """Return the statement of the buckets, each with a number of events; one may come several times."""
        start, end = edges_us[0], edges_us[-1]
        interval = query.interval
        inner = replace(
            query,
            interval=replace(
                interval,
                start_us=max(start, or_else(interval.start_us, start)),
                end_us=min(end, or_else(interval.end_us, end)),
            ),
        )
        totals = self._names_of(args, query.filter)
        grain = GRAIN_US[totals[0]] if totals else 0
        where = self._where(args, inner, cancel)
        if totals is None or all(after - before < 4 * grain for before, after in pairwise(edges_us)):
            return self._dialect.histogram(args, where, edges_us)
        bucket = self._dialect.bucket(args, "e.occurred_us", edges_us)
        field, names = totals
        # Whole spans by their totals; those that an edge or an end of the interval cuts, event by event.
        cut = sorted({
            edge // grain
            for edge in (*edges_us, inner.interval.start_us, inner.interval.end_us)
            if edge is not None and edge % grain
        })  # fmt: skip
        first, last = -(-(inner.interval.start_us or 0) // grain), (inner.interval.end_us or 0) // grain
        of_span = self._dialect.bucket(args, f"t.span::bigint * {grain}", edges_us)
        groups = [
            f"SELECT {of_span} AS b, sum(t.n) AS n FROM audit_totals t WHERE t.field = {int(field)}"
            f" AND t.span >= {args(first)} AND t.span < {args(last)}"
            f" AND t.span <> ALL ({args(cut or [-1 << 30])}) AND ({names}) GROUP BY 1"
        ]
        if cut:
            ranges = f"unnest({args(cut)}) AS c (span)"
            groups.append(
                f"SELECT {bucket}, count(*) FROM {ranges} JOIN audit_events e"
                f" ON e.occurred_us >= c.span * {grain} AND e.occurred_us < (c.span + 1) * {grain}"
                f" WHERE {where} GROUP BY 1"
            )
        if query.upto_seq is not None:
            later = self._later(args, query, field, (first, last))
            span = f"floor(e.occurred_us::numeric / {grain})::bigint"
            groups.append(
                f"SELECT {bucket}, -count(*) FROM audit_events e WHERE {later}"
                f" AND {span} <> ALL ({args(cut or [-1 << 30])}) GROUP BY 1"
            )
        return " UNION ALL ".join(groups)

    def span_before(self, args: Args, query: EventQuery, index: int) -> tuple[int, str] | None:
        """Return the statement of the span in which a row lies, by the totals, and its grain; or None.

        The totals may count events beyond the bound.
        """
        totals = self._names_of(args, query.filter)
        if totals is None:
            return None
        field, names = totals
        grain, interval, down = GRAIN_US[field], query.interval, query.sort.descending
        parts = [f"t.field = {int(field)}", f"({names})"]
        if interval.start_us is not None:
            parts.append(f"t.span >= {args(interval.start_us // grain)}")
        if interval.end_us is not None:
            parts.append(f"t.span <= {args((interval.end_us - 1) // grain)}")
        spans = (
            f"SELECT t.span, sum(t.n) AS n FROM audit_totals t WHERE {' AND '.join(parts)} GROUP BY t.span"
        )
        order = "DESC" if down else ""
        before = f"SELECT s.span, sum(s.n) OVER (ORDER BY s.span {order}) - s.n AS before FROM ({spans}) s"
        statement = (
            f"SELECT w.span FROM ({before}) w WHERE w.before <= {args(index)} ORDER BY w.before DESC LIMIT 1"
        )
        return grain, statement


def or_else(value: int | None, other: int) -> int:
    """Return a value, or another one in the place of None."""
    return other if value is None else value


def _within(args: Args, interval: Interval) -> list[str]:
    """Return the conditions of an interval."""
    parts = []
    if interval.start_us is not None:
        parts.append(f"e.occurred_us >= {args(interval.start_us)}")
    if interval.end_us is not None:
        parts.append(f"e.occurred_us < {args(interval.end_us)}")
    return parts


def _whole_spans(
    edges: tuple[int | None, int | None], grain: int
) -> tuple[tuple[int | None, int | None] | None, list[Interval]]:
    """Divide an interval into whole spans and the rest at its ends.

    Returns:
        The first whole span and the one after the last, None without an end; None for none. And the intervals
        at both ends.
    """
    start, end = edges
    first = None if start is None else -(-start // grain)
    last = None if end is None else end // grain
    if first is not None and last is not None and first >= last:
        return None, []
    parts = []
    if first is not None and first * grain != start:
        parts.append(Interval(start, first * grain))
    if last is not None and last * grain != end:
        parts.append(Interval(last * grain, end))
    return (first, last), parts


def _span_range(args: Args, whole: tuple[int | None, int | None]) -> list[str]:
    """Return the conditions of whole spans."""
    first, last = whole
    parts = []
    if first is not None:
        parts.append(f"t.span >= {args(first)}")
    if last is not None:
        parts.append(f"t.span < {args(last)}")
    return parts or [TRUE]


def _summed(args: Args, field: Field, names: str, whole: tuple[int | None, int | None]) -> str:
    """Return the sum of the totals of names over whole spans."""
    spans = " AND ".join(_span_range(args, whole))
    where = f"t.field = {int(field)} AND {spans} AND ({names})"
    return f"coalesce((SELECT sum(t.n) FROM audit_totals t WHERE {where}), 0)"
