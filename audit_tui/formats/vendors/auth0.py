"""Auth0 tenant logs: log streams (``log_id`` and ``data``) and the Management API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.loose import Loose, of_warehouse
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text
from audit_tui.formats.words.auth0_words import CODES, WARNINGS, code_of, tell

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "auth0"
_WARNING = 3


def _detect(fields: Fields) -> bool:
    inner = fields.get("data", fields)
    if not isinstance(inner, dict) or "date" not in inner:
        return False
    kind = inner.get("type")
    if not isinstance(kind, str):
        return False
    if of_warehouse(fields, "Auth0.") or "log_id" in inner:
        return True
    return kind in CODES and not {"client_id", "client_name", "connection", "log_id"}.isdisjoint(inner)


def _map(fields: Fields) -> AuditEvent:
    record = Loose(fields)
    nested = record.inner("data")
    inner = record if nested is None else nested
    event = inner.text("type")
    if event is None:
        raise RecordError("it has no type")
    code = code_of(event)
    occurred_us = record.time("date") if nested is None else record.time("data.date", "p_event_time")
    user = inner.text("user_name", "user_id", "details.request.auth.user.email", "client_name")
    person = inner.text("user_name", "details.request.auth.user.email") or user
    address = inner.address("ip")
    log_id = record.take("log_id", "_id") or inner.text("log_id", "_id")
    if nested is None:
        record.taken("type", event)
        record.taken("ip", address)
    is_denied = event.startswith("limit_")
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=record.content_key(NAME) if log_id is None else f"{NAME}:{log_id}",
        category=code.family,
        user=user,
        description=column_text(tell(event, inner, person, address), MAX_SENTENCE_CHARS),
        outcome=code.outcome,
        severity=_WARNING if event in WARNINGS or is_denied else None,
        source_ip=address,
        target=_target(inner),
        source=NAME,
        metadata=record.rest(is_denied=is_denied and code.outcome is Outcome.FAILURE),
    )


def _target(inner: Loose) -> str | None:
    """What was acted upon: the path of an API call, else the application."""
    path = inner.text("details.request.path")
    return path or inner.text("client_name", "client_id")


AUTH0 = Format(
    NAME, "Auth0 tenant log", frozenset({Shape.JSON}), _detect, _map, marks=frozenset({"data", "date"})
)
