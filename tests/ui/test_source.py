"""The fate of the source while the screen shows it is told in the status line, and costs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.core.query import AtRow, EventQuery, SourceState, Standing
from audit_tui.errors import StoreMissing
from audit_tui.store.read.reader import open_store
from audit_tui.ui.lane import Lane
from audit_tui.ui.widgets.bars import StatusLine
from tests.cli.running import make_store
from tests.ui.fake_reader import FakeReader
from tests.ui.review_app import Driver, account, run_review

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.query import EventReader
    from audit_tui.ui.widgets.painter import Line


async def look(driver: Driver, state: SourceState) -> str:
    """Return what the screen says when a look finds this; the timer's own looks may come besides."""
    reader = driver.app.review._open_reader()
    assert isinstance(reader, FakeReader)
    reader.source_state = state
    driver.app.review._watch_source()
    await driver.settle()
    return driver.lines()[-2]


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing.REPLACED, "The store was replaced: R opens the new one."),
        (Standing.DELETED, "The store file was deleted; showing the last state."),
        (Standing.DAMAGED, "The store is damaged: showing what can be read."),
    ],
)
def test_what_became_of_the_store_is_said_and_taken_back(standing: Standing, words: str) -> None:
    async def script(driver: Driver) -> None:
        before = driver.lines()
        assert words in await look(driver, SourceState(standing))
        await driver.press("down")
        assert words in driver.lines()[-2]
        await driver.press("up")
        await look(driver, SourceState())
        assert driver.lines() == before

    run_review(script)


def test_newer_events_are_announced_until_they_are_shown() -> None:
    async def script(driver: Driver) -> None:
        reader = driver.app.review._open_reader()
        assert isinstance(reader, FakeReader)
        reader.append(*account(1021)[1000:])
        assert "21 new: R shows them" in await look(driver, reader.source_state)
        await driver.press("equals_sign")
        reader.append(*account(1031)[1021:])
        assert "2 new: R shows them" in await look(driver, reader.source_state)
        await driver.press("R")
        assert "R shows them" not in await look(driver, reader.source_state)

    run_review(script)


def test_a_look_draws_nothing_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    real = StatusLine.line

    def noted(status: StatusLine, width: int) -> Line:
        drawn.append("status")
        return real(status, width)

    async def script(driver: Driver) -> None:
        await look(driver, SourceState(newest_seq=1000))
        monkeypatch.setattr(StatusLine, "line", noted)
        for _ in range(3):
            await look(driver, SourceState(newest_seq=1000))
        assert drawn == []

    run_review(script)


def test_a_busy_reader_is_not_looked_at() -> None:
    lane = Lane(lambda: FakeReader([]))
    assert lane.glance(lambda reader: reader.state()) == SourceState()
    seen: list[object] = []

    def question(reader: EventReader, _: object) -> None:
        seen.append(lane.glance(lambda reader: reader.state()))

    lane.ask(question)
    assert seen == [None]
    assert lane.glance(lambda reader: reader.state()) == SourceState()
    lane.close()


def test_a_source_that_is_gone_is_kept_by_who_has_it_open(tmp_path: Path) -> None:
    store_path = make_store(tmp_path / "audit.db")
    lane = Lane(open_store(store_path))
    everything = EventQuery()
    shown = lane.ask(lambda reader, cancel: reader.page(everything, AtRow(0), 10, cancel))
    store_path.unlink()
    lane.renew()
    with pytest.raises(StoreMissing):
        lane.ask(lambda reader, cancel: reader.newest_seq())
    assert lane.ask(lambda reader, cancel: reader.page(everything, AtRow(0), 10, cancel)) == shown
    lane.close()
