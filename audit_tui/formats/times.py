"""Every spelling of a time that audit logs use, as microseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime

from audit_tui.core.event import to_us
from audit_tui.formats.record import RecordError

EARLIEST_US = to_us(datetime(1970, 1, 1, tzinfo=UTC))
LATEST_US = to_us(datetime(2200, 1, 1, tzinfo=UTC))
"""Imported events lie in [1970, 2200): what is outside is a wrong unit or a time that was never set."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?\d{1,25}(\.\d{1,25})?\Z", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(:(?P<second>\d\d)([.,](?P<fraction>\d{1,12}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?\Z"
)
_SLASHED = re.compile(rf"(?P<first>\d{{1,2}})/(?P<next>\d{{1,2}})/(?P<year>\d{{4}})[ ,T]+{_CLOCK}", re.ASCII)
_MONTH_FIRST = re.compile(
    rf"(?P<month>[A-Za-z]{{3}})[a-z]* (?P<day>\d{{1,2}}),? (?P<year>\d{{4}}),?( at)? {_CLOCK}", re.ASCII
)
_DAY_FIRST = re.compile(
    rf"\[?(?P<day>\d{{1,2}})[ /-](?P<month>[A-Za-z]{{3}})[a-z]*[ /-](?P<year>\d{{4}})[ :,]+{_CLOCK}", re.ASCII
)
_PLAIN_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d{3}|\.\d{6})?Z\Z", re.ASCII)
_APART = re.compile(r"(?<=\d) ([+-]\d\d:?\d\d)\Z", re.ASCII)
_LEAP_SECOND = re.compile(r"([T ]\d\d:?\d\d:?)60", re.ASCII)


def parse_time(value: object) -> int:
    """A time as microseconds since 1970.

    Numbers, and texts that are numbers, are read by their digits: 9 to 11 before the point are seconds,
    12 to 14 milliseconds, 15 to 17 microseconds, 18 to 20 nanoseconds. Texts without a zone are UTC.
    Digits past the microsecond are dropped.

    Raises:
        RecordError: If it is no time, or one that nothing happens at (the zero times of programs,
            before 1970, from 2200 on).
    """
    if isinstance(value, str):
        if value[4:5] == "-":
            occurred_us = _from_text(value.strip())
        else:
            text = value.strip()
            occurred_us = _from_number(text) if _NUMBER.match(text) else _from_text(text)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        occurred_us = _from_number(repr(value))
    else:
        raise RecordError(f"the time is not a time: {_short(value)}")
    return checked_us(value, occurred_us)


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
    """Whether a time is spelled ``2026-11-01T14:00:00Z``, perhaps with three or six digits of a second.

    Such a text need not be kept beside the time that was read from it.
    """
    return isinstance(value, str) and _PLAIN_UTC.match(value) is not None


def _from_number(text: str) -> int:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise RecordError(f"the time is not a time: {_short(text)}") from None
    if not number.is_finite():
        raise RecordError(f"the time is not a time: {_short(text)}")
    digits = number.adjusted() + 1 if number else 0
    if len(text) in (8, 14) and text.isdecimal() and text[:2] in ("19", "20"):
        return _from_text(f"{text[:8]}T{text[8:] or '000000'}")
    if 9 <= digits <= 11:
        return int(number * 1_000_000)
    if 12 <= digits <= 14:
        return int(number * 1_000)
    if 15 <= digits <= 17:
        return int(number)
    if 18 <= digits <= 20:
        return int(number / 1_000)
    if not number:
        raise RecordError("the time was never set: 0")
    raise RecordError(f"the time is not a time since 1970 in s, ms, µs or ns: {_short(text)}")


def _from_text(text: str) -> int:
    try:
        return _us(datetime.fromisoformat(text))
    except ValueError:
        pass
    except OverflowError:
        raise RecordError(f"the time is out of range: {_short(text)}") from None
    if len(text) > 64:
        raise RecordError(f"the time is not a time: {_short(text)}")
    try:
        return _from_odd_text(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        raise RecordError(f"the time is not a time: {_short(text)}") from None


def _us(moment: datetime) -> int:
    passed = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _from_odd_text(text: str) -> int:
    plain = _APART.sub(r"\1", text)  # Snowflake writes a space before the offset
    for suffix in (" UTC", " GMT", " Z", "z"):
        plain = plain.removesuffix(suffix)
    if plain[4:5] == "/" and plain[7:8] == "/":
        plain = plain.replace("/", "-", 2)
    leap, found = _LEAP_SECOND.subn(r"\g<1>59", plain)
    if plain != text or found:
        try:
            return _us(datetime.fromisoformat(leap)) + (1_000_000 if found else 0)
        except ValueError:
            pass
    if match := _SLASHED.match(text):
        return _slashed(match)
    if match := _MONTH_FIRST.match(text) or _DAY_FIRST.match(text.rstrip("]")):
        month = _MONTHS.index(match["month"].lower()) + 1
        return _clock(match, month, int(match["day"]))
    return _us(parsedate_to_datetime(text))


def _slashed(match: re.Match[str]) -> int:
    """``5/18/2021 9:13:33 PM``: the American order where AM or PM or the numbers say so."""
    first, following = int(match["first"]), int(match["next"])
    if match["half"] or following > 12 or first == following:
        return _clock(match, first, following)
    if first > 12:
        return _clock(match, following, first)
    raise RecordError(f"the time could be of two months: {_short(match[0])}")


def _clock(match: re.Match[str], month: int, day: int) -> int:
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if match["half"][0] in "Pp" else 0)
    zone = (match["zone"] or "Z").replace("UTC", "Z").replace("GMT", "Z")
    fraction = (match["fraction"] or "0").ljust(6, "0")[:6]
    return _us(
        datetime.fromisoformat(
            f"{match['year']}-{month:02}-{day:02}T{hour:02}:{match['minute']}"
            f":{match['second'] or '00'}.{fraction}{zone}"
        )
    )


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
