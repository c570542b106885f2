"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit_tui.core.event import to_us
from audit_tui.core.time.dates import MomentRange, Preset, TimeContext, TimeRange, resolve
from audit_tui.core.time.month import DayRange
from audit_tui.core.time.words import interval_of, parse_time, range_from_bounds, read_time
from audit_tui.errors import TimeError

BERLIN = ZoneInfo("Europe/Berlin")
# Sunday, 15:30 in Berlin.
NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
CONTEXT = TimeContext(BERLIN, NOW)


def berlin(*numbers: int) -> datetime:
    """A moment of the clocks in Berlin, in UTC."""
    year, month, day, hour, minute, second, microsecond = (*numbers, 0, 0, 0, 0)[:7]
    local = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=BERLIN)
    return local.astimezone(UTC)


def days(first: date, last: date | None = None) -> DayRange:
    """Whole days."""
    return DayRange(first, last or first)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("now", NOW),
        ("24h", NOW - timedelta(hours=24)),
        ("-24h", NOW - timedelta(hours=24)),
        ("+2h", NOW + timedelta(hours=2)),
        ("15m ago", NOW - timedelta(minutes=15)),
        ("90 s", NOW - timedelta(seconds=90)),
        ("3 days ago", NOW - timedelta(days=3)),
        ("2w", NOW - timedelta(weeks=2)),
        ("14:00", berlin(2026, 11, 22, 14)),
        ("9:05:07.5", berlin(2026, 11, 22, 9, 5, 7, 500_000)),
        ("today 09:00", berlin(2026, 11, 22, 9)),
        ("Yesterday 14:00", berlin(2026, 11, 21, 14)),
        ("today", days(date(2026, 11, 22))),
        ("yesterday", days(date(2026, 11, 21))),
        ("2026-11-01", days(date(2026, 11, 1))),
        ("2026-11-01 14:00", berlin(2026, 11, 1, 14)),
        ("2026-11-01T14:00:05.25Z", datetime(2026, 11, 1, 14, 0, 5, 250_000, tzinfo=UTC)),
        ("2026-11-01T14:00+01:00", datetime(2026, 11, 1, 13, tzinfo=UTC)),
        ("2026-11", days(date(2026, 11, 1), date(2026, 11, 30))),
        ("2026-2", days(date(2026, 2, 1), date(2026, 2, 28))),
        ("2025", days(date(2025, 1, 1), date(2025, 12, 31))),
        ("Feb 21", days(date(2026, 2, 21))),
        ("21 february", days(date(2026, 2, 21))),
        ("Dec. 24", days(date(2025, 12, 24))),
        ("Nov 22", days(date(2026, 11, 22))),
        ("Feb 29", days(date(2024, 2, 29))),
        ("Feb 21 2025", days(date(2025, 2, 21))),
        ("Feb 21, 14:00", berlin(2026, 2, 21, 14)),
        ("Feb 21..Feb 22", days(date(2026, 2, 21), date(2026, 2, 22))),
        ("2026-10..2026-11-03", days(date(2026, 10, 1), date(2026, 11, 3))),
        ("14:00..15:00", MomentRange(berlin(2026, 11, 22, 14), berlin(2026, 11, 22, 15))),
        ("2h..1h", MomentRange(NOW - timedelta(hours=2), NOW - timedelta(hours=1))),
        ("Feb 21..", MomentRange(berlin(2026, 2, 21), None)),
        ("this-week", Preset.THIS_WEEK),
        ("Last 30 Days", Preset.LAST_30_DAYS),
        ("1767225600", datetime(2026, 1, 1, tzinfo=UTC)),
        ("1767225600.5", datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("1767225600123", datetime(2026, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC)),
        ("1767225600123456", datetime(2026, 1, 1, 0, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_a_time_means_this(text: str, value: datetime | TimeRange) -> None:
    assert read_time(text, CONTEXT) == value
    assert read_time(f"  {text.upper()} ", CONTEXT) == value


WRONG = (
    *("", "   ", "tomorrow", "soon", "24", "12345678", "24x", "25:00", "14:60", "14:00:61", "Feb 30"),
    *("Fev 21", "2026-13", "2026-11-31", "0000", "0000-01-01", "--24h", "Juneau 4", "a..b", "Feb 0"),
    *("2026-11-03..2026-11-01", "999999999w", "today 14", "1e9", "\u0661\u0662:\u0660\u0660"),
    *("2026-11-01 14:00+99:00", "5 fortnights ago", "x" * 10_000, "9" * 5_000, "2026-11-01\x1b[31m"),
)


@pytest.mark.parametrize("text", WRONG)
def test_anything_else_gets_an_error_with_examples(text: str) -> None:
    with pytest.raises(TimeError) as caught:
        read_time(text, CONTEXT)
    assert len(caught.value.message) < 200
    assert caught.value.hint


@given(st.text(max_size=30) | st.text("0123456789-: .hmsdTZ+agofeb", max_size=20))
@example("0001-01-01 00:00+14:00")
@example("9999-12-31 23:59-12:00")
def test_any_text_is_a_time_or_a_time_error(text: str) -> None:
    try:
        value = read_time(text, CONTEXT)
    except TimeError:
        return
    interval_of(value, CONTEXT)
    try:
        parse_time(text, CONTEXT)
    except TimeError as error:
        assert "no beginning" in error.message


@pytest.mark.parametrize(
    ("since", "until", "first", "end"),
    [
        ("24h", None, NOW - timedelta(hours=24), None),
        (None, "2h", None, NOW - timedelta(hours=2)),
        ("2026-11", None, berlin(2026, 11, 1), None),
        (None, "2026-11", None, berlin(2026, 12, 1)),
        ("yesterday", None, berlin(2026, 11, 21), None),
        ("yesterday", "today", berlin(2026, 11, 21), berlin(2026, 11, 23)),
        ("yesterday 14:00", "14:00", berlin(2026, 11, 21, 14), berlin(2026, 11, 22, 14)),
        ("Feb 21..Feb 22", "", berlin(2026, 2, 21), berlin(2026, 2, 23)),
        ("Feb 21..Feb 22", "Mar 1", berlin(2026, 2, 21), berlin(2026, 3, 2)),
        ("this-week", None, berlin(2026, 11, 16), None),
        (None, "last-month", None, berlin(2026, 11, 1)),
        ("all-time", None, None, None),
    ],
)
def test_a_range_between_two_words(
    since: str | None, until: str | None, first: datetime | None, end: datetime | None
) -> None:
    interval = resolve(range_from_bounds(since, until, CONTEXT), CONTEXT)
    assert interval.start_us == (None if first is None else to_us(first))
    assert interval.end_us == (None if end is None else to_us(end))


def test_the_day_of_a_word_is_its_first() -> None:
    assert parse_time("2026-11", CONTEXT) == date(2026, 11, 1)
    assert parse_time("this-week", CONTEXT) == date(2026, 11, 16)
    assert parse_time("24h", CONTEXT) == NOW - timedelta(hours=24)
    with pytest.raises(TimeError):
        parse_time("all-time", CONTEXT)
