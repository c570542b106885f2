"""An export: which events go where, and how they are written. Who writes them is told elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.record import Record

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event_fields import EventField
    from audit_tui.core.query import EventQuery
    from audit_tui.core.time.dates import TimeContext


class Format(StrEnum):
    """A form in which events are written; the value is the name in commands."""

    TABLE = "table"
    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "md"

    @property
    def label(self) -> str:
        """The name on the screen."""
        return _LABELS[self]

    @property
    def is_data(self) -> bool:
        """True when it is for other programs, and holds all that is known unless told otherwise."""
        return self in (Format.JSONL, Format.JSON, Format.CSV)


_LABELS = {
    Format.TABLE: "Table",
    Format.JSONL: "JSON lines",
    Format.JSON: "JSON",
    Format.CSV: "CSV",
    Format.MARKDOWN: "Markdown",
}
FILE_FORMATS = (Format.CSV, Format.JSONL, Format.JSON, Format.MARKDOWN)
"""The formats of files."""
_ENDINGS = {".ndjson": Format.JSONL, ".markdown": Format.MARKDOWN} | {
    f".{form.value}": form for form in FILE_FORMATS
}


def format_of(name: str) -> Format | None:
    """The format that a file's name asks for by its ending; None when it says nothing."""
    return _ENDINGS.get(PurePath(name).suffix.lower())


class Writing(Record):
    """The form in which events are written."""

    format: Format
    context: TimeContext
    """The zone of the times in tables, CSV and Markdown; JSON is in UTC."""
    columns: tuple[EventField, ...] | None = None
    """The columns in order; None is all in data, and those of the list in what is for people."""
    is_raw: bool = False
    """CSV as it is: a spreadsheet may take a cell for a formula."""
    width_cells: int | None = None
    """The width of the terminal that it is written to; None when it is none, and nothing is cut."""
    is_for_pipe: bool = False
    """CSV goes into a pipe, behind which there may be a terminal: what controls one is escaped."""
    seal_words: str = ""
    """The words of the seals about the events, which stand below a table in Markdown."""


class ExportJob(Record):
    """One file to write."""

    path: Path
    query: EventQuery
    """The events and their order: all of them are written."""
    writing: Writing
    may_replace: bool = True
    """True when a regular file of that name may be replaced."""


class ExportResult(Record):
    """A file that was written."""

    path: Path
    events: int
    """The number of events in it."""
    seal_words: str = ""
    """The words of the seals about the events; empty when nobody asked."""


Exporter: TypeAlias = "Callable[[ExportJob, Callable[[int], None], CancelToken], ExportResult]"
"""Writes one file, whole or not at all; blocks. Tells every now and then how many events are written; when it
is cancelled (QueryCancelled), nothing is left behind. FileExists if a file is in the way and must not be
replaced, FileError if the file cannot be written, StoreError if the events cannot be read."""
