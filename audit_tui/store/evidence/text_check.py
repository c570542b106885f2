"""Comparing the text index with the texts of the events, a stretch at a time.

A stretch is made again from its events, to the byte. Most of that is to number the texts of each column and
to put them in order, and the stored stretch says which numbers and which order: where each event has the text
that the stretch says it has, and the order is right, that need not be found again.
"""

from __future__ import annotations

from array import array
from collections import deque
from itertools import accumulate, chain, compress, count, pairwise, repeat
from operator import ge, lt
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from audit_tui.errors import StoreDamaged
from audit_tui.store.evidence.stored_texts import StoredTexts
from audit_tui.store.index import text_build
from audit_tui.store.index.text_fields import MAX_LONG_BYTES, MAX_TEXT_BYTES, Column
from audit_tui.store.index.text_index import LEFT_OUT, made, places_of, stretches
from audit_tui.store.tables import text_layout
from audit_tui.store.tables.text_layout import BLOCK_EVENTS, block_of, place_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from audit_tui.store.index.text_fields import Divided
    from audit_tui.store.tables.text_layout import Stretch

_ROWS = list(range(BLOCK_EVENTS))
"""All rows: lists of them take less memory when they share the numbers, and are compared faster."""


def problems(connection: sqlite3.Connection, stretch: Stretch, rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return in which ways the index of a stretch is not what it should be.

    Args:
        connection: The store.
        stretch: One of ``text_index.stretches``.
        rows: Of all its events, in order, the columns that ``text_fields.ROWS`` names.
    """
    events = connection.execute(
        "SELECT events FROM text_stretches WHERE first_seq = ?", (stretch.first_seq,)
    ).fetchone()
    begin, end = places_of(stretch)
    stored = StoredTexts(
        dict(
            connection.execute(
                "SELECT place - ?1, data FROM text_stretch_parts WHERE place BETWEEN ?1 AND ?2", (begin, end)
            ).fetchall()
        )
    )
    # Programs before this one made an index of more long texts than it does.
    most_long_bytes = MAX_LONG_BYTES if events == (LEFT_OUT,) else MAX_TEXT_BYTES
    built = made(rows, stretch, most_long_bytes, _expected(stored))
    if built is None:
        return [] if events == (LEFT_OUT,) and not stored.parts else ["should leave these events out"]
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


def _expected(stored: StoredTexts) -> dict[tuple[str, ...], Column]:
    """Return the columns that a stretch says it was made of, those that can be."""
    columns: dict[tuple[str, ...], Column] = {}
    try:
        for fields, divided in stored.columns().items():
            rows = [bitmap.to_array() for bitmap in divided.bitmaps]
            every = BitMap.union(text_build.bitmap_of(divided.rows), *divided.bitmaps)
            # With several texts in a row the order of its texts is not stored.
            if len(every) == sum(map(len, rows)) + len(divided.rows) and _is_in_order(divided):
                # Not as they are stored: the same rows can be stored in several ways.
                divided.bitmaps[:] = map(_bitmap_of, rows)
                columns[fields] = ExpectedColumn(divided, rows, every)
    except (StoreDamaged, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return {}
    return columns


def _bitmap_of(rows: array[int]) -> BitMap:
    bitmap = BitMap(rows)
    bitmap.run_optimize()
    return bitmap


class ExpectedColumn(Column):
    """A column as a stored stretch has it, as long as the events have the same texts in it.

    Args:
        divided: Its texts, as ``text_build`` would divide them if they are right; each row has one.
        rows: Those of each frequent text.
        every: All rows.
    """

    def __init__(self, divided: Divided, rows: Sequence[array[int]], every: BitMap) -> None:
        super().__init__()
        self._expected: Divided | None = divided
        counts = [*map(len, rows), *divided.counts]
        texts = chain.from_iterable(map(repeat, [*divided.frequent, *divided.rare], counts))
        # Not a dictionary: to go over one in another order takes four times as long.
        text_at = [""] * BLOCK_EVENTS
        deque(map(text_at.__setitem__, chain(*rows, divided.rows), texts), maxlen=0)
        self._rows = list(map(_ROWS.__getitem__, every.to_array()))
        self._texts = list(map(text_at.__getitem__, self._rows))
        self._reached = 0

    def add(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        """Compare texts of events; once they differ, all are added as to any column."""
        if self._expected is not None:
            begin, end = self._reached, self._reached + len(rows)
            if self._rows[begin:end] == list(rows) and self._texts[begin:end] == list(texts):
                self._reached = end
                return
            self._give_up()
        super().add(rows, texts)

    @property
    def divided(self) -> Divided | None:  # type: ignore[override]  # computed here
        """The texts, divided; None where they are not those of the events."""
        if self._expected is not None and self._reached < len(self._texts):
            self._give_up()
        elif self._expected is not None:
            self.rows = array("H", self._rows)
        return self._expected

    def _give_up(self) -> None:
        self._expected = None
        super().add(self._rows[: self._reached], self._texts[: self._reached])


def _is_in_order(divided: Divided) -> bool:
    """Tell whether these are the texts of some column as ``text_build`` divides it.

    Each row has one text, so that the frequent texts, in the order in which they come first, are in the order
    of their first rows.
    """
    frequent, bitmaps, rare, counts, rows = divided
    # Within a text rows ascend: only where one ends the next may be lower.
    lower = compress(count(1), map(ge, rows, rows[1:]))
    return (
        len(counts) == len(rare)
        and sum(counts) == len(rows)
        and all(len(bitmap) >= text_build.FREQUENT_TEXT for bitmap in bitmaps)
        and all(first.min() < second.min() for first, second in pairwise(bitmaps))
        and set(counts).issubset(range(1, text_build.FREQUENT_TEXT))
        and all(map(lt, rare, rare[1:]))
        and len(set(frequent)) == len(frequent)
        and set(frequent).isdisjoint(rare)
        and set(lower).issubset(accumulate(counts))
    )
