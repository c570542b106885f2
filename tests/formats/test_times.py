"""Every spelling of a time (FORMATS.md, pitfall 4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import AuditEvent, from_us, iso_utc, to_us
from audit_tui.formats.record import RecordError
from audit_tui.formats.times import EARLIEST_US, LATEST_US, is_plain_utc, parse_time
from audit_tui.ingest import events as reading
from tests.formats.logs import open_log, read, write

if TYPE_CHECKING:
    from pathlib import Path

NOON = "2021-05-18T21:13:33.000000Z"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1621372413, NOON),
        (1621372413.0, NOON),
        (1621372413.25, "2021-05-18T21:13:33.250000Z"),
        ("1621372413", NOON),
        ("1621372413.123456789", "2021-05-18T21:13:33.123456Z"),
        (1621372413000, NOON),
        (1621372413000.0, NOON),
        ("1621372413000000", NOON),
        (1621372413000000000, NOON),
        (1621372413123456789, "2021-05-18T21:13:33.123456Z"),
        (999999999, "2001-09-09T01:46:39.000000Z"),
        ("2021-05-18T21:13:33Z", NOON),
        ("2021-05-18T21:13:33z", NOON),
        ("2021-05-18T21:13:33+00:00", NOON),
        ("2021-05-18T21:13:33+0000", NOON),
        ("2021-05-19 08:13:33+11:00", NOON),
        ("2021-05-18 21:13:33", NOON),
        ("2021-05-18 14:13:33.000 -0700", NOON),
        ("  2021-05-18 21:13:33 UTC ", NOON),
        ("2021-05-18 21:13:33 GMT", NOON),
        ("2021/05/18 21:13:33", NOON),
        ("2021-05-18T21:13:33.1234567Z", "2021-05-18T21:13:33.123456Z"),
        ("2021-05-18T21:13:33.123456789+02:00", "2021-05-18T19:13:33.123456Z"),
        ("2021-05-18T21:13:33,5Z", "2021-05-18T21:13:33.500000Z"),
        ("20210518T211333Z", NOON),
        ("20210518211333", NOON),
        ("20210518", "2021-05-18T00:00:00.000000Z"),
        ("2021-05-18", "2021-05-18T00:00:00.000000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
        ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500000Z"),
        ("5/18/2021 9:13:33 PM", NOON),
        ("5/18/2021 12:00 AM", "2021-05-18T00:00:00.000000Z"),
        ("05/18/2021 21:13:33", NOON),
        ("18/05/2021 21:13:33", NOON),
        ("5/5/2021 21:13:33", "2021-05-05T21:13:33.000000Z"),
        ("Tue, 18 May 2021 21:13:33 GMT", NOON),
        ("Tue, 18 May 2021 23:13:33 +0200", NOON),
        ("18/May/2021:23:13:33 +0200", NOON),
        ("[18/May/2021:21:13:33 +0000]", NOON),
        ("May 18, 2021 9:13:33 PM", NOON),
        ("May 18, 2021, 9:13:33 p.m.", NOON),
        ("18 May 2021 21:13:33", NOON),
    ],
)
def test_a_time_in_any_usual_spelling(value: object, expected: str) -> None:
    assert iso_utc(parse_time(value)) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("0001-01-01T00:00:00Z", "never set"),
        ("1601-01-01T00:00:00Z", "never set"),
        ("1970-01-01T00:00:00Z", "never set"),
        (0, "never set"),
        ("0", "never set"),
        (0.0, "never set"),
        ("1969-12-31T23:59:59Z", "out of range"),
        ("2227-12-31T23:01:01+00:00", "out of range"),
        ("9999-12-31T23:59:59-23:59", "out of range"),
        (99999999999, "out of range"),
        (12345, "since 1970 in s, ms, µs or ns"),
        (-1621372413, "out of range"),
        (2**63, "out of range"),
        (10**25, "since 1970"),
        (float("nan"), "not a time"),
        (float("inf"), "not a time"),
        ("1e999", "not a time"),
        ("99999999", "since 1970"),
        ("20211399", "not a time"),
        ("05/06/2021 10:00", "two months"),
        ("13/13/2021 10:00", "not a time"),
        ("5/18/2021 13:00 PM", "not a time"),
        ("1234 19:01:01", "not a time"),
        ("sanitized", "not a time"),
        ("2021-02-30", "not a time"),
        ("2021-05-18T25:00:00Z", "not a time"),
        ("Foo 18, 2021 9:13:33 PM", "not a time"),
        ("x" * 100_000, "not a time"),
        ("", "not a time"),
        (True, "not a time"),
        (None, "not a time"),
        ([], "not a time"),
    ],
)
def test_what_is_no_time_is_refused_with_a_short_reason(value: object, reason: str) -> None:
    with pytest.raises(RecordError) as caught:
        parse_time(value)
    assert reason in caught.value.reason
    assert len(caught.value.reason) < 140


@given(st.integers(EARLIEST_US + 1, LATEST_US - 1), st.integers(-14 * 60, 14 * 60))
def test_iso_times_of_any_offset_are_exact(moment_us: int, offset_min: int) -> None:
    local = from_us(moment_us).astimezone(timezone(timedelta(minutes=offset_min)))
    assert parse_time(local.isoformat()) == moment_us
    assert parse_time(iso_utc(moment_us)) == moment_us


@given(st.datetimes(datetime(2001, 9, 10), datetime(2199, 12, 31)))  # noqa: DTZ001 - the bounds are naive by contract
def test_epoch_numbers_tell_their_unit_by_their_digits(naive: datetime) -> None:
    moment_us = to_us(naive.replace(tzinfo=UTC))
    for value in (
        moment_us,
        str(moment_us),
        moment_us * 1_000,
        f"{moment_us // 1_000_000}.{moment_us % 1_000_000:06}",
    ):
        assert parse_time(value) == moment_us


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (100_000_000, "1973-03-03T09:46:40.000000Z"),
        (7_258_118_399, "2199-12-31T23:59:59.000000Z"),
        (100_000_000_000, "1973-03-03T09:46:40.000000Z"),
        (7_258_118_399_999, "2199-12-31T23:59:59.999000Z"),
        (100_000_000_000_000, "1973-03-03T09:46:40.000000Z"),
        (7_258_118_399_999_999, "2199-12-31T23:59:59.999999Z"),
        (100_000_000_000_000_000, "1973-03-03T09:46:40.000000Z"),
        (999_999_999_999_999_999, "2001-09-09T01:46:39.999999Z"),
        (7_258_118_399_999_999_999, "2199-12-31T23:59:59.999999Z"),
        (132_658_460_130_000_000, "2021-05-18T21:13:33.000000Z"),
    ],
)
def test_numbers_of_the_fewest_and_the_most_digits_of_each_unit(value: int, expected: str) -> None:
    assert iso_utc(parse_time(value)) == expected


@given(st.text(max_size=30) | st.floats() | st.integers())
def test_anything_is_a_time_or_refused(value: object) -> None:
    try:
        assert EARLIEST_US < parse_time(value) < LATEST_US
    except RecordError as error:
        assert error.reason


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-01T14:00:00Z", True),
        ("2026-11-01T14:00:00.250Z", True),
        ("2026-11-01T14:00:00.250000Z", True),
        ("2026-11-01T14:00:00.2500001Z", False),
        ("2026-11-01 14:00:00Z", False),
        ("2016-12-31T23:59:60Z", False),
        ("2026-11-01T14:00:00+00:00", False),
        (1793541600, False),
    ],
)
def test_only_the_plain_spelling_need_not_be_kept(value: object, expected: bool) -> None:
    assert is_plain_utc(value) is expected


def days(events: list[AuditEvent]) -> list[str]:
    return sorted(event.occurred_at.strftime("%m-%d") for event in events)


@pytest.mark.parametrize(
    ("times", "expected", "rejected"),
    [
        (["05/06/2021 10:00:00", "13/06/2021 10:00:00", "07/08/2021 10:00:00"], "06-05 06-13 08-07", 0),
        (["05/06/2021 10:00:00", "05/13/2021 10:00:00", "07/08/2021 10:00:00"], "05-06 05-13 07-08", 0),
        (["5/6/2021 9:00 PM", "18/6/2021 9:00 PM"], "06-05 06-18", 0),
        (["5/6/2021 9:00 PM", "7/6/2021 9:00 PM"], "05-06 07-06", 0),
        (["05/06/2021 10:00:00", "05/05/2021 10:00:00"], "05-05", 1),
        (["13/06/2021 10:00:00", "06/13/2021 10:00:00", "05/06/2021 10:00:00"], "06-13 06-13", 1),
    ],
)
def test_a_date_in_numbers_is_read_as_the_others_of_its_log_tell(
    times: list[str], expected: str, rejected: int, tmp_path: Path
) -> None:
    rows = "".join(f"{time},alice,login\n" for time in times)
    events, rejects = read(write(tmp_path, f"time,user,action\n{rows}"))
    assert days(events) == expected.split()
    assert ["two months" in reject.reason for reject in rejects] == [True] * rejected


def test_the_summary_tells_which_date_told_days_and_months_apart(tmp_path: Path) -> None:
    log = write(tmp_path, "time,user\n05/06/2021 10:00:00,alice\n13/06/2021 10:00:00,bob\n")
    with open_log(log) as text:
        assert len(list(reading.Reading().events(text))) == 2
        assert any("13/06/2021" in note for note in text.notes)


def test_not_more_dates_wait_than_memory_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_WAITING", 2)
    times = ["05/06/2021 10:00:00", "06/05/2021 10:00:00", "07/05/2021 10:00:00", "13/06/2021 10:00:00"]
    events, rejects = read(write(tmp_path, "time,user\n" + "".join(f"{time},a\n" for time in times)))
    assert days(events) == ["06-13"]
    assert [reject.line for reject in rejects] == [2, 3, 4]


def test_a_log_tells_nothing_of_the_dates_of_the_next(tmp_path: Path) -> None:
    read(write(tmp_path, "time,user\n13/06/2021 10:00:00,alice\n"))
    events, rejects = read(write(tmp_path, "time,user\n05/06/2021 10:00:00,alice\n"))
    assert (len(events), len(rejects)) == (0, 1)
