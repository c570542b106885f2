"""Secrets in events are masked in the list and in copies, unless the settings say otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.config import Settings
from audit_tui.core.event import AuditEvent, to_us
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from tests.ui.review_app import NOW, Driver, run_review
from tests.ui.test_copy import Pasted

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2" * 2
EVENTS = [
    AuditEvent(
        event="Login",
        occurred_us=to_us(NOW),
        user="bob",
        description=f"password={SECRET} by bob",
        metadata={"password": SECRET, "n": 1},
    )
]


@pytest.mark.parametrize("masks", [True, False])
def test_the_list_masks_and_the_pane_shows(masks: bool) -> None:
    async def script(driver: Driver) -> None:
        assert (SECRET in driver.text()) is not masks
        assert "password=" in driver.text()
        await driver.press("enter")
        assert SECRET in driver.text()

    settings = Settings(mask_secrets=masks)
    run_review(script, EVENTS, size=(160, 40), view=View(time_range=Preset.ALL_TIME), settings=settings)


TOKEN = "gh" + "p_" + "16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.mark.parametrize("place", range(5))
def test_every_column_is_masked_in_the_list_and_in_copies(place: int, tmp_path: Path) -> None:
    texts = [f"a {TOKEN}" if number == place else "x" for number in range(5)]
    event = AuditEvent(
        texts[0], to_us(NOW), category=texts[1], user=texts[2], description=texts[4], target=texts[3]
    )

    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        assert TOKEN not in driver.text()
        await driver.press(*["right"] * place)
        for key in "yrjm":
            await driver.press("y", key)
            assert TOKEN not in pasted.text, key

    run_review(script, [event], size=(240, 20), view=View(time_range=Preset.ALL_TIME))


@pytest.mark.parametrize("key", ["r", "j", "m", "y"])
@pytest.mark.parametrize("masks", [True, False])
def test_no_copy_holds_a_secret(key: str, masks: bool, tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("right", "right", "right", "right", "y")
        assert (SECRET not in driver.text()) is masks
        await driver.press(key)
        assert (SECRET not in pasted.text) is masks
        assert "bob" in pasted.text

    settings = Settings(mask_secrets=masks)
    run_review(script, EVENTS, view=View(time_range=Preset.ALL_TIME), settings=settings)
