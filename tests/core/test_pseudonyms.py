"""Pseudonyms: the same everywhere, back to the name, and no name left in an event."""

from __future__ import annotations

import json

import pytest

from audit_tui.core.event import AuditEvent, EventRow, Outcome
from audit_tui.core.privacy.pseudonyms import Pseudonyms

KEY = bytes(range(32))
NAMES = Pseudonyms(KEY, ["bob", "carol@acme.io", "x.y"])


def test_a_name_has_one_pseudonym_and_another_with_another_key() -> None:
    alice = NAMES.user("alice")
    assert alice == Pseudonyms(KEY).user("alice") != Pseudonyms(KEY[::-1]).user("alice")
    assert alice is not None
    assert alice.startswith("user-")
    assert NAMES.originals(alice) == ("alice",)
    assert NAMES.user("bob") != alice


@pytest.mark.parametrize("nobody", [None, "root", "SYSTEM", "-"])
def test_nobody_keeps_the_name(nobody: str | None) -> None:
    assert NAMES.user(nobody) == nobody


@pytest.mark.parametrize(
    ("text", "hidden", "rest"),
    [
        ("alice assigned role admin to bob.", ["bob"], "assigned role admin to"),
        ("mail to dave+x@sub.acme.io: sent", ["dave", "acme"], "mail to"),
        ("carol@acme.io, bob", ["carol", "bob"], ","),
        ("from 10.20.4.7:8443 and fe80::1ff:fe23:4567:890a", ["10.20", "fe80"], "from"),
        ("bobsled at 12:30:45 of v1.2.3", [], "bobsled at 12:30:45 of v1.2.3"),
        ("x.y (x.y)", ["x.y"], "("),
    ],
)
def test_a_text_loses_names_and_keeps_the_rest(text: str, hidden: list[str], rest: str) -> None:
    shown = NAMES.text(text)
    assert shown is not None
    assert rest in shown
    assert not [name for name in hidden if name in shown]


@pytest.mark.parametrize(
    "address",
    [
        "2001:0db8:0000:0000:0000:ff00:0042:8329",
        "2001:DB8:0:0:0:FF00:42:8329",
        "2001:db8::ff00:42:8329",
        "2001:db8::ff00:0.66.131.41",
    ],
)
@pytest.mark.parametrize("text", ["from {} at noon", "[{}]:443", '{{"peer": "{}"}}', "{}", "src={},dst=::1"])
def test_an_address_is_hidden_in_each_of_its_forms_under_one_pseudonym(address: str, text: str) -> None:
    pseudonym = NAMES.address("2001:db8::ff00:42:8329")
    shown = NAMES.text(text.format(address))
    assert shown is not None
    assert pseudonym is not None
    assert pseudonym in shown
    assert address not in shown
    assert ":0042" not in shown
    assert "ff00" not in shown.lower()


def test_a_row_and_an_event_tell_nobody() -> None:
    words = "mallory (mallory@acme.io) logged in"
    row = EventRow(
        7, 0, "Login", "Login/Logout", "mallory", words, Outcome.SUCCESS, 1, "web-1", "web-1", "on web-1",
        (("who", "mallory"),),
    )  # fmt: skip
    shown = NAMES.row(row)
    assert shown.source_ip == shown.target == NAMES.address("web-1")
    assert not [name for name in ("mallory", "web-1") if name in str(shown)]
    assert shown.user == NAMES.user("mallory")
    assert shown.description is not None
    assert "mallory" not in shown.description
    event = AuditEvent(
        event="Login",
        occurred_us=0,
        user="mallory",
        source_ip="10.0.0.9",
        target="bob",
        description="mallory logged in from 10.0.0.9",
        metadata={"peer": ["10.0.0.9", {"who": "mallory", "n": 3}], "host": "web-1"},
        original=b"mallory",
    )
    after = NAMES.event(event)
    told = json.dumps(after.to_json())
    assert not [name for name in ("mallory", "10.0.0.9", "bob") if name in told]
    assert after.original is None
    assert after.metadata["host"] == "web-1"
    assert after.metadata["peer"][0] == after.source_ip == NAMES.address("10.0.0.9")
    assert after.user == shown.user
