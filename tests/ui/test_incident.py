"""The answers that ``incident`` promises, by brute force."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from audit_tui.core.event import Outcome, to_us
from tests.ui import incident
from tests.ui.review_app import NOW

EVENTS = incident.incident()


def test_there_are_three_hundred_of_the_last_day() -> None:
    assert len(EVENTS) == 300
    assert sorted(EVENTS, key=lambda event: event.occurred_us) == EVENTS
    day_us = 27 * 3_600_000_000
    assert all(to_us(NOW) - day_us <= event.occurred_us < to_us(NOW) for event in EVENTS)


def test_the_answers() -> None:
    users = Counter(event.user for event in EVENTS)
    assert users.most_common(1)[0][0] == incident.LOUDEST_USER
    makers = Counter(event.source_ip for event in EVENTS if event.event == "CreateAccessKey")
    assert makers == incident.KEY_MAKERS
    failed = Counter(event.event for event in EVENTS if event.outcome is Outcome.FAILURE)
    assert failed.most_common(1) == [(incident.MOST_FAILED, incident.MOST_FAILURES)]
    names = Counter(event.event for event in EVENTS)
    assert tuple(sorted(name for name, count in names.items() if count == 1)) == incident.ONCE


def test_the_theft() -> None:
    thefts = [event for event in EVENTS if event.source_ip == incident.THIEF_IP]
    assert len(thefts) == incident.THEFTS
    assert thefts[0].occurred_at == incident.FIRST_THEFT
    assert thefts[-1].occurred_at < incident.FIRST_THEFT + timedelta(minutes=30)
    assert {event.user for event in thefts} == {incident.THIEF}
    keys = [event.metadata["userIdentity"]["accessKeyId"] for event in EVENTS]
    assert keys.count(incident.STOLEN_KEY) == incident.STOLEN_KEY_EVENTS
    place = next(place for place, event in enumerate(EVENTS) if event.event == "StopLogging")
    around = EVENTS[place - 1].event, EVENTS[place + 1].event
    assert around == (incident.BEFORE_STOPPING, incident.AFTER_STOPPING)
