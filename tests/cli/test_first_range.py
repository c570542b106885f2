"""The range that is shown first where nobody chose one."""

from __future__ import annotations

from datetime import UTC

import pytest

from audit_tui.cli.options import EventsChoice, with_events
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import parse_condition
from audit_tui.core.time.dates import Preset, TimeContext
from audit_tui.core.view import View
from tests.cli.running import NOW, at
from tests.ui.fake_reader import FakeReader

CONTEXT = TimeContext(UTC, NOW, 0)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((), Preset.LAST_30_DAYS),
        (("2026-11-22 13:00",), Preset.LAST_30_DAYS),
        (("2026-10-24 00:00",), Preset.LAST_30_DAYS),
        (("2026-10-23 23:59",), Preset.ALL_TIME),
        (("2025-01-01 00:00", "2026-10-01 00:00"), Preset.ALL_TIME),
        (("2030-01-01 00:00",), Preset.ALL_TIME),
        (("2030-01-01 00:00", "2026-11-20 00:00"), Preset.LAST_30_DAYS),
        (("2030-01-01 00:00", "2020-01-01 00:00"), Preset.ALL_TIME),
    ],
)
def test_all_time_only_where_the_usual_range_has_nothing(times: tuple[str, ...], expected: Preset) -> None:
    reader = FakeReader([AuditEvent("E", at(time), key=time) for time in times])
    shown, notice = with_events(EventsChoice(View(), CONTEXT), reader)
    assert shown.view == View(time_range=expected)
    assert notice == ("" if expected is Preset.LAST_30_DAYS else "nothing in Last 30 Days")


def test_what_was_chosen_stays() -> None:
    reader = FakeReader([AuditEvent("E", at("2020-01-01 00:00"))])
    chosen = EventsChoice(View(), CONTEXT, is_range_default=False)
    assert with_events(chosen, reader) == (chosen, "")


def test_a_filter_that_finds_nothing_changes_no_range() -> None:
    reader = FakeReader([AuditEvent("E", at("2026-11-20 00:00"))])
    chosen = EventsChoice(View(parse_condition("event=none")), CONTEXT)
    assert with_events(chosen, reader) == (chosen, "")
