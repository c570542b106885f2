"""The bytes of an event that are sealed, in a form that anyone can make again.

A record is a version byte (1), the event's number and time as 64-bit integers, the length of each of the
twelve columns as a 32-bit integer (-1 for a missing value), then the columns one after the other; all
integers big-endian. A name is its text, not its number in this store; texts are UTF-8 as they are stored,
metadata is its JSON text to the byte, severity is one decimal digit, the original is the compressed bytes.
Nothing is brought into a canonical form: what is hashed is what is stored.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct
from typing import TYPE_CHECKING

from audit_tui.core.evidence.merkle import LEAF_MARK

if TYPE_CHECKING:
    from collections.abc import Sequence

RECORD_VERSION = 1
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
HEADER = Struct(f">cBqq{len(COLUMNS)}i")
"""What stands before the columns, the mark of a leaf first."""
MISSING = (-1, b"")
"""The length and the bytes of a missing value."""


def column_bytes(value: str | int | bytes | None) -> tuple[int, bytes]:
    """A value's length and bytes as they stand in a record."""
    if value is None:
        return MISSING
    data = value if isinstance(value, bytes) else str(value).encode()
    return len(data), data


def event_leaf(seq: int, occurred_us: int, columns: Sequence[str | int | bytes | None]) -> bytes:
    """The leaf of one event, from its columns in the order of ``COLUMNS``."""
    parts = [column_bytes(value) for value in columns]
    header = HEADER.pack(LEAF_MARK, RECORD_VERSION, seq, occurred_us, *(length for length, _ in parts))
    return sha256(header + b"".join(data for _, data in parts)).digest()
