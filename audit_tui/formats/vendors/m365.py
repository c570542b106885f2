"""Microsoft 365 unified audit log: Management Activity API, Purview exports, lower-cased by warehouses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.loose import Loose, fold, named_values, of_warehouse
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text
from audit_tui.formats.words.m365_words import M365Scene, tell
from audit_tui.formats.words.narrating import plain_reason
from audit_tui.formats.words.sentences import with_reason

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "m365"
_NEEDED = frozenset({"operation", "recordtype", "creationtime"})
_OUTCOMES = {
    **dict.fromkeys(("true", "success", "succeeded"), Outcome.SUCCESS),
    **dict.fromkeys(("false", "failed", "failure", "partiallysucceeded"), Outcome.FAILURE),
}
_NOBODY = frozenset({"not available", "unknown", ""})
_LISTS = ("Parameters", "ExtendedProperties", "ModifiedProperties")


def _detect(fields: Fields) -> bool:
    if of_warehouse(fields, "Microsoft365."):
        return "Operation" in fields or "operation" in fields
    return {fold(key) for key in fields if key[:1] in "OoRrCc"} >= _NEEDED


def _map(fields: Fields) -> AuditEvent:
    record = Loose(fields)
    event = record.take("Operation")
    if event is None:
        raise RecordError("it has no Operation")
    occurred_us = record.time("CreationTime", "CreationDate", "p_event_time")
    outcome = _OUTCOMES.get((record.text("ResultStatus") or "").lower(), Outcome.UNKNOWN)
    if event.endswith("Failed"):
        outcome = Outcome.FAILURE
    user = _user(record)
    address = record.address("ClientIP", "ClientIPAddress", "ActorIpAddress")
    lists = {name: named_values(record.get(name)) for name in _LISTS}
    target = record.take("ObjectId")
    scene = M365Scene(event, record, lists["Parameters"], target, lists["ModifiedProperties"])
    sentence = tell(scene, user, address, outcome)
    reason = None
    if outcome is Outcome.FAILURE:
        reason = plain_reason(
            record.text("LogonError", "ErrorMessage", "ResultStatusDetail", "FailureReason")
        )
    record_id = record.take("Id")
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=record.content_key(NAME) if record_id is None else f"{NAME}:{record_id}",
        category=record.take("Workload"),
        user=user,
        description=column_text(with_reason(sentence, reason), MAX_SENTENCE_CHARS),
        outcome=outcome,
        source_ip=address,
        target=target,
        source=NAME,
        metadata=record.rest(by_name=dict(lists)),
    )


def _user(record: Loose) -> str | None:
    for name in ("UserId", "UserKey"):
        user = record.text(name)
        if user is not None and user.lower() not in _NOBODY:
            record.taken(name, user)
            return user
    return None


M365 = Format(
    NAME,
    "Microsoft 365 audit log",
    frozenset({Shape.JSON}),
    _detect,
    _map,
    marks=frozenset({"Operation", "operation"}),
)
