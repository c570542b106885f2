from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from audit_tui.core.event import to_us
from audit_tui.core.query import Interval
from audit_tui.core.time.dates import (
    DEFAULT_RANGE,
    MomentRange,
    Preset,
    TimeContext,
    TimeRange,
    bound_texts,
    days_of,
    range_label,
    range_words,
    resolve,
)
from audit_tui.core.time.month import DayRange
from audit_tui.core.time.words import parse_time, range_from_bounds
from audit_tui.core.time.zones import local_time
from audit_tui.errors import TimeError

HOUR_US = 3_600_000_000
LENGTHS = {
    Preset.LAST_15_MINUTES: timedelta(minutes=15),
    Preset.LAST_HOUR: timedelta(hours=1),
    Preset.LAST_24_HOURS: timedelta(hours=24),
}
# Without those that ever set the clock back over midnight: there a date has two spans, and the first
# ends where the next day first begins (tests/core/test_zones.py).
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Havana",
    "America/Los_Angeles",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Auckland",
)
MIDNIGHT_ZONES = ("America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "America/Asuncion")


def context_at(zone: str, now: str, first_weekday: int = 0) -> TimeContext:
    place = ZoneInfo(zone)
    moment = datetime.fromisoformat(now)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=place)
    return TimeContext(place, aware, first_weekday)


BERLIN = context_at("Europe/Berlin", "2026-11-23 09:00")


def days(first: str, last: str) -> DayRange:
    return DayRange(date.fromisoformat(first), date.fromisoformat(last))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "first_weekday", "preset", "expected"),
    [
        ("2026-11-23", 0, Preset.TODAY, days("2026-11-23", "2026-11-23")),
        ("2026-11-23", 0, Preset.YESTERDAY, days("2026-11-22", "2026-11-22")),
        ("2026-11-23", 0, Preset.THIS_WEEK, days("2026-11-23", "2026-11-29")),
        ("2026-11-23", 6, Preset.THIS_WEEK, days("2026-11-22", "2026-11-28")),
        ("2026-11-22", 0, Preset.THIS_WEEK, days("2026-11-16", "2026-11-22")),
        ("2026-11-22", 6, Preset.THIS_WEEK, days("2026-11-22", "2026-11-28")),
        ("2026-11-21", 5, Preset.THIS_WEEK, days("2026-11-21", "2026-11-27")),
        ("2026-01-01", 0, Preset.THIS_WEEK, days("2025-12-29", "2026-01-04")),
        ("2026-01-01", 6, Preset.THIS_WEEK, days("2025-12-28", "2026-01-03")),
        ("2026-11-23", 0, Preset.THIS_MONTH, days("2026-11-01", "2026-11-30")),
        ("2024-02-10", 0, Preset.THIS_MONTH, days("2024-02-01", "2024-02-29")),
        ("2026-11-23", 0, Preset.LAST_MONTH, days("2026-10-01", "2026-10-31")),
        ("2026-01-31", 0, Preset.LAST_MONTH, days("2025-12-01", "2025-12-31")),
        ("2024-03-31", 0, Preset.LAST_MONTH, days("2024-02-01", "2024-02-29")),
        ("2026-11-23", 0, Preset.LAST_30_DAYS, days("2026-10-25", "2026-11-23")),
        ("2024-03-01", 0, Preset.LAST_30_DAYS, days("2024-02-01", "2024-03-01")),
        ("2026-01-01", 0, Preset.LAST_90_DAYS, days("2025-10-04", "2026-01-01")),
        ("2026-11-23", 0, Preset.THIS_YEAR, days("2026-01-01", "2026-12-31")),
        ("2024-12-31", 0, Preset.LAST_YEAR, days("2023-01-01", "2023-12-31")),
        ("2024-02-29", 0, Preset.LAST_YEAR, days("2023-01-01", "2023-12-31")),
        ("0001-01-01", 0, Preset.LAST_MONTH, days("0001-01-01", "0001-01-31")),
        ("0001-01-01", 0, Preset.LAST_30_DAYS, days("0001-01-01", "0001-01-01")),
        ("9999-12-31", 0, Preset.THIS_WEEK, days("9999-12-27", "9999-12-31")),
    ],
)
def test_the_days_of_a_preset(now: str, first_weekday: int, preset: Preset, expected: DayRange) -> None:
    assert days_of(preset, context_at("UTC", f"{now} 12:00", first_weekday)) == expected


def test_all_time_has_no_borders_and_is_marked_from_the_first_event() -> None:
    assert resolve(Preset.ALL_TIME, BERLIN) == Interval()
    assert days_of(Preset.ALL_TIME, BERLIN) is None
    first = date(2025, 10, 20)
    assert days_of(Preset.ALL_TIME, BERLIN, first) == DayRange(first, BERLIN.today)


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Europe/Berlin", "2026-11-22T22:59:59+00:00", "2026-11-22"),
        ("Europe/Berlin", "2026-11-22T23:00:00+00:00", "2026-11-23"),
        ("Pacific/Kiritimati", "2026-11-22T10:00:00+00:00", "2026-11-23"),
        ("America/New_York", "2026-11-23T04:59:59+00:00", "2026-11-22"),
    ],
)
def test_a_preset_is_worked_out_anew_past_midnight(zone: str, now: str, expected: str) -> None:
    context = context_at(zone, now)
    assert days_of(Preset.TODAY, context) == days(expected, expected)


def assert_borders_are_midnights(zone: str, time_range: TimeRange, context: TimeContext) -> None:
    """Every moment near a border lies inside exactly if its local date does."""
    interval, span = resolve(time_range, context), days_of(time_range, context)
    assert span is not None
    for border_us in (interval.start_us, interval.end_us):
        if border_us is None:
            continue
        near = [border_us + minutes * 60_000_000 for minutes in range(-26 * 60, 26 * 60, 10)]
        for moment_us in (*near, border_us - 1, border_us, border_us + 1):
            is_inside = (interval.start_us is None or interval.start_us <= moment_us) and (
                interval.end_us is None or moment_us < interval.end_us
            )
            assert is_inside == (local_time(moment_us, context.zone).date() in span), (zone, moment_us)


@given(
    zone=st.sampled_from(ZONES),
    now=st.datetimes(datetime(1975, 1, 1), datetime(2037, 12, 31)),  # noqa: DTZ001 - made aware below
    first_weekday=st.sampled_from([0, 5, 6]),
    preset=st.sampled_from([preset for preset in Preset if preset not in (Preset.ALL_TIME, *LENGTHS)]),
)
@example(zone="Pacific/Apia", now=datetime(2011, 12, 31, 5), first_weekday=0, preset=Preset.YESTERDAY)  # noqa: DTZ001
@example(zone="Europe/Berlin", now=datetime(2026, 3, 29, 5), first_weekday=0, preset=Preset.TODAY)  # noqa: DTZ001
@example(zone="America/Havana", now=datetime(2026, 11, 1, 5), first_weekday=6, preset=Preset.THIS_WEEK)  # noqa: DTZ001
def test_a_preset_holds_the_moments_with_its_dates(
    zone: str, now: datetime, first_weekday: int, preset: Preset
) -> None:
    context = TimeContext(ZoneInfo(zone), now.replace(tzinfo=ZoneInfo(zone)), first_weekday)
    assert_borders_are_midnights(zone, preset, context)


@given(
    zone=st.sampled_from((*ZONES, *MIDNIGHT_ZONES)),
    first=st.dates(date(2000, 1, 1), date(2037, 1, 1)),
    length=st.integers(0, 400),
)
@example(zone="America/Sao_Paulo", first=date(2018, 11, 4), length=0)
@example(zone="America/Sao_Paulo", first=date(2018, 2, 17), length=0)
@example(zone="Africa/Cairo", first=date(2026, 4, 24), length=0)
@example(zone="Pacific/Apia", first=date(2011, 12, 30), length=0)
def test_days_hold_the_moments_with_their_dates(zone: str, first: date, length: int) -> None:
    context = context_at(zone, "2026-11-23 09:00")
    assert_borders_are_midnights(zone, DayRange(first, first + timedelta(days=length)), context)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("Africa/Cairo", "2026-04-24", 23),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Pacific/Apia", "2011-12-29", 24),
    ],
)
def test_the_length_of_a_day(zone: str, day: str, hours: float) -> None:
    interval = resolve(days(day, day), context_at(zone, "2026-11-23 09:00"))
    assert interval.start_us is not None
    assert interval.end_us is not None
    assert (interval.end_us - interval.start_us) / HOUR_US == hours


@given(zone=st.sampled_from((*ZONES, *MIDNIGHT_ZONES)), day=st.dates())
def test_days_follow_each_other_without_gap_or_overlap(zone: str, day: date) -> None:
    assume(day not in (date.min, date.max))
    context = context_at(zone, "2026-11-23 09:00")
    before = resolve(DayRange(day - timedelta(days=1), day), context)
    after = resolve(DayRange(day + timedelta(days=1), date.max), context) if day < date.max else None
    assert before.end_us is not None
    assert after is not None
    assert after.start_us == before.end_us


def test_the_ends_of_all_dates_are_open() -> None:
    assert resolve(DayRange(date.min, date.max), BERLIN) == Interval()


@pytest.mark.parametrize("text", ["Last 30 Days", "last-30-days", "LAST 30 DAYS", " last_30 days "])
def test_a_preset_is_read_by_its_name(text: str) -> None:
    assert Preset.parse(text) is DEFAULT_RANGE


@pytest.mark.parametrize("preset", Preset)
def test_every_preset_is_read_by_what_it_is_called(preset: Preset) -> None:
    assert Preset.parse(preset.label) is Preset.parse(preset.slug) is preset


def test_the_presets_stand_in_the_dialogs_order() -> None:
    assert [preset.label for preset in Preset] == [
        "All Time",
        "Today",
        "Yesterday",
        "This Week",
        "This Month",
        "Last Month",
        "Last 30 Days",
        "Last 90 Days",
        "This Year",
        "Last Year",
        "Last 15 Minutes",
        "Last Hour",
        "Last 24 Hours",
        "Last 7 Days",
    ]


@pytest.mark.parametrize("preset", LENGTHS)
def test_a_length_up_to_now_has_no_end(preset: Preset) -> None:
    now = utc("2026-11-23 08:00:07.25")
    context = TimeContext(ZoneInfo("Europe/Berlin"), now)
    start = now.replace(microsecond=0) - LENGTHS[preset]
    assert resolve(preset, context) == Interval(to_us(start), None)
    assert range_from_bounds(*bound_texts(preset, context), context) == MomentRange(start)
    assert range_words(preset, context) == f"{preset.label}: since {bound_texts(preset, context)[0]}"


def test_an_unknown_preset_is_named_with_those_there_are() -> None:
    with pytest.raises(TimeError) as caught:
        Preset.parse("last-8-days")
    assert "'last-8-days'" in caught.value.message
    assert "Last 30 Days" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01", date(2026, 11, 1)),
        ("2026-11-1", date(2026, 11, 1)),
        (" 2024-02-29 ", date(2024, 2, 29)),
        ("2026-11-01 14:00", utc("2026-11-01 13:00")),
        ("2026-11-01 9:00", utc("2026-11-01 08:00")),
        ("2026-11-01T14:00:05", utc("2026-11-01 13:00:05")),
        ("2026-11-01 14:00:05.25", utc("2026-11-01 13:00:05.250")),
        ("2026-11-01 14:00:05,123456789", utc("2026-11-01 13:00:05.123456")),
        ("2026-11-01T14:00:05Z", utc("2026-11-01 14:00:05")),
        ("2026-11-01T14:00z", utc("2026-11-01 14:00")),
        ("2026-11-01 14:00 UTC", utc("2026-11-01 14:00")),
        ("2026-11-01T14:00:05-05:00", utc("2026-11-01 19:00:05")),
        ("2026-11-01T14:00:05+0530", utc("2026-11-01 08:30:05")),
        ("2026-11-01T14:00+02", utc("2026-11-01 12:00")),
        ("2026-11-22 13:58:02.114 +01:00", utc("2026-11-22 12:58:02.114")),
        ("2026-10-25 02:30", utc("2026-10-25 00:30")),
        ("2026-03-29 02:30", utc("2026-03-29 01:30")),
        ("0001-01-01", date.min),
        ("9999-12-31", date.max),
        ("today", date(2026, 11, 23)),
        ("Yesterday", date(2026, 11, 22)),
        ("now", utc("2026-11-23 08:00")),
    ],
)
def test_a_time_is_read(text: str, expected: date | datetime) -> None:
    assert parse_time(text, BERLIN) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2026-13-01",
        "2026-02-29",
        "2026-11-31",
        "0000-01-01",
        "10000-01-01",
        "01.11.2026",
        "2026-11-01 14",
        "2026-11-01 24:00",
        "2026-11-01 14:60",
        "2026-11-01 14:00:60",
        "2026-11-01Z",
        "2026-11-01 14:00+25:00",
        "2026-11-01 14:00 Europe/Berlin",
        "0001-01-01 00:00",
        "9999-12-31 23:00-05:00",
        "\uff12\uff10\uff12\uff16-11-01",
        "2026-11-01\x00",
        "\x1b[31m",
        "9" * 100_000,
    ],
)
def test_what_is_no_time_is_said_so(text: str) -> None:
    with pytest.raises(TimeError) as caught:
        parse_time(text, BERLIN)
    assert caught.value.hint
    assert len(str(caught.value)) < 250
    assert str(caught.value).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("since", "until", "expected", "label", "words"),
    [
        (None, None, Preset.ALL_TIME, "All Time", "All Time, since the first event"),
        ("", " ", Preset.ALL_TIME, "All Time", "All Time, since the first event"),
        (
            "2026-11-10",
            "2026-11-13",
            days("2026-11-10", "2026-11-13"),
            "2026-11-10 to 2026-11-13",
            "2026-11-10 to 2026-11-13, 4 days",
        ),
        ("2026-11-10", "2026-11-10", days("2026-11-10", "2026-11-10"), "2026-11-10", "2026-11-10, 1 day"),
        (
            "2026-11-10",
            None,
            MomentRange(utc("2026-11-09 23:00"), None),
            "since 2026-11-10",
            "since 2026-11-10",
        ),
        (
            None,
            "2026-11-13",
            MomentRange(None, utc("2026-11-13 23:00")),
            "until 2026-11-13",
            "until 2026-11-13",
        ),
        (
            None,
            "2026-11-13 09:00",
            MomentRange(None, utc("2026-11-13 08:00")),
            "until 2026-11-13 09:00",
            "until 2026-11-13 09:00",
        ),
        (
            "2026-11-10 14:00",
            "2026-11-10 16:30",
            MomentRange(utc("2026-11-10 13:00"), utc("2026-11-10 15:30")),
            "2026-11-10 14:00 to 16:30",
            "2026-11-10 14:00 to 16:30, 2 h 30 min",
        ),
        (
            "2026-11-10",
            "2026-11-13 09:00:05",
            MomentRange(utc("2026-11-09 23:00"), utc("2026-11-13 08:00:05")),
            "2026-11-10 00:00 to 2026-11-13 09:00:05",
            "2026-11-10 00:00 to 2026-11-13 09:00:05, 3 days 9 h",
        ),
        (
            # A day of 25 hours is one day.
            "2026-10-25 00:00",
            "2026-10-25",
            MomentRange(utc("2026-10-24 22:00"), utc("2026-10-25 23:00")),
            "2026-10-25",
            "2026-10-25, 1 day",
        ),
        (
            "2026-10-25 02:30",
            "2026-10-25 02:30 +01:00",
            MomentRange(utc("2026-10-25 00:30"), utc("2026-10-25 01:30")),
            "2026-10-25 02:30 to 02:30 +01:00",
            "2026-10-25 02:30 to 02:30 +01:00, 1 h",
        ),
        (
            "2026-11-10 14:00",
            "2026-11-10 14:00:00.5",
            MomentRange(utc("2026-11-10 13:00"), utc("2026-11-10 13:00:00.500")),
            "2026-11-10 14:00 to 14:00:00.5",
            "2026-11-10 14:00 to 14:00:00.5, 0.5 s",
        ),
        (
            "0001-01-01",
            "2026-11-13 09:00",
            MomentRange(None, utc("2026-11-13 08:00")),
            "until 2026-11-13 09:00",
            "until 2026-11-13 09:00",
        ),
    ],
)
def test_two_times_make_a_range_that_says_itself(
    since: str | None, until: str | None, expected: TimeRange, label: str, words: str
) -> None:
    made = range_from_bounds(since, until, BERLIN)
    assert made == expected
    assert range_label(made, BERLIN) == label
    assert range_words(made, BERLIN) == words


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        (Preset.TODAY, "Today: 2026-11-23, 1 day"),
        (Preset.LAST_30_DAYS, "Last 30 Days: 2026-10-25 to 2026-11-23, 30 days"),
        (Preset.THIS_YEAR, "This Year: 2026-01-01 to 2026-12-31, 365 days"),
    ],
)
def test_a_preset_says_its_name_and_its_days(preset: Preset, words: str) -> None:
    assert range_label(preset, BERLIN) == preset.label
    assert range_words(preset, BERLIN) == words


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-11-13", "2026-11-12"),
        ("2026-11-13", "2026-11-12 23:00"),
        ("2026-11-13 00:01", "2026-11-13 00:00"),
        # One clock face, two moments: the second 02:30 comes after the first.
        ("2026-10-25 02:10 +01:00", "2026-10-25 02:50 +02:00"),
    ],
)
def test_a_range_that_ends_before_it_begins_is_refused(since: str, until: str) -> None:
    with pytest.raises(TimeError, match="comes after"):
        range_from_bounds(since, until, BERLIN)


MOMENTS = st.datetimes(datetime(1975, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
BOUNDS = st.none() | MOMENTS | MOMENTS.map(lambda moment: moment.replace(second=0, microsecond=0))


@given(zone=st.sampled_from((*ZONES, *MIDNIGHT_ZONES)), start=BOUNDS, end=BOUNDS)
@example(zone="Europe/Berlin", start=utc("2026-10-25 01:30"), end=utc("2026-10-25 01:31"))
@example(zone="Europe/Berlin", start=utc("2026-11-10 23:00"), end=utc("2026-11-10 23:00"))
@example(zone="America/Sao_Paulo", start=utc("2018-11-04 03:00"), end=utc("2018-11-05 02:00"))
@example(zone="America/Havana", start=utc("2026-11-01 05:00"), end=None)
@example(zone="Europe/Amsterdam", start=utc("1936-10-04 02:10:28"), end=None)
def test_the_times_that_stand_for_a_range_give_it_back(
    zone: str, start: datetime | None, end: datetime | None
) -> None:
    assume(start is None or end is None or start <= end)
    context = context_at(zone, "2026-11-23 09:00")
    moments = MomentRange(start, end)
    again = range_from_bounds(*bound_texts(moments, context), context)
    assert resolve(again, context) == resolve(moments, context)


@given(first=st.dates(), length=st.integers(0, 500))
def test_the_days_that_stand_for_a_range_give_it_back(first: date, length: int) -> None:
    assume(first.toordinal() + length <= date.max.toordinal())
    span = DayRange(first, first + timedelta(days=length))
    assert range_from_bounds(*bound_texts(span, BERLIN), BERLIN) == span


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        (
            MomentRange(utc("2026-11-10 13:00"), utc("2026-11-12 23:00")),
            days("2026-11-10", "2026-11-12"),
        ),
        (
            MomentRange(utc("2026-11-10 13:00"), utc("2026-11-12 23:00:01")),
            days("2026-11-10", "2026-11-13"),
        ),
        (MomentRange(utc("2026-11-10 13:00"), None), days("2026-11-10", "2026-11-23")),
        (MomentRange(utc("2027-01-10 13:00"), None), days("2027-01-10", "2027-01-10")),
        (MomentRange(utc("2026-11-10 23:00"), utc("2026-11-10 23:00")), days("2026-11-11", "2026-11-11")),
        (MomentRange(None, utc("2026-11-10 13:00")), None),
    ],
)
def test_the_days_that_moments_touch(moments: MomentRange, expected: DayRange | None) -> None:
    assert days_of(moments, BERLIN) == expected


def test_moments_are_kept_in_utc_so_that_equal_means_the_same_moment() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
    assert MomentRange(first, None) == MomentRange(utc("2026-10-25 00:30"), None)
    assert MomentRange(first, None) != MomentRange(first.replace(fold=1), None)
    with pytest.raises(ValueError, match="zone"):
        MomentRange(datetime(2026, 10, 25), None)  # noqa: DTZ001 - what is tested


@given(start=st.datetimes(timezones=st.just(UTC)), end=st.datetimes(timezones=st.just(UTC)))
def test_any_moments_can_be_said_and_marked(start: datetime, end: datetime) -> None:
    assume(start <= end)
    moments = MomentRange(start, end)
    assert range_words(moments, BERLIN)
    assert days_of(moments, BERLIN) is not None
    assert resolve(moments, BERLIN) == Interval(to_us(start), to_us(end))
