from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_tui.core.event import MAX_US, MIN_US, to_us
from audit_tui.core.time.buckets import MAX_BUCKETS, Every, regular_buckets, round_buckets
from audit_tui.core.time.dates import TimeContext
from audit_tui.errors import UsageError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BERLIN = TimeContext(ZoneInfo("Europe/Berlin"), NOW)
LENGTHS = ["30s", "5m", "7m", "1h", "6h", "7h", "1d", "3d", "1w", "2w"]


def us(text: str) -> int:
    return to_us(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("1h", 3600), (" 1 D ", 86_400), ("2w", 1_209_600)]
)
def test_a_length_is_read(text: str, seconds: int) -> None:
    assert Every.parse(text).seconds == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "-1h", "1y", "1.5h", "1h30m", "٣h", "9999999999s"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Every.parse(text)


@pytest.mark.parametrize(
    ("length", "start", "end", "expected"),
    [
        # The 29th of March 2026 has 23 hours.
        (
            "1d",
            "2026-03-28T05:00+01:00",
            "2026-03-30T05:00+02:00",
            [
                "2026-03-28T00:00+01:00",
                "2026-03-29T00:00+01:00",
                "2026-03-30T00:00+02:00",
                "2026-03-31T00:00+02:00",
            ],
        ),
        (
            "12h",
            "2026-03-29T00:00+01:00",
            "2026-03-30T00:00+02:00",
            ["2026-03-29T00:00+01:00", "2026-03-29T13:00+02:00", "2026-03-30T00:00+02:00"],
        ),
        (
            "1w",
            "2026-11-18T08:00+01:00",
            "2026-11-18T09:00+01:00",
            ["2026-11-16T00:00+01:00", "2026-11-23T00:00+01:00"],
        ),
        (
            "1h",
            "2026-11-18T08:30+01:00",
            "2026-11-18T10:00+01:00",
            ["2026-11-18T08:00+01:00", "2026-11-18T09:00+01:00", "2026-11-18T10:00+01:00"],
        ),
    ],
)
def test_buckets_begin_as_clocks_have_it(length: str, start: str, end: str, expected: list[str]) -> None:
    buckets = regular_buckets(us(start), us(end), Every.parse(length), BERLIN)
    assert buckets == [us(text) for text in expected]


@settings(max_examples=60)
@given(
    start=st.integers(us("2020-01-01T00:00+00:00"), us("2030-01-01T00:00+00:00")),
    length_us=st.integers(1, 30 * 86_400_000_000),
    every=st.sampled_from(LENGTHS),
    first_weekday=st.sampled_from([0, 6]),
)
def test_buckets_cover_the_span_and_no_more(
    start: int, length_us: int, every: str, first_weekday: int
) -> None:
    context = TimeContext(ZoneInfo("Australia/Lord_Howe"), NOW, first_weekday)
    length = Every.parse(every)
    end = start + min(length_us, length.seconds * 1_000_000 * 200)
    edges = regular_buckets(start, end, length, context)
    assert edges[0] <= start < edges[1]
    assert edges[-2] < end <= edges[-1]
    assert all(earlier < later for earlier, later in pairwise(edges))


@pytest.mark.parametrize("every", ["6h", "7h", "1d", "1w"])
def test_the_first_and_the_last_days_that_there_are(every: str) -> None:
    for start in (MIN_US, MAX_US - 3_600_000_000):
        edges = regular_buckets(start, start + 3_600_000_000, Every.parse(every), BERLIN)
        assert len(edges) >= 2
        assert edges[-1] >= start + 3_600_000_000


def test_too_many_buckets_are_refused() -> None:
    with pytest.raises(UsageError, match="10,000"):
        regular_buckets(0, (MAX_BUCKETS + 1) * 1_000_000, Every.parse("1s"), BERLIN)


@given(
    start=st.integers(to_us(datetime(1990, 1, 1, tzinfo=UTC)), to_us(datetime(2030, 1, 1, tzinfo=UTC))),
    length=st.integers(1, 10**16) | st.sampled_from([1, 10**6, 3_600 * 10**6, 30 * 86_400 * 10**6]),
    most=st.integers(1, 200),
)
def test_round_buckets_are_few_and_begin_on_round_moments(start: int, length: int, most: int) -> None:
    edges = round_buckets(start, start + length, most, BERLIN)
    assert edges[0] <= start
    assert edges[-1] >= start + length
    assert 1 <= len(edges) - 1 <= most
    assert sorted(set(edges)) == edges
    assert all(edge % 1_000_000 == 0 for edge in edges)


@pytest.mark.parametrize(
    ("start", "end", "most", "first", "buckets"),
    [
        ("2026-11-21T14:20+01:00", "2026-11-22T14:20+01:00", 32, "2026-11-21T14:00+01:00", 25),
        ("2026-10-24T00:00+02:00", "2026-11-23T00:00+01:00", 32, "2026-10-24T00:00+02:00", 30),
        ("2026-01-07T10:00+01:00", "2026-12-30T10:00+01:00", 32, "2026-01-05T00:00+01:00", 26),
        ("2026-11-22T14:20:07.5+01:00", "2026-11-22T14:20:09+01:00", 32, "2026-11-22T14:20:07+01:00", 2),
    ],
)
def test_round_buckets_of_usual_ranges(start: str, end: str, most: int, first: str, buckets: int) -> None:
    edges = round_buckets(us(start), us(end), most, BERLIN)
    assert edges[0] == us(first)
    assert len(edges) - 1 == buckets
