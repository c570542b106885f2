"""The command line that is copied, read again by a shell and by the commands themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.cli.options import EventsChoice, events_options
from audit_tui.cli.session import Session
from audit_tui.core.columns import NAME_COLUMNS, Column
from audit_tui.core.command_text import event_options, shell_line
from audit_tui.core.event import from_us
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import NAME_OPERATORS
from audit_tui.core.flat_filter import FlatFilter, Match
from audit_tui.core.query_line.text import normal
from audit_tui.core.time.dates import MomentRange, Preset, TimeContext, resolve
from audit_tui.core.time.month import DayRange
from audit_tui.core.view import View
from audit_tui.errors import UsageError
from tests.payloads import PAYLOADS, UNSAFE

if TYPE_CHECKING:
    from datetime import tzinfo

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.integers(631_152_000_000_000, 2_524_608_000_000_000).map(from_us)
DAYS = st.dates(date(1990, 1, 1), date(2050, 1, 1))
RANGES = st.one_of(
    st.sampled_from(Preset),
    st.tuples(DAYS, DAYS).map(lambda days: DayRange(min(days), max(days))),
    st.tuples(MOMENTS, MOMENTS).map(lambda at: MomentRange(min(at), max(at))),
    MOMENTS.map(lambda at: MomentRange(at, None)),
    MOMENTS.map(lambda at: MomentRange(None, at)),
)
VALUES = st.none() | st.text(min_size=1, max_size=20) | st.sampled_from(["=", "!=", "a'b", "-x", "$(x)"])
VIEWS = st.builds(
    View,
    st.builds(
        FlatFilter,
        st.sampled_from(Match),
        st.lists(
            st.builds(Condition, st.sampled_from(NAME_COLUMNS), st.sampled_from(NAME_OPERATORS), VALUES)
        ).map(tuple),
    ).map(FlatFilter.expression),
    RANGES,
)


def read_back(words: list[str]) -> EventsChoice:
    """The view that the commands understand."""
    parsed: list[EventsChoice] = []

    @click.command()
    @events_options
    def command(choice: EventsChoice) -> None:
        parsed.append(choice)

    result = CliRunner().invoke(command, words, obj=Session(clock=lambda: NOW), standalone_mode=False)
    assert result.exception is None, result.exception
    return parsed[0]


@given(VIEWS, st.sampled_from([UTC, BERLIN, timezone(timedelta(hours=5, minutes=30))]))
def test_the_options_choose_the_same_events(view: View, zone: tzinfo) -> None:
    context = TimeContext(zone, NOW)
    choice = read_back(event_options(view, context))
    assert choice.view.filter == normal(view.filter)
    assert resolve(choice.view.time_range, choice.context) == resolve(view.time_range, context)
    if isinstance(view.time_range, Preset):
        assert choice.view.time_range is view.time_range
    assert choice.context.zone == zone


def test_it_reads_as_one_would_type_it() -> None:
    filter_ = FlatFilter(
        Match.ANY,
        (
            Condition(Column.CATEGORY, NAME_OPERATORS[0], "Roles"),
            Condition(Column.USER, NAME_OPERATORS[1], "o'neil"),
            Condition(Column.USER, NAME_OPERATORS[0], None),
        ),
    )
    line = shell_line(event_options(View(filter_.expression(), Preset.LAST_MONTH), TimeContext(BERLIN, NOW)))
    assert line == (
        "-q 'category=Roles or user!=o'\"'\"'neil or user=' --range last-month --tz Europe/Berlin"
    )
    days = View(time_range=DayRange(date(2026, 11, 1), date(2026, 11, 3)))
    assert event_options(days, TimeContext(UTC, NOW)) == [
        *("--since", "2026-11-01", "--until", "2026-11-03", "--tz", "UTC")
    ]


@pytest.mark.parametrize("payload", [text for text in PAYLOADS if "\0" not in text and "\ud800" not in text])
def test_a_shell_reads_it_and_a_terminal_sees_nothing_in_it(payload: str) -> None:
    line = shell_line(
        [sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", payload, "'\\"]
    )
    assert not UNSAFE.search(line)
    printed = subprocess.run(
        ["bash", "-c", line], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    ).stdout
    assert json.loads(printed) == [payload, "'\\"]


@pytest.mark.parametrize("value", ["nul\0", "half \ud800"])
def test_what_no_argument_can_hold_is_said(value: str) -> None:
    with pytest.raises(UsageError):
        shell_line(["--filter", f"user={value}"])


def test_an_empty_text_is_not_taken_for_a_missing_one() -> None:
    view = View(Condition(Column.USER, NAME_OPERATORS[0], ""))
    assert event_options(view, TimeContext(UTC, NOW))[:2] == ["-q", 'user=""']
