"""The canonical form of a filter, and the index ranges that answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column, NameColumn
from audit_tui.core.filters import EVERYTHING, All, Any, Condition, Filter, Not
from audit_tui.core.operators import IS, IS_NOT
from audit_tui.store import plan
from audit_tui.store.plan import Branch, Driver
from audit_tui.store.predicate import MISSING, Group, OneOf, Predicate, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS = {"a": 1, "b": 2, "c": 3}
EVENTS = {
    (Column.EVENT, 1): 500,
    (Column.EVENT, 2): 10,
    (Column.USER, 1): 100,
    (Column.USER, MISSING): 7,
    (Column.CATEGORY, 1): 300,
}


def number(field: NameColumn, value: str) -> int | None:
    return NUMBERS.get(value)


def events(field: NameColumn, of: int) -> int:
    return EVENTS.get((field, of), 0)


def event(value: str | None) -> Condition:
    return Condition(Column.EVENT, IS, value)


def user(value: str | None) -> Condition:
    return Condition(Column.USER, IS, value)


def not_user(value: str | None) -> Condition:
    return Condition(Column.USER, IS_NOT, value)


def one(field: NameColumn, *numbers: int) -> OneOf:
    return OneOf(field, frozenset(numbers))


def other(field: NameColumn, *numbers: int) -> OneOf:
    return OneOf(field, frozenset(numbers), is_negated=True)


def both(*parts: OneOf | Group) -> Group:
    return Group(parts, is_any=False)


def either(*parts: OneOf | Group) -> Group:
    return Group(parts, is_any=True)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (EVERYTHING, True),
        (Any(()), False),
        (Not(Any(())), True),
        (user("a"), one(Column.USER, 1)),
        (user(None), one(Column.USER, MISSING)),
        (user("nobody"), False),
        (not_user("nobody"), True),
        (Not(user("a")), other(Column.USER, 1)),
        (Not(Not(user("a"))), one(Column.USER, 1)),
        (All((user("a"), user("b"))), False),
        (Any((not_user("a"), not_user("b"))), True),
        (Any((user("a"), user("b"))), one(Column.USER, 1, 2)),
        (All((not_user("a"), not_user(None))), other(Column.USER, MISSING, 1)),
        (All((user("a"), not_user("b"))), one(Column.USER, 1)),
        (Any((user("a"), not_user("a"))), True),
        (Any((user("a"), not_user("b"))), other(Column.USER, 2)),
        (All((user("nobody"), event("a"))), False),
        (Any((user("nobody"), event("a"))), one(Column.EVENT, 1)),
        (All((event("a"), All((user("b"),)))), both(one(Column.EVENT, 1), one(Column.USER, 2))),
        (Not(All((event("a"), user("b")))), either(other(Column.EVENT, 1), other(Column.USER, 2))),
        (
            All((user("c"), Any((event("a"), user("b"))))),
            both(one(Column.USER, 3), either(one(Column.EVENT, 1), one(Column.USER, 2))),
        ),
    ],
)
def test_the_canonical_form(expression: Filter, expected: Predicate) -> None:
    assert resolve(expression, number) == expected


def ranges(branches: Iterable[Branch]) -> list[tuple[Driver | None, Predicate]]:
    return [(branch.driver, branch.rest) for branch in branches]


def test_the_rarest_value_leads_and_the_rest_is_checked() -> None:
    predicate = resolve(All((event("a"), user("a"), Condition(Column.CATEGORY, IS, "a"))), number)
    found = plan.drivers(predicate, events)
    assert found is not None
    assert found.events == 100
    rest = both(one(Column.EVENT, 1), one(Column.CATEGORY, 1))
    assert ranges(plan.branches(predicate, found)) == [(Driver(Column.USER, 1), rest)]


def test_any_of_values_reads_a_range_of_each_and_checks_nothing() -> None:
    predicate = resolve(Any((event("a"), user("a"), user(None))), number)
    found = plan.drivers(predicate, events)
    assert found is not None
    assert found.events == 607
    assert [(branch.driver, branch.rest) for branch in plan.branches(predicate, found)] == [
        (Driver(Column.EVENT, 1), True),
        (Driver(Column.USER, MISSING), True),
        (Driver(Column.USER, 1), True),
    ]


def test_counting_meets_each_event_once() -> None:
    predicate = resolve(Any((event("a"), user("a"), user("b"))), number)
    found = plan.drivers(predicate, events)
    assert found is not None
    # Two values of one field never meet; the event range is left out of the users'.
    assert ranges(plan.disjoint(predicate, found)) == [
        (Driver(Column.EVENT, 1), True),
        (Driver(Column.USER, 1), other(Column.EVENT, 1)),
        (Driver(Column.USER, 2), other(Column.EVENT, 1)),
    ]


@pytest.mark.parametrize(
    "expression",
    [
        EVERYTHING,
        not_user("a"),
        Any((event("a"), not_user("a"))),
        Any(tuple(Condition(Column.USER, IS, str(place)) for place in range(plan.MAX_DRIVERS + 1))),
    ],
    ids=["everything", "is not", "any with is not", "too many"],
)
def test_what_no_few_ranges_hold_is_a_scan_by_time(expression: Filter) -> None:
    predicate = resolve(expression, lambda field, value: NUMBERS.get(value) or int(value) + 10)
    found = plan.drivers(predicate, events)
    assert found is None
    assert ranges(plan.branches(predicate, found)) == [(None, predicate)]
