"""Comparing the texts that a stretch of the text index has, by field and row, with those of the events."""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from itertools import chain, compress, repeat
from operator import itemgetter, ne, not_, setitem
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from audit_tui.store.evidence.metadata_shapes import Shape, as_written, shape_of
from audit_tui.store.index.text_build import bitmap_of, divided_texts
from audit_tui.store.index.text_fields import MAX_TEXT_BYTES, PLAIN_FIELDS, Batch, Column
from audit_tui.store.tables.rows import stored_text
from audit_tui.store.tables.text_layout import BLOCK_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from audit_tui.store.index.text_fields import Divided

    _Texts = list[str | None] | dict[int, str | None]
    """By row."""

ROWS = """
SELECT seq, event_id, description, target, source_ip, metadata
FROM events NOT INDEXED WHERE seq BETWEEN ? AND ? ORDER BY seq
"""
BATCH_EVENTS = 4_096
BATCH_LETTERS = 8 * 1024 * 1024
"""Events are not compared together once they have this much text."""
_MAX_SHAPES = 16
"""No more shapes are tried for events of one name."""
_DENSE = BLOCK_EVENTS // 8
"""With more rows than this a list takes less memory than a dictionary."""


class RowTexts:
    """Compares the texts of rows with those that a stretch has, until both differ.

    Args:
        columns: The texts of the stretch, by the fields that they stand in.
        base: The seq that has row 0.
    """

    def __init__(self, columns: Mapping[tuple[str, ...], Divided], base: int) -> None:
        self._base = base
        parts: defaultdict[str, list[Divided]] = defaultdict(list)
        for names, divided in columns.items():
            for name in names:
                parts[name].append(divided)
        self._fields = {name: _Field(divided) for name, divided in parts.items()}
        self._shapes: defaultdict[int, list[Shape | None]] = defaultdict(list)
        self._is_ascii = all(map(str.isascii, chain(*columns, *map(_every_text, columns.values()))))
        self._text_bytes = 0
        self.every = BitMap()
        """The rows that were compared."""

    def have(self, rows: Sequence[Sequence[Any]], letters: int) -> bool:
        """Tell whether events have the texts of the stretch, and no others.

        Args:
            rows: As ``ROWS`` gives them.
            letters: The length of their descriptions, targets and metadata.
        """
        seqs, names, *plain, stored = zip(*rows, strict=True)
        if not self._is_ascii:
            letters = sum(len(text.encode()) for text in chain(*plain[:2], stored) if text is not None)
        self._text_bytes += letters
        if self._text_bytes > MAX_TEXT_BYTES:
            return False
        numbers = [seq - self._base for seq in seqs]
        self.every.update(numbers)
        many = range(numbers[0], numbers[-1] + 1)
        for field, texts in zip(PLAIN_FIELDS, plain, strict=True):
            if not self._have_plain(field, many if len(many) == len(numbers) else numbers, texts):
                return False
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, (name, metadata) in enumerate(zip(names, stored, strict=True)):
            if metadata is not None:
                places[name].append(place)
        others: list[int] = []
        for name, some in places.items():
            others += self._of_no_shape(name, some, numbers, stored)
        return self._have_decoded(_chosen(others, numbers), _chosen(others, stored))

    @property
    def are_all(self) -> bool:
        """Tell whether the stretch has no texts but those of the rows that were compared."""
        return all(field.is_complete for field in self._fields.values())

    def _have_plain(self, name: str, rows: Sequence[int], texts: Sequence[Any]) -> bool:
        field = self._fields.get(name)
        if field is None:
            return texts.count(None) == len(texts)
        field.compared += len(texts) - texts.count(None)
        return field.texts_of(rows) == list(texts)

    def _of_no_shape(
        self, name: int, places: Sequence[int], rows: Sequence[int], stored: Sequence[str]
    ) -> Sequence[int]:
        """Compare the metadata of events of a name; return the places of those of which nothing is proved."""
        shapes = self._shapes[name]
        for tried in range(_MAX_SHAPES):
            if not places:
                break
            if tried == len(shapes):
                shapes.append(shape_of(stored[places[0]]))
            if (shape := shapes[tried]) is not None:
                places = self._differing(shape, places, rows, stored)
        return places

    def _differing(
        self, shape: Shape, places: Sequence[int], rows: Sequence[int], stored: Sequence[str]
    ) -> Sequence[int]:
        """Return those of some places where the texts, in this shape, are not what is stored."""
        some_rows, actual = _chosen(places, rows), _chosen(places, stored)
        columns: list[Sequence[str | None]] = []
        for name, is_quoted in shape.places:
            field = self._fields.get(name)
            by_row = None if field is None else field.as_written(is_quoted=is_quoted)
            if by_row is None:
                return places
            if isinstance(by_row, list):
                columns.append(_chosen(some_rows, by_row))
            else:
                columns.append(list(map(by_row.get, some_rows)))
        first, *around = (repeat(text, len(places)) for text in shape.around)
        parts = zip(first, *chain.from_iterable(zip(columns, around, strict=True)), strict=True)
        try:
            expected = tuple(map("".join, parts))
        except TypeError:
            have_all = [None not in texts for texts in zip(*columns, strict=True)]
            lacking = list(compress(places, map(not_, have_all)))
            return [*lacking, *self._differing(shape, list(compress(places, have_all)), rows, stored)]
        rest = () if expected == actual else list(compress(places, map(ne, expected, actual)))
        for name, _ in shape.places:
            self._fields[name].compared += len(places) - len(rest)
        return rest

    def _have_decoded(self, rows: Sequence[int], stored: Sequence[Any]) -> bool:
        if not rows:
            return True
        batch = Batch()
        batch.decode(array("H", rows), list(map(str, stored)))
        return all(
            name in self._fields and self._fields[name].has(some_rows, list(map(stored_text, texts)))
            for name, (some_rows, texts) in batch.columns.items()
        )


class _Field:
    """The texts of a field in a stretch, by row.

    Args:
        parts: Its columns.
    """

    def __init__(self, parts: Sequence[Divided]) -> None:
        self._parts = parts
        self._columns: dict[bool, _Texts | None] = {}
        self.compared = 0
        """The number of texts that rows have too."""
        self._texts = sum(sum(map(len, part.bitmaps)) + len(part.rows) for part in parts)
        self._several = Column()
        by_row: _Texts = [None] * BLOCK_EVENTS if self._texts > _DENSE else {}
        for part in parts:
            rows = [bitmap.to_array() for bitmap in part.bitmaps]
            texts = map(repeat, [*part.frequent, *part.rare], [*map(len, rows), *part.counts])
            places: repeat[Any] = repeat(by_row)
            # The method of a list takes half as long again.
            deque(map(setitem, places, chain(*rows, part.rows), chain.from_iterable(texts)), maxlen=0)
        empty = by_row.count(None) if isinstance(by_row, list) else 0
        self._by_row = by_row if len(by_row) - empty == self._texts else None
        """None where rows have several."""

    def as_written(self, *, is_quoted: bool) -> _Texts | None:
        """Return the texts as they stand in metadata; None where rows have several."""
        if is_quoted not in self._columns:
            texts = chain.from_iterable(map(_every_text, self._parts))
            written = {} if self._by_row is None else as_written(texts, is_quoted=is_quoted)
            if not written:
                self._columns[is_quoted] = self._by_row
            elif isinstance(self._by_row, list):
                self._columns[is_quoted] = list(map(written.get, self._by_row, self._by_row))
            elif self._by_row is not None:
                texts_of = self._by_row.items()
                self._columns[is_quoted] = {row: written.get(text, text) for row, text in texts_of}
        return self._columns[is_quoted]

    def texts_of(self, rows: Sequence[int]) -> Sequence[str | None] | None:
        """Return the text of each row, or None; None where rows have several."""
        if not isinstance(self._by_row, list):
            return None if self._by_row is None else list(map(self._by_row.get, rows))
        if isinstance(rows, range):
            return self._by_row[rows.start : rows.stop]
        return list(map(self._by_row.__getitem__, rows))

    def has(self, rows: array[int], texts: Sequence[str]) -> bool:
        """Tell whether these rows have these texts; of several in a row, ``is_complete`` tells."""
        if self._by_row is None:
            self._several.add(rows, texts)
            return True
        self.compared += len(set(rows))
        return self.texts_of(rows) == list(texts)

    @property
    def is_complete(self) -> bool:
        """Tell whether each text was compared with that of a row."""
        if self._by_row is not None:
            return self.compared == self._texts
        return _bitmaps([divided_texts(self._several)]) == _bitmaps(self._parts)


def _bitmaps(parts: Sequence[Divided]) -> dict[str, BitMap]:
    """Return the rows of each text."""
    bitmaps: defaultdict[str, BitMap] = defaultdict(BitMap)
    for part in parts:
        for text, rows in zip(part.frequent, part.bitmaps, strict=True):
            bitmaps[text] |= rows
        begin = 0
        for text, count in zip(part.rare, part.counts, strict=True):
            bitmaps[text] |= bitmap_of(part.rows[begin : begin + count])
            begin += count
    return bitmaps


def _every_text(divided: Divided) -> Iterator[str]:
    return chain(divided.frequent, divided.rare)


def _chosen(places: Sequence[int], values: Sequence[Any]) -> tuple[Any, ...]:
    return itemgetter(*places)(values) if len(places) > 1 else tuple(values[place] for place in places)
