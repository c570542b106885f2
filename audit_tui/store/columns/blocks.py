"""The columns of a stretch of events as arrays, each read when it is first asked for."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.store.columns.coverage import Segment, damaged
from audit_tui.store.segment_layout import SegmentColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.store.read.sql import Moment

# Its threads are of no use here, and each holds memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.integer[npt.NBitBase]]
Times: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Load: TypeAlias = "Callable[[SegmentColumn], bytes]"
_WIDTHS = (1, 2, 4, 8)


class Block:
    """Some events in order of (time, seq).

    Args:
        segment: What is known of them.
        load: Reads a column.
    """

    def __init__(self, segment: Segment, load: Load) -> None:
        self.segment = segment
        self._load = load
        self._numbers: dict[SegmentColumn, Numbers] = {}
        self._times: Times | None = None
        self._seqs: Times | None = None

    @property
    def times(self) -> Times:
        """When they happened, in µs, ascending."""
        if self._times is None:
            numbers = self.numbers(SegmentColumn.TIME)
            # With 8 bytes each they are the times themselves.
            absolute = numbers.dtype.itemsize == _WIDTHS[-1]
            first_us = 0 if absolute else self.segment.first_us
            times = numbers.view(np.int64) if absolute else np.cumsum(numbers, dtype=np.int64) + first_us
            if times[0] != self.segment.first_us or times[-1] != self.segment.last_us:
                raise damaged(self.segment.first_seq, self.segment.last_seq)
            self._times = times
        return self._times

    @property
    def seqs(self) -> Times:
        """Their seqs."""
        if self._seqs is None:
            data = self._load(SegmentColumn.SEQ)
            offsets = self._array(data) if data else np.arange(self.segment.events)
            self._seqs = offsets.astype(np.int64) + self.segment.first_seq
        return self._seqs

    def numbers(self, column: SegmentColumn) -> Numbers:
        """The numbers of a column, one an event."""
        found = self._numbers.get(column)
        if found is None:
            data = self._load(column)
            found = self._array(data) if data else np.zeros(self.segment.events, np.uint8)
            self._numbers[column] = found
        return found

    def texts(self) -> list[str]:
        """The texts of ADDRESS, whose numbers begin at 1."""
        try:
            texts = json.loads(self._load(SegmentColumn.ADDRESS_TEXTS))
        except (ValueError, RecursionError):
            texts = None
        if not isinstance(texts, list):
            raise damaged(self.segment.first_seq, self.segment.last_seq)
        return [str(text) for text in texts]

    def place_of(self, moment: Moment, *, is_inside: bool) -> int:
        """How many of these events come before a moment; ``is_inside`` counts the moment itself too."""
        occurred_us, seq = moment
        if occurred_us < self.segment.first_us:
            return 0
        if occurred_us > self.segment.last_us:
            return self.segment.events
        first = int(np.searchsorted(self.times, occurred_us, "left"))
        last = int(np.searchsorted(self.times, occurred_us, "right"))
        if first == last or seq < self.segment.first_seq:
            return first
        if seq > self.segment.last_seq:
            return last
        return first + int(np.searchsorted(self.seqs[first:last], seq, "right" if is_inside else "left"))

    def _array(self, data: bytes) -> Numbers:
        width_bytes, rest = divmod(len(data), self.segment.events)
        if rest or width_bytes not in _WIDTHS:
            raise damaged(self.segment.first_seq, self.segment.last_seq)
        return np.frombuffer(data, dtype=f"<u{width_bytes}")
