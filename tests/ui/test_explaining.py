"""Explaining an event, what it changed, and the marked ones side by side, on a screen of 80x24."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent, to_us
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from tests.payloads import PAYLOADS
from tests.ui.review_app import NOW, Driver, account, run_review

if TYPE_CHECKING:
    from pathlib import Path

ALL_TIME = View(time_range=Preset.ALL_TIME)
NOW_US = to_us(NOW)
EDITS = [
    AuditEvent(
        "AttachRolePolicy",
        NOW_US - 3_000_000,
        user="mallory",
        target="ops",
        source="cloudtrail",
        source_ip="10.0.0.9",
        metadata={"policy": {"old": ["Read"], "new": ["Read", "Admin"]}},
    ),
    AuditEvent("DetachRolePolicy", NOW_US - 2_000_000, user="bob", target="other", source="cloudtrail"),
    AuditEvent(
        "DetachRolePolicy",
        NOW_US - 1_000_000,
        user="alice",
        target="ops",
        source="cloudtrail",
        source_ip="10.0.0.9",
    ),
]


def test_an_event_is_explained_with_what_is_missing_and_what_belongs_to_it() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("K")
        text = driver.text()
        for words in ("A user logged in to the account.", "Why it matters", "Look at next"):
            assert words in text
        assert "Email ID, User ID" in text, "what is expected and not recorded"
        await driver.press("enter")
        assert "Related to Login: u goes back." in driver.text()
        assert driver.review.event_list.count.value == 5, "the logins of a day on the same target"
        await driver.press("u")
        assert driver.review.event_list.count.value == 1000

    run_review(script, view=ALL_TIME)


def test_related_events_are_of_the_same_user_or_target() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("K")
        assert "A managed policy was detached from a role." in driver.text()
        await driver.press("enter")
        assert driver.review.event_list.count.value == 2

    run_review(script, EDITS, view=ALL_TIME)


def test_an_event_that_is_not_usual_says_so() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("K")
        assert "No explanation ships for this event of [/x]." in driver.text()

    run_review(script, [AuditEvent("Frob [/x]", NOW_US, source="[/x]")], view=ALL_TIME)


def test_what_changed_is_shown_before_and_after() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("G", "d")
        text = driver.text()
        assert "policy" in text
        assert "+ Admin" in text
        assert "- Read" not in text
        assert "There is none." in text

    run_review(script, EDITS, view=ALL_TIME)


def test_what_changed_since_the_event_before_on_the_same_target() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("d")
        text = driver.text()
        assert "It does not say what it changed." in text
        assert "AttachRolePolicy by mallory" in text
        for words in ("- mallory", "+ alice", "- AttachRolePolicy", "+ DetachRolePolicy"):
            assert words in text

    run_review(script, EDITS, view=ALL_TIME)


def test_marked_events_stand_side_by_side(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        assert not driver.review.compare_marked()
        await driver.press("v", "G", "m")
        await driver.press("D")
        lines = driver.lines()
        user = next(line for line in lines if "User" in line and "mallory" in line)
        assert user.index("mallory") < user.index("bob") < user.index("alice")
        assert any("Source IP" in line and "10.0.0.9" in line and " - " in line for line in lines)

    run_review(script, EDITS, view=ALL_TIME, folder=tmp_path)


def test_five_marked_events_are_too_many(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("v", "j", "j", "j", "j", "m")
        assert not driver.review.compare_marked()

    run_review(script, view=ALL_TIME, folder=tmp_path)


@pytest.mark.parametrize("payload", [*PAYLOADS[:12], "[bold]x[/bold]", "[/nope]", "[@click=app.quit]x"])
def test_hostile_events_are_shown_as_text(payload: str, tmp_path: Path) -> None:
    event = AuditEvent(
        payload,
        NOW_US,
        user=payload,
        target=payload,
        source=payload,
        metadata={payload: {"old": 1, "new": payload}},
    )
    events = [event, replace(event, occurred_us=NOW_US - 1, user=f"{payload}2"), *account(3)]

    async def script(driver: Driver) -> None:
        for key in ("K", "d"):
            await driver.press(key)
            assert driver.app.screen is not driver.review
            assert "\x1b" not in driver.text()
            await driver.press("escape")
        await driver.press("v", "j", "m")
        assert driver.review.compare_marked()
        await driver.settle()
        assert "\x1b" not in driver.text()

    run_review(script, events, view=ALL_TIME, folder=tmp_path)
