"""The text index: written as events are appended, built whole, taken away.

It is optional: events that are in no segment are read from their rows.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.store import text_layout
from audit_tui.store.index.row_tests import metadata_leaves
from audit_tui.store.leaves import Leaves
from audit_tui.store.stretches import SegmentKeeper
from audit_tui.store.tables.rows import stored_text
from audit_tui.store.text_layout import (
    CHUNK_BYTES,
    MAX_GROUP_BITS,
    MAX_TEXTS_BYTES,
    SEGMENT_EVENTS,
    SEPARATOR,
    SIGNATURE_BITS,
    STORED,
    FrameWriter,
    Part,
    group_hashes,
    narrow,
    signature_bits,
    width_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from audit_tui.store.stretches import Stretch

LEAST_REST = 4_096
"""So many events at the end of the store get a short segment when a writer closes: a search tests 1,000
rows in 10 ms."""
LEAST_RUN = 2_048
"""Texts of several fields are packed together until they are so many."""
BLOCK_EVENTS = 128
"""The metadata of so many events is decoded at once: half a megabyte of CloudTrail's, which caches hold."""
META = "meta."
FIRST_FIELDS = ("outcome", "description", "target", "source_ip")
"""The fields that come first in a segment; "any text" is all but the very first."""

ROWS = """
SELECT seq, occurred_us, event_id, ifnull(category_id, 0), ifnull(user_id, 0),
    outcome, description, target, source_ip, metadata
FROM events NOT INDEXED WHERE seq BETWEEN ? AND ? ORDER BY seq
"""
_PUT_SEGMENT = (
    "INSERT INTO text_segments"
    " (first_seq, last_seq, events, first_us, last_us, version, group_bits, signature)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_PUT_PART = "INSERT INTO text_parts (place, data) VALUES (?, ?)"


class Built(NamedTuple):
    """A segment ready to be written."""

    events: int
    first_us: int
    last_us: int
    group_bits: int
    signature: bytes
    parts: dict[int, bytes]


class TextIndex(SegmentKeeper):
    """Keeps the text index in step with the events; a companion of the writer.

    Args:
        segment_events: How many seqs a segment covers.
    """

    def __init__(self, segment_events: int = SEGMENT_EVENTS) -> None:
        super().__init__(STORED, build_stretch, segment_events)


def outstanding(
    connection: sqlite3.Connection, segment_events: int = SEGMENT_EVENTS, *, least_rest: int = LEAST_REST
) -> list[Stretch]:
    """The segments to build so that all events are in one, but for a few at the end.

    Args:
        connection: The store.
        segment_events: How many seqs a segment covers.
        least_rest: How many events at the end, that make no whole segment, are worth a short one.
    """
    found = STORED.outstanding(connection, segment_events, least_rest)
    return [stretch for stretch in found if _has_rows(connection, stretch)]


def build(connection: sqlite3.Connection, progress: Callable[[int, int], None] | None = None) -> None:
    """Build what is missing, inside the caller's transaction.

    Args:
        connection: The store, for writing.
        progress: Is told how many segments are done, and of how many.
    """
    STORED.create(connection)
    wanted = outstanding(connection, least_rest=1)
    for done, stretch in enumerate(wanted, 1):
        build_stretch(connection, stretch)
        if progress is not None:
            progress(done, len(wanted))


def drop(connection: sqlite3.Connection) -> None:
    """Take the whole index away, inside the caller's transaction."""
    STORED.drop(connection)


def build_stretch(connection: sqlite3.Connection, stretch: Stretch) -> None:
    """Write the segment of these seqs from the rows, in place of any that begin there."""
    STORED.remove(connection, stretch)
    built = built_from(connection.execute(ROWS, stretch).fetchall(), stretch.first_seq, FrameWriter())
    if built is None:
        return
    version = int.from_bytes(os.urandom(7), "big")
    connection.execute(_PUT_SEGMENT, (*stretch, *built[:3], version, built.group_bits, built.signature))
    connection.executemany(
        _PUT_PART, [(STORED.place_of(stretch.first_seq, part), data) for part, data in built.parts.items()]
    )


def built_from(rows: Sequence[Sequence[Any]], first_seq: int, writer: FrameWriter) -> Built | None:
    """A segment made from the columns of ``ROWS``; None where there is nothing to build."""
    import numpy as np

    if not rows:
        return None
    seqs, times, events, categories, users, outcomes, descriptions, targets, addresses, metadata = zip(
        *rows, strict=True
    )
    fields = _Fields(len(rows))
    for name, texts in zip(FIRST_FIELDS, (outcomes, descriptions, targets, addresses), strict=True):
        fields.add(name, texts)
    fields.add_metadata(metadata)
    if fields.text_bytes > MAX_TEXTS_BYTES:
        return None
    texts_part, places_part, texts_bits = fields.parts(writer)
    moments = np.array(times, np.int64)
    steps = np.diff(np.array(seqs, np.int64) - first_seq, prepend=np.int64(-1))
    numbers = [np.array(one, np.uint32) for one in (events, categories, users)]
    names = [np.diff(moments, prepend=np.int64(0)).astype("<i8").tobytes(), *map(narrow, (steps, *numbers))]
    return Built(
        len(rows),
        int(moments.min()),
        int(moments.max()),
        len(texts_bits.groups),
        np.packbits(texts_bits.signature).tobytes(),
        {
            Part.NAMES: writer.part([width_of(one) for one in (steps, *numbers)], names),
            Part.TEXTS: texts_part,
            Part.PLACES: places_part,
            **_chunks(np.packbits(texts_bits.groups).tobytes()),
        },
    )


def _chunks(bits: bytes) -> dict[int, bytes]:
    begins = range(0, len(bits), CHUNK_BYTES)
    return {Part.GROUPS + place: bits[begin : begin + CHUNK_BYTES] for place, begin in enumerate(begins)}


class _Bits(NamedTuple):
    """What a segment's texts may contain."""

    signature: text_layout.Bits
    groups: text_layout.Bits


class _Fields:
    """The texts of a segment by field, with the events that have them."""

    def __init__(self, events: int) -> None:
        self._fields: dict[str, tuple[list[int], list[str]]] = {}
        self._every = list(range(events))
        self.text_bytes = 0
        """About how much text there is."""

    def add(self, name: str, texts: Sequence[object]) -> None:
        """Add a column."""
        rows = [row for row, text in enumerate(texts) if text is not None]
        values = [str(text) for text in texts if text is not None]
        self._fields[name] = rows, values
        self.text_bytes += sum(map(len, values))

    def add_metadata(self, texts: Sequence[object]) -> None:
        """Add the values of metadata, by their names."""
        found = Leaves()
        for first in range(0, len(texts), BLOCK_EVENTS):
            rows: list[int] = []
            objects: list[dict[str, Any]] = []
            for row, stored in enumerate(texts[first : first + BLOCK_EVENTS], first):
                if stored is None:
                    continue
                text = str(stored)
                self.text_bytes += len(text)
                try:
                    metadata, end = _scan(text, 0)
                except (ValueError, RecursionError, StopIteration):
                    metadata, end = None, 0
                if type(metadata) is dict and end == len(text):
                    rows.append(row)
                    objects.append(metadata)
                else:
                    for path, value in metadata_leaves(text):
                        found.put(path, [row], [value])
            found.add(rows, objects)
        for path, (leaf_rows, values) in found.by_path():
            there = self._fields.setdefault(META + stored_text(path), ([], []))
            there[0].extend(leaf_rows)
            there[1].extend(values)

    def parts(self, writer: FrameWriter) -> tuple[bytes, bytes, _Bits]:
        """The texts, their places, and what they may contain."""
        import numpy as np

        numbers = _Numbering()
        texts = _Texts()
        head: list[list[object]] = [[], [], [], [], [], []]
        frames: list[bytes] = []
        for name, (rows, values) in self._fields.items():
            own = np.fromiter(map(numbers.__getitem__, values), np.uint32, len(values))
            texts.add(numbers.take_new())
            low, high = (int(own.min()), int(own.max())) if values else (0, 0)
            own -= np.uint32(low)
            width_bytes = width_of(own)
            is_dense = rows == self._every
            # Texts that hardly repeat are numbered as they come: small from one to the next.
            is_rising = high - low > len(values) // 4
            packed = own.astype(f"<u{width_bytes}")
            if is_rising:
                packed = np.diff(packed, prepend=packed.dtype.type(0))
            said = (name, low, high, len(values), width_bytes, is_dense + 2 * is_rising)
            for column, value in zip(head, said, strict=True):
                column.append(value)
            # From event to event, round at 65,536: small numbers pack better.
            steps = b"" if is_dense else np.diff(np.array(rows, np.uint16), prepend=np.uint16(0)).tobytes()
            frames += [packed.tobytes(), steps]
        texts_part, bits = texts.part(writer)
        return texts_part, writer.part(head, frames), bits


class _Texts:
    """The distinct texts of a segment, in runs that are packed one by one."""

    def __init__(self) -> None:
        import numpy as np

        self._waiting: list[str] = []
        self._first = 0
        self._head: list[object] = []
        self._frames: list[bytes] = []
        self._signature = np.zeros(SIGNATURE_BITS, np.bool_)
        self._groups = np.zeros(MAX_GROUP_BITS, np.bool_)

    def add(self, texts: Sequence[str]) -> None:
        """Add texts of one field."""
        self._waiting += texts
        if len(self._waiting) >= LEAST_RUN:
            self._end_run()

    def part(self, writer: FrameWriter) -> tuple[bytes, _Bits]:
        """The part that holds them, and what they may contain."""
        if self._waiting:
            self._end_run()
        bits = _Bits(self._signature, text_layout.folded_bits(self._groups))
        return writer.part(self._head, self._frames), bits

    def _end_run(self) -> None:
        import numpy as np

        folded = [text.casefold().encode("utf-8", "backslashreplace") for text in self._waiting]
        lengths = np.array([len(text) for text in folded], np.uint32)
        whole = SEPARATOR + SEPARATOR.join(folded) + SEPARATOR
        self._signature[signature_bits(whole)] = True
        self._groups[group_hashes(whole)] = True
        self._head.append([self._first, len(folded), width_of(lengths)])
        self._frames += [narrow(lengths), whole]
        self._first += len(folded)
        self._waiting = []


class _Numbering(dict[str, int]):
    """The number of a text as the store holds it, given as it is first met."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, int] = {}
        self._new: list[str] = []

    def __missing__(self, text: str) -> int:
        stored = stored_text(text)
        number = self._numbers.get(stored)
        if number is None:
            number = self._numbers[stored] = len(self._numbers)
            self._new.append(stored)
        self[text] = number
        return number

    def take_new(self) -> list[str]:
        """The texts that came since this was last asked."""
        new, self._new = self._new, []
        return new


class _Decoder(json.JSONDecoder):
    scan_once: Callable[[str, int], tuple[Any, int]]


# Without the search for white space around the object: 1 of 11 µs.
_scan = _Decoder(parse_int=str, parse_float=str, parse_constant=str).scan_once


def _has_rows(connection: sqlite3.Connection, stretch: Stretch) -> bool:
    found = connection.execute("SELECT 1 FROM events WHERE seq BETWEEN ? AND ? LIMIT 1", stretch).fetchone()
    return found is not None
