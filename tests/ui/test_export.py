"""The Export dialog: what it writes, what it says meanwhile, and what it leaves behind."""

from __future__ import annotations

import json
import re
from itertools import count
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input, Static

from audit_tui.config import Settings
from audit_tui.core.columns import COLUMNS, Column, ListColumn
from audit_tui.core.export import ExportResult, Format
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import EventQuery, RowCount
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.errors import FileError, FileExists, StoreDamaged
from audit_tui.output.writers import FileExporter
from audit_tui.ui.screens.export_dialog import ExportDialog, Exported
from tests.payloads import PAYLOADS, UNSAFE
from tests.ui.fake_reader import FakeReader
from tests.ui.review_app import Driver, account, run_review
from tests.ui.waiting import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.export import ExportJob

ALL_TIME = View(time_range=Preset.ALL_TIME)


class Source(FakeReader):
    """Gives all events of a result, as a store does."""

    def events_of(self, query: EventQuery) -> Iterator[AuditEvent]:
        for row in self.result(query):
            event = self.event(row.seq)
            assert event is not None
            yield event


class Streamed:
    """The source as an export reads it."""

    def __init__(self, events: Sequence[AuditEvent]) -> None:
        self._source = Source(events)

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        return self._source.events_of(query)

    def close(self) -> None:
        self._source.close()


def file_exporter(events: Sequence[AuditEvent]) -> FileExporter:
    return FileExporter(lambda: Streamed(events))


class Jobs:
    """Takes jobs, and does with each what the test says."""

    def __init__(self, do: Callable[[ExportJob, Callable[[int], None], CancelToken], None]) -> None:
        self.taken: list[ExportJob] = []
        self._do = do

    def __call__(
        self, job: ExportJob, on_progress: Callable[[int], None], cancel: CancelToken
    ) -> ExportResult:
        self.taken.append(job)
        self._do(job, on_progress, cancel)
        return ExportResult(job.path, 1204)


def message_of(driver: Driver) -> str:
    """Return what the dialog says, in one line however it is wrapped."""
    return str(driver.app.screen.query_one("#message", Static).content)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the program was started."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("key", ["X", "ctrl+e"])
def test_what_is_shown_is_written_and_nothing_else(key: str, folder: Path) -> None:
    events = account(200)
    view = View(Condition(Column.CATEGORY, IS, "Roles"), Preset.ALL_TIME)

    async def script(driver: Driver) -> None:
        await driver.press("l", "l", "s", key)
        assert "All 40 events of the view, by user." in driver.text()
        assert message_of(driver).endswith(f"\nIn {folder}, readable by you alone.")
        await driver.press(*["backspace"] * len("events-2026-11-22"), *"mine", "down", "right", "enter")
        assert message_of(driver) == f"Exported 40 events to {folder}/mine.jsonl."
        shown = [row.seq for row in Source(events).result(driver.review.event_list.shown.query)]
        lines = (folder / "mine.jsonl").read_text().splitlines()
        assert [json.loads(line)["seq"] for line in lines] == shown
        assert (folder / "mine.jsonl").stat().st_mode & 0o777 == 0o600
        await driver.press("enter")
        assert driver.app.screen is driver.review

    run_review(script, events, size=(160, 30), view=view, exporter=file_exporter(events))


def test_columns_are_all_or_those_of_the_list(folder: Path) -> None:
    events = account(3)
    columns: tuple[ListColumn, ...] = (Column.TIME, Column.EVENT, Column.USER)

    async def script(driver: Driver) -> None:
        await driver.press("X")
        assert "● all 13  ○ the 3 of the list" in driver.text()
        await driver.press("down", "down", "right", "enter")
        assert (folder / "events-2026-11-22.csv").read_text().splitlines()[0] == "time,event,user"
        await driver.press("escape", "X", "end", *["backspace"] * 4, *".md", "enter")
        head = (folder / "events-2026-11-22.md").read_text().splitlines()[0]
        assert head.count("|") == len(COLUMNS) + 1

    settings = Settings(columns=columns)
    run_review(script, events, settings=settings, view=ALL_TIME, exporter=file_exporter(events))


def test_the_ending_and_the_format_follow_each_other() -> None:
    jobs = Jobs(lambda job, progress, cancel: None)

    async def script(driver: Driver) -> None:
        await driver.press("X", "end", *["backspace"] * 4, *".json")
        assert "● JSON  " in driver.text()
        await driver.press("tab", "right")
        assert "events-2026-11-22.md" in driver.text()
        await driver.press("right", "enter")
        [job] = jobs.taken
        assert (job.path.name, job.writing.format) == ("events-2026-11-22.csv", Format.CSV)
        assert job.writing.columns == COLUMNS
        assert not job.writing.is_raw

    run_review(script, exporter=jobs)


def test_a_file_that_is_there_is_replaced_only_when_asked_again(folder: Path) -> None:
    events = account(3)
    launch_folder = folder / "events-2026-11-22.csv"
    launch_folder.write_text("event,user\n")

    async def script(driver: Driver) -> None:
        await driver.press("X", "enter")
        assert message_of(driver).endswith("exists already. ⏎ again replaces it.")
        assert launch_folder.read_text() == "event,user\n"
        await driver.press("escape", "X", "enter", "enter")
        assert "Exported 3 events" in driver.text()
        assert launch_folder.read_text().startswith("seq,")
        assert [path.name for path in folder.iterdir()] == [launch_folder.name]

    run_review(script, events, size=(160, 30), view=ALL_TIME, exporter=file_exporter(events))


def test_another_name_is_asked_for_anew() -> None:
    def in_the_way(job: ExportJob, _: object, __: object) -> None:
        if not job.may_replace:
            raise FileExists(f"{job.path} is there already.")

    jobs = Jobs(in_the_way)

    async def script(driver: Driver) -> None:
        await driver.press("X", "enter", "2", "enter", "enter")
        assert [job.may_replace for job in jobs.taken] == [False, False, True]

    run_review(script, exporter=jobs)


@pytest.mark.parametrize("how", ["escape", "ctrl+c", "click"])
def test_writing_is_told_and_cancelled_and_leaves_nothing(how: str, folder: Path) -> None:
    go_on = Gate()
    events = account(2000, 1)

    class Slow(Streamed):
        def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
            for number, event in enumerate(super().events(query, cancel)):
                if number == 600:
                    go_on.pass_through()
                yield event

    async def script(driver: Driver) -> None:
        await driver.pilot.press("X", "enter")
        await driver.until(lambda: go_on.is_reached)
        await driver.settle()
        assert re.search(r"Writing: [\d,]+ of 2,000", driver.text())
        assert "Esc cancels; nothing is left behind" in driver.text()
        assert len(list(folder.iterdir())) == 1
        if how == "click":
            await driver.pilot.click("#cancel")
        else:
            await driver.pilot.press(how)
        go_on.open()
        await driver.settle()
        assert "Cancelled; nothing was written." in driver.text()
        assert not list(folder.iterdir())
        await driver.press("escape")
        assert driver.app.screen is driver.review

    run_review(script, events, view=ALL_TIME, exporter=FileExporter(lambda: Slow(events)))


def test_quitting_ends_an_export(folder: Path) -> None:
    writing = Gate()
    events = account(2000, 1)

    def until_cancelled(job: ExportJob, _: object, cancel: CancelToken) -> None:
        with cancel.interrupting(writing.open):
            writing.pass_through()

    async def script(driver: Driver) -> None:
        await driver.pilot.press("X", "enter")
        await driver.until(lambda: writing.is_reached)
        await driver.pilot.press("ctrl+q")

    run_review(script, events, exporter=Jobs(until_cancelled))
    assert not list(folder.iterdir())


def test_progress_is_shown_at_most_twice_a_second(folder: Path) -> None:
    tenths = count()
    told: list[int] = []

    def report(_: object, on_progress: Callable[[int], None], __: object) -> None:
        for events in range(0, 10_000, 100):
            on_progress(events)

    class Counting(ExportDialog):
        def _show_progress(self, events: int) -> None:
            told.append(events)
            super()._show_progress(events)

    async def script(driver: Driver) -> None:
        exported = Exported(driver.review.event_list.shown, RowCount(10_000, exact=True), (Column.EVENT,))
        dialog = Counting(Jobs(report), exported, folder, clock=lambda: next(tenths) / 10)
        driver.app.push_screen(dialog)
        await driver.press("enter")
        # 100 reports and what the clock was asked besides: some 12 seconds.
        assert 15 <= len(told) <= 25

    run_review(script)


@pytest.mark.parametrize(
    "error",
    [
        FileError("/full/x.csv cannot be written: No space left on device.", "Make room."),
        StoreDamaged("The store is damaged."),
        FileError("\n".join(PAYLOADS)),
    ],
)
def test_an_error_is_said_in_the_dialog_and_can_be_mended(error: Exception, folder: Path) -> None:
    failing = [error]

    def fail_once(*_: object) -> None:
        if failing:
            raise failing.pop()

    async def script(driver: Driver) -> None:
        await driver.press("X", "enter")
        assert "✗" in driver.text().split("Columns")[1]
        for line in driver.lines():
            assert not UNSAFE.search(line)
        await driver.press("enter")
        assert "Exported 1,204 events to" in driver.text()

    run_review(script, size=(100, 40), exporter=Jobs(fail_once))


@pytest.mark.parametrize("payload", [text for text in PAYLOADS if text.isprintable() and "/" not in text])
def test_a_name_is_only_a_name(payload: str, folder: Path) -> None:
    jobs = Jobs(lambda job, progress, cancel: None)

    async def script(driver: Driver) -> None:
        await driver.press("X")
        dialog = driver.app.screen
        dialog.query_one("#name", Input).value = payload
        await driver.press("enter")
        assert jobs.taken[0].path == folder / payload
        for line in driver.lines():
            assert not UNSAFE.search(line)

    run_review(script, exporter=jobs)


def test_a_name_is_needed_and_no_file_means_no_event() -> None:
    jobs = Jobs(lambda job, progress, cancel: None)

    async def script(driver: Driver) -> None:
        await driver.press("X", "ctrl+u", "ctrl+k", "enter")
        assert "Give the file a name." in driver.text()
        assert not jobs.taken

    run_review(script, exporter=jobs)


def test_where_nothing_exports_it_is_said() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("X")
        assert driver.app.screen is driver.review
        assert "cannot be exported" in driver.lines()[-2]

    run_review(script)


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (300, 80)])
def test_it_fits_and_works_by_mouse(size: tuple[int, int], folder: Path) -> None:
    events = account(3)

    async def script(driver: Driver) -> None:
        await driver.press("X")
        lines = driver.lines()
        assert "Export" in lines[next(y for y, line in enumerate(lines) if "Cancel" in line)]
        y, line = next((y, line) for y, line in enumerate(lines) if "Format" in line)
        at = line.index("○ md") if "○ md" in line else line.index("○ Markdown")
        await driver.pilot.click(offset=(at, y))
        await driver.pilot.click("#export")
        await driver.settle()
        assert [path.suffix for path in folder.iterdir()] == [".md"]
        await driver.pilot.click("#export")
        await driver.settle()
        assert driver.app.screen is driver.review

    run_review(script, events, size=size, view=ALL_TIME, exporter=file_exporter(events))
