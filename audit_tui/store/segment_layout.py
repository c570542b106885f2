"""How segments lie in the file: the tables, the columns, and numbers packed as narrowly as they fit."""

from __future__ import annotations

import sys
from array import array
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.errors import StoreDamaged
from audit_tui.store.stretches import SegmentTables

if TYPE_CHECKING:
    from collections.abc import Sequence

SEGMENT_EVENTS = 32_768
"""Seqs in a whole segment: 10,000,000 events make 306, and building one takes 60 ms."""


class SegmentColumn(IntEnum):
    """What is stored of a segment; the value is its number in the file."""

    TIME = 0
    """From event to event in µs, the first 0; with 8 bytes each the times themselves."""
    SEQ = 1
    """From the segment's first seq; empty when the events' order is that of their seqs."""
    EVENT = 2
    CATEGORY = 3
    USER = 4
    OUTCOME = 5
    """The place in ``OUTCOMES``."""
    ADDRESS = 6
    """The source IP as its place in ADDRESS_TEXTS, from 1; 0 for none."""
    ADDRESS_TEXTS = 7
    """A JSON array of the segment's source IPs."""


FIELD_COLUMNS = {
    Column.EVENT: SegmentColumn.EVENT,
    Column.CATEGORY: SegmentColumn.CATEGORY,
    Column.USER: SegmentColumn.USER,
}
REMOVALS = "removals"
"""The name in ``store_info`` of how often events were removed or replaced, so that nobody keeps answers from
before; absent before the first time."""
OUTCOMES = ("unknown", "success", "failure")

PLACES = 16
"""Numbers that a seq has for its columns; more than there are, for those to come."""

SEGMENTS = "segments"
SEGMENT_COLUMNS = "segment_columns"
TABLES: dict[str, tuple[str, ...]] = {
    SEGMENTS: ("first_seq", "last_seq", "events", "first_us", "last_us"),
    SEGMENT_COLUMNS: ("place", "data"),
}
"""They may be missing; when they are there, they have these columns."""
_CREATE = (
    """
CREATE TABLE IF NOT EXISTS segments (
    first_seq INTEGER PRIMARY KEY, -- of the seqs that it covers
    last_seq INTEGER NOT NULL,
    events INTEGER NOT NULL,       -- how many of them are in the store
    first_us INTEGER,              -- the earliest event; NULL without events
    last_us INTEGER                -- the latest event
) STRICT
""",
    # One row a column, so that reading one does not walk the pages of another.
    """
CREATE TABLE IF NOT EXISTS segment_columns (
    place INTEGER PRIMARY KEY, -- first_seq * 16 + the number of the column
    data BLOB NOT NULL         -- one number an event, little-endian; empty when all are 0
) STRICT
""",
)
STORED = SegmentTables(SEGMENTS, SEGMENT_COLUMNS, PLACES, _CREATE)
"""Where segments lie."""


def pack(numbers: Sequence[int]) -> bytes:
    """Numbers from 0 on, as narrow as the largest allows; nothing when all are 0.

    Raises:
        StoreDamaged: If one is below 0: the names of a store have none such.
    """
    if min(numbers, default=0) < 0:
        raise StoreDamaged("An event's name has a number below 0.", "Verify the store.")
    largest = max(numbers, default=0)
    if not largest:
        return b""
    width_bytes = next(width for width in _CODES if largest < 1 << 8 * width)
    return _bytes(array(_CODES[width_bytes], numbers))


def pack_times(times: Sequence[int]) -> bytes:
    """Ascending times as the steps between them, or, where a step needs more than 4 bytes, as they are."""
    steps = [later - earlier for earlier, later in pairwise(times)]
    if max(steps, default=0) >= 1 << 32:
        return _bytes(array("q", times))
    return pack([0, *steps])


def _bytes(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


_CODES = {array(code).itemsize: code for code in "BHIQ"}
"""The type code of an array by the bytes that a number takes: 1, 2, 4, 8."""
