"""Open Cybersecurity Schema Framework: API activity, logins, account changes and its other classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import MAX_SEVERITY, AuditEvent, Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.times import is_plain_utc, parse_time
from audit_tui.formats.values import (
    DENIED,
    MAX_SENTENCE_CHARS,
    column_text,
    content_key,
    dig,
    first_text,
    mark_denied,
    outcome_of,
)
from audit_tui.formats.words.ocsf_words import CLASSES, activity_of, tell

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "ocsf"
API_ACTIVITY = 6003
_TARGETS = (
    ("resources", "0", "name"), ("resources", "0", "uid"), ("resource", "name"), ("resource", "uid"),
    ("entity", "name"), ("entity", "uid"), ("file", "path"), ("file", "name"), ("database", "name"),
    ("group", "name"), ("web_resources", "0", "name"), ("process", "name"), ("app", "name"),
    ("dst_endpoint", "hostname"), ("dst_endpoint", "ip"), ("dst_endpoint", "svc_name"),
    ("device", "hostname"),
)  # fmt: skip
_ADDRESSES = (
    ("src_endpoint", "ip"), ("actor", "session", "issuer_ip"), ("http_request", "x_forwarded_for"),
    ("device", "ip"), ("src_endpoint", "hostname"), ("src_endpoint", "name"),
)  # fmt: skip


def _detect(fields: Fields) -> bool:
    uid = fields.get("class_uid")
    is_uid = (isinstance(uid, int) and not isinstance(uid, bool)) or (
        isinstance(uid, str) and uid.isdecimal()
    )
    return is_uid and not fields.keys().isdisjoint(("metadata", "category_uid", "type_uid", "activity_id"))


def _map(fields: Fields) -> AuditEvent:
    time_field, occurred_us = _time(fields)
    class_uid = _number(fields.get("class_uid"))
    event = _event_name(fields, class_uid)
    outcome, is_denied = _outcome(fields)
    user = user_of(fields)
    target = _target(fields, class_uid, user)
    category = first_text(
        fields.get("class_name"), CLASSES.get(class_uid), fields.get("category_name"), fields.get("class_uid")
    )
    message = fields.get("message")
    said = column_text(message, MAX_SENTENCE_CHARS) if isinstance(message, str) else None
    metadata = fields.copy()
    if is_plain_utc(fields.get(time_field)):
        del metadata[time_field]
    if said is not None and said == message:
        del metadata["message"]
    if is_denied:
        mark_denied(metadata)
    uid = first_text(dig(fields, ("metadata", "uid")))
    sentence = said or tell(
        event, class_uid, user, target, outcome, is_denied=is_denied, reason=_reason(fields, outcome)
    )
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=content_key(NAME, fields) if uid is None else f"{NAME}:{uid}",
        category=category,
        user=user,
        description=column_text(sentence, MAX_SENTENCE_CHARS),
        outcome=outcome,
        severity=_severity(fields),
        source_ip=_address(fields),
        target=target,
        source=NAME,
        metadata=metadata,
    )


def _number(value: object) -> int:
    if isinstance(value, bool):
        return 0
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) else 0


def _time(fields: Fields) -> tuple[str, int]:
    problem = RecordError("it has no time")
    for name in ("time", "time_dt", "start_time", "start_time_dt"):
        value = fields.get(name)
        if value is None or value == "":
            continue
        try:
            return name, parse_time(value)
        except RecordError as error:
            problem = error
    raise problem


def _event_name(fields: Fields, class_uid: int) -> str:
    operation = dig(fields, ("api", "operation"))
    event = first_text(
        operation if class_uid == API_ACTIVITY else None,
        _told_name(fields.get("activity_name")),
        activity_of(class_uid, _number(fields.get("activity_id"))),
        fields.get("type_name"),
        operation,
        fields.get("type_uid"),
        fields.get("class_name"),
        CLASSES.get(class_uid),
    )
    if event is None:
        raise RecordError("nothing in it says what happened")
    return event


def _told_name(name: object) -> object:
    return None if name in ("Other", "Unknown") else name


def user_of(fields: Fields) -> str | None:
    """The actor; where there is none, whom the event is about (a login has only that)."""
    for path in (("actor", "user"), ("user",)):
        user = dig(fields, path)
        if isinstance(user, dict):
            name = first_text(
                user.get("name"), user.get("email_addr"), user.get("full_name"), user.get("uid")
            )
            if name is not None:
                return name
        elif (name := first_text(user)) is not None:
            return name
    return first_text(
        dig(fields, ("actor", "invoked_by")), dig(fields, ("actor", "app_name")),
        dig(fields, ("actor", "process", "user", "name")), dig(fields, ("actor", "idp", "name")),
    )  # fmt: skip


def _target(fields: Fields, class_uid: int, user: str | None) -> str | None:
    about = fields.get("user")
    if class_uid // 1000 == 3 and isinstance(about, dict):
        name = first_text(about.get("name"), about.get("email_addr"), about.get("uid"))
        if name is not None and (name != user or class_uid != 3002):
            return name
    return first_text(*(dig(fields, path) for path in _TARGETS))


def _outcome(fields: Fields) -> tuple[Outcome, bool]:
    """How it ended and whether it was refused, which an action or a disposition may say."""
    is_denied = _number(fields.get("action_id")) == 2 or _number(fields.get("disposition_id")) == 2
    status = _number(fields.get("status_id"))
    if is_denied or str(fields.get("status", "")).lower() == DENIED:
        return Outcome.FAILURE, True
    if status in (1, 2):
        return (Outcome.SUCCESS if status == 1 else Outcome.FAILURE), False
    return outcome_of(fields.get("status")), False


def _severity(fields: Fields) -> int | None:
    severity = fields.get("severity_id")
    if isinstance(severity, bool) or not isinstance(severity, int):
        return None
    return severity if 0 <= severity <= MAX_SEVERITY else None


def _address(fields: Fields) -> str | None:
    for path in _ADDRESSES:
        address = source_address(dig(fields, path))
        if address is not None:
            return address
    return None


def _reason(fields: Fields, outcome: Outcome) -> str | None:
    if outcome is not Outcome.FAILURE:
        return None
    return first_text(
        fields.get("status_detail"), dig(fields, ("api", "response", "error_message")),
        dig(fields, ("api", "response", "error")), dig(fields, ("api", "response", "message")),
        fields.get("status_code"),
    )  # fmt: skip


OCSF = Format(
    NAME, "Open Cybersecurity Schema Framework", frozenset({Shape.JSON}), _detect, _map,
    marks=frozenset({"class_uid"}),
)  # fmt: skip
