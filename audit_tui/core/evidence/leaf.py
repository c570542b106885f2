"""The bytes of an event that are sealed, in a form that anyone can make again.

A record is a byte that tells its form, the event's number and time as 64-bit integers, the length of each of
the twelve columns as a 32-bit integer (-1 for a missing value), then the columns one after the other; all
integers big-endian. A name is its text, not its number in this store; texts are UTF-8 as they are stored,
metadata is its JSON text to the byte, severity is one decimal digit, the original is the compressed bytes.
Nothing is brought into a canonical form: what is hashed is what is stored.

The form is not stored beside the event: a checker finds it by trying. It tells apart what only this program
itself does, and what anybody may have recorded, so that no imported line can declare a removal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from hashlib import sha256
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.evidence.merkle import LEAF_MARK

if TYPE_CHECKING:
    Column = str | int | bytes | None
    Encoding = Mapping[Any, tuple[int, bytes]]


class Form(IntEnum):
    """The first byte of a record: who may have written the event."""

    OLD = 1
    """Any event of a program before forms were told apart; none is made any more."""
    EVENT = 2
    """Recorded by a person or a program, or imported."""
    ACT = 3
    """An act of this program on the store: a redaction, a pruning, a new key. Nothing else can make one."""


COLUMNS = (
    "key",
    "event",
    "category",
    "user",
    "description",
    "outcome",
    "severity",
    "source_ip",
    "target",
    "source",
    "metadata",
    "original",
)
"""The order of the columns in a record."""
MISSING = (-1, b"")
"""The length and the bytes of a missing value."""
MAX_ENCODED = 50_000
"""Encodings kept in memory for each kind of value; beyond it all are forgotten."""
_pack = Struct(f">cBqq{len(COLUMNS)}i").pack


def column_bytes(value: Column) -> tuple[int, bytes]:
    """Return a value's length and bytes as they stand in a record."""
    if value is None:
        return MISSING
    data = value if isinstance(value, bytes) else str(value).encode()
    return len(data), data


class EncodedValues(dict[Any, tuple[int, bytes]]):
    """The lengths and bytes of values that come again and again, made when they are asked for."""

    def __missing__(self, value: Any) -> tuple[int, bytes]:  # noqa: ANN401 - as it lies in the file
        if len(self) >= MAX_ENCODED:
            self.clear()
        encoded = self[value] = self._encode(value)
        return encoded

    def _encode(self, value: Any) -> tuple[int, bytes]:  # noqa: ANN401 - as it lies in the file
        return column_bytes(value)


class Encodings(NamedTuple):
    """The encodings of the columns that repeat, by what stands in a row: the text, or a number of it."""

    events: Encoding
    categories: Encoding
    users: Encoding
    sources: Encoding
    values: Encoding
    """Of outcomes, severities and source addresses."""


def make_leaves(rows: Iterable[Sequence[Any]], encodings: Encodings, form: Form) -> list[bytes]:
    """Make the leaves of events.

    Each row has the number, the time and the columns in the order of ``COLUMNS``: key, description, target,
    metadata and original as bytes, the others as ``encodings`` know them.

    Raises:
        struct.error, TypeError, AttributeError: If a row holds what no row of a whole file holds.
    """
    pack, join, hashed, mark = _pack, b"".join, sha256, LEAF_MARK
    events, categories, users, sources, values = encodings
    form = int(form)  # type: ignore[assignment]  # packing an IntEnum takes 0.1 µs longer
    leaves = []
    for (seq, occurred_us, key, event, category, user, text, outcome, severity, source_ip, target, source,
         metadata, original) in rows:  # fmt: skip
        event_length, event_bytes = events[event]
        category_length, category_bytes = categories[category]
        user_length, user_bytes = users[user]
        outcome_length, outcome_bytes = values[outcome]
        severity_length, severity_bytes = values[severity]
        ip_length, ip_bytes = values[source_ip]
        source_length, source_bytes = sources[source]
        header = pack(
            mark, form, seq, occurred_us, -1 if key is None else len(key), event_length, category_length,
            user_length,
            -1 if text is None else len(text), outcome_length, severity_length, ip_length,
            -1 if target is None else len(target), source_length,
            -1 if metadata is None else len(metadata), -1 if original is None else len(original),
        )  # fmt: skip
        leaves.append(
            hashed(
                join(
                    (header, key or b"", event_bytes, category_bytes, user_bytes, text or b"", outcome_bytes,
                     severity_bytes, ip_bytes, target or b"", source_bytes, metadata or b"",
                     original or b"")
                )
            ).digest()
        )  # fmt: skip
    return leaves


def event_leaf(seq: int, occurred_us: int, columns: Sequence[Column], form: Form) -> bytes:
    """Return the leaf of one event, from its columns in the order of ``COLUMNS``."""
    values = EncodedValues()
    row = [value if index in _REPEATED or value is None else column_bytes(value)[1]
           for index, value in enumerate(columns)]  # fmt: skip
    return make_leaves([(seq, occurred_us, *row)], Encodings(values, values, values, values, values), form)[0]


_REPEATED = frozenset(
    map(COLUMNS.index, ("event", "category", "user", "outcome", "severity", "source_ip", "source"))
)
