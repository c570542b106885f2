"""Names become sentences that a person would write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import Outcome
from audit_tui.formats.words.english import act_of, past_tense, words_of
from audit_tui.formats.words.names import act_sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("DeleteDBInstance", "delete DB instance"),
        ("SendSSHPublicKey", "send SSH public key"),
        ("UpdateFunctionCode20150331v2", "update function code"),
        ("GetBucketAcl", "get bucket ACL"),
        ("user.session-start", "user session start"),
        ("DELETE_USER", "DELETE USER"),
        ("", ""),
    ],
)
def test_words(name: str, words: str) -> None:
    assert " ".join(words_of(name)) == words


@pytest.mark.parametrize(
    ("verb", "past"),
    [
        ("delete", "deleted"),
        ("get", "got"),
        ("stop", "stopped"),
        ("modify", "modified"),
        ("deploy", "deployed"),
        ("run", "ran"),
        ("login", "logged in"),
        ("attach", "attached"),
        ("send", "sent"),
    ],
)
def test_the_past(verb: str, past: str) -> None:
    assert past_tense(verb) == past


@pytest.mark.parametrize(
    ("user", "event", "target", "outcome", "sentence"),
    [
        ("alice", "DeleteBucket", "logs", Outcome.SUCCESS, "alice deleted bucket logs"),
        ("alice", "delete_bucket", "logs", Outcome.FAILURE, "alice failed to delete bucket logs"),
        ("alice", "CREATE_API_KEY", None, Outcome.UNKNOWN, "alice created an API key"),
        ("alice", "user.created", "bob", Outcome.SUCCESS, "alice created user bob"),
        ("alice", "Role assigned", "admin", Outcome.UNKNOWN, "alice assigned role admin"),
        ("alice", "login", None, Outcome.SUCCESS, "alice logged in"),
        ("alice", "login", None, Outcome.FAILURE, "alice failed to log in"),
        (None, "StopLogging", None, Outcome.UNKNOWN, "someone stopped logging"),
        (None, "StopLogging", "trail", Outcome.UNKNOWN, "someone stopped logging trail"),
        (None, "pwd_leak", None, Outcome.UNKNOWN, None),
        ("alice", "pwd_leak", None, Outcome.UNKNOWN, "pwd_leak by alice"),
        ("alice", "sync job", "db", Outcome.FAILURE, "alice failed to sync job db"),
    ],
)
def test_a_sentence_from_the_other_columns(
    user: str | None, event: str, target: str | None, outcome: Outcome, sentence: str | None
) -> None:
    assert act_sentence(user, event, target, outcome) == sentence


@given(st.text(max_size=40))
def test_any_name_can_be_told(name: str) -> None:
    act_of(name)
    assert act_sentence("alice", name, None, Outcome.FAILURE)
