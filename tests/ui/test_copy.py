"""Copies of the screen: their text, the place they go to, and that they harm nobody who pastes them."""

from __future__ import annotations

import json
import shlex
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.command_text import read_link
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import Any, Condition
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.left import Left
from audit_tui.core.query_line.parse import parse
from audit_tui.core.time.dates import Preset, resolve
from audit_tui.core.view import View
from audit_tui.errors import StoreDamaged
from audit_tui.ui.screens.copy_source import MAX_COPIED_ROWS, WITHOUT_ROWS, CopyForm, where_it_went
from audit_tui.ui.screens.menu import Menu
from audit_tui.ui.terminal.clipboard import Clipboard, CopyResult, Place
from tests.payloads import PAYLOADS, UNSAFE
from tests.ui.review_app import Driver, account, run_review
from tests.ui.test_hostile import hostile

if TYPE_CHECKING:
    from pathlib import Path

ALL_TIME = View(time_range=Preset.ALL_TIME)


class Pasted:
    """A terminal that takes what is copied, and nothing else."""

    def __init__(self, driver: Driver, directory: Path) -> None:
        self._sent: list[str] = []
        driver.review.clipboard = Clipboard(self._sent.append, directory, {})

    @property
    def text(self) -> str:
        """The last copy."""
        [*_, last] = self._sent
        return b64decode(last.removeprefix("\x1b]52;c;").removesuffix("\x07")).decode()

    @property
    def copies(self) -> int:
        return len(self._sent)


NEWEST = ("Login", "Login/Logout", "-", "2026-11-22 14:00:00 +00:00", "Did thing 999")


@pytest.mark.parametrize(
    ("keys", "text", "message"),
    [
        (("y", "y"), "Login", "Sent the event to"),
        (("c", "enter"), "Login", "Sent the event to"),
        (("l", "y", "y"), "Login/Logout", "Sent the category to"),
        (("right", "right", "right", "y", "y"), NEWEST[3], "Sent the date to"),
        (("y", "r"), "\t".join(NEWEST), "Sent 1 row to"),
        (("y", "down", "enter"), "\t".join(NEWEST), "Sent 1 row to"),
        (("y", "up", "up", "up", "up", "space"), None, "Sent 1 row as Markdown to"),
        (("y", "l"), None, "Sent the link to"),
        (
            ("y", "m"),
            "| Event | Category | User | Date (UTC) | Description |\n"
            "| --- | --- | --- | --- | --- |\n"
            "| Login | Login/Logout | - | 2026-11-22 14:00:00 | Did thing 999 |",
            "Sent 1 row as Markdown to",
        ),
        (("y", "c"), "audit-tui query -s /data/demo.db --range all-time --tz UTC", "Sent the command to"),
    ],
)
def test_each_form_is_one_key_away(
    keys: tuple[str, ...], text: str | None, message: str, tmp_path: Path
) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press(*keys)
        assert driver.app.screen is driver.review
        assert text is None or pasted.text == text
        assert f"{message} the terminal's clipboard" in driver.lines()[-2]

    run_review(script, view=ALL_TIME)


def test_an_empty_query_line_is_told_and_not_copied(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("y", "q")
        assert "its query line is empty" in driver.text()
        assert not pasted.copies

    run_review(script, view=ALL_TIME)


def test_the_query_line_and_the_link_mean_the_view(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("equals_sign", "j", "j", "y", "q")
        line = pasted.text
        query = parse(line, driver.review.context)
        assert query.filter == driver.review.view.in_force
        assert query.time_range is not None
        ranges = (query.time_range, driver.review.view.time_range)
        assert len({resolve(each, driver.review.context) for each in ranges}) == 1
        await driver.press("y", "l")
        link = read_link(pasted.text)
        assert link.left == Left(driver.review.view, driver.review.left.event, 0)

    run_review(script)


def test_json_is_the_event_as_the_commands_print_it(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("j", "y", "j")
        assert "\n" not in pasted.text
        event = json.loads(pasted.text)
        assert (event["seq"], event["metadata"]["Model ID"]) == (999, "m-4f19c2")

    run_review(script, view=ALL_TIME)


def test_a_row_is_copied_as_it_can_be_pasted_into_a_filter(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("j", "y", "r")
        assert pasted.text.startswith("API Key created\t")

    run_review(script, account(13), view=ALL_TIME)


def test_three_rows_go_into_a_ticket(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("j", "v", "j", "j")
        lines = driver.lines()
        assert [line[0] for line in lines[2:7]] == [" ", "▌", "▌", "▌", " "]
        assert "3 rows selected: y copies, Esc ends" in lines[-2]
        await driver.press("y")
        assert "Copy 3 events" in driver.text()
        await driver.press("r")
        rows = [line.split("\t") for line in pasted.text.split("\n")]
        assert [row[-1] for row in rows] == ["Did thing 998", "Did thing 997", "Did thing 996"]
        assert "Sent 3 rows to the terminal's clipboard" in driver.lines()[-2]
        assert not driver.review.table.is_selecting

    run_review(script, view=ALL_TIME)


@pytest.mark.parametrize(("form", "lines"), [("y", 4), ("r", 4), ("j", 4), ("m", 6), ("c", 1)])
def test_a_selection_upwards_is_copied_in_the_order_of_the_list(
    form: str, lines: int, tmp_path: Path
) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("end", "v", "up", "up", "up", "y", form)
        assert len(pasted.text.split("\n")) == lines
        if form == "j":
            assert [json.loads(line)["seq"] for line in pasted.text.split("\n")] == [4, 3, 2, 1]

    run_review(script, view=ALL_TIME)


def test_a_selection_ends_with_esc_with_v_and_with_another_result() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        for ending in ("escape", "v", "q", "s"):
            await driver.press("enter", "v", "down")
            assert len(table.taken_rows) == 2, ending
            await driver.press(ending)
            assert not table.is_selecting, ending
            assert "10.20.4.7" in driver.text(), "the pane is another layer"
            assert "selected" not in driver.lines()[-2], ending
            await driver.press("escape")
        assert driver.app.screen is driver.review

    run_review(script, size=(130, 40))


def test_too_many_rows_are_refused_not_cut(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("v", "end", "y", "r")
        assert "too much to copy" in driver.text()
        await driver.press("escape")
        driver.review.table.end_selection()
        driver.review.table.move_cursor(0)
        await driver.press("v")
        driver.review.table.move_cursor(MAX_COPIED_ROWS - 1)
        await driver.press("y", "y")
        assert len(pasted.text.split("\n")) == MAX_COPIED_ROWS
        assert pasted.copies == 1

    run_review(script, account(MAX_COPIED_ROWS + 1, 1), view=ALL_TIME)


def test_the_command_says_all_that_is_chosen(tmp_path: Path) -> None:
    conditions = (Condition(Column.CATEGORY, IS, "Roles"), Condition(Column.USER, IS_NOT, "x y"))
    view = View(Any(conditions), Preset.LAST_90_DAYS)

    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("y", "c")
        assert shlex.split(pasted.text)[4:] == [
            *("-q", 'category=Roles or user!="x y"'),
            *("--range", "last-90-days", "--tz", "Europe/Berlin"),
        ]

    run_review(script, view=view, zone="Europe/Berlin")


def test_the_menu_works_by_mouse_and_is_left_by_esc(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("y", "escape")
        assert driver.app.screen is driver.review
        await driver.press("y")
        at = next(y for y, line in enumerate(driver.lines()) if "Markdown" in line)
        await driver.pilot.click(offset=(30, at))
        await driver.settle()
        assert pasted.text.startswith("| Event |")
        assert pasted.copies == 1

    run_review(script)


def test_without_events_only_what_is_of_the_view_is_offered(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("v", "y", "r")
        assert isinstance(driver.app.screen, Menu)
        await driver.press("down", "enter")
        assert pasted.text.startswith("audit-tui query")

    run_review(script, [])


def test_an_error_is_a_calm_dialog(tmp_path: Path) -> None:
    is_broken = False

    def hook(name: str, _: object) -> None:
        if is_broken and name == "event":
            raise StoreDamaged("The store is damaged.", "Restore it.")

    async def script(driver: Driver) -> None:
        nonlocal is_broken
        pasted = Pasted(driver, tmp_path)
        is_broken = True
        await driver.press("y", "j")
        assert "The store is damaged." in driver.text()
        await driver.press("escape", "y", "y")
        assert pasted.copies == 1

    run_review(script, hook=hook)


def test_what_the_terminal_cannot_take_goes_to_a_file_and_the_file_is_named(tmp_path: Path) -> None:
    events = [AuditEvent("Big", account(1)[0].occurred_us, metadata={"x": "y" * 100_000})]

    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("y", "j")
        assert pasted.copies == 0
        [path] = tmp_path.iterdir()
        assert path.name in driver.text()
        assert json.loads(path.read_text())["metadata"] == {"x": "y" * 100_000}

    run_review(script, events, size=(160, 24), view=ALL_TIME)


@pytest.mark.parametrize("form", CopyForm)
def test_no_payload_survives_a_copy(form: CopyForm, tmp_path: Path) -> None:
    payloads = [payload for payload in PAYLOADS if "\0" not in payload and "\ud800" not in payload]
    conditions = tuple(Condition(Column.USER, IS, payload) for payload in payloads)
    view = View(Any(conditions), Preset.ALL_TIME)

    async def script(driver: Driver) -> None:
        pasted = Pasted(driver, tmp_path)
        await driver.press("v", "end", "y")
        for line in driver.lines():
            assert not UNSAFE.search(line), repr(line)
        await driver.press(form.value[0])
        lines = pasted.text.split("\n")
        assert not [line for line in lines if UNSAFE.search(line.replace("\t", ""))]
        lengths = dict.fromkeys(WITHOUT_ROWS, 1) | {CopyForm.MARKDOWN: len(payloads) + 2}
        assert len(lines) == lengths.get(form, len(payloads))
        assert not [cell for line in lines for cell in line.split("\t") if cell.startswith("=")] or (
            form is CopyForm.CELL
        ), "no formula for a spreadsheet"

    run_review(script, hostile(payloads), view=view)


@pytest.mark.parametrize("place", Place)
def test_where_a_copy_went_fits_the_status_line(place: Place) -> None:
    words = where_it_went("999 rows as Markdown", CopyResult(place, "It went to a long path."))
    assert len(words) <= 53
    assert bool(words) == (place not in (Place.FILE, Place.NOWHERE))
    assert ("clipboard" in words) == (place in (Place.TMUX_AND_TERMINAL, Place.TERMINAL))
