"""The parts of a stretch of the text index, read when asked for, or many at once."""

from __future__ import annotations

import zlib
from array import array
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Protocol

from pyroaring import BitMap

from audit_tui.store.index.text_build import doubled
from audit_tui.store.tables.text_layout import BLOCK_EVENTS, MAX_UNPACKED_BYTES, damaged, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_MOST_PARTS = 256
"""This many parts are read at once."""
_HEAD_BYTES = 128
"""The lengths of frames take less."""
_MANY_ROWS = 512
"""From this many on, rows in no order are put into bitmaps that have a bit for each."""
_EVEN, _ODD = BitMap(range(0, BLOCK_EVENTS, 2)), BitMap(range(1, BLOCK_EVENTS, 2))
_PART = "SELECT data FROM text_stretch_parts WHERE place = ?"


class Snapshot(Protocol):
    """A store as a question may read it, inside one read transaction."""

    @property
    def newest_seq(self) -> int:
        """The number of the event appended last; 0 in an empty store."""
        ...

    @property
    def memory(self) -> dict[object, object]:
        """Values that earlier questions left for later ones; whoever puts something there bounds it."""
        ...

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement over the tables of ``store.tables.schema``.

        Raises:
            QueryCancelled: If the answer is no longer wanted.
        """
        ...

    def check(self) -> None:
        """Raise QueryCancelled if the answer is no longer wanted."""
        ...


class Frames:
    """The frames of a part that is stored compressed, unpacked as far as somebody asks.

    Args:
        data: The part as it is stored.
        count: How many frames it must have.

    Raises:
        StoreDamaged: If it is not such a part; so may every method.
    """

    def __init__(self, data: object, count: int) -> None:
        if not isinstance(data, bytes):
            raise damaged("lacks a part")
        self._unpacker = zlib.decompressobj()
        self._packed, self._count = data, count
        self._unpacked = b""

    def beginning(self, length: int) -> bytes:
        """Return the beginning of the first frame: as many bytes, if it has them."""
        begin, end, *_ = self._edges()
        end = min(begin + length, end)
        self._unpack(end)
        return self._unpacked[begin:end]

    def first(self, count: int) -> list[bytes]:
        """Return the first frames, or all."""
        if count == self._count:
            # All at once: each call lets go of Python, and must get it back from the other thread.
            self._unpack(MAX_UNPACKED_BYTES)
            edges, unpacker = self._edges(), self._unpacker
            if edges[-1] != len(self._unpacked) or not unpacker.eof or unpacker.unused_data:
                raise damaged("has a part that is not whole")
        else:
            edges = self._edges()[: count + 1]
            self._unpack(edges[-1])
        return [self._unpacked[begin:end] for begin, end in pairwise(edges)]

    def _edges(self) -> list[int]:
        """Return where the frames begin, and the last ends."""
        self._unpack(_HEAD_BYTES)
        end = 4 + int.from_bytes(self._unpacked[:4], "little")
        self._unpack(end)
        try:
            lengths = [int(length) for length in self._unpacked[5 : end - 1].split(b",")]
        except ValueError as error:
            raise damaged("has a part without a head") from error
        if len(lengths) != self._count or min(lengths) < 0 or end + sum(lengths) > MAX_UNPACKED_BYTES:
            raise damaged("has a part that is not whole")
        return list(accumulate(lengths, initial=end))

    def _unpack(self, length: int) -> None:
        """Unpack up to this many bytes, if there are."""
        most = min(length, MAX_UNPACKED_BYTES) - len(self._unpacked)
        if most > 0:
            try:
                self._unpacked += self._unpacker.decompress(self._packed, most)
            except zlib.error as error:
                raise damaged("has a part that cannot be unpacked") from error
            self._packed = self._unpacker.unconsumed_tail


class Parts:
    """The parts of a stretch.

    Args:
        rows_of: Returns the rows of a statement.
        first_seq: Where the stretch begins.
    """

    def __init__(
        self, rows_of: Callable[[str, Sequence[object]], list[tuple[Any, ...]]], first_seq: int
    ) -> None:
        self._rows_of = rows_of
        self._first_seq = first_seq
        self._data: dict[int, bytes] = {}
        self._frames: dict[int, Frames] = {}
        self.taken: dict[int, None] = {}
        """The parts that were asked for, in order."""

    def read_ahead(self, parts: Iterable[int]) -> None:
        """Read parts that will be asked for by one statement; ``taken`` of another stretch may tell them."""
        wanted = [part for part in parts if part not in self.taken and part not in self._data][:_MOST_PARTS]
        if not wanted:
            return
        places = [place_of(self._first_seq, part) for part in wanted]
        places += [-1] * (-len(places) % 32)  # so that there are few different statements
        marks = ", ".join("?" * len(places))
        statement = f"SELECT place, data FROM text_stretch_parts WHERE place IN ({marks})"  # noqa: S608 - marks
        first = place_of(self._first_seq, 0)
        self._data |= {place - first: data for place, data in self._rows_of(statement, places)}

    def data(self, part: int) -> bytes | None:
        """Return a part as it is stored; None where there is none."""
        self.taken[part] = None
        data = self._data.pop(part, None)
        if data is None:
            rows = self._rows_of(_PART, (place_of(self._first_seq, part),))
            data = rows[0][0] if rows else None
        return data

    def beginning(self, part: int, length: int) -> bytes:
        """Return the beginning of a part of one frame that is stored compressed."""
        if part not in self._frames:
            self._frames[part] = Frames(self.data(part), 1)
        return self._frames[part].beginning(length)

    def frames(self, part: int, count: int, total: int) -> list[bytes]:
        """Return the first frames of a part that is stored compressed, or more of them.

        Args:
            part: Its number.
            count: How many are wanted.
            total: How many it has; when all are asked for, they are not kept here.

        Raises:
            StoreDamaged: If it is not such a part.
        """
        frames = self._frames.pop(part, None) or Frames(self.data(part), total)
        if count < total:
            self._frames[part] = frames
        return frames.first(count)


def stored_bitmap(data: bytes, end: int = BLOCK_EVENTS) -> BitMap:
    """Return a stored bitmap.

    Args:
        data: As it is stored.
        end: All values are below this.

    Raises:
        StoreDamaged: If it is not a bitmap of such values.
    """
    bitmap = deserialized(data)
    if bitmap and bitmap.max() >= end:
        raise damaged("has a bitmap of other events")
    return bitmap


def deserialized(data: bytes) -> BitMap:
    """Return a stored bitmap, of whatever values."""
    try:
        return BitMap.deserialize(data)
    except ValueError as error:
        raise damaged("has a bitmap that cannot be read") from error


def bitmap_of(rows: array[int]) -> BitMap:
    """Return rows as a bitmap.

    Rows in no order are taken 20 times as fast by a bitmap that has a bit for each event, which it has while
    it holds half of all.
    """
    numbers = doubled(rows, array("H", bytes(2 * len(rows))))
    if len(rows) < _MANY_ROWS:
        return BitMap(numbers)
    with_even, with_odd = _EVEN.copy(), _ODD.copy()
    with_even.update(numbers)
    with_odd.update(numbers)
    return with_even - _EVEN | with_odd - _ODD
