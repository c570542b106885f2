"""The nature of a log format: how a record is recognised and how it becomes an event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from audit_tui.core.event import AuditEvent

MAX_RECORD_CHARS = 16 * 1024 * 1024
"""A longer record is rejected: one line of a gzip bomb would otherwise fill the memory."""

Fields: TypeAlias = dict[str, Any]
"""A record's fields as decoded: a JSON object, or a CSV row by its header."""


class Shape(Enum):
    """The way a file divides into records, before anyone knows what they mean."""

    JSON = "json"
    CSV = "csv"
    LINES = "lines"
    """Text that its format divides itself (``Lines``)."""


class LogText(Protocol):
    """The text of one log, as a format that divides it itself reads it."""

    name: str
    """The name that messages use; hostile until cleaned."""
    modified_s: float | None
    """When its file was last written, in seconds since 1970; None where that is not known, or it still is."""

    def remark(self, note: str) -> None:
        """Note how it was read, as the end of a sentence that begins with its name."""
        ...

    def lines(self) -> Iterator[str]:
        r"""The lines, each with its ``\n``; an empty text where an open source pauses for a second."""
        ...


class Record(NamedTuple):
    """One record of a file, decoded but not yet understood."""

    fields: Fields
    line: int
    """The line of the file on which it begins, from 1."""
    number: int | None
    """The number of the record in its list, from 1; None where the line alone says it."""
    text: str
    """The record's own text; bytes that are not UTF-8 stand as lone surrogates (``surrogateescape``)."""
    is_lossy: bool
    """``fields`` do not say all that ``text`` does (a key given twice, NaN, bytes that are not a text)."""
    prefix: str = ""
    """The text that stood before it in its line, as syslog or a collector puts it there."""


class Reject(NamedTuple):
    """A record that could not be imported, with its place."""

    file: str
    line: int
    number: int | None
    """The number of the record in its list, from 1; None where the line alone says it."""
    reason: str
    """Why, as the end of a sentence; may quote data, so clean it before it is shown."""
    text: str
    """The record as it stood in the file; cut when it was longer than a record may be."""

    @property
    def place(self) -> str:
        """The place of the record, ``FILE:LINE`` or ``FILE:LINE (record N)``; hostile until cleaned."""
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
class Lines:
    """The way a log that is neither JSON nor CSV divides into records."""

    begins: Callable[[str], bool]
    """Tell whether a file that begins so (``LogText.head``, some lines) is of this format; never raises.

    A line or two that are odd must not hide the others."""
    records: Callable[[LogText], Iterator[Record | Reject]]
    """The records of a file, from ``LogText.lines()``; what cannot be read becomes a Reject, nothing is lost.

    Where one event takes several lines, its Record has the line on which it begins, and the lines that
    belong to it as its text. ``lines()`` gives an empty text where nothing came for a second from a source
    that stays open: hand over what waits for more lines then, and at the end."""
    is_last: bool = False
    """A file is of it only where it is neither CSV nor JSON."""


class Halves(NamedTuple):
    """The two records in which a format tells one act: that it was asked for, and how it ended."""

    asked: str
    """The end of the key of the first, ``:request``. Without it the act was attempted."""
    ended: str
    """The end of the key of the second, which tells all that the first one does."""
    join: Callable[[AuditEvent, AuditEvent], AuditEvent]
    """Gives the event of both, the second with what only the first one says."""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of audit log: how its records are recognised and how each becomes an event.

    See ``audit_tui.formats`` for how to add one.
    """

    name: str
    """The name that ``--format`` takes, and the source of its events: lower case, ``[a-z0-9-]``."""
    title: str
    """The name that people use."""
    shapes: frozenset[Shape]
    """In which kinds of file it comes. JSON in the cells of a CSV file, or in a text inside JSON, is JSON."""
    detect: Callable[[Fields], bool]
    """Tell whether a decoded record is of this format; cheap, and never raises, whatever the values are.

    For a format that comes as CSV: also whether a header is, whose names then have empty texts."""
    map: Callable[[Fields], AuditEvent]
    """The event of a decoded record, which it leaves as it is. Raises RecordError when there is none.

    What the columns do not give back exactly stays in the metadata as it was."""
    marks: frozenset[str] = frozenset()
    """Every record of it has at least one of these keys: without any of them ``detect`` is not asked.

    Empty to be asked always, which slows all other logs down a little."""
    check_of: Callable[[Iterable[str]], Callable[[Fields], bool] | None] | None = None
    """Gives for the keys of records what tells whether one is of it, in the place of ``detect``.

    It is asked once for records with the same keys; it gives None where they rule the format out."""
    split: Callable[[Fields], Sequence[Fields]] | None = None
    """The parts of a record that tells several events, each mapped by itself; None where one tells one.

    May raise RecordError. A record without parts is rejected."""
    halves: Halves | None = None
    """The way two of its records are one act; None where each is one by itself."""
    lines: Lines | None = None
    """The way its files are read, when its shape is LINES."""
