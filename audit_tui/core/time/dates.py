"""Time ranges: the presets, days and moments, what they mean in a zone, and how they are said.

A range is kept as the user chose it, and worked out again against a ``TimeContext``; so a preset stays
what its name says. Nothing here reads a clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TypeAlias

from audit_tui.core.event import from_us, to_us
from audit_tui.core.query import Interval
from audit_tui.core.record import Record
from audit_tui.core.text import counted
from audit_tui.core.time.month import (
    DayRange,
    add_months,
    month_of,
    shift_days,
    week_of,
    year_of,
)
from audit_tui.core.time.zones import (
    SECOND_US,
    local_time,
    shortened,
    start_of_day,
)
from audit_tui.errors import TimeError

_MICROSECOND = timedelta(microseconds=1)


class Preset(StrEnum):
    """The time ranges with a name, in the dialog's order; the value is the name in commands."""

    ALL_TIME = "all-time"
    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_WEEK = "this-week"
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    LAST_30_DAYS = "last-30-days"
    LAST_90_DAYS = "last-90-days"
    THIS_YEAR = "this-year"
    LAST_YEAR = "last-year"
    LAST_15_MINUTES = "last-15-minutes"
    LAST_HOUR = "last-hour"
    LAST_24_HOURS = "last-24-hours"
    LAST_7_DAYS = "last-7-days"

    @property
    def label(self) -> str:
        """The name on the screen: ``Last 30 Days``."""
        return self.value.replace("-", " ").title()

    @property
    def slug(self) -> str:
        """The name in commands and files: ``last-30-days``."""
        return self.value

    @classmethod
    def parse(cls, text: str) -> Preset:
        """Read a preset's name, in any case, with spaces, hyphens or underscores.

        Raises:
            TimeError: If no preset is called so.
        """
        slug = "-".join(re.split(r"[\s_-]+", text.strip().lower()))
        try:
            return cls(slug)
        except ValueError:
            names = ", ".join(preset.label for preset in cls)
            raise TimeError(f"There is no range {shortened(text)!r}.", f"The ranges are: {names}.") from None


class MomentRange(Record):
    """A half-open span between two moments; ValueError if a moment has no zone."""

    start: datetime | None = None
    """The first moment inside, in UTC; None has no beginning."""
    end: datetime | None = None
    """The first moment after it, in UTC; None has no end."""

    def __post_init__(self) -> None:
        # In UTC, because two datetimes of one zone compare by the clock's face, wrongly in the hour
        # that comes twice (PEP 495).
        for name in ("start", "end"):
            moment = getattr(self, name)
            if moment is not None:
                object.__setattr__(self, name, from_us(to_us(moment)))


TimeRange: TypeAlias = Preset | DayRange | MomentRange
DEFAULT_RANGE = Preset.LAST_30_DAYS


class TimeContext(Record):
    """The zone and the moment that a time range is worked out against."""

    zone: tzinfo
    """The zone in which days begin and end, and of times that are typed."""
    now: datetime
    """The present moment, aware."""
    first_weekday: int = 0
    """0 begins weeks on Monday, 6 on Sunday."""

    @property
    def today(self) -> date:
        """The day that it is in the zone."""
        return local_time(to_us(self.now), self.zone).date()


def resolve(time_range: TimeRange, context: TimeContext) -> Interval:
    """The moments that a range takes in.

    Days begin and end at midnight in the context's zone. A range from the first day that there is has
    no beginning, one to the last has no end.
    """
    if isinstance(time_range, MomentRange):
        start, end = time_range.start, time_range.end
        return Interval(None if start is None else to_us(start), None if end is None else to_us(end))
    days = _preset_span(time_range, context) if isinstance(time_range, Preset) else time_range
    if days is None:
        return Interval()
    if isinstance(days, MomentRange):
        return resolve(days, context)
    first, last, zone = days.first, days.last, context.zone
    return Interval(
        None if first == date.min else start_of_day(first, zone),
        None if last == date.max else start_of_day(shift_days(last, 1), zone),
    )


def days_of(time_range: TimeRange, context: TimeContext, first_event: date | None = None) -> DayRange | None:
    """The days that a range touches, to mark them on a calendar.

    A range without beginning begins at the first event; None when there is none.

    Returns:
        The days, of a range without end up to today; None when its beginning is not known.
    """
    if isinstance(time_range, DayRange):
        return time_range
    if isinstance(time_range, Preset):
        span = _preset_span(time_range, context)
        if span is not None:
            return days_of(span, context, first_event)
        return None if first_event is None else DayRange(first_event, max(first_event, context.today))
    start, end = time_range.start, time_range.end
    first = first_event if start is None else _day_of(start, context)
    if first is None:
        return None
    last = context.today if end is None else _day_of(_just_before(end), context)
    return DayRange(first, max(first, last))


def range_label(time_range: TimeRange, context: TimeContext) -> str:
    """Return the label of a range on its button: the preset's name, else its days or moments."""
    if isinstance(time_range, Preset):
        return time_range.label
    if isinstance(time_range, DayRange):
        first, last = time_range.first, time_range.last
        return str(first) if first == last else f"{first} to {last}"
    return _moments_text(time_range, context)


def range_words(time_range: TimeRange, context: TimeContext) -> str:
    """A range as a sentence part, with its length: ``2026-11-10 to 2026-11-13, 4 days``."""
    label = range_label(time_range, context)
    if isinstance(time_range, MomentRange):
        return f"{label}{_moments_length(time_range, context)}"
    if isinstance(time_range, DayRange):
        return f"{label}, {counted(time_range.days, 'day')}"
    span = _preset_span(time_range, context)
    if span is None:
        return f"{label}, since the first event"
    return f"{label}: {range_words(span, context)}"


def moment_text(moment: datetime, zone: tzinfo) -> str:
    """A moment as one would type it: to the minute, or as exact as it is.

    The second of two equal hours carries its offset, so that ``words.read_time`` gives the same moment; it is
    told in UTC where that has seconds, as before 1940.
    """
    local = local_time(to_us(moment), zone)
    if local.fold and local.strftime("%z")[5:]:
        local = local.astimezone(UTC).replace(fold=1)
    text = local.replace(tzinfo=None).isoformat(" ")
    text = text.rstrip("0") if "." in text else text.removesuffix(":00")
    return f"{text} {str(local)[-6:]}" if local.fold else text


def bound_texts(time_range: TimeRange, context: TimeContext) -> tuple[str, str]:
    """A range as the two times one would type for it, for ``words.range_from_bounds``; empty has no bound."""
    days = _preset_span(time_range, context) if isinstance(time_range, Preset) else time_range
    if days is None:
        return "", ""
    if isinstance(days, DayRange):
        return str(days.first), str(days.last)
    start, end, zone = days.start, days.end, context.zone
    since = until = ""
    if start is not None:
        since = str(_day_of(start, context)) if _is_day_border(start, zone) else moment_text(start, zone)
    if end is not None:
        is_day = _is_day_border(end, zone) and end != start
        until = str(_day_of(_just_before(end), context)) if is_day else moment_text(end, zone)
    return since, until


def _preset_span(preset: Preset, context: TimeContext) -> DayRange | MomentRange | None:
    today = context.today
    if preset is Preset.THIS_WEEK:
        return week_of(today, context.first_weekday)
    if (length_s := _SECONDS_OF_PRESET.get(preset)) is not None:
        # From a whole second on, as one would type it; without end, so that what comes now is in it.
        now_s = to_us(context.now) // SECOND_US
        return MomentRange(from_us((now_s - length_s) * SECOND_US))
    make = _DAYS_OF_PRESET.get(preset)
    return None if make is None else make(today)


def _last_days(today: date, days: int) -> DayRange:
    return DayRange(shift_days(today, 1 - days), today)


_DAYS_OF_PRESET: dict[Preset, Callable[[date], DayRange]] = {
    Preset.TODAY: lambda today: DayRange(today, today),
    Preset.YESTERDAY: lambda today: DayRange(shift_days(today, -1), shift_days(today, -1)),
    Preset.THIS_MONTH: month_of,
    Preset.LAST_MONTH: lambda today: month_of(add_months(today, -1)),
    Preset.LAST_30_DAYS: lambda today: _last_days(today, 30),
    Preset.LAST_7_DAYS: lambda today: _last_days(today, 7),
    Preset.LAST_90_DAYS: lambda today: _last_days(today, 90),
    Preset.THIS_YEAR: year_of,
    Preset.LAST_YEAR: lambda today: year_of(add_months(today, -12)),
}

_SECONDS_OF_PRESET = {
    Preset.LAST_15_MINUTES: 15 * 60,
    Preset.LAST_HOUR: 3_600,
    Preset.LAST_24_HOURS: 24 * 3_600,
}


def _just_before(moment: datetime) -> datetime:
    return max(moment, datetime.min.replace(tzinfo=UTC) + _MICROSECOND) - _MICROSECOND


def _day_of(moment: datetime, context: TimeContext) -> date:
    return local_time(to_us(moment), context.zone).date()


def _is_day_border(moment: datetime | None, zone: tzinfo) -> bool:
    if moment is None:
        return True
    moment_us = to_us(moment)
    return start_of_day(local_time(moment_us, zone).date(), zone) == moment_us


def _moments_text(moments: MomentRange, context: TimeContext) -> str:
    zone = context.zone
    start, end = moments.start, moments.end
    if start is None and end is None:
        return Preset.ALL_TIME.label
    # Days, the last one included, are said only where both ends are borders of days.
    if _is_day_border(start, zone) and _is_day_border(end, zone) and start != end:
        since = "" if start is None else str(_day_of(start, context))
        until = "" if end is None else str(_day_of(_just_before(end), context))
    else:
        since = "" if start is None else moment_text(start, zone)
        until = "" if end is None else moment_text(end, zone)
    if not until:
        return f"since {since}"
    if not since:
        return f"until {until}"
    if since == until:
        return since
    same_day = len(until) > 10 and since[:11] == until[:11]
    return f"{since} to {until[11:] if same_day else until}"


def _moments_length(moments: MomentRange, context: TimeContext) -> str:
    start, end = moments.start, moments.end
    if start is None or end is None:
        return ""
    if _is_day_border(start, context.zone) and _is_day_border(end, context.zone) and start < end:
        days = DayRange(_day_of(start, context), _day_of(_just_before(end), context))
        return f", {counted(days.days, 'day')}"
    return f", {_length_text(end - start)}"


def _length_text(length: timedelta) -> str:
    """A length in at most two units: ``3 days 4 h``, ``19 h 30 min``, ``5 s``."""
    seconds = length // timedelta(seconds=1)
    minutes, left_s = divmod(seconds, 60)
    hours, left_min = divmod(minutes, 60)
    days, left_h = divmod(hours, 24)
    if days:
        return f"{counted(days, 'day')} {left_h} h" if left_h else counted(days, "day")
    if hours:
        return f"{hours} h {left_min} min" if left_min else f"{hours} h"
    if minutes:
        return f"{minutes} min {left_s} s" if left_s else f"{minutes} min"
    return f"{length / timedelta(seconds=1):g} s"


def age_text(age_us: int) -> str:
    """The whole units of the largest kind in an age: ``2 days``, ``3 h``, ``5 min``, ``0 s``."""
    seconds = max(age_us, 0) // SECOND_US
    unit_s = next((unit_s for unit_s in (86_400, 3_600, 60) if seconds >= unit_s), 1)
    return _length_text(timedelta(seconds=seconds // unit_s * unit_s))
