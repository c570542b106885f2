"""The systemd journal as JSON (``journalctl -o json``, ``-o export`` turned to JSON)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.times import parse_time
from audit_tui.formats.values import (
    MAX_SENTENCE_CHARS,
    column_text,
    content_key,
    first_text,
    rest_of,
)
from audit_tui.formats.words.english import told

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "journald"
UNSET_UID = "4294967295"
FRAME = frozenset({"time", "serial", "node", "prefix"})
"""The names that no record of the audit system has."""
_SEVERITIES = {"0": 6, "1": 6, "2": 5, "3": 4, "4": 3, "5": 2, "6": 1, "7": 1}
"""PRIORITY of syslog, from emergency to debug."""
_SSH = re.compile(
    r"(?P<did>Accepted|Failed) (?P<how>[\w/-]+) for (?P<invalid>invalid user )?(?P<user>.+) from (?P<ip>\S+)"
    r" port \d+"
)
_SSH_INVALID = re.compile(r"(?:Invalid|Illegal) user (?P<user>.*?) from (?P<ip>\S+)(?: port \d+)?\Z")
_SUDO = re.compile(
    r"\s*(?P<user>\S+) : (?P<why>[^;=]*?)(?: ; )?TTY=(?P<tty>\S+) ; PWD=(?P<cwd>.*?) ; USER=(?P<as>\S+) ;"
    r"(?: GROUP=\S+ ;)?(?: ENV=.*? ;)? COMMAND=(?P<command>.*)\Z",
    re.DOTALL,
)
_SU = re.compile(r"(?P<failed>FAILED SU )?\(to (?P<as>\S+)\) (?P<user>\S+) on (?P<tty>\S+)\Z")
_PAM_SESSION = re.compile(
    r"pam_unix\((?P<service>[^)]*)\): session (?P<did>opened|closed) for user (?P<user>[^\s(]+)"
    r"(?:\(uid=\d+\))?(?: by (?P<by>[^\s(]+)\()?"
)
_PAM_FAILURE = re.compile(r"pam_\w+\((?P<service>[^)]*)\): authentication failure;.*?(?:rhost=(?P<ip>\S*))?"
                          r"(?:\s+user=(?P<user>\S+))?\Z")  # fmt: skip


class _Said(NamedTuple):
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
    reading = _read(identifier or "", message or "")
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


def _read(identifier: str, message: str) -> _Said:
    if identifier.startswith("sshd"):
        return _ssh(message)
    if identifier == "sudo" and (match := _SUDO.match(message)):
        return _sudo(match)
    if identifier == "su" and (match := _SU.match(message)):
        outcome = Outcome.FAILURE if match["failed"] else Outcome.SUCCESS
        sentence = told(match["user"], "became", "become", match["as"], outcome)
        return _Said(match["user"], None, outcome, match["as"], sentence)
    return _pam(message)


def _pam(message: str) -> _Said:
    if match := _PAM_SESSION.match(message):
        did = "began" if match["did"] == "opened" else "ended"
        who = match["by"] or match["user"]
        service = match["service"].partition(":")[0]
        other = f" as {match['user']}" if who != match["user"] else ""
        return _Said(who, None, Outcome.UNKNOWN, None, f"{who} {did} a session of {service}{other}")
    if match := _PAM_FAILURE.match(message):
        address = source_address(match["ip"])
        where = f" from {address}" if address is not None else ""
        service = match["service"].partition(":")[0]
        sentence = f"{match['user'] or 'someone'} failed to authenticate to {service}{where}"
        return _Said(match["user"], address, Outcome.FAILURE, None, sentence)
    return _Said()


def _ssh(message: str) -> _Said:
    if match := _SSH.match(message):
        outcome = Outcome.SUCCESS if match["did"] == "Accepted" else Outcome.FAILURE
        how = "a key" if match["how"] == "publickey" else f"a {match['how']}"
        where = f"over SSH with {how} from {match['ip']}"
        sentence = told(match["user"], "logged in", "log in", where, outcome)
        if match["invalid"]:
            sentence += ", who is no user here"
        return _Said(match["user"], source_address(match["ip"]), outcome, None, sentence)
    if match := _SSH_INVALID.match(message):
        user = match["user"] or None
        sentence = f"{user or 'someone'}, who is no user here, tried to log in over SSH from {match['ip']}"
        return _Said(user, source_address(match["ip"]), Outcome.FAILURE, None, sentence)
    return _pam(message)


def _sudo(match: re.Match[str]) -> _Said:
    why = match["why"].strip(" ;")
    command = f"{match['command'].strip()} as {match['as']}"
    # sudo says why only where it refuses; else it has started the command, whose end it does not tell.
    outcome = Outcome.FAILURE if why else Outcome.UNKNOWN
    sentence = told(match["user"], "ran", "run", command, outcome, is_denied="not" in why.split())
    return _Said(
        match["user"], None, outcome, match["command"].strip(), f"{sentence}: {why}" if why else sentence
    )


JOURNALD = Format(
    NAME, "systemd journal", frozenset({Shape.JSON}), _detect, _map, marks=frozenset({"__REALTIME_TIMESTAMP"})
)
