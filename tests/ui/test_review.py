from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from audit_tui.config import Settings
from audit_tui.core.columns import Column, column_named, list_column
from audit_tui.core.event import AuditEvent, to_us
from audit_tui.core.filter.filters import EVERYTHING, Condition
from audit_tui.core.filter.filters import Any as AnyOf
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.query import NEWEST_FIRST, Sort
from audit_tui.core.time.dates import Preset
from audit_tui.core.time.zones import date_text
from audit_tui.core.view import Chip, View
from audit_tui.errors import ConfigError, StoreDamaged
from audit_tui.ui.commands import COMMANDS, Command, Where
from audit_tui.ui.keymap import ARROWS, PRESETS, Keymap
from audit_tui.ui.screens.command_line import matching
from tests.ui.fake_reader import fake_factory
from tests.ui.review_app import NOW, Driver, account, run_review

if TYPE_CHECKING:
    from audit_tui.ui.lane import Lane
    from audit_tui.ui.screens.review.screen import ReviewScreen
    from audit_tui.ui.widgets.list.event_table import EventTable

ALL_TIME = View(time_range=Preset.ALL_TIME)


def roles_only(view: View) -> View:
    return View(Condition(Column.CATEGORY, IS, "Roles"), view.time_range, view.sort)


def moment_of(table: EventTable) -> str:
    assert table.highlighted is not None
    return date_text(table.highlighted.occurred_us, UTC)


def pane_text(review: ReviewScreen) -> str:
    assert review.pane is not None
    return review.pane.plain_text


def test_opens_on_the_newest_event_of_the_last_30_days() -> None:
    async def script(driver: Driver) -> None:
        lines = driver.lines()
        assert "demo.db" in lines[0]
        assert "Filter" in lines[0]
        assert "Last 30 Days" in lines[0]
        assert lines[0].endswith("UTC")
        assert lines[1].split() == ["Event", "Category", "User", "Date", "▼", "Description"]
        assert "11-22 14:00:00" in lines[2]
        assert "11-22" not in lines[3], "a repeated day is not written again"
        assert "1 of 711     newest first" in lines[-2]
        assert lines[-1].split()[:2] == ["⏎", "open"]

    run_review(script)


def test_moves_like_less_and_like_a_data_table() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        steps = [("j", 1), ("down", 2), ("k", 1), ("up", 0), ("G", 999), ("g", 0), ("end", 999), ("home", 0)]
        steps += [("pagedown", 20), ("space", 40), ("pageup", 20), ("b", 0), ("ctrl+d", 10), ("ctrl+u", 0)]
        steps += [("ctrl+end", 999), ("ctrl+home", 0), ("up", 0)]
        for key, row in steps:
            await driver.press(key)
            assert table.cursor_row == row, key
            assert table.highlighted is not None
        for key, column in [("l", "category"), ("right", "user"), ("h", "category"), ("left", "event")]:
            await driver.press(key)
            assert table.column == column

    run_review(script, view=ALL_TIME)


def test_reaches_every_row_and_never_holds_them_all() -> None:
    asked: list[str] = []

    async def script(driver: Driver) -> None:
        table = driver.review.table
        await driver.press("end")
        assert "Did thing 0" in driver.text()
        table.move_cursor(10_000)
        await driver.settle()
        row = table.highlighted
        assert row is not None
        assert row.description == "Did thing 9999"
        assert asked.count("page") < 12

    run_review(script, account(20_000, 1), view=ALL_TIME, hook=lambda name, _: asked.append(name))


@pytest.mark.parametrize(
    ("start", "again"), [("home", "home"), ("home", "up"), ("end", "end"), ("end", "down")]
)
def test_a_key_shows_the_cursor_again_that_the_scrollbar_left_behind(start: str, again: str) -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        await driver.press(start)
        shown, row = table.scroll_offset.y, table.cursor_row
        table.scroll_to(y=500, animate=False)
        await driver.settle()
        assert table.scroll_offset.y == 500
        await driver.press(again)
        assert (table.scroll_offset.y, table.cursor_row) == (shown, row)

    run_review(script)


def test_the_cursor_stays_on_its_event_when_the_view_changes() -> None:
    async def script(driver: Driver) -> None:
        review, table = driver.review, driver.review.table
        table.move_cursor(500)
        await driver.settle()
        before = table.highlighted
        assert before is not None
        for sort in (Sort(Column.USER, descending=False), Sort(Column.TIME, descending=False)):
            review.show_view(View(sort=sort, time_range=Preset.ALL_TIME))
            await driver.settle()
            assert table.highlighted == before
        review.show_view(roles_only(ALL_TIME))
        await driver.settle()
        now = table.highlighted
        assert now is not None
        assert now.category == "Roles"
        assert before.seq - 5 < now.seq <= before.seq, "else the next older one"
        review.show_view(ALL_TIME)
        await driver.settle()
        assert table.highlighted == now

    run_review(script, view=ALL_TIME)


def test_a_column_sorts_up_then_down_then_newest_first_again() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("l", "l")
        for words in ("by user", "by user, descending", "newest first"):
            await driver.press("s")
            assert words in driver.lines()[-2]
        await driver.pilot.click("EventTable", offset=(2, 0))
        await driver.settle()
        assert driver.review.view.sort == Sort(Column.EVENT, descending=False)
        assert "Event ▲" in driver.lines()[1]

    run_review(script)


def test_says_what_is_applied_and_how_many() -> None:
    conditions = (Condition(Column.EVENT, IS, "Login"), Condition(Column.USER, IS_NOT, None))

    async def script(driver: Driver) -> None:
        top = driver.lines()[0]
        assert "Filter (2)" in top
        assert "Event is Login or User is not (none)" in top
        await driver.press("0")
        assert driver.review.view.filter == EVERYTHING
        assert "Filter (" not in driver.lines()[0]

    run_review(script, view=View(AnyOf(conditions)), size=(120, 24))


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (40, 10)])
def test_the_pane_opens_follows_and_closes(size: tuple[int, int]) -> None:
    async def script(driver: Driver) -> None:
        review = driver.review
        await driver.press("enter")
        assert "Did thing 999" in pane_text(review)
        assert "10.20.4.7" in pane_text(review)
        await driver.press("down")
        assert "Did thing 998" in pane_text(review)
        await driver.press("down")
        shown = " ".join(pane_text(review).split())
        assert "An open-source model was undeployed." in shown
        assert "Hours of Usage — expected, not recorded" in shown
        await driver.press("escape")
        assert review.pane is None
        await driver.press("enter", "q")
        assert review.pane is None, "q closes the pane first"
        await driver.press("q")
        assert driver.app.return_code == 0

    run_review(script, size=size)


def test_raw_json_is_shown_with_and_without_the_pane() -> None:
    async def script(driver: Driver) -> None:
        for keys in (["J"], ["enter", "J"]):
            await driver.press(*keys)
            assert '"metadata": {' in driver.text()
            await driver.press("escape")
            assert driver.app.screen is driver.review

    run_review(script)


def test_a_click_moves_and_a_second_click_opens() -> None:
    async def script(driver: Driver) -> None:
        await driver.pilot.click("EventTable", offset=(30, 4))
        await driver.settle()
        assert driver.review.table.cursor_row == 3
        assert driver.review.table.column is Column.CATEGORY
        assert driver.review.pane is None
        await driver.pilot.click("EventTable", offset=(30, 4))
        await driver.settle()
        assert driver.review.pane is not None

    run_review(script)


def test_empty_says_why_and_which_key_helps() -> None:
    async def nothing_matches(driver: Driver) -> None:
        assert "No events in the time range Last 30 Days match the filter." in driver.text()
        assert "no events" in driver.lines()[-2]
        await driver.press("enter", "J", "down", "end")
        await driver.press("0")
        assert "1 of 711" in driver.lines()[-2]

    async def nothing_there(driver: Driver) -> None:
        assert "No events in the time range Last 30 Days." in driver.text()

    absent = Condition(Column.EVENT, IS, "absent")

    async def nothing_matches_ever(driver: Driver) -> None:
        assert "No event matches the filter." in driver.text()
        assert "to clear it." in driver.text()

    run_review(nothing_matches, view=View(absent))
    run_review(nothing_matches_ever, view=View(absent, Preset.ALL_TIME))
    run_review(nothing_there, events=[])


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (("event", "user", "date", "description"), "made bob Auditor"),
        (("event", "date", "description"), "alice made bob Auditor"),
    ],
)
def test_a_description_does_not_say_the_user_again(columns: tuple[str, ...], shown: str) -> None:
    async def script(driver: Driver) -> None:
        (row,) = (line for line in driver.lines() if "Role assigned" in line)
        assert row.count("alice") == 1
        assert row.rstrip().endswith(f" {shown}")
        await driver.press("enter")
        assert "alice made bob Auditor" in driver.text()

    event = AuditEvent("Role assigned", to_us(NOW) - 1, user="alice", description="alice made bob Auditor")
    settings = Settings(
        columns=tuple(filter(None, (list_column(column_named(column)) for column in columns)))
    )
    run_review(script, [event], size=(100, 24), settings=settings)


def test_an_error_is_said_calmly_and_the_rest_goes_on() -> None:
    broken = True

    def hook(name: str, _: object) -> None:
        if broken and name == "page":
            raise StoreDamaged("Page 7 of demo.db cannot be read.", "Run audit-tui info.")

    async def script(driver: Driver) -> None:
        nonlocal broken
        assert "Page 7 of demo.db cannot be read." in driver.text()
        broken = False
        await driver.press("escape", "R")
        assert "1 of 711" in driver.lines()[-2]

    run_review(script, hook=hook)


@pytest.mark.parametrize("key", ["J", "t"])
def test_an_error_in_a_single_question_is_said_too(key: str) -> None:
    def hook(name: str, _: object) -> None:
        if name in ("event", "info"):
            raise StoreDamaged("Event 7 cannot be read.", "Run audit-tui info.")

    async def script(driver: Driver) -> None:
        await driver.press(key)
        assert "Event 7 cannot be read." in driver.text()
        await driver.press("escape", "down")
        assert " 2 of 711" in driver.lines()[-2]

    run_review(script, hook=hook)


def test_reload_reads_a_source_that_was_replaced_everywhere() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("enter")
        assert "Did thing 999" in pane_text(driver.review)
        replacement = fake_factory(account(500))
        for lane in (driver.review.event_list._rows, driver.review.event_list._counts, pane_lane(driver)):
            lane._open_reader = replacement
        driver.review.event_list._open_reader = replacement
        await driver.press("R")
        assert " 1 of 500" in driver.lines()[-2]
        assert "Did thing 499" in pane_text(driver.review)

    run_review(script, view=ALL_TIME)


def pane_lane(driver: Driver) -> Lane:
    assert driver.review.pane is not None
    return driver.review.pane._lane


def test_a_preset_is_worked_out_anew_past_midnight() -> None:
    now = NOW

    def clock() -> datetime:
        return now

    async def script(driver: Driver) -> None:
        nonlocal now
        assert "of 15 " in driver.lines()[-2]
        now = NOW + timedelta(days=1)
        driver.review._follow_the_day()
        await driver.settle()
        assert "No events in the time range Today." in driver.text()

    run_review(script, view=View(time_range=Preset.TODAY), clock=clock)


def test_times_are_shown_in_utc_and_back() -> None:
    async def script(driver: Driver) -> None:
        assert "11-22 15:00:00" in driver.lines()[2]
        await driver.press("T")
        assert "11-22 14:00:00" in driver.lines()[2]
        assert driver.lines()[0].endswith("UTC")
        await driver.press("T")
        assert driver.lines()[0].endswith("Europe/Berlin")

    run_review(script, zone="Europe/Berlin")


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (10, 2), (20, 5), (40, 10), (79, 23), (300, 80)])
def test_any_size_works(size: tuple[int, int]) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("down", "enter", "pagedown", "tab", "end", "escape")
        await driver.pilot.resize_terminal(80, 24)
        await driver.until(lambda: "newest first" in driver.lines()[-2])

    run_review(script, size=size)


def test_help_says_the_keys_of_where_one_is_first_and_can_be_searched() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("question_mark")
        assert driver.text().index("In the list") < driver.text().index("On the review")
        await driver.press("slash", *"chips away", "enter")
        assert "Take filter and chips away" in driver.text()
        assert "In the list" not in driver.text()
        await driver.press("escape", "enter", "tab", "question_mark")
        assert driver.text().index("In the detail pane") < driver.text().index("In the list")
        await driver.press("escape")
        assert driver.app.screen is driver.review

    run_review(script, size=(100, 45))


def test_the_command_line_runs_goes_to_rows_and_to_times() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        for typed, row in (("500", 499), ("1,000", 999), ("99999999", 999), ("0", 0), ("first event", 0)):
            await driver.press("colon", *typed, "enter")
            assert table.cursor_row == row, typed
        await driver.press("ctrl+p", *"clea", "tab")
        assert "clear-filter" in driver.text()
        await driver.press("enter")
        assert driver.app.screen is driver.review
        await driver.press("colon", *"nonsense", "enter")
        assert "No command is called that." in driver.text()
        await driver.press("enter")
        await driver.until(lambda: "● nonsense" in driver.text())
        await driver.press("u")
        await driver.press("escape")
        await driver.press("at", *"2026-11-20 09:20", "enter")
        assert moment_of(table) == "2026-11-20 09:00:00"
        await driver.press("at", *"2026-11-20 09:40", "enter")
        assert moment_of(table) == "2026-11-20 10:00:00"
        await driver.press("at", *"03:50", "enter")
        assert moment_of(table) == "2026-11-20 04:00:00", "on the day of the row"
        await driver.press("at", *"soon", "enter")
        assert "'soon' cannot be read. Write it as" in driver.text()

    run_review(script, view=ALL_TIME)


@pytest.mark.parametrize("command", COMMANDS, ids=[command.id for command in COMMANDS])
def test_every_command_can_be_found_by_name(command: Command) -> None:
    assert matching(command.title)[0] is command
    assert command in matching(command.id)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_command_has_a_key_that_does_it(preset: str) -> None:
    keymap = Keymap(preset)

    async def script(driver: Driver) -> None:
        assert not keymap.clashes()
        await driver.press("enter")
        parts = {
            Where.TABLE: driver.review.table,
            Where.PANE: driver.review.pane,
            Where.CHIPS: driver.review.query_one("ChipLine"),
        }
        for where, widget in parts.items():
            assert widget is not None
            widget.focus()
            await driver.settle()
            bound = {active.binding.id for active in driver.review.active_bindings.values()}
            wanted = {where, Where.APP} | ({Where.SCREEN} if where is Where.TABLE else set())
            assert {command.id for command in COMMANDS if command.where in wanted} <= bound

    chip = Chip(Condition(Column.EVENT, IS, "Login"))
    run_review(script, view=View(chips=(chip,)), settings=Settings(keymap=preset))


def test_a_key_shows_the_next_theme_and_says_how_to_keep_it() -> None:
    async def script(driver: Driver) -> None:
        for theme, name in (("ansi-dark", "terminal"), ("audit-dark", "dark"), ("audit-light", "light")):
            await driver.press("ctrl+t")
            assert driver.app.theme == theme
            assert f"The theme is {name}" in driver.lines()[-2]

    run_review(script, settings=Settings(theme="light"))


def test_without_colours_there_is_one_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(driver: Driver) -> None:
        await driver.press("ctrl+t")
        assert driver.app.theme == "ansi-dark"
        assert "NO_COLOR is set" in driver.lines()[-2]

    run_review(script)


def test_arrows_need_no_letters() -> None:
    keymap = Keymap(ARROWS)
    for command in COMMANDS:
        assert keymap.keys(command), command.id
        assert not any(len(key) == 1 and key.isalpha() for key in keymap.keys(command)), command.id


def test_own_keys_win_and_the_screen_names_them() -> None:
    async def script(driver: Driver) -> None:
        assert "n filter" in driver.lines()[-1]
        await driver.press("f")
        assert driver.app.screen is driver.review
        await driver.press("n")
        assert driver.app.screen is not driver.review

    run_review(script, settings=Settings(keys={"filter": ("n",), "help": ()}))


def test_clashes_are_named() -> None:
    [clash] = Keymap(user_keys={"filter": ("t",)}).clashes()
    assert str(clash) == "t is the key of both filter and time-range"
    with pytest.raises(ConfigError, match="no keymap"):
        Keymap("emacs")
    with pytest.raises(ConfigError, match="no command"):
        Keymap(user_keys={"fitler": ("t",)})


def test_starts_newest_first() -> None:
    assert View().sort == NEWEST_FIRST
