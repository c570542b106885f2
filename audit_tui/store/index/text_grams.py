"""Runs of a few bytes, by which a group of texts tells that it cannot contain something.

For all positions of a text at once: numbers as long as the text are multiplied and masked, which takes 20 ns
a byte where a loop would take 100.
"""

from __future__ import annotations

import re
import sys
from array import array
from typing import TYPE_CHECKING

from pyroaring import BitMap

if TYPE_CHECKING:
    from collections.abc import Callable

_FACTOR = 2_654_435_769
FOUR_BITS = 18
"""A hash of four bytes has this many bits: 32 kB where half of them occur."""
EIGHT_BITS = 20
"""A hash of eight bytes has this many bits; a quarter of the values count."""
SAMPLED_EIGHTS = 1 << EIGHT_BITS - 2
CHUNK_BYTES = 2 * 1024 * 1024
"""Of a long text so much is hashed at once: that takes eight times as much memory."""
LETTERS = b"0123456789abcdefghijklmnopqrstuvwxyz" + bytes(range(0x80, 0xFE))
"""Bytes of letters and digits in folded texts."""
PIECE = re.compile(rb"[0-9a-z\x80-\xfd]*[^0-9a-z\x80-\xfd]|[0-9a-z\x80-\xfd]+")
"""A piece of a text: letters and digits up to something else, and that."""


def pairs_of_bytes(data: bytes) -> BitMap:
    """Return all pairs of neighbours: the first byte, plus 256 times the second."""
    return _of_chunks(data, 2, _pairs_of_bytes)


def fours(data: bytes) -> BitMap:
    """Return the hashes of all runs of four bytes."""
    return _of_chunks(data, 4, _fours)


def eights(data: bytes) -> BitMap:
    """Return the hashes of a quarter of all runs of eight bytes, chosen by what they are."""
    return _of_chunks(data, 8, _eights)


def _of_chunks(data: bytes, run_bytes: int, values_of: Callable[[bytes], BitMap]) -> BitMap:
    """Return the values of all runs in data, which are made of a chunk at a time."""
    if len(data) <= CHUNK_BYTES:
        return values_of(data)
    ends = range(CHUNK_BYTES, len(data) + CHUNK_BYTES, CHUNK_BYTES)
    return BitMap.union(*(values_of(data[end - CHUNK_BYTES : end + run_bytes - 1]) for end in ends))


def _pairs_of_bytes(data: bytes) -> BitMap:
    whole, lanes = int.from_bytes(data, "little"), (len(data) + 2) // 4
    mask = _repeated(0xFFFF, 4, lanes)
    return _values(len(data) - 1, lanes, lambda begin: whole >> 8 * begin & mask)


def _fours(data: bytes) -> BitMap:
    return _hashes(int.from_bytes(data, "little"), len(data) - 3, FOUR_BITS)


def _eights(data: bytes) -> BitMap:
    whole = int.from_bytes(data, "little")
    hashes = _hashes(whole ^ whole >> 27, len(data) - 7, EIGHT_BITS)
    hashes.remove_range(SAMPLED_EIGHTS, 1 << EIGHT_BITS)
    return hashes


def _hashes(whole: int, windows: int, bits: int) -> BitMap:
    """Return hashes of the four bytes from each byte on.

    Args:
        whole: All the bytes as one number.
        windows: From how many bytes.
        bits: Of a hash.
    """
    lanes = max(0, windows + 3) // 4
    lower = _repeated(0xFFFFFFFF, 8, (lanes + 1) // 2)
    mask = _repeated((1 << bits) - 1, 8, (lanes + 1) // 2)

    def hashed(begin: int) -> int:
        # The product of four bytes fills eight, so every second four are multiplied at once.
        shifted = whole >> 8 * begin
        even = (shifted & lower) * _FACTOR >> 32 - bits // 2 & mask
        odd = (shifted >> 32 & lower) * _FACTOR >> 32 - bits // 2 & mask
        return even | odd << 32

    return _values(windows, lanes + 1, hashed)


def _values(windows: int, lanes: int, lanes_from: Callable[[int], int]) -> BitMap:
    """Return numbers of four bytes each, which lie side by side in large ones.

    Args:
        windows: How many there are.
        lanes: How many fit into one of the large ones, at most.
        lanes_from: Returns the first, fifth, ninth ... for 0, the second, sixth ... for 1, and so on.
    """
    # One after the other, as ever: the form in which a bitmap is stored depends on how it was put together,
    # and verify compares bytes. Made at once, one of 152 stretches of 10,000,000 events differs.
    values = BitMap()
    for begin in range(min(4, windows)):
        numbers = array(
            "I", lanes_from(begin).to_bytes(4 * lanes, "little")[: (windows - begin + 3) // 4 * 4]
        )
        if sys.byteorder == "big":
            numbers.byteswap()
        values |= BitMap(numbers)
    return values


def _repeated(value: int, width_bytes: int, times: int) -> int:
    return int.from_bytes(value.to_bytes(width_bytes, "little") * times, "little")


def pieces_of(text: bytes) -> list[bytes]:
    """Return the pieces of a folded text."""
    return PIECE.findall(text)


def crossing(left: bytes, right: bytes) -> bytes:
    """Return the bytes around the edge of two pieces: each run of four in them lies in both."""
    return left[-3:] + right[:3]
