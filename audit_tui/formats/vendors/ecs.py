"""Elastic Common Schema, as auditbeat and the other Beats write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.times import is_plain_utc, parse_time
from audit_tui.formats.values import (
    MAX_SENTENCE_CHARS,
    column_text,
    content_key,
    first_text,
    lookup,
    outcome_of,
    severity_of,
)
from audit_tui.formats.words.sentences import act_of, act_sentence, plain_of, told

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "ecs"
_EVENTS = (
    "event.action", "auditd.data.syscall", "auditd.data.op", "auditd.message_type", "event.code",
    "event.type", "event.dataset", "event.module",
)  # fmt: skip
_CATEGORIES = ("event.category", "auditd.category", "event.module", "event.dataset", "event.kind")
_USERS = (
    "user.name_map.auid", "user.audit.name", "user.name", "user.email", "client.user.name",
    "source.user.name", "user.full_name", "user.auid", "user.audit.id", "user.id",
)  # fmt: skip
_TARGETS = (
    "auditd.summary.object.primary", "user.target.name", "file.path", "process.executable", "url.full",
    "group.name", "destination.domain", "destination.ip", "destination.address", "host.name",
)  # fmt: skip
_UNSET = frozenset({"unset", "4294967295", "-1"})


def _detect(fields: Fields) -> bool:
    if "@timestamp" not in fields or _carries_another(fields):
        return False
    if "ecs" in fields or "ecs.version" in fields or "auditd" in fields or "event.action" in fields:
        return True
    event = fields.get("event")
    return isinstance(event, dict) and not event.keys().isdisjoint(("action", "category", "dataset", "kind"))


def _carries_another(fields: Fields) -> bool:
    """Whether it only ships a record of another format, as JSON in its message."""
    message = fields.get("message")
    return isinstance(message, str) and message[:1] == "{" and lookup(fields, "event.action") is None


def _map(fields: Fields) -> AuditEvent:
    if "@timestamp" not in fields:
        raise RecordError("it has no @timestamp")
    occurred_us = parse_time(fields["@timestamp"])
    event = _first(fields, _EVENTS)
    message = _text(fields, "message")
    if event is None and message is None:
        raise RecordError("nothing in it says what happened")
    user = user_of(fields)
    outcome = outcome_of(_one(fields, "event.outcome"))
    if outcome is Outcome.UNKNOWN:
        outcome = outcome_of(_one(fields, "auditd.result"))
    target = _first(fields, _TARGETS[:-1])
    severity = severity_of(_one(fields, "log.level"))
    if severity is None:
        severity = severity_of(_one(fields, "event.severity"))
    metadata = fields.copy()
    if is_plain_utc(fields["@timestamp"]):
        del metadata["@timestamp"]
    if message is not None and metadata.get("message") == message:
        del metadata["message"]
    event = event or "message"
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=_key(fields),
        category=_first(fields, _CATEGORIES),
        user=user,
        description=message
        or column_text(_sentence(fields, event, user, target, outcome), MAX_SENTENCE_CHARS),
        outcome=outcome,
        severity=severity,
        source_ip=_address(fields),
        target=target or _text(fields, _TARGETS[-1]),
        source=NAME,
        metadata=metadata,
    )


def _one(fields: Fields, path: str) -> Any:  # noqa: ANN401 - a JSON value
    """The value at a path, nested or under a dotted key; the first of a list."""
    value = lookup(fields, path)
    return value[0] if isinstance(value, list) and value else value


def _text(fields: Fields, path: str) -> str | None:
    value = _one(fields, path)
    if path == "message":
        return column_text(value, MAX_SENTENCE_CHARS) if isinstance(value, str) else None
    return first_text(value)


def _first(fields: Fields, paths: tuple[str, ...]) -> str | None:
    for path in paths:
        text = _text(fields, path)
        if text is not None:
            return text
    return None


def user_of(fields: Fields) -> str | None:
    """Who logged in at first, where that is known; else whose process it is."""
    for path in _USERS:
        text = _text(fields, path)
        if text is not None and text not in _UNSET:
            return text
    return None


def _address(fields: Fields) -> str | None:
    for path in ("source.ip", "client.ip", "source.address", "client.address"):
        address = source_address(_one(fields, path))
        if address is not None:
            return address
    return None


def _key(fields: Fields) -> str:
    event_id = _text(fields, "event.id")
    if event_id is not None:
        return f"{NAME}:{event_id}"
    sequence = _text(fields, "auditd.sequence")
    if sequence is None:
        return content_key(NAME, fields)
    # The kernel's numbers are each host's own, and begin again with each boot.
    host = _text(fields, "host.id") or _text(fields, "host.name") or _text(fields, "agent.id") or ""
    return f"{NAME}:{host}:{fields.get('@timestamp')}:{sequence}"


def _sentence(fields: Fields, event: str, user: str | None, target: str | None, outcome: Outcome) -> str:
    """A sentence of the shape of auditbeat's own summaries: somebody executed something using something."""
    actor = _text(fields, "auditd.summary.actor.primary")
    who = user or (actor if actor not in _UNSET else None) or "someone"
    how = _text(fields, "auditd.summary.how")
    using = f"using {how}" if how is not None and how != target else ""
    words = event.replace("-", " ").replace("_", " ")
    act = act_of(event)
    if act is not None:
        thing = " ".join(part for part in (act.phrase(), target or "", using) if part)
        return told(who, act.past, act.plain, thing, outcome)
    verb, _, noun = words.partition(" ")
    plain = "be" if verb == "was" else plain_of(verb)
    if plain is not None or verb.endswith("ed"):
        thing = " ".join(part for part in (noun, target or "", using) if part)
        return told(who, verb, plain or f"have {verb}", thing, outcome)
    noun, _, verb = words.rpartition(" ")
    act = act_of(verb) if noun else None
    if act is not None:
        thing = " ".join(part for part in ("" if noun == "user" else noun, target or "", using) if part)
        return told(who, act.past, act.plain, thing, outcome)
    return act_sentence(user, event, target, outcome) or f"{words} on {target or 'this host'}"


ECS = Format(
    NAME, "auditbeat / Elastic Common Schema", frozenset({Shape.JSON}), _detect, _map,
    marks=frozenset({"@timestamp"}),
)  # fmt: skip
