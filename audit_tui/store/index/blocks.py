"""Times and seqs in blocks: as narrow as they fit, and read without unpacking a whole block."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from itertools import accumulate, pairwise
from math import gcd
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.errors import StoreDamaged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BLOCK_EVENTS = 4_096
"""Events of a block: 16 KB of times, read in 30 µs."""
GROUP_EVENTS = 64
"""One in this many events has its time in full, so that any is reached by at most as many additions."""
_CODES = {array(code).itemsize: code for code in "BHIQ"}
"""The type code of an array by the bytes that a number takes: 1, 2, 4, 8."""
_HEAD_BYTES = 16


def damaged(why: str) -> StoreDamaged:
    """Return the error for an index that cannot be right."""
    return StoreDamaged(f"The index of the store {why}.", "Rebuild it: audit-tui reindex")


def pack(code: str, numbers: Iterable[int]) -> bytes:
    """Return numbers as little-endian bytes."""
    packed = array(code, numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack(code: str, data: bytes) -> array[int]:
    """Return what ``pack`` was given.

    Raises:
        StoreDamaged: If the bytes are not whole numbers of this width.
    """
    numbers: array[int] = array(code)
    try:
        numbers.frombytes(data)
    except ValueError as error:
        raise damaged("holds half a number") from error
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def pack_times(times: Sequence[int]) -> bytes:
    """Return ascending times as the steps between them, in the largest unit that divides all of these."""
    steps = [0, *(later - earlier for earlier, later in pairwise(times))]
    # What begins a group is told by itself.
    steps[::GROUP_EVENTS] = [0] * -(-len(steps) // GROUP_EVENTS)
    unit_us = gcd(*steps) or 1
    width = next(width for width in _CODES if max(steps) // unit_us < 1 << 8 * width)
    groups = pack("q", times[::GROUP_EVENTS])
    return pack("Q", (unit_us, width)) + groups + pack(_CODES[width], [step // unit_us for step in steps])


class TimeBlock:
    """The times of a block.

    Args:
        data: What ``pack_times`` made.
        events: How many there are.

    Raises:
        StoreDamaged: If it is something else.
    """

    def __init__(self, data: object, events: int) -> None:
        groups_end = _HEAD_BYTES + 8 * -(-events // GROUP_EVENTS)
        if not isinstance(data, bytes) or len(data) < groups_end:
            raise damaged("lacks times")
        self._unit_us, width = unpack("Q", data[:_HEAD_BYTES])
        if width not in _CODES or len(data) != groups_end + events * width:
            raise damaged("has other times than it says")
        self._groups = unpack("q", data[_HEAD_BYTES:groups_end])
        self._steps = unpack(_CODES[width], data[groups_end:])
        self.size_bytes = len(data)

    def at(self, place: int) -> int:
        """Return one time."""
        group = place // GROUP_EVENTS
        return self._groups[group] + self._unit_us * sum(self._steps[group * GROUP_EVENTS + 1 : place + 1])

    def between(self, start: int, stop: int) -> list[int]:
        """Return the times from a place to another."""
        times: list[int] = []
        while start < stop:
            end = min(stop, start - start % GROUP_EVENTS + GROUP_EVENTS)
            steps = map(self._unit_us.__mul__, self._steps[start + 1 : end])
            times += accumulate(steps, initial=self.at(start))
            start = end
        return times

    def count_before(self, time_us: int) -> int:
        """Return how many of the times are earlier."""
        group = bisect_left(self._groups, time_us) - 1
        if group < 0:
            return 0
        place, reached = group * GROUP_EVENTS + 1, self._groups[group]
        for step in self._steps[place : place + GROUP_EVENTS - 1]:
            reached += self._unit_us * step
            if reached >= time_us:
                return place
            place += 1
        return place


_RUNS, _PLAIN = b"R", b"P"


def pack_seqs(seqs: Sequence[int]) -> bytes:
    """Return the seqs of a block, from its lowest one on: as runs where these are fewer."""
    lowest = min(seqs)
    runs: list[int] = []
    following = -1
    for place, seq in enumerate(seqs):
        if seq != following:
            runs += (place, seq - lowest)
        following = seq + 1
    if len(runs) < len(seqs):
        return _RUNS + pack("I", runs)
    return _PLAIN + pack("I", [seq - lowest for seq in seqs])


def unpack_seqs(data: object, lowest: int, events: int) -> Sequence[int]:
    """Return what ``pack_seqs`` was given; a single run as a ``range``.

    Raises:
        StoreDamaged: If it is something else.
    """
    if not isinstance(data, bytes):
        raise damaged("lacks seqs")
    numbers = unpack("I", data[1:])
    if data[:1] == _PLAIN and len(numbers) == events:
        return array("q", [lowest + number for number in numbers])
    places, begins = numbers[::2].tolist(), numbers[1::2].tolist()
    if data[:1] != _RUNS or len(places) != len(begins) or places[:1] != [0]:
        raise damaged("has other seqs than it says")
    runs = [
        range(lowest + begin, lowest + begin + stop - place)
        for place, begin, stop in zip(places, begins, [*places[1:], events], strict=True)
    ]
    if len(runs) == 1:
        return runs[0]
    seqs: array[int] = array("q")
    for run in runs:
        seqs.extend(run)
    if len(seqs) != events:
        raise damaged("has other seqs than it says")
    return seqs


class Fences(NamedTuple):
    """Facts of each block of a segment that need no reading of it."""

    starts: array[int]
    """The place of the first event of each block."""
    times: array[int]
    """Its time."""
    lowest: array[int]
    """The lowest seq in each block."""
    highest: array[int]
    """The highest seq in each block."""

    @classmethod
    def empty(cls) -> Fences:
        """Return those of no blocks."""
        return cls(array("q"), array("q"), array("q"), array("q"))

    def pack(self) -> bytes:
        """Return them as they are stored."""
        return b"".join(pack("q", numbers) for numbers in self)

    @classmethod
    def unpack(cls, data: object) -> Fences:
        """Return what ``pack`` made.

        Raises:
            StoreDamaged: If it is something else.
        """
        if not isinstance(data, bytes) or not data or len(data) % 32:
            raise damaged("has no fences of its blocks")
        numbers = unpack("q", data)
        blocks = len(numbers) // 4
        fences = cls(*(numbers[first : first + blocks] for first in range(0, len(numbers), blocks)))
        if fences.starts[0] or any(low >= high for low, high in pairwise(fences.starts)):
            raise damaged("has blocks that overlap")
        return fences


def pack_counts(values: Sequence[int], events: Sequence[int], texts: Sequence[str] | None) -> bytes:
    """Return the ascending values of a field, with how many events have each, and what they say.

    Args:
        values: Their numbers.
        events: How many events have each.
        texts: The texts of the values from 1 on, sorted; None where they are told elsewhere.
    """
    head = pack("I", (len(values), *values, *events))
    if texts is None:
        return head
    packed = [text.encode() for text in texts]
    return head + pack("I", [len(text) for text in packed]) + b"".join(packed)


class Counts(NamedTuple):
    """The values of a field in a segment."""

    events: dict[int, int]
    """The number of events with each value."""
    texts: list[str] | None
    """The texts of the values from 1 on, sorted; None where they are told elsewhere."""

    @classmethod
    def unpack(cls, data: object, *, has_texts: bool) -> Counts:
        """Return what ``pack_counts`` was given.

        Raises:
            StoreDamaged: If it is something else.
        """
        if not isinstance(data, bytes) or len(data) < 4:
            raise damaged("lacks values")
        (values,) = unpack("I", data[:4])
        end = 4 + 8 * values
        numbers = unpack("I", data[4:end])
        if len(numbers) != 2 * values:
            raise damaged("has other values than it says")
        events = dict(zip(numbers[:values], numbers[values:], strict=True))
        if not has_texts:
            return cls(events, None)
        texts = values - (1 if 0 in events else 0)
        lengths = unpack("I", data[end : end + 4 * texts])
        place = end + 4 * texts
        decoded = []
        for length in lengths:
            decoded.append(data[place : place + length].decode("utf-8", "backslashreplace"))
            place += length
        if place != len(data) or len(decoded) != texts:
            raise damaged("has other texts than it says")
        return cls(events, decoded)
