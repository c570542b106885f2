"""Comparing the text index with the texts of the events, a stretch at a time.

The texts that a stretch says its events have are compared with theirs, and all else in it is built again from
them, to the byte. A stretch that is not as this program writes it from these texts is built from the events.
"""

from __future__ import annotations

from itertools import accumulate, compress, count, islice, pairwise, starmap
from operator import ge, lt
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from audit_tui.errors import StoreDamaged
from audit_tui.store.evidence.stored_texts import StoredParts, StoredTexts
from audit_tui.store.evidence.text_rows import BATCH_EVENTS, BATCH_LETTERS, ROWS, RowTexts
from audit_tui.store.index import text_build, text_fields
from audit_tui.store.index.text_build import bitmap_of
from audit_tui.store.index.text_fields import MAX_LONG_BYTES, MAX_TEXT_BYTES
from audit_tui.store.index.text_index import LEFT_OUT, made, places_of, stretches
from audit_tui.store.tables import text_layout
from audit_tui.store.tables.text_layout import block_of, place_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from audit_tui.store.index.text_build import Built
    from audit_tui.store.index.text_fields import Divided
    from audit_tui.store.tables.text_layout import Stretch


def problems(connection: sqlite3.Connection, stretch: Stretch) -> list[str]:
    """Return in which ways the index of a stretch is not what it should be.

    Args:
        connection: The store.
        stretch: One of ``text_index.stretches``.
    """
    events = connection.execute(
        "SELECT events FROM text_stretches WHERE first_seq = ?", (stretch.first_seq,)
    ).fetchone()
    stored = StoredTexts(StoredParts(connection, *places_of(stretch)))
    if events != (LEFT_OUT,):
        built = _built_of_stored(stored, stretch, connection.execute(ROWS, stretch))
        if built is not None and not _differences(stored, events, built):
            return []
    # Programs before this one made an index of more long texts than it does.
    most_long_bytes = MAX_LONG_BYTES if events == (LEFT_OUT,) else MAX_TEXT_BYTES
    built = made(connection.execute(text_fields.ROWS, stretch), stretch, most_long_bytes, stored.told_apart)
    if built is None:
        return [] if events == (LEFT_OUT,) and not stored.parts else ["should leave these events out"]
    return _differences(stored, events, built)


def _built_of_stored(stored: StoredTexts, stretch: Stretch, rows: Iterable[Sequence[Any]]) -> Built | None:
    """Build a stretch of the texts that it has; None when they are not those of the rows."""
    try:
        columns = stored.columns()
        if not all(map(_is_in_order, columns.values())):
            return None
        texts = RowTexts(columns, block_of(stretch.first_seq))
        if not all(starmap(texts.have, _batched(iter(rows)))) or not texts.are_all:
            return None
        every = texts.every
        del texts  # 30 MB
        return text_build.built_of(columns, columns.values(), every, stored.told_apart)
    except (StoreDamaged, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None


def _batched(rows: Iterator[Sequence[Any]]) -> Iterator[tuple[Sequence[Sequence[Any]], int]]:
    """Yield rows in batches, with the length of their texts; a few with much text are one of their own."""
    while True:
        batch: list[Sequence[Any]] = []
        letters = 0
        for row in islice(rows, BATCH_EVENTS):
            batch.append(row)
            letters += len(row[2] or "") + len(row[3] or "") + len(row[5] or "")
            if letters > BATCH_LETTERS:
                break
        if not batch:
            return
        yield batch, letters


def _differences(stored: StoredTexts, events: tuple[int], built: Built) -> list[str]:
    wrong = [] if events == (built.events,) else ["has another number of events"]
    if stored.parts.keys() != built.parts.keys() | built.compressed.keys():
        wrong.append("has other parts")
    is_same = all(stored.parts.get(number, data) == data for number, data in built.parts.items())
    if not is_same or not all(
        number not in stored.parts or stored.is_same(number, data)
        for number, data in built.compressed.items()
    ):
        wrong.append("does not hold the texts of the events")
    return wrong


def structure_problems(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong with the stretches among themselves: overlaps, and parts of none."""
    wrong = []
    reached = 0
    for first, last in stretches(connection):
        if first <= reached or last < first or block_of(first) != block_of(last):
            wrong.append(f"Events {first} to {last} overlap others in the text index.")
        reached = max(reached, last)
    if text_layout.exists(connection):
        strays = connection.execute(
            "SELECT count(*) FROM text_stretch_parts"
            " WHERE place / ? NOT IN (SELECT first_seq FROM text_stretches)",
            (place_of(1, 0),),
        ).fetchone()[0]
        if strays:
            wrong.append(f"{strays} parts of the text index belong to no events.")
    return wrong


def _is_in_order(divided: Divided) -> bool:
    """Tell whether these are the texts of some column as ``text_build`` divides it.

    Where each row has one text, the frequent ones, in the order in which they come first, are in the order of
    their first rows.
    """
    frequent, bitmaps, rare, counts, rows = divided
    # Within a text rows ascend: only where one ends the next may be lower.
    lower = compress(count(1), map(ge, rows, rows[1:]))
    return (
        len(counts) == len(rare)
        and sum(counts) == len(rows)
        and all(len(bitmap) >= text_build.FREQUENT_TEXT for bitmap in bitmaps)
        and (
            all(first.min() < second.min() for first, second in pairwise(bitmaps))
            or len(BitMap.union(bitmap_of(rows), *bitmaps)) < sum(map(len, bitmaps)) + len(rows)
        )
        and set(counts).issubset(range(1, text_build.FREQUENT_TEXT))
        and all(map(lt, rare, rare[1:]))
        and len(set(frequent)) == len(frequent)
        and set(frequent).isdisjoint(rare)
        and (len(rows) == len(rare) or set(lower).issubset(accumulate(counts)))
    )
