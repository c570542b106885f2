"""Sentences from patterns and from names with dots."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_tui.core.event import Outcome
from audit_tui.formats.words.english import plain_reason
from audit_tui.formats.words.names import named_act
from audit_tui.formats.words.patterns import fill, narrate, sign_in

BOB = {"user": "bob", "team": "ops", "none": None, "empty": ""}


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("[member {user}][ to {team}]", "member bob to ops"),
        ("[member {user}][ to {none}]", "member bob"),
        ("[member {none}][ to {team}]", "to ops"),
        ("a[ {empty}][ {absent}] b", "a b"),
        ("plain", "plain"),
    ],
)
def test_a_part_without_its_name_falls_away(pattern: str, text: str) -> None:
    assert fill(pattern, BOB) == text


@settings(max_examples=30)
@given(st.text(max_size=20))
def test_names_are_put_in_as_they_are(name: str) -> None:
    shown = " ".join(name.split())
    assert fill("[to {name}]", {"name": name}) == (f"to {shown}" if shown else "")


@pytest.mark.parametrize(
    ("pattern", "outcome", "is_denied", "sentence"),
    [
        ("add[ {user}][ to {team}]", Outcome.UNKNOWN, False, "eve added bob to ops"),
        ("add[ {user}]", Outcome.FAILURE, False, "eve failed to add bob"),
        ("add[ {user}]", Outcome.FAILURE, True, "eve was not allowed to add bob"),
        ("be locked out", Outcome.SUCCESS, False, "eve was locked out"),
        ("push[ to {none}]", Outcome.SUCCESS, False, "eve pushed"),
        ("begin to delete[ {user}]", Outcome.UNKNOWN, False, "eve began to delete bob"),
    ],
)
def test_the_verb_follows_the_outcome(pattern: str, outcome: Outcome, is_denied: bool, sentence: str) -> None:
    assert narrate("eve", pattern, BOB, outcome, is_denied=is_denied) == sentence


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (Outcome.SUCCESS, "bob signed in to Mail from 192.0.2.1"),
        (Outcome.FAILURE, "bob failed to sign in to Mail from 192.0.2.1"),
        (Outcome.UNKNOWN, "bob tried to sign in to Mail from 192.0.2.1"),
    ],
)
def test_signing_in_is_never_guessed(outcome: Outcome, sentence: str) -> None:
    assert sign_in("bob", "Mail", "192.0.2.1", outcome) == sentence


@pytest.mark.parametrize(
    ("name", "past", "noun", "holder"),
    [
        ("repo.create", "created", "repo", ""),
        ("hooks.destroy", "destroyed", "hook", ""),
        ("dependabot_alerts.disable", "disabled", "dependabot alerts", ""),
        ("repo.add_member", "added", "member", "repo"),
        ("org.saml_disabled", "disabled", "SAML", "org"),
        ("user.created", "created", "user", ""),
        ("v1.compute.firewalls.insert", "inserted", "firewall", ""),
        ("google.iam.admin.v1.CreateServiceAccountKey", "created", "service account key", ""),
        ("CREATE_USER", "created", "user", ""),
        ("FileDownloaded", "downloaded", "file", ""),
        ("merge_request_merged", "merged", "merge request", ""),
        ("ListViewed", "viewed", "list", ""),
        ("LoginService.loginFailure", "logged in", "", ""),
        ("deploy_token_creation_failed", "created", "deploy token", ""),
        ("org.disable_oauth_app_restrictions", "disabled", "OAuth app restrictions", "org"),
        ("user_login", "logged in", "", ""),
        ("session.sign_in", "signed in", "", ""),
        ("user.mfa.factor.reset_all", "reset", "all factor", ""),
    ],
)
def test_an_act_in_a_dotted_name(name: str, past: str, noun: str, holder: str) -> None:
    naming = named_act(name)
    assert naming is not None
    assert (naming.act.past, " ".join(naming.act.noun), " ".join(naming.holder)) == (past, noun, holder)


@pytest.mark.parametrize("name", ["", ".", "x.", "git", "policy_of_nothing", "2sv"])
def test_no_act_in_other_names(name: str) -> None:
    assert named_act(name) is None


@pytest.mark.parametrize(
    ("reason", "plain"),
    [
        ("INVALID_CREDENTIALS", "invalid credentials"),
        ("InvalidUserNameOrPassword", "invalid user name or password"),
        ("Wrong password.", "Wrong password."),
        ("DENIED", "DENIED"),
        (None, None),
    ],
)
def test_codes_are_said_in_words(reason: str | None, plain: str | None) -> None:
    assert plain_reason(reason) == plain
