"""The test of one event in hand against a filter; for the events of a store, its reader answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, All, Any, Condition, MetaField, Not
from audit_tui.core.metadata import is_inside, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter, FilterField


T = TypeVar("T")


def matcher(expression: Filter) -> Callable[[AuditEvent], bool]:
    """Return a function that tells whether the filter takes an event."""
    return matcher_of(expression, texts_of)


def matcher_of(expression: Filter, texts: Callable[[FilterField, T], Iterable[str]]) -> Callable[[T], bool]:
    """Return a function that tells whether the filter takes something.

    Args:
        expression: The filter.
        texts: Gives the texts of it that a condition on a field looks at.
    """
    match expression:
        case Condition(field=field, operator=operator, value=value):
            test = operator.test(value)
            return lambda event: test(texts(field, event))
        case Not(part=part):
            inner = matcher_of(part, texts)
            return lambda event: not inner(event)
        case All(parts=parts):
            tests = [matcher_of(part, texts) for part in parts]
            return lambda event: all(test(event) for test in tests)
        case Any(parts=parts):
            tests = [matcher_of(part, texts) for part in parts]
            return lambda event: any(test(event) for test in tests)


def reasons(expression: Filter, event: AuditEvent) -> tuple[Condition, ...]:
    """Return the conditions of a filter by which it takes an event: of alternatives, those that hold.

    A condition that must not hold is not a reason.
    """
    match expression:
        case Condition(operator=operator):
            return () if operator.is_negated or not matcher(expression)(event) else (expression,)
        case Not():
            return ()
        case All(parts=parts) | Any(parts=parts):
            return tuple(dict.fromkeys(reason for part in parts for reason in reasons(part, event)))


def texts_of(field: FilterField, event: AuditEvent) -> Iterator[str]:
    """Yield the texts of an event that a condition on a field looks at."""
    if isinstance(field, MetaField):
        for path, text in leaves(event.metadata):
            if is_inside(path, field.path):
                yield text
    elif field is ANY_TEXT:
        yield from (text for text in (event.description, event.target, event.source_ip) if text is not None)
        yield from (text for _, text in leaves(event.metadata))
    elif isinstance(field, Column):
        value = getattr(event, field.attribute)
        if value is not None:
            yield str(value)
