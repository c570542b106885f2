"""Comparing the index and the text index with the events, a stretch at a time.

What both say of a stretch is made again from its rows, which are read once, and compared with what is
stored; nothing is packed for that.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from audit_tui.errors import StoreDamaged
from audit_tui.store import text_layout
from audit_tui.store.file import connect
from audit_tui.store.index.checking import IndexCheck
from audit_tui.store.index.fields import ROWS as INDEX_ROWS
from audit_tui.store.stretches import Stretch
from audit_tui.store.tables import schema
from audit_tui.store.text_index import ROWS, built_from
from audit_tui.store.text_layout import SEGMENT_EVENTS, Part, PlainWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audit_tui.store.stretches import SegmentTables

    Rows: TypeAlias = Sequence[Sequence[Any]]

INDEX = "index"
TEXT_INDEX = "text index"
MIN_SEQ, MAX_SEQ = -(1 << 63), (1 << 63) - 1


class _Kind(NamedTuple):
    """A thing that is made of stretches."""

    part: str
    """What reports call it."""
    name: str
    """What it is called for one stretch."""
    tables: SegmentTables
    most_events: int
    check: Callable[[sqlite3.Connection, Stretch, Rows], Iterator[str]]
    """What is wrong with one, each as the end of a sentence."""


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """One short read transaction."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def check_segments(connection: sqlite3.Connection, within: Stretch) -> Iterator[tuple[str, str]]:
    """Compare what begins in a stretch with its events, in a snapshot each.

    Args:
        connection: The store, in no transaction; gives texts as ``str``.
        within: Where it begins.

    Yields:
        Which part is wrong, and how, a sentence.
    """
    yield from _check_index(connection, within)
    for stretch in _stretches(connection, within):
        with snapshot(connection):
            yield from _check_stretch(connection, stretch)


def all_problems(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Everything that is wrong with segments and text index; ``verify`` shares this between processes."""
    everywhere = Stretch(MIN_SEQ, MAX_SEQ)
    return [*layout_problems(connection), *check_segments(connection, everywhere)]


def layout_problems(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Segments that overlap or are too long, and parts of none."""
    if schema.has_index(connection):
        with snapshot(connection):
            yield from ((INDEX, problem) for problem in IndexCheck(connection).layout_problems())
    for kind in _KINDS:
        with snapshot(connection):
            if not kind.tables.are_there(connection):
                continue
            reached = MIN_SEQ
            for first, last in connection.execute(
                f"SELECT first_seq, last_seq FROM {kind.tables.segments} ORDER BY first_seq"  # noqa: S608 - ours
            ):
                if first <= reached or not 0 <= last - first < kind.most_events:
                    yield kind.part, f"{kind.name} {first} to {last} overlaps another or is too long."
                reached = max(reached, last)
            strays = connection.execute(
                f"SELECT count(*) FROM {kind.tables.parts} AS part WHERE NOT EXISTS"  # noqa: S608 - ours
                f" (SELECT 1 FROM {kind.tables.segments} WHERE first_seq = part.place / {kind.tables.places})"
            ).fetchone()[0]
            if strays:
                yield kind.part, f"It has {strays} parts that belong to nothing."


def _check_index(connection: sqlite3.Connection, within: Stretch) -> Iterator[tuple[str, str]]:
    if not schema.has_index(connection):
        return
    check = IndexCheck(connection)
    begin = within.first_seq
    while begin <= within.last_seq:
        with snapshot(connection):
            rows = connection.execute(
                f"{INDEX_ROWS} WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT {SEGMENT_EVENTS}",
                (begin, within.last_seq),
            ).fetchall()
            last = rows[-1][0] if rows else within.last_seq
            yield from ((INDEX, problem) for problem in check.stretch_problems(begin, last, rows))
            begin = last + 1


def _stretches(connection: sqlite3.Connection, within: Stretch) -> list[Stretch]:
    found: set[Stretch] = set()
    with snapshot(connection):
        for kind in _KINDS:
            if kind.tables.are_there(connection):
                rows = connection.execute(
                    f"SELECT first_seq, last_seq FROM {kind.tables.segments}"  # noqa: S608 - ours
                    " WHERE first_seq BETWEEN ? AND ?",
                    within,
                )
                # Longer ones are told by their layout; their rows would fill the memory.
                found |= {Stretch(*row) for row in rows if 0 <= row[1] - row[0] < kind.most_events}
    return sorted(found)


def _check_stretch(connection: sqlite3.Connection, stretch: Stretch) -> Iterator[tuple[str, str]]:
    rows: Rows | None = None
    for kind in _KINDS:
        # It may have been taken away, or built anew, since it was listed.
        if kind.tables.are_there(connection) and _is_there(connection, kind, stretch):
            if rows is None:
                rows = _rows(connection, stretch)
            for problem in kind.check(connection, stretch, rows):
                yield kind.part, f"{kind.name} {stretch.first_seq} to {stretch.last_seq} {problem}."


def _is_there(connection: sqlite3.Connection, kind: _Kind, stretch: Stretch) -> bool:
    found = connection.execute(
        f"SELECT count(*) FROM {kind.tables.segments} WHERE first_seq = ? AND last_seq = ?",  # noqa: S608 - ours
        stretch,
    )
    return bool(found.fetchone()[0])


def _rows(connection: sqlite3.Connection, stretch: Stretch) -> Rows:
    try:
        return connection.execute(ROWS, stretch).fetchall()
    except sqlite3.OperationalError:
        # TEXT that is not UTF-8; decoding every text in Python costs twice as much.
        connection.text_factory = connect.decode_anything
        try:
            return connection.execute(ROWS, stretch).fetchall()
        finally:
            connection.text_factory = str


def _check_text(connection: sqlite3.Connection, stretch: Stretch, rows: Rows) -> Iterator[str]:
    said = connection.execute(
        "SELECT events, first_us, last_us, group_bits, signature FROM text_segments WHERE first_seq = ?",
        stretch[:1],
    ).fetchone()
    built = built_from(rows, stretch.first_seq, PlainWriter())
    if built is None or said != built[:5]:
        yield "does not say what is in it"
        return
    stored: dict[int, object] = dict(
        connection.execute(
            "SELECT place, data FROM text_parts WHERE place BETWEEN ? AND ?",
            text_layout.STORED.places_of(stretch.first_seq),
        ).fetchall()
    )
    for part, expected in built.parts.items():
        data = stored.pop(text_layout.STORED.place_of(stretch.first_seq, part), None)
        if (data if part >= Part.GROUPS else _unpacked(data)) != expected:
            yield f"differs from them in its {Part(min(part, Part.GROUPS)).name.lower()}"
    if stored:
        yield "has parts that nobody knows"


def _unpacked(data: object) -> bytes | None:
    try:
        return text_layout.unpacked(data)
    except StoreDamaged:
        return None


_KINDS = (
    _Kind(
        TEXT_INDEX,
        "The text index of the events",
        text_layout.STORED,
        text_layout.SEGMENT_EVENTS,
        _check_text,
    ),
)
