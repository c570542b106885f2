"""GitLab audit events: audit_json.log, streaming, and the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.loose import Loose, of_warehouse
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text, first_text, severity_of
from audit_tui.formats.words.gitlab_words import GitlabScene, tell
from audit_tui.formats.words.naming import outcome_in_name

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "gitlab"
_AUTHORS = {"-1": "unauthenticated", "-2": "deploy token", "-3": "deploy key"}
"""Authors that are no users."""
_ACTS = ("change", "add", "remove", "with", "failed_login", "custom_message")
"""What an event does, as the key that says it, where it has no name."""


def _detect(fields: Fields) -> bool:
    if "author_id" in fields and "entity_type" in fields:
        return True
    return of_warehouse(fields, "GitLab.") and ("detail" in fields or "details" in fields)


def _map(fields: Fields) -> AuditEvent:
    record = Loose(fields)
    details = record.inner("details") or record.inner("detail") or record
    occurred_us = record.time("created_at", "time", "p_event_time")
    event = record.take("event_type", "event_name") or details.text("event_name")
    event = event or _act_name(details) or _act_name(record)
    if event is None:
        raise RecordError("it says nothing of what happened: no event_type, change or custom_message")
    user = record.take("author_name") or details.text("author_name")
    user = user or first_text(record.get("meta.user"), record.at("meta.user")) or _author(record)
    outcome = Outcome.FAILURE if _has_failed(event, details) else Outcome.UNKNOWN
    path = record.text("entity_path") or details.text("entity_path")
    target = _target(record, details)
    scene = GitlabScene(event, details, path, target)
    address = record.address("ip_address", "details.ip_address", "detail.ip_address")
    if address is None:
        address = Loose(
            {"ip": first_text(record.get("meta.remote_ip"), record.at("meta.remote_ip"))}
        ).address("ip")
    event_id = record.text("id")
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=record.content_key(NAME) if event_id is None else f"{NAME}:{event_id}:{occurred_us}",
        category=record.take("entity_type"),
        user=user,
        description=column_text(tell(scene, user, outcome), MAX_SENTENCE_CHARS),
        outcome=outcome,
        severity=severity_of(record.get("severity")),
        source_ip=address,
        target=target or path,
        source=NAME,
        metadata=record.rest(),
    )


def _act_name(details: Loose) -> str | None:
    """A name for an event that has none: ``change visibility``, ``add user_access``."""
    for act in _ACTS:
        value = details.get(act)
        if value is None or value == "":
            continue
        if act in ("change", "add", "remove"):
            return column_text(f"{act} {first_text(value) or ''}".strip())
        return act
    return None


def _author(record: Loose) -> str | None:
    author = record.text("author_id")
    return None if author is None else _AUTHORS.get(author, author)


def _has_failed(event: str, details: Loose) -> bool:
    is_sign_in = "failed_login" in event or event.startswith("login_failed")
    return is_sign_in or details.get("failed_login") is not None or outcome_in_name(event) is Outcome.FAILURE


def _target(record: Loose, details: Loose) -> str | None:
    """What was acted upon; an object is named by its name."""
    for place in (record, details):
        value = place.get("target_details")
        if isinstance(value, str) and value.startswith("["):
            listed = place.inner("target_details")
            names = [] if listed is None else [listed.text(str(number)) for number in range(3)]
            value = ", ".join(name for name in names if name is not None) or value
        text = first_text(value) or place.text("target_details.name", "target_details.email")
        if text is not None:
            return text
    return None


GITLAB = Format(
    NAME,
    "GitLab audit events",
    frozenset({Shape.JSON}),
    _detect,
    _map,
    marks=frozenset({"author_id", "detail", "details"}),
)
