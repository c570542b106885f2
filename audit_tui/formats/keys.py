"""Keys of records that have no id of their own: distinct records have distinct keys, in every import."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from audit_tui.formats.decoding import usual_canonical

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

REMEMBERED_RECORDS = 50_000
"""Identical lines are counted when no more than 50,000 to 100,000 others lie between them (about 15 MB). Only
the records decide what is forgotten, so that the same file gives the same keys every time."""
_DIGEST_BYTES = 16


class ContentKey(str):
    """A key that was made from what a record holds; any other key is an id that the record names itself."""

    __slots__ = ()


def content_key(source: str, fields: Fields) -> ContentKey:
    """Return a key for a record without an id of its own: the same content gives the same key.

    Args:
        source: The format's name; equal records of two formats are two events.
        fields: The record; the order of its keys does not matter.
    """
    return ContentKey(f"{source}:{_digest(usual_canonical(fields))}")


class RepeatedRecords:
    """Tells apart the records of one file whose content key is the same."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._older: dict[int, int] = {}

    def key(self, key: str | None, text: str, *, is_lossy: bool) -> str | None:
        """Return the key of the next record: of an identical line it ends in its number, from ``#2``.

        The same content in other words (a record that is delivered again with another row number of the
        warehouse) keeps its key, and is one event.

        Args:
            key: As its format made it; one that is not a ``ContentKey`` stays.
            text: The record as it stands in the file.
            is_lossy: Whether the fields, and so the key, do not say all that the text says.
        """
        if not isinstance(key, ContentKey):
            return key
        if is_lossy:
            key = ContentKey(f"{key}:{_digest(text.encode('utf-8', 'surrogateescape'))}")
        record = hash((key, text))
        count = self._counts.get(record, self._older.get(record, 0)) + 1
        if len(self._counts) >= REMEMBERED_RECORDS:
            self._counts, self._older = {}, self._counts
        self._counts[record] = count
        return key if count == 1 else f"{key}#{count}"


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()
