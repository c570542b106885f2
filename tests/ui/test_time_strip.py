"""The strip of time over the list: what it counts, where the cursor is, and what is chosen on it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS_NOT
from audit_tui.core.query import EventQuery, Interval
from audit_tui.core.time.dates import MomentRange, Preset, TimeContext
from audit_tui.core.view import View
from audit_tui.errors import StoreDamaged
from audit_tui.ui.time_buckets import read_buckets
from audit_tui.ui.widgets.time_strip import BARS, TimeStrip
from tests.ui import incident
from tests.ui.fake_reader import FakeReader
from tests.ui.review_app import NOW, Driver, run_review

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken

EVENTS = incident.incident()
TALL = (80, 34)
DAY = View(
    time_range=MomentRange(datetime(2026, 11, 21, 15, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC))
)
FAILURES = View(Condition(Column.OUTCOME, IS_NOT, "success"), Preset.ALL_TIME)


def strip_of(driver: Driver) -> TimeStrip:
    return driver.review.query_one(TimeStrip)


def strip_lines(driver: Driver) -> list[str]:
    y = strip_of(driver).region.y
    return driver.lines()[y : y + 3]


def count(driver: Driver) -> int:
    return driver.review.event_list.count.value


@pytest.mark.parametrize(("size", "is_shown"), [((80, 24), False), ((80, 29), False), ((80, 30), True)])
def test_it_is_there_where_there_is_room(size: tuple[int, int], is_shown: bool) -> None:
    async def script(driver: Driver) -> None:
        strips = [strip for strip in driver.review.query(TimeStrip) if strip.display]
        assert bool(strips) == is_shown
        assert driver.review.table.has_focus
        await driver.pilot.resize_terminal(80, 54 - size[1])
        await driver.settle()
        strips = [strip for strip in driver.review.query(TimeStrip) if strip.display]
        assert bool(strips) == (54 - size[1] >= 30)

    run_review(script, EVENTS, size=size)


def test_a_key_goes_there_and_shows_it_and_hides_it() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("j", "j", "i")
        strip = strip_of(driver)
        assert strip.has_focus
        assert strip._here is not None
        assert strip._choice == (strip._here, strip._here), "at the cursor of the list"
        assert any(bar in strip_lines(driver)[0] for bar in BARS)
        await driver.press("escape")
        assert driver.review.table.has_focus
        assert strip.display
        await driver.press("i", "i")
        assert not driver.review.query_one(TimeStrip).display
        assert driver.review.table.has_focus
        await driver.press("j", "i", "j")
        assert driver.review.table.has_focus

    run_review(script, EVENTS)


def test_it_shows_events_and_failures_and_where_the_cursor_is() -> None:
    async def script(driver: Driver) -> None:
        events, failures, words = strip_lines(driver)
        assert len(events.strip()) > 40
        assert "·" not in events.strip(" ·"), "no gaps in a day with a robot"
        assert events.endswith("·" * 6), "none in the last three hours"
        assert "█" in failures
        assert words.startswith(" 11-22 11:30 to 12:00   3 events ")
        assert words.rstrip().endswith("11-21 15:00 to 11-22 15:00")
        for _ in range(30):
            await driver.press("j")
        row = driver.review.table.highlighted
        assert row is not None
        words = strip_lines(driver)[2]
        at = datetime.fromtimestamp(row.occurred_us / 1e6, UTC)
        start = at.replace(minute=at.minute // 30 * 30, second=0)
        assert words.startswith(f" 11-22 {start:%H:%M} to {start + timedelta(minutes=30):%H:%M}   ")

    run_review(script, EVENTS, size=TALL, view=DAY)


def test_gaps_can_be_seen() -> None:
    async def script(driver: Driver) -> None:
        assert strip_lines(driver)[0].count("·") > 20

    run_review(script, EVENTS, size=TALL, view=FAILURES)


def test_a_stretch_is_chosen_with_arrows_and_undone() -> None:
    async def script(driver: Driver) -> None:
        strip = strip_of(driver)
        await driver.press("i", "end", "left", "left", "space", "left", "left")
        choice = strip._choice
        assert choice is not None
        assert choice[1] - choice[0] == 2
        expected = sum(strip._buckets.events[choice[0] : choice[1] + 1])
        assert f"{expected} events" in strip_lines(driver)[2]
        await driver.press("enter")
        assert count(driver) == expected
        assert driver.review.table.has_focus
        assert isinstance(driver.review.view.time_range, MomentRange)
        await driver.press("u")
        assert driver.review.view == DAY

    run_review(script, EVENTS, size=TALL, view=DAY)


def test_it_begins_at_the_cursor_and_escape_ends_the_choice_then_leaves() -> None:
    async def script(driver: Driver) -> None:
        strip = strip_of(driver)
        await driver.press("G", "i")
        assert strip._choice == (0, 0)
        await driver.press("space", "right", "escape")
        assert strip._choice == (1, 1)
        assert strip.has_focus
        await driver.press("escape")
        assert driver.review.table.has_focus
        await driver.press("i", "home", "enter")
        assert count(driver) == strip._buckets.events[0] or driver.review.view != DAY

    run_review(script, EVENTS, size=TALL, view=DAY)


def test_what_failed_most_is_three_keys_away() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("i", "e", "S")
        assert count(driver) == sum(event.outcome is Outcome.FAILURE for event in EVENTS)
        lines = driver.lines()
        heading = next(n for n, line in enumerate(lines) if re.search(r"Event  \d+ values", line))
        top = lines[heading + 1][lines[heading].index("Event  ") :].split()
        assert top[:2] == [incident.MOST_FAILED, str(incident.MOST_FAILURES)]
        await driver.press("escape", "u")
        assert count(driver) == len(EVENTS)

    for size in (TALL, (80, 24), (160, 50)):
        run_review(script, EVENTS, size=size)


def test_a_stretch_is_drawn_with_the_mouse() -> None:
    async def script(driver: Driver) -> None:
        strip = strip_of(driver)
        before = strip._buckets

        def cell_of(bucket: int) -> int:
            return next(x for x in range(strip.size.width) if strip._bucket_at(x) == bucket)

        last = (cell_of(13), 1)
        await driver.pilot.mouse_down(strip, offset=(cell_of(10), 0))
        await driver.pilot.hover(strip, offset=last)
        await driver.pilot.mouse_up(strip, offset=last)
        await driver.settle()
        assert count(driver) == sum(before.events[10:14])
        assert driver.review.table.has_focus
        await driver.press("u")
        assert driver.review.view == DAY
        await driver.pilot.click(strip, offset=(cell_of(20), 0))
        assert strip._choice == (20, 20)
        await driver.pilot.click(strip, offset=(cell_of(20), 0))
        await driver.settle()
        assert count(driver) == before.events[20]

    run_review(script, EVENTS, size=TALL, view=DAY)


def test_nothing_and_an_error_are_told_calmly() -> None:
    is_damaged = False

    def hook(name: str, _: CancelToken | None) -> None:
        if is_damaged and name == "histogram":
            raise StoreDamaged("The store is damaged.")

    async def script(driver: Driver) -> None:
        nonlocal is_damaged
        await driver.press("ampersand", *"nowhere", "enter")
        assert not "".join(strip_lines(driver)).strip(" ·")
        is_damaged = True
        await driver.press("u")
        assert "The store is damaged." in strip_lines(driver)[2]
        assert driver.app.screen is driver.review

    run_review(script, EVENTS, size=TALL, view=DAY, hook=hook)


def test_while_it_is_hidden_nothing_is_counted() -> None:
    asked: list[str] = []

    async def script(driver: Driver) -> None:
        await driver.press("i", "i")
        asked.clear()
        await driver.press("s", "s")
        assert "histogram" not in asked

    run_review(script, EVENTS, hook=lambda name, _: asked.append(name))


@given(
    times=st.lists(st.tuples(st.integers(0, 5_000), st.booleans()), max_size=30),
    start=st.none() | st.integers(0, 3_000),
    length=st.none() | st.integers(1, 3_000),
    most=st.integers(3, 40),
)
def test_every_event_is_in_one_bucket(
    times: list[tuple[int, bool]], start: int | None, length: int | None, most: int
) -> None:
    second_us = 1_000_000
    events = [
        AuditEvent("e", second * second_us, outcome=Outcome.FAILURE if failed else Outcome.SUCCESS)
        for second, failed in times
    ]
    interval = Interval(
        None if start is None else start * second_us,
        None if length is None else ((start or 0) + length) * second_us,
    )
    context = TimeContext(UTC, NOW)
    buckets = read_buckets(FakeReader(events), EventQuery(interval=interval), most, context)
    inside = [
        (second * second_us, failed)
        for second, failed in times
        if (interval.start_us is None or second * second_us >= interval.start_us)
        and (interval.end_us is None or second * second_us < interval.end_us)
    ]
    assert sum(buckets.events) == len(inside)
    assert sum(buckets.failures) == sum(failed for _, failed in inside)
    assert len(buckets.events) <= most
    for occurred_us, _ in inside:
        place = buckets.bucket_of(occurred_us)
        assert place is not None
        assert buckets.edges_us[place] <= occurred_us < buckets.edges_us[place + 1]
        bounds = buckets.bounds(place, place)
        assert bounds.start_us is not None
        assert bounds.end_us is not None
        assert bounds.start_us <= occurred_us < bounds.end_us
        assert buckets.bounds(0, len(buckets.events) - 1) == buckets.interval


def test_now_is_after_the_incident() -> None:
    assert max(event.occurred_us for event in EVENTS) < to_us(NOW)
