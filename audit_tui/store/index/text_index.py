"""The text index as it is kept: written as events are appended, rebuilt where they change, checked.

It is optional: events that lie in no stretch are tested by their rows.
"""

from __future__ import annotations

import gc
import os
import re
from typing import TYPE_CHECKING, Any

from audit_tui.store.index import text_build
from audit_tui.store.index.text_build import Built, built_from
from audit_tui.store.index.text_fields import (
    BATCH_BYTES,
    BATCH_EVENTS,
    MAX_LONG_BYTES,
    MAX_TEXT_BYTES,
    PLAIN_FIELDS,
    ROWS,
    TextFields,
    TooMuchText,
)
from audit_tui.store.tables import text_layout
from audit_tui.store.tables.text_layout import BLOCK_EVENTS, Stretch, block_of, deflated, place_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable, Iterator, Sequence

    from audit_tui.store.tables.rows import Draft, StoredRow

SHORT_EVENTS = 8_192
"""While events come one by one, this many get a stretch of their own; until then their rows are tested, in
80 ms."""
LEAST_REST = 1_024
"""This many events at the end are worth a stretch when a writer closes: their rows would take 10 ms."""
MOST_SHORT = 8
"""With this many stretches in the last block they become one when a writer closes."""
LEAST_DIVIDED = 64
"""A stretch is not divided further than this; with more text it is left to the tests of rows."""
LEFT_OUT = -1
"""Instead of the number of events: the stretch has no parts, its rows are tested."""

_ENDS = (
    "SELECT first_seq, last_seq FROM text_stretches WHERE last_seq >= ? AND first_seq <= ? ORDER BY first_seq"
)
_LENGTHS = " + ".join(f"total(length({column}))" for column in (*PLAIN_FIELDS, "metadata"))
_CHARS = f"SELECT {_LENGTHS} FROM events NOT INDEXED WHERE seq BETWEEN ? AND ?"  # noqa: S608 - our own names
_BYTES = re.sub(r"length\((\w+)\)", r"length(CAST(\1 AS BLOB))", _CHARS)
_PUT = "INSERT INTO text_stretches (first_seq, last_seq, events, stamp) VALUES (?, ?, ?, ?)"
_PUT_PART = "INSERT INTO text_stretch_parts (place, data) VALUES (?, ?)"


class TextIndex:
    """Keeps the text index in step with the events; a companion of the writer.

    Args:
        short_events: After this many events that lie in no stretch they get one; None waits until a block of
            65,536 is full, or the writer closes: for imports.
    """

    def __init__(self, short_events: int | None = SHORT_EVENTS) -> None:
        self._short_events = short_events

    def on_append(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Write the stretches that these rows complete."""
        first, newest = rows[0].seq, rows[-1].seq
        is_full = block_of(first) != block_of(newest + 1)
        if not is_full and (self._short_events is None or newest % self._short_events >= len(rows)):
            return
        if not text_layout.exists(connection):
            return
        for block in range(block_of(first), block_of(newest + 1), BLOCK_EVENTS):
            build_stretch(connection, whole_block(block))
        if self._short_events is not None:
            begin = _reached(connection, newest) + 1
            if newest - begin + 1 >= self._short_events // 2:
                build_stretch(connection, Stretch(begin, newest))

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None:
        """Take away the stretches that hold these rows; until they are built again, the rows are tested."""
        if text_layout.exists(connection):
            for seq in sorted(row.seq for row in rows):
                for stretch in _ends(connection, Stretch(seq, seq)):
                    _remove(connection, stretch)

    def on_replace(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Build the stretches of these rows, which took the places of others."""
        if text_layout.exists(connection):
            newest = _newest_seq(connection)
            for block in sorted({block_of(row.seq) for row in rows}):
                first, last = whole_block(block)
                build_stretch(connection, Stretch(first, min(last, newest)))

    def forget(self) -> None:
        """Do nothing: nothing is remembered between transactions."""


def whole_block(block: int) -> Stretch:
    """Return all seqs of the block that begins with this one; there is no seq 0."""
    return Stretch(max(1, block), block + BLOCK_EVENTS - 1)


def outstanding(connection: sqlite3.Connection, least_rest: int = LEAST_REST) -> list[Stretch]:
    """Return the stretches to build so that all events lie in one, but for a few at the end.

    Args:
        connection: The store.
        least_rest: How many events at the end are worth a stretch.
    """
    newest = _newest_seq(connection)
    last_block = block_of(newest + 1)
    wanted = []
    for block in range(0, last_block, BLOCK_EVENTS):
        if not _is_covered(connection, whole_block(block)):
            wanted.append(whole_block(block))
    reached = _reached(connection, newest)
    if newest - reached >= least_rest:
        is_many = len(_ends(connection, Stretch(max(1, last_block), newest))) >= MOST_SHORT
        wanted.append(Stretch(max(1, last_block) if is_many else reached + 1, newest))
    return [stretch for stretch in wanted if _has_rows(connection, stretch)]


def build_stretch(connection: sqlite3.Connection, stretch: Stretch) -> None:
    """Write the index of these seqs of one block from the rows, in place of what lies there.

    A stretch with too much text is divided.
    """
    told_apart = None if stretch == whole_block(block_of(stretch.first_seq)) else text_build.OF_A_PART
    for existing in _ends(connection, stretch):
        _remove(connection, existing)
    waiting = [stretch]
    while waiting:
        part = waiting.pop()
        built = None
        if not _is_too_much(connection, part):
            built = made(connection.execute(ROWS, part), part, told_apart=told_apart)
        if built is None and part.last_seq - part.first_seq >= LEAST_DIVIDED:
            middle = (part.first_seq + part.last_seq) // 2
            waiting += [Stretch(middle + 1, part.last_seq), Stretch(part.first_seq, middle)]
            continue
        stamp = int.from_bytes(os.urandom(7), "big")
        connection.execute(_PUT, (*part, LEFT_OUT if built is None else built.events, stamp))
        if built is not None:
            parts = built.parts | {number: deflated(data) for number, data in built.compressed.items()}
            places = [(place_of(part.first_seq, number), data) for number, data in parts.items()]
            connection.executemany(_PUT_PART, places)


def _is_too_much(connection: sqlite3.Connection, stretch: Stretch) -> bool:
    """Tell that a stretch has too much text before it is gathered in vain, in a second or two."""
    for statement in (_BYTES, _CHARS):  # the bytes are told without reading the text
        if connection.execute(statement, stretch).fetchone()[0] <= MAX_TEXT_BYTES:
            return False
    return True


def stretches(connection: sqlite3.Connection) -> list[Stretch]:
    """Return the stretches of the index; none where the store has no index."""
    if not text_layout.exists(connection):
        return []
    rows = connection.execute("SELECT first_seq, last_seq FROM text_stretches ORDER BY first_seq")
    return [Stretch(*row) for row in rows]


def made(
    rows: Iterable[Sequence[Any]],
    stretch: Stretch,
    most_long_bytes: int | None = None,
    told_apart: Container[tuple[str, ...]] | None = None,
) -> Built | None:
    """Return the parts of a stretch; None when it has too much text.

    Args:
        rows: Of all its events, in order, the columns that ``text_fields.ROWS`` names.
        stretch: Of which events.
        most_long_bytes: As ``TextFields`` takes it; None is as much as is built.
        told_apart: As ``built_of`` takes it.
    """
    most_long_bytes = MAX_LONG_BYTES if most_long_bytes is None else most_long_bytes
    fields = TextFields(block_of(stretch.first_seq), most_long_bytes)
    collects = gc.isenabled()
    gc.disable()  # among a million objects without cycles, each search for them takes a second
    try:
        for batch in _batched(rows):
            fields.add(batch)
        return built_from(fields, told_apart)
    except TooMuchText:
        return None
    finally:
        if collects:
            gc.enable()


def _batched(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield rows in batches; a few rows with much text are one of their own."""
    batch: list[Sequence[Any]] = []
    text_bytes = 0
    for row in rows:
        batch.append(row)
        _, description, target, _, metadata = row
        try:  # noqa: SIM105 - for each row that takes a fifth of the time of a context
            text_bytes += len(description or "") + len(target or "") + len(metadata or "")
        except TypeError:  # a damaged file may hold numbers
            pass
        if len(batch) == BATCH_EVENTS or text_bytes > BATCH_BYTES:
            yield batch
            batch, text_bytes = [], 0
    if batch:
        yield batch


def places_of(stretch: Stretch) -> tuple[int, int]:
    """Return between which numbers the parts of a stretch lie."""
    return place_of(stretch.first_seq, 0), place_of(stretch.first_seq + 1, 0) - 1


def _ends(connection: sqlite3.Connection, stretch: Stretch) -> list[Stretch]:
    """Return the stretches that share a seq with this one."""
    return [Stretch(*row) for row in connection.execute(_ENDS, stretch).fetchall()]


def _remove(connection: sqlite3.Connection, stretch: Stretch) -> None:
    connection.execute("DELETE FROM text_stretches WHERE first_seq = ?", (stretch.first_seq,))
    connection.execute("DELETE FROM text_stretch_parts WHERE place BETWEEN ? AND ?", places_of(stretch))


def _is_covered(connection: sqlite3.Connection, stretch: Stretch) -> bool:
    """Tell whether stretches hold all these seqs."""
    reached = stretch.first_seq - 1
    for first, last in _ends(connection, stretch):
        if first != reached + 1:
            return False
        reached = last
    return reached == stretch.last_seq


def _reached(connection: sqlite3.Connection, newest: int) -> int:
    """Return up to which seq the last block lies in stretches without a gap."""
    block = block_of(newest + 1)
    reached = max(0, block - 1)
    for first, last in _ends(connection, Stretch(max(1, block), newest)):
        if first != reached + 1:
            break
        reached = last
    return reached


def _has_rows(connection: sqlite3.Connection, stretch: Stretch) -> bool:
    statement = "SELECT 1 FROM events WHERE seq BETWEEN ? AND ? LIMIT 1"
    return connection.execute(statement, stretch).fetchone() is not None


def _newest_seq(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT max(seq) FROM events").fetchone()[0] or 0)
