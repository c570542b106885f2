"""Teleport: sessions, logins, access requests and what people do in databases, apps and clusters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.times import is_plain_utc, parse_time
from audit_tui.formats.values import (
    MAX_SENTENCE_CHARS,
    column_text,
    content_key,
    dig,
    first_text,
    mark_denied,
    rest_of,
)
from audit_tui.formats.words.teleport_words import target_of, tell

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "teleport"
_CODE = re.compile(r"T[A-Z0-9]{3,15}[IWE]\Z")
_SEVERITIES = {"I": 1, "W": 3, "E": 4}
"""The last letter of a code says how serious it is: information, warning, error."""


def _detect(fields: Fields) -> bool:
    code, event = fields.get("code"), fields.get("event")
    return isinstance(code, str) and isinstance(event, str) and _CODE.match(code) is not None


def _map(fields: Fields) -> AuditEvent:
    event = column_text(fields.get("event"))
    if event is None:
        raise RecordError("it has no event")
    if "time" not in fields:
        raise RecordError("it has no time")
    occurred_us = parse_time(fields["time"])
    code = first_text(fields.get("code")) or ""
    user = user_of(fields)
    outcome = outcome_of(fields, code)
    is_denied = outcome is Outcome.FAILURE and "access denied" in str(fields.get("error", "")).lower()
    target = target_of(fields)
    sentence = tell(fields, event, code, user, outcome, is_denied=is_denied)
    metadata = rest_of(fields, event=event, user=user)
    if is_plain_utc(fields["time"]):
        del metadata["time"]
    if is_denied:
        mark_denied(metadata)
    uid = first_text(fields.get("uid"))
    # A uid is shared by the events of a test set, so what tells them apart goes in as well.
    parts = (uid, code, fields.get("ei", ""), occurred_us, outcome.value)
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=content_key(NAME, fields) if uid is None else f"{NAME}:{':'.join(map(str, parts))}",
        category=column_text(event.partition(".")[0]),
        user=user,
        description=column_text(sentence, MAX_SENTENCE_CHARS),
        outcome=outcome,
        severity=_SEVERITIES.get(code[-1:]),
        source_ip=source_address(fields.get("addr.remote")),
        target=column_text(target),
        source=NAME,
        metadata=metadata,
    )


def user_of(fields: Fields) -> str | None:
    """The Teleport user, else the login on the machine, else whose certificate it is."""
    return first_text(
        fields.get("user"),
        dig(fields, ("user", "user")),
        fields.get("login"),
        dig(fields, ("identity", "user")),
        fields.get("updated_by"),
        dig(fields, ("attributes", "email")),
    )


def outcome_of(fields: Fields, code: str) -> Outcome:
    """What ``success`` says, else the letter at the end of the code: I went well, W and E did not."""
    for value in (fields.get("success"), dig(fields, ("status", "success"))):
        if isinstance(value, bool):
            return Outcome.SUCCESS if value else Outcome.FAILURE
    if code[-1:] in ("W", "E"):
        return Outcome.FAILURE
    return Outcome.SUCCESS if code.endswith("I") else Outcome.UNKNOWN


TELEPORT = Format(NAME, "Teleport audit", frozenset({Shape.JSON}), _detect, _map, marks=frozenset({"code"}))
