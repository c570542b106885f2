"""The text index: written as events are appended, built whole, compared with the rows, taken away.

It is optional: events that are in no segment are read from their rows.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.metadata import MAX_PATH, leaves
from audit_tui.errors import StoreDamaged
from audit_tui.store import text_layout
from audit_tui.store.row_tests import metadata_leaves
from audit_tui.store.rows import stored_text
from audit_tui.store.text_layout import (
    MAX_TEXTS_BYTES,
    SEGMENT_EVENTS,
    SEPARATOR,
    SIGNATURE_BITS,
    Part,
    create_tables,
    has_tables,
    place_of,
    places_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from audit_tui.store.rows import Draft, StoredRow

LEAST_REST = 4_096
"""So many events at the end of the store get a short segment when a writer closes: a search tests 1,000
rows in 10 ms."""
META = "meta."
FIRST_FIELDS = ("outcome", "description", "target", "source_ip")
"""The fields that come first in a segment; "any text" is all but the very first."""

_ROWS = """
SELECT seq, occurred_us, event_id, ifnull(category_id, 0), ifnull(user_id, 0),
    outcome, description, target, source_ip, metadata
FROM events NOT INDEXED WHERE seq BETWEEN ? AND ? ORDER BY seq
"""
_PUT_SEGMENT = (
    "INSERT INTO text_segments (first_seq, last_seq, events, first_us, last_us, version, signature)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_PUT_PART = "INSERT INTO text_parts (place, data) VALUES (?, ?)"


class Stretch(NamedTuple):
    """Consecutive seqs, both ends inside."""

    first_seq: int
    last_seq: int


class Built(NamedTuple):
    """A segment ready to be written."""

    events: int
    first_us: int
    last_us: int
    signature: bytes
    parts: dict[Part, bytes]


class TextIndex:
    """Keeps the text index in step with the events; a companion of the writer.

    Args:
        segment_events: How many seqs a segment covers.
    """

    def __init__(self, segment_events: int = SEGMENT_EVENTS) -> None:
        self._size = segment_events

    def on_append(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Write the segments that these rows complete."""
        complete = range((rows[0].seq - 1) // self._size, rows[-1].seq // self._size)
        if complete and has_tables(connection):
            for number in complete:
                build_stretch(connection, _stretch(number, self._size))

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None:
        """Take away the segments that hold these rows; until they are built again, the rows are read."""
        if has_tables(connection):
            for number in sorted({(row.seq - 1) // self._size for row in rows}):
                _remove(connection, _stretch(number, self._size))

    def on_replace(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Build the segments of these rows, which took the places of others."""
        if has_tables(connection):
            newest = _newest_seq(connection)
            for number in sorted({(row.seq - 1) // self._size for row in rows}):
                first, last = _stretch(number, self._size)
                build_stretch(connection, Stretch(first, min(last, newest)))

    def forget(self) -> None:
        """Nothing is remembered between transactions."""


def outstanding(
    connection: sqlite3.Connection, segment_events: int = SEGMENT_EVENTS, *, least_rest: int = LEAST_REST
) -> list[Stretch]:
    """The segments to build so that all events are in one, but for a few at the end.

    Args:
        connection: The store.
        segment_events: How many seqs a segment covers.
        least_rest: How many events at the end, that make no whole segment, are worth a short one.
    """
    newest = _newest_seq(connection)
    there: dict[int, int] = {}
    if has_tables(connection):
        there = dict(connection.execute("SELECT first_seq, last_seq FROM text_segments").fetchall())
    whole = [_stretch(number, segment_events) for number in range(newest // segment_events)]
    found = [
        stretch
        for stretch in whole
        if there.get(stretch.first_seq) != stretch.last_seq and _has_rows(connection, stretch)
    ]
    rest = Stretch(newest // segment_events * segment_events + 1, newest)
    if newest - there.get(rest.first_seq, rest.first_seq - 1) >= least_rest:
        found.append(rest)
    return found


def build(connection: sqlite3.Connection, progress: Callable[[int, int], None] | None = None) -> None:
    """Build what is missing, inside the caller's transaction.

    Args:
        connection: The store, for writing.
        progress: Is told how many segments are done, and of how many.
    """
    create_tables(connection)
    wanted = outstanding(connection, least_rest=1)
    for done, stretch in enumerate(wanted, 1):
        build_stretch(connection, stretch)
        if progress is not None:
            progress(done, len(wanted))


def drop(connection: sqlite3.Connection) -> None:
    """Take the whole index away, inside the caller's transaction."""
    text_layout.drop_tables(connection)


def build_stretch(connection: sqlite3.Connection, stretch: Stretch) -> None:
    """Write the segment of these seqs from the rows, in place of any that begins there."""
    _remove(connection, stretch)
    built = _built(connection, stretch)
    if built is None:
        return
    version = int.from_bytes(os.urandom(7), "big")
    connection.execute(_PUT_SEGMENT, (*stretch, *built[:3], version, built.signature))
    connection.executemany(
        _PUT_PART, [(place_of(stretch.first_seq, part), data) for part, data in built.parts.items()]
    )


def check(connection: sqlite3.Connection) -> Iterator[str]:
    """Compare the index with the rows, and tell what is wrong, a sentence each."""
    if not has_tables(connection):
        return
    reached = 0
    known = connection.execute(
        "SELECT first_seq, last_seq, events, first_us, last_us, signature FROM text_segments ORDER BY first_seq"
    ).fetchall()
    for first, last, *said in known:
        name = f"The text index of the events {first} to {last}"
        if first <= reached or last < first or last - first >= SEGMENT_EVENTS:
            yield f"{name} overlaps another or is too long."
            continue
        reached = last
        built = _built(connection, Stretch(first, last))
        if built is None or tuple(said) != built[:4]:
            yield f"{name} does not say what is in it."
            continue
        for part in Part:
            found = connection.execute(
                "SELECT data FROM text_parts WHERE place = ?", (place_of(first, part),)
            ).fetchone()
            if found is None or not _is_same(found[0], built.parts[part]):
                yield f"{name} differs from them in its {part.name.lower()}."
    held = {place_of(first, part) for first, *_ in known for part in Part}
    if any(row[0] not in held for row in connection.execute("SELECT place FROM text_parts")):
        yield "The text index has parts that belong to no segment."


def _is_same(found: object, expected: bytes) -> bool:
    # Another version of zstd may pack the same otherwise.
    if found == expected:
        return True
    try:
        return text_layout.decompress(found) == text_layout.decompress(expected)
    except StoreDamaged:
        return False


def _built(connection: sqlite3.Connection, stretch: Stretch) -> Built | None:
    """The segment of these seqs, made from the rows; None where there is nothing to build."""
    import numpy as np

    rows = connection.execute(_ROWS, stretch).fetchall()
    if not rows:
        return None
    seqs, times, events, categories, users, outcomes, descriptions, targets, addresses, metadata = zip(
        *rows, strict=True
    )
    fields = _Fields()
    for name, texts in zip(FIRST_FIELDS, (outcomes, descriptions, targets, addresses), strict=True):
        fields.add(name, texts)
    fields.add_metadata(metadata)
    numbers: dict[str, int] = {}
    rows_of, texts_of, head = fields.numbered(numbers)
    folded = SEPARATOR + b"".join(
        text.casefold().encode("utf-8", "backslashreplace") + SEPARATOR for text in numbers
    )
    if len(folded) > MAX_TEXTS_BYTES:
        return None
    signature = np.zeros(SIGNATURE_BITS, np.bool_)
    signature[text_layout.signature_bits(folded)] = True
    moments = np.array(times, np.int64)
    names = [np.array(one, np.uint32) for one in (events, categories, users)]
    offsets = np.array(seqs, np.int64) - stretch.first_seq
    return Built(
        len(rows),
        int(moments.min()),
        int(moments.max()),
        np.packbits(signature).tobytes(),
        {
            Part.NAMES: text_layout.pack_arrays(
                [], [np.diff(moments, prepend=np.int64(0)), offsets.astype(np.uint32), *names]
            ),
            Part.TEXTS: text_layout.compress(folded),
            Part.PLACES: text_layout.pack_arrays(head, [rows_of, texts_of]),
        },
    )


class _Fields:
    """The texts of a segment by field, with the events that have them."""

    def __init__(self) -> None:
        self._fields: dict[str, tuple[list[int], list[str]]] = {}

    def add(self, name: str, texts: Sequence[object]) -> None:
        """Add a column."""
        rows = [row for row, text in enumerate(texts) if text is not None]
        self._fields[name] = rows, [str(text) for text in texts if text is not None]

    def add_metadata(self, texts: Sequence[object]) -> None:
        """Add the values of metadata, by their names."""
        found: dict[str, tuple[list[int], list[str]]] = {}
        for row, stored in enumerate(texts):
            if stored is None:
                continue
            try:
                metadata = _decode(str(stored))
            except (ValueError, RecursionError):
                metadata = None
            if type(metadata) is not dict:
                for path, text in metadata_leaves(str(stored)):
                    _put(found, path, row, text)
                continue
            for path, value in metadata.items():
                if type(value) is str and len(path) <= MAX_PATH:
                    # What most of them are, without a call: 3 of 11 µs.
                    field = found.get(path)
                    if field is None:
                        field = found[path] = ([], [])
                    field[0].append(row)
                    field[1].append(value)
                else:
                    for deeper, text in leaves({path: value}):
                        _put(found, deeper, row, text)
        for path in sorted(found):
            rows, values = found[path]
            kept = META + stored_text(path)
            there = self._fields.setdefault(kept, ([], []))
            there[0].extend(rows)
            there[1].extend(values)

    def numbered(
        self, numbers: dict[str, int]
    ) -> tuple[text_layout.Numbers, text_layout.Numbers, list[object]]:
        """The events of all fields, the numbers of their texts, and the names with where each begins."""
        import numpy as np

        head: list[object] = []
        rows: list[text_layout.Numbers] = []
        texts: list[text_layout.Numbers] = []
        known: dict[str, int] = _Numbering(numbers)
        begin = 0
        for name, (places, values) in self._fields.items():
            head.append([name, begin])
            begin += len(places)
            rows.append(np.array(places, np.uint16))
            texts.append(np.array([known[text] for text in values], np.uint32))
        every = np.concatenate(rows)
        # From event to event, round at 65,536: small numbers pack better.
        return np.diff(every, prepend=np.uint16(0)), np.concatenate(texts), head


class _Numbering(dict[str, int]):
    """The number of a text as the store holds it, given as it is first met."""

    def __init__(self, numbers: dict[str, int]) -> None:
        super().__init__()
        self._numbers = numbers

    def __missing__(self, text: str) -> int:
        stored = stored_text(text)
        number = self[text] = self._numbers.setdefault(stored, len(self._numbers))
        return number


_decode = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).decode


def _put(found: dict[str, tuple[list[int], list[str]]], path: str, row: int, text: str) -> None:
    field = found.setdefault(path, ([], []))
    field[0].append(row)
    field[1].append(text)


def _stretch(number: int, segment_events: int) -> Stretch:
    return Stretch(number * segment_events + 1, (number + 1) * segment_events)


def _remove(connection: sqlite3.Connection, stretch: Stretch) -> None:
    connection.execute("DELETE FROM text_segments WHERE first_seq = ?", (stretch.first_seq,))
    connection.execute("DELETE FROM text_parts WHERE place BETWEEN ? AND ?", places_of(stretch.first_seq))


def _has_rows(connection: sqlite3.Connection, stretch: Stretch) -> bool:
    found = connection.execute("SELECT 1 FROM events WHERE seq BETWEEN ? AND ? LIMIT 1", stretch).fetchone()
    return found is not None


def _newest_seq(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT max(seq) FROM events").fetchone()[0] or 0)
