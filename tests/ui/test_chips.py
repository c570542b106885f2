"""Narrowing by pointing at values: chips on a line of their own, each state change with its undo."""

from __future__ import annotations

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import EVERYTHING, All, Any, Condition
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import Chip, View
from tests.ui.review_app import Driver, run_review

ALL_TIME = View(time_range=Preset.ALL_TIME)
LOGIN = Condition(Column.EVENT, IS, "Login")
ROLES = Condition(Column.CATEGORY, IS, "Roles")
USER5 = Condition(Column.USER, IS, "user5@acme.io")
NOT_5 = Condition(Column.USER, IS_NOT, "user5@acme.io")
NOT_3 = Condition(Column.USER, IS_NOT, "user3@acme.io")
MANY = tuple(Chip(Condition(Column.USER, IS_NOT, f"somebody{number}@example.org")) for number in range(4))


def chips_of(driver: Driver) -> list[Chip]:
    return list(driver.review.view.chips)


def chips_line(driver: Driver) -> str:
    return driver.lines()[1]


def test_the_value_under_the_cursor_becomes_a_chip_and_u_takes_it_back() -> None:
    async def script(driver: Driver) -> None:
        review = driver.review
        heading = driver.lines()[1]
        await driver.press("equals_sign")
        assert chips_of(driver) == [Chip(LOGIN)]
        assert chips_line(driver) == " ● event=Login ✕"
        assert "Filter (1)" in driver.lines()[0]
        await driver.press("l", "l", "exclamation_mark")
        row = review.table.highlighted
        assert row is not None
        _, other = review.view.chips
        assert isinstance(other.filter, Condition)
        assert (other.filter.field, other.filter.operator) == (Column.USER, IS_NOT)
        assert row.user != other.filter.value
        assert "Filter (2)" in driver.lines()[0]
        await driver.press("u", "u")
        assert review.view == ALL_TIME
        assert driver.lines()[1] == heading, "the line is there only while there is a chip"
        await driver.press("ctrl+r")
        assert chips_of(driver) == [Chip(LOGIN)]
        await driver.press("right", "equals_sign")
        assert "t chooses times." in driver.lines()[-2]

    run_review(script, view=ALL_TIME)


def test_space_switches_a_chip_off_and_on_and_esc_leaves_the_line() -> None:
    async def script(driver: Driver) -> None:
        review = driver.review
        await driver.press("comma", "right", "space")
        assert review.view.in_force == All((ROLES, LOGIN))
        assert "○ user!=user5@acme.io" in chips_line(driver)
        await driver.press("u")
        assert review.view.in_force == All((ROLES, LOGIN, NOT_5))
        await driver.press("ctrl+r", "space")
        assert "● user!=user5@acme.io" in chips_line(driver)
        await driver.press("left", "delete")
        assert chips_of(driver) == [Chip(NOT_5)]
        await driver.press("u", "escape")
        assert review.table.has_focus
        assert chips_of(driver) == [Chip(LOGIN), Chip(NOT_5)]

    run_review(script, view=View(ROLES, Preset.ALL_TIME, chips=(Chip(LOGIN), Chip(NOT_5))))


def test_backspace_drops_the_last_and_0_clears_all() -> None:
    async def script(driver: Driver) -> None:
        review = driver.review
        await driver.press("backspace")
        assert chips_of(driver) == [Chip(LOGIN)]
        await driver.press("0")
        assert review.view == ALL_TIME
        assert review.table.has_focus
        await driver.press("backspace")
        assert "There is no chip to drop." in driver.lines()[-2]
        await driver.press("u", "u")
        assert chips_of(driver) == [Chip(LOGIN), Chip(NOT_5)]
        assert review.view.filter == ROLES

    run_review(script, view=View(ROLES, Preset.ALL_TIME, chips=(Chip(LOGIN), Chip(NOT_5))))


def test_lifting_keeps_the_row_and_the_line_on_the_screen() -> None:
    async def script(driver: Driver) -> None:
        review, table = driver.review, driver.review.table
        await driver.press("pagedown", "down")
        before, view = table.highlighted, review.view
        place = table.cursor_row - table.scroll_offset.y
        assert before is not None
        await driver.press("backslash")
        assert review.view.in_force == EVERYTHING
        assert table.highlighted == before
        assert table.cursor_row - table.scroll_offset.y == place
        assert "all filters lifted" in driver.lines()[0]
        assert "Filter (" not in driver.lines()[0]
        assert "○ event=Login" in chips_line(driver)
        await driver.press("backslash")
        assert review.view == view
        assert table.highlighted == before
        await driver.press("u")
        assert review.view.is_lifted
        await driver.press("equals_sign")
        off = tuple(Chip(each, is_on=False) for each in (NOT_3, LOGIN))
        assert review.view.chips[:2] == (off[0], Chip(LOGIN)), "a chip that was off is on again"

    run_review(script, view=View(NOT_3, Preset.ALL_TIME, chips=(Chip(LOGIN),)))


def test_nothing_to_lift_is_told() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("backslash")
        assert "There is no filter to lift." in driver.lines()[-2]
        await driver.press("comma")
        assert "= on a value makes one" in driver.lines()[-2]

    run_review(script, view=ALL_TIME)


def test_the_mouse_switches_and_drops() -> None:
    async def script(driver: Driver) -> None:
        review = driver.review
        await driver.pilot.click("ChipLine", offset=(4, 0))
        await driver.settle()
        assert review.view.in_force == NOT_5
        assert chips_of(driver) == [Chip(LOGIN, is_on=False), Chip(NOT_5)]
        cross = chips_line(driver).index("✕")
        await driver.pilot.click("ChipLine", offset=(cross, 0))
        await driver.settle()
        assert chips_of(driver) == [Chip(NOT_5)]
        await driver.press("u", "u")
        assert review.view.in_force == All((LOGIN, NOT_5))

    run_review(script, view=View(time_range=Preset.ALL_TIME, chips=(Chip(LOGIN), Chip(NOT_5))))


def test_what_does_not_fit_is_counted_and_can_be_reached() -> None:
    async def script(driver: Driver) -> None:
        review = driver.review
        assert chips_line(driver).endswith("✕  +2")
        assert "somebody1" in chips_line(driver)
        await driver.press("comma", "right", "right", "right", "space")
        assert [chip.is_on for chip in review.view.chips] == [True, True, True, False]
        assert "○ user!=somebody3" in chips_line(driver)
        assert chips_line(driver).endswith("+2")
        await driver.pilot.click("ChipLine", offset=(len(chips_line(driver)) - 1, 0))
        await driver.settle()
        assert "somebody0" in chips_line(driver)

    run_review(script, view=View(time_range=Preset.ALL_TIME, chips=MANY))


def test_a_hostile_value_and_a_long_one_stay_on_the_line() -> None:
    value = "\x1b]0;pwn\x07[bold]" + "x" * 500

    async def script(driver: Driver) -> None:
        assert "\x1b" not in driver.text()
        assert "…" in chips_line(driver)
        assert len(chips_line(driver)) < 60

    run_review(script, view=View(chips=(Chip(Condition(Column.USER, IS, value)),)))


def test_the_dialog_keeps_the_chips_beside_its_rows() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("f", "enter")
        assert driver.review.view.filter == ROLES
        assert chips_of(driver) == [Chip(LOGIN)]
        assert "Filter (2)" in driver.lines()[0]

    run_review(script, view=View(ROLES, Preset.ALL_TIME, chips=(Chip(LOGIN),)))


def test_a_query_in_the_dialog_narrows_beside_the_chips_and_sets_the_range() -> None:
    async def script(driver: Driver) -> None:
        before = driver.review.view
        await driver.press("f", "up", "up", *'(category:roles or "thing 9") since:today', "enter")
        view = driver.review.view
        assert view.chips == before.chips
        assert driver.app.screen is driver.review
        assert view.time_range is Preset.TODAY or view.time_range != before.time_range
        assert isinstance(view.filter, Any)
        await driver.press("u")
        assert driver.review.view == before

    run_review(script, view=View(time_range=Preset.ALL_TIME, chips=(Chip(NOT_5),)))
