"""The parts of a stretch of the text index, read when asked for, or while the stretch before is searched."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from audit_tui.errors import StoreDamaged
from audit_tui.store.tables.text_layout import frames_of, inflated, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LEAST_BYTES = 16_384
"""A smaller part is unpacked by whoever asks: a thread takes as long to start."""
_MOST_PARTS = 256
"""So many parts are read at once."""


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
        self._unpacking: dict[int, _Unpacking] = {}
        self.taken: dict[int, bool] = {}
        """The parts that were asked for, and which of them were unpacked."""

    def read_ahead(self, parts: dict[int, bool]) -> None:
        """Read parts that will be asked for, and begin to unpack the large ones.

        Args:
            parts: As ``taken`` tells them of another stretch.
        """
        places = [place_of(self._first_seq, part) for part in list(parts)[:_MOST_PARTS]]
        places += [-1] * (-len(places) % 32)  # so that there are few different statements
        marks = ", ".join("?" * len(places))
        statement = f"SELECT place, data FROM text_stretch_parts WHERE place IN ({marks})"  # noqa: S608 - marks
        first = place_of(self._first_seq, 0)
        self._data = {place - first: data for place, data in self._rows_of(statement, places)}
        for part, is_unpacked in parts.items():
            data = self._data.get(part)
            if is_unpacked and isinstance(data, bytes) and len(data) >= _LEAST_BYTES:
                self._unpacking[part] = _Unpacking(data)

    def data(self, part: int) -> bytes | None:
        """Return a part as it is stored; None where there is none."""
        self.taken.setdefault(part, False)
        data = self._data.pop(part, None)
        if data is None:
            rows = self._rows_of(_PART, (place_of(self._first_seq, part),))
            data = rows[0][0] if rows else None
        return data

    def frames(self, part: int) -> list[bytes]:
        """Return the frames of a part that is stored compressed.

        Raises:
            StoreDamaged: If it is not one.
        """
        self.taken[part] = True
        unpacking = self._unpacking.pop(part, None)
        if unpacking is None:
            return frames_of(inflated(self.data(part)))
        self._data.pop(part, None)
        return frames_of(unpacking.result())


_PART = "SELECT data FROM text_stretch_parts WHERE place = ?"


class _Unpacking(threading.Thread):
    """Unpacks a part beside the search: that needs no lock of Python."""

    def __init__(self, data: bytes) -> None:
        super().__init__(name="unpack", daemon=True)
        self._stored = data
        self._whole: bytes | StoreDamaged = b""
        self.start()

    def run(self) -> None:
        """Unpack."""
        try:
            self._whole = inflated(self._stored)
        except StoreDamaged as error:
            self._whole = error

    def result(self) -> bytes:
        """Wait, and return what the part holds.

        Raises:
            StoreDamaged: If it cannot be unpacked.
        """
        self.join()
        if isinstance(self._whole, StoreDamaged):
            raise self._whole
        return self._whole
