"""Tell whether a filter wants an event, worked out the slow and obvious way."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, All, Any, Condition, Filter, FilterField, MetaField, Not
from audit_tui.core.filter.operators import (
    AT_LEAST,
    AT_MOST,
    CONTAINS,
    IN_NETWORK,
    IS,
    LESS,
    MATCHES,
    MORE,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audit_tui.core.event import AuditEvent


ORDERS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    LESS.key: lambda number, limit: number < limit,
    AT_MOST.key: lambda number, limit: number <= limit,
    MORE.key: lambda number, limit: number > limit,
    AT_LEAST.key: lambda number, limit: number >= limit,
}


def stored(text: str) -> str:
    """A text as a store holds it."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\u2400")


def matches(expression: Filter, event: AuditEvent) -> bool:
    """Tell whether the filter wants this event."""
    match expression:
        case Condition(field=field, operator=operator, value=value):
            is_wanted = _holds(list(texts_of(field, event)), (operator.positive or operator).key, value)
            return is_wanted is (operator.positive is None)
        case Not(part=part):
            return not matches(part, event)
        case All(parts=parts):
            return all(matches(part, event) for part in parts)
        case Any(parts=parts):
            return any(matches(part, event) for part in parts)


def _holds(texts: list[str], operator: str, value: str | None) -> bool:
    if operator == CONTAINS.key:
        return not value or any(stored(value).casefold() in text.casefold() for text in texts)
    if value is None:
        return not texts
    if operator == IN_NETWORK.key:
        return any(is_in(text, stored(value)) for text in texts)
    if operator == MATCHES.key:
        return any(is_like(text, stored(value)) for text in texts)
    if operator in ORDERS:
        limit = fraction(value)
        numbers = [number for number in map(fraction, texts) if number]
        return limit is not None and any(ORDERS[operator](number[0], limit[0]) for number in numbers)
    assert operator == IS.key, f"write {operator} here, the slow and obvious way"
    return stored(value) in texts


def texts_of(field: FilterField, event: AuditEvent) -> Iterator[str]:
    """The texts of an event that a condition on a field looks at."""
    if isinstance(field, MetaField):
        for path, text in values_in("", event.metadata):
            if stored(path) == stored(field.path) or stored(path).startswith(stored(field.path) + "."):
                yield stored(text)
    elif field is ANY_TEXT:
        for column in (Column.DESCRIPTION, Column.TARGET, Column.SOURCE_IP):
            yield from texts_of(column, event)
        yield from (stored(text) for _, text in values_in("", event.metadata))
    else:
        assert isinstance(field, Column)
        value = getattr(event, field.attribute)
        if value is not None:
            yield stored(str(value))


def values_in(path: str, value: object) -> Iterator[tuple[str, str]]:
    """Every value of a JSON object with its dotted name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from values_in(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from values_in(path, inner)
    elif value is not None:
        yield path, value if isinstance(value, str) else json.dumps(value)


def is_like(text: str, pattern: str) -> bool:
    """Tell whether a text matches a pattern with stars, or is the same address."""
    expression = ".*".join(map(re.escape, pattern.casefold().split("*")))
    if re.fullmatch(expression, text.casefold(), re.DOTALL):
        return True
    try:
        return _address(text) == _address(pattern)
    except ValueError:
        return False


def _address(text: str) -> object:
    address = ip_address(text.strip())
    mapped = getattr(address, "ipv4_mapped", None)
    return int(mapped or address), (mapped or address).version


def fraction(text: str) -> tuple[Fraction] | None:
    """The number that a text is, in a tuple so that 0 is true; None if it is not one."""
    if not re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?\s*", text, re.ASCII):
        return None
    return (Fraction(text),)


def is_in(text: str, network: str) -> bool:
    """Tell whether an address is in a network, or is written like it."""
    if text.casefold() == network.casefold():
        return True
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return False
    wanted = ip_network(network, strict=False)
    mapped = getattr(address, "ipv4_mapped", None)
    return address in wanted or (mapped is not None and mapped in wanted)
