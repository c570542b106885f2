"""The filter that a field, an operator and a value of a query line mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.columns import Column, Kind
from audit_tui.core.event import MAX_US, MIN_US
from audit_tui.core.filter.filters import (
    SEVERITY_WORDS,
    All,
    Condition,
    MetaField,
    condition_of,
    require_possible,
)
from audit_tui.core.filter.operators import AT_LEAST, AT_MOST, CONTAINS, IS, IS_NOT, LESS, MATCHES, MORE
from audit_tui.core.query_line.text import negation
from audit_tui.core.time.words import interval_of, read_time
from audit_tui.errors import FilterError

if TYPE_CHECKING:
    from audit_tui.core.filter.filters import Filter, FilterField
    from audit_tui.core.filter.operators import Operator
    from audit_tui.core.query import Interval
    from audit_tui.core.time.dates import TimeContext

_MAX_DIGITS = 18
"""All whole numbers with this many digits fit into 64 bits."""


def is_ordered(field: FilterField) -> bool:
    """Tell whether a field can be compared with ``<`` and ``>``."""
    return isinstance(field, MetaField) or field_kind(field) in (Kind.NUMBER, Kind.TIME)


def field_kind(field: FilterField) -> Kind:
    """Return the kind of a field's values."""
    return field.kind if isinstance(field, Column) else Kind.TEXT


def filter_of(field: FilterField, operator: Operator, text: str, context: TimeContext) -> Filter:
    """Return the filter for a value as it is typed.

    Raises:
        FilterError: If the field has no such values.
        TimeError: If it is a time that cannot be read.
    """
    kind = field_kind(field)
    if not isinstance(field, Column) or kind not in (Kind.NUMBER, Kind.TIME):
        require_possible(field, operator, text)
        return condition_of(field, operator, text)
    if operator.base is CONTAINS:
        raise FilterError(f"{field.label} is not a text that contains others.", "Use =, <, <=, > or >=.")
    if operator.base is MATCHES:
        if text == "*":
            return condition_of(field, operator, text)
        operator = IS_NOT if operator.is_negated else IS
    if kind is Kind.TIME:
        return _in_span(operator, interval_of(read_time(text, context), context))
    number = number_text(field, text)
    require_possible(field, operator, number)
    return Condition(field, operator, number)


def number_text(field: Column, text: str) -> str:
    """Return a whole number as it stands in an event; a severity also by its word.

    Raises:
        FilterError: If it is not one.
    """
    number = SEVERITY_WORDS.get(text.lower(), text) if field is Column.SEVERITY else text
    digits = number.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
        words = f", or one of {', '.join(SEVERITY_WORDS)}" if field is Column.SEVERITY else ""
        raise FilterError(f"{text!r} is not a number.", f"{field.label} takes a whole number{words}.")
    return str(int(number))


def _in_span(operator: Operator, span: Interval) -> Filter:
    """Return the filter that compares the time with a span; a moment is a span of 1 µs."""
    start_us = MIN_US if span.start_us is None else span.start_us
    end_us = MAX_US if span.end_us is None else span.end_us
    start, end = str(start_us), str(end_us)
    base = operator.base
    if base is IS and end_us - start_us > 1:
        inside: Filter = All((Condition(Column.TIME, AT_LEAST, start), Condition(Column.TIME, LESS, end)))
    else:
        edge = {
            IS: (IS, start),
            LESS: (LESS, start),
            AT_MOST: (LESS, end),
            MORE: (AT_LEAST, end),
            AT_LEAST: (AT_LEAST, start),
        }[base]
        inside = Condition(Column.TIME, *edge)
    return negation(inside) if operator.is_negated else inside
