"""Two rows of a filter that can never hold together, so that somebody is told before looking at nothing."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.filters import MAX_SEVERITY, All, Any, Condition, Not, in_words
from audit_tui.core.filter.operators import IS
from audit_tui.core.flat_filter import FlatFilter, Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audit_tui.core.filter.filters import Filter

_DOMAINS: dict[Column, tuple[str | None, ...]] = {
    Column.OUTCOME: tuple(Outcome),
    Column.SEVERITY: (*map(str, range(MAX_SEVERITY + 1)), None),
}
"""The columns that have few values: all of them."""


def contradiction(rows: FlatFilter) -> tuple[Filter, Filter] | None:
    """Return the first two rows that no event can pass both; None where there are none, as far as is plain.

    A column has one value, so *is A* leaves no room for *is B*. A field of the metadata may have several.
    """
    if rows.match is Match.ALL:
        for pair in combinations(rows.conditions, 2):
            if _exclude_each_other(*pair):
                return pair
    return None


def contradiction_words(pair: tuple[Filter, Filter]) -> str:
    """Say that two rows can never hold together. From data: clean it before drawing."""
    first, second = map(in_words, pair)
    return f"never together: {first}, and {second}"


def _exclude_each_other(first: Filter, second: Filter) -> bool:
    field = _field_of(first)
    if field is None or field != _field_of(second):
        return False
    values = None
    if isinstance(field, Column):
        values = _DOMAINS.get(field) or _values_of(first) or _values_of(second)
    if values is None:
        return isinstance(first, Condition) and isinstance(second, Condition) and _is_negation(first, second)
    tests = _test_of(first), _test_of(second)
    return not any(all(test(value) for test in tests) for value in values)


def _is_negation(first: Condition, second: Condition) -> bool:
    is_searched = bool(first.value) or not first.operator.base.takes_all_when_empty
    return is_searched and first.operator.negation == second.operator and first.value == second.value


def _conditions(row: Filter) -> Iterable[Condition]:
    parts = row.parts if isinstance(row, All | Any) else (row,)
    return [part for part in parts if isinstance(part, Condition)]


def _field_of(row: Filter) -> object:
    fields = {condition.field for condition in _conditions(row)}
    return fields.pop() if len(fields) == 1 and not isinstance(row, Not) else None


def _values_of(row: Filter) -> tuple[str | None, ...] | None:
    """Return all values that a row lets through; None where they cannot be listed."""
    conditions = tuple(_conditions(row))
    if isinstance(row, All) or any(condition.operator is not IS for condition in conditions):
        return None
    return tuple(condition.value for condition in conditions)


def _test_of(row: Filter) -> Callable[[str | None], bool]:
    """Return the test of the one value that a column has."""
    kind = all if isinstance(row, All) else any
    conditions = tuple(_conditions(row))
    return lambda value: kind(each.operator.matches(value, each.value) for each in conditions)
