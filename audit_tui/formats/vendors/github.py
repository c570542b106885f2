"""GitHub organization and enterprise audit logs: API and streaming exports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.loose import Loose, of_warehouse
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text
from audit_tui.formats.words.github_words import GithubNames, tell

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "github"
_FAILED = ("failed", "rejected", "denied")
_ACTION = re.compile(r"\w+(\.\w+)*\Z", re.ASCII)
_MARKS = frozenset({"_document_id", "programmatic_access_type", "actor_location", "operation_type"})
_IDS = frozenset({"org", "org_id", "actor_id", "business"})
_PLACES = frozenset({"org", "repo", "business", "repository", "user", "team"})
_DEPLOY_KEY = "deploy_key"


def _detect(fields: Fields) -> bool:
    action = fields.get("action")
    if not isinstance(action, str) or _ACTION.match(action) is None:
        return False
    if of_warehouse(fields, "GitHub."):
        return True
    if not isinstance(fields.get("actor"), str | None) or _PLACES.isdisjoint(fields):
        return False
    if "." in action and (not _MARKS.isdisjoint(fields) or fields.keys() >= _IDS):
        return True
    times = (fields.get("@timestamp"), fields.get("created_at"))
    return any(isinstance(time, int) and time > 10**11 for time in times) or "at_sign_timestamp" in fields


def _map(fields: Fields) -> AuditEvent:
    record = Loose(fields)
    event = record.take("action")
    if event is None:
        raise RecordError("it has no action")
    occurred_us = record.time("created_at", "@timestamp", "at_sign_timestamp", "p_event_time")
    user = record.take("actor", "actor_id")
    if user is None and (record.get("deploy_key_id") or record.get(_DEPLOY_KEY)):
        user = _DEPLOY_KEY
    user = user or record.text("programmatic_access_type")
    names = GithubNames(
        user=record.text("user"),
        team=record.text("team", "data.team"),
        repo=record.text("repo", "repository", "repo.full_name"),
        org=record.text("org", "org.login", "business"),
        thing=record.text("name", "ruleset_name", "hook_name", "title", "branch", "key", "environment_name"),
    )
    last = event.rpartition(".")[2]
    outcome = Outcome.FAILURE if any(word in last for word in _FAILED) else Outcome.UNKNOWN
    is_denied = outcome is Outcome.FAILURE and "denied" in last
    told = tell(event, user, names)
    key = record.take("_document_id")
    address = record.address("actor_ip")
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=record.content_key(NAME) if key is None else f"{NAME}:{key}",
        category=event.partition(".")[0],
        user=user,
        description=column_text(told.sentence, MAX_SENTENCE_CHARS),
        outcome=outcome,
        source_ip=address,
        target=column_text(told.target),
        source=NAME,
        metadata=record.rest(is_denied=is_denied),
    )


GITHUB = Format(NAME, "GitHub audit log", frozenset({Shape.JSON}), _detect, _map, marks=frozenset({"action"}))
