"""Time zones: finding one by name, where a day begins in it, and how a moment reads in it.

The only part of the core that looks at the machine: ``zone_named(None)`` asks it for its own zone.
"""

from __future__ import annotations

import io
import os
import re
import struct
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from audit_tui.core.text import closest, lazy_pattern
from audit_tui.errors import TimeError

SECOND_US = 1_000_000
MAX_SHOWN_CHARS = 60
DAY_US = 86_400 * SECOND_US
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_UTC_NAMES = frozenset({"utc", "z", "zulu", "uct", "universal", "etc/utc", "etc/uct", "etc/zulu"})
_OFFSET = lazy_pattern(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?", re.ASCII | re.IGNORECASE)
_LOCALTIME = Path("/etc/localtime")
_TIMEZONE = Path("/etc/timezone")
_ZONE_FORMATS = "Write it as Europe/Berlin, UTC, +02:00 or local."
_US_RULE = ",M3.2.0,M11.1.0"
"""The rule that POSIX lets the C library assume for a TZ like ``EST5EDT`` without rules."""


def zone_named(name: str | None) -> tzinfo:
    """A time zone by its name.

    That is an IANA name in any case ("Europe/Berlin"), "UTC", an offset ("+02:00"), or "local"; None and
    "local" are the machine's own zone.

    Raises:
        TimeError: If there is no such zone.
    """
    if name is None or name.strip().lower() == "local":
        return _machine_zone()
    wanted = name.strip()
    zone = _known_zone(wanted)
    if zone is None:
        raise TimeError(f"There is no time zone {shortened(name)!r}.", _zone_hint(wanted))
    return zone


def shortened(text: str) -> str:
    """A text from outside as an error message repeats it: not all of a megabyte."""
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"


def zone_label(zone: tzinfo, now: datetime) -> str:
    """Return the name of a zone on the screen: its IANA name, else its short name and offset at ``now``."""
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key
    if zone is UTC:
        return "UTC"
    local = now.astimezone(zone)
    short = local.tzname() or ""
    offset = f"UTC{local:%z}"[:8]
    offset = f"{offset[:6]}:{offset[6:]}"
    if offset == "UTC+00:00":
        return "UTC"
    return offset if not short or short.startswith("UTC") else f"{short} ({offset})"


@lru_cache(maxsize=1024)
def start_of_day(day: date, zone: tzinfo) -> int:
    """The first moment of a day in a zone, in microseconds since 1970.

    Exactly: the earliest moment whose local date is that day or a later one. Where clocks jump over
    midnight the day begins later than 00:00; a day that a zone left out (2011-12-30 in Apia) begins
    where the next one does, and so is empty. Safe for ``date.min`` and ``date.max``.
    """
    midnight = datetime.combine(day, datetime.min.time(), zone)
    local_us = (day.toordinal() - _EPOCH_DAY) * DAY_US
    # PEP 495: before a gap or in the first of two equal hours fold 0 has the offset of before, fold 1
    # that of after. So only in a gap does fold 1 give the earlier moment.
    first = local_us - _offset_us(midnight)
    second = local_us - _offset_us(midnight.replace(fold=1))
    if second >= first:
        return first
    early, late = second // SECOND_US, -(-first // SECOND_US)
    while late - early > 1:
        middle = (early + late) // 2
        if local_time(middle * SECOND_US, zone).date() >= day:
            late = middle
        else:
            early = middle
    return late * SECOND_US


def local_time(occurred_us: int, zone: tzinfo) -> datetime:
    """A stored moment as a datetime in a zone.

    What the years 1 to 9999 of the zone cannot hold becomes their first or last microsecond.
    """
    seconds, microsecond = divmod(occurred_us, SECOND_US)
    try:
        # Half the time of EPOCH + timedelta and astimezone, and lists ask for every row.
        return datetime.fromtimestamp(seconds, zone).replace(microsecond=microsecond)
    except (OverflowError, ValueError, OSError):
        limit = datetime.max if occurred_us > 0 else datetime.min  # noqa: DTZ901 - it gets its zone below
        return limit.replace(tzinfo=zone)


def date_text(occurred_us: int, zone: tzinfo) -> str:
    """A stored moment as it reads in a list: ``2026-11-22 14:05:09``, always 19 characters."""
    return local_time(occurred_us, zone).isoformat(" ", "seconds")[:19]


def exact_date_text(occurred_us: int, zone: tzinfo) -> str:
    """A stored moment as it reads in a pane: ``2026-11-22 13:58:02.114 +01:00``.

    Milliseconds, or microseconds where there are any.
    """
    local = local_time(occurred_us, zone)
    text = local.isoformat(" ", "microseconds" if local.microsecond % 1000 else "milliseconds")
    dot = text.index(".")
    end = dot + (7 if local.microsecond % 1000 else 4)
    return f"{text[:end]} {text[end:]}"


def _offset_us(moment: datetime) -> int:
    offset = moment.utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


def _known_zone(name: str) -> tzinfo | None:
    if name.lower() in _UTC_NAMES:
        return UTC
    if offset := _OFFSET.fullmatch(name):
        sign, hours, minutes = offset.groups()
        span = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(-span if sign == "-" else span) if span < timedelta(hours=24) else None
    wanted = name.lower().replace(" ", "_")
    return _zone_info(name) or _zone_info(
        next((zone for zone in available_timezones() if zone.lower() == wanted), "")
    )


def _zone_info(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    # KeyError: no such zone. ValueError: a path, a NUL, a file that is none. OSError: a folder, too long.
    except (KeyError, ValueError, OSError):
        return None


def _zone_hint(name: str) -> str:
    if len(name) > MAX_SHOWN_CHARS:
        return _ZONE_FORMATS
    names = available_timezones()
    if not names:
        return "This machine has no time zone data: pip install tzdata."
    by_lower = {zone.lower(): zone for zone in names}
    by_city = {zone.rpartition("/")[2].lower(): zone for zone in sorted(names)}
    wanted = name.lower().replace(" ", "_")
    meant = by_city.get(wanted)
    if meant is None:
        near = closest(wanted, [*by_lower, *by_city])
        meant = by_lower.get(near) or by_city.get(near)
    return _ZONE_FORMATS if meant is None else f"Did you mean {meant}?"


def _machine_zone() -> tzinfo:
    """The zone of TZ, else of the machine's settings, with its rules and if possible its name."""
    setting = os.environ.get("TZ")
    if setting is not None:
        zone = _zone_of_setting(setting.removeprefix(":"))
        if zone is not None:
            return zone
    else:
        zone = _zone_of_file(_LOCALTIME) or _zone_of_text(_TIMEZONE)
        if zone is not None:
            return zone
    # No name and no rules to be found: the offset of this moment.
    return datetime.now().astimezone().tzinfo or UTC


def _zone_of_setting(setting: str) -> tzinfo | None:
    if not setting:
        return UTC
    if setting.startswith("/"):
        return _zone_of_file(Path(setting))
    if setting.lower() in _UTC_NAMES:
        return UTC
    return _zone_info(setting) or _posix_zone(setting)


def _zone_of_file(path: Path) -> tzinfo | None:
    """The zone that a file, or what it links to, stands for: by name, else by its rules."""
    for target in (_link_target(path), str(path), os.path.realpath(path)):
        _, folder, name = target.rpartition("zoneinfo/")
        name = name.removeprefix("posix/").removeprefix("right/")
        if folder and name.lower() in _UTC_NAMES:
            return UTC
        zone = _zone_info(name) if folder else None
        if zone is not None:
            return zone
    try:
        with path.open("rb") as rules:
            return ZoneInfo.from_file(rules)
    except (OSError, ValueError):
        return None


def _link_target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _zone_of_text(path: Path) -> tzinfo | None:
    try:
        name = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return _known_zone(name) if name else None


def _posix_zone(rules: str) -> tzinfo | None:
    """A zone from a POSIX rule such as ``CET-1CEST,M3.5.0,M10.5.0/3``.

    ZoneInfo reads such rules only at the end of a zone file, so this makes the smallest file with them.
    """
    for footer in (rules, rules + _US_RULE):
        counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
        header = b"TZif2" + bytes(15) + counts
        body = struct.pack(">lbb", 0, 0, 0) + b"UTC\0"
        try:
            whole = (header + body) * 2 + b"\n" + footer.encode("ascii") + b"\n"
            return ZoneInfo.from_file(io.BytesIO(whole))
        except ValueError:
            continue
    return None
