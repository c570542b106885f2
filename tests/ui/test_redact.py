"""Redact mode on the screen: no name is left, and the names come back."""

from __future__ import annotations

from audit_tui.core.columns import Column
from audit_tui.core.filters import Condition
from audit_tui.core.operators import IS
from audit_tui.core.privacy.redact_mode import RedactMode
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from tests.ui.review_app import Driver, run_review

NAMES = ("acme.io", "10.20.4.7")


def holds_a_name(driver: Driver) -> bool:
    return any(name in driver.text() for name in NAMES)


def test_one_key_replaces_all_names_and_brings_them_back() -> None:
    async def script(driver: Driver) -> None:
        before = driver.text()
        assert holds_a_name(driver)
        await driver.press("ctrl+r", "enter")
        assert not holds_a_name(driver)
        assert "redacted" in driver.lines()[0]
        assert "user-" in driver.text()
        await driver.press("escape", "ctrl+r")
        assert driver.text() == before

    run_review(script, redact=RedactMode(lambda: bytes(32)))


def test_a_filter_says_a_pseudonym_and_finds_the_same_events() -> None:
    async def script(driver: Driver) -> None:
        count = driver.review.event_list.count.value
        assert count
        await driver.press("ctrl+r")
        assert driver.review.event_list.count.value == count
        assert not holds_a_name(driver)
        await driver.press("f")
        assert not holds_a_name(driver)
        await driver.press("escape", "ctrl+r")
        assert "user3@acme.io" in driver.text()

    bob = Condition(Column.USER, IS, "user3@acme.io")
    run_review(script, view=View(bob, Preset.ALL_TIME), redact=RedactMode(lambda: bytes(32)))
