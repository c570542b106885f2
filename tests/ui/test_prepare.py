"""The work that jumps would wait for is done when the user rests, in large stores, and never in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.errors import QueryCancelled
from audit_tui.ui.lane import Stillness
from audit_tui.ui.widgets.list import event_list
from tests.ui.review_app import Driver, run_review

if TYPE_CHECKING:
    from tests.ui.fake_reader import Hook

EVENTS = 1000
"""More than a page: they are counted."""


def recording(asked: list[str]) -> Hook:
    def hook(method: str, cancel: CancelToken | None) -> None:
        asked.append(method)

    return hook


@pytest.mark.parametrize(("least", "times"), [(EVENTS, 3), (EVENTS + 1, 0)])
def test_large_stores_are_prepared_once_and_each_result_when_it_is_counted(
    least: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_list, "PREPARED_EVENTS", least)
    monkeypatch.setattr(event_list, "STILL_S", 0.0)
    asked: list[str] = []

    async def script(driver: Driver) -> None:
        await driver.press("s")
        questions = [question for question in asked if question in ("count", "prepare")]
        after_first = ["prepare", "prepare"][: times - 1] if times else []
        after_next = ["prepare"] if times else []
        assert questions == ["count", *after_first, "count", *after_next]

    run_review(script, hook=recording(asked))


def test_what_is_prepared_is_nothing_to_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_list, "PREPARED_EVENTS", 1)
    monkeypatch.setattr(event_list, "STILL_S", 3600.0)
    asked: list[str] = []
    waits: list[float] = []
    wait = Stillness.wait

    def noted(stillness: Stillness, seconds: float, cancel: CancelToken) -> None:
        waits.append(seconds)
        wait(stillness, seconds, cancel)

    monkeypatch.setattr(Stillness, "wait", noted)

    async def script(driver: Driver) -> None:
        workers = driver.review.event_list.workers
        await driver.until(lambda: bool(waits) and sum(not worker.is_finished for worker in workers) == 1)
        assert not driver.review.event_list.cancel()
        monkeypatch.setattr(event_list, "STILL_S", 0.0)
        await driver.press("s")
        assert asked.count("prepare") == 2

    run_review(script, hook=recording(asked), settles=False)


def test_waiting_for_the_user_to_rest_ends_with_the_question() -> None:
    cancel = CancelToken()
    Stillness().wait(0.0, cancel)
    cancel.cancel()
    with pytest.raises(QueryCancelled):
        Stillness().wait(3600.0, cancel)
