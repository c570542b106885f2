"""The rows of a query that tests the rows themselves: from the text index, and from rows it does not hold.

A piece is a segment of the index, or the events between segments. Which of its events match is found out
when it is first asked, the newest piece first, and remembered as a bit an event: 10,000,000 events are
1.25 MB a filter.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from audit_tui.errors import StoreDamaged
from audit_tui.store.read import sql
from audit_tui.store.read.sql import Moment, Span
from audit_tui.store.remembered import MAX_SORTED, Moments
from audit_tui.store.segment_layout import REMOVALS
from audit_tui.store.tables.rows import whole
from audit_tui.store.text_segment import Asked, TextSegment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audit_tui.core.columns import NameColumn
    from audit_tui.store.predicate import Predicate
    from audit_tui.store.read.session import Session
    from audit_tui.store.remembered import Found, Key, Remembered
    from audit_tui.store.text_layout import Numbers

CHUNK_EVENTS = 2_048
"""Events outside of segments are tested so many together: 20 ms."""
_EDGES = 64
"""How many parts a span of time is cut into to find a row by its place."""

_SEGMENTS = """
SELECT first_seq, last_seq, events, first_us, last_us, version, group_bits, signature
FROM text_segments ORDER BY first_seq
"""
_EDGES_OF = """
SELECT count(*), min(occurred_us), max(occurred_us) FROM events NOT INDEXED WHERE seq BETWEEN ? AND ?
"""
_FIRST_SEQ = -(2**63)


_NONE = Moments(np.zeros(0, np.int64), np.zeros(0, np.int64))


class _Piece(Protocol):
    """A stretch of events of which some match."""

    first_seq: int
    last_seq: int
    first_us: int
    last_us: int

    def count(self) -> int:
        """How many match."""
        ...

    def moments(self) -> Moments:
        """Those that match."""
        ...

    def numbers(self, field: NameColumn, seqs: Numbers) -> Numbers:
        """The numbers of a field's names of some of them; 0 for none."""
        ...


class _Segment:
    """Events whose texts are indexed."""

    def __init__(self, segment: TextSegment, predicate: Predicate, found: Found) -> None:
        self.first_seq, self.last_seq = segment.first_seq, segment.last_seq
        self.first_us, self.last_us = segment.first_us, segment.last_us
        self._segment, self._predicate, self._found = segment, predicate, found
        self._key = (segment.first_seq, segment.last_seq, segment.version)

    def count(self) -> int:
        """How many match."""
        return self._matches()[0]

    def moments(self) -> Moments:
        """Those that match."""
        matching, bits = self._matches()
        if not matching:
            return _NONE
        places = np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), count=self._segment.events))
        names = self._segment.names
        self._segment.release()
        return Moments(names.times[places], names.seqs[places])

    def numbers(self, field: NameColumn, seqs: Numbers) -> Numbers:
        """The numbers of a field's names of some of them; 0 for none."""
        names = self._segment.names
        self._segment.release()
        return names.numbers[field][np.searchsorted(names.seqs, seqs)]

    def _matches(self) -> tuple[int, bytes]:
        found = self._found.bits.get(self._key)
        if found is None:
            mask = self._segment.mask(self._predicate)
            self._segment.release()
            found = self._found.bits[self._key] = int(mask.sum()), np.packbits(mask).tobytes()
        return found


class _Rows:
    """Events that are in no segment."""

    def __init__(
        self, session: Session, key: Key, edges: tuple[int, int], predicate: Predicate, found: Found
    ) -> None:
        self.first_seq, self.last_seq, _ = key
        self.first_us, self.last_us = edges
        self._session, self._key, self._predicate, self._found = session, key, predicate, found

    def count(self) -> int:
        """How many match."""
        return len(self.moments().seqs)

    def moments(self) -> Moments:
        """Those that match."""
        found = self._found.moments.get(self._key)
        if found is None:
            statement = sql.tested_rows(self._predicate, self.first_seq, self.last_seq)
            rows = self._session.rows(statement)
            both = np.array([(whole(row[0]), whole(row[1])) for row in rows], np.int64).reshape(-1, 2)
            found = self._found.moments[self._key] = Moments(both[:, 0], both[:, 1])
        return found

    def numbers(self, field: NameColumn, seqs: Numbers) -> Numbers:
        """The numbers of a field's names of some of them; 0 for none."""
        found = [self._session.number(sql.value_of(field, seq)) for seq in seqs.tolist()]
        return np.array(found, np.int64)


class Hits:
    """All events that a condition holds for, in one snapshot.

    Args:
        session: The snapshot.
        predicate: What must hold.
        upto_seq: Only events appended up to this one; None takes all.
        remembered: What earlier questions found.
    """

    def __init__(
        self, session: Session, predicate: Predicate, upto_seq: int | None, remembered: Remembered
    ) -> None:
        self._session, self._predicate = session, predicate
        self._upto_seq = 2**62 if upto_seq is None else upto_seq
        self._pieces = list(_pieces(session, predicate, remembered.of(predicate)))

    def count(self, span: Span, report: Callable[[int], None] | None = None) -> int:
        """How many there are.

        Args:
            span: Between which moments.
            report: Is told, from time to time, how many there are at least.
        """
        counted = 0
        for piece in sorted(self._pieces, key=lambda one: one.last_us, reverse=True):
            self._session.check()
            if self._is_outside(piece, span):
                continue
            inside = self._is_inside(piece, span)
            counted += piece.count() if inside else len(self._selected(piece, span).seqs)
            if report is not None:
                report(counted)
        return counted

    def keys(self, span: Span, limit: int, offset: int, *, newest_first: bool) -> list[Moment]:
        """Some of them in the order of time, from one end of a span on."""
        if offset > MAX_SORTED:
            span, offset = self._narrowed(span, offset, newest_first=newest_first)
        found = self._first(span, offset + limit, newest_first=newest_first)
        times, seqs = found.times[offset:].tolist(), found.seqs[offset:].tolist()
        return [Moment(*both) for both in zip(times, seqs, strict=True)]

    def totals(self, span: Span, field: NameColumn) -> dict[int, int]:
        """How many of them have each number of a field's names; 0 is the missing one."""
        totals: Counter[int] = Counter()
        for piece in self._pieces:
            self._session.check()
            if self._is_outside(piece, span):
                continue
            seqs = self._selected(piece, span).seqs
            if len(seqs):
                numbers, events = np.unique(piece.numbers(field, seqs), return_counts=True)
                totals.update(dict(zip(numbers.tolist(), events.tolist(), strict=True)))
        return totals

    def histogram(self, span: Span, edges_us: list[int]) -> list[int]:
        """How many of them lie from each of these ascending moments to the next."""
        return self._histogram(span, edges_us)

    def _first(self, span: Span, limit: int, *, newest_first: bool) -> Moments:
        """The first of them in the order of time."""
        held = _NONE
        for piece in self._in_order(newest_first=newest_first):
            if self._is_outside(piece, span):
                continue
            if len(held.times) >= limit and (
                held.times[-1] > piece.last_us if newest_first else held.times[-1] < piece.first_us
            ):
                break
            self._session.check()
            found = self._selected(piece, span)
            if not len(found.seqs):
                continue
            times = np.concatenate([held.times, found.times])
            seqs = np.concatenate([held.seqs, found.seqs])
            order = np.lexsort((seqs, times))
            order = order[::-1][:limit] if newest_first else order[:limit]
            held = Moments(times[order], seqs[order])
        return held

    def _narrowed(self, span: Span, offset: int, *, newest_first: bool) -> tuple[Span, int]:
        """A span that begins shortly before the row at a place, and the place in it."""
        pieces = [piece for piece in self._pieces if not self._is_outside(piece, span)]
        low = min((piece.first_us for piece in pieces), default=0)
        high = max((piece.last_us for piece in pieces), default=0) + 1
        while True:
            edges = sorted({low + (high - low) * part // _EDGES for part in range(_EDGES + 1)})
            counts = self._histogram(span, edges)
            parts = list(zip(counts, edges[:-1], edges[1:], strict=True))
            for matching, begin, end in reversed(parts) if newest_first else parts:
                if offset < matching:
                    low, high = begin, end
                    break
                offset -= matching
            else:
                return Span(before=Moment(low, _FIRST_SEQ)) if newest_first else Span(Moment(high, 0)), 0
            if offset <= MAX_SORTED or high - low <= 1:
                break
        if newest_first:
            return span.until(Moment(high, _FIRST_SEQ)), offset
        return span.since(Moment(low, _FIRST_SEQ)), offset

    def _histogram(self, span: Span, edges: list[int]) -> list[int]:
        """How many of them lie between one edge and the next, the upper one outside."""
        counts = np.zeros(len(edges) - 1, np.int64)
        bounds = np.array(edges, np.int64)
        for piece in self._pieces:
            self._session.check()
            if self._is_outside(piece, span) or piece.last_us < edges[0] or piece.first_us >= edges[-1]:
                continue
            ends = np.searchsorted(bounds, [piece.first_us, piece.last_us], side="right") - 1
            if ends[0] == ends[1] and self._is_inside(piece, span):
                counts[ends[0]] += piece.count()
                continue
            places = np.searchsorted(bounds, self._selected(piece, span).times, side="right") - 1
            places = places[(places >= 0) & (places < len(counts))]
            counts += np.bincount(places, minlength=len(counts))
        return [int(matching) for matching in counts]

    def _in_order(self, *, newest_first: bool) -> list[_Piece]:
        if newest_first:
            return sorted(self._pieces, key=lambda one: one.last_us, reverse=True)
        return sorted(self._pieces, key=lambda one: one.first_us)

    def _is_outside(self, piece: _Piece, span: Span) -> bool:
        return (
            piece.first_seq > self._upto_seq
            or (span.after is not None and piece.last_us < span.after.occurred_us)
            or (span.before is not None and piece.first_us > span.before.occurred_us)
        )

    def _is_inside(self, piece: _Piece, span: Span) -> bool:
        return (
            piece.last_seq <= self._upto_seq
            and (span.after is None or piece.first_us > span.after.occurred_us)
            and (span.before is None or piece.last_us < span.before.occurred_us)
        )

    def _selected(self, piece: _Piece, span: Span) -> Moments:
        """Its matching events in a span."""
        found = piece.moments()
        if self._is_inside(piece, span):
            return found
        times, seqs = found
        wanted = seqs <= self._upto_seq
        if span.after is not None:
            edge = span.after
            wanted &= (times > edge.occurred_us) | ((times == edge.occurred_us) & (seqs > edge.seq))
        if span.before is not None:
            edge = span.before
            wanted &= (times < edge.occurred_us) | ((times == edge.occurred_us) & (seqs < edge.seq))
        return Moments(times[wanted], seqs[wanted])


def _pieces(session: Session, predicate: Predicate, found: Found) -> Iterator[_Piece]:
    """What the store is made of: segments, and the events between them."""
    asked = Asked(session)
    reached = 0
    removals = session.rows(sql.Statement("SELECT value FROM store_info WHERE name = ?", (REMOVALS,)))
    version = int(removals[0][0]) if removals else 0
    for row in session.rows(sql.Statement(_SEGMENTS)):
        segment = TextSegment(asked, row)
        if segment.first_seq <= reached:
            raise StoreDamaged("Segments of the text index overlap.", "Rebuild it: audit-tui reindex")
        yield from _between(session, (reached + 1, segment.first_seq - 1, version), predicate, found)
        yield _Segment(segment, predicate, found)
        reached = segment.last_seq
    yield from _between(session, (reached + 1, session.newest_seq, version), predicate, found)


def _between(session: Session, gap: Key, predicate: Predicate, found: Found) -> Iterator[_Piece]:
    first, last, version = gap
    for begin in range(first, last + 1, CHUNK_EVENTS):
        end = min(begin + CHUNK_EVENTS - 1, last)
        events, earliest, latest = session.rows(sql.Statement(_EDGES_OF, (begin, end)))[0]
        if events:
            edges = whole(earliest), whole(latest)
            yield _Rows(session, (begin, end, version), edges, predicate, found)
