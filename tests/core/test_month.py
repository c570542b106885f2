from __future__ import annotations

import calendar
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.time.month import (
    DayPick,
    DayRange,
    add_months,
    days_in_month,
    month_of,
    month_weeks,
    shift_days,
    week_of,
    year_of,
)

TODAY = date(2026, 11, 22)
MONTHS_OF_ALL_TIME = st.tuples(st.integers(1, 9999), st.integers(1, 12))


def november(day: int) -> date:
    return date(2026, 11, day)


@given(month=MONTHS_OF_ALL_TIME, first_weekday=st.integers(0, 6))
def test_the_grid_holds_every_day_of_the_month_once_under_its_weekday(
    month: tuple[int, int], first_weekday: int
) -> None:
    weeks = month_weeks(*month, first_weekday)
    assert 4 <= len(weeks) <= 6
    assert all(len(week) == 7 for week in weeks)
    days = [day for week in weeks for day in week if day is not None]
    length = calendar.monthrange(*month)[1]
    assert days == [date(*month, number) for number in range(1, length + 1)]
    for week in weeks:
        assert all(day is None or (day.weekday() - first_weekday) % 7 == at for at, day in enumerate(week))


@given(month=MONTHS_OF_ALL_TIME)
def test_the_length_of_a_month_is_the_calendars(month: tuple[int, int]) -> None:
    assert days_in_month(*month) == calendar.monthrange(*month)[1]


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2024, 3, 31), -1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(1, 1, 31), -1, date(1, 1, 31)),
        (date(9999, 12, 1), 1, date(9999, 12, 1)),
        (date(2026, 5, 31), -100_000, date(1, 1, 31)),
        (date(2026, 5, 31), 100_000, date(9999, 12, 31)),
    ],
)
def test_the_same_day_some_months_away(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@given(day=st.dates(), days=st.integers(-4_000_000, 4_000_000))
def test_days_stop_where_dates_do(day: date, days: int) -> None:
    try:
        expected = day + timedelta(days=days)
    except OverflowError:
        expected = date.max if days > 0 else date.min
    assert shift_days(day, days) == expected


@given(day=st.dates(), first_weekday=st.integers(0, 6))
def test_units_hold_their_day_and_begin_and_end_where_they_should(day: date, first_weekday: int) -> None:
    week = week_of(day, first_weekday)
    assert day in week
    assert week.first == date.min or week.first.weekday() == first_weekday
    assert week.last == date.max or week.days == 7 or week.first == date.min
    assert month_of(day).first.day == 1
    assert day in month_of(day)
    assert day in year_of(day)
    assert year_of(day).days == (366 if calendar.isleap(day.year) else 365)


def test_a_range_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="comes before"):
        DayRange(november(2), november(1))


@pytest.mark.parametrize(
    ("picks", "expected"),
    [
        pytest.param([10], DayRange(november(10), TODAY), id="one day: up to today"),
        pytest.param([10, 13], DayRange(november(10), november(13)), id="then a later one: the last"),
        pytest.param([10, 22], DayRange(november(10), TODAY), id="today as the last"),
        pytest.param([10, 10], DayRange(november(10), november(10)), id="twice: that one day"),
        pytest.param([22], DayRange(TODAY, TODAY), id="today alone"),
        pytest.param([22, 22], DayRange(TODAY, TODAY), id="today twice"),
        pytest.param([10, 3], DayRange(november(3), TODAY), id="an earlier one: starts over"),
        pytest.param([10, 3, 5], DayRange(november(3), november(5)), id="and goes on from there"),
        pytest.param([10, 13, 15], DayRange(november(15), TODAY), id="complete: starts over"),
        pytest.param([10, 13, 12], DayRange(november(12), TODAY), id="complete, inside: starts over"),
        pytest.param([10, 10, 10], DayRange(november(10), TODAY), id="complete, the same: starts over"),
        pytest.param([23], None, id="after today: not"),
        pytest.param([10, 23], DayRange(november(10), TODAY), id="after today: changes nothing"),
        pytest.param([10, 23, 13], DayRange(november(10), november(13)), id="after today: still open"),
    ],
)
def test_picking_days(picks: list[int], expected: DayRange | None) -> None:
    pick = DayPick()
    for day in picks:
        pick = pick.pick(november(day), TODAY)
    assert pick.days == expected


@given(picks=st.lists(st.integers(1, 30), max_size=8))
def test_a_pick_never_reaches_beyond_today(picks: list[int]) -> None:
    pick = DayPick()
    for day in picks:
        pick = pick.pick(november(day), TODAY)
        assert pick.days is None or pick.days.last <= TODAY


@pytest.mark.parametrize(
    ("day", "month", "year"),
    [
        (
            TODAY,
            DayRange(november(1), TODAY),
            DayRange(date(2026, 1, 1), TODAY),
        ),
        (
            date(2024, 2, 10),
            DayRange(date(2024, 2, 1), date(2024, 2, 29)),
            DayRange(date(2024, 1, 1), date(2024, 12, 31)),
        ),
        (date(2027, 1, 1), None, None),
    ],
)
def test_a_whole_month_or_year_goes_up_to_today(
    day: date, month: DayRange | None, year: DayRange | None
) -> None:
    assert DayPick().whole_month(day, TODAY).days == month
    assert DayPick().whole_year(day, TODAY).days == year


def test_after_a_whole_month_a_day_starts_over() -> None:
    pick = DayPick().whole_month(november(1), TODAY).pick(november(20), TODAY)
    assert pick == DayPick(DayRange(november(20), TODAY), is_open=True)
