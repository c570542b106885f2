"""Redact mode on the screen: no name is left, and the names come back."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent, to_us
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.privacy.redact_mode import RedactMode
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.ui.terminal.clipboard import Clipboard
from tests.ui.review_app import NOW, Driver, run_review

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("acme.io", "10.20.4.7")


def holds_a_name(driver: Driver) -> bool:
    return any(name in driver.text() for name in NAMES)


def test_one_key_replaces_all_names_and_brings_them_back() -> None:
    async def script(driver: Driver) -> None:
        before = driver.text()
        assert holds_a_name(driver)
        await driver.press("P", "enter")
        assert not holds_a_name(driver)
        assert "redacted" in driver.lines()[0]
        assert "user-" in driver.text()
        await driver.press("escape", "P")
        assert driver.text() == before

    run_review(script, redact=RedactMode(lambda: bytes(32)))


def test_a_filter_says_a_pseudonym_and_finds_the_same_events() -> None:
    async def script(driver: Driver) -> None:
        count = driver.review.event_list.count.value
        assert count
        await driver.press("P")
        assert driver.review.event_list.count.value == count
        assert not holds_a_name(driver)
        await driver.press("f")
        assert not holds_a_name(driver)
        await driver.press("escape", "P")
        assert "user3@acme.io" in driver.text()

    bob = Condition(Column.USER, IS, "user3@acme.io")
    run_review(script, view=View(bob, Preset.ALL_TIME), redact=RedactMode(lambda: bytes(32)))


HIDDEN = ("acme.io", "zoe", "203.0.113", "user-77")
ZOE = "zoe.quartz@acme.io"
EVENTS = [
    AuditEvent("Login", to_us(NOW) - 9, user=ZOE, description=f"{ZOE} came", source_ip="203.0.113.7"),
    AuditEvent(
        f"Login {ZOE}", to_us(NOW) - 8, category=ZOE, user="user-77", target="zoe.quartz", key="zoe.quartz-8"
    ),
    AuditEvent(
        "Meta",
        to_us(NOW) - 7,
        user="user-77",
        metadata={ZOE: {"by": ZOE.upper(), "path": "/home/zoe.quartz"}},
    ),
]


@pytest.mark.parametrize("row", range(3))
def test_a_screen_that_begins_redacted_names_nobody(row: int, tmp_path: Path) -> None:
    view = View(Condition(Column.CATEGORY, IS_NOT, "x"), Preset.ALL_TIME)

    async def script(driver: Driver) -> None:
        pasted: list[str] = []
        driver.review.clipboard = Clipboard(pasted.append, tmp_path, {})

        async def look(*keys: str) -> None:
            await driver.press(*keys)
            text = driver.text().lower()
            assert [name for name in HIDDEN if name in text] == [], (keys, text)

        await look()
        assert "redacted" in driver.lines()[0]
        await look(*["down"] * row)
        for keys in (("enter",), ("escape", "J"), ("escape", "f"), ("escape", "y")):
            await look(*keys)
        await look("escape")
        for place in range(6):
            await look("y", *["down"] * place, "enter")
        assert pasted
        for copy in pasted:
            text = b64decode(copy.removeprefix("\x1b]52;c;").removesuffix("\x07")).decode().lower()
            assert [name for name in HIDDEN if name in text] == [], text

    run_review(script, EVENTS, size=(140, 40), view=view, redact=RedactMode(lambda: bytes(32), is_on=True))


def test_a_name_that_is_typed_is_not_shown() -> None:
    async def script(driver: Driver) -> None:
        driver.review.show_view(View(Condition(Column.USER, IS, ZOE), Preset.ALL_TIME))
        await driver.settle()
        assert "zoe" not in driver.text().lower()
        assert driver.review.event_list.count.value == 1

    run_review(script, EVENTS, size=(140, 40), redact=RedactMode(lambda: bytes(32), is_on=True))
