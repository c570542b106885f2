"""The text index in the file: two tables, and the parts that each stretch of events has.

A stretch covers consecutive seqs of one block of 65,536, so that a seq in it is a *row* of two bytes. Its
texts lie folded (``str.casefold``), those of one part joined by a byte that UTF-8 never has.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.errors import StoreDamaged

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

BLOCK_EVENTS = 1 << 16
"""Seqs in a block: the values of a Roaring container."""
SEPARATOR = b"\xff"
"""Stands between texts, before the first and behind the last."""
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
"""A part is unpacked up to here: a small one may hold a huge one."""
LEVEL = 5
"""Of zlib."""


class Stretch(NamedTuple):
    """Consecutive seqs, both ends inside."""

    first_seq: int
    last_seq: int


class Part(IntEnum):
    """The parts of a stretch; the value is its number in the file."""

    DICTIONARY = 0
    """Fields, frequent texts and words, and the places of their bitmaps."""
    DICTIONARY_CASE = 1
    """The frequent texts as they were before they were folded."""
    LETTERS = 0x100
    """Plus a byte of ASCII: the rows in whose texts it stands."""
    BITMAPS = 0x1000
    """Plus the number of the chunk."""
    GROUPS = 0x2000
    """Plus sixteen times the number of the group, plus a ``GroupPart``."""


class GroupPart(IntEnum):
    """The parts of a group of rare texts."""

    TEXTS = 0
    """Folded, in the order of their originals."""
    RARE_PIECES = 1
    """Of each text the pieces that are not frequent in the group; only where pieces are told apart."""
    ROWS = 2
    """The number of rows of each text, the rows, and of a mixed group the fields of each text."""
    CASE = 3
    """The texts as they were before they were folded."""
    PAIRS_OF_BYTES = 4
    """All pairs of bytes in the texts, or in the rare pieces."""
    FOURS = 5
    """Hashes of all runs of four bytes, but for those inside of frequent pieces."""
    EIGHTS = 6
    """Hashes of a quarter of all runs of eight bytes; only where nearly all fours occur."""


STRETCHES = "text_stretches"
STRETCH_PARTS = "text_stretch_parts"
TABLES: dict[str, tuple[str, ...]] = {
    STRETCHES: ("first_seq", "last_seq", "events", "stamp"),
    STRETCH_PARTS: ("place", "data"),
}
"""They may be missing; where they exist, they have these columns."""
_PLACES = 1 << 15
_CREATE = (
    """
CREATE TABLE IF NOT EXISTS text_stretches (
    first_seq INTEGER PRIMARY KEY, -- of the seqs that it covers
    last_seq INTEGER NOT NULL,
    events INTEGER NOT NULL,       -- how many of them are in the store
    stamp INTEGER NOT NULL         -- random: another one when it is built again
) STRICT
""",
    """
CREATE TABLE IF NOT EXISTS text_stretch_parts (
    place INTEGER PRIMARY KEY, -- first_seq * 32768 + the number of the part
    data BLOB NOT NULL
) STRICT
""",
)


def create(connection: sqlite3.Connection) -> None:
    """Make the tables where they are missing, inside the caller's transaction."""
    for statement in _CREATE:
        connection.execute(statement)


def drop(connection: sqlite3.Connection) -> None:
    """Take the tables away, inside the caller's transaction."""
    for table in TABLES:
        connection.execute(f"DROP TABLE IF EXISTS {table}")


def exists(connection: sqlite3.Connection) -> bool:
    """Tell whether the store has a text index."""
    statement = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (?, ?)"
    return bool(connection.execute(statement, tuple(TABLES)).fetchone()[0] == len(TABLES))


def place_of(first_seq: int, part: int) -> int:
    """Return the number of the row that holds a part of a stretch."""
    return first_seq * _PLACES + part


def block_of(seq: int) -> int:
    """Return the seq that has row 0 in the block of a seq."""
    return seq - seq % BLOCK_EVENTS


def damaged(what: str) -> StoreDamaged:
    """Return the error for a part that does not hold what it should."""
    return StoreDamaged(f"The text index {what}.", "Rebuild it: audit-tui reindex")


def joined(frames: Sequence[bytes]) -> bytes:
    """Return frames as one part."""
    head = json.dumps([len(frame) for frame in frames]).encode()
    return b"".join([len(head).to_bytes(4, "little"), head, *frames])


def deflated(part: bytes) -> bytes:
    """Return a part as it is stored where it is stored compressed."""
    return zlib.compress(part, LEVEL)


def inflated(data: object, most_bytes: int = MAX_UNPACKED_BYTES) -> bytes:
    """Return what a part holds, uncompressed.

    Args:
        data: The part.
        most_bytes: A larger one is damaged.

    Raises:
        StoreDamaged: If it is missing, damaged or too large.
    """
    if not isinstance(data, bytes):
        raise damaged("lacks a part")
    unpacker = zlib.decompressobj()
    try:
        whole = unpacker.decompress(data, most_bytes)
    except zlib.error as error:
        raise damaged("has a part that cannot be unpacked") from error
    if not unpacker.eof or unpacker.unused_data:
        raise damaged("has a part that is not whole")
    return whole


def stored_numbers(code: str, numbers: Iterable[int]) -> bytes:
    """Return numbers as they lie in the file, little-endian.

    Args:
        code: ``H`` for two bytes each, ``I`` for four.
        numbers: From 0 on.
    """
    values = array(code, numbers)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def read_numbers(code: str, data: bytes) -> array[int]:
    """Return the numbers that ``stored_numbers`` wrote.

    Raises:
        StoreDamaged: If the bytes are not that many numbers.
    """
    values = array(code)
    if len(data) % values.itemsize:
        raise damaged("has half a number")
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values
