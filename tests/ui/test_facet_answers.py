"""Answers that the facets give, and in how many keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.event import to_us
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.demo import INTRUDER_USER, DemoValues, demo_events
from audit_tui.demo.incident import INTRUDER_IP
from tests.ui import incident
from tests.ui.review_app import NOW, Driver, run_review

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent

ALL_TIME = View(time_range=Preset.ALL_TIME)


class Keys:
    """Presses keys and counts them."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.pressed = 0

    async def press(self, *keys: str) -> None:
        self.pressed += len(keys)
        await self._driver.press(*keys)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_events_that_occur_once_take_five_keys_at_most(size: tuple[int, int]) -> None:
    async def script(driver: Driver) -> None:
        keys = Keys(driver)
        await keys.press("S", "r")
        facets = driver.review.facets
        assert facets is not None
        section = next(section for section in facets.sections if section.field is Column.EVENT)
        assert section.facet is not None
        once = sorted(value.value or "" for value in section.facet.values if value.events == 1)
        assert once == sorted(incident.ONCE)
        assert all(name in driver.text() for name in once)
        assert facets.chosen == (Column.EVENT, incident.ONCE[0])
        await keys.press("enter")
        assert driver.review.event_list.count.value == 1
        assert keys.pressed <= 5

    run_review(script, incident.incident(), view=ALL_TIME, size=size)


def test_all_without_the_loudest_user_take_three_keys() -> None:
    events = incident.incident()

    async def script(driver: Driver) -> None:
        keys = Keys(driver)
        await keys.press("S", "l", "exclamation_mark")
        others = sum(event.user != incident.LOUDEST_USER for event in events)
        assert driver.review.event_list.count.value == others
        assert keys.pressed <= 3

    run_review(script, events, view=ALL_TIME)


def test_the_incident_of_the_demo_takes_twelve_keys_at_most() -> None:
    events = opened_demo()
    stolen = [event for event in events if event.source_ip == INTRUDER_IP]

    async def script(driver: Driver) -> None:
        keys = Keys(driver)
        await keys.press("S", "r", "l")
        facets = driver.review.facets
        assert facets is not None
        while facets.chosen != (Column.USER, INTRUDER_USER):
            await keys.press("j")
        await keys.press("enter")
        assert driver.review.event_list.count.value == sum(event.user == INTRUDER_USER for event in events)
        await keys.press("x", "p", "right", "i")
        assert driver.review.event_list.count.value == len(stolen)
        assert keys.pressed <= 12

    run_review(script, events, size=(80, 24))


@lru_cache(maxsize=1)
def opened_demo() -> list[AuditEvent]:
    """The events that the demo shows when it is opened: its last 30 days."""
    values = DemoValues(datetime(2026, 11, 22, 15, 0, tzinfo=NOW.tzinfo))
    begin_us = to_us(NOW - timedelta(days=30))
    return [event for event in demo_events(values) if event.occurred_us >= begin_us]
