"""Google Workspace (Reports API) activities: one event for each of ``events``, or flattened by warehouses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.loose import Loose, named_values, of_warehouse
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text, first_text
from audit_tui.formats.words.workspace_words import target_of, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.formats.record import Fields

NAME = "workspace"
EVENT = "event"
"""Where a part has its own of the record's ``events``."""
EVENT_NUMBER = "event_number"
"""Which of them it is, from 0: the id of the record is the same for all."""
_FAILED = ("_failure", "_failed")
_SUCCEEDED = ("_success", "_succeeded")


def _detect(fields: Fields) -> bool:
    record_id = fields.get("id")
    if not isinstance(record_id, dict) or "applicationName" not in record_id:
        return False
    return (
        "actor" in fields
        or "events" in fields
        or "name" in fields
        or "type" in fields
        or of_warehouse(fields, "GSuite.")
    )


def _split(fields: Fields) -> Sequence[Fields]:
    events = fields.get("events")
    if not isinstance(events, list):
        return [fields]
    around = {name: value for name, value in fields.items() if name != "events"}
    return [
        around | {EVENT: event, EVENT_NUMBER: number}
        for number, event in enumerate(events)
        if isinstance(event, dict)
    ]


def _map(fields: Fields) -> AuditEvent:
    record = Loose(fields)
    part = record.inner(EVENT)
    inner = part or record
    application = record.text("id.applicationName")
    event = inner.text("name", "type") or application
    if event is None:
        raise RecordError("it has no name of an event")
    if part is None:
        record.taken("name", event)
    occurred_us = record.time("id.time", "p_event_time")
    user = record.text("actor.email", "actor.key", "actor.profileId")
    parameters = named_values(inner.get("parameters"))
    texts = {name.lower(): text for name, value in parameters.items() if (text := _text(value)) is not None}
    outcome = _outcome(event, inner)
    address = record.address("ipAddress")
    sentence = tell(event, application, user, texts, inner, outcome, address)
    qualifier, number = record.text("id.uniqueQualifier"), fields.get(EVENT_NUMBER)
    key = record.content_key(NAME)
    if part is not None and qualifier is not None:
        key = f"{NAME}:{application}:{qualifier}:{occurred_us}:{number}"
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=key,
        category=application,
        user=user,
        description=column_text(sentence, MAX_SENTENCE_CHARS),
        outcome=outcome,
        source_ip=address,
        target=column_text(target_of(texts)),
        source=NAME,
        metadata=record.rest(by_name=None if part is None else {"parameters": parameters}),
    )


def _text(value: object) -> str | None:
    """A parameter as a text; several values as a list of them."""
    if isinstance(value, list):
        texts = [text for item in value[:3] if (text := first_text(item)) is not None]
        return ", ".join(texts) or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return first_text(value)


def _outcome(event: str, inner: Loose) -> Outcome:
    """What the event's name says, or a delivery of its own; nothing else tells how it ended."""
    name = event.lower()
    if name.endswith(_FAILED):
        return Outcome.FAILURE
    if name.endswith(_SUCCEEDED):
        return Outcome.SUCCESS
    delivered = inner.at("parameters.event_info.success")
    if isinstance(delivered, bool):
        return Outcome.SUCCESS if delivered else Outcome.FAILURE
    return Outcome.UNKNOWN


WORKSPACE = Format(
    NAME, "Google Workspace", frozenset({Shape.JSON}), _detect, _map, marks=frozenset({"id"}), split=_split
)
