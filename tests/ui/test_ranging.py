"""The keys that move, zoom and bound the time range; each is undone by one key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audit_tui.core.event import from_us, to_us
from audit_tui.core.query import Interval
from audit_tui.core.time.dates import MomentRange, Preset, resolve
from audit_tui.core.time.month import DayRange
from audit_tui.core.view import View
from tests.ui.review_app import NOW, Driver, account, run_review

HOUR = timedelta(hours=1)
ALL_TIME = View(time_range=Preset.ALL_TIME)
FOUR_HOURS = MomentRange(datetime(2026, 11, 20, 8, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC))


def bounds(driver: Driver) -> Interval:
    review = driver.review
    return resolve(review.event_list.shown.view.time_range, review.context)


def row_us(driver: Driver) -> int:
    row = driver.review.table.highlighted
    assert row is not None
    return row.occurred_us


@pytest.mark.parametrize(
    ("keys", "start", "end"),
    [
        ("[", 4, 8),
        ("] ]", 16, 20),
        ("[ ]", 8, 12),
        ("j z", 9, 11),
        ("j Z", 6, 14),
        ("j (", 10, 12),
    ],
)
def test_the_range_moves_and_back_again(keys: str, start: int, end: int) -> None:
    async def script(driver: Driver) -> None:
        shown = driver.review.event_list
        pressed = keys.split()
        await driver.press(*pressed)
        day = datetime(2026, 11, 20, tzinfo=UTC)
        assert bounds(driver) == Interval(to_us(day + start * HOUR), to_us(day + end * HOUR))
        assert shown.count.value == end - start
        for _ in pressed[0 if "j" not in pressed else 1 :]:
            await driver.press("u")
        assert shown.shown.view.time_range == FOUR_HOURS

    run_review(script, view=View(time_range=FOUR_HOURS))


def test_the_range_ends_with_the_row() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        await driver.press("j", "j")
        at_us = row_us(driver)
        await driver.press(")")
        assert bounds(driver).end_us == at_us + 1_000_000
        assert (table.cursor_row, row_us(driver)) == (0, at_us)
        await driver.press("u")
        assert driver.review.view.time_range == FOUR_HOURS
        assert row_us(driver) == at_us

    run_review(script, view=View(time_range=FOUR_HOURS))


def test_days_move_by_days() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("[")
        expected = DayRange(NOW.date() - timedelta(days=1), NOW.date() - timedelta(days=1))
        assert driver.review.view.time_range == expected
        assert "2026-11-21" in driver.lines()[0]

    run_review(script, view=View(time_range=Preset.TODAY))


def test_what_cannot_be_is_said() -> None:
    async def script(driver: Driver) -> None:
        for key, words in (
            ("[", "All Time cannot be moved."),
            ("Z", "All Time is all there is."),
        ):
            await driver.press(key)
            assert words in driver.text()
            assert driver.review.view == ALL_TIME

    run_review(script, view=ALL_TIME)

    async def in_future(driver: Driver) -> None:
        await driver.press("]")
        assert "That is in the future." in driver.text()

    run_review(in_future)


def test_all_time_is_zoomed_within_the_events_there_are() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        table.move_cursor(50)
        await driver.settle()
        at_us = row_us(driver)
        await driver.press("z")
        interval = bounds(driver)
        assert interval.start_us is not None
        assert interval.end_us is not None
        assert from_us(interval.end_us) - from_us(interval.start_us) == 49 * HOUR
        assert interval.start_us < at_us < interval.end_us
        assert interval.start_us % 3_600_000_000 == 0
        assert row_us(driver) == at_us
        await driver.press("u")
        assert driver.review.view == ALL_TIME

    run_review(script, account(100), view=ALL_TIME)
