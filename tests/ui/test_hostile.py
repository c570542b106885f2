"""Every widget and dialog that shows data, with everything an attacker can write into a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from textual.color import Color

from audit_tui.core.columns import NAME_COLUMNS
from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.filter.filters import All, Condition
from audit_tui.core.filter.operators import IS_NOT
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.errors import StoreDamaged
from audit_tui.ui.terminal.drawing import Sanitize
from tests.payloads import PAYLOADS, UNSAFE
from tests.ui.review_app import NOW, Driver, run_review

if TYPE_CHECKING:
    from collections.abc import Iterable

LONG = "x" * 100_000
ROWS_OF_THE_DIALOG = 15


def hostile(texts: Iterable[str]) -> list[AuditEvent]:
    """Events that carry each text in every field."""
    return [
        AuditEvent(
            event=text or "-",
            category=text,
            user=text,
            occurred_us=to_us(NOW) - 60_000_000 * number,
            description=text,
            outcome=Outcome.FAILURE,
            source_ip=text,
            target=text,
            source=text,
            metadata={text: text, "nested": {text: [text, {text: None}]}},
            original=text.encode("utf-8", "surrogatepass"),
        )
        for number, text in enumerate(texts)
    ]


def assert_safe(driver: Driver) -> None:
    for line in driver.lines():
        assert not UNSAFE.search(line), repr(line)


async def look_everywhere(driver: Driver, steps: int) -> None:
    """Open the event under the cursor as a pane and as JSON, and go on to the next ones."""
    await driver.press("J")
    assert_safe(driver)
    await driver.press("end", "escape", "enter")
    for _ in range(steps):
        assert_safe(driver)
        await driver.press("down")
    await driver.press("escape")


async def open_filter_dialog(driver: Driver) -> None:
    await driver.press("f")
    assert driver.app.screen is not driver.review
    assert_safe(driver)
    await driver.press("down", "down")
    assert_safe(driver)
    await driver.press("escape", "escape")


@pytest.fixture(params=["both layers", "the first layer alone"])
def _layers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data is clean before the filter behind every widget sees it."""
    if request.param == "the first layer alone":
        monkeypatch.setattr(Sanitize, "apply", lambda self, segments, background: segments)


@pytest.mark.usefixtures("_layers")
def test_no_widget_lets_a_payload_through() -> None:
    async def script(driver: Driver) -> None:
        await look_everywhere(driver, len(PAYLOADS))
        await driver.press("l", "l", "s", "end")
        assert_safe(driver)

    run_review(script, hostile(["\n".join(PAYLOADS), *PAYLOADS]), size=(130, 50))


@pytest.mark.usefixtures("_layers")
@pytest.mark.parametrize("start", range(0, len(PAYLOADS), ROWS_OF_THE_DIALOG))
def test_no_dialog_lets_a_payload_through(start: int) -> None:
    payloads = PAYLOADS[start : start + ROWS_OF_THE_DIALOG]
    conditions = tuple(
        Condition(list(NAME_COLUMNS)[number % 3], IS_NOT, payload) for number, payload in enumerate(payloads)
    )

    async def script(driver: Driver) -> None:
        assert_safe(driver)
        await open_filter_dialog(driver)
        assert driver.review.view.filter == All(conditions)

    view = View(All(conditions), Preset.ALL_TIME)
    run_review(script, hostile([*payloads, "ordinary"]), view=view, size=(80, 40))


def test_no_error_lets_a_payload_through() -> None:
    words = ""

    def hook(name: str, _: object) -> None:
        if name in ("page", "event"):
            raise StoreDamaged(words, words)

    async def script(driver: Driver) -> None:
        nonlocal words
        for payload in PAYLOADS:
            words = payload
            await driver.press("R")
            assert_safe(driver)

    run_review(script, hostile(["ordinary"]), hook=hook)


values = st.text(st.characters(), max_size=40) | st.text(st.sampled_from("[]/\\=$@#\x1b\x00\u0301\ud800 a"))


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(values, min_size=1, max_size=12))
def test_no_value_crashes_the_screen(texts: list[str]) -> None:
    look_at(texts)


@pytest.mark.long
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(values, min_size=20, max_size=20))
def test_none_of_ten_thousand_values_crashes_the_screen(texts: list[str]) -> None:
    look_at(texts)


def look_at(texts: list[str]) -> None:
    async def script(driver: Driver) -> None:
        await look_everywhere(driver, 2)
        assert_safe(driver)

    run_review(script, hostile([*texts, LONG, "\x1b" * 5_000, "e" + "\u0301" * 5_000]), size=(60, 20))


@given(st.text(st.characters()))
def test_the_filter_behind_all_widgets_removes_what_is_unsafe(text: str) -> None:
    [segment] = Sanitize().apply([Segment(text)], Color(0, 0, 0))
    assert not UNSAFE.search(segment.text)
