"""Events of any length as JSON and in the pane: whole, in linear time, and never in the way of a key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import AuditEvent, to_us
from audit_tui.core.text import clean_visible
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.ui.screens.raw_json import MAX_UNICODE_CHARS, LargeJsonDialog, Rows, raw_json_dialog
from audit_tui.ui.screens.text_dialog import TextDialog
from audit_tui.ui.widgets.line_view import LineView
from audit_tui.ui.widgets.painter import wrap
from audit_tui.ui.widgets.pane.detail_lines import MAX_LINES, detail_lines
from tests.timing import is_linear
from tests.ui.review_app import NOW, Driver, run_review

if TYPE_CHECKING:
    from collections.abc import Mapping

MB = 1_000_000
ALL_TIME = View(time_range=Preset.ALL_TIME)
HUGE: dict[str, dict[str, object]] = {
    "text": {"value": "x" * (10 * MB) + " end-of-it"},
    "words": {"value": "word " * (2 * MB) + "end-of-it"},
    "fields": {**{f"f{number}": "y" * (2 * MB) for number in range(5)}, "z": "end-of-it"},
    "list": {"list": [*range(120_000), "end-of-it"]},
    "names": {**{f"name-{number}": number for number in range(50_000)}, "z": "end-of-it"},
    "unicode": {"value": "ü\u202e" * (2 * MB) + "end-of-it"},
}


def event(metadata: Mapping[str, object], description: str = "d") -> AuditEvent:
    return AuditEvent("Big", to_us(NOW), seq=1, description=description, metadata=dict(metadata))


def plain(rows: Rows) -> str:
    return "\n".join(piece.text for row in rows for piece in row)


@given(st.lists(st.text(max_size=200), max_size=8), st.integers(2, 40))
def test_rows_are_the_wrapped_lines(lines: list[str], width: int) -> None:
    rows = Rows(lines or [""], width)
    expected = [part for line in "\n".join(lines).split("\n") for part in wrap(clean_visible(line), width)]
    assert [row[0].text for row in rows] == expected
    assert len(rows) == len(expected)
    assert [row[0].text for row in reversed(rows)] == expected[::-1]


def test_a_long_line_is_whole() -> None:
    long = "".join(f"{number:06}" for number in range(MAX_UNICODE_CHARS))
    rows = Rows(["a", long, "b"], 77)
    assert "".join(row[0].text for row in rows) == f"a{long}b"


@given(st.text(max_size=300), st.integers(1, 30))
def test_a_wrap_loses_nothing_but_spaces(text: str, width: int) -> None:
    text = clean_visible(text)
    assert "".join(wrap(text, width)).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("piece", ["x", "word ", "ü", "日本"])
def test_the_time_of_a_wrap_is_linear(piece: str) -> None:
    assert is_linear(lambda text: sum(1 for _ in wrap(text, 80)), piece, 40_000)


@pytest.mark.parametrize("name", HUGE)
def test_the_pane_shows_as_much_as_anyone_reads(name: str) -> None:
    from audit_tui.core.time.zones import zone_named

    big = event(HUGE[name], description="d" * (10 * MB))
    lines = detail_lines(big, None, zone_named("UTC"), 60)
    assert len(lines) <= MAX_LINES + 1
    assert "cut here; J shows it whole" in " ".join(piece.text for line in lines for piece in line)


@pytest.mark.parametrize("name", HUGE)
def test_huge_events_are_shown_whole_and_can_be_left_at_once(name: str) -> None:
    async def script(driver: Driver) -> None:
        for keys in (("enter",), ("J",)):
            await driver.press(*keys)
        assert isinstance(driver.app.screen, LargeJsonDialog)
        assert '"event": "Big"' in driver.text()
        await driver.press("end")
        assert "end-of-it" in driver.text()
        await driver.press("escape", "escape")
        # Left before it is laid out: what comes then finds nobody.
        await driver.pilot.press("J", "escape")
        await driver.settle()
        assert not isinstance(driver.app.screen, TextDialog)

    run_review(script, [event(HUGE[name])], size=(100, 30), view=ALL_TIME)


def test_a_dialog_that_was_left_keeps_nothing_of_the_event() -> None:
    async def script(driver: Driver) -> None:
        dialog = raw_json_dialog(event(HUGE["names"]))
        await driver.app.push_screen(dialog)
        await driver.settle()
        rows = dialog.query_one(LineView)._lines
        assert len(rows) > 50_000
        await driver.press("escape")
        assert len(rows) == 0

    run_review(script, view=ALL_TIME)


def test_nothing_of_the_json_is_left_out() -> None:
    metadata = {"a": ["x" * 60_000, {"b": "\x1b" * 20_000}], "c": "é" * 20_000}

    async def script(driver: Driver) -> None:
        dialog = raw_json_dialog(event(metadata))
        assert isinstance(dialog, LargeJsonDialog)
        await driver.app.push_screen(dialog)
        await driver.settle()
        text = driver.app.screen.query_one(LineView).plain_text.replace("\n", "")
        assert "x" * 60_000 in text
        assert "\\u001b" * 20_000 in text
        assert "\\xe9" * 20_000 in text
        assert json.dumps("Big") in text

    run_review(script, view=ALL_TIME)
