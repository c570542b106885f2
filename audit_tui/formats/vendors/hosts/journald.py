"""The systemd journal as JSON (``journalctl -o json``, ``-o export`` turned to JSON)."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.tables import table
from audit_tui.formats.times import parse_time
from audit_tui.formats.values import (
    DENIED,
    MAX_SENTENCE_CHARS,
    column_text,
    content_key,
    first_text,
    rest_of,
)
from audit_tui.formats.words.english import with_reason
from audit_tui.formats.words.patterns import narrate

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "journald"
UNSET_UID = "4294967295"
FRAME = frozenset({"time", "serial", "node", "prefix"})
"""The names that no record of the audit system has."""
_SEVERITIES = {"0": 6, "1": 6, "2": 5, "3": 4, "4": 3, "5": 2, "6": 1, "7": 1}
"""PRIORITY of syslog, from emergency to debug."""


class Facts(NamedTuple):
    """The facts that the text of a message tells beside itself."""

    user: str | None = None
    address: str | None = None
    outcome: Outcome = Outcome.UNKNOWN
    target: str | None = None
    sentence: str | None = None


def _detect(fields: Fields) -> bool:
    return "__REALTIME_TIMESTAMP" in fields and (
        "MESSAGE" in fields or "__CURSOR" in fields or "_TRANSPORT" in fields
    )


def _map(fields: Fields) -> AuditEvent:
    occurred_us = _time(fields)
    message = text_of(fields.get("MESSAGE"))
    cursor = first_text(fields.get("__CURSOR"))
    key = content_key(NAME, fields) if cursor is None else f"{NAME}:{cursor}"
    metadata = fields.copy() if cursor is None else rest_of(fields, __CURSOR=cursor)
    severity = _SEVERITIES.get(first_text(fields.get("PRIORITY")) or "")
    audited = _audited(fields, message)
    if audited is not None:
        return replace(
            audited, occurred_us=occurred_us, key=key, severity=severity, source=NAME, metadata=metadata
        )
    identifier = _field(fields, "SYSLOG_IDENTIFIER")
    event = first_text(identifier, _field(fields, "_COMM"), _field(fields, "_SYSTEMD_UNIT"))
    if event is None and message is None:
        raise RecordError("it has neither a MESSAGE nor an identifier")
    reading = facts_of(identifier or "", message or "")
    is_left_out = "MESSAGE" in fields and fields["MESSAGE"] is None
    nothing = (
        "a message too long for the export (journalctl --all gives it)" if is_left_out else "an empty message"
    )
    sentence = reading.sentence or message or f"{event} wrote {nothing}"
    return AuditEvent(
        event=event or "message",
        occurred_us=occurred_us,
        key=key,
        category=first_text(_field(fields, "_SYSTEMD_UNIT"), _field(fields, "_TRANSPORT")),
        user=reading.user or user_of(fields),
        description=column_text(" ".join(sentence.split()), MAX_SENTENCE_CHARS),
        outcome=reading.outcome,
        severity=severity,
        source_ip=reading.address,
        target=column_text(reading.target),
        source=NAME,
        metadata=metadata,
    )


def _audited(fields: Fields, message: str | None) -> AuditEvent | None:
    """The event of a record that the kernel's audit system gave to the journal; None of others."""
    kind = _field(fields, "_AUDIT_TYPE_NAME")
    if kind is None or message is None or _field(fields, "_TRANSPORT") != "audit" or kind in FRAME:
        return None
    from audit_tui.formats.vendors.hosts.auditd import AUDITD
    from audit_tui.formats.vendors.hosts.auditd_records import parse_fields

    body = message.removeprefix(kind).strip()
    return AUDITD.map({"time": "1000000000.000", "serial": "0", kind: parse_fields(body, kind)})


def _time(fields: Fields) -> int:
    """When it happened at its source; else when the journal took it."""
    problem = RecordError("it has no time")
    for name in ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"):
        value = _scalar(fields.get(name))
        if value is not None:
            try:
                return parse_time(value)
            except RecordError as error:
                problem = error
    raise problem


def text_of(value: object) -> str | None:
    """A field of the journal as text.

    The journal writes what is not UTF-8 or has control characters as an array of bytes, a field given
    several times as an array of its values, and what is too long as null.
    """
    if isinstance(value, list) and value:
        if all(isinstance(byte, int) and not isinstance(byte, bool) and 0 <= byte < 256 for byte in value):
            return column_text(bytes(value).decode("utf-8", "surrogateescape"), MAX_SENTENCE_CHARS)
        return text_of(value[0])
    return None if isinstance(value, dict | bool) else column_text(value, MAX_SENTENCE_CHARS)


def _scalar(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value


def _field(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else text_of(value)


def user_of(fields: Fields) -> str | None:
    """Return who logged in at first, even if they became another user since; else whose process it is."""
    for name in ("_AUDIT_LOGINUID", "_UID", "OBJECT_UID"):
        uid = _field(fields, name)
        if uid is not None and uid not in (UNSET_UID, "-1"):
            return "root" if uid == "0" else column_text(uid)
    return None


class _Text(NamedTuple):
    """The look of a text that a program writes, and what it tells."""

    program: str
    says: re.Pattern[str]
    tells: str
    end: str


@cache
def _texts() -> tuple[_Text, ...]:
    return tuple(
        _Text(program, re.compile(says, re.DOTALL), tells, end)
        for program, says, tells, end in table("programs")["texts"]
    )


def facts_of(program: str, message: str) -> Facts:
    """Return what the text of a program tells."""
    for text in _texts():
        if program.startswith(text.program) and (match := text.says.match(message)):
            names = {name: value.strip() for name, value in match.groupdict().items() if value}
            user = names.get("user")
            if names.get("as") == user:
                names.pop("as", None)
            is_denied = text.end == DENIED
            outcome = Outcome.FAILURE if is_denied else Outcome(text.end or Outcome.UNKNOWN)
            sentence = narrate(user, text.tells, names, outcome, is_denied=is_denied) if text.tells else None
            return Facts(
                user,
                source_address(names.get("address")),
                outcome,
                names.get("target"),
                sentence and with_reason(sentence, names.get("reason")),
            )
    return Facts()


JOURNALD = Format(
    NAME, "systemd journal", frozenset({Shape.JSON}), _detect, _map, marks=frozenset({"__REALTIME_TIMESTAMP"})
)
