"""A filter over names made into a small, canonical condition over their numbers: pure, without SQL.

Negations end at the leaves, constants are folded, and a group holds at most one leaf of each field:
"event is A or event is B" is one set, "user is not A and user is not B" the complement of one. What
names nothing that is in the store is decided before a row is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.columns import NameColumn, is_name_column
from audit_tui.core.filters import All, Any, Condition, Filter, Not
from audit_tui.core.operators import CONTAINS, IS, OPERATORS
from audit_tui.core.record import Record
from audit_tui.errors import FilterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MISSING = 0
"""The number of the missing value; names count from 1."""
MAX_DEPTH = 50


class OneOf(Record):
    """The field's number is in this set, or (negated) is not."""

    field: NameColumn
    numbers: frozenset[int]
    is_negated: bool = False


class RowTest(Record):
    """A test of the row itself, which no number of a name can answer; negated, it holds elsewhere."""

    condition: Condition
    """With one of the positive operators."""
    is_negated: bool = False


class Group(Record):
    """All parts hold, or (any) at least one; two parts or more."""

    parts: tuple[OneOf | RowTest | Group, ...]
    is_any: bool


Predicate: TypeAlias = bool | OneOf | RowTest | Group
Lookup: TypeAlias = "Callable[[NameColumn, str], int | None]"
"""The number of a field's name; None when the store does not know it."""
Search: TypeAlias = "Callable[[NameColumn, str], frozenset[int] | None]"
"""The numbers of a field's names that contain a text; None when they are too many for a set."""


def is_of_names(predicate: Predicate) -> bool:
    """Whether the numbers of an event's names alone answer it, without a look at the row."""
    match predicate:
        case RowTest():
            return False
        case Group(parts=parts):
            return all(is_of_names(part) for part in parts)
    return True


def _too_many(_: NameColumn, __: str) -> None:
    """Find no names: what contains a text is tested row by row."""


def resolve(expression: Filter, lookup: Lookup, search: Search = _too_many, depth: int = 0) -> Predicate:
    """The condition that a filter means in a store whose names have these numbers.

    Raises:
        FilterError: If the filter is nested too deeply, or has an operator that is not known here.
    """
    if depth > MAX_DEPTH:
        raise FilterError(f"The filter is nested more than {MAX_DEPTH} deep.", "Write it more simply.")
    match expression:
        case Condition():
            return _condition(expression, lookup, search)
        case Not(part=part):
            return negate(resolve(part, lookup, search, depth + 1))
        case All(parts=parts):
            return combine((resolve(part, lookup, search, depth + 1) for part in parts), is_any=False)
        case Any(parts=parts):
            return combine((resolve(part, lookup, search, depth + 1) for part in parts), is_any=True)


def _condition(condition: Condition, lookup: Lookup, search: Search) -> Predicate:
    field, value = condition.field, condition.value
    if condition.operator not in OPERATORS:
        raise FilterError(f"The operator {condition.operator.symbol} is not known for {field.value}.")
    if condition.operator.is_negated:
        return negate(_condition(Condition(field, condition.operator.base, value), lookup, search))
    if condition.operator is CONTAINS and not value:
        # An empty search leaves nothing out.
        return True
    if is_name_column(field):
        if condition.operator is IS:
            number = MISSING if value is None else lookup(field, value)
            return _leaf(field, frozenset() if number is None else frozenset({number}), is_negated=False)
        numbers = search(field, value or "")
        if numbers is not None:
            return _leaf(field, numbers, is_negated=False)
    return RowTest(condition)


def negate(predicate: Predicate) -> Predicate:
    """What holds where this does not."""
    match predicate:
        case bool():
            return not predicate
        case OneOf(field=field, numbers=numbers, is_negated=is_negated):
            return OneOf(field, numbers, not is_negated)
        case RowTest(condition=condition, is_negated=is_negated):
            return RowTest(condition, not is_negated)
        case Group(parts=parts, is_any=is_any):
            return combine((negate(part) for part in parts), is_any=not is_any)


def combine(parts: Iterable[Predicate], *, is_any: bool) -> Predicate:
    """All of these, or any of them."""
    leaves: dict[NameColumn, OneOf] = {}
    others: dict[RowTest | Group, None] = {}
    for part in _flat(parts, is_any):
        if isinstance(part, bool):
            if part is is_any:
                return is_any
        elif isinstance(part, Group | RowTest):
            others[part] = None
        else:
            before = leaves.get(part.field)
            merged = part if before is None else _merge(before, part, is_any)
            if isinstance(merged, bool):
                # One leaf that always holds decides "any", one that never does "all"; the other way
                # round two leaves cannot merge into a constant.
                return merged
            leaves[part.field] = merged
    kept: tuple[OneOf | RowTest | Group, ...] = (*leaves.values(), *others)
    if not kept:
        return not is_any
    return kept[0] if len(kept) == 1 else Group(kept, is_any)


def assume(predicate: Predicate, field: NameColumn, number: int) -> Predicate:
    """What is left to check where a field is known to have this number."""
    match predicate:
        case OneOf(field=own, numbers=numbers, is_negated=is_negated) if own is field:
            return (number in numbers) is not is_negated
        case Group(parts=parts, is_any=is_any):
            return combine((assume(part, field, number) for part in parts), is_any=is_any)
    return predicate


def _flat(parts: Iterable[Predicate], is_any: bool) -> Iterable[Predicate]:
    for part in parts:
        if isinstance(part, Group) and part.is_any is is_any:
            yield from part.parts
        else:
            yield part


def _merge(one: OneOf, other: OneOf, is_any: bool) -> bool | OneOf:
    if one.is_negated:
        one, other = other, one
    # Now a negated one comes second, unless both are.
    if is_any:
        if one.is_negated:
            numbers, is_negated = one.numbers & other.numbers, True
        elif other.is_negated:
            numbers, is_negated = other.numbers - one.numbers, True
        else:
            numbers, is_negated = one.numbers | other.numbers, False
    elif one.is_negated:
        numbers, is_negated = one.numbers | other.numbers, True
    elif other.is_negated:
        numbers, is_negated = one.numbers - other.numbers, False
    else:
        numbers, is_negated = one.numbers & other.numbers, False
    return _leaf(one.field, numbers, is_negated)


def _leaf(field: NameColumn, numbers: frozenset[int], is_negated: bool) -> bool | OneOf:
    return OneOf(field, numbers, is_negated) if numbers else is_negated
