"""The spans that a histogram counts in: seconds, minutes, hours, days and weeks of the zone."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from audit_tui.core.record import Record
from audit_tui.core.time.month import shift_days
from audit_tui.core.time.zones import local_time, start_of_day
from audit_tui.errors import UsageError

if TYPE_CHECKING:
    from audit_tui.core.time.dates import TimeContext

MAX_BUCKETS = 10_000
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DAY_S = _SECONDS["d"]
_ROUND_S = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * 60 for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * 3_600 for hours in (1, 2, 3, 6, 12)),
    *(_DAY_S, 2 * _DAY_S),
    *(weeks * 7 * _DAY_S for weeks in (1, 2, 4, 13, 26, 52, 260, 520, 2_600, 26_000, 260_000)),
)
"""The lengths of buckets on round moments."""
_EVERY = re.compile(r"\s*(\d{1,9})\s*([smhdw])\s*", re.ASCII)


class Every(Record):
    """The length of each bucket: ``30s``, ``5m``, ``1h``, ``1d``, ``1w``."""

    seconds: int

    @classmethod
    def parse(cls, text: str) -> Every:
        """Read a length; UsageError if it is none."""
        match = _EVERY.fullmatch(text.lower())
        if match is None or not int(match[1]):
            raise UsageError(f"{text!r} is not a length of time.", "Write it as 30s, 5m, 1h, 1d or 1w.")
        return cls(int(match[1]) * _SECONDS[match[2]])


def round_buckets(start_us: int, end_us: int, most: int, context: TimeContext) -> list[int]:
    """Return the moments that part a span of time into up to ``most`` buckets that begin on round moments.

    Each is 1, 2, 5, 10 ... seconds or minutes long, hours, days or weeks: the shortest that are few enough.
    """
    length = _ROUND_S[-1]
    for seconds in _ROUND_S:
        # One more than fits, for the span may begin and end inside of a bucket.
        if (end_us - start_us) // (seconds * 1_000_000) + 2 <= max(3, most):
            length = seconds
            break
    edges = regular_buckets(start_us, end_us, Every(length), context)
    # Where even two are too many, one takes in everything.
    return [edges[0], edges[-1]] if len(edges) - 1 > most else edges


def regular_buckets(start_us: int, end_us: int, every: Every, context: TimeContext) -> list[int]:
    """Return the moments that part a span of time into buckets of a length, as clocks in the zone have them.

    Days and weeks begin at the zone's midnight, weeks on its first day of the week; what divides a day
    begins again with each day, everything else goes on from the first midnight. The first and the last
    bucket are whole, though the span may begin or end inside of them.

    Raises:
        UsageError: If these are more than 10,000.
    """
    wanted = (end_us - start_us) // (every.seconds * 1_000_000)
    if wanted > MAX_BUCKETS:
        raise UsageError(
            f"These would be {wanted:,} buckets; {MAX_BUCKETS:,} are the most.",
            "Choose a longer --every, or a shorter range.",
        )
    edges = list(_edges(start_us, end_us, every, context))
    first = bisect_right(edges, start_us) - 1
    return edges[max(0, first) :]


def _edges(start_us: int, end_us: int, every: Every, context: TimeContext) -> Iterator[int]:
    """The moments from one at or before the start to one at or after the end."""
    day = local_time(start_us, context.zone).date()
    if every.seconds % _DAY_S == 0:
        yield from _day_edges(day, end_us, every.seconds // _DAY_S, context)
    elif _DAY_S % every.seconds == 0:
        yield from _edges_of_days(day, end_us, every.seconds * 1_000_000, context)
    else:
        step_us = every.seconds * 1_000_000
        edge = start_of_day(day, context.zone)
        edge += (start_us - edge) // step_us * step_us
        yield edge
        while edge < end_us:
            edge += step_us
            yield edge


def _day_edges(day: date, end_us: int, days: int, context: TimeContext) -> Iterator[int]:
    if days % 7 == 0:
        day = shift_days(day, -((day.weekday() - context.first_weekday) % 7))
    edge = start_of_day(day, context.zone)
    yield edge
    while edge < end_us:
        day = shift_days(day, days)
        edge = end_us if day == date.max else start_of_day(day, context.zone)
        yield edge


def _edges_of_days(day: date, end_us: int, step_us: int, context: TimeContext) -> Iterator[int]:
    while True:
        edge = start_of_day(day, context.zone)
        is_last = day == date.max
        day = shift_days(day, 1)
        next_day = start_of_day(day, context.zone)
        while edge < next_day or is_last:
            yield edge
            if edge >= end_us:
                return
            edge += step_us
