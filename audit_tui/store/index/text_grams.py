"""The text that is looked for, and runs of bytes by which a group of texts tells that it cannot have it.

For all positions of a text at once: numbers as long as the text are multiplied and masked, which takes 20 ns
a byte where a loop would take 100.
"""

from __future__ import annotations

import re
import sys
from array import array
from itertools import accumulate, compress, pairwise, repeat
from operator import add, not_
from typing import TYPE_CHECKING

from pyroaring import BitMap

from audit_tui.core.filter.operators import IS
from audit_tui.store.tables.rows import stored_text
from audit_tui.store.tables.text_layout import SEPARATOR, damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from audit_tui.core.filter.filters import Condition

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
_MANY_HITS = 64
"""With a hit in this many bytes, all but the hits is taken away: 1 ns a byte; a hit by itself takes 100."""
_HIT = b"\xfe"
"""UTF-8 never has it."""
_NO_HITS = bytes(set(range(256)) - {*_HIT, *SEPARATOR})
_FEW_PIECES = 16
"""Up to one text in this many is looked up for itself, in 1 us; to part all of them takes 60 ns each."""
SHORT_BYTES = 4
"""Of a needle with fewer bytes there are no runs of four."""
PIECE = re.compile(rb"[0-9a-z\x80-\xfd]*[^0-9a-z\x80-\xfd]|[0-9a-z\x80-\xfd]+")
"""A piece of a text: letters and digits up to something else, and that."""


class Needle:
    """The text that a condition looks for: prepared once, asked in every stretch."""

    def __init__(self, condition: Condition) -> None:
        operator, text = condition.operator, stored_text(condition.value or "")
        self.condition = condition
        parts = operator.parts(text)
        place = max(range(len(parts)), key=lambda place: len(parts[place]))
        begin = b"" if place else SEPARATOR
        end = SEPARATOR if place == len(parts) - 1 else b""
        is_pattern, is_empty = operator.is_by_parts, not any(parts) and len(parts) > 1
        self.folded = parts[place].casefold().encode()
        """The longest part of the text, without regard to case."""
        self.searched = b"" if is_empty else begin + self.folded + end
        """The same with the edges of the texts that must have it there."""
        self.is_part = is_pattern and len(parts) == 3 and not parts[0] and not parts[2]
        """It may stand anywhere in a text, and no more is wanted."""
        self.is_any = is_pattern and is_empty and not text.strip("*")
        """Every text has it."""
        is_certain = is_pattern and sum(map(bool, parts)) <= 1 and not is_empty
        # What has no letters is folded from nothing else.
        is_certain |= operator is IS and self.folded.isascii() and self.folded.upper() == self.folded
        self.test = None if is_certain else operator.meaning(text)
        """The test of a text that has it; None where no more is wanted."""
        self.pieces = pieces_of(self.folded)
        self.is_word = not self.folded.translate(None, LETTERS)
        """It has only letters and digits: then it lies in one piece."""
        self.pairs_of_bytes = pairs_of_bytes(self.folded)
        self.fours = fours(self.folded)
        self.eights = eights(self.folded)
        self.edges = [
            (left + right, fours(crossing(left, right)))
            for left, right in zip(self.pieces, self.pieces[1:], strict=False)
        ]
        """Of each two pieces that meet, both, and the runs of four bytes that lie in both."""
        self.parts = [*self.edges, *((piece, fours(piece)) for piece in self.pieces)]
        """The same, and each piece with its runs: what is not frequent in a group has them there."""


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
    numbers = array("I")
    for begin in range(min(4, windows)):
        some = array("I", lanes_from(begin).to_bytes(4 * lanes, "little")[: (windows - begin + 3) // 4 * 4])
        if sys.byteorder == "big":
            some.byteswap()
        numbers += some
    values = BitMap(numbers)
    if not _has_two_forms(values):
        return values
    # Made at once they take half the time. But those of older programs were put together from four bitmaps,
    # which tells where both forms are as long, and verify compares bytes.
    values = BitMap()
    for begin, end in pairwise(accumulate([(windows - begin + 3) // 4 for begin in range(4)], initial=0)):
        values |= BitMap(numbers[begin:end])
    return values


def _has_two_forms(values: BitMap) -> bool:
    """Tell whether runs of some 65,536 values are as long as a list of them: 2 + 4 bytes a run, 2 a value."""
    followers = values & values.shift(1)
    for first in range(0, values.max() + 1 if values else 0, 1 << 16):
        last = first + (1 << 16)
        # All but the first value of each run follow another.
        if values.range_cardinality(first, last) == 2 * followers.range_cardinality(first + 1, last) - 1:
            return True
    return False


def _repeated(value: int, width_bytes: int, times: int) -> int:
    return int.from_bytes(value.to_bytes(width_bytes, "little") * times, "little")


def pieces_of(text: bytes) -> list[bytes]:
    """Return the pieces of a folded text."""
    return PIECE.findall(text)


def crossing(left: bytes, right: bytes) -> bytes:
    """Return the bytes around the edge of two pieces: each run of four in them lies in both."""
    return left[-3:] + right[:3]


def texts_with(texts: bytes, needle: bytes, count: int) -> list[int]:
    """Return the numbers of the texts that contain a needle.

    Args:
        texts: Between separators, one before the first and one behind the last.
        needle: May have a separator at either end: the text begins with it, or ends.
        count: How many texts there are.

    Raises:
        StoreDamaged: If there are fewer.
    """
    if not count:
        return []
    begins, ends, text = needle[:1] == SEPARATOR, needle[-1:] == SEPARATOR, needle.strip(SEPARATOR)
    if not text:
        several = texts[1:-1].split(SEPARATOR)
        return _numbers(map(not_, several) if begins else repeat(True), several, count)
    # Two texts share the separator between them.
    is_whole = begins and ends
    between = texts.split(needle[:-1] if is_whole else needle)
    if len(between) == 1:
        return []
    if len(between) * _MANY_HITS > len(texts) and not begins and not ends:
        hits = _HIT.join(between).translate(None, _NO_HITS)[1:-1].split(SEPARATOR)
        return _numbers(hits, hits, count)
    # Each separator before a hit begins a text; with those that belong to needles.
    before: Iterable[int] = accumulate(map(bytes.count, between[:-1], repeat(SEPARATOR)))
    if begins or ends:
        places = list(map(add, before, range(not begins and -1, len(between))))
        if is_whole:
            # Nothing lies between a whole text and a next one that begins like it.
            places = [
                place
                for place, after in zip(places, between[1:], strict=True)
                if not after or after.startswith(SEPARATOR)
            ]
    else:
        places = [place - 1 for place in dict.fromkeys(before)]
    if places and not 0 <= places[0] <= places[-1] < count:
        raise damaged("has other texts than it tells")
    return places


def _numbers(chosen: Iterable[object], texts: Sequence[bytes], count: int) -> list[int]:
    """Return the numbers of the chosen texts among all, if there are as many as there should be."""
    if len(texts) != count:
        raise damaged("has other texts than it tells")
    return list(compress(range(count), chosen))


def pieces_with(texts: bytes, needle: bytes, places: list[int], count: int) -> Iterator[int]:
    """Yield the numbers of those texts with a needle that are one piece.

    Args:
        texts: All of them, between separators.
        needle: What some have.
        places: All that have it.
        count: How many texts there are.
    """
    if len(places) * _FEW_PIECES > count:
        several = texts[1:-1].split(SEPARATOR)
        yield from compress(places, map(PIECE.fullmatch, map(several.__getitem__, places)))
        return
    end = 0
    for place in places:
        hit = texts.index(needle, end)
        end = texts.index(SEPARATOR, hit)
        if PIECE.fullmatch(texts, texts.rindex(SEPARATOR, 0, hit) + 1, end):
            yield place
