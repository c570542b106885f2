"""Okta System Log: API, log streaming, event hooks, and lower-cased by warehouses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.loose import Loose, of_warehouse
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text
from audit_tui.formats.words.narrating import plain_reason
from audit_tui.formats.words.okta_words import OktaNames, tell
from audit_tui.formats.words.sentences import with_reason

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "okta"
_OUTCOMES = {
    "SUCCESS": Outcome.SUCCESS,
    "ALLOW": Outcome.SUCCESS,
    "FAILURE": Outcome.FAILURE,
    "DENY": Outcome.FAILURE,
    "RATE_LIMIT": Outcome.FAILURE,
}
"""CHALLENGE, SKIPPED, UNKNOWN, DEFERRED and SCHEDULED did not end yet, or tell no end."""
_SEVERITIES = {"DEBUG": 1, "INFO": 1, "WARN": 3, "ERROR": 4}
_NOBODY = frozenset({"unknown", "null", ""})


def _detect(fields: Fields) -> bool:
    if not isinstance(fields.get("eventType", fields.get("eventtype")), str):
        return False
    if "published" in fields and "uuid" in fields:
        return True
    if of_warehouse(fields, "Okta."):
        return True
    return isinstance(fields.get("actor"), dict) and (
        "published" in fields or not {"legacyEventType", "legacyeventtype", "p_event_time"}.isdisjoint(fields)
    )


def _map(fields: Fields) -> AuditEvent:
    record = Loose(fields)
    event = record.take("eventType")
    if event is None:
        raise RecordError("it has no eventType")
    occurred_us = record.time("published", "p_event_time")
    user = _user(record)
    result = (record.text("outcome.result") or "").upper()
    outcome = _OUTCOMES.get(result, Outcome.UNKNOWN)
    is_denied = result == "DENY"
    address = record.address("client.ipAddress", "request.ipChain.0.ip")
    targets = _targets(record)
    names = OktaNames.of(
        event, targets, message=record.text("displayMessage"), address=None if address == user else address
    )
    sentence = tell(event, user, names, outcome, result)
    reason = plain_reason(record.text("outcome.reason"))
    if reason is not None and (reason == "locked out" or "resulted in" in reason):
        reason = None  # it says the event and its result once more
    uuid = record.take("uuid")
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=record.content_key(NAME) if uuid is None else f"{NAME}:{uuid}",
        category=".".join(event.split(".")[:2]),
        user=user,
        description=column_text(with_reason(sentence, reason), MAX_SENTENCE_CHARS),
        outcome=outcome,
        severity=_SEVERITIES.get((record.text("severity") or "").upper()),
        source_ip=address,
        target=names.target,
        source=NAME,
        metadata=record.rest(is_denied=is_denied, by_name={"target": _by_type(targets)}),
    )


def _user(record: Loose) -> str | None:
    for path in ("actor.alternateId", "actor.displayName", "actor.id"):
        name = record.text(path)
        if name is not None and name.lower() not in _NOBODY:
            return name
    return None


def _targets(record: Loose) -> list[tuple[str, str]]:
    """Type and name of each target that has one."""
    place = record.inner("target")
    found = []
    for number in range(20):
        one = None if place is None else place.inner(str(number))
        if one is None:
            break
        kind = one.text("type") or ""
        paths = ("alternateId", "displayName") if kind == "User" else ("displayName", "alternateId")
        names = [name for name in map(one.text, paths) if name is not None and name.lower() not in _NOBODY]
        name = names[0] if names else one.text("id")
        if name is not None:
            found.append((kind, name))
    return found


def _by_type(targets: list[tuple[str, str]]) -> Fields:
    return dict(reversed(targets))


OKTA = Format(
    NAME,
    "Okta System Log",
    frozenset({Shape.JSON}),
    _detect,
    _map,
    marks=frozenset({"eventType", "eventtype"}),
)
