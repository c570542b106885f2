"""The text index of one stretch of events, made from their texts.

A text that many events have gets a bitmap of its rows. The others lie in groups, by field. In a group of
sentences the pieces, and pairs of pieces, that are frequent get bitmaps too: an event that has the needle in
one of them is found without its text, and only what is left of the texts must be looked through.
"""

from __future__ import annotations

import json
import sys
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate, chain, compress, count, repeat, starmap
from operator import sub
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from pyroaring import BitMap

from audit_tui.store.index.text_fields import Divided
from audit_tui.store.index.text_grams import (
    LETTERS,
    eights,
    fours,
    pairs_of_bytes,
    pieces_of,
)
from audit_tui.store.tables.rows import stored_text
from audit_tui.store.tables.text_layout import (
    SEPARATOR,
    GroupPart,
    Part,
    joined,
    read_numbers,
    stored_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Sequence

    from audit_tui.store.index.text_fields import Column, TextFields

FREQUENT_TEXT = 8
"""A text that this many events of a stretch have gets a bitmap."""
FREQUENT_PIECE = 16
"""A piece, or a pair of pieces, that stands so often in the texts of a group gets a bitmap."""
CHUNK_BYTES = 32_768
"""Bitmaps are read in chunks of about this many bytes."""
GROUP_BYTES = 512 * 1024
"""A group holds about so much text: to look through it takes 1 to 2 ms."""
SMALL_GROUP_BYTES = 4_096
"""Fields with less rare text than this share a group."""
MAX_LARGE = 256
"""No more fields than this have groups of their own: the parts of a stretch have numbers up to 32,767."""
PIECES_OF_A_SENTENCE = 2.5
"""With more pieces a text than this on average, their pieces are told apart."""
SAMPLED_TEXTS = 8
"""Every eighth text tells whether pieces come again; with few texts it is taken for granted."""
_FEW_TEXTS = 4_096
OF_A_PART: Container[tuple[str, ...]] | None = ()
"""The fields whose pieces are told apart as long as a block is not full: none. It will be built again, and
the texts of one stretch are soon looked through."""
CROWDED_FOURS = 49_152
"""With this many different runs of four bytes in a group, runs of eight are noted too."""
MIXED = -1
"""Instead of the number of a group's fields: each text has its own."""
NO_NUMBER = 0xFFFF
_EDGE = 3
_PART_BYTES = 16_384
_SEPARATOR = SEPARATOR.decode("latin-1")


class Rare(NamedTuple):
    """The rare texts of some fields, in order, each once, with its rows."""

    fields: int
    texts: list[str]
    counts: list[int]
    """The number of rows of each text."""
    rows: array[int]


class Built(NamedTuple):
    """The parts of a stretch, by their numbers."""

    events: int
    parts: dict[int, bytes]
    compressed: dict[int, bytes]
    """Those that are stored compressed, as they are before that."""


def built_from(fields: TextFields, told_apart: Container[tuple[str, ...]] | None = None) -> Built:
    """Return the parts of a stretch whose texts were gathered; see ``built_of``."""
    divided = map(divided_texts, fields.columns.values())
    return built_of(fields.columns, divided, bitmap_of(fields.rows), told_apart)


def built_of(
    fields: Collection[tuple[str, ...]],
    columns: Iterable[Divided],
    every: BitMap,
    told_apart: Container[tuple[str, ...]] | None = None,
) -> Built:
    """Return the parts of a stretch.

    Args:
        fields: Of each column.
        columns: Their texts.
        every: The rows of all events.
        told_apart: The fields whose pieces are told apart; None lets their texts decide.
    """
    builder = _Builder(list(dict.fromkeys(chain.from_iterable(fields))), every, told_apart)
    for names, divided in zip(fields, columns, strict=True):
        builder.add_column(names, divided)
    builder.finish()
    return Built(len(every), builder.parts, builder.compressed)


class _Builder:
    def __init__(
        self, names: list[str], every: BitMap, told_apart: Container[tuple[str, ...]] | None
    ) -> None:
        self._told_apart = told_apart
        self._number_of = dict(zip(names, count(), strict=False))
        self._names = names
        self._every = every
        self._field_sets: list[list[int]] = []
        self._texts: list[str] = []
        self._text_fields: list[int] = []
        self._text_rows: list[BitMap] = []
        self._words: list[bytes] = []
        self._word_fields: list[int] = []
        self._word_rows: list[BitMap] = []
        self._presence = [BitMap() for _ in names]
        self._large: list[Rare] = []
        self._small: list[Rare] = []
        self._heads: list[list[int]] = []
        self._letters: defaultdict[int, array[int]] = defaultdict(lambda: array("H"))
        self.parts: dict[int, bytes] = {}
        self.compressed: dict[int, bytes] = {}

    def add_column(self, names: tuple[str, ...], divided: Divided) -> None:
        """Add the texts that events have in these fields."""
        fields = len(self._field_sets)
        self._field_sets.append([self._number_of[name] for name in names])
        # From numbers: how a bitmap is stored must not depend on how it was put together.
        rows = BitMap(BitMap.union(bitmap_of(divided.rows), *divided.bitmaps).to_array())
        for field in self._field_sets[-1]:
            self._presence[field] |= rows
        self._texts += divided.frequent
        self._text_fields += [fields] * len(divided.frequent)
        self._text_rows += divided.bitmaps
        if divided.rare:
            rare = Rare(fields, divided.rare, divided.counts, divided.rows)
            is_small = sum(map(len, rare.texts)) + len(rare.texts) < SMALL_GROUP_BYTES
            (self._small if is_small else self._large).append(rare)

    def finish(self) -> None:
        """Make the parts."""
        self._large.sort(key=lambda rare: len(rare.texts), reverse=True)
        self._small += self._large[MAX_LARGE:]
        for rare in self._large[:MAX_LARGE]:
            self._add_group_of(rare)
        for rare, fields in _mixed(self._small):
            self._add_group(rare, *_both(rare.texts), fields=fields)
        self._add_letters()
        self._add_dictionary()

    def _add_group_of(self, rare: Rare) -> None:
        """Add the rare texts of one set of fields, in groups."""
        originals, folded = _both(rare.texts)
        reached = list(accumulate([len(text) + 1 for text in rare.texts], initial=0))
        groups = max(1, round(reached[-1] / GROUP_BYTES))
        if groups > 1:
            originals = b""  # of 60 MB each copy counts
        words = None
        names = tuple(self._names[field] for field in self._field_sets[rare.fields])
        if _have_words(rare.texts, folded) if self._told_apart is None else names in self._told_apart:
            words = Words(rare, folded)
            self._words += words.texts
            self._word_fields += [rare.fields] * len(words.texts)
            self._word_rows += words.rows
        if groups == 1:
            pieces = None if words is None else words.of_texts(0, len(rare.texts))
            self._add_group(rare, originals, folded, pieces=pieces)
            return
        ends = list(accumulate(rare.counts, initial=0))
        edges = [bisect_left(reached, reached[-1] * group // groups) for group in range(groups)]
        for begin, end in zip(edges, [*edges[1:], len(rare.texts)], strict=True):
            if begin < end:
                some = Rare(
                    rare.fields,
                    rare.texts[begin:end],
                    rare.counts[begin:end],
                    rare.rows[ends[begin] : ends[end]],
                )
                pieces = None if words is None else words.of_texts(begin, end)
                self._add_group(some, *_both(some.texts), pieces=pieces)

    def _add_group(
        self,
        rare: Rare,
        originals: bytes,
        folded: bytes,
        *,
        pieces: tuple[bytes, bytes] | None = None,
        fields: Sequence[int] = (),
    ) -> None:
        """Add the parts of a group.

        Args:
            rare: Its texts.
            originals: The same, joined.
            folded: And folded.
            pieces: The texts without what lies inside of frequent pieces, and their other pieces; None where
                pieces are not told apart.
            fields: Of each text, in a mixed group.
        """
        first = Part.GROUPS + 16 * len(self._heads)
        parts, compressed = self.parts, self.compressed
        reduced, rest = pieces or (folded, folded)
        if pieces is not None:
            compressed[first + GroupPart.RARE_PIECES] = joined([rest])
        runs = fours(reduced)
        parts[first + GroupPart.PAIRS_OF_BYTES] = _serialized(pairs_of_bytes(rest))
        if len(runs) > CROWDED_FOURS:
            parts[first + GroupPart.EIGHTS] = _serialized(eights(folded))
        parts[first + GroupPart.FOURS] = _serialized(runs)
        compressed[first + GroupPart.TEXTS] = joined([folded])
        compressed[first + GroupPart.CASE] = joined([_case(originals, folded)])
        counts = rare.counts if len(rare.rows) > len(rare.texts) else []
        numbers = [stored_numbers("I", counts), stored_numbers("H", rare.rows), stored_numbers("H", fields)]
        compressed[first + GroupPart.ROWS] = joined(numbers)
        ends = list(accumulate(rare.counts, initial=0))
        for text, begin, end in zip(rest[1:-1].split(SEPARATOR), ends, ends[1:], strict=False):
            if text:
                rows = rare.rows[begin:end]
                for letter in set(text):
                    self._letters[letter] += rows
        self._heads.append([rare.fields, len(rare.texts), int(pieces is not None)])

    def _add_letters(self) -> None:
        """Note for each byte of ASCII the rows whose texts hold it."""
        originals, folded = _both(self._texts)
        bitmaps: defaultdict[int, list[BitMap]] = defaultdict(list)
        for text, rows in zip(folded[1:-1].split(SEPARATOR), self._text_rows, strict=False):
            for letter in set(text):
                bitmaps[letter].append(rows)
        # Pairs have no letters that their pieces do not have, but leaving them out would save little.
        for word, rows in zip(self._words, self._word_rows, strict=True):
            for letter in set(word):
                bitmaps[letter].append(rows)
        for letter in sorted(self._letters.keys() | bitmaps.keys()):
            if letter < 0x80:
                rest = bitmap_of(self._letters[letter])
                self.parts[Part.LETTERS + letter] = _serialized(BitMap.union(rest, *bitmaps[letter]))
        self.compressed[Part.DICTIONARY_CASE] = joined([_case(originals, folded)])

    def _add_dictionary(self) -> None:
        lengths, places = self._add_bitmaps(
            [*self._text_rows, *self._word_rows, *self._presence, self._every]
        )
        head = json.dumps([self._names, self._field_sets, self._heads], separators=(",", ":"))
        self.compressed[Part.DICTIONARY] = joined(
            [
                head.encode(),
                _both(self._texts)[1],
                SEPARATOR + SEPARATOR.join(self._words) + SEPARATOR,
                stored_numbers("H", self._text_fields),
                stored_numbers("H", self._word_fields),
                stored_numbers("I", places),
                stored_numbers("I", lengths),
            ]
        )

    def _add_bitmaps(self, bitmaps: Iterable[BitMap]) -> tuple[list[int], list[int]]:
        """Store bitmaps, each different one once; return their lengths, and their places in the chunks."""
        place_of: dict[bytes, int] = {}
        lengths: list[int] = []
        places: list[int] = []
        chunks: list[list[bytes]] = [[]]
        filled = 0
        for bitmap in bitmaps:
            data = _serialized(bitmap)
            place = place_of.get(data)
            if place is None:
                if filled and filled + len(data) > CHUNK_BYTES:
                    chunks.append([])
                    filled = 0
                place = place_of[data] = (len(chunks) - 1) * 2 * CHUNK_BYTES + filled
                chunks[-1].append(data)
                filled += len(data)
            places.append(place)
            lengths.append(len(data))
        for number, chunk in enumerate(chunks):
            self.parts[Part.BITMAPS + number] = b"".join(chunk)
        return lengths, places


def divided_texts(column: Column) -> Divided:
    """Return the texts of a column, the frequent ones apart; of one text, or of each once, in less time."""
    texts = column.texts
    if len(texts) == len(column.rows):
        order = sorted(range(len(texts)), key=texts.__getitem__)
        once = array("H", list(map(column.rows.__getitem__, order)))
        return Divided([], [], list(map(texts.__getitem__, order)), [1] * len(order), once)
    if len(texts) == 1 and len(bitmap := bitmap_of(column.rows)) >= FREQUENT_TEXT:
        return Divided(texts, [bitmap], [], [], array("H"))
    rows_of = _by_number(column.numbers, column.rows)
    frequent = [n for n, rows in enumerate(rows_of) if rows.events >= FREQUENT_TEXT]
    # How they were gathered must not show.
    frequent.sort(key=lambda number: (rows_of[number].first, texts[number]))
    del frequent[NO_NUMBER:]
    rare = sorted(set(range(len(texts))).difference(frequent), key=texts.__getitem__)
    rows_of_rare = list(map(rows_of.__getitem__, rare))
    return Divided(
        list(map(texts.__getitem__, frequent)),
        [rows_of[number].bitmap() for number in frequent],
        list(map(texts.__getitem__, rare)),
        [rows.events for rows in rows_of_rare],
        read_numbers("H", b"".join([rows.numbers() for rows in rows_of_rare])),
    )


class Words:
    """The pieces of the rare texts of a set of fields, and the frequent ones among them.

    Args:
        rare: The texts.
        folded: The same, folded and joined.
    """

    def __init__(self, rare: Rare, folded: bytes) -> None:
        # Lists share their numbers; of an array each would be made again whenever it is asked for.
        number_of: defaultdict[bytes, int] = defaultdict(count().__next__)
        self._pieces: list[int] = []
        for texts in _in_parts(folded):
            self._pieces += map(number_of.__getitem__, pieces_of(texts))
        different = list(number_of)
        is_end = [piece.endswith(SEPARATOR) for piece in different]
        # A piece with a separator ends its text; the first one only begins all.
        ends = compress(count(1), map(is_end.__getitem__, self._pieces))
        self._begins = list(ends)
        """Of each text, and the end of the last, among the pieces."""
        frequent = [piece for piece, times in Counter(self._pieces).items() if times >= FREQUENT_PIECE]
        del frequent[NO_NUMBER:]
        numbers = _renumbered(self._pieces, frequent, len(different))
        # It ends no text: it is the separator before the first.
        numbers[0] = NO_NUMBER
        self._pairs, couples = _frequent_pairs(
            numbers, {place for place, piece in enumerate(frequent) if is_end[piece]}
        )
        first_rows = map(rare.rows.__getitem__, accumulate(rare.counts[:-1], initial=0))
        lengths = starmap(sub, zip(self._begins[1:], self._begins, strict=False))
        rows = array("H", [0, *chain.from_iterable(map(repeat, first_rows, lengths))])
        pairs = array("H", self._pairs)
        numbers_of_rows = array("H", numbers)
        self._repeat(rare, numbers_of_rows, pairs, rows)
        wholes = list(map(different.__getitem__, frequent))
        names = [piece.rstrip(SEPARATOR) for piece in wholes]
        self.texts = names + [wholes[left] + names[right] for left, right in couples]
        """The frequent pieces and pairs."""
        self.rows = [
            some.bitmap()
            for of, many in ((numbers_of_rows, len(names)), (pairs, len(couples)))
            for some in _by_number(of, rows)[:many]
        ]
        """Beside them the rows that have each."""
        shortened, removed = different, different[:]
        for number, piece, name in zip(frequent, wholes, names, strict=True):
            end = piece[len(name) :]
            removed[number] = end
            if len(name) > _EDGE:
                shortened[number] = name[:_EDGE] + SEPARATOR + name[-_EDGE:] + end
        # As texts of one letter a byte: these are joined in a fifth of the time.
        self._shortened, self._removed = _as_letters(shortened), _as_letters(removed)

    def of_texts(self, begin: int, end: int) -> tuple[bytes, bytes]:
        """Return some texts without what lies inside of frequent pieces and pairs, and the other pieces.

        The former has all runs of four bytes that lie in two pieces which are not a frequent pair, and all of
        pieces that are not frequent. The latter has the separators between texts.
        """
        slice_ = slice(self._begins[begin], self._begins[end])
        pieces = self._pieces[slice_]
        reduced = [_SEPARATOR] * (2 * len(pieces))
        reduced[::2] = map(self._shortened.__getitem__, pieces)
        reduced[1::2] = map({NO_NUMBER: ""}.get, self._pairs[slice_], repeat(_SEPARATOR))
        rest = "".join(map(self._removed.__getitem__, pieces))
        return SEPARATOR + "".join(reduced).encode("latin-1"), SEPARATOR + rest.encode("latin-1")

    def _repeat(self, rare: Rare, numbers: array[int], pairs: array[int], rows: array[int]) -> None:
        """Add the pieces of texts with several rows once more for each further row."""
        ends = list(accumulate(rare.counts, initial=0))
        for text, events in enumerate(rare.counts):
            if events > 1:
                begin, end = self._begins[text : text + 2]
                for row in rare.rows[ends[text] + 1 : ends[text + 1]]:
                    numbers += numbers[begin:end]
                    pairs += pairs[begin:end]
                    rows.extend(repeat(row, end - begin))


def _in_parts(folded: bytes) -> Iterator[bytes]:
    """Yield joined texts a few at a time: their pieces then stay in the processor's cache."""
    begin = 0
    while begin < len(folded):
        end = folded.find(SEPARATOR, begin + _PART_BYTES) + 1 or len(folded)
        yield folded[begin:end]
        begin = end


def _as_letters(pieces: list[bytes]) -> list[str]:
    return [piece.decode("latin-1") for piece in pieces]


def _mixed(small: list[Rare]) -> list[tuple[Rare, list[int]]]:
    """Return the texts of small groups in mixed ones, with the fields of each text."""
    groups: list[tuple[Rare, list[int]]] = []
    filled = GROUP_BYTES
    for rare in small:
        if filled >= GROUP_BYTES:
            groups.append((Rare(MIXED, [], [], array("H")), []))
            filled = 0
        mixed, fields = groups[-1]
        mixed.texts.extend(rare.texts)
        mixed.counts.extend(rare.counts)
        mixed.rows.extend(rare.rows)
        fields += [rare.fields] * len(rare.texts)
        filled += sum(map(len, rare.texts))
    return groups


def _both(texts: Sequence[str]) -> tuple[bytes, bytes]:
    """Return texts as the store holds them, joined, and the same folded."""
    joined = "\0".join(["", *texts, ""]) if texts else "\0\0"
    if joined.count("\0") > len(texts) + 1 and texts:
        joined = "\0".join(["", *map(stored_text, texts), ""])
    elif joined.isascii():
        # Folded as bytes: of 60 MB each copy counts.
        original = joined.encode().replace(b"\0", SEPARATOR)
        return original, original.lower()
    else:
        # As stored_text does with each, but at once.
        joined = joined.encode("utf-8", "backslashreplace").decode()
    original, folded = joined.encode(), joined.casefold().encode()
    return original.replace(b"\0", SEPARATOR), folded.replace(b"\0", SEPARATOR)


def _case(originals: bytes, folded: bytes) -> bytes:
    """Return what makes originals of folded texts: nothing, their difference, or they themselves."""
    if originals == folded:
        return b""
    if len(originals) != len(folded):
        return originals
    return _xor(originals, folded)


def _xor(left: bytes, right: bytes) -> bytes:
    difference = int.from_bytes(left, "little") ^ int.from_bytes(right, "little")
    return difference.to_bytes(len(left), "little")


def _have_words(texts: Sequence[str], folded: bytes) -> bool:
    """Tell whether texts are sentences: of several pieces, at least half of which come again."""
    if len(folded.translate(None, LETTERS)) <= PIECES_OF_A_SENTENCE * len(texts):
        return False
    if len(texts) < _FEW_TEXTS:
        return True
    pieces = Counter(pieces_of(_both(texts[::SAMPLED_TEXTS])[1]))
    again = sum(len(piece) * times for piece, times in pieces.items() if times > 1)
    return 2 * again >= sum(len(piece) * times for piece, times in pieces.items())


def _renumbered(numbers: list[int], chosen: Sequence[int], many: int) -> list[int]:
    """Return numbers below ``many`` as their places among the chosen ones, or ``NO_NUMBER``."""
    place_of = [NO_NUMBER] * many
    for place, number in enumerate(chosen):
        place_of[number] = place
    return list(map(place_of.__getitem__, numbers))


def _frequent_pairs(numbers: list[int], ends: set[int]) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the number of the pair that begins with each piece, and the frequent pairs by their numbers.

    Args:
        numbers: Of the pieces.
        ends: Those that end a text.
    """
    halves = array("H", numbers)
    both = doubled(halves[1:], halves[:-1])
    frequent = [
        key
        for key, times in Counter(both).items()
        if times >= FREQUENT_PIECE
        and (left := key >> 16) not in ends
        and NO_NUMBER not in (left, key & NO_NUMBER)
    ]
    del frequent[NO_NUMBER:]
    number_of = dict(zip(frequent, range(len(frequent)), strict=True))
    pairs = list(map(number_of.get, both, repeat(NO_NUMBER)))
    pairs.append(NO_NUMBER)
    return pairs, [(key >> 16, key & NO_NUMBER) for key in frequent]


def doubled(low: array[int], high: array[int]) -> array[int]:
    """Return pairs of two bytes as numbers of four."""
    both = array("H", bytes(4 * len(low)))
    is_little = sys.byteorder == "little"
    both[not is_little :: 2], both[is_little::2] = low, high
    return array("I", both.tobytes())


class _Rows(NamedTuple):
    """The rows of a text, a piece or a pair, as a bitmap of all of them holds them."""

    events: int
    data: bytes

    def bitmap(self) -> BitMap:
        """Return them as a bitmap."""
        head = _BITMAP_HEAD.pack(_PLAIN, 1, 0, self.events - 1, _BITMAP_HEAD.size)
        bitmap = BitMap.deserialize(head + self.data)
        bitmap.run_optimize()
        return bitmap

    @property
    def first(self) -> int:
        """The lowest."""
        return (
            int(self.data[0] | self.data[1] << 8)
            if len(self.data) == 2 * self.events
            else self.bitmap().min()
        )

    def numbers(self) -> bytes:
        """Return them as numbers of two bytes."""
        return self.data if len(self.data) == 2 * self.events else stored_numbers("H", self.bitmap())


_BITMAP_HEAD = Struct("<IIHHI")
_PLAIN = 12_346
"""The beginning of a bitmap that has no runs of rows."""


def _by_number(numbers: array[int], rows: array[int]) -> list[_Rows]:
    """Return the rows of each number that has any, in order.

    The stored form of a bitmap has a part for every 65,536 values: with the numbers above the rows, each part
    holds the rows of a number. To take them out one by one takes ten times as long.
    """
    if numbers.typecode == "I":
        both, is_little = array("H", numbers.tobytes()), sys.byteorder == "little"
        high, numbers = both[is_little::2], both[not is_little :: 2]
        if high.tobytes().strip(b"\0"):
            return list(chain.from_iterable(starmap(_by_number, _divided(high, numbers, rows))))
    data = BitMap(doubled(rows, numbers), optimize=False).serialize()
    parts = int.from_bytes(data[4:8], "little")
    counts = read_numbers("H", data[8 : 8 + 4 * parts])[1::2]
    begins = [*read_numbers("I", data[8 + 4 * parts : 8 + 8 * parts]), len(data)]
    return [_Rows(less + 1, data[i:j]) for less, i, j in zip(counts, begins, begins[1:], strict=False)]


def _divided(
    high: array[int], numbers: array[int], rows: array[int]
) -> Iterator[tuple[array[int], array[int]]]:
    """Yield numbers with their rows, parted by what is above the numbers."""
    for part in sorted(set(high)):
        is_here = list(map(part.__eq__, high))
        yield array("H", list(compress(numbers, is_here))), array("H", list(compress(rows, is_here)))


def bitmap_of(rows: array[int]) -> BitMap:
    """Return rows as a bitmap."""
    return BitMap(doubled(rows, array("H", bytes(2 * len(rows)))))


def _serialized(bitmap: BitMap) -> bytes:
    bitmap.run_optimize()
    data: bytes = bitmap.serialize()
    return data
