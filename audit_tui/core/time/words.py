"""Times as people write them: days, moments, months, ``24h``, ``yesterday 14:00``, ``Feb 21``, epoch numbers.

One reader for everything that takes a time: options, the query line, the dialog and ``@`` on the screen.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING

from audit_tui.core.event import MAX_US, MIN_US, from_us, to_us
from audit_tui.core.query import Interval
from audit_tui.core.text import lazy_pattern
from audit_tui.core.time.dates import MomentRange, Preset, resolve
from audit_tui.core.time.month import MONTHS, DayRange, days_in_month, month_of, shift_days, year_of
from audit_tui.core.time.zones import local_time, shortened, zone_named
from audit_tui.errors import TimeError

if TYPE_CHECKING:
    from audit_tui.core.time.dates import TimeContext, TimeRange

TIME_FORMATS = (
    'Write it as 2026-11-01, "2026-11-01 14:00", 14:00, "yesterday 09:00", 24h, "15m ago", "Feb 21", '
    "2026-11 or this-week."
)
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
_CLOCK_ALONE = lazy_pattern(_CLOCK, re.ASCII)
_OFFSET = r"(?P<offset>[Zz]|UTC|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)"
_TIME = lazy_pattern(
    rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}})(?:(?:[Tt]|\s+){_CLOCK}\s*{_OFFSET}?)?",
    re.ASCII,
)
_CLOCK_OF_DAY = lazy_pattern(rf"(?:(?P<word>today|yesterday)\s+)?{_CLOCK}", re.ASCII | re.IGNORECASE)
_AGO = lazy_pattern(r"[-+]?(?P<number>\d{1,9})\s*(?P<unit>[a-z]+)(?:\s+ago)?", re.ASCII | re.IGNORECASE)
_MONTH = lazy_pattern(r"(?P<year>\d{4})(?:-(?P<month>\d{1,2}))?", re.ASCII)
_NAMED_DAY = lazy_pattern(
    rf"(?:(?P<name>[a-z]{{3,9}})\.?\s+(?P<day>\d{{1,2}})|(?P<day2>\d{{1,2}})\.?\s+(?P<name2>[a-z]{{3,9}})\.?)"
    rf"(?:,?\s+(?P<year>\d{{4}}))?(?:,?\s+{_CLOCK})?",
    re.ASCII | re.IGNORECASE,
)
_EPOCH = lazy_pattern(r"(?P<number>\d{9,17})(?:\.(?P<fraction>\d{1,9}))?", re.ASCII)
_UNITS_S = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 604_800),
}
_MONTH_NUMBERS = {name.lower()[:3]: number for number, name in enumerate(MONTHS, 1)}


def read_time(text: str, context: TimeContext) -> datetime | TimeRange:
    """Read a moment, or a range: a day, a month, a year, a preset, ``Feb 21..Feb 22``.

    A moment without an offset is in the context's zone. Of an hour that comes twice it is the first; in
    an hour that is left out it is as much later as the clocks jump (02:30 is then 03:30). Digits after
    the microsecond are dropped. ``24h`` and ``-24h`` are 24 hours ago; a day without a year is the last one
    that was; a number of 9 to 17 digits is seconds, milliseconds or microseconds since 1970.

    Returns:
        A range, or an aware datetime in UTC.

    Raises:
        TimeError: If it cannot be read, or there is no such day or time.
    """
    word, shown = text.strip(), shortened(text)
    try:
        value = _read(word, context)
    except ValueError as error:
        raise TimeError(f"There is no time {shown!r}: {error}.", TIME_FORMATS) from None
    except OverflowError:
        raise TimeError(f"The time {shown!r} is out of range.", "The years go from 1 to 9999.") from None
    if value is None:
        raise TimeError(f"The time {shown!r} cannot be read.", TIME_FORMATS)
    return value


def on_day(text: str, day: date) -> str:
    """Return a time that is typed as its hour alone as one of that day; any other text as it is."""
    word = text.strip()
    return f"{day} {word}" if _CLOCK_ALONE.fullmatch(word) else text


def interval_of(value: datetime | TimeRange, context: TimeContext) -> Interval:
    """Return the moments of what ``read_time`` gave; a moment lasts a microsecond."""
    if isinstance(value, datetime):
        moment_us = to_us(value)
        return Interval(moment_us, moment_us + 1)
    return resolve(value, context)


def parse_time(text: str, context: TimeContext) -> date | datetime:
    """Read a day or a moment; of a longer range its beginning.

    Returns:
        A date, or an aware datetime in UTC.

    Raises:
        TimeError: If it cannot be read, or has no beginning.
    """
    value = read_time(text, context)
    if isinstance(value, datetime):
        return value
    if isinstance(value, DayRange):
        return value.first
    start_us = interval_of(value, context).start_us
    if start_us is None:
        raise TimeError(f"{shortened(text)} has no beginning.", TIME_FORMATS)
    return from_us(start_us) if isinstance(value, MomentRange) else local_time(start_us, context.zone).date()


def range_from_bounds(since: str | None, until: str | None, context: TimeContext) -> TimeRange:
    """Return the range between two typed times.

    ``since`` is inside, with all that follows, or ``A..B``; of ``until`` a day or longer is inside, a moment
    is not. None or empty has no bound.

    Returns:
        All Time for none, days for two days, else moments.

    Raises:
        TimeError: If a time cannot be read, or ``since`` comes after ``until``.
    """
    first = read_time(since, context) if since and since.strip() else None
    last = read_time(until, context) if until and until.strip() else None
    if last is None and since and ".." in since and isinstance(first, DayRange | MomentRange):
        return first
    start_us = None if first is None else interval_of(first, context).start_us
    end_us = None
    if last is not None:
        end_us = to_us(last) if isinstance(last, datetime) else interval_of(last, context).end_us
    is_reversed = start_us is not None and end_us is not None and start_us > end_us
    is_empty = isinstance(first, DayRange) and isinstance(last, DayRange) and last.last < first.first
    if is_reversed or is_empty:
        raise TimeError(f"{since} comes after {until}.", "Exchange the two times.")
    if isinstance(first, DayRange) and isinstance(last, DayRange):
        return DayRange(first.first, last.last)
    if start_us is None and end_us is None:
        return Preset.ALL_TIME
    return MomentRange(
        None if start_us is None else from_us(start_us), None if end_us is None else from_us(end_us)
    )


def _read(word: str, context: TimeContext) -> datetime | TimeRange | None:
    first, dots, last = word.partition("..")
    if dots:
        return range_from_bounds(first, last, context)
    named: dict[str, datetime | DayRange] = {"now": from_us(to_us(context.now)), "today": _day(context.today)}
    named["yesterday"] = _day(shift_days(context.today, -1))
    if (value := named.get(word.lower())) is not None:
        return value
    return _read_numbers(word, context)


def _read_numbers(word: str, context: TimeContext) -> datetime | TimeRange | None:
    zone, today = context.zone, context.today
    if match := _TIME.fullmatch(word):
        day = date(int(match["year"]), int(match["month"]), int(match["day"]))
        return (
            _day(day)
            if match["hour"] is None
            else _at_clock(day, match, zone_named(match["offset"]) if match["offset"] else zone)
        )
    if match := _CLOCK_OF_DAY.fullmatch(word):
        is_yesterday = (match["word"] or "").lower() == "yesterday"
        return _at_clock(shift_days(today, -1) if is_yesterday else today, match, zone)
    if (match := _AGO.fullmatch(word)) and (unit_s := _UNITS_S.get(match["unit"].lower())):
        sign = 1 if word[0] == "+" else -1
        return _moment(to_us(context.now) + sign * int(match["number"]) * unit_s * 1_000_000)
    if match := _MONTH.fullmatch(word):
        first = date(int(match["year"]), int(match["month"] or 1), 1)
        return year_of(first) if match["month"] is None else month_of(first)
    if match := _NAMED_DAY.fullmatch(word):
        return _named_day(match, context)
    if match := _EPOCH.fullmatch(word):
        return _epoch(match)
    try:
        return Preset.parse(word)
    except TimeError:
        return None


def _day(day: date) -> DayRange:
    return DayRange(day, day)


def _at_clock(day: date, match: re.Match[str], zone: tzinfo) -> datetime:
    microsecond = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    local = datetime(day.year, day.month, day.day, hour, minute, second, microsecond, tzinfo=zone)
    return local.astimezone(UTC)


def _named_day(match: re.Match[str], context: TimeContext) -> datetime | DayRange | None:
    """Return ``Feb 21``, ``21 February 2026`` or ``Feb 21 14:00``; None if the word is not a month."""
    name = (match["name"] or match["name2"]).lower()
    month = _MONTH_NUMBERS.get(name[:3])
    if month is None or not MONTHS[month - 1].lower().startswith(name):
        return None
    number = int(match["day"] or match["day2"])
    year = context.today.year if match["year"] is None else int(match["year"])
    if match["year"] is None:
        # The last such day that was; one of leap years may be up to eight years back.
        while year > 1 and (number > days_in_month(year, month) or date(year, month, number) > context.today):
            if number > days_in_month(year, month) and (month, number) != (2, 29):
                break
            year -= 1
    day = date(year, month, number)
    return _day(day) if match["hour"] is None else _at_clock(day, match, context.zone)


def _epoch(match: re.Match[str]) -> datetime:
    """Return the moment of a number since 1970: 9 to 11 digits are seconds, up to 14 ms, up to 17 µs."""
    digits = match["number"]
    per_unit_us = 1_000_000 if len(digits) <= 11 else 1_000 if len(digits) <= 14 else 1
    fraction_us = int((match["fraction"] or "0")[:6].ljust(6, "0")) * per_unit_us // 1_000_000
    moment_us = int(digits) * per_unit_us + fraction_us
    return _moment(moment_us)


def _moment(moment_us: int) -> datetime:
    if not MIN_US <= moment_us <= MAX_US:
        raise OverflowError
    return from_us(moment_us)
