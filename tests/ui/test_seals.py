"""The seal on the screen: said, marked, explained, and checked when nobody types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.core.evidence.sealed import SealState, SealStatus, Wrong, WrongEvents
from audit_tui.errors import SourceLost, StoreError
from audit_tui.ui.lane import Lane
from audit_tui.ui.screens.review import base, seal_watch
from audit_tui.ui.screens.seal_dialog import seal_lines
from audit_tui.ui.widgets.bars import StatusLine
from tests.ui.review_app import Driver, run_review

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.cancel import CancelToken

EVENTS = 1000
WRONG = (WrongEvents(Wrong.CHANGED, 999, 999, 1_795_000_000), WrongEvents(Wrong.MISSING, 500, 502))
HOLDS = SealStatus(SealState.HOLDS, EVENTS, EVENTS)
BROKEN = SealStatus(SealState.BROKEN, EVENTS, EVENTS, wrong=WRONG)


class Checker:
    """Reports what it is told, and how often it ran."""

    def __init__(self, *reports: SealStatus) -> None:
        self.reports = reports
        self.runs = 0
        self.is_closed = self.due = False
        self.beginnings = 0

    def run(self, report: Callable[[SealStatus], None], cancel: CancelToken | None = None) -> SealStatus:
        assert cancel is not None
        self.runs += 1
        for status in self.reports:
            report(status)
        return self.reports[-1]

    def is_due(self) -> bool:
        return self.due

    def begin_again(self) -> None:
        self.beginnings += 1

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the user to rest, and no check begins but when the test says so."""
    monkeypatch.setattr(base, "BEGIN_S", 3600.0)
    monkeypatch.setattr(seal_watch.SealWatch.__init__, "__defaults__", (0.0,))


async def checked(driver: Driver) -> None:
    assert driver.review.seals is not None
    driver.review.seals.run()
    await driver.settle()


def test_the_status_line_says_what_holds_and_the_dialog_what_does_not() -> None:
    checker = Checker(SealStatus(SealState.CHECKING, 256, EVENTS), HOLDS)

    async def script(driver: Driver) -> None:
        assert "verified" not in driver.text()
        await checked(driver)
        assert "verified up to 1,000, not anchored" in driver.lines()[-2]
        await driver.press("I")
        assert "as it was sealed" in driver.text()
        assert "audit-tui seal anchor" in driver.text()

    run_review(script, open_checker=lambda: checker)


def test_what_is_wrong_is_said_marked_and_explained() -> None:
    async def script(driver: Driver) -> None:
        await checked(driver)
        assert "Broken at event 500: I explains" in driver.lines()[-2]
        marked = [line for line in driver.lines() if line.startswith("!")]
        assert len(marked) == 1
        assert "Did thing 998" in marked[0]
        await driver.press("down", "enter")
        assert "content changed" in driver.text()
        await driver.press("down")
        assert "content changed" not in driver.text()
        await driver.press("escape", "I")
        assert "event 999: content changed (sealed 2026-11-18" in driver.text()
        assert "events 500 to 502: missing" in driver.text()

    run_review(script, size=(100, 30), open_checker=lambda: Checker(BROKEN))


def test_the_open_dialog_follows_what_becomes_known() -> None:
    checker = Checker(BROKEN)

    async def script(driver: Driver) -> None:
        await driver.press("I")
        assert "nothing is wrong so far" in " ".join(driver.text().split())
        await checked(driver)
        assert "event 999: content changed" in driver.text()
        assert "so far" not in driver.text()

    run_review(script, size=(100, 30), open_checker=lambda: checker)


def test_newer_events_are_checked_later_and_steps_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    checker = Checker(SealStatus(SealState.CHECKING, 256, EVENTS), HOLDS)
    shown: list[SealStatus] = []

    async def script(driver: Driver) -> None:
        watch = driver.review.seals
        assert watch is not None
        status_line = driver.review.query_one(StatusLine)
        monkeypatch.setattr(status_line, "show_seal", shown.append)
        await checked(driver)
        assert not watch.is_due()
        checker.due = True
        assert watch.is_due()
        watch.run()
        await driver.settle()
        assert checker.runs == 2
        # A result that no longer holds is taken back while the check runs again.
        assert [status.state for status in shown] == ["holds", "checking", "holds"]
        checker.due = False
        await driver.press("R")
        await driver.settle()
        assert (checker.runs, checker.beginnings) == (3, 1)

    run_review(script, open_checker=lambda: checker)


def test_a_store_that_cannot_be_checked_says_so() -> None:
    def refuse() -> Checker:
        raise StoreError("It has no seals.")

    async def script(driver: Driver) -> None:
        await checked(driver)
        assert "not sealed" in driver.lines()[-2]
        await driver.press("I")
        assert "It has no seals." in driver.text()

    run_review(script, open_checker=refuse)


def test_an_engine_that_goes_away_is_checked_when_it_is_back() -> None:
    class Lost(Checker):
        is_away = True

        def run(self, report: Callable[[SealStatus], None], cancel: CancelToken | None = None) -> SealStatus:
            if self.is_away:
                raise SourceLost("The engine cannot be reached.")
            return super().run(report, cancel)

        def is_due(self) -> bool:
            if self.is_away:
                raise SourceLost("The engine cannot be reached.")
            return super().is_due()

    checker = Lost(HOLDS)

    async def script(driver: Driver) -> None:
        seals = driver.review.seals
        assert seals is not None
        await checked(driver)
        assert "sealed" not in driver.lines()[-2]
        assert seals.is_due()
        checker.is_away = False
        await checked(driver)
        assert "verified up to 1,000" in driver.lines()[-2]
        assert not seals.is_due()
        checker.is_away = True
        assert not seals.is_due()
        assert "verified up to 1,000" in driver.lines()[-2]

    run_review(script, open_checker=lambda: checker)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
def test_a_long_notice_is_read_whole_for_its_moment(size: tuple[int, int]) -> None:
    words = "A notice, which has much to say of this and of that and the rest."

    async def script(driver: Driver) -> None:
        before = driver.lines()[-2:]
        driver.review.say(words)
        await driver.settle()
        assert words in " ".join(line.strip() for line in driver.lines()[-2:])
        driver.review._status._show_notice("")
        await driver.settle()
        assert driver.lines()[-2:] == before

    run_review(script, size=size)


def test_the_dialog_says_what_was_removed_and_what_is_not_known() -> None:
    status = SealStatus(
        SealState.HOLDS, EVENTS, EVENTS, pruned_events=2_793, redacted_events=1, declaring_seqs=(998, 999),
        read_at_s=1_795_000_000.0, is_written_to=True,
    )  # fmt: skip

    text = " ".join(part[0] for line in seal_lines(status)(80) for part in line)
    for words in (
        "Removed on purpose: 2,793 events pruned here, 1 event redacted.",
        "stands in the events 998, 999.",
        "when they were read, at 2026-11-18",
        "everything is read again before long",
        "Not looked at from here: what the indexes",
    ):
        assert words in " ".join(text.split())


def test_a_lane_that_nobody_asked_yet_opens_its_reader_for_a_glance() -> None:
    """Before the first scroll nobody has asked, and a store that is gone was not noticed."""
    opened: list[str] = []

    class Reader:
        def close(self) -> None:
            opened.append("closed")

    def open_reader() -> Reader:
        opened.append("opened")
        return Reader()

    lane = Lane(open_reader)  # type: ignore[arg-type]  # it is only held
    assert lane.glance(lambda reader: 1) == lane.glance(lambda reader: 1) == 1
    assert opened == ["opened"]
    lane.close()
    assert opened == ["opened", "closed"]


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_the_end_of_the_list_says_what_was_removed(size: tuple[int, int]) -> None:
    checker = Checker(SealStatus(SealState.HOLDS, EVENTS, EVENTS, pruned_events=2_793, redacted_events=1))

    async def script(driver: Driver) -> None:
        await checked(driver)
        assert "pruned here" not in driver.text()
        await driver.press("G")
        assert any("2,793 events pruned here, 1 event redacted" in line for line in driver.lines())
        assert driver.review.table.cursor_row == 710  # the last of the last 30 days

    run_review(script, size=size, open_checker=lambda: checker)
