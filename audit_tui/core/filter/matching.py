"""The values in an event, and the test of it against a filter; for those of a store, its reader answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, All, Any, Condition, MetaField, Not

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter, FilterField


MAX_PATH = 500
"""Names longer than this are not told apart: what lies deeper counts as the last that fits."""


def leaves(metadata: dict[str, object]) -> list[tuple[str, str]]:
    """Every value with its dotted name: a text as it is, a number or a boolean as JSON; no value for null.

    The members of a list have the list's name.
    """
    values: list[tuple[str, str]] = []
    waiting: list[tuple[str, object]] = [("", metadata)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            values.append((path, value))
        elif isinstance(value, dict):
            for name, inner in value.items():
                deeper = deeper_path(path, name)
                if type(inner) is str:
                    values.append((deeper, inner))
                else:
                    waiting.append((deeper, inner))
        elif isinstance(value, list | tuple):
            waiting += [(path, inner) for inner in value]
        elif value is not None:
            values.append((path, json.dumps(value)))
    return values


def deeper_path(path: str, name: str) -> str:
    """The name of what lies in an object: the object's, and its own unless it grows too long."""
    whole = f"{path}.{name}" if path else name
    return whole if len(whole) <= MAX_PATH else path


def is_inside(path: str, name: str) -> bool:
    """Tell whether a value's name is this one, or lies in the object that it names."""
    return path == name or path.startswith(f"{name}.")


T = TypeVar("T")


def matcher(expression: Filter) -> Callable[[AuditEvent], bool]:
    """Return a function that tells whether the filter takes an event."""
    return matcher_of(expression, texts_of)


def matcher_of(expression: Filter, texts: Callable[[FilterField, T], Iterable[str]]) -> Callable[[T], bool]:
    """Return a function that tells whether the filter takes something.

    ``texts`` gives the texts of it that a condition on a field looks at.
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
