"""Whether SQL or the columns answer a question sooner: pure, from the numbers of events that names have.

The figures are those of 10,000,000 events on a quiet machine: an index entry 0.06 to 0.1 µs, a column of a
segment 0.05 ms.
"""

from __future__ import annotations

from audit_tui.core.columns import Column
from audit_tui.core.record import Record
from audit_tui.store.predicate import Group, OneOf, Predicate, RowTest

START_MS = 120.0
"""What importing numpy takes, for the first answer of a process."""
SEGMENT_MS = 0.05
"""For a segment, and again for each of its columns that is read."""
TEST_US = 0.1
"""To test an index entry for the first matches."""
COUNT_US = 0.06
"""To count an index entry."""
RANGE_ENTRIES = 500
"""To look up an index range takes as long as to count so many of its entries."""
ROW_WEIGHT = 50
"""To test a row takes as long as to test so many index entries."""
SKIP_US = 0.012
"""To pass over an entry of an index range whose every entry matches."""
QUICK_MS = 3.0
"""What SQL answers within this is not worth a look at the columns."""


class Work(Record):
    """What there is to do, either way."""

    events: int
    """In the span of the question."""
    segments: int
    """That the span touches."""
    is_warm: bool
    """Whether numpy is there already."""


def is_columnar(predicate: Predicate) -> bool:
    """Whether the columns can answer it."""
    match predicate:
        case RowTest(condition=condition):
            return condition.field in (Column.OUTCOME, Column.SOURCE_IP)
        case Group(parts=parts):
            return all(is_columnar(part) for part in parts)
    return True


def columns_read(predicate: Predicate) -> int:
    """How many columns of a segment it looks at."""
    match predicate:
        case OneOf() | RowTest():
            return 1
        case Group(parts=parts):
            return sum(columns_read(part) for part in parts)
    return 0


def weight(predicate: Predicate) -> int:
    """How many times longer than an index entry SQL takes for an event: a test of its row is slow."""
    match predicate:
        case RowTest():
            return ROW_WEIGHT
        case Group(parts=parts):
            return max(weight(part) for part in parts)
    return 1


def columns_ms(work: Work, predicate: Predicate) -> float:
    """How long the columns take where they must all be read."""
    start = 0.0 if work.is_warm else START_MS
    return start + work.segments * SEGMENT_MS * (1 + columns_read(predicate))


def is_first_by_columns(work: Work, predicate: Predicate, entries: int) -> bool:
    """Whether the columns give the first matches sooner than SQL, where these lie worst for SQL.

    They begin at the newest segment, so once numpy is there they mostly need one or two of them.
    """
    by_sql = entries * TEST_US / 1e3
    return by_sql > (QUICK_MS if work.is_warm else columns_ms(work, predicate))


def is_count_by_columns(work: Work, predicate: Predicate, entries: int) -> bool:
    """Whether the columns count sooner than SQL, which reads so many index entries."""
    by_sql = entries * COUNT_US / 1e3
    return by_sql > max(QUICK_MS, columns_ms(work, predicate))


def is_skip_by_columns(work: Work, predicate: Predicate, offset: int, *, is_exact: bool) -> bool:
    """Whether the columns find a far row sooner than SQL, which passes over all rows before it."""
    tested = min(work.events, 20 * offset) * weight(predicate)
    entries_us = offset * SKIP_US if is_exact else tested * TEST_US
    return entries_us / 1e3 > max(QUICK_MS, columns_ms(work, predicate) / 4)
