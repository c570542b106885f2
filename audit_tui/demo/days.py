"""The load of a day, and when a place's working day begins in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import fsum
from typing import TYPE_CHECKING

from audit_tui.core.event import from_us, to_us
from audit_tui.demo.values import DAY_US, MINUTE_US, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.demo.values import DemoValues

SATURDAY = 5
EU, US = "eu", "us"


@dataclass(frozen=True, slots=True)
class Site:
    """A place where people work."""

    name: str
    network: str
    """The first two numbers of its addresses."""
    offset_minutes: int
    """East of UTC, in winter."""
    summer_time: str
    share: float
    """The share of the staff that works there; the shares of all sites make 1."""

    def midnight_us(self, day: date) -> int:
        """When the day begins there.

        The summer time rules are written out (one switch a day early or late does no harm), so that the
        events do not depend on the machine's zone data.
        """
        offset = self.offset_minutes + 60 * _is_summer(self.summer_time, day)
        return midnight_us(day) - offset * MINUTE_US


SITES = tuple(Site(*row) for row in TABLES["people"]["sites"])


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A day and how many events fall on it."""

    index: int
    """0 for the first day of the record."""
    day: date
    events: int


def midnight_us(day: date) -> int:
    """The beginning of the day in UTC."""
    return to_us(datetime(day.year, day.month, day.day, tzinfo=UTC))


def last_afternoon(now: datetime) -> datetime:
    """Return the latest moment at which people of several sites worked: now, or the end of an afternoon.

    At night, and on days off, the newest events are those of a robot, which show nothing of an account.
    """
    moment = now.astimezone(UTC)
    first, last = (moment.replace(hour=hour, minute=30, second=0, microsecond=0) for hour in _AFTERNOON)
    while moment < first or _habit(moment.date()) < _LEAST_HABIT:
        first, last = first - timedelta(days=1), last - timedelta(days=1)
        moment = last
    return min(moment, last)


_AFTERNOON = (13, 16)
"""The hours of UTC in which Berlin, London and New York work."""
_LEAST_HABIT = 0.5


def day_plans(values: DemoValues, events: int) -> Iterator[DayPlan]:
    """The days of the record in order, their events adding up exactly.

    A thin record leaves days out rather than spread single events: what cannot fill a visit is kept for
    a later day.
    """
    # Not sum(): since Python 3.12 it rounds otherwise.
    total = fsum(weight for _, weight in _weighted_days(values))
    passed = 0.0
    handed_out = 0
    last = from_us(values.end_us - 1).date()
    for index, (day, weight) in enumerate(_weighted_days(values)):
        passed += weight
        due = events if day == last else min(events, int(events * (passed / total)))
        if due - handed_out >= _LEAST_A_DAY or day == last:
            yield DayPlan(index, day, due - handed_out)
            handed_out = due
        else:
            yield DayPlan(index, day, 0)


_LEAST_A_DAY = 4


def _weighted_days(values: DemoValues) -> Iterator[tuple[date, float]]:
    random = values.stream("days").random
    day = from_us(values.start_us).date()
    last = from_us(values.end_us - 1).date()
    start_us, end_us = values.start_us, values.end_us
    while day <= last:
        begins_us = midnight_us(day)
        inside_us = min(end_us, begins_us + DAY_US) - max(start_us, begins_us)
        age = (begins_us - start_us) / (end_us - start_us)
        growth = 0.6 + 0.4 * max(age, 0.0)
        yield day, _habit(day) * growth * (0.85 + 0.3 * random()) * (inside_us / DAY_US)
        day += timedelta(days=1)


def _habit(day: date) -> float:
    """The load of such a day, against a plain weekday."""
    weekday = day.weekday()
    busy = (
        0.13 if weekday == SATURDAY else 0.1 if weekday > SATURDAY else (0.95, 1.05, 1.1, 1.0, 0.85)[weekday]
    )
    if (day.month, day.day) >= (12, 24) or (day.month, day.day) in ((1, 1), (5, 1)):
        return busy * 0.3
    return busy * 0.8 if day.month == 8 else busy


def _is_summer(rule: str, day: date) -> bool:
    if rule == EU:
        return _last_sunday(day.year, 3) <= day < _last_sunday(day.year, 10)
    if rule == US:
        return _first_sunday(day.year, 3) + timedelta(days=7) <= day < _first_sunday(day.year, 11)
    return False


def _first_sunday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=6 - first.weekday())


def _last_sunday(year: int, month: int) -> date:
    """Of a month of 31 days."""
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)
