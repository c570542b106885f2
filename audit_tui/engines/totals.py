"""Statements that count events: by the totals of hours and days, and event by event where those end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import Column
from audit_tui.core.event import packed_seq
from audit_tui.core.filter.filters import EVERYTHING, All, Any, Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import Bound, Interval
from audit_tui.engines.conditions import TRUE
from audit_tui.engines.layout import COLUMN_OF, GRAIN_US, MONTH_US, MONTHS, NAME_FIELDS, NO_NAME, PAIRS, Field
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.query import EventQuery
    from audit_tui.engines.conditions import Conditions
    from audit_tui.engines.dialect import Args, Dialect


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

    def _names_of(self, args: Args, expression: Filter) -> tuple[Field, str, bool] | None:
        """Return the field of the totals that answer a filter, and a condition on their names; or None.

        With it, True where the filter takes all names but those.
        """
        if not self._dialect.has_totals:
            return None
        if expression == EVERYTHING:
            return Field.ALL, TRUE, False
        choice = _choice_of(expression)
        if choice is None:
            return None
        names = [self._names(args, choice.field, condition) for condition in choice.positive]
        return choice.field, " OR ".join(names), choice.is_negated

    def _names(self, args: Args, field: Field, condition: Condition) -> str:
        operator, value = condition.operator, condition.value
        if operator.takes_all_when_empty and not value:
            return TRUE
        if value is None:
            return f"t.name = {NO_NAME}"
        chosen = self._scope.conditions(args, None).names(field, operator, stored_text(value))
        return f"t.name IN (SELECT id FROM audit_names WHERE {chosen})"

    def meeting(self, args: Args, expression: Filter) -> str:
        """Return a condition without which no event matches: two of the names that are asked for ever meet.

        The engine looks at it once, not with each event: two common names that never meet took it 1,300 ms.
        """
        by_field: dict[Field, list[str]] = {}
        for part in expression.parts if isinstance(expression, All) else ():
            if isinstance(part, Condition) and part.operator.base is IS:
                totals = self._names_of(args, part)
                if totals is not None:
                    field, names, is_negated = totals
                    by_field.setdefault(field, []).append(_unless(names, is_negated))
        met = [
            f" AND EXISTS (SELECT FROM audit_totals t WHERE t.field = {pair}"
            f" AND {' AND '.join(by_field[first])} AND {_of_span(' AND '.join(by_field[second]))})"
            for (first, second), pair in PAIRS.items()
            if first in by_field and second in by_field
        ]
        return "".join(met)

    def _parted(self, query: EventQuery) -> tuple[EventQuery, EventQuery] | None:
        """Return all, and those to take away, for a query of all but some names: the others are many."""
        choice = _choice_of(query.filter) if self._dialect.has_totals else None
        if choice is None or not choice.is_negated:
            return None
        return replace(query, filter=EVERYTHING), replace(query, filter=Any(choice.positive))

    def _paired(self, args: Args, query: EventQuery) -> str | None:
        """Return the number of events by the totals of two names, for conditions on two fields; or None."""
        expression = query.filter
        if not isinstance(expression, All) or query.interval != Interval():
            return None
        by_field: dict[Field, list[str]] = {}
        for part in expression.parts:
            totals = self._names_of(args, part)
            if totals is None:
                return None
            by_field.setdefault(totals[0], []).append(_unless(*totals[1:]))
        for (first, second), pair in PAIRS.items():
            if {first, second} == by_field.keys():
                names = [*by_field[first], *map(_of_span, by_field[second])]
                later = self._later(args, query, query.interval)
                return (
                    f"(coalesce((SELECT sum(t.n) FROM audit_totals t WHERE t.field = {pair}"
                    f" AND {' AND '.join(names)}), 0)"
                    f" - (SELECT count(*) FROM audit_events e WHERE {later}))"
                )
        return None

    def counted(self, args: Args, query: EventQuery) -> str:
        """Return an expression for the number of a result's events."""
        if (parted := self._parted(query)) is not None:
            return f"({self.counted(args, parted[0])} - {self.counted(args, parted[1])})"
        if query.upto_seq is not None and (paired := self._paired(args, query)) is not None:
            return paired
        totals = self._names_of(args, query.filter)
        grain = 1 if totals is None else GRAIN_US[totals[0]]
        whole, parts = whole_spans(query.interval, grain)
        if totals is None or whole is None:
            meeting = self.meeting(args, query.filter)
            return f"(SELECT count(*) FROM audit_events e WHERE {self._where(args, query)}{meeting})"
        sql = _summed(args, totals[0], totals[1], whole)
        for part in parts:
            inner = replace(query, interval=part)
            sql += f" + (SELECT count(*) FROM audit_events e WHERE {self._where(args, inner)})"
        if query.upto_seq is not None:
            sql += f" - (SELECT count(*) FROM audit_events e WHERE {self._later(args, query, whole)})"
        return f"({sql})"

    def _later(self, args: Args, query: EventQuery, whole: Interval) -> str:
        """Return the condition of events that the totals count, but the bound leaves out."""
        upto = query.upto_seq
        stores = upto.stores if isinstance(upto, Bound) else ((0, int(upto or 0)),)
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
        return " AND ".join([*_within(args, whole), f"({' OR '.join(ranges)})", f"({condition})"])

    def grouped(self, args: Args, query: EventQuery, field: Field, cancel: CancelToken | None) -> str:
        """Return the statement of the keys ``k`` of a field, each with the number ``n`` of its events."""
        column = f"e.{COLUMN_OF[field]}"
        whole, parts = whole_spans(query.interval, GRAIN_US.get(field, 1))
        if field not in GRAIN_US:
            whole = None
        groups = [] if whole is None else self._groups(args, query, field, whole)
        if whole is None or not groups:
            where = f"{self._where(args, query, cancel)}{self.meeting(args, query.filter)}"
            return f"SELECT {column} AS k, count(*) AS n FROM audit_events e WHERE {where} GROUP BY {column}"
        for part in parts:
            where = self._where(args, replace(query, interval=part), cancel)
            groups.append(f"SELECT {column}, count(*) FROM audit_events e WHERE {where} GROUP BY {column}")
        if query.upto_seq is not None:
            later = self._later(args, query, whole)
            groups.append(f"SELECT {column}, -count(*) FROM audit_events e WHERE {later} GROUP BY {column}")
        return f"SELECT k, sum(n) AS n FROM ({' UNION ALL '.join(groups)}) u GROUP BY k"

    def _groups(self, args: Args, query: EventQuery, field: Field, whole: Interval) -> list[str]:
        """Return statements of the totals by the names of a field; none where they do not tell."""
        totals = self._names_of(args, query.filter)
        if totals is None:
            return []
        other, names, is_negated = totals
        names, key = _unless(names, is_negated), "t.name"
        if other in (Field.ALL, field):
            covered = _covered(args, field, whole)
        elif whole != Interval():
            return []
        elif (pair := PAIRS.get((field, other))) is not None:
            covered, names = [f"t.field = {pair}"], _of_span(names)
        else:
            covered, key = [f"t.field = {PAIRS[other, field]}"], "t.span"
        return [
            f"SELECT nullif({key}, {NO_NAME}) AS k, sum(t.n) AS n FROM audit_totals t"
            f" WHERE {totals_there} AND ({names}) GROUP BY {key}"
            for totals_there in covered
        ]

    def buckets(
        self, args: Args, query: EventQuery, edges_us: Sequence[int], cancel: CancelToken | None
    ) -> str:
        """Return the statement of the buckets, each with a number of events; one may come several times."""
        if (parted := self._parted(query)) is not None:
            every, those = (self.buckets(args, part, edges_us, cancel) for part in parted)
            return f"{every} UNION ALL SELECT x.b, -x.n FROM ({those}) x"
        inner = within_edges(query, edges_us)
        totals = self._names_of(args, query.filter)
        grain = GRAIN_US[totals[0]] if totals else 0
        where = self._where(args, inner, cancel)
        if totals is None or all(after - before < 4 * grain for before, after in pairwise(edges_us)):
            return self._dialect.histogram(args, where, edges_us)
        bucket = self._dialect.bucket(args, "e.occurred_us", edges_us)
        field, names, _ = totals
        # Whole spans by their totals; those that an edge or an end of the interval cuts, event by event.
        cut = sorted({
            edge // grain
            for edge in (*edges_us, inner.interval.start_us, inner.interval.end_us)
            if edge is not None and edge % grain
        })  # fmt: skip
        first, last = -(-(inner.interval.start_us or 0) // grain), (inner.interval.end_us or 0) // grain
        of_span = self._dialect.bucket(args, f"t.span::bigint * {grain}", edges_us)
        # As the column is, or each span is compared with each of the cut ones: 120 ms in the place of 54.
        groups = [
            f"SELECT {of_span} AS b, sum(t.n) AS n FROM audit_totals t WHERE t.field = {int(field)}"
            f" AND t.span >= {args(first)} AND t.span < {args(last)}"
            f" AND t.span <> ALL ({args(cut or [-1 << 30])}::int[]) AND ({names}) GROUP BY 1"
        ]
        if cut:
            ranges = f"unnest({args(cut)}) AS c (span)"
            groups.append(
                f"SELECT {bucket}, count(*) FROM {ranges} JOIN audit_events e"
                f" ON e.occurred_us >= c.span * {grain} AND e.occurred_us < (c.span + 1) * {grain}"
                f" WHERE {where} GROUP BY 1"
            )
        if query.upto_seq is not None:
            later = self._later(args, query, Interval(first * grain, last * grain))
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
        field, names, is_negated = totals
        names = _unless(names, is_negated)
        grain, interval, down = GRAIN_US[field], query.interval, query.sort.descending
        place = args(index)

        def first_span(number: int, before: str, inside: str) -> str:
            """Return the statement of the last span that begins before the row."""
            order = "DESC" if down else "ASC"
            sums = (
                f"SELECT t.span, {before} + sum(sum(t.n)) OVER (ORDER BY t.span {order}) - sum(t.n) AS before"
                f" FROM audit_totals t WHERE t.field = {number} AND ({names}){inside} GROUP BY t.span"
            )
            return f"SELECT w.* FROM ({sums}) w WHERE w.before <= {place} ORDER BY w.before DESC LIMIT 1"

        if (interval.end_us if down else interval.start_us) is None:
            # First the month, then the hour in it.
            months = MONTH_US // grain
            begin = f"(SELECT m.span FROM m) * {months}"
            inside = f" AND t.span >= {begin} AND t.span < {begin} + {months}"
            hour = first_span(int(field), "(SELECT m.before FROM m)", inside)
            return grain, f"WITH m AS MATERIALIZED ({first_span(field + MONTHS, '0', '')}) {hour}"
        inside = ""
        if interval.start_us is not None:
            inside += f" AND t.span >= {args(interval.start_us // grain)}"
        if interval.end_us is not None:
            inside += f" AND t.span <= {args((interval.end_us - 1) // grain)}"
        return grain, first_span(int(field), "0", inside)


class _Choice(NamedTuple):
    """Names of one field, of which an event has any, or none."""

    field: Field
    positive: tuple[Condition, ...]
    is_negated: bool


def _choice_of(expression: Filter) -> _Choice | None:
    """Return the names that a filter chooses by, where those are of one field that is counted."""
    parts = expression.parts if isinstance(expression, All | Any) else (expression,)
    fields, signs, positive = set(), set(), []
    for part in parts:
        if not isinstance(part, Condition) or not isinstance(part.field, Column):
            return None
        fields.add(NAME_FIELDS.get(part.field))
        signs.add(part.operator.is_negated)
        positive.append(Condition(part.field, part.operator.base, part.value))
    if len(fields) != 1 or len(signs) != 1:
        return None
    field, is_negated = fields.pop(), signs.pop()
    if field not in GRAIN_US or (len(parts) > 1 and is_negated is not isinstance(expression, All)):
        return None
    return _Choice(field, tuple(positive), is_negated)


def within_edges(query: EventQuery, edges_us: Sequence[int]) -> EventQuery:
    """Return a query of the part of its interval that lies between the first and the last edge."""
    start, end = edges_us[0], edges_us[-1]
    first = max(start, or_else(query.interval.start_us, start))
    return replace(query, interval=Interval(first, min(end, or_else(query.interval.end_us, end))))


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


def whole_spans(interval: Interval, grain: int) -> tuple[Interval | None, list[Interval]]:
    """Divide an interval into whole spans, None for none, and the rest at its ends."""
    start, end = interval.start_us, interval.end_us
    first = None if start is None else -(-start // grain) * grain
    last = None if end is None else end // grain * grain
    if first is not None and last is not None and first >= last:
        return None, []
    parts = []
    if first != start:
        parts.append(Interval(start, first))
    if last != end:
        parts.append(Interval(last, end))
    return Interval(first, last), parts


def _covered(args: Args, field: Field, whole: Interval) -> list[str]:
    """Return the conditions of totals that cover whole spans together: by months, and by less at the ends."""
    months, ends = whole_spans(whole, MONTH_US)
    covered = [] if months is None else [(field + MONTHS, MONTH_US, months)]
    covered += [(int(field), GRAIN_US[field], part) for part in (ends if months else [whole])]
    conditions = []
    for number, grain, part in covered:
        parts = [f"t.field = {number}"]
        if part.start_us is not None:
            parts.append(f"t.span >= {args(part.start_us // grain)}")
        if part.end_us is not None:
            parts.append(f"t.span < {args(part.end_us // grain)}")
        conditions.append(" AND ".join(parts))
    return conditions


def _summed(args: Args, field: Field, names: str, whole: Interval) -> str:
    """Return the sum of the totals of names over whole spans."""
    sums = [
        f"coalesce((SELECT sum(t.n) FROM audit_totals t WHERE {covered} AND ({names})), 0)"
        for covered in _covered(args, field, whole)
    ]
    return " + ".join(sums)


def _unless(names: str, is_negated: bool) -> str:
    return f"NOT ({names})" if is_negated else f"({names})"


def _of_span(names: str) -> str:
    """Return a condition on the names of totals as one on their spans, where those are names."""
    return names.replace("t.name", "t.span")
