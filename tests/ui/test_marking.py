"""Marks and notes on the screen: set, shown, found again, and in nobody's way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.widgets import Input

from audit_tui.core.investigate.notebook import Notebook
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.ui.screens.ask_line import AskLine
from tests.ui.review_app import Driver, account, run_review

if TYPE_CHECKING:
    from pathlib import Path

ALL_TIME = View(time_range=Preset.ALL_TIME)


def rows(driver: Driver) -> list[str]:
    """Return the lines of events."""
    lines = driver.lines()
    first = next(place for place, line in enumerate(lines) if line.startswith(" Event ")) + 1
    return lines[first:-2]


def marked(folder: Path) -> list[tuple[int, bool, str]]:
    book = Notebook.of_store(folder, "fake")
    assert book is not None
    return [(entry.seq, entry.is_marked, entry.note) for entry in book]


def test_a_mark_shows_in_the_list_and_in_the_pane_and_goes_again(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("m")
        assert rows(driver)[0].startswith("●")
        assert "Marked 1 event; 1 event marked." in driver.text()
        await driver.press("enter")
        assert "● marked" in driver.text()
        await driver.press("m")
        assert "●" not in driver.text()
        assert marked(tmp_path) == []

    run_review(script, view=ALL_TIME, folder=tmp_path, size=(80, 24))


def test_marks_are_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    async def mark(driver: Driver) -> None:
        await driver.press("j", "m")

    async def look(driver: Driver) -> None:
        assert [line[:1] for line in rows(driver)[:3]] == [" ", "●", " "]

    run_review(mark, view=ALL_TIME, folder=tmp_path)
    run_review(look, view=ALL_TIME, folder=tmp_path)


def test_a_failed_event_that_is_marked_shows_both(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        row = next(row for row, line in enumerate(rows(driver)) if line.startswith("✗"))
        await driver.press(*["j"] * row, "m", "j")
        assert rows(driver)[row].startswith("⊗")

    run_review(script, view=ALL_TIME, folder=tmp_path)


def test_selected_rows_are_marked_at_once(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("v", "j", "j", "m")
        assert "Marked 3 events" in driver.text()
        assert not driver.review.table.is_selecting
        assert [seq for seq, _, _ in marked(tmp_path)] == [998, 999, 1000]

    run_review(script, view=ALL_TIME, folder=tmp_path)


def test_keys_go_from_mark_to_mark_and_round(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        await driver.press("m", *["j"] * 4, "m", *["j"] * 40, "m")
        await driver.press("apostrophe")
        assert table.cursor_row == 0
        assert "Mark 1 of 3, from the other end." in driver.text()
        await driver.press("apostrophe")
        assert table.cursor_row == 4
        await driver.press("quotation_mark", "quotation_mark")
        assert table.cursor_row == 44

    run_review(script, view=ALL_TIME, folder=tmp_path)


def test_the_way_to_a_mark_in_another_order(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("j", "j", "m", "s", "G", "apostrophe")
        row = driver.review.table.highlighted
        assert row is not None
        assert row.seq == 998

    run_review(script, view=ALL_TIME, folder=tmp_path)


def test_only_the_marked_and_back_to_the_same_event(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("j", "m", "j", "j", "m", "M")
        assert driver.review.event_list.count.value == 2
        assert driver.review.table.cursor_row == 1
        await driver.press("M")
        assert driver.review.event_list.count.value == 1000
        assert driver.review.table.cursor_row == 3

    run_review(script, view=ALL_TIME, folder=tmp_path)


def test_keys_say_what_to_do_where_nothing_is_marked(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        for key in ("apostrophe", "quotation_mark", "M"):
            await driver.press(key)
            assert "Nothing is marked: m marks an event." in driver.text()

    run_review(script, folder=tmp_path)


def test_where_nothing_can_be_kept_it_is_said() -> None:
    async def script(driver: Driver) -> None:
        for key in ("m", "a"):
            await driver.press(key)
            assert "cannot be kept" in driver.text()
        await driver.press("V")
        assert "no saved views" in driver.text()

    run_review(script)


def test_a_note_is_written_shown_and_changed(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("a")
        assert isinstance(driver.app.screen, AskLine)
        await driver.press(*"odd [/x]", "enter")
        await driver.press("enter")
        assert "✎ odd [/x]" in driver.text()
        assert rows(driver)[0].startswith("✎")
        await driver.press("a")
        assert driver.app.screen.query_one(Input).value == "odd [/x]"
        await driver.press("escape", "m")
        assert marked(tmp_path) == [(1000, True, "odd [/x]")]
        await driver.press("a", *["backspace"] * 8, "enter")
        assert marked(tmp_path) == [(1000, True, "")]

    run_review(script, view=ALL_TIME, folder=tmp_path)


def test_marks_of_other_events_with_the_same_number_do_not_show(tmp_path: Path) -> None:
    async def mark(driver: Driver) -> None:
        await driver.press("m")

    async def look(driver: Driver) -> None:
        assert "●" not in driver.text()

    run_review(mark, view=ALL_TIME, folder=tmp_path)
    others = [replace(event, key=f"other-{number}") for number, event in enumerate(account())]
    run_review(look, others, view=ALL_TIME, folder=tmp_path)


def test_a_broken_notebook_is_told(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "fake.json").write_text("{")

    async def script(driver: Driver) -> None:
        assert "marks and notes cannot be read" in driver.text()
        await driver.press("m")
        assert "not written over" in driver.text()

    run_review(script, view=ALL_TIME, folder=tmp_path)


def test_saved_views_are_shown_by_their_digits_and_from_the_list(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("1")
        assert "Failures: u goes back." in driver.text()
        assert all(line[:1] in "✗ " for line in rows(driver))
        await driver.press("u", "V")
        assert "Role and permission changes" in driver.text()
        await driver.press("j", "j", "j", "j", "enter")
        assert "Deletions: u goes back." in driver.text()
        await driver.press("u")
        assert driver.review.event_list.count.value == 1000

    run_review(script, view=ALL_TIME, folder=tmp_path)


def test_what_came_since_the_store_was_left_is_two_keys_away(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("V", "enter")
        assert "Since you left: u goes back." in driver.text()
        assert driver.review.event_list.count.value == 4
        assert "seq>996" in driver.text()

    async def first_time(driver: Driver) -> None:
        await driver.press("V")
        assert "Failures" in driver.text()
        assert "Since you left" not in driver.text()

    run_review(script, folder=tmp_path, seen_before=lambda: 996)
    run_review(first_time, folder=tmp_path, seen_before=lambda: None)


def test_a_digit_in_the_list_shows_the_view_that_it_stands_before(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("V", "5")
        assert "Deletions: u goes back." in driver.text()
        await driver.press("V", "1")
        assert "Failures: u goes back." in driver.text()
        assert not (tmp_path / "views.toml").exists()

    run_review(script, view=ALL_TIME, folder=tmp_path)


def test_a_view_is_saved_starred_and_removed(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("equals_sign", "V", "s", *"Mine", "enter")
        assert "Saved as Mine: V shows it." in driver.text()
        assert 'query = "event=Login"' in (tmp_path / "views.toml").read_text()
        await driver.press("u", "V", "j", "j", "0")
        assert "2 does not show Failed logins any more." in driver.text()
        await driver.press("V", "2")
        assert "2 shows Mine." in driver.text()
        await driver.press("2")
        assert driver.review.event_list.count.value == 200
        await driver.press("V", "j", "x")
        assert "Removed Mine." in driver.text()
        await driver.press("V", "x")
        assert "Removed Failed logins." in driver.text()
        await driver.press("V", "x")
        assert "The views that ship stay." in driver.text()

    run_review(script, view=ALL_TIME, folder=tmp_path)


def test_a_broken_file_of_views_is_told_and_the_others_are_shown(tmp_path: Path) -> None:
    (tmp_path / "views.toml").write_text("[[view]")

    async def script(driver: Driver) -> None:
        await driver.press("V")
        assert "Deletions" in driver.text()
        await driver.press("escape")
        assert "saved views cannot be read" in driver.text()

    run_review(script, folder=tmp_path)


def test_past_views_are_listed_also_in_a_later_run(tmp_path: Path) -> None:
    async def first(driver: Driver) -> None:
        await driver.press("equals_sign", "u", "V")
        assert "event=Login  All Time" in driver.text()

    async def second(driver: Driver) -> None:
        await driver.press("V", "G", "enter")
        assert driver.review.event_list.count.value == 200

    run_review(first, view=ALL_TIME, folder=tmp_path, size=(100, 30))
    run_review(second, view=ALL_TIME, folder=tmp_path, size=(100, 30))
