"""Linux audit (auditd), raw and enriched: each event with all its records."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.record import Format, Lines, RecordError, Shape
from audit_tui.formats.times import EARLIEST_US, LATEST_US, parse_time
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text, content_key, mark_denied
from audit_tui.formats.vendors.hosts.auditd_json import MARKS, is_json, mapped
from audit_tui.formats.vendors.hosts.auditd_records import auditd_records, begins
from audit_tui.formats.vendors.hosts.auditd_sentence import Scene, socket_address, target_of, tell
from audit_tui.formats.vendors.hosts.auditd_tables import LOGIN_KIND, kind_of, syscall_name, tables

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "auditd"
FRAME = frozenset({"time", "serial", "node", "prefix"})
"""Fields of an event that are none of its records."""
UNSET = frozenset({"unset", "4294967295", "-1"})
"""The login ids that say that nobody logged in."""
_NOTHING = frozenset({"", "?", "(null)", "(none)", "(unknown)"})
_PLAIN_TIME = re.compile(r"\d{9,12}\.\d{3}\Z", re.ASCII)
_RESULTS = {
    "yes": Outcome.SUCCESS,
    "success": Outcome.SUCCESS,
    "1": Outcome.SUCCESS,
    "no": Outcome.FAILURE,
    "failed": Outcome.FAILURE,
    "fail": Outcome.FAILURE,
    "0": Outcome.FAILURE,
}
_REFUSALS = frozenset({"-1", "-13", "EPERM", "EACCES"})
"""The errors that a system call returns when it is not allowed."""
_INCOMING = frozenset({"accept", "accept4", "recvfrom", "recvmsg"})


class _Records(NamedTuple):
    """The records of an event that matter most."""

    name: str | None
    """The type of the record that says what happened; None when it is missing."""
    primary: Fields
    syscall: Fields


def _map(fields: Fields) -> AuditEvent:
    return mapped(fields, _map_records) if is_json(fields) else _map_records(fields)


def _map_records(fields: Fields) -> AuditEvent:
    occurred_us = _time(fields.get("time"))
    types = [name for name in fields if name not in FRAME]
    if not types:
        raise RecordError("it has no records")
    records = _records(fields, types)
    primary, syscall = records.primary, records.syscall
    kind = kind_of(records.name or types[0])
    outcome = _outcome(records)
    call = syscall_of(syscall) if syscall else None
    user = user_of(primary, syscall, kind)
    is_denied = outcome is Outcome.FAILURE and (
        _error_of(syscall) in _REFUSALS or _refusal(primary) is Outcome.FAILURE
    )
    scene = Scene(fields, records.name or types[0], primary, syscall, call, user, outcome, is_denied)
    metadata = fields.copy()
    if _PLAIN_TIME.match(fields["time"]):
        del metadata["time"]
    if metadata.get("serial") is None:
        metadata.pop("serial", None)
    if is_denied:
        mark_denied(metadata)
    target = target_of(scene)
    return AuditEvent(
        event=_event_name(records, types[0], call),
        occurred_us=occurred_us,
        key=_key(fields, records.name),
        category=column_text(kind),
        user=user,
        description=column_text(tell(scene, target), MAX_SENTENCE_CHARS),
        outcome=outcome,
        source_ip=_address(scene),
        target=column_text(target),
        source=NAME,
        metadata=metadata,
    )


def _error_of(syscall: Fields) -> str:
    """The result of a system call: a number, or a name, ``EACCES(Permission denied)``."""
    return (text_of(syscall, "exit") or "").partition("(")[0]


def _time(text: object) -> int:
    if not isinstance(text, str):
        raise RecordError("it has no time")
    if ":" in text:
        return _interpreted_time(text)
    seconds, _, fraction = text.partition(".")
    if not seconds.isdecimal() or not (fraction.isdecimal() or not fraction) or len(text) > 24:
        raise RecordError(f"the time is not a time: {text[:40]!r}")
    occurred_us = int(seconds) * 1_000_000 + (int(fraction[:6].ljust(6, "0")) if fraction else 0)
    if EARLIEST_US < occurred_us < LATEST_US:
        return occurred_us
    raise RecordError(f"the time is out of range (1970 to 2199): {text[:40]!r}")


def _interpreted_time(text: str) -> int:
    """A time as ``ausearch -i`` writes it, in the order that its locale has: ``05/02/2024 08:15:11.512``."""
    day, _, clock = text.partition(" ")
    parts = [int(part) for part in re.split(r"[/.-]", day)]
    if parts[0] > 31:
        year, month, date = parts
    elif "." in day or parts[0] > 12:
        date, month, year = parts
    else:
        month, date, year = parts
    year += 2000 if year < 100 else 0
    return parse_time(f"{year:04}-{month:02}-{date:02}T{clock}")


def first_record(fields: Fields, name: str) -> Fields:
    """The first record of a type; empty when there is none."""
    value = fields.get(name)
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, dict) else {}


def _records(fields: Fields, types: list[str]) -> _Records:
    syscall = first_record(fields, "SYSCALL")
    for name in types:
        if name != "SYSCALL" and name not in tables().auxiliary:
            return _Records(name, first_record(fields, name), syscall)
    if "SYSCALL" in fields:
        return _Records("SYSCALL", syscall, syscall)
    return _Records(None, first_record(fields, types[0]), syscall)


def _event_name(records: _Records, first_type: str, call: str | None) -> str:
    """The type of the record; for a system call the key of the rule that it triggered, else its name."""
    if records.name != "SYSCALL":
        return column_text(records.name or first_type) or "record"
    key = records.syscall.get("key")
    if isinstance(key, list) and key:
        key = key[0]
    if isinstance(key, str) and key not in _NOTHING:
        return column_text(key) or "SYSCALL"
    return column_text(call) or "SYSCALL"


def syscall_of(syscall: Fields) -> str | None:
    """The name of a system call: translated where the log is enriched, else by its number."""
    for name, architecture in ((syscall.get("SYSCALL"), ""), (syscall.get("syscall"), syscall.get("arch"))):
        if isinstance(name, str) and name:
            return syscall_name(architecture if isinstance(architecture, str) else "", name)
    return None


def text_of(record: Fields, name: str) -> str | None:
    """The value of a field that says something."""
    value = record.get(name)
    return value if isinstance(value, str) and value not in _NOTHING else None


def _id_name(record: Fields, name: str) -> str | None:
    """The name behind an id: translated, or root; else the number."""
    translated = text_of(record, name.upper())
    if translated is not None:
        return None if translated in UNSET else _translated_name(translated)
    number = text_of(record, name)
    if number is None or number in UNSET:
        return None
    return "root" if number == "0" else column_text(number)


def _translated_name(name: str) -> str | None:
    """A translated name; ``unknown(89)`` stands for a number that has none."""
    return column_text(name[8:-1] if name.startswith("unknown(") and name.endswith(")") else name)


def user_of(primary: Fields, syscall: Fields, kind: str) -> str | None:
    """Return who logged in at first, even if they are somebody else by now; else who it is now.

    The account of a login is the user only where nobody had logged in yet: with ``su`` it is whom somebody
    wants to be. Numbers are not translated, but for root's.
    """
    for record in (primary, syscall):
        name = _id_name(record, "auid")
        if name is not None:
            return name
    account = text_of(primary, "acct") if kind == LOGIN_KIND else None
    if account is not None:
        return column_text(account)
    if kind == LOGIN_KIND and (name := _id_name(primary, "id")):
        return name
    for record, field in ((primary, "new-auid"), (primary, "uid"), (syscall, "uid")):
        name = _id_name(record, field)
        if name is not None:
            return name
    return None


def _outcome(records: _Records) -> Outcome:
    for value in (records.syscall.get("success"), records.primary.get("res"), records.primary.get("result")):
        if isinstance(value, str) and value in _RESULTS:
            return _RESULTS[value]
    return _refusal(records.primary)


def _refusal(primary: Fields) -> Outcome:
    """Return what SELinux or AppArmor decided; what it would have refused, had it been enforcing, went on."""
    words = primary.get("text")
    decision = primary.get("apparmor")
    if decision == "DENIED" or (isinstance(words, str) and "denied" in words):
        return Outcome.SUCCESS if primary.get("permissive") == "1" else Outcome.FAILURE
    if decision == "ALLOWED" or (isinstance(words, str) and "granted" in words):
        return Outcome.SUCCESS
    return Outcome.UNKNOWN


def _address(scene: Scene) -> str | None:
    for record in (scene.primary, scene.syscall):
        value = text_of(record, "addr")
        if value is not None:
            return source_address(value)
    if scene.call in _INCOMING:
        socket = socket_address(first_record(scene.fields, "SOCKADDR"))
        return source_address(socket.host) if socket is not None and socket.port is not None else None
    return None


def _key(fields: Fields, primary_type: str | None) -> str:
    """Node, time and serial; the type too, because a file may begin or end in the middle of an event."""
    node, time, serial = fields.get("node"), fields.get("time"), fields.get("serial")
    place = f"{node}:{time}:{serial}" if node else f"{time}:{serial}"
    if primary_type is None or serial is None:
        return content_key(f"{NAME}:{place}", fields)
    return column_text(f"{NAME}:{place}:{primary_type}") or content_key(NAME, fields)


AUDITD = Format(
    NAME,
    "Linux audit (auditd)",
    frozenset({Shape.LINES, Shape.JSON}),
    is_json,
    _map,
    marks=MARKS,
    lines=Lines(begins, auditd_records),
)
