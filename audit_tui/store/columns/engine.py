"""Answers from the columns: what is in each span of time, the first matches, and the totals of values.

A question walks over the blocks that its span touches, and between two of them looks whether the answer is
still wanted. Importing this imports numpy.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from audit_tui.store.columns.blocks import Block
from audit_tui.store.columns.building import ROWS, columns_of
from audit_tui.store.columns.coverage import Segment, damaged
from audit_tui.store.columns.matching import matching
from audit_tui.store.read.sql import Moment, Statement
from audit_tui.store.segment_layout import STORED, SegmentColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from audit_tui.store.columns.blocks import Mask, Numbers, Times
    from audit_tui.store.columns.coverage import Coverage, Question
    from audit_tui.store.columns.index import ColumnIndex
    from audit_tui.store.read.session import Session

_COLUMN = "SELECT data FROM segment_columns WHERE place = ?"
_FEW_VALUES = 8
"""Numbers up to so many times the events are counted in a table of all numbers, else sorted."""


class Part:
    """The events of one block that a question is about.

    Args:
        block: The events.
        question: Which of them.
    """

    def __init__(self, block: Block, question: Question) -> None:
        self.block = block
        after, before = question.span.after, question.span.before
        self.first = 0 if after is None else block.place_of(after, is_inside=True)
        self.stop = block.segment.events
        if before is not None:
            self.stop = block.place_of(before, is_inside=False)
        self._mask = self._matching(question) if self.first < self.stop else False

    @property
    def count(self) -> int:
        """How many there are."""
        if isinstance(self._mask, bool):
            return max(0, self.stop - self.first) if self._mask else 0
        return int(np.count_nonzero(self._mask[self.first : self.stop]))

    def places(self) -> Times:
        """Where in the block they are, ascending."""
        if isinstance(self._mask, bool):
            return np.arange(self.first, self.stop if self._mask else self.first)
        return np.flatnonzero(self._mask[self.first : self.stop]) + self.first

    def between(self, cuts: Times) -> Times:
        """How many there are from each place of the block to the next."""
        inside = np.clip(cuts, self.first, max(self.first, self.stop))
        if isinstance(self._mask, bool):
            return np.diff(inside) if self._mask else np.zeros(len(cuts) - 1, np.int64)
        sums = np.zeros(len(self._mask) + 1, np.int64)
        np.cumsum(self._mask, out=sums[1:])
        return np.diff(sums[inside])

    def numbers(self, column: SegmentColumn) -> Numbers:
        """The numbers of a column of them."""
        found = self.block.numbers(column)
        if isinstance(self._mask, bool):
            return found[self.first : self.stop if self._mask else self.first]
        return found[self.first : self.stop][self._mask[self.first : self.stop]]

    def _matching(self, question: Question) -> Mask | bool:
        found = matching(question.predicate, self.block)
        upto = question.upto_seq
        if upto is None or upto >= self.block.segment.last_seq or found is False:
            return found
        early = self.block.seqs <= upto
        return early if found is True else found & early


class Engine:
    """Answers about one snapshot.

    Args:
        session: The snapshot.
        index: What the reader keeps.
        coverage: Where the columns are.
    """

    def __init__(self, session: Session, index: ColumnIndex, coverage: Coverage) -> None:
        self._session = session
        self._index = index
        self._coverage = coverage
        self.summaries = index.summaries
        loose = index.loose_blocks(coverage, self._read_loose)
        self._loose = {block.segment: block for block in loose}
        self.segments: tuple[Segment, ...] = (*coverage.segments, *self._loose)
        """All blocks, those of the loose events last."""

    def key(self, kind: str, question: Question | None) -> Hashable:
        """What an answer is kept under: for events that are there now, whatever is appended later."""
        if question is None:
            return (self._index.source, self._coverage.removals, kind, len(self.segments))
        newest = self._session.newest_seq
        upto = newest if question.upto_seq is None else min(question.upto_seq, newest)
        return (self._index.source, self._coverage.removals, kind, question.predicate, question.span, upto)

    def binned(self, question: Question, edges: Sequence[int]) -> list[int]:
        """How many matches lie before the first of these times, from each to the next, and from the last on.

        Args:
            question: Which events.
            edges: Times in µs, ascending.
        """
        counts = np.zeros(len(edges) + 1, np.int64)
        for part in self._parts(question):
            segment = part.block.segment
            first = bisect_right(edges, segment.first_us)
            last = bisect_right(edges, segment.last_us)
            if first == last:
                counts[first] += part.count
                continue
            inner = np.searchsorted(part.block.times, np.array(edges[first:last], np.int64), "left")
            cuts = np.concatenate(([0], inner, [segment.events]))
            counts[first : last + 1] += part.between(cuts)
        return [int(count) for count in counts]

    def count(self, question: Question) -> int:
        """How many events match."""
        return sum(part.count for part in self._parts(question))

    def first(self, question: Question, limit: int, offset: int = 0, *, newest_first: bool) -> list[Moment]:
        """The matches in order of time from a row on, exactly: segments may hold late events."""
        limit += offset
        best = _Best(limit, newest_first=newest_first)
        for part in self._parts(question, newest_first=newest_first):
            segment = part.block.segment
            if best.is_settled(segment.last_us if newest_first else segment.first_us):
                break
            places = part.places()
            places = places[-limit:] if newest_first else places[:limit]
            if len(places):
                best.add(part.block.times[places], part.block.seqs[places])
        return best.moments(offset)

    def valued(self, question: Question, column: SegmentColumn) -> list[tuple[int, Moment]]:
        """All matches with their number in a column, in no order; the caller knows that they are few."""
        found: list[tuple[int, Moment]] = []
        for part in self._parts(question):
            places = part.places()
            if len(places):
                numbers = part.block.numbers(column)[places].tolist()
                times, seqs = part.block.times[places].tolist(), part.block.seqs[places].tolist()
                found += zip(numbers, map(Moment, times, seqs), strict=True)
        return found

    def totals(self, question: Question, column: SegmentColumn) -> dict[int, int]:
        """How many matches have each number of a column."""
        totals = np.zeros(1, np.int64)
        for part in self._parts(question):
            numbers = part.numbers(column)
            if not len(numbers):
                continue
            largest = int(numbers.max())
            if largest >= len(totals):
                totals = np.concatenate((totals, np.zeros(largest + 1 - len(totals), np.int64)))
            if largest <= _FEW_VALUES * len(numbers):
                totals[: largest + 1] += np.bincount(numbers)
            else:
                values, counts = np.unique(numbers, return_counts=True)
                totals[values] += counts
        present = np.flatnonzero(totals)
        return dict(zip(present.tolist(), totals[present].tolist(), strict=True))

    def texts(self, question: Question) -> dict[str | None, int]:
        """How many matches have each source IP; None for those without."""
        totals: dict[str | None, int] = {}
        for part in self._parts(question):
            numbers = part.numbers(SegmentColumn.ADDRESS)
            if not len(numbers):
                continue
            texts = [None, *part.block.texts()]
            if int(numbers.max()) >= len(texts):
                raise damaged(part.block.segment.first_seq, part.block.segment.last_seq)
            for number, events in enumerate(np.bincount(numbers).tolist()):
                if events:
                    totals[texts[number]] = totals.get(texts[number], 0) + events
        return totals

    def sampled_times(self, blocks: int, step: int) -> list[int]:
        """Every so many times of so many blocks, ascending: where the events are."""
        chosen = self.segments[:: max(1, len(self.segments) // blocks)]
        return sorted({time for one in chosen for time in self._block(one).times[::step].tolist()})

    def _parts(self, question: Question, *, newest_first: bool = True) -> Iterator[Part]:
        """What the blocks hold of it, those with the newest (or the oldest) events first."""
        key: Callable[[Segment], int] = _last_us if newest_first else _first_us
        if question.predicate is False:
            return
        for segment in sorted(self.segments, key=key, reverse=newest_first):
            if question.touches(segment):
                self._session.check()
                yield Part(self._block(segment), question)

    def _block(self, segment: Segment) -> Block:
        loose = self._loose.get(segment)
        if loose is not None:
            return loose

        def load(column: SegmentColumn) -> bytes:
            found = self._session.rows(Statement(_COLUMN, (STORED.place_of(segment.first_seq, column),)))
            if not found:
                raise damaged(segment.first_seq, segment.last_seq)
            return bytes(found[0][0])

        return Block(segment, load)

    def _read_loose(self, first_seq: int, last_seq: int) -> Block | None:
        rows = self._session.rows(Statement(ROWS, (first_seq, last_seq)))
        if not rows:
            return None
        rows.sort(key=_moment_of)
        columns = dict(columns_of(rows, first_seq))
        return Block(Segment(first_seq, last_seq, len(rows), rows[0][0], rows[-1][0]), columns.__getitem__)


class _Best:
    """The first matches of those seen so far."""

    def __init__(self, limit: int, *, newest_first: bool) -> None:
        self._limit = limit
        self._newest_first = newest_first
        self._times = np.zeros(0, np.int64)
        self._seqs = np.zeros(0, np.int64)

    def add(self, times: Times, seqs: Times) -> None:
        """Take matches in order of time, at most so many as are wanted."""
        before, after = (times, self._times) if self._newest_first else (self._times, times)
        is_beyond = not len(before) or not len(after) or bool(before[-1] < after[0])
        pairs = (times, seqs), (self._times, self._seqs)
        earlier, later = pairs if self._newest_first else pairs[::-1]
        found = np.append(earlier[0], later[0]), np.append(earlier[1], later[1])
        if not is_beyond:
            order = np.lexsort((found[1], found[0]))
            found = found[0][order], found[1][order]
        kept = slice(-self._limit, None) if self._newest_first else slice(self._limit)
        self._times, self._seqs = found[0][kept], found[1][kept]

    def is_settled(self, edge_us: int) -> bool:
        """Whether nothing at this time or beyond it can be among the first any more."""
        if len(self._times) < self._limit:
            return False
        return bool(self._times[0] > edge_us if self._newest_first else self._times[-1] < edge_us)

    def moments(self, offset: int) -> list[Moment]:
        kept = slice(None, max(0, len(self._times) - offset)) if self._newest_first else slice(offset, None)
        times, seqs = self._times[kept].tolist(), self._seqs[kept].tolist()
        found = list(map(Moment, times, seqs))
        return found[::-1] if self._newest_first else found


def _first_us(segment: Segment) -> int:
    return segment.first_us


def _last_us(segment: Segment) -> int:
    return segment.last_us


def _moment_of(row: Sequence[int]) -> tuple[int, int]:
    return row[0], row[1]
