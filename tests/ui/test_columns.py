"""The columns of the list: chosen, ordered, sized, kept, and followed by copies and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.config import Settings, keep_columns, load
from audit_tui.core.columns import LISTABLE_COLUMNS, Column
from audit_tui.core.event_text import tabbed_row
from audit_tui.core.filter.filters import Condition, MetaField
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import NEWEST_FIRST, EventQuery, Sort
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import ListedColumn, View
from audit_tui.errors import ConfigError
from audit_tui.ui.screens.columns_dialog import ColumnsDialog
from audit_tui.ui.screens.export_dialog import ExportDialog
from audit_tui.ui.screens.review import changing
from audit_tui.ui.screens.text_dialog import TextDialog
from tests.payloads import PAYLOADS
from tests.ui.fake_reader import FakeReader
from tests.ui.review_app import Driver, account, run_review

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.columns import ListColumn
    from audit_tui.core.event_fields import ListField

ALL_TIME = View(time_range=Preset.ALL_TIME)
SIZES = [(80, 24), (160, 50), (40, 12)]


def heads(driver: Driver) -> str:
    return driver.lines()[driver.review.table.region.y]


def boxes(driver: Driver) -> list[ListField]:
    return [box.column for box in driver.review.table._row_text.boxes]


@pytest.mark.parametrize("size", SIZES)
def test_a_column_is_added_and_undone(size: tuple[int, int]) -> None:
    async def script(driver: Driver) -> None:
        before = heads(driver)
        await driver.press("C", *["j"] * 7, "space", "enter")
        assert [column.field for column in driver.review.view.columns][-1] is Column.SOURCE_IP
        if size[0] > 40:
            assert "Source IP" in heads(driver)
            assert "10.20.4.7" in driver.text()
        await driver.press("u")
        assert heads(driver) == before
        assert driver.review.view == ALL_TIME
        await driver.press("ctrl+r")
        assert Column.SOURCE_IP in driver.review.fields

    run_review(script, view=ALL_TIME, size=size)


def test_order_and_width_are_the_users() -> None:
    async def script(driver: Driver) -> None:
        width = driver.review.event_list.column_cells[Column.USER] + 4
        await driver.press("C", "j", "j", "less_than_sign", "less_than_sign", "plus", "plus", "enter")
        columns = driver.review.view.columns
        assert columns[0] == ListedColumn(Column.USER, width)
        assert [column.field for column in columns[1:3]] == [Column.EVENT, Column.CATEGORY]
        assert driver.review.table._row_text.boxes[0].width == width
        await driver.press("C", "0", *["minus"] * 20, "enter")
        assert driver.review.table._row_text.boxes[0].width == 4
        await driver.press("C", "0", "escape")
        assert driver.review.table._row_text.boxes[0].width == 4
        await driver.press("C", "0", "enter")
        assert driver.review.view.columns[0].width is None

    run_review(script, view=ALL_TIME, size=(160, 24))


def test_a_metadata_field_is_a_column_and_narrows() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("C", "m", *"model i", "enter", "enter")
        field = MetaField("Model ID")
        assert driver.review.fields[5] == field
        assert "meta.Model ID" in heads(driver)
        assert "m-4f19c2" in driver.text()
        await driver.press(*["l"] * 9, "s")
        assert driver.review.view.sort == Sort(field, descending=False)
        assert "by meta.Model ID" in driver.text()
        await driver.press("home")
        result = FakeReader(account()).result(driver.review.event_list.shown.query)
        highlighted = driver.review.table.highlighted
        assert highlighted is not None
        assert highlighted.seq == result[0].seq
        await driver.press("end")
        highlighted = driver.review.table.highlighted
        assert highlighted is not None
        assert highlighted.seq == result[-1].seq
        await driver.press("home")
        await driver.press("u")
        assert driver.review.view.sort == NEWEST_FIRST
        await driver.press("equals_sign")
        assert driver.review.view.in_force == Condition(field, IS, "m-4f19c2")
        await driver.press("X")
        dialog = driver.app.screen
        assert isinstance(dialog, ExportDialog)
        assert dialog._exported.keys == driver.review.fields
        assert len(driver.review.fields) == 6

    run_review(script, view=ALL_TIME, size=(160, 24), exporter=lambda *_: pytest.fail("not asked for"))


def test_one_column_stays_and_escape_changes_nothing() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("C", *["space", "j"] * 5, "space")
        dialog = driver.app.screen
        assert isinstance(dialog, ColumnsDialog)
        await driver.press("k", "space")
        assert "One column stays" in driver.text() or "●" in driver.text()
        await driver.press("escape")
        assert driver.review.view == ALL_TIME

    run_review(script, view=ALL_TIME)


@pytest.mark.parametrize("size", SIZES)
def test_by_the_mouse(size: tuple[int, int]) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("C")
        lines = driver.lines()
        line = next(y for y, text in enumerate(lines) if "● Category" in text)
        await driver.pilot.click(offset=(lines[line].index("Category"), line))
        await driver.settle()
        assert "● Category" not in driver.text()
        lines = driver.lines()
        line = next(y for y, text in enumerate(lines) if "Apply" in text)
        await driver.pilot.click(offset=(lines[line].index("Apply") + 1, line))
        await driver.settle()
        assert Column.CATEGORY not in driver.review.fields
        assert len(driver.review.fields) == 4

    run_review(script, view=ALL_TIME, size=size)


def test_they_are_kept_in_the_settings_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.toml"
    monkeypatch.setenv("AUDIT_TUI_CONFIG", str(config))
    config.write_text('# mine\nzone = "UTC"\n[keys]\nquit = "Q"\n')

    async def script(driver: Driver) -> None:
        await driver.press("C", "space", "s")
        assert Column.EVENT not in driver.review.fields

    run_review(script, view=ALL_TIME)
    settings = load().settings
    assert settings.columns == (Column.CATEGORY, Column.USER, Column.TIME, Column.DESCRIPTION)
    assert settings.zone == "UTC"
    assert "# mine" in config.read_text()


@pytest.mark.parametrize(
    "text", ["", "zone = 'UTC'\n", "columns = ['user']\n[keys]\nquit = 'Q'\n", "\ufeffmouse = true"]
)
def test_the_line_of_the_columns_is_written(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a" / "config.toml"
    path.parent.mkdir()
    path.write_text(text)
    environment = {"AUDIT_TUI_CONFIG": str(path)}
    before = load(environment).settings
    columns = (ListedColumn(Column.SEQ), ListedColumn(MetaField('a "b"\n\x1b=ü'), 31))
    keep_columns(columns, environment)
    after = load(environment).settings
    assert after.listed_columns == columns
    assert (after.zone, after.mouse, after.keys) == (before.zone, before.mouse, before.keys)


def test_columns_over_several_lines_are_left_to_the_user(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("columns = [\n  'user',\n]\n")
    with pytest.raises(ConfigError, match="could not be written"):
        keep_columns([ListedColumn(Column.TIME)], {"AUDIT_TUI_CONFIG": str(path)})
    assert path.read_text() == "columns = [\n  'user',\n]\n"


def test_metadata_columns_of_the_settings_have_their_texts() -> None:
    async def script(driver: Driver) -> None:
        assert "m-4f19c2" in driver.text()
        await driver.press("0", "equals_sign")
        assert "m-4f19c2" in driver.text()

    run_review(script, view=ALL_TIME, settings=Settings(columns=(Column.TIME, MetaField("Model ID"))))


def test_every_column_shows_and_commands_nothing() -> None:
    fields: tuple[ListField, ...] = (*LISTABLE_COLUMNS, MetaField("x"))

    async def script(driver: Driver) -> None:
        assert boxes(driver) == list(fields)
        assert not any(character in driver.text() for character in "\x1b\x07\x9b\u202e")
        row = driver.review.table.highlighted
        assert row is not None
        text = tabbed_row(row, driver.review.fields, driver.review.context)
        assert text.count("\t") == len(fields) - 1
        assert "\x1b" not in text

    events = [
        event.__class__(
            payload, event.occurred_us, user=payload, target=payload, source=payload, source_ip=payload,
            metadata={"x": payload},
        )
        for event, payload in zip(account(), PAYLOADS, strict=False)
    ]  # fmt: skip
    run_review(script, events, view=ALL_TIME, size=(400, 24), settings=Settings(columns=fields))


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_sort_that_reads_too_many_events_says_so_before(
    is_wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "MOST_SORTED_EVENTS", 999)

    async def script(driver: Driver) -> None:
        driver.review.table.cursor_column = 1
        await driver.press("s")
        assert isinstance(driver.app.screen, TextDialog)
        assert "All 1,000 events' metadata must be read" in driver.text()
        if is_wanted:
            await driver.press("enter")
            assert driver.review.view.sort.column == field
            await driver.press("u")
        else:
            await driver.press("escape")
        assert driver.review.view.sort == Sort()

    field = MetaField("Model ID")
    run_review(script, view=ALL_TIME, size=(100, 24), settings=Settings(columns=(Column.TIME, field)))


@pytest.mark.parametrize(
    "column", [Column.OUTCOME, Column.SEVERITY, Column.SOURCE_IP, Column.TARGET, Column.SOURCE, Column.SEQ]
)
def test_every_column_sorts(column: ListColumn) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("s")
        assert driver.review.view.sort == Sort(column, descending=False)
        assert f"by {column.words}" in driver.text()
        await driver.press("g")
        assert driver.review.table.highlighted == first

    events = account()[:60]
    first = FakeReader(events).result(EventQuery(sort=Sort(column, descending=False)))[0]
    run_review(
        script, events, view=ALL_TIME, size=(100, 24), settings=Settings(columns=(column, Column.TIME))
    )
