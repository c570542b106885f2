"""How many matches lie in each stretch of time: where a row is, and which row a moment is, without counting.

A summary is made once for a question, with its count, and kept for all readers of the store: the screen
counts on one and jumps on another.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, cast

from audit_tui.core.query import Interval
from audit_tui.core.record import Record
from audit_tui.store.read.sql import Moment, Span

if TYPE_CHECKING:
    from collections.abc import Hashable

    from audit_tui.store.columns.coverage import Question
    from audit_tui.store.columns.engine import Engine

MAX_EDGES = 512
SAMPLED_BLOCKS = 64
SAMPLE_STEP = 512
MAX_OVERLAP = 2.0
"""Segments whose lengths add up to more than so many times the whole do not tell where the events are."""


class Summary(Record):
    """The matches of a question by time."""

    edges: tuple[int, ...]
    """The times, in µs, between the stretches."""
    sums: tuple[int, ...]
    """How many matches lie before each stretch; at the end, how many there are."""

    @property
    def total(self) -> int:
        """How many matches there are."""
        return self.sums[-1]

    def enter(self, span: Span, row: int, *, newest_first: bool) -> tuple[Span, int]:
        """Where to read from for a row of the result: a shorter span, and how many matches to pass in it.

        Args:
            span: The question's own.
            row: 0-based, below the total.
            newest_first: The order in which rows count.
        """
        place = self.total - 1 - row if newest_first else row
        stretch = bisect_right(self.sums, place) - 1
        start, end = self._bounds(stretch)
        if newest_first:
            edge = Span.of(Interval(None, end)).before
            return (span if edge is None else span.until(edge)), row - (self.total - self.sums[stretch + 1])
        edge = Span.of(Interval(start, None)).after
        return (span if edge is None else span.since(edge)), row - self.sums[stretch]

    def before(self, moment: Moment) -> tuple[int, Span]:
        """How many matches surely come before a moment in time, and where further ones may be."""
        stretch = bisect_right(self.edges, moment.occurred_us)
        start, _ = self._bounds(stretch)
        return self.sums[stretch], Span(Span.of(Interval(start, None)).after, moment)

    def _bounds(self, stretch: int) -> tuple[int | None, int | None]:
        start = None if stretch == 0 else self.edges[stretch - 1]
        return start, (None if stretch == len(self.edges) else self.edges[stretch])


def summary_of(engine: Engine, question: Question) -> Summary:
    """The summary of a question, made now unless one of the readers made it."""
    key = engine.key("summary", question)
    found = engine.summaries.find(key)
    if found is None:
        edges = _edges(engine)
        counts = engine.binned(question, edges)
        found = Summary(edges, (0, *accumulate(counts)))
        engine.summaries.put(key, found)
    return cast("Summary", found)


def rank(engine: Engine, question: Question, moment: Moment, *, newest_first: bool) -> int:
    """How many matches come before a moment in the order of time."""
    summary = summary_of(engine, question)
    known, between = summary.before(moment)
    span = question.span
    if between.after is not None:
        span = span.since(between.after)
    earlier = known + engine.count(replace(question, span=span.until(moment)))
    if not newest_first:
        return earlier
    return summary.total - earlier - engine.count(replace(question, span=_only(question.span, moment)))


def _only(span: Span, moment: Moment) -> Span:
    """The event with this moment alone, where the span holds it."""
    before, after = moment._replace(seq=moment.seq - 1), moment._replace(seq=moment.seq + 1)
    return span.since(before).until(after)


def _edges(engine: Engine) -> tuple[int, ...]:
    """Times that part the events of the store into about equal stretches."""
    key: Hashable = engine.key("edges", None)
    found = engine.summaries.find(key)
    if found is None:
        segments = engine.segments
        whole_us = max(one.last_us for one in segments) - min(one.first_us for one in segments) + 1
        if sum(one.last_us - one.first_us for one in segments) > MAX_OVERLAP * whole_us:
            times = engine.sampled_times(SAMPLED_BLOCKS, SAMPLE_STEP)
        else:
            times = sorted({one.first_us for one in segments})
        found = tuple(times[:: -(-len(times) // MAX_EDGES)])
        engine.summaries.put(key, found)
    return cast("tuple[int, ...]", found)
