"""The edge between list and pane: moved by keys and by the mouse, and remembered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from audit_tui.config import Settings
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import View
from audit_tui.ui.app import AuditApp
from audit_tui.ui.first_page import Opening
from audit_tui.ui.screens.review.body import FIRST_SPLIT, read_splits, write_splits
from tests.ui.fake_reader import fake_factory
from tests.ui.review_app import NOW, Driver, account

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ui.review_app import Script


def run(script: Script, folder: Path, size: tuple[int, int]) -> None:
    async def main() -> None:
        opening = Opening(
            fake_factory(account()),
            "demo.db",
            View(),
            zone_named("UTC"),
            lambda: NOW,
            Settings(),
            state_directory=folder,
        )
        app = AuditApp(opening)
        async with app.run_test(size=size) as pilot:
            driver = Driver(pilot, app)
            await driver.settle()
            await script(driver)

    asyncio.run(main())


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_the_edge_moves_by_keys_and_is_remembered(size: tuple[int, int], tmp_path: Path) -> None:
    places = []

    async def move(driver: Driver) -> None:
        await driver.press("enter")
        assert driver.review.pane is not None
        before = driver.review.pane.region
        await driver.press("less_than_sign", "less_than_sign")
        places.append(driver.review.pane.region)
        assert places[0].area > before.area

    async def look(driver: Driver) -> None:
        await driver.press("enter")
        assert driver.review.pane is not None
        assert driver.review.pane.region == places[0]
        await driver.press("greater_than_sign", "greater_than_sign")

    run(move, tmp_path, size)
    run(look, tmp_path, size)
    assert read_splits(tmp_path) == FIRST_SPLIT


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_the_edge_is_dragged_by_the_mouse(size: tuple[int, int], tmp_path: Path) -> None:
    is_wide = size[0] >= 120

    async def script(driver: Driver) -> None:
        await driver.press("enter")
        pane = driver.review.pane
        assert pane is not None
        goal = (60, 10) if is_wide else (20, 8)
        await driver.pilot.mouse_down(offset=(pane.region.x, pane.region.y + 5 * is_wide))
        await driver.pilot.hover(offset=goal)
        await driver.pilot.mouse_up(offset=goal)
        await driver.settle()
        edge = pane.region.x if is_wide else pane.region.y
        assert abs(edge - goal[0 if is_wide else 1]) <= 1
        assert driver.review.pane is pane
        await driver.pilot.hover(offset=(5, 5))
        await driver.settle()
        assert edge == (pane.region.x if is_wide else pane.region.y)

    run(script, tmp_path, size)
    assert read_splits(tmp_path) != FIRST_SPLIT


@pytest.mark.parametrize(
    "text", ["", "[]", '{"beside": 200, "above": "x"}', "\x00" * 5000, '{"beside": true}']
)
def test_what_cannot_be_read_is_as_ever(text: str, tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text(text)
    assert read_splits(tmp_path) == FIRST_SPLIT
    assert read_splits(tmp_path / "nothing") == read_splits(None) == FIRST_SPLIT
    write_splits(tmp_path / "layout.json" / "below", {True: 30, False: 40})
    write_splits(tmp_path, {True: 30, False: 40})
    assert read_splits(tmp_path) == {True: 30, False: 40}
