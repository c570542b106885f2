"""Whether a filter wants an event, worked out the slow and obvious way."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.filters import ANY_TEXT, All, Any, Condition, Filter, FilterField, MetaField, Not
from audit_tui.core.operators import CONTAINS, CONTAINS_NOT, IN_NETWORK, IS, IS_NOT, NOT_IN_NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.core.event import AuditEvent


OPPOSITES = {IS_NOT: IS, CONTAINS_NOT: CONTAINS, NOT_IN_NETWORK: IN_NETWORK}


def kept(text: str) -> str:
    """A text as a store keeps it."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\u2400")


def matches(expression: Filter, event: AuditEvent) -> bool:
    """Whether the filter wants this event."""
    match expression:
        case Condition(field=field, operator=operator, value=value):
            if operator in OPPOSITES:
                return not matches(Condition(field, OPPOSITES[operator], value), event)
            texts = list(texts_of(field, event))
            if operator is CONTAINS:
                return not value or any(kept(value).casefold() in text.casefold() for text in texts)
            if value is None:
                return not texts
            if operator is IN_NETWORK:
                return any(is_in(text, kept(value)) for text in texts)
            return kept(value) in texts
        case Not(part=part):
            return not matches(part, event)
        case All(parts=parts):
            return all(matches(part, event) for part in parts)
        case Any(parts=parts):
            return any(matches(part, event) for part in parts)


def texts_of(field: FilterField, event: AuditEvent) -> Iterator[str]:
    """The texts of an event that a condition on a field looks at."""
    if isinstance(field, MetaField):
        for path, text in values_in("", event.metadata):
            if kept(path) == kept(field.path) or kept(path).startswith(kept(field.path) + "."):
                yield kept(text)
    elif field is ANY_TEXT:
        for one in (Column.DESCRIPTION, Column.TARGET, Column.SOURCE_IP):
            yield from texts_of(one, event)
        yield from (kept(text) for _, text in values_in("", event.metadata))
    else:
        text = getattr(event, field.value)
        if text is not None:
            yield kept(text)


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


def is_in(text: str, network: str) -> bool:
    """Whether an address is in a network, or is written like it."""
    if text.casefold() == network.casefold():
        return True
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    wanted = ip_network(network, strict=False)
    mapped = getattr(address, "ipv4_mapped", None)
    return address in wanted or (mapped is not None and mapped in wanted)
