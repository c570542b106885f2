"""Comparing the index and the text index with the events, a stretch at a time.

Both are built again from the rows of a stretch and compared with what is stored.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from audit_tui.store.file import connect
from audit_tui.store.index import text_index
from audit_tui.store.index.checking import IndexCheck
from audit_tui.store.index.fields import ROWS as INDEX_ROWS
from audit_tui.store.index.text_fields import ROWS as TEXT_ROWS
from audit_tui.store.tables import schema
from audit_tui.store.tables.text_layout import BLOCK_EVENTS, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Rows: TypeAlias = Sequence[Sequence[Any]]

INDEX = "index"
TEXT_INDEX = "text index"
UNIT_EVENTS = 32_768
"""So many events are read at once."""
MIN_SEQ, MAX_SEQ = -(1 << 63), (1 << 63) - 1


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold one short read transaction."""
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
    yield from _check_text_index(connection, within)


def all_problems(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return all that is wrong with both; ``verify`` shares this between processes."""
    everywhere = Stretch(MIN_SEQ, MAX_SEQ)
    return [*layout_problems(connection), *check_segments(connection, everywhere)]


def layout_problems(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Look for parts that overlap, and for parts of nothing."""
    if schema.has_index(connection):
        with snapshot(connection):
            yield from ((INDEX, problem) for problem in IndexCheck(connection).layout_problems())
    with snapshot(connection):
        yield from ((TEXT_INDEX, problem) for problem in text_index.structure_problems(connection))


def _check_index(connection: sqlite3.Connection, within: Stretch) -> Iterator[tuple[str, str]]:
    if not schema.has_index(connection):
        return
    check = IndexCheck(connection)
    begin = within.first_seq
    while begin <= within.last_seq:
        with snapshot(connection):
            rows = connection.execute(
                f"{INDEX_ROWS} WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT {UNIT_EVENTS}",
                (begin, within.last_seq),
            ).fetchall()
            last = rows[-1][0] if rows else within.last_seq
            yield from ((INDEX, problem) for problem in check.stretch_problems(begin, last, rows))
            begin = last + 1


def _check_text_index(connection: sqlite3.Connection, within: Stretch) -> Iterator[tuple[str, str]]:
    with snapshot(connection):
        listed = [
            stretch
            for stretch in text_index.stretches(connection)
            # The others are told by their structure; their rows would fill the memory.
            if within.first_seq <= stretch.first_seq <= within.last_seq
            and 0 <= stretch.last_seq - stretch.first_seq < BLOCK_EVENTS
        ]
    for stretch in listed:
        with snapshot(connection):
            # It may have been taken away, or built again, since it was listed.
            if stretch in text_index.stretches(connection):
                for problem in text_index.problems(connection, stretch, _text_rows(connection, stretch)):
                    first, last = stretch
                    yield TEXT_INDEX, f"The text index of the events {first:,} to {last:,} {problem}."


def _text_rows(connection: sqlite3.Connection, stretch: Stretch) -> Rows:
    try:
        return connection.execute(TEXT_ROWS, stretch).fetchall()
    except sqlite3.OperationalError:
        # TEXT that is not UTF-8; decoding every text in Python costs twice as much.
        connection.text_factory = connect.decode_anything
        try:
            return connection.execute(TEXT_ROWS, stretch).fetchall()
        finally:
            connection.text_factory = str
