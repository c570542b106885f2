"""News: the comparison whose lines open their events, badges, and what is still open."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, to_us
from audit_tui.core.investigate import compare as comparing
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.ui.screens.pick_dialog import PickDialog
from audit_tui.ui.screens.review.comparing import told_duration
from tests.ui.fake_reader import FakeReader
from tests.ui.review_app import NOW, Driver, run_review

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def at(hours_ago: float, event: str, user: str, address: str = "10.0.0.1", target: str = "a") -> AuditEvent:
    occurred_us = to_us(NOW - timedelta(hours=hours_ago))
    return AuditEvent(event, occurred_us, user=user, source_ip=address, target=target)


EVENTS = [
    *(at(24 * 30 - n, "Login", "alice") for n in range(20)),
    *(at(24.05 + n / 10, "Login", "alice") for n in range(10)),
    *(at(24.05 + n / 10, "Backup", "bob") for n in range(3)),
    *(at(1 + n / 10, "Login", "alice") for n in range(9)),
    at(0.5, "Login", "mallory", "203.0.113.9"),
    at(0.4, "Model deployed", "mallory", "203.0.113.9", "llama"),
]
TODAY = View(time_range=Preset.TODAY)


def test_every_line_of_a_comparison_opens_its_events() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("percent_sign")
        dialog = driver.app.screen
        assert isinstance(dialog, PickDialog)
        text = dialog.text
        assert "NEW  Model deployed" in text
        assert "GONE  Backup" in text
        assert "3 before" in text
        assert "203.0.113.9" in text
        assert "mallory" in text
        assert "alice" not in text, "what differs by chance is left out"
        await driver.press("enter")
        assert driver.review.event_list.count.value == 1
        assert driver.review.view.time_range == TODAY.time_range, "the range that was compared stays"
        await driver.press("u", "percent_sign", "j", "enter")
        assert driver.review.event_list.count.value == 3, "what is gone is shown where it was"
        row = driver.review.table.highlighted
        assert row is not None
        assert row.event == "Backup"

    run_review(script, EVENTS, view=TODAY)


def test_what_has_to_be_read_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "MOST_EVENTS", 2)

    async def script(driver: Driver) -> None:
        await driver.press("percent_sign")
        dialog = driver.app.screen
        assert isinstance(dialog, PickDialog)
        await driver.until(lambda: "NEW  llama" in dialog.text)
        assert "203.0.113.9" in dialog.text

    run_review(script, EVENTS, view=TODAY)


def test_a_key_compares_with_last_week() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("percent_sign", "w")
        assert "11 events against 0 in the same hours of last week" in driver.text()
        await driver.press("w")
        assert "11 events against 13 in the range before" in driver.text()

    run_review(script, EVENTS, view=TODAY)


def test_badges_leave_the_date_to_be_read_where_it_stands_last() -> None:
    async def script(driver: Driver) -> None:
        await driver.until(lambda: " NEW" in driver.text())
        await driver.pilot.resize_terminal(30, 12)
        await driver.settle()
        rows = [line for line in driver.lines() if line.lstrip().startswith(("Model", "Login"))]
        assert rows
        assert all(re.search(r"\d\d:\d\d:\d\d", row) for row in rows)

    run_review(script, EVENTS, view=TODAY, shows_firsts=True)


def test_without_a_beginning_there_is_nothing_to_compare_with() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("percent_sign")
        assert "nothing before All Time" in driver.text()

    run_review(script, EVENTS, view=View(time_range=Preset.ALL_TIME))


def test_badges_show_what_is_new_in_the_list_and_the_pane() -> None:
    async def script(driver: Driver) -> None:
        await driver.until(lambda: " NEW" in driver.text())
        assert "NEW USER" not in driver.text(), "a short word leaves the description room"
        await driver.pilot.resize_terminal(120, 24)
        await driver.settle()
        assert "NEW EVENT" in driver.text()
        lines = driver.lines()
        assert any("mallory" in line and line.rstrip().endswith("NEW USER") for line in lines)
        assert not any("alice" in line and "NEW" in line for line in lines)
        await driver.pilot.resize_terminal(80, 24)
        await driver.settle()
        await driver.press("j", "enter")
        text = driver.text()
        assert "NEW USER: No earlier event is by mallory." in text
        assert "NEW IP: No earlier event comes from 203.0.113.9." in text

    run_review(script, EVENTS, view=TODAY, shows_firsts=True)


def test_a_badge_goes_when_an_older_event_comes_late() -> None:
    reader = FakeReader(EVENTS)

    async def script(driver: Driver) -> None:
        await driver.until(lambda: "NEW USER" in driver.text())
        reader.append(at(24 * 20, "Login", "mallory", "203.0.113.9"))
        # As when events are followed, or logs were read to their end.
        driver.review._show_newest()
        await driver.until(lambda: "NEW USER" not in driver.text())
        assert "NEW EVENT" in driver.text()

    run_review(script, size=(120, 24), view=TODAY, shows_firsts=True, open_reader=lambda: reader)


def test_what_is_still_open_is_listed_with_how_long() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("number_sign")
        assert "24 min  Model deployed: llama  deployed, by mallory" in driver.text()
        await driver.press("G", "enter")
        assert driver.review.event_list.count.value >= 1
        await driver.press("u")
        assert driver.review.event_list.count.value == 11

    run_review(script, EVENTS, view=TODAY)


def test_where_nothing_is_open_it_says_so() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("number_sign")
        assert "Nothing is open in Today; 1 pair ended." in driver.text()

    events = [at(2, "Model deployed", "a"), at(1, "Model undeployed", "b")]
    run_review(script, events, view=TODAY)


def test_the_view_of_new_addresses(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("7")
        assert driver.review.event_list.count.value == 2
        await driver.press("u")
        assert driver.review.event_list.count.value == 11

    async def none(driver: Driver) -> None:
        await driver.press("7")
        assert "New addresses: there is none" in driver.text()

    run_review(script, EVENTS, view=TODAY, folder=tmp_path)
    run_review(none, [replace(event, source_ip="10.0.0.1") for event in EVENTS], view=TODAY, folder=tmp_path)


def test_a_duration_in_two_units() -> None:
    for seconds, words in ((0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3600, "1 h"), (90061, "1 d 1 h")):
        assert told_duration(seconds * 1_000_000) == words
