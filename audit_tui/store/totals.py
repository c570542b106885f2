"""Totals of a result: how many of its events have each value, and how many lie in each span of time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from audit_tui.core.query import Interval, ValueCount
from audit_tui.store import by_columns, plan
from audit_tui.store.counting import count
from audit_tui.store.predicate import MISSING
from audit_tui.store.read import sql
from audit_tui.store.read.sql import Span
from audit_tui.store.tables.rows import read_text, whole
from audit_tui.store.tables.schema import NAME_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.columns import NameColumn
    from audit_tui.store.scope import Scope


def facets(scope: Scope, field: NameColumn, limit: int) -> tuple[ValueCount, ...]:
    """The values of a field with how many events of the scope have each, the most frequent first.

    Values that are as frequent stand in the order of their names, the missing one behind them.
    """
    return ranked(scope, field, _totals(scope, field), limit)


def ranked(scope: Scope, field: NameColumn, totals: dict[int, int], limit: int) -> tuple[ValueCount, ...]:
    """The names of the numbers that most events have, with how many these are."""
    places = sorted(totals.values(), reverse=True)
    if not places or limit <= 0:
        return ()
    least = places[min(limit, len(places)) - 1]
    # Only of those that may be among the first, the names are looked up.
    chosen = [number for number, events in totals.items() if events >= least]
    named = [(number, scope.session.name(field, number or None)) for number in chosen]
    found = [ValueCount(name, totals[number]) for number, name in named]
    found.sort(key=_rank)
    return tuple(found[:limit])


def histogram(scope: Scope, edges_us: Sequence[int]) -> tuple[int, ...]:
    """How many events of the scope lie from each of these ascending moments to the next."""
    edges = list(edges_us)
    if len(edges) <= 1:
        return ()
    whole_span = _between(scope, edges[0], edges[-1])
    found = scope.drivers()
    ranges = len(edges) * (1 if found is None else len(found.drivers))
    entries = scope.session.events_total if found is None else found.events
    if scope.predicate is not False and by_columns.is_counted(whole_span, entries, ranges):
        return tuple(by_columns.binned(whole_span, edges)[1:-1])
    return tuple(count(_between(scope, start, end)) for start, end in pairwise(edges))


def _between(scope: Scope, start_us: int, end_us: int) -> Scope:
    """The events of the scope in a half-open span of time."""
    own = Span.of(Interval(start_us, end_us))
    span = scope.span
    if own.after is not None:
        span = span.since(own.after)
    if own.before is not None:
        span = span.until(own.before)
    return replace(scope, span=span)


def _totals(scope: Scope, field: NameColumn) -> dict[int, int]:
    """How many events have each number of a field; MISSING for those without."""
    session = scope.session
    if scope.predicate is False:
        return {}
    if scope.predicate is True and scope.is_whole_store:
        found = session.rows(
            sql.Statement(f"SELECT id, events FROM {NAME_TABLES[field].table} WHERE events > 0")  # noqa: S608
        )
        totals = {whole(number): whole(events) for number, events in found}
        missing = session.events(field, MISSING)
        return totals | {MISSING: missing} if missing else totals
    drivers = scope.drivers()
    if by_columns.is_counted(scope, session.events_total if drivers is None else drivers.events):
        return by_columns.totals(scope, field)
    everything = (plan.Branch(None, scope.predicate),)
    branches = everything if drivers is None else plan.disjoint(scope.predicate, drivers)
    counted: Counter[int] = Counter()
    for branch in branches:
        statement = sql.totals(scope.scan(branch), session.indexes, field)
        for number, events in session.rows(statement):
            counted[MISSING if number is None else whole(number)] += whole(events)
    return dict(counted)


def _rank(value: ValueCount) -> tuple[int, bool, str, str]:
    name = read_text(value.value) or ""
    return (-value.events, value.value is None, name.casefold(), name)
