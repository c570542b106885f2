"""Undo and redo go through the views that were shown, and the command line makes new ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import EVERYTHING, All, Condition, Filter
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.query import Sort
from audit_tui.core.time.dates import Preset, TimeRange
from audit_tui.core.time.month import DayRange
from audit_tui.core.view import View
from audit_tui.ui.history import MAX_VIEWS, History
from tests.ui.review_app import NOW, Driver, run_review

ALL_TIME = View(time_range=Preset.ALL_TIME)
ROLES = Condition(Column.CATEGORY, IS, "Roles")
LOGIN = Condition(Column.EVENT, IS, "Login")


def view_of(number: int) -> View:
    return View(Condition(Column.USER, IS, str(number)))


@given(st.lists(st.one_of(st.integers(0, 5), st.sampled_from(["back", "forth"])), max_size=40))
def test_steps_are_those_of_a_list_with_a_place(acts: list[int | str]) -> None:
    history = History(view_of(0))
    views, place = [view_of(0)], 0
    for act in acts:
        if isinstance(act, int):
            if view_of(act) != views[place]:
                views = [*views[: place + 1], view_of(act)]
                place += 1
            history.note_asked()
            history.note_shown(view_of(act))
            continue
        goal = place + (-1 if act == "back" else 1)
        left = history.step(-1 if act == "back" else 1)
        assert (left and left.view) == (views[goal] if 0 <= goal < len(views) else None)
        if left is not None:
            history.note_shown(left.view)
            place = goal


def test_a_hundred_steps_are_kept() -> None:
    history = History(view_of(0))
    for number in range(1, 300):
        history.note_shown(view_of(number))
    steps = 0
    assert history.place == 299
    while (left := history.step(-1)) is not None:
        history.note_shown(left.view)
        steps += 1
    assert steps == MAX_VIEWS - 1
    last = history.step(MAX_VIEWS - 1)
    assert last is not None
    assert last.view == view_of(299)


def test_u_undoes_each_change_of_the_view_and_ctrl_r_takes_it_back() -> None:
    async def script(driver: Driver) -> None:
        review = driver.review
        shown = [review.event_list.shown.view]
        for keys in (("s",), ("0",), ("colon", *"today", "enter"), ("l", "s")):
            await driver.press(*keys)
            shown.append(review.event_list.shown.view)
        assert len(set(shown)) == 5
        for view in reversed(shown[:-1]):
            await driver.press("u")
            assert review.event_list.shown.view == view
        await driver.press("u")
        assert "Nothing to undo." in driver.lines()[-2]
        for view in shown[1:]:
            await driver.press("ctrl+r")
            assert review.event_list.shown.view == view
            assert "Nothing to undo." not in driver.text(), "it is no longer true"
        await driver.press("u", "u", "s", "ctrl+r")
        assert "Nothing to redo." in driver.lines()[-2], "what was undone is gone with a new change"

    run_review(script, view=View(ROLES, Preset.ALL_TIME))


def test_clear_all_in_the_dialog_is_undone_by_one_key() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("f")
        await driver.pilot.click("#clear")
        await driver.settle()
        assert driver.review.view.filter == EVERYTHING
        await driver.press("u")
        assert driver.review.view.filter == ROLES

    run_review(script, view=View(ROLES, Preset.ALL_TIME))


@pytest.mark.parametrize(
    ("typed", "time_range", "filter_"),
    [
        ("today", Preset.TODAY, ROLES),
        ("last 90", Preset.LAST_90_DAYS, ROLES),
        ("last 7 days", Preset.LAST_7_DAYS, ROLES),
        ("last hour", Preset.LAST_HOUR, ROLES),
        ("last 15 minutes", Preset.LAST_15_MINUTES, ROLES),
        ("last 2 days", DayRange(NOW.date().replace(day=21), NOW.date()), ROLES),
        ("2026-11-20..2026-11-21", DayRange(NOW.date().replace(day=20), NOW.date().replace(day=21)), ROLES),
        ("event=Login", Preset.ALL_TIME, All((ROLES, LOGIN))),
        ("user!=bob", Preset.ALL_TIME, All((ROLES, Condition(Column.USER, IS_NOT, "bob")))),
    ],
)
def test_the_command_line_takes_ranges_and_queries(
    typed: str, time_range: TimeRange, filter_: Filter
) -> None:
    names = {" ": "space", ".": "full_stop", "=": "equals_sign", "!": "exclamation_mark", "-": "minus"}

    async def script(driver: Driver) -> None:
        await driver.press("colon", *(names.get(letter, letter) for letter in typed), "enter")
        assert driver.app.screen is driver.review
        assert driver.review.view.time_range == time_range
        assert driver.review.view.in_force == filter_

    run_review(script, view=View(ROLES, Preset.ALL_TIME))


def test_a_query_that_cannot_be_read_is_told_and_the_line_stays() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("colon", *"nosuch", "equals_sign", "x", "enter")
        assert "nosuch" in driver.text()
        assert driver.app.screen is not driver.review

    run_review(script)


def test_the_edge_between_list_and_pane_moves() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("enter")
        pane = driver.review.pane
        assert pane is not None
        width = pane.outer_size.width
        await driver.press("less_than_sign", "less_than_sign")
        assert pane.outer_size.width > width
        await driver.press(*["greater_than_sign"] * 4)
        assert pane.outer_size.width < width

    run_review(script, size=(160, 30))


def test_the_pane_begins_with_who_when_from_where_on_what_and_how_it_ended() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("down", "down", "enter")
        pane = driver.review.pane
        assert pane is not None
        lines = pane.plain_text.split("\n")
        assert "user" in lines[1]
        assert "date" in lines[1]
        assert "source IP" in lines[2]
        assert "target" in lines[2]
        assert "outcome" in lines[3]

    run_review(script)


def test_a_copied_command_keeps_the_order() -> None:
    from audit_tui.ui.screens.copy_source import CopySource

    async def script(driver: Driver) -> None:
        shown = driver.review.event_list.shown
        source = CopySource(shown, range(0), Column.EVENT, (), ("audit-tui", "query"))
        assert source.command().endswith("--sort user --reverse")

    run_review(script, view=View(sort=Sort(Column.USER, descending=True)))


@pytest.mark.parametrize("size", [(40, 12), (40, 10), (80, 24)])
def test_the_command_line_has_room_to_type_in_on_a_small_terminal(size: tuple[int, int]) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("colon", *"zzqq")
        assert "zzqq" in driver.text()
        await driver.press(*["backspace"] * 4)
        assert "command, row" in driver.text()

    run_review(script, size=size)
