"""All texts of a stored stretch of the text index, with the rows that have them."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from itertools import accumulate, groupby, pairwise, repeat
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from audit_tui.errors import StoreDamaged
from audit_tui.store.index.text_build import CHUNK_BYTES
from audit_tui.store.index.text_fields import MAX_TEXT_BYTES, Divided
from audit_tui.store.tables.text_layout import SEPARATOR, GroupPart, Part, damaged, inflated, read_numbers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


class StoredParts(Mapping[int, Any]):
    """The parts of a stretch by number, as they are stored; each read when it is asked for, the last kept.

    Args:
        connection: The store.
        begin: The place of the first part.
        end: The place of the last one.
    """

    def __init__(self, connection: sqlite3.Connection, begin: int, end: int) -> None:
        places = "SELECT place FROM text_stretch_parts WHERE place BETWEEN ? AND ?"
        self._connection, self._begin = connection, begin
        self._numbers = {place - begin for (place,) in connection.execute(places, (begin, end))}
        self._last: tuple[int, Any] | None = None

    def __getitem__(self, number: int) -> Any:  # noqa: ANN401 - as it lies in the file
        if self._last is None or self._last[0] != number:
            if number not in self._numbers:
                raise KeyError(number)
            self._last = None
            (data,) = self._connection.execute(
                "SELECT data FROM text_stretch_parts WHERE place = ?", (self._begin + number,)
            ).fetchone()
            self._last = number, data
        return self._last[1]

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class StoredTexts:
    """The parts of a stretch, each unpacked once.

    Args:
        parts: As they are stored, by number; a damaged file may hold anything.
    """

    def __init__(self, parts: Mapping[int, Any]) -> None:
        self.parts = parts
        self._unpacked: dict[int, bytes] = {}
        self._left_bytes = MAX_TEXT_BYTES
        self.told_apart: set[tuple[str, ...]] | None = None
        """The fields whose pieces are told apart: which changes no answer; None until the texts are read."""

    def columns(self) -> dict[tuple[str, ...], Divided]:
        """Return all texts with their rows, by the fields that they stand in.

        Raises:
            StoreDamaged, ValueError, LookupError, TypeError, OverflowError, RecursionError: If the parts do
                not hold what they should.
        """
        head, folded, _, text_fields, _, places, lengths = self._frames(Part.DICTIONARY)
        (case,) = self._frames(Part.DICTIONARY_CASE)
        names, sets, groups = json.loads(head)
        self.told_apart = {
            tuple(names[field] for field in sets[fields]) for fields, _, told in groups if told
        }
        columns = [Divided([], [], [], [], array("H")) for _ in sets]
        fields_of = read_numbers("H", text_fields)
        bitmaps = map(self._bitmap, read_numbers("I", places), read_numbers("I", lengths))
        for text, fields, bitmap in zip(
            _texts(folded, case, len(fields_of)), fields_of, bitmaps, strict=False
        ):
            columns[fields].frequent.append(text)
            columns[fields].bitmaps.append(bitmap)
        for number, (fields, many, _) in enumerate(groups):
            for some_texts, counts, rows, of_column in self._runs(Part.GROUPS + 16 * number, fields, many):
                columns[of_column].rare.extend(some_texts)
                columns[of_column].counts.extend(counts)
                columns[of_column].rows.extend(rows)
        return {
            tuple(names[field] for field in fields): column
            for fields, column in zip(sets, columns, strict=True)
        }

    def is_same(self, part: int, whole: bytes) -> bool:
        """Tell whether a part holds this: another version of zlib may have compressed it otherwise."""
        try:
            return (self._unpacked.pop(part, None) or inflated(self.parts[part])) == whole
        except StoreDamaged:
            return False

    def _runs(
        self, first: int, fields: int, many: int
    ) -> Iterator[tuple[list[str], list[int], array[int], int]]:
        """Yield the texts of a group that follow each other in a column, with their counts and rows."""
        (folded,), (case,) = self._frames(first + GroupPart.TEXTS), self._frames(first + GroupPart.CASE)
        stored_counts, stored_rows, stored_fields = self._frames(first + GroupPart.ROWS)
        texts, rows = _texts(folded, case, many), read_numbers("H", stored_rows)
        counts = list(read_numbers("I", stored_counts)) or [1] * many
        ends = list(accumulate(counts, initial=0))
        place = 0
        for column, run in groupby(read_numbers("H", stored_fields) or repeat(fields, many)):
            end = place + len(list(run))
            yield texts[place:end], counts[place:end], rows[ends[place] : ends[end]], column
            place = end

    def _bitmap(self, place: int, length: int) -> BitMap:
        chunk, begin = divmod(place, 2 * CHUNK_BYTES)
        bitmap = BitMap.deserialize(self.parts[Part.BITMAPS + chunk][begin : begin + length])
        # Not as it is stored: the same rows can be stored in several ways.
        return BitMap(bitmap.to_array())

    def _frames(self, part: int) -> list[bytes]:
        """Return the frames of a part; all parts together are not larger than the texts of a stretch."""
        whole = self._unpacked[part] = inflated(self.parts.get(part), self._left_bytes)
        self._left_bytes -= len(whole)
        begin = 4 + int.from_bytes(whole[:4], "little")
        ends = accumulate(json.loads(whole[4:begin]), initial=begin)
        return [whole[start:end] for start, end in pairwise(ends)]


def _texts(folded: bytes, case: bytes, many: int) -> list[str]:
    """Return texts as they were before they were folded.

    Raises:
        StoreDamaged: If there are fewer.
    """
    if not many:
        return []
    if case and case[:1] != SEPARATOR:
        difference = int.from_bytes(case, "little") ^ int.from_bytes(folded, "little")
        case = difference.to_bytes(max(len(case), len(folded)), "little")
    texts = (case or folded)[1:-1].replace(SEPARATOR, b"\0").decode().split("\0")
    if len(texts) != many:
        raise damaged("has other texts than it tells")
    return texts
