"""Windows: events by their numbers, with the actor, the target and the fields that each has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.values import NO_NAMES, column_text, first_text, word_list
from audit_tui.formats.vendors.hosts.windows_xml import records as records
from audit_tui.formats.words.english import shown, with_reason

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_SYSMON = "sysmon"
_SHOWN_DETAILS = 3
_USERS = {
    "Subject": ("SubjectUserName", "SubjectUserSid"),
    "Target": ("TargetUserName", "TargetUser", "UserName", "AccountName", "TargetUserSid"),
    "Account": ("AccountName",),
    "User": ("User", "UserName", "Param1"),
    "SourceUser": ("SourceUser", "User"),
    "Requester": ("Requester",),
    "": (),
}
_LABELLED = re.compile(
    r"(?P<label>[^\W\d_a-z][^\W\d_]*(?: [^\W\d_]+){0,6}) ?:\s*(?P<value>.*)\Z"
    r"|<(?P<tag>\w+)>(?P<inner>[^<]*)</"
)
_PROVIDERS = word_list(
    "System.Provider.#attributes.Name winlog.provider_name SourceName ProviderName Provider Source"
)
_ANYBODY = ("SubjectUserName", "User", "TargetUserName", "AccountName", "UserName", "Account")


def refine(telling: Telling) -> None:
    """Name an event by its number, and tell who did what to what."""
    data = _data(telling)
    number = telling.event
    provider = telling.text(*_PROVIDERS)
    tables = telling.mapping.tables
    table = _SYSMON if _SYSMON in (provider or telling.values.get("category") or "").lower() else "security"
    row = tables[table].get(number)
    if row is None and table == "security":
        row = tables["other"].get(number)
    name, who, target_field, pattern, end = row or ("", "", "", "", "")
    prefix = "Sysmon " if table == _SYSMON else ""
    telling.values["event"] = (
        f"{prefix}{number} {name}".strip() if name else _unnamed(telling, prefix, number, provider)
    )
    _tell_end(telling, end)
    user = _first(data, (*_USERS[who], *_ANYBODY)) if row or data else None
    user = user or telling.text(
        "winlog.user.name", "System.Security.#attributes.UserID", "AccountName", "Account"
    )
    telling.values["user"] = column_text(user.rpartition("\\")[2] or user) if user else None
    telling.values["target"] = column_text(data.get(target_field or "TargetName")) or telling.values.get(
        "target"
    )
    computer = telling.text("System.Computer", "winlog.computer_name", "Hostname", "Computer", "MachineName")
    if telling.target is None and row is not None:
        telling.values["target"] = column_text(computer)
    address = data.get("IpAddress")
    if telling.values.get("source_ip") is None and address is not None:
        telling.values["source_ip"] = source_address(address)
    telling.names = {**data, "computer": computer}
    record = telling.text(
        "System.EventRecordID", "winlog.record_id", "RecordNumber", "RecordID", "EventRecordID", "RecordId"
    )
    if record is not None and computer is not None:
        # Numbers of records begin again when a log is cleared.
        channel = telling.values.get("category") or ""
        telling.values["key"] = f"{computer}:{channel}:{record}:{telling.values['time']}"
    reason = _reason(telling, data)
    if pattern:
        telling.sentence = with_reason(telling.narrated(pattern), reason)
    else:
        telling.sentence = _message(telling, computer, data)


def _data(telling: Telling) -> dict[str, str | None]:
    """The fields of an event's own, wherever a program puts them."""
    for path in ("EventData", "winlog.event_data", "UserData", "winlog.user_data", ""):
        place: Any = telling.at(path) if path else None
        if path.endswith(("UserData", "user_data")) and isinstance(place, dict) and len(place) == 1:
            place = next(iter(place.values()))
        if isinstance(place, dict) and place:
            data = {name: first_text(value) for name, value in place.items()}
            items = place.get("Data")
            if isinstance(items, dict) and "#attributes" not in items:
                # Values without names, as older programs write them.
                texts = items.get("#text")
                return {"": " ".join(map(str, texts)) if isinstance(texts, list) else first_text(texts)}
            for item in items if isinstance(items, list) else ():
                if isinstance(item, dict):
                    attributes = item.get("#attributes") or item
                    data[str(attributes.get("Name", attributes.get("@Name")))] = first_text(item.get("#text"))
            return data
    flat = {name: first_text(telling.at(name)) for name in telling.record.names()}
    return _told_in_message(telling) | {name: text for name, text in flat.items() if text is not None}


def _told_in_message(telling: Telling) -> dict[str, str | None]:
    """The fields that the vendor's message tells line by line; whose account it is, its section says."""
    message = telling.text("Message", "message") or ""
    labels = telling.mapping.tables["labels"]
    data: dict[str, str | None] = {}
    section = ""
    for line in message.split("\n"):
        if line[:1].isalpha() and line.rstrip().endswith(":"):
            section = line.rstrip(" :\r")
        if (match := _LABELLED.match(line.strip())) is None:
            continue
        label = match["label"] or match["tag"]
        value = (match["value"] or match["inner"] or "").partition(",")[0].strip()
        if not value:
            section = label
        elif (name := labels.get(label)) is not None and value.lower() not in NO_NAMES:
            is_subject = name == "TargetUserName" and section in telling.mapping.tables["subjects"]
            data.setdefault("SubjectUserName" if is_subject else name, value)
    return data


def _first(data: dict[str, str | None], names: tuple[str, ...]) -> str | None:
    values = (data.get(name) for name in names)
    return next((value for value in values if value is not None and value.lower() not in NO_NAMES), None)


def _tell_end(telling: Telling, end: str) -> None:
    if end == Outcome.FAILURE:
        telling.verdict = Verdict(Outcome.FAILURE)
    elif telling.outcome is Outcome.UNKNOWN and end == Outcome.SUCCESS:
        telling.verdict = Verdict(Outcome.SUCCESS)


def _reason(telling: Telling, data: dict[str, str | None]) -> str | None:
    if telling.outcome is not Outcome.FAILURE:
        return None
    reasons = telling.mapping.tables["status"]
    codes = (data.get(name) for name in ("SubStatus", "Status", "FailureCode"))
    return next(
        (reasons[code.lower()] for code in codes if code is not None and code.lower() in reasons), None
    )


def _unnamed(telling: Telling, prefix: str, number: str, provider: str | None) -> str:
    source = "" if prefix or provider is None else f" {provider.removeprefix('Microsoft-Windows-')}"
    return f"{prefix}{number}{source}"


def _message(telling: Telling, computer: str | None, data: dict[str, str | None]) -> str:
    """The first line of the vendor's own words, else the number and the first of what the event says."""
    message = telling.text("message", "Message", "RenderingInfo.Message")
    by = f" by {shown(telling.user)}" if telling.user else ""
    on = f" on {shown(computer)}" if computer else ""
    first = (message or "").strip().partition("\n")[0].strip()
    return (
        f"{shown(first)}{by if first.endswith('.') is False else ''}"
        if first
        else f"event {telling.event}{by}{on}{_details(data)}"
    )


def _details(data: dict[str, str | None]) -> str:
    values = [
        f"{name} {shown(value)}".strip()
        for name, value in data.items()
        if value and not name.startswith("Subject")
    ]
    return f": {', '.join(values[:_SHOWN_DETAILS])}" if values else ""
