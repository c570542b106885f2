"""How the text index lies in the file: its tables, and arrays packed into one compressed part.

A segment holds every text of a stretch of events, each distinct one once and without regard to case, and
where each stands: the event's place in the segment and the name of the field. All that a test of rows asks
is answered from it exactly, but for the case of letters.
"""

from __future__ import annotations

import json
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.errors import StoreDamaged

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.integer]

SEGMENT_EVENTS = 32_768
"""Seqs in a whole segment: places fit into two bytes, and a search reads one in 3 ms."""
SEPARATOR = b"\xff"
"""Between texts: no byte of UTF-8."""
SIGNATURE_BITS = 1 << 16
"""A segment's bits for the three-letter groups that occur in it; 15 % are set in demo data."""
MAX_PART_BYTES = 256 * 1024 * 1024
"""A part is unpacked up to here: a small one may hold a huge one."""
MAX_TEXTS_BYTES = 64 * 1024 * 1024
"""With more text than this a segment is left out, and its rows are read."""


class Part(IntEnum):
    """What is stored of a segment; the value is its number in the file."""

    NAMES = 0
    """Time, seq, and the numbers of event, category and user of each event."""
    TEXTS = 1
    """The distinct texts, folded, between separators."""
    PLACES = 2
    """For each field the events that have it, and the number of their text."""


TEXT_SEGMENTS = "text_segments"
TEXT_PARTS = "text_parts"
TABLES: dict[str, tuple[str, ...]] = {
    TEXT_SEGMENTS: ("first_seq", "last_seq", "events", "first_us", "last_us", "version", "signature"),
    TEXT_PARTS: ("place", "data"),
}
"""They may be missing; when they are there, they have these columns."""
_PLACES = 4
_CREATE = (
    """
CREATE TABLE IF NOT EXISTS text_segments (
    first_seq INTEGER PRIMARY KEY, -- of the seqs that it covers
    last_seq INTEGER NOT NULL,
    events INTEGER NOT NULL,       -- how many of them are in the store
    first_us INTEGER NOT NULL,     -- the earliest event
    last_us INTEGER NOT NULL,      -- the latest event
    version INTEGER NOT NULL,      -- random: another one when it is built anew
    signature BLOB NOT NULL        -- a bit for each group of three bytes that occurs in its texts
) STRICT
""",
    """
CREATE TABLE IF NOT EXISTS text_parts (
    place INTEGER PRIMARY KEY, -- first_seq * 4 + the number of the part
    data BLOB NOT NULL         -- zstd
) STRICT
""",
)


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables where they are missing, inside the caller's transaction."""
    for statement in _CREATE:
        connection.execute(statement)


def drop_tables(connection: sqlite3.Connection) -> None:
    """Take the tables away, inside the caller's transaction."""
    for table in TABLES:
        connection.execute(f"DROP TABLE IF EXISTS {table}")


def has_tables(connection: sqlite3.Connection) -> bool:
    """Whether both tables are there."""
    found = connection.execute(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (?, ?)",
        (TEXT_SEGMENTS, TEXT_PARTS),
    ).fetchone()
    return bool(found[0] == len(TABLES))


def place_of(first_seq: int, part: Part) -> int:
    """The row of ``text_parts`` that holds a part of a segment."""
    return first_seq * _PLACES + part


def places_of(first_seq: int) -> tuple[int, int]:
    """The first and the last row that the parts of a segment can have."""
    return first_seq * _PLACES, first_seq * _PLACES + _PLACES - 1


def compress(data: bytes) -> bytes:
    """A part as it is stored."""
    import zstandard

    return zstandard.ZstdCompressor(level=3).compress(data)


def decompress(data: object) -> bytes:
    """What ``compress`` was given.

    Raises:
        StoreDamaged: If it is something else.
    """
    import zstandard

    if not isinstance(data, bytes):
        raise StoreDamaged("A part of the text index is missing.", "Rebuild it: audit-tui reindex")
    try:
        if not 0 <= zstandard.frame_content_size(data) <= MAX_PART_BYTES:
            raise StoreDamaged("A part of the text index is too large.", "Rebuild it: audit-tui reindex")
        return zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError as error:
        raise StoreDamaged(
            f"A part of the text index is damaged: {error}.", "Rebuild it: audit-tui reindex"
        ) from error


def pack_arrays(head: Sequence[object], arrays: Sequence[Numbers]) -> bytes:
    """Arrays of whole numbers as one part, with a head that JSON can hold."""
    import numpy as np

    lean = [_narrow(array) for array in arrays]
    line = json.dumps([head, [[array.dtype.str, len(array)] for array in lean]], separators=(",", ":"))
    return compress(
        b"\n".join([line.encode(), b"".join(np.ascontiguousarray(one).tobytes() for one in lean)])
    )


def unpack_arrays(data: object, arrays: int) -> tuple[list[object], list[Numbers]]:
    """The head and the arrays of a part.

    Raises:
        StoreDamaged: If it is no such part.
    """
    import numpy as np

    line, _, raw = decompress(data).partition(b"\n")
    try:
        head, kinds = json.loads(line)
        found: list[Numbers] = []
        begin = 0
        for kind, length in kinds:
            if kind not in _KINDS or not isinstance(length, int) or length < 0:
                raise ValueError(kind)
            found.append(np.frombuffer(raw, np.dtype(kind), length, begin))
            begin += found[-1].nbytes
        if len(found) != arrays or begin != len(raw) or not isinstance(head, list):
            raise ValueError("other arrays")
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreDamaged(
            "A part of the text index is not what it should be.", "Rebuild it: audit-tui reindex"
        ) from error
    return head, found


_KINDS = frozenset({"|u1", "<u2", "<u4", "<i8"})


def _narrow(array: Numbers) -> Numbers:
    if array.dtype.kind == "i":
        return array.astype("<i8")
    largest = int(array.max()) if len(array) else 0
    return array.astype("|u1" if largest < 1 << 8 else "<u2" if largest < 1 << 16 else "<u4")


def signature_bits(folded: bytes) -> Numbers:
    """The bits of all groups of three bytes in a text; the separator is a byte like any other."""
    import numpy as np

    letters = np.frombuffer(folded, np.uint8).astype(np.uint32)
    groups = letters[:-2] | letters[1:-1] << np.uint32(8) | letters[2:] << np.uint32(16)
    # The upper half of a product mixes all three bytes.
    mixed: Numbers = groups * np.uint32(2654435761) >> np.uint32(16)
    return mixed
