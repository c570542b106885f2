"""Linux audit events as JSON: of laurel, and of go-audit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audit_tui.formats.record import RecordError
from audit_tui.formats.values import DENIED, OUTCOME_DETAIL, mark_denied
from audit_tui.formats.vendors.hosts.auditd_records import command_line, parse_fields
from audit_tui.formats.vendors.hosts.auditd_tables import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.event import AuditEvent
    from audit_tui.formats.record import Fields

_LAUREL_ID = re.compile(r"(\d{1,12}\.\d{1,9}):(\d{1,20})\Z", re.ASCII)
_TYPE = re.compile(r"[A-Z][A-Z0-9_]{2,63}\Z")
_IDS = ("auid", "uid", "euid", "suid", "fsuid", "id", "old-auid", "oauid", "ouid", "sauid")
MARKS = frozenset({"ID", "messages"})
"""Each such record has one of these keys."""


def is_json(fields: Fields) -> bool:
    """Tell whether a record is an event of laurel or of go-audit."""
    if isinstance(fields.get("ID"), str):
        return _LAUREL_ID.match(fields["ID"]) is not None
    messages = fields.get("messages")
    return (
        "sequence" in fields
        and isinstance(messages, list)
        and all(isinstance(part, dict) for part in messages)
    )


def mapped(fields: Fields, map_event: Callable[[Fields], AuditEvent]) -> AuditEvent:
    """Return the event as the log of the audit daemon gives it, so that both are one; all of it is kept."""
    event = map_event(_of_laurel(fields) if "ID" in fields else _of_go_audit(fields))
    metadata = fields.copy()
    if event.metadata.get(OUTCOME_DETAIL) == DENIED:
        mark_denied(metadata)
    return replace(event, metadata=metadata)


def _of_laurel(fields: Fields) -> Fields:
    match = _LAUREL_ID.match(str(fields["ID"]))
    if match is None:
        raise RecordError("its ID names no time")
    event: Fields = {"time": match[1], "serial": match[2]}
    if isinstance(fields.get("NODE"), str):
        event["node"] = fields["NODE"]
    for name, record in fields.items():
        if _TYPE.match(name) is not None and isinstance(record, dict | list):
            event[name] = [_texts(each) for each in record] if isinstance(record, list) else _texts(record)
    return event


def _texts(record: object) -> Fields:
    """A record with its values as texts, and its list of arguments as the daemon writes them."""
    if not isinstance(record, dict):
        return {}
    texts: Fields = {name: str(value) for name, value in record.items() if not isinstance(value, dict | list)}
    arguments = record.get("ARGV")
    if isinstance(arguments, list):
        words = [str(word) for word in arguments]
        texts |= {f"a{place}": word for place, word in enumerate(words)}
        texts |= {"argc": str(len(words)), "proctitle": command_line(words)}
    return texts


def _of_go_audit(fields: Fields) -> Fields:
    event: Fields = {"time": str(fields.get("timestamp")), "serial": str(fields.get("sequence"))}
    names: Any = fields.get("uid_map")
    for message in fields["messages"]:
        kind = type_name(str(message.get("type")))
        record = parse_fields(str(message.get("data", "")).strip(), kind)
        for field in _IDS:
            user = (
                names.get(record.get(field))
                if isinstance(names, dict) and isinstance(record.get(field), str)
                else None
            )
            if isinstance(user, str) and not user.startswith("UNKNOWN"):
                record[field.upper()] = user
        if kind not in event:
            event[kind] = record
        elif isinstance(event[kind], list):
            event[kind].append(record)
        else:
            event[kind] = [event[kind], record]
    event.pop("EOE", None)
    return event
