"""The canonical form of a filter, and the index ranges that answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.core.filters import EVERYTHING, IS, IS_NOT, All, Any, Condition, Field, Filter, Not
from audit_tui.store import plan
from audit_tui.store.plan import Branch, Driver
from audit_tui.store.predicate import MISSING, Group, OneOf, Predicate, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS = {"a": 1, "b": 2, "c": 3}
EVENTS = {
    (Field.EVENT, 1): 500,
    (Field.EVENT, 2): 10,
    (Field.USER, 1): 100,
    (Field.USER, MISSING): 7,
    (Field.CATEGORY, 1): 300,
}


def number(field: Field, value: str) -> int | None:
    return NUMBERS.get(value)


def events(field: Field, of: int) -> int:
    return EVENTS.get((field, of), 0)


def event(value: str | None) -> Condition:
    return Condition(Field.EVENT, IS, value)


def user(value: str | None) -> Condition:
    return Condition(Field.USER, IS, value)


def not_user(value: str | None) -> Condition:
    return Condition(Field.USER, IS_NOT, value)


def one(field: Field, *numbers: int) -> OneOf:
    return OneOf(field, frozenset(numbers))


def other(field: Field, *numbers: int) -> OneOf:
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
        (user("a"), one(Field.USER, 1)),
        (user(None), one(Field.USER, MISSING)),
        (user("nobody"), False),
        (not_user("nobody"), True),
        (Not(user("a")), other(Field.USER, 1)),
        (Not(Not(user("a"))), one(Field.USER, 1)),
        (All((user("a"), user("b"))), False),
        (Any((not_user("a"), not_user("b"))), True),
        (Any((user("a"), user("b"))), one(Field.USER, 1, 2)),
        (All((not_user("a"), not_user(None))), other(Field.USER, MISSING, 1)),
        (All((user("a"), not_user("b"))), one(Field.USER, 1)),
        (Any((user("a"), not_user("a"))), True),
        (Any((user("a"), not_user("b"))), other(Field.USER, 2)),
        (All((user("nobody"), event("a"))), False),
        (Any((user("nobody"), event("a"))), one(Field.EVENT, 1)),
        (All((event("a"), All((user("b"),)))), both(one(Field.EVENT, 1), one(Field.USER, 2))),
        (Not(All((event("a"), user("b")))), either(other(Field.EVENT, 1), other(Field.USER, 2))),
        (
            All((user("c"), Any((event("a"), user("b"))))),
            both(one(Field.USER, 3), either(one(Field.EVENT, 1), one(Field.USER, 2))),
        ),
    ],
)
def test_the_canonical_form(expression: Filter, expected: Predicate) -> None:
    assert resolve(expression, number) == expected


def ranges(branches: Iterable[Branch]) -> list[tuple[Driver | None, Predicate]]:
    return [(branch.driver, branch.rest) for branch in branches]


def test_the_rarest_value_leads_and_the_rest_is_checked() -> None:
    predicate = resolve(All((event("a"), user("a"), Condition(Field.CATEGORY, IS, "a"))), number)
    found = plan.drivers(predicate, events)
    assert found is not None
    assert found.events == 100
    rest = both(one(Field.EVENT, 1), one(Field.CATEGORY, 1))
    assert ranges(plan.branches(predicate, found)) == [(Driver(Field.USER, 1), rest)]


def test_any_of_values_reads_a_range_of_each_and_checks_nothing() -> None:
    predicate = resolve(Any((event("a"), user("a"), user(None))), number)
    found = plan.drivers(predicate, events)
    assert found is not None
    assert found.events == 607
    assert [(branch.driver, branch.rest) for branch in plan.branches(predicate, found)] == [
        (Driver(Field.EVENT, 1), True),
        (Driver(Field.USER, MISSING), True),
        (Driver(Field.USER, 1), True),
    ]


def test_counting_meets_each_event_once() -> None:
    predicate = resolve(Any((event("a"), user("a"), user("b"))), number)
    found = plan.drivers(predicate, events)
    assert found is not None
    # Two values of one field never meet; the event range is left out of the users'.
    assert ranges(plan.disjoint(predicate, found)) == [
        (Driver(Field.EVENT, 1), True),
        (Driver(Field.USER, 1), other(Field.EVENT, 1)),
        (Driver(Field.USER, 2), other(Field.EVENT, 1)),
    ]


@pytest.mark.parametrize(
    "expression",
    [
        EVERYTHING,
        not_user("a"),
        Any((event("a"), not_user("a"))),
        Any(tuple(Condition(Field.USER, IS, str(place)) for place in range(plan.MAX_DRIVERS + 1))),
    ],
    ids=["everything", "is not", "any with is not", "too many"],
)
def test_what_no_few_ranges_hold_is_a_scan_by_time(expression: Filter) -> None:
    predicate = resolve(expression, lambda field, value: NUMBERS.get(value) or int(value) + 10)
    found = plan.drivers(predicate, events)
    assert found is None
    assert ranges(plan.branches(predicate, found)) == [(None, predicate)]
