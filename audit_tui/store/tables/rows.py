"""An event as the columns of a row, and back."""

from __future__ import annotations

import os
import time
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.event import MAX_SEVERITY, MAX_US, MIN_US, AuditEvent, Outcome, json_text
from audit_tui.core.event_fields import metadata_text, metadata_texts
from audit_tui.core.json_encoding import read_json
from audit_tui.errors import StoreDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_ORIGINAL_BYTES = 64 * 1024 * 1024
"""An original is unpacked up to here: a small blob may hold a huge one."""
MAX_STRAY_BYTES = 4_096
"""This much is shown of bytes where a text should be."""
NOT_JSON = "(not a JSON object)"
"""The key under which metadata that cannot be parsed is shown."""


class Draft(NamedTuple):
    """An event ready to be stored, but for its place and the numbers of its names."""

    key: str
    occurred_us: int
    event: str
    category: str | None
    user: str | None
    description: str | None
    outcome: str
    severity: int | None
    source_ip: str | None
    target: str | None
    source: str | None
    metadata: str | None
    original: bytes | None
    unless: str | None = None
    """The key of an event that says the same and more: with it in the store this one is not stored."""


class StoredRow(NamedTuple):
    """The columns of ``events`` as they are written."""

    seq: int
    key: str
    occurred_us: int
    event_id: int
    category_id: int | None
    user_id: int | None
    description: str | None
    outcome: str
    severity: int | None
    source_ip: str | None
    target: str | None
    source_id: int | None
    metadata: str | None
    original: bytes | None


def stored_text(text: str) -> str:
    r"""A text as the store can hold and find it again.

    Lone surrogates, which UTF-8 cannot hold, become ``\udc80``; NUL, at which SQLite's text functions end,
    becomes its picture. Filters put their values through this too.
    """
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\0", "\u2400") if "\0" in text else text


def draft(
    event: AuditEvent, unless: str | None = None, text_of: Callable[[object], str] = json_text
) -> Draft:
    """Make an event ready to be stored.

    Args:
        event: The event.
        unless: The key of an event that says the same and more; None when there can be none.
        text_of: Writes the metadata as ``json_text`` does.

    Raises:
        ValueError: If a time or severity is out of range, or the metadata is not JSON.
    """
    if not MIN_US <= event.occurred_us <= MAX_US:
        raise ValueError(f"the time {event.occurred_us} µs is outside the years 1 to 9999")
    if event.severity is not None and not 0 <= event.severity <= MAX_SEVERITY:
        raise ValueError(f"the severity {event.severity} is not 0 to {MAX_SEVERITY}")
    return Draft(
        # A plain text: a ContentKey cannot be marshalled from one process to another.
        random_key() if event.key is None else stored_text(str(event.key)),
        event.occurred_us,
        stored_text(event.event),
        _optional(event.category),
        _optional(event.user),
        _optional(event.description),
        event.outcome.value,
        event.severity,
        _optional(event.source_ip),
        _optional(event.target),
        _optional(event.source),
        _metadata_text(event.metadata, text_of),
        None if event.original is None else zlib.compress(event.original),
        None if unless is None else stored_text(unless),
    )


def random_key() -> str:
    """A key that no other event has: the time, so that the index grows at its end, and 80 random bits."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def _optional(text: str | None) -> str | None:
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return stored_text(text)


def _metadata_text(metadata: dict[str, Any], text_of: Callable[[object], str]) -> str | None:
    if not metadata:
        return None
    try:
        return text_of(metadata)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"the metadata is not JSON: {error}") from error


def read_event(values: tuple[Any, ...]) -> AuditEvent:
    """An event from the columns of ``sql.EVENT``, whatever the file holds.

    Raises:
        StoreDamaged: If a number is not a number.
    """
    (seq, key, occurred_us, event, category, user, description, outcome, severity, source_ip, target, source,
     metadata, original) = values  # fmt: skip
    return AuditEvent(
        seq=whole(seq),
        key=read_text(key),
        occurred_us=time_or_zero(occurred_us),
        event=read_text(event) or "",
        category=read_text(category),
        user=read_text(user),
        description=read_text(description),
        outcome=read_outcome(outcome),
        severity=read_severity(severity),
        source_ip=read_text(source_ip),
        target=read_text(target),
        source=read_text(source),
        metadata=_read_metadata(metadata),
        original=None if original is None else _unpack(original),
    )


def whole(value: object) -> int:
    """A whole number from the file.

    Raises:
        StoreDamaged: If something else is there.
    """
    if isinstance(value, int):
        return value
    raise StoreDamaged("An event holds something else where a number should be.", "Verify the store.")


def time_or_zero(value: object) -> int:
    """Return a time from the file; 1970 where something else stands, so that the other events can be seen.

    ``verify`` names such an event.
    """
    return value if isinstance(value, int) else 0


def read_count(text: object) -> int:
    """A number kept as text among the notes; 0 where something else is there."""
    try:
        return max(0, int(str(text)))
    except ValueError:
        return 0


def read_text(value: object) -> str | None:
    """A text from the file, also where a damaged one holds something else."""
    if value is None or isinstance(value, str):
        return value
    # Bytes take four letters each: of 60 MB that was 1 GB and half a minute.
    return str(value[:MAX_STRAY_BYTES] if isinstance(value, bytes) else value)


def read_outcome(value: object) -> Outcome:
    """An outcome from the file; anything that is none is unknown."""
    try:
        return Outcome(str(value))
    except ValueError:
        return Outcome.UNKNOWN


def read_severity(value: object) -> int | None:
    """A severity from the file; None where it is none."""
    return value if isinstance(value, int) and 0 <= value <= MAX_SEVERITY else None


def read_fields(metadata: object, paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the names and texts of fields of stored metadata; what is not there is left out."""
    return metadata_texts(_read_metadata(metadata), paths)


def read_field(metadata: object, path: str) -> str | None:
    """Return the text of a field of stored metadata; None where it is not there."""
    return metadata_text(_read_metadata(metadata), path) if metadata is not None else None


def _read_metadata(text: object) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = read_json(read_text(text) or "")
    except (ValueError, RecursionError):
        return {NOT_JSON: read_text(text)}
    return value if isinstance(value, dict) else {NOT_JSON: value}


def _unpack(data: object) -> bytes:
    """Return what was packed; the bytes as they are when they were not packed, or not whole."""
    if not isinstance(data, bytes):
        return str(data).encode("utf-8", "backslashreplace")
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, MAX_ORIGINAL_BYTES)
    except zlib.error:
        return data
    return unpacked if unpacker.eof or len(unpacked) == MAX_ORIGINAL_BYTES else data
