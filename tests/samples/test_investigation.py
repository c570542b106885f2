"""An investigation of a real intrusion on the screen, by few keys; the answers are taken from the log."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from audit_tui import import_logs
from audit_tui.core.columns import Column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import EventQuery
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import Chip, View
from audit_tui.store.read.reader import StoreReader
from tests.formats.logs import SHARED
from tests.ui.review_app import Driver, run_review

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.event import AuditEvent

EVERYTHING = View(time_range=Preset.ALL_TIME)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("invictus") / "audit.db"
    import_logs([SHARED / "cloudtrail" / "invictus"], path)
    return path


@pytest.fixture(scope="module")
def account(store: Path) -> list[AuditEvent]:
    with StoreReader(store) as reader:
        return list(reader.events(EventQuery()))


def test_a_key_was_created_by_whom_and_what_else_did_they_do(store: Path, account: list[AuditEvent]) -> None:
    chip = Chip(Condition(Column.EVENT, IS, "CreateAccessKey"))
    created = next(event for event in account if event.event == "CreateAccessKey")
    place = account.index(created)
    by_same = [
        event
        for event in account
        if event.user == created.user and abs(event.occurred_at - created.occurred_at) <= HOUR
    ]

    async def script(driver: Driver) -> None:
        table = driver.review.table
        before = (driver.review.view, table.cursor_row, table.scroll_offset.y)
        await driver.press("x")
        assert table.cursor_row == place, "the newest first, as the reader gives them"
        lines = driver.lines()
        at = next(number for number, line in enumerate(lines) if "◂ here" in line)
        for number, event in ((at - 1, account[place - 1]), (at + 1, account[place + 1])):
            assert event.event[:5] in lines[number]
        await driver.press("p", "u")
        count = driver.review.event_list.count.value
        assert len(by_same) <= count <= len(by_same) + 20, "whole minutes: a few more"
        await driver.press("x")
        assert (driver.review.view, table.cursor_row, table.scroll_offset.y) == before

    run_review(
        script,
        view=View(time_range=Preset.ALL_TIME, chips=(chip,)),
        open_reader=lambda: StoreReader(store),
    )


def test_what_failed_most(store: Path, account: list[AuditEvent]) -> None:
    failed = Counter(event.event for event in account if event.outcome is Outcome.FAILURE)
    name, most = failed.most_common(1)[0]

    async def script(driver: Driver) -> None:
        await driver.press("i", "e", "S")
        assert driver.review.event_list.count.value == failed.total()
        lines = driver.lines()
        at = next(number for number, line in enumerate(lines) if "Event  " in line and "values" in line)
        assert name[:15] in lines[at + 1]
        assert str(most) in lines[at + 1]

    run_review(script, view=EVERYTHING, size=(120, 36), open_reader=lambda: StoreReader(store))
