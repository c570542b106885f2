"""Our own events back from an export: the same keys, so that nothing is stored twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from audit_tui.core.event import MAX_SEVERITY, MAX_US, MIN_US, AuditEvent, Outcome, to_us
from audit_tui.core.event_text import fused
from audit_tui.formats.decoding import inner_object
from audit_tui.formats.record import Fields, Format, RecordError, Shape
from audit_tui.formats.times import parse_time
from audit_tui.formats.values import column_text, content_key

NAMES = frozenset(
    {"seq", "key", "time", "event", "category", "user", "description", "outcome", "severity", "source_ip",
     "target", "source", "metadata"}
)  # fmt: skip


def _detect(fields: Fields) -> bool:
    return "key" in fields and "time" in fields and "event" in fields and fields.keys() <= NAMES


def _text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RecordError(f"{name} is not a text")
    # As it was exported: only what could never have been stored is changed.
    return column_text(fused(value) if _is_csv(fields) else value, len(value))


def _is_csv(fields: Fields) -> bool:
    """Tell whether the export was CSV, in which every value is a text."""
    return all(isinstance(value, str) for value in fields.values())


def _time(value: object) -> int:
    if not isinstance(value, str):
        raise RecordError("the time is not a text")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return parse_time(value)
    if moment.tzinfo is None:
        return parse_time(value)
    occurred_us = to_us(moment)
    if not MIN_US <= occurred_us <= MAX_US:
        raise RecordError("the time is outside the years 1 to 9999")
    return occurred_us


def _severity(value: object) -> int | None:
    if value is None or value == "":
        return None
    try:
        severity = int(value) if isinstance(value, str) else value
    except ValueError:
        severity = None
    if isinstance(severity, bool) or not isinstance(severity, int) or not 0 <= severity <= MAX_SEVERITY:
        raise RecordError(f"severity is not a number from 0 to {MAX_SEVERITY}")
    return severity


def _metadata(value: object) -> dict[str, Any]:
    if value is None or value == "":
        return {}
    return value if isinstance(value, dict) else inner_object(value, "metadata")


def _map(fields: Fields) -> AuditEvent:
    event = _text(fields, "event")
    if event is None:
        raise RecordError("it names no event")
    try:
        outcome = Outcome(_text(fields, "outcome") or Outcome.UNKNOWN)
    except ValueError:
        raise RecordError("outcome is not success, failure or unknown") from None
    return AuditEvent(
        event=event,
        occurred_us=_time(fields["time"]),
        key=_text(fields, "key") or content_key("event", fields),
        category=_text(fields, "category"),
        user=_text(fields, "user"),
        description=_text(fields, "description"),
        outcome=outcome,
        severity=_severity(fields.get("severity")),
        source_ip=_text(fields, "source_ip"),
        target=_text(fields, "target"),
        source=_text(fields, "source"),
        metadata=_metadata(fields.get("metadata")),
    )


OWN = Format(
    "events",
    "events of this program",
    frozenset({Shape.JSON, Shape.CSV}),
    _detect,
    _map,
    marks=frozenset({"key"}),
)
