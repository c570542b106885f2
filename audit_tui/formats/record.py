"""What a log format is: how a record is recognised and how it becomes an event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.event import AuditEvent

MAX_RECORD_CHARS = 16 * 1024 * 1024
"""A longer record is rejected: one line of a gzip bomb would otherwise fill the memory."""

Fields: TypeAlias = dict[str, Any]
"""A record's fields as decoded: a JSON object, or a CSV row by its header."""


class Shape(Enum):
    """How a file divides into records, before anyone knows what they mean."""

    JSON = "json"
    CSV = "csv"


class Record(NamedTuple):
    """One record of a file, decoded but not yet understood."""

    fields: Fields
    line: int
    """The line of the file on which it begins, from 1."""
    number: int | None
    """Which record of its list it is, from 1; None where the line alone says it."""
    text: str
    """The record's own text; bytes that are not UTF-8 stand as lone surrogates (``surrogateescape``)."""
    is_lossy: bool
    """``fields`` do not say all that ``text`` does (a key given twice, NaN, bytes that are no text)."""


class Reject(NamedTuple):
    """A record that could not be imported, with its place."""

    file: str
    line: int
    number: int | None
    """Which record of its list it is, from 1; None where the line alone says it."""
    reason: str
    """Why, as the end of a sentence; may quote data, so clean it before it is shown."""
    text: str
    """The record as it stood in the file; cut when it was longer than a record may be."""

    @property
    def place(self) -> str:
        """Where it stands, ``FILE:LINE`` or ``FILE:LINE (record N)``; hostile until cleaned."""
        record = "" if self.number is None else f" (record {self.number:,})"
        return f"{self.file}:{self.line}{record}"


class RecordError(Exception):
    """A record cannot become an event.

    Args:
        reason: Why, as the end of a sentence: "no time was found".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of audit log."""

    name: str
    """What ``--format`` calls it."""
    title: str
    """What people call it."""
    shapes: frozenset[Shape]
    """In which kinds of file it comes."""
    detect: Callable[[Fields], bool]
    """Whether a decoded record is of this format; cheap, and never raises."""
    map: Callable[[Fields], AuditEvent]
    """The event of a decoded record, which it leaves as it is. Raises RecordError when there is none."""
