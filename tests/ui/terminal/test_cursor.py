"""The terminal's own cursor stands on what the user is at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from textual.geometry import Offset
from textual.widgets import Button, Input, Static

from audit_tui.ui.terminal.drawing import hardware_cursor
from audit_tui.ui.terminal.terminal_app import TerminalApp
from tests.ui.review_app import Driver, run_review

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.widget import Widget


class Place(Static, can_focus=True):
    """A widget with a cursor of its own."""

    cursor_offset = Offset(3, 1)


class Far(Static, can_focus=True):
    """A widget whose cursor has left what is shown of it."""

    cursor_offset = Offset(500, 500)


class Places(TerminalApp):
    CSS = "Static { width: 20; height: 3; border: solid red; } Button { display: none; }"

    def compose(self) -> ComposeResult:
        yield Static("not focusable")
        yield Input("abc", id="input", select_on_focus=False)
        yield Place(id="place")
        yield Far(id="far")
        yield Button(id="hidden")


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (lambda app: None, Offset(0, 0)),
        (lambda app: app.query_one("#hidden"), Offset(0, 0)),
        (lambda app: app.query_one("#input"), Offset(6, 4)),
        (lambda app: app.query_one("#place"), Offset(4, 7)),
        (lambda app: app.query_one("#far"), Offset(18, 10)),
    ],
)
def test_where_it_stands(of: Callable[[TerminalApp], Widget | None], expected: Offset) -> None:
    async def main() -> None:
        app = Places()
        async with app.run_test() as pilot:
            await pilot.pause()
            assert hardware_cursor(of(app)) == expected

    asyncio.run(main())


def test_it_follows_the_cursor_of_the_list() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        first = hardware_cursor(table)
        assert first == table.content_region.offset + Offset(first.x - table.content_region.x, 1)
        await driver.press("down", "down")
        assert hardware_cursor(table) == first + Offset(0, 2)
        await driver.press("right")
        assert hardware_cursor(table).x > first.x
        await driver.press(*["right"] * 12)
        last = hardware_cursor(table)
        assert table.content_region.contains(last.x, last.y)
        await driver.press("right")
        assert hardware_cursor(table) == last
        await driver.press("left")
        assert first.x < hardware_cursor(table).x < last.x

    run_review(script)
