"""Following a source that grows: what is shown, when it pauses, and that the cursor stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

import pytest

from audit_tui.core.arriving import Arrival
from audit_tui.core.query import SourceState, Standing
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.ui.screens.review import following
from tests.ui.fake_reader import FakeReader
from tests.ui.review_app import Driver, account, run_review


@pytest.fixture(autouse=True)
def _only_own_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody look but the test: on a busy machine the timer would come between two keys."""
    monkeypatch.setattr(following, "LOOK_S", HOUR_S)
    monkeypatch.setattr(following, "FOLLOW_S", HOUR_S)
    monkeypatch.setattr(following, "FULL_FOLLOW_S", 2 * HOUR_S)


HOUR_S = 3600.0
ALL_TIME = View(time_range=Preset.ALL_TIME)
EVENTS = account(60)
Write: TypeAlias = Callable[[int], Awaitable[None]]


class Writer:
    """Appends events while the screen shows them, and waits until it has looked."""

    def __init__(self, driver: Driver, reader: FakeReader) -> None:
        self._driver = driver
        self._reader = reader
        self._next = 50

    async def append(self, count: int) -> None:
        events = [
            replace(EVENTS[1], event=f"New {n}", occurred_us=EVENTS[-1].occurred_us + n)
            for n in range(self._next, self._next + count)
        ]
        self._next += count
        self._reader.append(*events)
        await self.look()

    async def look(self, state: SourceState | None = None) -> None:
        if state is not None:
            self._reader.source_state = state
        # Full screens are drawn at every second look only.
        for _ in range(2):
            self._driver.review._watch_source()
            await self._driver.settle()


class Logs:
    """Logs that are read while they are shown; a test says how far that is."""

    def __init__(self) -> None:
        self.arrival = Arrival(50)

    def look(self) -> Arrival:
        return self.arrival

    def stop(self) -> None:
        """End the reading; nobody asks for it here."""


def run(
    script: Callable[[Driver, Writer], Awaitable[None]], *, view: View = ALL_TIME, logs: Logs | None = None
) -> None:
    reader = FakeReader(EVENTS[:50], name="demo.db")

    async def with_writer(driver: Driver) -> None:
        await script(driver, Writer(driver, reader))

    run_review(with_writer, view=view, open_reader=lambda: reader, arrivals=logs)


def rows(driver: Driver) -> list[str]:
    lines = driver.lines()
    first = next(place for place, line in enumerate(lines) if line.startswith(" Event ")) + 1
    return lines[first:-2]


def test_without_following_it_says_how_many_are_new() -> None:
    async def script(driver: Driver, writer: Writer) -> None:
        await writer.append(21)
        assert "21 new: R shows them" in driver.text()
        assert "New" not in "".join(rows(driver))
        await driver.press("R")
        assert rows(driver)[0].startswith(" New 70")

    run(script)


def test_new_events_appear_and_the_cursor_stays_in_its_place() -> None:
    async def script(driver: Driver, writer: Writer) -> None:
        await driver.press("F")
        assert "Following what comes: F ends it" in driver.text()
        for number in range(30):
            await writer.append(1)
            assert rows(driver)[0].startswith(f" New {50 + number}")
            assert driver.review.table.cursor_row == 0
            assert driver.review.event_list.count.value == 51 + number

    run(script)


def test_looking_at_others_pauses_and_the_first_row_goes_on() -> None:
    async def script(driver: Driver, writer: Writer) -> None:
        await driver.press("F", "j", "j")
        before = driver.review.table.highlighted
        await writer.append(37)
        assert "paused, 37 new: F goes on" in driver.text()
        assert driver.review.table.highlighted == before
        await driver.press("g")
        await writer.look()
        assert rows(driver)[0].startswith(" New 86")
        await driver.press("j", "F")
        assert driver.review.table.cursor_row == 0
        await driver.press("F")
        assert "No longer following." in driver.text()
        await writer.append(2)
        driver.review._status._show_notice("")
        await driver.settle()
        assert "2 new: R shows them" in driver.text()

    run(script)


def test_an_open_pane_and_a_selection_pause() -> None:
    async def script(driver: Driver, writer: Writer) -> None:
        await driver.press("F", "enter")
        await writer.append(1)
        assert "paused, 1 new" in driver.text()
        await driver.press("escape", "v")
        await writer.append(1)
        assert "1 row selected" in driver.text()
        assert driver.review.event_list.count.value == 50
        await driver.press("escape")
        await writer.look()
        assert driver.review.event_list.count.value == 52

    run(script)


def test_a_filter_takes_only_its_own() -> None:
    async def script(driver: Driver, writer: Writer) -> None:
        await driver.press("equals_sign", "F")
        count = driver.review.event_list.count.value
        await writer.append(3)
        assert driver.review.event_list.count.value == count
        assert "Following what comes" in driver.lines()[-2]

    run(script)


def test_oldest_first_follows_at_the_end() -> None:
    async def script(driver: Driver, writer: Writer) -> None:
        await driver.press("l", "l", "l", "s", "F")
        await writer.append(5)
        assert rows(driver)[-1].startswith(" New 54")
        assert driver.review.table.cursor_row == 54

    run(script)


def test_in_another_order_following_shows_the_newest_first() -> None:
    async def script(driver: Driver, writer: Writer) -> None:
        await driver.press("s", "F")
        await writer.append(1)
        assert rows(driver)[0].startswith(" New 50")

    run(script)


def test_what_becomes_of_the_store_is_said_while_following() -> None:
    async def script(driver: Driver, writer: Writer) -> None:
        await driver.press("F")
        await writer.append(1)
        for standing, words in (
            (Standing.REPLACED, "The store was replaced"),
            (Standing.DELETED, "The store file was deleted"),
            (Standing.DAMAGED, "The store is damaged"),
        ):
            await writer.look(SourceState(standing, newest_seq=99))
            assert words in driver.lines()[-2]

    run(script)


def test_what_is_said_of_logs_at_their_end_stands_whatever_look_comes_after_it() -> None:
    logs = Logs()

    async def script(driver: Driver, writer: Writer) -> None:
        review = driver.review
        assert "50 events read, waiting for more" in driver.text()
        logs.arrival = Arrival(50, is_done=True, remark="1 of 51 rejected", title="my logs/ (50 events)")
        review._show_arrival()
        await driver.settle()
        assert "my logs/ (50 events)" in driver.lines()[0]
        await writer.look()
        review._status._show_notice("")
        await driver.settle()
        assert "All 50 events are read · 1 of 51 rejected" in driver.text()

    run(script, logs=logs)


def test_the_key_does_not_end_what_logs_began() -> None:
    async def script(driver: Driver, writer: Writer) -> None:
        await driver.press("F")
        assert "Following what comes: F ends it" in driver.text()
        assert driver.review.is_following
        await driver.press("F")
        assert "No longer following." in driver.text()

    run(script, logs=Logs())


def test_at_the_end_of_logs_all_are_there_and_the_cursor_stays_on_its_event() -> None:
    logs = Logs()

    async def script(driver: Driver, writer: Writer) -> None:
        await driver.press("j", "j")
        before = driver.review.table.highlighted
        await writer.append(37)
        assert driver.review.event_list.count.value == 50
        logs.arrival = Arrival(87, is_done=True)
        driver.review._show_arrival()
        await driver.settle()
        assert driver.review.event_list.count.value == 87
        assert driver.review.table.highlighted == before
        await writer.look()
        assert "new: R" not in driver.text()

    run(script, logs=logs)


def test_the_words_on_what_is_read() -> None:
    assert Arrival(12_300, 405_123).words == "12,300 of about 410,000 read"
    assert Arrival(12_300).words == "12,300 events read, waiting for more"
    assert Arrival(1, work="making the indexes").words == "1 event read, making the indexes"
    assert Arrival(5, is_done=True).words == "All 5 events are read"
    assert Arrival(5, is_done=True, remark="1 rejected").words == "All 5 events are read · 1 rejected"
    assert Arrival(5, is_done=True, is_stopped=True).words == "Stopped: 5 events were read"
    assert Arrival(5, is_done=True, problem="No space.").words == "No space."
