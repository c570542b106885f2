"""Names of events and what they tell, and logs of vendors that the usual names understand."""

from __future__ import annotations

from typing import Any

import pytest

from audit_tui.core.event import Outcome
from audit_tui.formats.generic import GenericMapper
from audit_tui.formats.record import Shape
from audit_tui.formats.registry import Formats
from audit_tui.formats.words.names import family_in_name, object_in_name, outcome_in_name

S, F, U = Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("name", "outcome", "family"),
    [
        ("login.failed", F, "login"),
        ("login.succeeded", S, "login"),
        ("LOGIN_FAILURE", F, None),
        ("Access denied", F, None),
        ("api_key.created", U, "api_key"),
        ("role.assignment.created", U, "role"),
        ("failed", F, None),
        ("DeleteBucket", U, None),
        ("192.0.2.1", U, None),
        ("", U, None),
    ],
)
def test_how_it_ended_and_of_what_kind(name: str, outcome: Outcome, family: str | None) -> None:
    assert (outcome_in_name(name), family_in_name(name)) == (outcome, family)


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({"api_key.created": {"id": "key_1"}}, "key_1"),
        ({"api_key_created": {"id": 7, "name": "ci"}}, "ci"),
        ({"api_key": {"id": "key_1"}}, "key_1"),
        ({"api_key": "key_1"}, None),
        ({}, None),
    ],
)
def test_the_object_of_the_same_name(fields: dict[str, Any], target: str | None) -> None:
    assert object_in_name(fields, "api_key.created") == target


OPENAI = {
    "id": "audit_log-1",
    "type": "login.failed",
    "effective_at": 1_793_541_600,
    "actor": {
        "type": "session",
        "session": {"user": {"email": "bob@example.com"}, "ip_address": "192.0.2.1"},
    },
}
OPENAI_KEY = {
    "id": "audit_log-2",
    "type": "project.updated",
    "effective_at": 1_793_541_600,
    "project.updated": {"id": "proj_1"},
    "actor": {"type": "api_key", "api_key": {"id": "key_1", "type": "service_account"}},
}
ANTHROPIC = {
    "id": "e-1",
    "created_at": "2026-11-01T14:00:00Z",
    "type": "claude_project_created",
    "actor": {"type": "user_actor", "email_address": "bob@example.com", "ip_address": "192.0.2.1"},
}
SNOWFLAKE = {
    "EVENT_ID": "1",
    "EVENT_TIMESTAMP": "2026-11-01 07:00:00.000 -0700",
    "EVENT_TYPE": "LOGIN",
    "USER_NAME": "BOB",
    "CLIENT_IP": "192.0.2.1",
    "IS_SUCCESS": "NO",
    "ERROR_MESSAGE": "INCORRECT_USERNAME_PASSWORD",
}
PANTHER = {
    "actionName": "CREATE_USER_ROLE",
    "actionResult": "SUCCEEDED",
    "actor": {"attributes": {"email": "bob@example.com"}, "name": "Bob", "type": "USER"},
    "sourceIP": "192.0.2.1",
    "timestamp": "2026-11-01 14:00:00.00",
}


@pytest.mark.parametrize(
    ("fields", "event", "user", "outcome", "sentence"),
    [
        (OPENAI, "login.failed", "bob@example.com", F, "bob@example.com failed to log in"),
        (OPENAI_KEY, "project.updated", "key_1", U, "key_1 updated project proj_1"),
        (
            ANTHROPIC,
            "claude_project_created",
            "bob@example.com",
            U,
            "bob@example.com created a claude project",
        ),
        (SNOWFLAKE, "LOGIN", "BOB", F, "BOB failed to log in"),
        (PANTHER, "CREATE_USER_ROLE", "bob@example.com", S, "bob@example.com created a user role"),
    ],
)
def test_vendors_without_a_format_of_their_own(
    fields: dict[str, Any], event: str, user: str, outcome: Outcome, sentence: str
) -> None:
    assert Formats().recognised(fields, Shape.JSON) is None
    mapped = GenericMapper("jsonl")(fields)
    assert (mapped.event, mapped.user, mapped.outcome, mapped.description) == (event, user, outcome, sentence)
    assert mapped.occurred_us == 1_793_541_600_000_000
    assert mapped.source_ip == (None if fields is OPENAI_KEY else "192.0.2.1")
