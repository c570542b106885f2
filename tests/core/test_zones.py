from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit_tui.core.event import MAX_US, MIN_US, to_us
from audit_tui.core.time import zones
from audit_tui.core.time.zones import (
    SECOND_US,
    date_text,
    exact_date_text,
    local_time,
    start_of_day,
    zone_label,
    zone_named,
)
from audit_tui.errors import TimeError

NOW = datetime(2026, 11, 22, 13, tzinfo=UTC)
HAIRY_ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "America/St_Johns",
    "America/Asuncion",
    "America/Santiago",
    "Asia/Beirut",
    "Asia/Amman",
    "Asia/Tehran",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Antarctica/Troll",
)
HOUR_US = 3600 * SECOND_US


def utc_us(text: str) -> int:
    return to_us(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        pytest.param("UTC", "2026-11-22", "2026-11-22T00:00:00Z", id="plain"),
        pytest.param("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", id="a day of 23 hours"),
        pytest.param("Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z", id="the day after"),
        pytest.param("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", id="no midnight: 01:00"),
        pytest.param("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z", id="23:00 twice before"),
        pytest.param("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z", id="Beirut has no midnight"),
        pytest.param("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z", id="Cairo has no midnight"),
        pytest.param("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", id="midnight twice: the first"),
        pytest.param(
            "America/St_Johns", "2006-10-29", "2006-10-29T02:30:00Z", id="back over midnight at 0:01"
        ),
        pytest.param("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", id="a day left out"),
        pytest.param("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", id="the day after it"),
        pytest.param("America/Scoresbysund", "2024-03-31", "2024-03-31T01:00:00Z", id="a gap up to midnight"),
        pytest.param("Africa/Monrovia", "1972-01-06", "1972-01-06T00:44:30Z", id="offset with seconds"),
        pytest.param("America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z", id="a gap over midnight"),
    ],
)
def test_a_day_begins(zone: str, day: str, begins: str) -> None:
    assert start_of_day(date.fromisoformat(day), ZoneInfo(zone)) == utc_us(begins)


@given(
    zone=st.sampled_from(HAIRY_ZONES).map(ZoneInfo),
    day=st.dates(date(1900, 1, 1), date(2100, 1, 1)),
)
@example(zone=ZoneInfo("America/Sao_Paulo"), day=date(2018, 11, 4))
@example(zone=ZoneInfo("America/St_Johns"), day=date(2006, 10, 29))
@example(zone=ZoneInfo("Pacific/Apia"), day=date(2011, 12, 30))
def test_a_day_begins_at_the_first_moment_with_its_date_or_a_later_one(zone: tzinfo, day: date) -> None:
    start_us = start_of_day(day, zone)
    assert local_time(start_us, zone).date() >= day
    assert local_time(start_us - 1, zone).date() < day
    for minutes in range(0, 49 * 60, 15):
        assert local_time(start_us - 1 - minutes * 60 * SECOND_US, zone).date() < day


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/New_York", "+14:00", "-12:00"])
def test_the_first_and_the_last_date_begin_too(zone: str) -> None:
    place = zone_named(zone)
    offset_us = 26 * HOUR_US
    assert abs(start_of_day(date.min, place) - MIN_US) <= offset_us
    assert abs(start_of_day(date.max, place) - MAX_US) <= offset_us + 24 * HOUR_US


@given(
    occurred_us=st.integers(-(2**63), 2**63 - 1) | st.sampled_from([MIN_US, MAX_US, 0, -1]),
    zone=st.sampled_from((*HAIRY_ZONES, "+14:00", "-12:00")).map(zone_named),
)
def test_any_stored_time_reads_in_any_zone(occurred_us: int, zone: tzinfo) -> None:
    text = date_text(occurred_us, zone)
    assert len(text) == 19
    assert exact_date_text(occurred_us, zone).startswith(text)
    if MIN_US + 48 * HOUR_US < occurred_us < MAX_US - 48 * HOUR_US:
        assert to_us(local_time(occurred_us, zone)) == occurred_us
    else:
        assert text[:4] in ("0001", "9999")


@pytest.mark.parametrize(
    ("moment", "zone", "short", "exact"),
    [
        (
            "2026-11-22T12:58:02.114Z",
            "Europe/Berlin",
            "2026-11-22 13:58:02",
            "2026-11-22 13:58:02.114 +01:00",
        ),
        ("2026-11-22T12:58:02Z", "UTC", "2026-11-22 12:58:02", "2026-11-22 12:58:02.000 +00:00"),
        (
            "2026-11-22T12:58:02.114007Z",
            "Asia/Kathmandu",
            "2026-11-22 18:43:02",
            "2026-11-22 18:43:02.114007 +05:45",
        ),
        ("1969-12-31T23:59:59.999Z", "UTC", "1969-12-31 23:59:59", "1969-12-31 23:59:59.999 +00:00"),
        ("0987-01-02T03:04:05Z", "UTC", "0987-01-02 03:04:05", "0987-01-02 03:04:05.000 +00:00"),
        # The hour that comes twice: only the offset tells which.
        ("2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 02:30:00.000 +02:00"),
        ("2026-10-25T01:30:00Z", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 02:30:00.000 +01:00"),
    ],
)
def test_how_a_moment_reads(moment: str, zone: str, short: str, exact: str) -> None:
    occurred_us, place = utc_us(moment), zone_named(zone)
    assert date_text(occurred_us, place) == short
    assert exact_date_text(occurred_us, place) == exact


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("america/new york", "America/New_York"),
        ("UTC", "UTC"),
        ("z", "UTC"),
        ("Etc/UTC", "UTC"),
        ("+02:00", "UTC+02:00"),
        ("-0330", "UTC-03:30"),
        ("UTC+5", "UTC+05:00"),
        ("+00:00", "UTC"),
    ],
)
def test_a_zone_is_found_and_called(name: str, label: str) -> None:
    assert zone_label(zone_named(name), NOW) == label


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Berlin", "Did you mean Europe/Berlin?"),
        ("Europe/Berln", "Did you mean Europe/Berlin?"),
        ("", "Europe/Berlin, UTC"),
        ("/etc/passwd", "Europe/Berlin, UTC"),
        ("../../etc/passwd", "Europe/Berlin, UTC"),
        ("a\0b", "Europe/Berlin, UTC"),
        ("+25:00", ""),
        ("Europe", ""),
        ("é", ""),
        ("x" * 100_000, "Europe/Berlin, UTC"),
    ],
)
def test_an_unknown_zone_is_named_with_a_way_out(name: str, hint: str) -> None:
    with pytest.raises(TimeError) as caught:
        zone_named(name)
    assert "no time zone" in caught.value.message
    assert len(caught.value.message) < 120
    assert hint in caught.value.hint
    assert caught.value.hint


@pytest.mark.parametrize(
    ("setting", "label", "summer"),
    [
        ("Europe/Berlin", "Europe/Berlin", 2),
        (":Europe/Berlin", "Europe/Berlin", 2),
        ("", "UTC", 0),
        ("UTC", "UTC", 0),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "CET (UTC+01:00)", 2),
        ("PST8PDT,M3.2.0,M11.1.0", "PST (UTC-08:00)", -7),
        ("XYZ5ABC", "XYZ (UTC-05:00)", -4),
    ],
)
def test_the_machines_zone_is_the_one_of_tz(
    setting: str, label: str, summer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", setting)
    for name in (None, "local"):
        zone = zone_named(name)
        assert zone_label(zone, NOW) == label
        assert datetime(2026, 7, 1, tzinfo=UTC).astimezone(zone).utcoffset() == timedelta(hours=summer)


def test_the_machines_zone_is_the_one_its_clock_is_linked_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TZ")
    link, text = tmp_path / "localtime", tmp_path / "timezone"
    monkeypatch.setattr(zones, "_LOCALTIME", link)
    monkeypatch.setattr(zones, "_TIMEZONE", text)
    text.write_text("Asia/Tokyo\n")
    assert zone_label(zone_named(None), NOW) == "Asia/Tokyo"
    link.symlink_to("../usr/share/zoneinfo/posix/Europe/Berlin")
    assert zone_label(zone_named(None), NOW) == "Europe/Berlin"
    link.unlink()
    link.symlink_to("/usr/share/zoneinfo/Etc/UTC")
    assert zone_label(zone_named(None), NOW) == "UTC"
    link.unlink()
    link.write_bytes(b"garbage")
    text.write_bytes(b"\xff\n")
    fallback = zone_named(None)
    assert datetime.now(fallback).utcoffset() == datetime.now().astimezone().utcoffset()


def test_a_copied_zone_file_gives_its_rules_though_no_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    places = [Path(base, "Europe/Berlin") for base in ("/usr/share/zoneinfo", "/usr/lib/zoneinfo")]
    berlin = next((place for place in places if place.is_file()), None)
    if berlin is None:
        pytest.skip("no zone files on this machine")
    copy = tmp_path / "localtime"
    copy.write_bytes(berlin.read_bytes())
    monkeypatch.delenv("TZ")
    monkeypatch.setattr(zones, "_LOCALTIME", copy)
    zone = zone_named(None)
    assert zone_label(zone, NOW) == "CET (UTC+01:00)"
    assert datetime(2026, 7, 1, tzinfo=UTC).astimezone(zone).utcoffset() == timedelta(hours=2)


def test_a_fixed_offset_needs_no_zone_file() -> None:
    assert zone_named("+02:00") == timezone(timedelta(hours=2))
