"""The calendar: the days of a month in weeks, and the rules for picking days. Pure; today is given."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, date, timedelta

from audit_tui.core.record import Record

DAYS_IN_WEEK = 7
WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class DayRange(Record):
    """Whole days, both ends included; ValueError if it ends before it begins."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"the last day, {self.last}, comes before the first, {self.first}")

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def days(self) -> int:
        """The number of days; at least 1."""
        return (self.last - self.first).days + 1


def shift_days(day: date, days: int) -> date:
    """Return the day that many days later (earlier when negative), within the years that dates have."""
    ordinal = min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal())
    return date.fromordinal(ordinal)


def days_in_month(year: int, month: int) -> int:
    """Return the number of days of a month."""
    if month == 12:
        return 31
    return (date(year, month + 1, 1) - date(year, month, 1)).days


def month_of(day: date) -> DayRange:
    """The whole month that a day is in."""
    return DayRange(day.replace(day=1), day.replace(day=days_in_month(day.year, day.month)))


def year_of(day: date) -> DayRange:
    """The whole year that a day is in."""
    return DayRange(date(day.year, 1, 1), date(day.year, 12, 31))


def week_of(day: date, first_weekday: int) -> DayRange:
    """The whole week that a day is in; the first weekday is 0 for Monday, 6 for Sunday."""
    back = (day.weekday() - first_weekday) % DAYS_IN_WEEK
    return DayRange(shift_days(day, -back), shift_days(day, DAYS_IN_WEEK - 1 - back))


def add_months(day: date, months: int) -> date:
    """Return the same day that many months later; the last day of the month where it is too short.

    Stops at the first and the last month there is.
    """
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if years < MINYEAR:
        years, month = MINYEAR, 0
    elif years > MAXYEAR:
        years, month = MAXYEAR, 11
    return date(years, month + 1, min(day.day, days_in_month(years, month + 1)))


def month_weeks(year: int, month: int, first_weekday: int) -> list[list[date | None]]:
    """The weeks of a month, each of seven days; None where a day is of another month."""
    first = date(year, month, 1)
    days: list[date | None] = [None] * ((first.weekday() - first_weekday) % DAYS_IN_WEEK)
    days += [first + timedelta(days=index) for index in range(days_in_month(year, month))]
    days += [None] * (-len(days) % DAYS_IN_WEEK)
    return [days[start : start + DAYS_IN_WEEK] for start in range(0, len(days), DAYS_IN_WEEK)]


class DayPick(Record):
    """The days picked on the calendar, and the effect of the next pick. Immutable."""

    days: DayRange | None = None
    """The range so far; None when nothing was picked."""
    is_open: bool = False
    """Only the first day was picked: the next pick may set the last."""

    def pick(self, day: date, today: date) -> DayPick:
        """Pick a day.

        It becomes the first of the range, with today as its last; a later day picked next becomes the
        last; the same day twice is that one day; an earlier day, or any once both are picked, starts
        over. Days after today cannot be picked.
        """
        if day > today:
            return self
        if self.is_open and self.days is not None and day >= self.days.first:
            return DayPick(DayRange(self.days.first, day))
        return DayPick(DayRange(day, today), is_open=True)

    def whole_month(self, day: date, today: date) -> DayPick:
        """Pick the month that a day is in, up to today."""
        return self._upto_today(month_of(day), today)

    def whole_year(self, day: date, today: date) -> DayPick:
        """Pick the year that a day is in, up to today."""
        return self._upto_today(year_of(day), today)

    def _upto_today(self, days: DayRange, today: date) -> DayPick:
        if days.first > today:
            return self
        return DayPick(DayRange(days.first, min(days.last, today)))
