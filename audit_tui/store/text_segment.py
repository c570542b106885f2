"""One segment of the text index as a search reads it: which of its events a condition holds for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from audit_tui.core.filters import CONTAINS, IN_NETWORK, Field, MetaField, TextField
from audit_tui.core.metadata import is_inside
from audit_tui.errors import StoreDamaged
from audit_tui.store import sql, text_layout
from audit_tui.store.predicate import Group, OneOf, RowTest
from audit_tui.store.row_tests import text_test
from audit_tui.store.rows import stored_text, whole
from audit_tui.store.text_index import META
from audit_tui.store.text_layout import SEGMENT_EVENTS, SEPARATOR, SIGNATURE_BITS, Part, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from audit_tui.core.filters import Condition
    from audit_tui.store.predicate import Predicate
    from audit_tui.store.session import Session
    from audit_tui.store.text_layout import Numbers

    Mask: TypeAlias = NDArray[np.bool_]

FEW_PLACES = 32
"""More places than this of a text are found by comparing all bytes at once."""
_FIELDS = (Field.EVENT, Field.CATEGORY, Field.USER)


class Names(NamedTuple):
    """What is known of each event of a segment but its texts."""

    times: Numbers
    seqs: Numbers
    numbers: dict[Field, Numbers]


class Places(NamedTuple):
    """Where the texts stand: field by field the events that have it, and the numbers of their texts."""

    fields: list[tuple[str, slice]]
    rows: Numbers
    texts: Numbers


class Asked:
    """What one question needs to know for every segment, found out once.

    Args:
        session: The snapshot it is asked in.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._tests: dict[Condition, Callable[[str], bool]] = {}
        self._numbers: dict[tuple[Field, str], Numbers] = {}

    def numbers_with(self, field: Field, value: str) -> Numbers:
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
        signature = found[6]
        if (
            not 0 <= self.last_seq - self.first_seq < SEGMENT_EVENTS
            or not 0 < self.events <= SEGMENT_EVENTS
            or not isinstance(signature, bytes)
            or len(signature) * 8 != SIGNATURE_BITS
        ):
            raise _damaged("is too long or has no signature")
        self._signature = np.frombuffer(signature, np.uint8)
        self._asked = asked

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
        for name in ("names", "_texts", "_begins", "_places"):
            self.__dict__.pop(name, None)

    @cached_property
    def names(self) -> Names:
        """Times, seqs and names of its events."""
        _, (steps, offsets, *numbers) = text_layout.unpack_arrays(self._part(Part.NAMES), 5)
        if any(len(one) != self.events for one in (steps, offsets, *numbers)):
            raise _damaged("has other events than it says")
        times = np.cumsum(steps, dtype=np.int64)
        seqs = offsets.astype(np.int64) + self.first_seq
        if self.events and (
            seqs[-1] > self.last_seq
            or (np.diff(seqs) <= 0).any()
            or (times.min(), times.max()) != (self.first_us, self.last_us)
        ):
            raise _damaged("has other events than it says")
        return Names(times, seqs, dict(zip(_FIELDS, numbers, strict=True)))

    @cached_property
    def _texts(self) -> bytes:
        data = text_layout.decompress(self._part(Part.TEXTS))
        if data[:1] != SEPARATOR or data[-1:] != SEPARATOR:
            raise _damaged("has no whole texts")
        return data

    @cached_property
    def _begins(self) -> Numbers:
        """Where each text begins, and behind the last one where the next would."""
        return np.flatnonzero(np.frombuffer(self._texts, np.uint8) == SEPARATOR[0]) + 1

    @cached_property
    def _places(self) -> Places:
        head, (steps, texts) = text_layout.unpack_arrays(self._part(Part.PLACES), 2)
        rows = np.cumsum(steps, dtype=np.uint16)
        fields: list[tuple[str, slice]] = []
        try:
            begins = [_begin(one) for one in head]
        except (TypeError, ValueError) as error:
            raise _damaged("has no fields") from error
        ends = [begin for _, begin in begins[1:]] + [len(rows)]
        for (name, begin), end in zip(begins, ends, strict=True):
            if not 0 <= begin <= end <= len(rows):
                raise _damaged("has fields without places")
            fields.append((name, slice(begin, end)))
        is_whole = len(rows) == len(texts) and (
            not len(rows) or (int(rows.max()) < self.events and int(texts.max()) < len(self._begins) - 1)
        )
        if not is_whole or not fields:
            raise _damaged("has places without texts")
        return Places(fields, rows, texts)

    def _part(self, part: Part) -> object:
        found = self._asked.session.rows(
            sql.Statement("SELECT data FROM text_parts WHERE place = ?", (place_of(self.first_seq, part),))
        )
        return found[0][0] if found else None

    def _tested(self, condition: Condition) -> Mask:
        field, value = condition.field, condition.value
        if isinstance(field, Field):
            found = self._asked.numbers_with(field, value or "")
            return np.isin(self.names.numbers[field], found)
        if value is None:
            every = self._held(field, None)
            return ~every
        folded = stored_text(value).casefold()
        if condition.operator is IN_NETWORK:
            return self._held(field, self._in_network(condition))
        needle = folded.encode()
        is_part = condition.operator is CONTAINS
        if not is_part:
            needle = SEPARATOR + needle + SEPARATOR
        if not self._may_hold(needle):
            return np.zeros(self.events, np.bool_)
        numbers = self._numbers_with(needle)
        if not len(numbers):
            return np.zeros(self.events, np.bool_)
        hit = np.zeros(len(self._begins) - 1, np.bool_)
        hit[numbers] = True
        held = self._held(field, hit)
        return held if is_part else self._exactly(condition, held, len(numbers))

    def _may_hold(self, needle: bytes) -> bool:
        if len(needle) < 3:
            return True
        bits = text_layout.signature_bits(needle)
        return bool((self._signature[bits >> 3] & (np.uint8(128) >> (bits & 7).astype(np.uint8))).all())

    def _numbers_with(self, needle: bytes) -> Numbers:
        """The numbers of the texts that these bytes stand in."""
        places: list[int] = []
        at = self._texts.find(needle)
        while at >= 0 and len(places) < FEW_PLACES:
            places.append(at)
            at = self._texts.find(needle, at + 1)
        if not places:
            return np.zeros(0, np.int64)
        found: Numbers = np.array(places) if at < 0 else _all_places(self._texts, needle)
        # A needle with its separators begins one byte before the text.
        inner = found + 1 if needle[:1] == SEPARATOR else found
        return np.unique(np.searchsorted(self._begins, inner, side="right") - 1)

    def _held(self, field: TextField | MetaField, hit: Mask | None) -> Mask:
        """The events that have one of these texts in a field; None takes any text."""
        places = self._places
        held = np.zeros(self.events, np.bool_)
        for part in self._slices(field):
            rows = places.rows[part]
            held[rows if hit is None else rows[hit[places.texts[part]]]] = True
        return held

    def _slices(self, field: TextField | MetaField) -> list[slice]:
        fields = self._places.fields
        if field is TextField.ANY:
            # All but the outcome, which is first.
            return [slice(fields[0][1].stop, len(self._places.rows))]
        if isinstance(field, MetaField):
            wanted = stored_text(field.path)
            return [
                part
                for name, part in fields
                if name.startswith(META) and is_inside(name[len(META) :], wanted)
            ]
        return [part for name, part in fields if name == field.value]

    def _in_network(self, condition: Condition) -> Mask:
        """Which texts of a field are addresses in a network."""
        test, places, begins = self._asked.address_test(condition), self._places, self._begins
        hit = np.zeros(len(begins) - 1, np.bool_)
        for part in self._slices(TextField.SOURCE_IP):
            for number in np.unique(places.texts[part]).tolist():
                text = self._texts[begins[number] : begins[number + 1] - 1]
                hit[number] = test(text.decode("utf-8", "backslashreplace"))
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


def _begin(one: object) -> tuple[str, int]:
    if isinstance(one, list) and len(one) == 2 and isinstance(one[1], int):
        return str(one[0]), one[1]
    raise ValueError(one)


def _all_places(texts: bytes, needle: bytes) -> Numbers:
    letters = np.frombuffer(texts, np.uint8)
    last = len(letters) - len(needle) + 1
    found = np.flatnonzero(letters[:last] == needle[0])
    for offset, byte in enumerate(needle[1:], 1):
        found = found[letters[found + offset] == byte]
    return found


def _damaged(why: str) -> StoreDamaged:
    return StoreDamaged(f"A segment of the text index {why}.", "Rebuild it: audit-tui reindex")
