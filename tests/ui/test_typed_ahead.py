"""Keys that come at once do what they would do one by one."""

from __future__ import annotations

import pytest
from textual import events

from tests.ui.review_app import Driver, run_review

NAMES = {":": "colon", "@": "at", "\r": "enter", "-": "minus", "?": "question_mark", "/": "slash"}


def burst(driver: Driver, typed: str) -> None:
    """Post keys as a terminal does that sends them in one packet."""
    for character in typed:
        shown = None if character == "\r" else character
        driver.app.post_message(events.Key(NAMES.get(character, character), shown))


@pytest.mark.parametrize(
    ("typed", "row"),
    [(":31\r", 30), (":31\rj:400\r", 399), (":31\rjj", 32), ("jjjjjjjjjjjjjjjjjjjj", 20)],
)
def test_a_burst_goes_where_its_keys_lead(typed: str, row: int) -> None:
    async def script(driver: Driver) -> None:
        burst(driver, typed)
        await driver.until(lambda: driver.review.table.cursor_row == row)

    run_review(script)


def test_typed_ahead_of_a_dialog_that_reads_first() -> None:
    async def script(driver: Driver) -> None:
        burst(driver, "t\r")
        # Enter is for the dialog, which closes; it does not open the event under it.
        await driver.until(lambda: driver.app.screen is driver.review)
        await driver.settle()
        assert driver.review.pane is None

    run_review(script)


def test_typed_ahead_of_the_filter_and_of_a_search() -> None:
    async def script(driver: Driver) -> None:
        burst(driver, "fuser3@acme")
        await driver.until(lambda: "user3@acme" in driver.text())
        await driver.press("escape", "escape", "escape")
        burst(driver, "?/copy")
        await driver.until(lambda: " copy " in driver.text() and "zone" not in driver.text())

    run_review(script)
