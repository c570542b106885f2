"""Selected and marked events are taken out: by an export that says which, and by a case file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.command_text import read_link
from audit_tui.core.export import ExportResult
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.errors import UsageError
from tests.ui.fake_reader import FakeReader
from tests.ui.review_app import Driver, account, run_review

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.export import ExportJob
    from audit_tui.core.investigate.notebook import CaseJob

ALL_TIME = View(time_range=Preset.ALL_TIME)


class Exported:
    """An exporter that notes the numbers of the events that it is asked to write."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    def __call__(
        self, job: ExportJob, on_progress: Callable[[int], None], cancel: CancelToken
    ) -> ExportResult:
        self.seqs = [row.seq for row in FakeReader(account()).result(job.query)]
        return ExportResult(job.path, len(self.seqs))


def test_the_selected_rows_are_chosen_first_and_it_says_so(tmp_path: Path) -> None:
    exporter = Exported()

    async def script(driver: Driver) -> None:
        await driver.press("j", "v", "j", "j", "X")
        text = driver.text()
        assert "3 selected" in text
        assert "The 3 selected events, newest first." in text
        await driver.press("enter")
        assert exporter.seqs == [999, 998, 997]

    run_review(script, view=ALL_TIME, exporter=exporter, folder=tmp_path)


def test_the_marked_rows_are_offered_beside_all(tmp_path: Path) -> None:
    exporter = Exported()

    async def script(driver: Driver) -> None:
        await driver.press("m", "j", "j", "m", "equals_sign", "X")
        assert "All 200 events of the view" in driver.text()
        await driver.press("tab", "right")
        assert "The 2 marked events, newest first." in driver.text()
        await driver.press("shift+tab", "enter")
        assert exporter.seqs == [1000, 998]

    run_review(script, view=ALL_TIME, exporter=exporter, folder=tmp_path)


def test_a_case_has_the_marks_the_notes_and_the_queries(tmp_path: Path) -> None:
    jobs: list[CaseJob] = []

    def write(job: CaseJob) -> int:
        jobs.append(job)
        return len(job.marks)

    async def script(driver: Driver) -> None:
        await driver.press("j", "m", "equals_sign", "j", "a", *"odd", "enter", "dollar_sign")
        assert "Case file of 2 marked events" in driver.text()
        await driver.press("enter")
        assert "Wrote 2 events to " in driver.text()
        (job,) = jobs
        assert job.path.name == "case-2026-11-22.html"
        assert {note for _, note in job.marks} == {"", "odd"}
        (search,) = job.searches
        assert search.line.startswith("event=")
        assert read_link(search.link).left.view == driver.review.view

    run_review(script, view=ALL_TIME, folder=tmp_path, write_case=write)


def test_a_case_of_nothing_and_one_that_fails(tmp_path: Path) -> None:
    def write(_: CaseJob) -> int:
        raise UsageError("Something is in the way.")

    async def script(driver: Driver) -> None:
        await driver.press("dollar_sign")
        assert "Nothing is marked: m marks an event." in driver.text()
        await driver.press("m", "dollar_sign", "enter")
        assert "Something is in the way." in driver.text()

    run_review(script, view=ALL_TIME, folder=tmp_path, write_case=write)
