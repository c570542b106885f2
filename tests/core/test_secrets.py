"""Secrets: what is taken for one, what is not, and what becomes of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import AuditEvent, EventRow, Outcome
from audit_tui.core.privacy.secret_finder import Secrecy, SecretKind, find_secrets, secrecy_of
from audit_tui.core.privacy.secrets import SecretAction, SecretFilter, mask_row, mask_secrets
from tests.core.secret_shapes import HARMLESS, HARMLESS_NAMES, SECRET_NAMES, SHAPES, jwt, r
from tests.timing import is_linear

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
    assert [(text[match.start : match.end], match.kind) for match in find_secrets(text)] == [(secret, kind)]
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
    assert (secrecy_of(name) is not Secrecy.NONE) is is_secret


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
    written = repr(after)
    for secret in (AWS, GITHUB, "hunter2", VISA):
        assert secret not in written
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
    first, again, other = (SecretFilter(SecretAction.HASH, key) for key in (b"a", b"a", b"b"))
    text = f"used {AWS}"
    assert first.text(text) == again.text(f"also {AWS}").replace("also", "used")
    assert first.text(text) != other.text(text)


def test_an_original_whose_secret_only_its_field_tells_is_left_out() -> None:
    event = replace(LOGIN, metadata={"token": "abcd"}, original=b"\x01 abcd")
    assert SecretFilter(SecretAction.REDACT).event(event).original is None


@given(st.text(alphabet=st.sampled_from("AKI4012-8 =:/@.eyJpassword\n"), max_size=80))
def test_masking_ends_and_is_at_rest(text: str) -> None:
    once = mask_secrets(text)
    assert mask_secrets(once) == once


def longest_left(secret: str, text: str) -> int:
    """The length of the longest part of a secret that still stands in a text."""
    return max(
        length
        for length in range(len(secret) + 1)
        if any(secret[start : start + length] in text for start in range(len(secret) - length + 1))
    )


def is_hidden(secret: str, text: str) -> bool:
    return longest_left(secret, text) <= max(6, len(secret) // 3)


def test_nearly_all_shapes_are_found_and_hardly_anything_else() -> None:
    missed = [
        name for name, secret, around in SHAPES if not is_hidden(secret, mask_secrets(around.format(secret)))
    ]
    false = [text for text in HARMLESS if mask_secrets(text) != text]
    assert len(SHAPES) >= 126
    assert len(missed) <= len(SHAPES) * 0.05, missed
    assert len(false) <= len(HARMLESS) * 0.05, false


def test_names_are_told_by_their_words() -> None:
    assert [name for name in SECRET_NAMES if secrecy_of(name) is Secrecy.NONE] == []
    assert [name for name in HARMLESS_NAMES if secrecy_of(name) is not Secrecy.NONE] == []


@pytest.mark.parametrize("name", [name for name in SECRET_NAMES if name not in ("pin", "otp")])
@pytest.mark.parametrize("action", [SecretAction.MASK, SecretAction.REDACT, SecretAction.HASH])
def test_the_value_of_a_secret_field_is_gone_from_the_whole_event(name: str, action: SecretAction) -> None:
    secret = r(24)
    event = replace(
        LOGIN,
        event=f"Login {secret}",
        user=secret,
        target=f"x{secret}x",
        description=f"with {secret}",
        metadata={"a": [{name: secret}], name: {"old": secret}, "n": f"<{secret}>"},
        original=json.dumps({name: secret, "again": secret}).encode(),
    )
    after = SecretFilter(action, b"key").event(event)
    assert secret not in repr(after)


def test_a_secret_is_hidden_in_every_column() -> None:
    token = jwt()
    text = f"token {token}"
    event = AuditEvent(text, 0, text, text, text, text, source_ip=text, target=text, source=text)
    for action in (SecretAction.MASK, SecretAction.REDACT, SecretAction.HASH):
        assert token not in repr(SecretFilter(action, b"k").event(event))
    texts = [f"{letter} {token}" for letter in "abcdefgh"]
    row = EventRow(
        1, 0, texts[0], texts[1], texts[2], texts[3], Outcome.SUCCESS, None, texts[4], texts[5], texts[6],
        (("k", texts[7]),),
    )  # fmt: skip
    assert token not in repr(mask_row(row))


def test_keys_stay_distinct_when_only_a_secret_tells_them_apart() -> None:
    events = [replace(LOGIN, key=f"login password={r(20)}") for _ in range(2)]
    keys = {SecretFilter(SecretAction.REDACT).event(event).key for event in events}
    assert len(keys) == 2
    assert SecretFilter(SecretAction.REDACT).event(events[0]).key in keys


@pytest.mark.parametrize("action", [SecretAction.REDACT, SecretAction.MASK])
def test_no_value_is_lost_whose_name_is_a_secret(action: SecretAction) -> None:
    record = {jwt(): 1, "[JSON web token redacted]": 2, jwt(): 3, "[JSON web token redacted]'": 4}
    after = SecretFilter(action).event(replace(LOGIN, metadata=record)).metadata
    assert list(after.values()) == [1, 2, 3, 4]


def test_names_of_fields_and_numbers_are_looked_at_too() -> None:
    token = jwt()
    record = {token: 1, "pin": 4711, "otp": 482913, "password": 12345678, "count": 12345678, "port": 4711}
    after = SecretFilter(SecretAction.REDACT).event(replace(LOGIN, metadata=record)).metadata
    assert not {token, "4711 ", "482913", "12345678 "} & {str(part) for part in after}
    assert (after["count"], after["port"]) == (12345678, 4711)
    assert [after[name] for name in ("pin", "otp", "password")] == ["[password redacted]"] * 3


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a",
            "-eyJ",
            ".eyJaaaaaaaa",
            "bearer ",
            "://a:b",
            "password=",
            'password="',
            "token :",
            "4111 ",
            "-",
        ),
        *(
            "cookie: a=b",
            " --password",
            " -paaaa",
            "mysql -paaaa ",
            "curl -u a:b ",
            "$2y$",
            "xoxb-",
            "sk-",
            "a.",
        ),
        *(
            "-----BEGIN PRIVATE KEY-----",
            "=",
            ":",
            "hooks.slack.com/services/",
            'x=\\"a\\"',
            "password=$password",
        ),
    ],
)
def test_the_time_is_linear_in_the_length(piece: str) -> None:
    assert is_linear(find_secrets, piece, 20_000)
