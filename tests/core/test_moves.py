"""Ranges made from others: earlier, nearer, from a row on, round a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import to_us
from audit_tui.core.query import Interval
from audit_tui.core.time.dates import MomentRange, Preset, TimeContext, TimeRange, resolve
from audit_tui.core.time.month import DayRange
from audit_tui.core.time.moves import around, beginning_at, between, ending_at, shifted, zoomed
from audit_tui.errors import TimeError

NOW = datetime(2026, 11, 22, 15, 0, 7, tzinfo=UTC)
CONTEXT = TimeContext(ZoneInfo("Europe/Berlin"), NOW)
SECOND_US = 1_000_000
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2025, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
DAYS = st.dates(date(1990, 1, 1), date(2025, 1, 1))


@pytest.mark.parametrize(
    ("time_range", "steps", "expected"),
    [
        (Preset.TODAY, -1, DayRange(date(2026, 11, 21), date(2026, 11, 21))),
        (Preset.LAST_MONTH, -1, DayRange(date(2026, 9, 1), date(2026, 9, 30))),
        (Preset.LAST_YEAR, -1, DayRange(date(2024, 1, 1), date(2024, 12, 31))),
        (Preset.LAST_30_DAYS, -1, DayRange(date(2026, 9, 24), date(2026, 10, 23))),
        (DayRange(date(2026, 2, 1), date(2026, 2, 28)), 1, DayRange(date(2026, 3, 1), date(2026, 3, 31))),
        (DayRange(date(2026, 2, 3), date(2026, 2, 4)), 1, DayRange(date(2026, 2, 5), date(2026, 2, 6))),
        (Preset.LAST_HOUR, -1, MomentRange(NOW - timedelta(hours=2), NOW - timedelta(hours=1))),
        (
            MomentRange(datetime(2026, 3, 1, 10, tzinfo=UTC), datetime(2026, 3, 1, 10, 30, tzinfo=UTC)),
            2,
            MomentRange(datetime(2026, 3, 1, 11, tzinfo=UTC), datetime(2026, 3, 1, 11, 30, tzinfo=UTC)),
        ),
    ],
)
def test_a_range_moves_by_its_length(time_range: TimeRange, steps: int, expected: TimeRange) -> None:
    assert shifted(time_range, CONTEXT, steps) == expected


@pytest.mark.parametrize(
    ("time_range", "steps", "words"),
    [
        (Preset.ALL_TIME, -1, "All Time cannot be moved."),
        (MomentRange(None, NOW), -1, "A range without beginning cannot be moved."),
        (Preset.TODAY, 1, "That is in the future."),
    ],
)
def test_what_cannot_be_moved_is_said(time_range: TimeRange, steps: int, words: str) -> None:
    with pytest.raises(TimeError) as caught:
        shifted(time_range, CONTEXT, steps)
    assert caught.value.message == words


@given(first=DAYS, length=st.integers(0, 400), steps=st.integers(1, 5))
def test_there_and_back_is_the_same_range_of_days(first: date, length: int, steps: int) -> None:
    days = DayRange(first, first + timedelta(days=length))
    earlier = shifted(days, CONTEXT, -steps)
    assert isinstance(earlier, DayRange)
    assert earlier.last < days.first
    if earlier.days == days.days:  # else months and years, of which a February may be as long as these days
        assert shifted(earlier, CONTEXT, steps) == days or days.days in (28, 29, 30, 31, 365, 366)


@given(start=MOMENTS, length_s=st.integers(1, 10**6), steps=st.integers(1, 5))
def test_moments_that_are_moved_touch(start: datetime, length_s: int, steps: int) -> None:
    end = start + timedelta(seconds=length_s)
    moved = MomentRange(start, end)
    for _ in range(steps):
        before, moved = resolve(moved, CONTEXT), shifted(moved, CONTEXT, -1)  # type: ignore[assignment]
        if isinstance(moved, DayRange):
            return
        assert resolve(moved, CONTEXT).end_us == before.start_us


@given(start=MOMENTS, length_s=st.integers(4, 10**8), share=st.floats(0, 1))
def test_zooming_keeps_the_moment_in_the_middle(start: datetime, length_s: int, share: float) -> None:
    start_us = to_us(start)
    at_us = start_us + int(share * length_s * SECOND_US)
    nearer = resolve(zoomed(Interval(start_us, start_us + length_s * SECOND_US), at_us, 0.5), CONTEXT)
    assert nearer.start_us is not None
    assert nearer.end_us is not None
    assert nearer.start_us <= at_us < nearer.end_us
    length_us = nearer.end_us - nearer.start_us
    half_us = length_s * SECOND_US // 2
    # Rounded to a unit of which it has at least twenty, and at last to seconds.
    assert abs(length_us - half_us) <= max(half_us // 20, SECOND_US)
    assert abs((nearer.start_us + nearer.end_us) // 2 - at_us) <= max(half_us // 20, SECOND_US) // 2 + 1
    assert (nearer.start_us % SECOND_US, nearer.end_us % SECOND_US) == (0, 0)


@given(at=MOMENTS, time_range=st.sampled_from([*Preset]) | st.builds(lambda day: DayRange(day, day), DAYS))
def test_an_end_that_is_set_keeps_the_event(at: datetime, time_range: TimeRange) -> None:
    at_us, before = to_us(at), resolve(time_range, CONTEXT)
    begins, ends = beginning_at(time_range, CONTEXT, at_us), ending_at(time_range, CONTEXT, at_us)
    for changed in (resolve(begins, CONTEXT), resolve(ends, CONTEXT)):
        assert (changed.start_us is None) or changed.start_us <= at_us
        assert (changed.end_us is None) or at_us < changed.end_us
    assert resolve(begins, CONTEXT).start_us == at_us
    assert resolve(ends, CONTEXT).end_us == at_us + (1 if at_us % SECOND_US else SECOND_US)
    if before.start_us is not None and before.start_us <= at_us:
        assert resolve(ends, CONTEXT).start_us == before.start_us


@given(at=MOMENTS, reach_s=st.sampled_from([600, 3_600, 86_400]))
def test_around_reaches_as_far_on_both_sides(at: datetime, reach_s: int) -> None:
    interval = resolve(around(to_us(at), reach_s), CONTEXT)
    start = (at - timedelta(seconds=reach_s)).replace(second=0, microsecond=0)
    end = (at + timedelta(seconds=reach_s + 60)).replace(second=0, microsecond=0)
    assert interval == Interval(to_us(start), to_us(end))


@given(first=DAYS, length=st.integers(0, 40))
def test_between_midnights_are_days(first: date, length: int) -> None:
    days = DayRange(first, first + timedelta(days=length))
    interval = resolve(days, CONTEXT)
    assert interval.start_us is not None
    assert interval.end_us is not None
    assert between(interval.start_us, interval.end_us, CONTEXT) == days
    moments = between(interval.start_us + 1, interval.end_us, CONTEXT)
    assert resolve(moments, CONTEXT) == Interval(interval.start_us + 1, interval.end_us)
