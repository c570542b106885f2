"""Explain how a record became an event: which field each column came from."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import iso_utc
from audit_tui.formats.addresses import source_address
from audit_tui.formats.record import RecordError
from audit_tui.formats.times import NAIVE, TwoMonths, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.core.event import AuditEvent
    from audit_tui.formats.record import Fields

_MAX_FIELDS = 1_000
_SHOWN_NAMES = 12


class Explained(NamedTuple):
    """One column of an event."""

    column: str
    value: str
    """As text; hostile until cleaned."""
    field: str
    """The field that holds this very value, as a dotted path; empty when it was put together or read out."""


def explain(event: AuditEvent, fields: Fields) -> list[Explained]:
    """The columns of an event that are filled, and where in the record each stands.

    The field is found by its value, so this says the same of every format and cannot go out of date.
    """
    flat = list(islice(_flat(fields, ""), _MAX_FIELDS))
    by_text = {str(value): path for path, value in reversed(flat)}
    times = {moment: path for path, value in reversed(flat) if (moment := _moment(value)) is not None}
    addresses = {address: path for path, value in reversed(flat) if (address := source_address(value))}
    lines = [Explained("time", iso_utc(event.occurred_us), times.get(event.occurred_us, ""))]
    for column in ("event", "category", "user", "description", "outcome", "severity", "source_ip", "target"):
        value = getattr(event, column)
        if value is not None:
            text = str(value)
            paths = addresses if column == "source_ip" else by_text
            lines.append(Explained(column, text, paths.get(text, "")))
    lines.append(Explained("key", event.key or "", by_text.get(event.key or "", "")))
    names = list(event.metadata)
    more = f" and {len(names) - _SHOWN_NAMES:,} more" if len(names) > _SHOWN_NAMES else ""
    lines.append(Explained("metadata", ", ".join(names[:_SHOWN_NAMES]) + more, ""))
    return lines


def _flat(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{path}.{place}")
    elif value is not None:
        yield path, value


def _moment(value: object) -> int | None:
    try:
        return parse_time(value, NAIVE.zone)
    except (RecordError, TwoMonths):
        return None
