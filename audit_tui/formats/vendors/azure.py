"""Azure Activity logs: from Azure Monitor, the REST API and the SDKs (snake_case)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.loose import Loose
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text, severity_of
from audit_tui.formats.words.azure_words import tell
from audit_tui.formats.words.narrating import plain_reason
from audit_tui.formats.words.sentences import with_reason

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "azure"
OUTCOMES = {
    **dict.fromkeys(("succeeded", "success", "0"), Outcome.SUCCESS),
    **dict.fromkeys(("failed", "failure"), Outcome.FAILURE),
}
"""Started, Start, Accepted, Active, Resolved did not end yet, or tell no end."""
_OPERATIONS = frozenset(
    {"operationName", "operation_name", "operationname", "OperationName", "OperationNameValue"}
)
_TIMES = frozenset({"eventTimestamp", "event_timestamp", "eventtimestamp", "time", "TimeGenerated"})
_RESOURCES = frozenset(
    {"resourceId", "resource_id", "resourceid", "ResourceId", "_ResourceId", "resourceUri"}
)
_CLAIM_NAMES = (
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "name",
    "appid",
)
_DENIED = ("authorizationfailed", "forbidden", "unauthorized")
_LEVELS = {"1": 5, "2": 4, "3": 3, "4": 1}
"""Diagnostic logs give levels as numbers: critical, error, warning, informational."""


def _detect(fields: Fields) -> bool:
    return not (_OPERATIONS.isdisjoint(fields) or _TIMES.isdisjoint(fields) or _RESOURCES.isdisjoint(fields))


def _map(fields: Fields) -> AuditEvent:
    record = Loose(fields)
    event = record.text("operationName.value", "OperationNameValue", "authorization.action") or record.take(
        "operationName"
    )
    if event is None:
        raise RecordError("it has no operationName")
    record.taken("operationName", event)
    occurred_us = record.time("eventTimestamp", "time", "TimeGenerated", "p_event_time")
    status = record.text("status.value", "status", "resultType", "ActivityStatusValue", "ActivityStatus")
    outcome = OUTCOMES.get((status or "").lower(), Outcome.UNKNOWN)
    detail = record.text("subStatus.value", "resultSignature", "properties.statusCode") or ""
    is_denied = outcome is Outcome.FAILURE and any(word in detail.lower() for word in _DENIED)
    user = _user(record)
    resource = record.take("resourceId", "resourceUri", "_ResourceId")
    message = record.text("properties.statusMessage.error.message", "properties.message", "resultDescription")
    sentence = tell(event, user, resource, outcome, status, is_denied=is_denied)
    if outcome is Outcome.FAILURE and message != event:
        sentence = with_reason(sentence, message or plain_reason(detail.rpartition(".")[2]))
    event_id = record.take("eventDataId") or record.take("id")
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=record.content_key(NAME) if event_id is None else f"{NAME}:{event_id}",
        category=record.text("category.value", "CategoryValue") or record.take("category"),
        user=user,
        description=column_text(sentence, MAX_SENTENCE_CHARS),
        outcome=outcome,
        severity=level_of(record.text("level")),
        source_ip=record.address("httpRequest.clientIpAddress", "callerIpAddress"),
        target=resource,
        source=NAME,
        metadata=record.rest(is_denied=is_denied),
    )


def level_of(level: str | None) -> int | None:
    """A level of Azure as our severity; its numbers run from 1, critical, to 4, informational."""
    return None if level is None else _LEVELS[level] if level in _LEVELS else severity_of(level)


def _user(record: Loose) -> str | None:
    caller = record.take("caller")
    if caller is not None:
        return caller
    for place in (record.inner("identity"), record):
        claims = None if place is None else place.inner("claims")
        # Names of claims hold dots, so they are keys and no paths.
        for name in _CLAIM_NAMES if claims is not None else ():
            value = None if claims is None else claims.get(name)
            if isinstance(value, str) and (text := column_text(value)) is not None:
                return text
    return record.text("identity.authorization.evidence.principalId")


AZURE = Format(NAME, "Azure Activity log", frozenset({Shape.JSON}), _detect, _map, marks=_OPERATIONS)
