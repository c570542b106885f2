"""Counting what matches without looking at all of it.

The number of events of a name is known, of an index range it is read off the index, and what is not a
range is counted by what it is not: N - |A| - |B without A| for "neither A nor B".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.store import by_columns, plan
from audit_tui.store.predicate import negate
from audit_tui.store.read import sql

if TYPE_CHECKING:
    from audit_tui.store.scope import Scope

MAX_LATE_EVENTS = 20_000
"""Count over all events less those appended after the last wanted one, when these are at most so many."""


def count(scope: Scope) -> int:
    """Exactly how many events match."""
    if scope.predicate is False:
        return 0
    if by_columns.is_counted(scope, _entries(scope)):
        return by_columns.count(scope)
    late = 0
    session = scope.session
    if scope.upto_seq is not None and session.newest_seq - scope.upto_seq <= MAX_LATE_EVENTS:
        late = session.number(sql.late_count(scope.predicate, scope.span, scope.upto_seq))
        scope = replace(scope, upto_seq=None)
    return _count(scope) - late


def _entries(scope: Scope) -> int:
    """About how many entries of indexes a count by SQL reads."""
    session = scope.session
    everything = session.events_total
    if scope.predicate is True:
        return 0 if scope.span.is_everything else everything
    direct, inverse = scope.drivers(), replace(scope, predicate=negate(scope.predicate)).drivers()
    direct_cost, inverse_cost = _costs(scope, direct, inverse)
    found = direct if direct_cost <= inverse_cost else inverse
    if found is not None and scope.is_whole_store and len(found.drivers) <= 1:
        predicate = scope.predicate if found is direct else negate(scope.predicate)
        if all(branch.rest is True for branch in plan.branches(predicate, found)):
            return 0
    return min(direct_cost, inverse_cost)


def _costs(scope: Scope, direct: plan.Drivers | None, inverse: plan.Drivers | None) -> tuple[int, int]:
    """How many entries to read to count what matches, and what does not."""
    everything = scope.session.events_total
    direct_cost = everything if direct is None else direct.events
    inverse_cost = everything if inverse is None else inverse.events
    return direct_cost, inverse_cost if scope.is_whole_store else inverse_cost + everything // 2


def _count(scope: Scope) -> int:
    if scope.predicate is True:
        return _count_everything(scope)
    everything = scope.session.events_total
    direct = scope.drivers()
    opposite = replace(scope, predicate=negate(scope.predicate))
    inverse = opposite.drivers()
    direct_cost, inverse_cost = _costs(scope, direct, inverse)
    if direct is not None and direct_cost <= inverse_cost:
        return _count_ranges(scope, direct)
    if inverse is not None and inverse_cost < everything:
        return _count_everything(scope) - _count_ranges(opposite, inverse)
    return _count_branch(scope, plan.Branch(None, scope.predicate))


def _count_everything(scope: Scope) -> int:
    if scope.span.is_everything:
        session = scope.session
        return session.events_total if scope.upto_seq is None else session.events_upto(scope.upto_seq)
    return _count_branch(scope, plan.Branch(None, rest=True))


def _count_ranges(scope: Scope, found: plan.Drivers) -> int:
    return sum(_count_branch(scope, branch) for branch in plan.disjoint(scope.predicate, found))


def _count_branch(scope: Scope, branch: plan.Branch) -> int:
    if branch.driver is not None and branch.rest is True and scope.is_whole_store:
        return scope.session.events(*branch.driver)
    return scope.session.number(sql.scan_count(scope.scan(branch), scope.session.indexes))
