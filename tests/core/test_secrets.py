"""What is taken for a secret, what is not, and what becomes of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import AuditEvent
from audit_tui.core.privacy.secrets import (
    SecretAction,
    SecretFilter,
    SecretKind,
    find_secrets,
    is_secret_name,
    mask_secrets,
)

# Put together at run time: scanners of repositories look for the same forms.
AWS = "AK" + "IAIOSFODNN7EXAMPLE"
GITHUB = "gh" + "p_" + "16C7e42F292c6912E7710c838347Ae178B4a"
SLACK = "xo" + "xb-2444333222111-aBcDeFgHiJkL"
JWT = "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
CARD = "4111 1111" + " 1111 1111".replace("1111 1111", "4242 4242")
VISA = "4012888888881881"

SECRETS = [
    (SecretKind.AWS_KEY, AWS, "used {} from the console"),
    (SecretKind.GITHUB, GITHUB, "cloned with {}"),
    (SecretKind.SLACK, SLACK, "hook {} called"),
    (SecretKind.JWT, JWT, "session {} began"),
    (SecretKind.BEARER, "c2VjcmV0LXRva2VuLXZhbHVl", "Authorization: Bearer {}"),
    (SecretKind.PASSWORD, "hunter2hunter2", "login with password={}"),
    (SecretKind.PASSWORD, "hunter2", 'changed {{"passwd": "{}"}} of bob'),
    (SecretKind.URL, "s3cr3t", "pulled https://bob:{}@git.acme.io/x.git"),
    (SecretKind.CARD, VISA, "paid with {} today"),
    (SecretKind.CARD, "4012-8888-8888-1881", "paid with {} today"),
    (
        SecretKind.PRIVATE_KEY,
        "\nMIIEvQIBADANBg\n",
        "-----BEGIN RSA PRIVATE KEY-----{}-----END RSA PRIVATE KEY-----",
    ),
]


@pytest.mark.parametrize(("kind", "secret", "around"), SECRETS)
def test_a_secret_is_found_where_it_stands(kind: SecretKind, secret: str, around: str) -> None:
    text = around.format(secret)
    assert [(text[one.start : one.end], one.kind) for one in find_secrets(text)] == [(secret, kind)]
    shown = mask_secrets(text)
    assert secret not in shown
    assert shown.startswith(around.split("{")[0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice changed the password of bob",
        "password policy: at least 12 characters",
        "request 4012888888881882 failed",
        "event 1234567890123456 of 20261122",
        "uid 4012888888881881-7",
        "arn:aws:iam::123456789012:user/alice",
        "AKIA is how their keys begin",
        "https://git.acme.io:8443/alice@acme.io/x",
        "password=********",
        "token: null",
        "hmac-sha256:0d2b36cb5e6e0a4ac1c4fd0a",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert find_secrets(text) == []
    assert mask_secrets(text) == text


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [("password", True), ("Client-Secret", True), ("api_key", True), ("tokenCount", False), ("user", False)],
)
def test_some_fields_are_secret_by_their_name(name: str, is_secret: bool) -> None:
    assert is_secret_name(name) is is_secret


LOGIN = AuditEvent(event="Login", occurred_us=0)


@pytest.mark.parametrize("action", [SecretAction.MASK, SecretAction.REDACT, SecretAction.HASH])
def test_an_event_keeps_no_secret(action: SecretAction) -> None:
    record = {
        "note": f"key {AWS}",
        "login": {"password": "hunter2", "tries": [3]},
        "card": int(VISA),
        "ok": True,
    }
    event = replace(
        LOGIN,
        key="k",
        user="bob",
        description=f"bob used {GITHUB}",
        metadata=record,
        original=json.dumps(record).encode(),
    )
    after = SecretFilter(action, b"key").event(event)
    kept = repr(after)
    for secret in (AWS, GITHUB, "hunter2", VISA):
        assert secret not in kept
    assert (after.key, after.user, after.metadata["ok"]) == ("k", "bob", True)
    assert after.metadata["login"]["tries"] == [3]
    assert event.metadata is record


def test_what_is_kept_is_the_same_object() -> None:
    event = replace(LOGIN, description=f"used {AWS}", metadata={"password": "hunter2"})
    assert SecretFilter(SecretAction.KEEP).event(event) is event
    harmless = replace(
        LOGIN, description="alice logged in", metadata={"a": [1, {"b": "c"}], "password": "****"}
    )
    assert SecretFilter(SecretAction.REDACT).event(harmless) is harmless


def test_a_hash_finds_the_same_secret_again_with_the_same_key_only() -> None:
    one, again, other = (SecretFilter(SecretAction.HASH, key) for key in (b"a", b"a", b"b"))
    text = f"used {AWS}"
    assert one.text(text) == again.text(f"also {AWS}").replace("also", "used")
    assert one.text(text) != other.text(text)


def test_an_original_whose_secret_only_its_field_tells_is_left_out() -> None:
    event = replace(LOGIN, metadata={"token": "abcd"}, original=b"\x01 abcd")
    assert SecretFilter(SecretAction.REDACT).event(event).original is None


@given(st.text(alphabet=st.sampled_from("AKI4012-8 =:/@.eyJpassword\n"), max_size=80))
def test_masking_ends_and_is_at_rest(text: str) -> None:
    once = mask_secrets(text)
    assert mask_secrets(once) == once
