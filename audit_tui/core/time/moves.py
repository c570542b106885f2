"""Ranges made from another: earlier and later, nearer and farther, from or up to an event, round a moment.

Pure: the moment and the zone are given. Each returns a range to choose, or raises why there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import MAX_US, MIN_US, from_us, to_us
from audit_tui.core.query import Interval
from audit_tui.core.time.dates import MomentRange, Preset, resolve
from audit_tui.core.time.month import DayRange, add_months, month_of, shift_days, year_of
from audit_tui.core.time.zones import SECOND_US, local_time
from audit_tui.errors import TimeError

if TYPE_CHECKING:
    from audit_tui.core.time.dates import TimeContext, TimeRange

MINUTE_US = 60 * SECOND_US
_UNITS_US = (60 * MINUTE_US, MINUTE_US)
_LEAST_UNITS = 20
"""A zoomed range has at least this many of the units its ends are rounded to; else of the smaller one."""
SHORTEST_US = SECOND_US
"""The range that is not zoomed further."""


def shifted(time_range: TimeRange, context: TimeContext, steps: int) -> TimeRange:
    """Return the range moved by a number of its lengths, to earlier times when negative.

    A whole month goes to the whole month before, a year to the year before, days to as many days.

    Raises:
        TimeError: If it has no beginning, or lies in the future.
    """
    days = _whole_days(time_range, context)
    moved = _shifted_moments(time_range, context, steps) if days is None else _shifted_days(days, steps)
    start_us = resolve(moved, context).start_us
    if steps > 0 and start_us is not None and start_us > to_us(context.now):
        raise TimeError("That is in the future.")
    return moved


def zoomed(bounds: Interval, at_us: int, factor: float) -> MomentRange:
    """Return a part of a range round a moment, or more than it, from a whole unit to a whole unit.

    The bounds have both ends. A factor of a half comes nearer.
    """
    length_us = max(SHORTEST_US, int(_length_us(bounds) * factor))
    unit_us = next((unit for unit in _UNITS_US if length_us >= _LEAST_UNITS * unit), SECOND_US)
    length_us = max(unit_us, length_us - length_us % unit_us)
    start_us = (at_us - length_us // 2 + unit_us // 2) // unit_us * unit_us
    return _moments(start_us, start_us + length_us)


def beginning_at(time_range: TimeRange, context: TimeContext, at_us: int) -> TimeRange:
    """Return the range from an event on."""
    end_us = resolve(time_range, context).end_us
    return _moments(at_us, None if end_us is None else max(end_us, at_us + 1))


def ending_at(time_range: TimeRange, context: TimeContext, at_us: int) -> TimeRange:
    """Return the range up to an event, which is still in it: with its second, if it tells no fraction."""
    start_us = resolve(time_range, context).start_us
    end_us = at_us + (1 if at_us % SECOND_US else SECOND_US)
    return _moments(None if start_us is None else min(start_us, at_us), end_us)


def around(at_us: int, reach_s: int) -> MomentRange:
    """Return the range around a moment, a number of seconds to either side, in whole minutes."""
    reach_us = reach_s * SECOND_US
    start_us, last_us = at_us - reach_us, at_us + reach_us
    return _moments(start_us - start_us % MINUTE_US, last_us - last_us % MINUTE_US + MINUTE_US)


def between(start_us: int, end_us: int, context: TimeContext) -> TimeRange:
    """Return the range between two moments, as days where both are midnights."""
    first, last = (local_time(us, context.zone).date() for us in (start_us, end_us - 1))
    if first <= last:
        days = DayRange(first, last)
        if resolve(days, context) == Interval(start_us, end_us):
            return days
    return _moments(start_us, end_us)


def _moments(start_us: int | None, end_us: int | None) -> MomentRange:
    start, end = (None if us is None else from_us(min(max(us, MIN_US), MAX_US)) for us in (start_us, end_us))
    return MomentRange(start, end)


def _length_us(bounds: Interval) -> int:
    if bounds.start_us is None or bounds.end_us is None:
        raise TimeError("The range is empty.")
    return bounds.end_us - bounds.start_us


def _whole_days(time_range: TimeRange, context: TimeContext) -> DayRange | None:
    """Return the days of a range that begins and ends with days; None for any other."""
    if isinstance(time_range, DayRange):
        return time_range
    interval = resolve(time_range, context)
    if interval.start_us is None or interval.end_us is None or interval.end_us <= interval.start_us:
        return None
    days = between(interval.start_us, interval.end_us, context)
    return days if isinstance(days, DayRange) else None


def _shifted_days(days: DayRange, steps: int) -> DayRange:
    if days == year_of(days.first):
        return year_of(add_months(days.first, 12 * steps))
    if days == month_of(days.first):
        return month_of(add_months(days.first, steps))
    by = days.days * steps
    return DayRange(shift_days(days.first, by), shift_days(days.last, by))


def _shifted_moments(time_range: TimeRange, context: TimeContext, steps: int) -> MomentRange:
    interval = resolve(time_range, context)
    start_us, end_us = interval.start_us, interval.end_us
    if start_us is None:
        name = time_range.label if isinstance(time_range, Preset) else "A range without beginning"
        raise TimeError(f"{name} cannot be moved.")
    if end_us is None:
        end_us = max(start_us + SECOND_US, to_us(context.now) // SECOND_US * SECOND_US)
    by_us = (end_us - start_us) * steps
    return _moments(start_us + by_us, end_us + by_us)
