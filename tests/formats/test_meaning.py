"""The meanings of usual events: all can be read, and the right one is given."""

from __future__ import annotations

import pytest

from audit_tui.core.event import AuditEvent, to_us
from audit_tui.core.filter.matching import matcher
from audit_tui.core.investigate.meaning import related_view
from audit_tui.core.recording import catalogue
from audit_tui.formats.meaning import _meanings, meaning_of, sources
from tests.ui.review_app import NOW

LEAST = {
    "cloudtrail": 150,
    "kubernetes": 150,
    "m365": 150,
    "entra": 130,
    "okta": 150,
    "github": 150,
    "auditd": 145,
}


@pytest.mark.parametrize("source", LEAST)
def test_the_usual_events_of_a_format_are_explained(source: str) -> None:
    meanings = _meanings(source)
    assert len({name for name, _ in meanings}) == len(meanings) >= LEAST[source]
    for name, meaning in meanings:
        for words in (meaning.words, meaning.why, meaning.look_next):
            assert words.endswith((".", "?")), (name, words)
            assert words.isascii() and 10 < len(words) < 220, (name, words)
        assert name in meaning.related
    assert source in sources()


def test_every_event_of_the_catalogue_is_explained() -> None:
    for entry in catalogue():
        meaning = meaning_of(entry.event, "demo")
        assert meaning is not None, entry.event
        assert meaning.words == entry.meaning


@pytest.mark.parametrize(
    ("event", "source", "words"),
    [
        ("CreateAccessKey", "cloudtrail", "A long-lived access key was made"),
        ("create pods/exec", "kubernetes", "A command was run inside a container."),
        ("list secrets", "kubernetes", "Secrets were listed, with their values."),
        ("list widgets.example.com", "kubernetes", "Resources of a kind were listed."),
        (
            "create clusterrolebindings.rbac.authorization.k8s.io",
            "kubernetes",
            "An identity got rights in the",
        ),
        ("CreateAccessKey", "my-own-import", "A long-lived access key was made"),
        ("Login", None, "A user logged in to the account."),
    ],
)
def test_the_meaning_of_an_event(event: str, source: str | None, words: str) -> None:
    meaning = meaning_of(event, source)
    assert meaning is not None
    assert meaning.words.startswith(words)


def test_what_is_not_usual_has_no_meaning() -> None:
    assert meaning_of("Frobnicated", "cloudtrail") is None
    assert meaning_of("Frobnicated", None) is None
    assert meaning_of("CreateAccessKey", "github") is None


def test_related_events_are_of_the_kind_and_of_the_user_or_target() -> None:
    event = AuditEvent("CreateAccessKey", to_us(NOW), user="mallory", target="AKIA1", source="cloudtrail")
    takes = matcher(related_view(event, meaning_of(event.event, event.source)).in_force)
    assert takes(AuditEvent("DeleteAccessKey", 0, user="mallory"))
    assert takes(AuditEvent("UpdateAccessKey", 0, user="bob", target="AKIA1"))
    assert not takes(AuditEvent("DeleteAccessKey", 0, user="bob", target="AKIA2"))
    assert not takes(AuditEvent("RunInstances", 0, user="mallory"))
