"""One segment of the text index as a search reads it: which of its events a condition holds for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from audit_tui.core.columns import NAME_COLUMNS, Column, NameColumn, is_name_column
from audit_tui.core.filters import ANY_TEXT, Condition, FilterField, MetaField
from audit_tui.core.metadata import is_inside
from audit_tui.core.operators import CONTAINS, IN_NETWORK
from audit_tui.store import text_layout
from audit_tui.store.predicate import Group, OneOf, RowTest
from audit_tui.store.read import sql
from audit_tui.store.read.row_tests import text_test
from audit_tui.store.tables.rows import stored_text, whole
from audit_tui.store.text_index import META
from audit_tui.store.text_layout import (
    CHUNK_BYTES,
    MAX_TEXTS_BYTES,
    SEGMENT_EVENTS,
    SEPARATOR,
    SIGNATURE_BITS,
    STORED,
    FrameReader,
    Part,
    damaged,
    numbers_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from audit_tui.store.predicate import Predicate
    from audit_tui.store.read.session import Session
    from audit_tui.store.text_layout import Numbers

    Mask: TypeAlias = NDArray[np.bool_]

FEW_PLACES = 64
"""More places than this of a text are found by comparing all bytes at once."""
MAX_GROUPS = 6
"""So many groups of a long needle are looked up."""
_GROUP_BITS = frozenset(1 << power for power in range(15, 23))
_FIELDS = NAME_COLUMNS


class Names(NamedTuple):
    """What is known of each event of a segment but its texts."""

    times: Numbers
    seqs: Numbers
    numbers: dict[NameColumn, Numbers]


class Holding(NamedTuple):
    """A field of a segment and where its texts stand."""

    name: str
    frame: int
    """Of the two that hold it, the first."""
    low: int
    """The lowest and the highest number of its texts."""
    high: int
    places: int
    width_bytes: int
    is_dense: bool
    """Every event has exactly one."""
    is_rising: bool
    """The numbers are written from one to the next."""


class Asked:
    """What one question needs to know for every segment, found out once.

    Args:
        session: The snapshot it is asked in.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._tests: dict[Condition, Callable[[str], bool]] = {}
        self._numbers: dict[tuple[NameColumn, str], Numbers] = {}

    def numbers_with(self, field: NameColumn, value: str) -> Numbers:
        """The numbers of all names of a field that contain a text."""
        found = self._numbers.get((field, value))
        if found is None:
            rows = self.session.rows(sql.names_with(field, stored_text(value).casefold()))
            found = self._numbers[field, value] = np.array([whole(row[0]) for row in rows], np.int64)
        return found

    def address_test(self, condition: Condition) -> Callable[[str], bool]:
        """Whether a text is in a network, each text looked at once."""
        return self._tests.setdefault(condition, _remembering(text_test(condition)))


class TextSegment:
    """A stretch of events whose texts are indexed.

    Args:
        asked: The question it is read for.
        found: Its row of ``text_segments``.

    Raises:
        StoreDamaged: If it cannot be what it says; any method may raise it as well.
    """

    def __init__(self, asked: Asked, found: tuple[object, ...]) -> None:
        self.first_seq, self.last_seq, self.events, self.first_us, self.last_us, self.version = (
            whole(value) for value in found[:6]
        )
        self._group_bits, signature = whole(found[6]), found[7]
        if (
            not 0 <= self.last_seq - self.first_seq < SEGMENT_EVENTS
            or not 0 < self.events <= SEGMENT_EVENTS
            or not isinstance(signature, bytes)
            or len(signature) * 8 != SIGNATURE_BITS
            or self._group_bits not in _GROUP_BITS
        ):
            raise damaged("is too long or has no signature")
        self._signature = np.frombuffer(signature, np.uint8)
        self._asked = asked
        self._unpacked: dict[int, bytes] = {}

    def mask(self, predicate: Predicate) -> Mask:
        """Which of its events a condition holds for."""
        match predicate:
            case bool():
                return np.full(self.events, predicate)
            case OneOf(field=field, numbers=numbers, is_negated=is_negated):
                return np.isin(self.names.numbers[field], list(numbers), invert=is_negated)
            case RowTest(condition=condition, is_negated=is_negated):
                return self._tested(condition) ^ is_negated
            case Group(parts=parts, is_any=is_any):
                found = self.mask(parts[0])
                for part in parts[1:]:
                    # What is decided already needs no look at the texts.
                    if found.all() if is_any else not found.any():
                        break
                    found = found | self.mask(part) if is_any else found & self.mask(part)
                return found

    def release(self) -> None:
        """Let go of what was unpacked; it is read again when it is wanted again."""
        self._unpacked.clear()
        for name in ("names", "_places", "_words", "_holdings", "_runs"):
            self.__dict__.pop(name, None)

    @cached_property
    def names(self) -> Names:
        """Times, seqs and names of its events."""
        part = self._part(Part.NAMES)
        widths = [8, *(width for width in part.head if isinstance(width, int))]
        if len(widths) != 5:
            raise damaged("has other events than it says")
        columns = [numbers_of(part.frame(place), width, self.events) for place, width in enumerate(widths)]
        times, seqs = (np.cumsum(column, dtype=np.int64) for column in columns[:2])
        seqs += self.first_seq - 1
        is_right = (
            seqs[-1] <= self.last_seq
            and bool((columns[1] > 0).all())
            and (int(times.min()), int(times.max())) == (self.first_us, self.last_us)
        )
        if not is_right:
            raise damaged("has other events than it says")
        return Names(times, seqs, dict(zip(_FIELDS, columns[2:], strict=True)))

    @cached_property
    def _places(self) -> FrameReader:
        return self._part(Part.PLACES)

    @cached_property
    def _holdings(self) -> list[Holding]:
        head = self._places.head
        try:
            names, *columns = (one for one in head if isinstance(one, list))
            low, high, places, width_bytes, shape = np.array(columns, np.int64)
        except (ValueError, TypeError, OverflowError) as error:
            raise damaged("has no fields") from error
        if len(names) != len(low) or (low > high).any() or (low < 0).any() or (high >= self._total).any():
            raise damaged("has no fields")
        columns = [
            column.tolist() for column in (low, high, places, width_bytes, (shape & 1) > 0, (shape & 2) > 0)
        ]
        return [
            Holding(str(name), 2 * place, *one)
            for place, (name, *one) in enumerate(zip(names, *columns, strict=True))
        ]

    @cached_property
    def _words(self) -> FrameReader:
        return self._part(Part.TEXTS)

    @cached_property
    def _runs(self) -> list[tuple[int, int, int]]:
        """The number of the first text of each run, how many there are, and the width of their lengths."""
        found: list[tuple[int, int, int]] = []
        reached = 0
        for one in self._words.head:
            if not isinstance(one, list) or len(one) != 3 or not all(isinstance(value, int) for value in one):
                raise damaged("has no texts")
            first, count, width_bytes = one
            if first != reached or count <= 0:
                raise damaged("has no texts")
            reached += count
            found.append((first, count, width_bytes))
        if reached > MAX_TEXTS_BYTES:
            raise damaged("has too many texts")
        return found

    def _texts(self, run: int) -> bytes:
        """The texts of a run."""
        found = self._unpacked.get(run)
        if found is None:
            found = self._unpacked[run] = self._words.frame(2 * run + 1)
            if found[:1] != SEPARATOR or found[-1:] != SEPARATOR:
                raise damaged("has other texts than it says")
        return found

    def _begins(self, run: int) -> Numbers:
        """Where each text of a run begins, and behind the last one where the next would."""
        _, count, width_bytes = self._runs[run]
        lengths = numbers_of(self._words.frame(2 * run), width_bytes, count)
        begins = np.ones(count + 1, np.int64)
        np.cumsum(lengths, out=begins[1:])
        begins[1:] += np.arange(2, count + 2)
        if begins[-1] != len(self._texts(run)):
            raise damaged("has other texts than it says")
        return begins

    def _part(self, part: Part) -> FrameReader:
        found = self._asked.session.rows(
            sql.Statement(
                "SELECT data FROM text_parts WHERE place = ?", (STORED.place_of(self.first_seq, part),)
            )
        )
        return FrameReader(found[0][0] if found else None)

    def _tested(self, condition: Condition) -> Mask:
        field, value = condition.field, condition.value
        if is_name_column(field):
            return np.isin(self.names.numbers[field], self._asked.numbers_with(field, value or ""))
        if value is None:
            return ~self._held(self._fields(field), None)
        if condition.operator is IN_NETWORK:
            holdings = self._fields(field)
            return self._held(holdings, self._in_network(condition, holdings))
        needle = stored_text(value).casefold().encode()
        is_part = condition.operator is CONTAINS
        if not is_part:
            needle = SEPARATOR + needle + SEPARATOR
        none = np.zeros(self.events, np.bool_)
        if not self._may_hold(needle):
            return none
        holdings = self._fields(field)
        hit = self._texts_with(needle, holdings)
        if hit is None:
            return none
        held = self._held(holdings, hit)
        return held if is_part else self._exactly(condition, held, int(hit.sum()))

    def _may_hold(self, needle: bytes) -> bool:
        """Whether the bits of these bytes are set; where one is not, no text has them."""
        if len(needle) >= 3 and not _are_set(self._signature, text_layout.signature_bits(needle)):
            return False
        if len(needle) < 6 or not self._group_bits:
            return True
        bits = text_layout.group_hashes(needle) & np.uint32(self._group_bits - 1)
        # As many groups as overlap little say as much as all.
        for bit in bits[:: max(1, len(bits) // MAX_GROUPS)].tolist():
            chunk, rest = divmod(bit, CHUNK_BYTES * 8)
            if not _are_set(self._chunk(chunk), np.array([rest])):
                return False
        return True

    def _chunk(self, number: int) -> Numbers:
        place = STORED.place_of(self.first_seq, Part.GROUPS + number)
        found = self._asked.session.rows(
            sql.Statement("SELECT data FROM text_parts WHERE place = ?", (place,))
        )
        if not found or not isinstance(found[0][0], bytes) or len(found[0][0]) != CHUNK_BYTES:
            raise damaged("has no bits")
        return np.frombuffer(found[0][0], np.uint8)

    def _texts_with(self, needle: bytes, holdings: list[Holding]) -> Mask | None:
        """The texts of some fields that these bytes stand in; None for none at all."""
        hit: Mask | None = None
        low = min((one.low for one in holdings), default=0)
        high = max((one.high for one in holdings), default=-1)
        for run, (first, count, _) in enumerate(self._runs):
            if first > high or first + count <= low:
                continue
            places = _places_in(self._texts(run), needle)
            if len(places):
                if hit is None:
                    hit = np.zeros(self._total, np.bool_)
                # A needle with its separators begins one byte before the text.
                inner = places + 1 if needle[:1] == SEPARATOR else places
                hit[first + np.searchsorted(self._begins(run), inner, side="right") - 1] = True
        return hit

    @property
    def _total(self) -> int:
        """How many distinct texts there are."""
        first, count, _ = self._runs[-1] if self._runs else (0, 0, 0)
        return first + count

    def _held(self, holdings: list[Holding], hit: Mask | None) -> Mask:
        """The events that have one of these texts in one of the fields; None takes any text."""
        held = np.zeros(self.events, np.bool_)
        for one in holdings:
            if hit is None:
                held[self._rows(one)] = True
                continue
            wanted = hit[one.low : one.high + 1]
            if not wanted.any():
                continue
            own = wanted[self._numbers(one)]
            if one.is_dense:
                held |= own
            else:
                held[self._rows(one)[own]] = True
        return held

    def _numbers(self, one: Holding) -> Numbers:
        """The numbers of a field's texts, from its lowest on."""
        found = numbers_of(self._places.frame(one.frame), one.width_bytes, one.places)
        if one.is_rising:
            found = np.cumsum(found, dtype=found.dtype)
        if len(found) and int(found.max()) > one.high - one.low:
            raise damaged("has places without texts")
        return found

    def _rows(self, one: Holding) -> Numbers:
        """The events of a field's texts."""
        if one.is_dense:
            if one.places != self.events:
                raise damaged("has fields of other events")
            return np.arange(self.events)
        rows = np.cumsum(numbers_of(self._places.frame(one.frame + 1), 2, one.places), dtype=np.uint16)
        if len(rows) and int(rows.max()) >= self.events:
            raise damaged("has fields of other events")
        return rows

    def _fields(self, field: FilterField) -> list[Holding]:
        if field is ANY_TEXT:
            return [one for one in self._holdings if one.name != Column.OUTCOME]
        if isinstance(field, MetaField):
            wanted = META + stored_text(field.path)
            return [one for one in self._holdings if is_inside(one.name, wanted)]
        return [one for one in self._holdings if one.name == field.value]

    def _in_network(self, condition: Condition, holdings: list[Holding]) -> Mask:
        """Which texts of the fields are addresses in a network."""
        test = self._asked.address_test(condition)
        hit = np.zeros(self._total, np.bool_)
        for one in holdings:
            hit[one.low : one.high + 1] |= (
                np.bincount(self._numbers(one), minlength=one.high - one.low + 1) > 0
            )
        for run, (first, count, _) in enumerate(self._runs):
            wanted = np.flatnonzero(hit[first : first + count])
            if not len(wanted):
                continue
            data, begins = self._texts(run), self._begins(run)
            for number, begin, end in zip(
                wanted.tolist(), begins[wanted].tolist(), begins[wanted + 1].tolist(), strict=True
            ):
                hit[first + number] = test(data[begin : end - 1].decode("utf-8", "backslashreplace"))
        return hit

    def _exactly(self, condition: Condition, held: Mask, texts: int) -> Mask:
        """Of the events whose text is the same but for case, those where it is the very same."""
        rows = np.flatnonzero(held)
        if texts == 1 and len(rows):
            # One text in the segment: all of them have it, or none.
            return held if self._holds(condition, int(rows[0])) else np.zeros_like(held)
        for row in rows.tolist():
            held[row] = self._holds(condition, row)
        return held

    def _holds(self, condition: Condition, row: int) -> bool:
        statement = sql.test_of_event(condition, int(self.names.seqs[row]))
        return bool(self._asked.session.number(statement))


def _remembering(test: Callable[[str], bool]) -> Callable[[str], bool]:
    known: dict[str, bool] = {}

    def remembered(text: str) -> bool:
        if text not in known:
            if len(known) > 100_000:
                known.clear()
            known[text] = test(text)
        return known[text]

    return remembered


def _are_set(packed: Numbers, bits: Numbers) -> bool:
    return bool((packed[bits >> 3] & (np.uint8(128) >> (bits & 7).astype(np.uint8))).all())


def _places_in(data: bytes, needle: bytes) -> Numbers:
    """Where these bytes stand."""
    found: list[int] = []
    at = data.find(needle)
    while at >= 0 and len(found) < FEW_PLACES:
        found.append(at)
        at = data.find(needle, at + 1)
    return _all_places(data, needle) if at >= 0 else np.array(found, np.int64)


def _all_places(texts: bytes, needle: bytes) -> Numbers:
    letters = np.frombuffer(texts, np.uint8)
    last = len(letters) - len(needle) + 1
    found = np.flatnonzero(letters[:last] == needle[0])
    for offset, byte in enumerate(needle[1:], 1):
        found = found[letters[found + offset] == byte]
    return found
