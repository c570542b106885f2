"""Counting what matches without looking at all of it.

The number of events of a name is known, of an index range it is read off the index, and what is not a
range is counted by what it is not: N - |A| - |B without A| for "neither A nor B".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.record import Record
from audit_tui.store import plan, sql
from audit_tui.store.predicate import negate

if TYPE_CHECKING:
    from audit_tui.store.predicate import Predicate
    from audit_tui.store.session import Session

MAX_LATE_EVENTS = 20_000
"""Count over all events less those appended after the last wanted one, when these are at most so many."""


class Scope(Record):
    """Which events, in one snapshot."""

    session: Session
    predicate: Predicate
    span: sql.Span
    upto_seq: int | None
    """Only events appended up to this one; None when that is all of them."""

    @property
    def is_whole_store(self) -> bool:
        """Whether the numbers that the store keeps of its names hold here."""
        return self.span.is_everything and self.upto_seq is None

    def drivers(self) -> plan.Drivers | None:
        """The cheapest index ranges that hold every match."""
        return plan.drivers(self.predicate, self.session.events)

    def scan(self, branch: plan.Branch) -> sql.Scan:
        """One index range of it."""
        return sql.Scan(branch, self.span, self.upto_seq)


def count(scope: Scope) -> int:
    """Exactly how many events match."""
    if scope.predicate is False:
        return 0
    late = 0
    session = scope.session
    if scope.upto_seq is not None and session.newest_seq - scope.upto_seq <= MAX_LATE_EVENTS:
        late = session.number(sql.late_count(scope.predicate, scope.span, scope.upto_seq))
        scope = replace(scope, upto_seq=None)
    return _count(scope) - late


def _count(scope: Scope) -> int:
    if scope.predicate is True:
        return _count_everything(scope)
    everything = scope.session.events_total
    direct = scope.drivers()
    opposite = replace(scope, predicate=negate(scope.predicate))
    inverse = opposite.drivers()
    direct_cost = everything if direct is None else direct.events
    inverse_cost = everything if inverse is None else inverse.events
    if not scope.is_whole_store:
        inverse_cost += everything // 2
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
