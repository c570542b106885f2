"""Every spelling of a time that audit logs use, as microseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING

from audit_tui.core.event import to_us
from audit_tui.core.time.zones import zone_named
from audit_tui.errors import TimeError
from audit_tui.formats.record import RecordError
from audit_tui.formats.tables import table

if TYPE_CHECKING:
    from datetime import tzinfo

EARLIEST_US = to_us(datetime(1970, 1, 1, tzinfo=UTC))
LATEST_US = to_us(datetime(2200, 1, 1, tzinfo=UTC))
"""Imported events lie in [1970, 2200): what is outside is a wrong unit or a time that was never set."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?\d{1,25}(\.\d{1,25})?\Z", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(:(?P<second>\d\d)([.,:](?P<fraction>\d{1,12}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
)
_ZONE = (
    r"\s*(\((?P<remark>[A-Za-z]{1,5})\)"
    r"|(?P<zone>(UTC|GMT)?[+-]\d\d?:?(\d\d)?|[A-Za-z]{1,5}|[A-Z][A-Za-z_]+/[A-Za-z_/+-]+))?"
    r"( \([^()]*\))?\]?\Z"
)
_WEEKDAY = re.compile(r"\[?(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +(?=[A-Za-z\d])")
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})[-/.](?P<month>\d\d?)[-/.](?P<day>\d\d?)[ ,T]+{_CLOCK}{_ZONE}", re.ASCII
)
_SLASHED = re.compile(
    rf"(?P<first>\d\d?)[/-](?P<next>\d\d?)[/-](?P<year>\d{{4}})[ ,T]+{_CLOCK}{_ZONE}", re.ASCII
)
_DOTTED = re.compile(rf"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{{4}})[ ,T]+{_CLOCK}{_ZONE}", re.ASCII)
_MONTH_FIRST = re.compile(
    rf"(?P<name>[A-Za-z]{{3}})[a-z]* +(?P<day>\d\d?),? (?P<year>\d{{4}}),?( at)? {_CLOCK}{_ZONE}", re.ASCII
)
_DAY_FIRST = re.compile(
    rf"\[?(?P<day>\d\d?)[ /-](?P<name>[A-Za-z]{{3}})[a-z]*[ /-](?P<year>\d{{4}})[ :,]+{_CLOCK}{_ZONE}",
    re.ASCII,
)
_YEAR_LAST = re.compile(
    r"(?P<name>[A-Za-z]{3})[a-z]* +(?P<day>\d\d?) +"
    rf"{_CLOCK}( +(?P<before>[A-Z]{{1,5}}|[+-]\d{{4}}))? +(?P<year>\d{{4}}){_ZONE}",
    re.ASCII,
)
"""As ``date`` writes it: ``Jan 15 10:00:00 JST 2024``."""
_SPELLINGS = (_YEAR_FIRST, _MONTH_FIRST, _DAY_FIRST, _YEAR_LAST, _DOTTED)
_PLAIN_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d{3}|\.\d{6})?Z\Z", re.ASCII)
_APART = re.compile(r"(?<=\d) ([+-]\d\d:?\d\d)\Z", re.ASCII)
_GO_ZONE = re.compile(r"([+-]\d{4}) [A-Z]{3,4}(?: m=[+-][\d.]+)?\Z", re.ASCII)
"""A zone's name behind its offset, and a reading of the monotonic clock, as Go prints them."""
_LEAP_SECOND = re.compile(r"([T ]\d\d:?\d\d:?)60", re.ASCII)
_DOTNET = re.compile(r"/Date\((\d{9,14})([+-]\d{4})?\)/\Z", re.ASCII)
_COMPACT = re.compile(r"((?:19|20)\d{12})(\.\d{1,9})?(?:([+-])(\d{3}))?\Z", re.ASCII)
"""``20240502081511.512345-420`` of Windows, whose zone is in minutes, and Salesforce's without one."""

_HOURS = {name: float(hours) for hours, names in table("zones")["hours"].items() for name in names.split()}
_AMBIGUOUS = frozenset(table("zones")["several"]["names"].split())
_FILETIME_EPOCH_US = -11_644_473_600_000_000
_TICKS_EPOCH_US = -62_135_596_800_000_000
_FILETIMES = range(116_444_736_000_000_001, 189_000_000_000_000_000)
"""Tenths of microseconds since 1601, of 1970 to 2199; as nanoseconds since 1970 they were before 1976."""
_TICKS = range(621_355_968_000_000_001, 694_000_000_000_000_000)
"""Tenths of microseconds since the year 1, as .NET counts; as nanoseconds they were before 1992."""


class TwoMonths(Exception):
    """A time whose day and month could be either way round, while others in its log may tell which."""


class NaiveTimes:
    """The reading of times that leave something to their log: the zone, the year, which number is the day."""

    def __init__(self) -> None:
        self.zone: tzinfo = UTC
        self.count = 0
        """Of the times without a zone."""
        self.year: int | None = None
        """``--year``: of the first time in a log whose times name none."""
        self.begin(can_wait=False)

    def begin(self, *, can_wait: bool) -> None:
        """Begin a log.

        Args:
            can_wait: A time that could be of two months is asked for again, when a later one has told.
        """
        self._orders: dict[bool, str] = {}
        self.can_wait = can_wait

    @property
    def is_told(self) -> bool:
        """Tell whether the times of this log say which number is the day, and all say the same."""
        return len(self._orders) == 1

    @property
    def example(self) -> str:
        """A time of this log that has more than 12 for its day."""
        return next(iter(self._orders.values()))

    def is_day_first(self, first: int, following: int, text: str, *, has_half: bool) -> bool:
        """Tell whether the first of two numbers is the day: by themselves, or by others in the log.

        Only where none tells, AM or PM means the American order.

        Raises:
            TwoMonths: If it could be either, and a later time may tell.
            RecordError: If it could be either.
        """
        if first > 12 or following > 12:
            self._orders.setdefault(first > 12, text)
            return first > 12
        if first == following:
            return False
        if self.is_told:
            return next(iter(self._orders))
        if has_half and not self._orders and not self.can_wait:
            return False
        if self.can_wait and not self._orders:
            raise TwoMonths
        raise RecordError(f"the time could be of two months: {_short(text)}")

    def moment(self, moment: datetime, zone: tzinfo | None = None) -> datetime:
        """Return a time in its zone; the zone that its format always has is not counted."""
        if moment.tzinfo is not None:
            return moment
        if zone is None:
            self.count += 1
            zone = self.zone
        return moment.replace(tzinfo=zone)


NAIVE = NaiveTimes()
"""For the import that this process runs."""


def parse_time(value: object, zone: tzinfo | None = None) -> int:
    """Return a time as microseconds since 1970.

    Numbers, and texts that are numbers, are read by their digits: 9 to 11 before the point are seconds,
    12 to 14 milliseconds, 15 to 17 microseconds, 18 to 20 nanoseconds, or what Windows and .NET count where
    that gives a time from 1970 on. Digits past the microsecond are dropped.

    Args:
        value: The time.
        zone: Of a text without one, where its format says it; None leaves it to the import (``NAIVE``).

    Raises:
        RecordError: If it is not a time, or one that nothing happens at (the zero times of programs,
            before 1970, from 2200 on).
    """
    if isinstance(value, str):
        if value[4:5] == "-":
            occurred_us = _from_text(value.strip(), zone)
        else:
            text = value.strip()
            occurred_us = _from_number(text, zone) if _NUMBER.match(text) else _from_text(text, zone)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        occurred_us = _from_number(repr(value), zone)
    elif isinstance(value, dict) and len(value) == 1:
        return parse_time(_wrapped(value), zone)
    else:
        raise RecordError(f"the time is not a time: {_short(value)}")
    return checked_us(value, occurred_us)


def _wrapped(value: dict[str, object]) -> object:
    """The time in an object that only says its type, as MongoDB writes it: ``{"$date": ...}``."""
    ((name, inner),) = value.items()
    if name == "$date" and isinstance(inner, dict) and len(inner) == 1:
        inner = inner.get("$numberLong")
    if name not in ("$date", "@SystemTime", "#text") or isinstance(inner, dict):
        raise RecordError(f"the time is not a time: {_short(value)}")
    return inner


def checked_us(value: object, occurred_us: int) -> int:
    """A time that was read from a value, if things happen at it.

    Raises:
        RecordError: If it is before 1970, or from 2200 on.
    """
    if EARLIEST_US < occurred_us < LATEST_US:
        return occurred_us
    raise RecordError(_out_of_range(value, occurred_us))


def plain_utc(value: object) -> int | None:
    """The time of a text for which ``is_plain_utc`` holds; None for others, and where nothing happens."""
    if type(value) is not str or _PLAIN_UTC.match(value) is None:
        return None
    try:
        passed = datetime.fromisoformat(value) - _EPOCH
    except ValueError:
        return None
    occurred_us = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    return occurred_us if EARLIEST_US < occurred_us < LATEST_US else None


def is_plain_utc(value: object) -> bool:
    """Tell whether a time is spelled ``2026-11-01T14:00:00Z``, perhaps with three or six digits of a second.

    Such a text need not be kept beside the time that was read from it.
    """
    return isinstance(value, str) and _PLAIN_UTC.match(value) is not None


def _from_number(text: str, zone: tzinfo | None) -> int:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise RecordError(f"the time is not a time: {_short(text)}") from None
    if not number.is_finite():
        raise RecordError(f"the time is not a time: {_short(text)}")
    if len(text) == 8 and text.isdecimal() and text[:2] in ("19", "20"):
        return _from_text(f"{text}T000000", zone)
    if (compact := _COMPACT.match(text)) is not None:
        return _compact(compact, zone)
    if not number:
        raise RecordError("the time was never set: 0")
    digits = number.adjusted() + 1
    if 9 <= digits <= 17:
        return int(number * (1_000_000 if digits <= 11 else 1_000 if digits <= 14 else 1))
    if 18 <= digits <= 20:
        return _fine(int(number))
    raise RecordError(f"the time is not a time since 1970 in s, ms, µs or ns: {_short(text)}")


def _fine(count: int) -> int:
    if count in _FILETIMES:
        return count // 10 + _FILETIME_EPOCH_US
    return count // 10 + _TICKS_EPOCH_US if count in _TICKS else count // 1_000


def _compact(match: re.Match[str], zone: tzinfo | None) -> int:
    digits, fraction, sign, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{digits[:8]}T{digits[8:]}")
    except ValueError:
        raise RecordError(f"the time is not a time: {_short(match[0])}") from None
    if sign is not None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=int(f"{sign}{minutes}"))))
    return _us(moment, zone) + int(Decimal(fraction or 0) * 1_000_000)


def _from_text(text: str, zone: tzinfo | None) -> int:
    try:
        return _us(datetime.fromisoformat(text), zone)
    except ValueError:
        pass
    except OverflowError:
        raise RecordError(f"the time is out of range: {_short(text)}") from None
    if len(text) > 64:
        raise RecordError(f"the time is not a time: {_short(text)}")
    try:
        return _from_odd_text(text, zone)
    except (ValueError, OverflowError, IndexError, TypeError):
        raise RecordError(f"the time is not a time: {_short(text)}") from None


def _us(moment: datetime, zone: tzinfo | None) -> int:
    passed = NAIVE.moment(moment, zone) - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _from_odd_text(text: str, zone: tzinfo | None) -> int:
    plain = _APART.sub(r"\1", _GO_ZONE.sub(r"\1", text))  # Snowflake writes a space before the offset
    for suffix in (" UTC", " GMT", " Z", "z"):
        if plain.endswith(suffix):
            plain = f"{plain.removesuffix(suffix)}Z"
    leap, replaced = _LEAP_SECOND.subn(r"\g<1>59", plain)
    if plain != text or replaced:
        try:
            return _us(datetime.fromisoformat(leap), zone) + (1_000_000 if replaced else 0)
        except ValueError:
            pass
    if (ticks := _DOTNET.match(text)) is not None:
        return int(ticks[1]) * 1_000
    if (compact := _COMPACT.match(text)) is not None:
        return _compact(compact, zone)
    dateless = _WEEKDAY.sub("", text, count=1)
    if match := _SLASHED.match(dateless):
        return _slashed(match, zone)
    for spelling in _SPELLINGS:
        if match := spelling.match(dateless):
            parts = match.groupdict()
            month = int(parts["month"]) if parts.get("month") else _MONTHS.index(parts["name"].lower()) + 1
            return _clock(match, month, int(match["day"]), zone)
    raise ValueError(text)


def _slashed(match: re.Match[str], zone: tzinfo | None) -> int:
    """``5/18/2021 9:13:33 PM``."""
    first, following = int(match["first"]), int(match["next"])
    is_day_first = NAIVE.is_day_first(first, following, match[0], has_half=match["half"] is not None)
    return _clock(match, following, first, zone) if is_day_first else _clock(match, first, following, zone)


def _clock(match: re.Match[str], month: int, day: int, zone: tzinfo | None) -> int:
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if match["half"][0] in "Pp" else 0)
    parts = match.groupdict()
    name = parts.get("before") or match["zone"] or match["remark"]
    second, fraction = int(match["second"] or 0), (match["fraction"] or "0").ljust(6, "0")[:6]
    moment = datetime(  # noqa: DTZ001 - its zone comes next
        int(match["year"]), month, day, hour, int(match["minute"]), min(second, 59), int(fraction)
    )
    if name is not None:
        moment = moment.replace(tzinfo=named_zone(name))
    return _us(moment, zone) + (1_000_000 if second == 60 else 0)


@lru_cache(maxsize=256)
def named_zone(name: str) -> tzinfo:
    """Return the zone of a name or an offset: ``CET``, ``+0530``, ``UTC+2``, ``Europe/Berlin``.

    Raises:
        RecordError: If the name is not known, or is that of several zones.
    """
    if name[-1].isdecimal():
        offset = name.upper().removeprefix("UTC").removeprefix("GMT")
        sign, digits = offset[0], offset[1:].replace(":", "")
        hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
        return timezone(timedelta(hours=int(f"{sign}{hours}"), minutes=int(f"{sign}{minutes}")))
    if "/" in name:
        try:
            return zone_named(name)
        except TimeError:
            raise RecordError(f"there is no such time zone: {_short(name)}") from None
    if name.upper() in _AMBIGUOUS:
        raise RecordError(f"several time zones have this name: {name}")
    if name.upper() not in _HOURS:
        raise RecordError(f"there is no such time zone: {name}")
    return timezone(timedelta(hours=_HOURS[name.upper()]))


_ZERO_TIMES = {
    to_us(datetime(1, 1, 1, tzinfo=UTC)),  # Go
    to_us(datetime(1601, 1, 1, tzinfo=UTC)),  # Windows
    0,
}


def _out_of_range(value: object, occurred_us: int) -> str:
    if occurred_us in _ZERO_TIMES:
        return f"the time was never set: {_short(value)}"
    return f"the time is out of range (1970 to 2199): {_short(value)}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")
