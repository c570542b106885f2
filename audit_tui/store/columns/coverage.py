"""Which events lie in segments, and which only in their rows: read anew in each snapshot, 0.5 ms for 300."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.record import Record
from audit_tui.errors import StoreDamaged
from audit_tui.store.read.sql import Span, Statement
from audit_tui.store.segment_layout import REMOVALS, SEGMENTS, TABLES
from audit_tui.store.stretches import Stretch
from audit_tui.store.tables.rows import whole

if TYPE_CHECKING:
    from audit_tui.store.predicate import Predicate
    from audit_tui.store.read.session import Session

MAX_LOOSE_EVENTS = 131_072
"""With more events outside of segments, columns are no shortcut: reading their rows takes 200 ms."""
_HAS_TABLES = Statement("SELECT count(*) FROM sqlite_schema WHERE name IN (?, ?)", tuple(TABLES))
_SEGMENTS = Statement(
    f"SELECT first_seq, last_seq, events, first_us, last_us FROM {SEGMENTS} ORDER BY first_seq"  # noqa: S608
)
_REMOVALS = Statement("SELECT value FROM store_info WHERE name = ?", (REMOVALS,))


class Segment(NamedTuple):
    """What is known of a segment without its columns."""

    first_seq: int
    last_seq: int
    events: int
    first_us: int
    last_us: int


class Coverage(NamedTuple):
    """Where the columns of all events of a snapshot are found."""

    segments: tuple[Segment, ...]
    """Those with events, in order of their seqs."""
    loose: tuple[Stretch, ...]
    """The seqs that are in no segment."""
    removals: str
    """Another text when events were removed or replaced."""


class Question(Record):
    """Which events, of those in the store now."""

    predicate: Predicate
    span: Span
    upto_seq: int | None
    """Only events appended up to this one; None takes all."""

    def touches(self, segment: Segment) -> bool:
        """Whether a segment can hold any of them."""
        after, before = self.span.after, self.span.before
        return (
            (after is None or segment.last_us >= after.occurred_us)
            and (before is None or segment.first_us <= before.occurred_us)
            and (self.upto_seq is None or segment.first_seq <= self.upto_seq)
        )


def read_coverage(session: Session) -> Coverage | None:
    """Where the columns are; None where there are none, or too few to be of use."""
    if session.number(_HAS_TABLES) != len(TABLES):
        return None
    segments: list[Segment] = []
    loose: list[Stretch] = []
    next_seq = 1
    for row in session.rows(_SEGMENTS):
        first_seq, last_seq, events = whole(row[0]), whole(row[1]), whole(row[2])
        if first_seq < next_seq or not 0 <= events <= last_seq - first_seq + 1:
            raise damaged(first_seq, last_seq)
        if first_seq > next_seq:
            loose.append(Stretch(next_seq, first_seq - 1))
        if events:
            segments.append(Segment(first_seq, last_seq, events, whole(row[3]), whole(row[4])))
        next_seq = last_seq + 1
    if session.newest_seq >= next_seq:
        loose.append(Stretch(next_seq, session.newest_seq))
    if not segments or sum(last - first + 1 for first, last in loose) > MAX_LOOSE_EVENTS:
        return None
    removals = session.rows(_REMOVALS)
    return Coverage(tuple(segments), tuple(loose), str(removals[0][0]) if removals else "")


def damaged(first_seq: int, last_seq: int) -> StoreDamaged:
    """What to say of a segment that cannot be right."""
    return StoreDamaged(
        f"The columns of the events {first_seq} to {last_seq} are damaged.",
        "The events themselves are not touched by this. Build the columns anew: audit-tui reindex",
    )
