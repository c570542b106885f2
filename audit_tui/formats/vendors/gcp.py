"""Google Cloud: audit logs as LogEntry objects, from export, sink or warehouse, and plain log entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.loose import Loose, of_warehouse
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text, severity_of
from audit_tui.formats.words.gcp_words import GcpScene, tell
from audit_tui.formats.words.sentences import with_reason

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "gcp"
ANONYMOUS = "(anonymous)"
_PAYLOAD_KEYS = frozenset({"protoPayload", "protopayload", "proto_payload"})
_AUDIT_KEYS = frozenset(
    {"methodName", "serviceName", "authenticationInfo", "authorizationInfo", "@type", "resourceName"}
)
_PLAIN_PAYLOADS = frozenset({"textPayload", "jsonPayload"})
_DENIED_CODES = frozenset({"7", "16"})
"""PERMISSION_DENIED and UNAUTHENTICATED."""


def _detect(fields: Fields) -> bool:
    for name in _PAYLOAD_KEYS:
        payload = fields.get(name)
        if isinstance(payload, dict):
            return not _AUDIT_KEYS.isdisjoint(payload) or of_warehouse(fields, "GCP.")
    return "logName" in fields and "insertId" in fields and not _PLAIN_PAYLOADS.isdisjoint(fields)


def _map(fields: Fields) -> AuditEvent:
    record = Loose(fields)
    occurred_us = record.time("timestamp", "receiveTimestamp", "protoPayload.timestamp", "p_event_time")
    payload = record.inner("protoPayload")
    insert_id = record.text("insertId")
    key = record.content_key(NAME)
    if insert_id is not None:
        key = f"{NAME}:{record.text('logName') or ''}:{occurred_us}:{insert_id}"
    if payload is None:
        return _map_plain(record, occurred_us, key)
    event = payload.text("methodName", "serviceName")
    if event is None:
        raise RecordError("it has no methodName")
    user = payload.text("authenticationInfo.principalEmail", "authenticationInfo.principalSubject")
    outcome, is_denied = _outcome(event, payload)
    scene = GcpScene(event, payload.text("resourceName"), payload)
    sentence = tell(scene, user, outcome, is_denied=is_denied)
    reason = payload.text("status.message") if outcome is Outcome.FAILURE else None
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=key,
        category=payload.text("serviceName"),
        user=user or ANONYMOUS,
        description=column_text(with_reason(sentence, reason), MAX_SENTENCE_CHARS),
        outcome=outcome,
        severity=severity_of(record.text("severity")),
        source_ip=payload.address("requestMetadata.callerIp"),
        target=scene.resource,
        source=NAME,
        metadata=record.rest(is_denied=is_denied),
    )


def _outcome(event: str, payload: Loose) -> tuple[Outcome, bool]:
    """How a call ended, and whether it was refused; without a status it succeeded."""
    code = payload.text("status.code")
    if code is not None and code != "0":
        return Outcome.FAILURE, code in _DENIED_CODES
    grants = payload.get("authorizationInfo")
    for grant in grants if isinstance(grants, list) else ():
        if isinstance(grant, dict) and grant.get("granted") is False:
            return Outcome.FAILURE, True
    if event.endswith("Failure"):  # google.login.LoginService.loginFailure has no status
        return Outcome.FAILURE, False
    return Outcome.SUCCESS, False


def _map_plain(record: Loose, occurred_us: int, key: str) -> AuditEvent:
    """An entry that is no audit record: its log names the event."""
    log = record.text("logName")
    text = record.text("textPayload", "jsonPayload.message", "jsonPayload.content", "jsonPayload.msg")
    event = None if log is None else column_text(log.rpartition("/logs/")[2])
    if event is None:
        raise RecordError("it has no logName")
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=key,
        category=record.text("resource.type"),
        user=record.text("jsonPayload.actor.user", "jsonPayload.user"),
        description=column_text(text or f"an entry of log {event}", MAX_SENTENCE_CHARS),
        severity=severity_of(record.text("severity")),
        source_ip=record.address("httpRequest.remoteIp"),
        source=NAME,
        metadata=record.rest(),
    )


GCP = Format(
    NAME,
    "Google Cloud audit log",
    frozenset({Shape.JSON}),
    _detect,
    _map,
    marks=_PAYLOAD_KEYS | _PLAIN_PAYLOADS,
)
