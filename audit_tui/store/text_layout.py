"""How the text index lies in the file: its tables, and arrays packed into one compressed part.

A segment holds every text of a stretch of events, each distinct one once and without regard to case, and
where each stands: the event's place in the segment and the name of the field. All that a test of rows asks
is answered from it exactly, but for the case of letters.
"""

from __future__ import annotations

import json
from enum import IntEnum
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.errors import StoreDamaged
from audit_tui.store.stretches import SegmentTables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.integer]
    Bits: TypeAlias = NDArray[np.bool_]

SEGMENT_EVENTS = 32_768
"""Seqs in a whole segment: places fit into two bytes, and a search reads one in 3 ms."""
SEPARATOR = b"\xff"
"""Between texts: no byte of UTF-8."""
SIGNATURE_BITS = 1 << 16
"""A segment's bits for the three-letter groups that occur in it; 15 % are set in demo data."""
LEAST_GROUP_BITS = 1 << 15
MAX_GROUP_BITS = 1 << 22
CHUNK_BYTES = LEAST_GROUP_BITS // 8
"""The bits for groups of six are read in chunks of so many bytes."""
MAX_FRAME_BYTES = 256 * 1024 * 1024
"""A frame is unpacked up to here: a small one may hold a huge one."""
MAX_TEXTS_BYTES = 64 * 1024 * 1024
"""With more text than this a segment is left out, and its rows are read."""


class Part(IntEnum):
    """What is stored of a segment; the value is its number in the file."""

    NAMES = 0
    """Time, seq, and the numbers of event, category and user of each event: a frame each."""
    TEXTS = 1
    """The distinct texts, folded, between separators: a frame for those that each field brings."""
    PLACES = 2
    """For each field the numbers of its texts, and the events that have them: two frames each."""
    GROUPS = 16
    """The first chunk of the bits for groups of six bytes; the others follow."""


TEXT_SEGMENTS = "text_segments"
TEXT_PARTS = "text_parts"
TABLES: dict[str, tuple[str, ...]] = {
    TEXT_SEGMENTS: (
        "first_seq",
        "last_seq",
        "events",
        "first_us",
        "last_us",
        "version",
        "group_bits",
        "signature",
    ),
    TEXT_PARTS: ("place", "data"),
}
"""They may be missing; when they are there, they have these columns."""
PLACES = 256
"""Numbers that a seq has for its parts: 16 and 128 chunks, and room."""
_CREATE = (
    """
CREATE TABLE IF NOT EXISTS text_segments (
    first_seq INTEGER PRIMARY KEY, -- of the seqs that it covers
    last_seq INTEGER NOT NULL,
    events INTEGER NOT NULL,       -- how many of them are in the store
    first_us INTEGER NOT NULL,     -- the earliest event
    last_us INTEGER NOT NULL,      -- the latest event
    version INTEGER NOT NULL,      -- random: another one when it is built anew
    group_bits INTEGER NOT NULL,   -- how many bits there are for groups of six bytes
    signature BLOB NOT NULL        -- a bit for each group of three bytes that occurs in its texts
) STRICT
""",
    """
CREATE TABLE IF NOT EXISTS text_parts (
    place INTEGER PRIMARY KEY, -- first_seq * 256 + the number of the part
    data BLOB NOT NULL         -- a head and frames of zstd; from 16 on a chunk of bits
) STRICT
""",
)
STORED = SegmentTables(TEXT_SEGMENTS, TEXT_PARTS, PLACES, _CREATE)
"""Where segments lie."""


class FrameWriter:
    """Makes the parts of a segment: a head that JSON can hold, and frames that are packed one by one."""

    def __init__(self) -> None:
        import zstandard

        self._compressor = zstandard.ZstdCompressor(level=3)

    def part(self, head: Sequence[object], frames: Sequence[bytes]) -> bytes:
        """A part as it is stored."""
        return _joined(head, [self._compressor.compress(frame) if frame else b"" for frame in frames])


class PlainWriter(FrameWriter):
    """Makes the parts without packing the frames, for comparing."""

    def part(self, head: Sequence[object], frames: Sequence[bytes]) -> bytes:
        """The part as ``unpacked`` gives it from what is stored."""
        return _joined(head, frames)


def unpacked(data: object) -> bytes:
    """A stored part with its frames unpacked: another version of zstd may have packed them otherwise.

    Raises:
        StoreDamaged: If it is no part.
    """
    part = FrameReader(data)
    return _joined(part.head, [part.frame(number) for number in range(part.frames)])


def _joined(head: Sequence[object], frames: Sequence[bytes]) -> bytes:
    line = json.dumps([head, [len(frame) for frame in frames]], separators=(",", ":")).encode()
    return b"".join([len(line).to_bytes(4, "little"), line, *frames])


class FrameReader:
    """A part of a segment, its frames unpacked as they are wanted.

    Args:
        data: What the file holds.

    Raises:
        StoreDamaged: If it is no part; reading a frame may raise it too.
    """

    def __init__(self, data: object) -> None:
        import zstandard

        self._unpacker = zstandard.ZstdDecompressor()
        self._error = zstandard.ZstdError
        self._size_of = zstandard.frame_content_size
        if not isinstance(data, bytes):
            raise damaged("is missing")
        begin = 4 + int.from_bytes(data[:4], "little")
        try:
            head, lengths = json.loads(data[4:begin])
            self._ends = [begin + total for total in accumulate(lengths)]
        except (ValueError, TypeError, RecursionError) as error:
            raise damaged("has no head") from error
        if not isinstance(head, list) or not all(
            isinstance(length, int) and length >= 0 for length in lengths
        ):
            raise damaged("has no head")
        if (self._ends[-1] if self._ends else begin) != len(data):
            raise damaged("is not whole")
        self.head: list[object] = head
        self._data = memoryview(data)
        self._begins = [begin, *self._ends[:-1]]

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self._ends)

    def frame(self, number: int) -> bytes:
        """What a frame holds."""
        if not 0 <= number < len(self._ends):
            raise damaged("has too few frames")
        packed = self._data[self._begins[number] : self._ends[number]]
        if not packed:
            return b""
        try:
            if not 0 <= self._size_of(packed) <= MAX_FRAME_BYTES:
                raise damaged("is too large")
            return bytes(self._unpacker.decompress(packed))
        except self._error as error:
            raise damaged("cannot be unpacked") from error


def damaged(why: str) -> StoreDamaged:
    """The error for an index that cannot be right."""
    return StoreDamaged(f"A part of the text index {why}.", "Rebuild it: audit-tui reindex")


def narrow(array: Numbers) -> bytes:
    """Numbers from 0 on, in as few bytes each as the largest needs."""
    return array.astype(f"<u{width_of(array)}").tobytes()


def width_of(array: Numbers) -> int:
    """How many bytes each of these numbers needs."""
    largest = int(array.max()) if len(array) else 0
    return 1 if largest < 1 << 8 else 2 if largest < 1 << 16 else 4


def numbers_of(frame: bytes, width_bytes: int, count: int) -> Numbers:
    """What ``narrow`` was given.

    Raises:
        StoreDamaged: If it is something else.
    """
    import numpy as np

    if width_bytes not in (1, 2, 4, 8) or count < 0 or len(frame) != count * width_bytes:
        raise damaged("has other numbers than it says")
    return np.frombuffer(frame, f"<{'i' if width_bytes == 8 else 'u'}{width_bytes}")


def signature_bits(folded: bytes) -> Numbers:
    """The bits of all groups of three bytes in a text; the separator is a byte like any other."""
    import numpy as np

    letters = np.frombuffer(folded, np.uint8).astype(np.uint32)
    groups = letters[:-2] | letters[1:-1] << np.uint32(8) | letters[2:] << np.uint32(16)
    # The upper half of a product mixes all three bytes.
    mixed: Numbers = groups * np.uint32(2654435761) >> np.uint32(16)
    return mixed


def group_hashes(folded: bytes) -> Numbers:
    """A number below ``MAX_GROUP_BITS`` for each group of six bytes; its bit is that modulo the bits."""
    import numpy as np

    letters = np.frombuffer(folded, np.uint8).astype(np.uint32)
    threes = letters[:-2] | letters[1:-1] << np.uint32(8) | letters[2:] << np.uint32(16)
    mixed: Numbers = (threes[:-3] * np.uint32(2654435761)) ^ (threes[3:] * np.uint32(2246822519))
    # The upper bits depend on all of the bytes.
    return (mixed ^ mixed >> np.uint32(15)) * np.uint32(2654435761) >> np.uint32(10)


def folded_bits(held: Bits) -> Bits:
    """A bit for each hash that is held, as few that a third of them are set at most."""
    held_bits = int(held.sum())
    while len(held) > LEAST_GROUP_BITS and held_bits * 6 <= len(held):
        half = len(held) // 2
        held = held[:half] | held[half:]
    return held
