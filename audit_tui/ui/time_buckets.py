"""The events of a result by time, and how many of them failed. No Textual here."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.filters import All, Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import NEWEST_FIRST, AtRow, Interval, Sort
from audit_tui.core.record import Record
from audit_tui.core.time.buckets import round_buckets
from audit_tui.core.time.dates import range_label
from audit_tui.core.time.moves import between

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import EventQuery, EventReader
    from audit_tui.core.time.dates import TimeContext

FAILED = Condition(Column.OUTCOME, IS, Outcome.FAILURE.value)
OLDEST_FIRST = Sort(Column.TIME, descending=False)


class TimeBuckets(Record):
    """The events of a result by time."""

    interval: Interval
    """The time that the result may take in; an end that it lacks is that of its events."""
    edges_us: tuple[int, ...] = ()
    """The moments that part the buckets, one more than there are; empty where there is no event."""
    events: tuple[int, ...] = ()
    failures: tuple[int, ...] = ()

    def bucket_of(self, occurred_us: int) -> int | None:
        place = bisect_right(self.edges_us, occurred_us) - 1
        return place if 0 <= place < len(self.events) else None

    def bounds(self, first: int, last: int) -> Interval:
        """Return the time from a bucket to another, both of them in it, as far as the result goes."""
        start_us, end_us = self.edges_us[first], self.edges_us[last + 1]
        if self.interval.start_us is not None:
            start_us = max(start_us, self.interval.start_us)
        if self.interval.end_us is not None:
            end_us = min(end_us, self.interval.end_us)
        return Interval(start_us, max(start_us + 1, end_us))

    def time_words(self, first: int, last: int, context: TimeContext) -> str:
        time_range = between(self.edges_us[first], self.edges_us[last + 1], context)
        return range_label(time_range, context).replace(f"{context.today.year}-", "")

    def words(self, first: int, last: int, context: TimeContext) -> str:
        events, failures = (sum(counts[first : last + 1]) for counts in (self.events, self.failures))
        label = self.time_words(first, last, context)
        failed = f", {failures:,} failed" if failures else ""
        return f"{label}   {events:,} {'event' if events == 1 else 'events'}{failed}"


def read_buckets(
    reader: EventReader, query: EventQuery, most: int, context: TimeContext, cancel: CancelToken | None = None
) -> TimeBuckets:
    """Count the events of a result in up to ``most`` buckets that begin on round moments."""
    interval = query.interval
    start_us, end_us = interval.start_us, interval.end_us
    if start_us is None:
        start_us = _end_us(reader, query, OLDEST_FIRST, cancel)
    if end_us is None and start_us is not None:
        last_us = _end_us(reader, query, NEWEST_FIRST, cancel)
        end_us = None if last_us is None else max(last_us, start_us) + 1
    if start_us is None or end_us is None or end_us <= start_us:
        return TimeBuckets(interval)
    edges = tuple(round_buckets(start_us, end_us, most, context))
    failed = replace(query, filter=All((query.filter, FAILED)))
    return TimeBuckets(
        Interval(start_us, end_us),
        edges,
        reader.histogram(query, edges, cancel),
        reader.histogram(failed, edges, cancel),
    )


def _end_us(reader: EventReader, query: EventQuery, sort: Sort, cancel: CancelToken | None) -> int | None:
    rows = reader.page(replace(query, sort=sort), AtRow(0), 1, cancel).rows
    return rows[0].occurred_us if rows else None
