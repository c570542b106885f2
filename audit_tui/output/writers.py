"""Events as JSON, CSV and Markdown for other programs, as a table for people.

Everything is written as it comes, so memory does not grow with the result. JSON and CSV are data and
always UTF-8. What goes to people, or to a terminal, is cleaned; what goes into a spreadsheet cannot become
a formula, unless that is asked for.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from io import TextIOWrapper
from typing import TYPE_CHECKING, Protocol

from audit_tui.core.columns import COLUMNS, LIST_COLUMNS
from audit_tui.core.event_fields import metadata_text
from audit_tui.core.event_text import (
    cleaned_whole,
    defused,
    escaped_markdown,
    json_text,
    markdown_head,
    markdown_row,
)
from audit_tui.core.export import ExportResult, Format
from audit_tui.core.filter.filters import MetaField
from audit_tui.core.lazy_pattern import lazy_pattern
from audit_tui.core.new_file import FileKind, new_file
from audit_tui.core.text import clean_visible
from audit_tui.core.time.dates import local_time
from audit_tui.output.text_table import table_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.event_fields import EventField
    from audit_tui.core.export import ExportJob, Writing
    from audit_tui.core.query import EventQuery


_NEEDS_QUOTES = lazy_pattern(r'[",\r\n]')


def write_events(events: Iterable[AuditEvent], out: TextIO, writing: Writing) -> int:
    """Write events as they come.

    Args:
        events: The events, in the order wanted.
        out: Where to.
        writing: How.

    Returns:
        How many events were written.
    """
    count = 0

    def counted() -> Iterator[AuditEvent]:
        nonlocal count
        for event in events:
            count += 1
            yield event

    _prepare(out, writing.format)
    for text in _WRITERS[writing.format](counted(), writing):
        out.write(text)
    return count


def _prepare(out: TextIO, chosen: Format) -> None:
    """Let no character of the data end the output half way."""
    if isinstance(out, TextIOWrapper):
        out.reconfigure(encoding="utf-8" if chosen.is_data else None, errors="backslashreplace")


def _jsonl(events: Iterator[AuditEvent], writing: Writing) -> Iterator[str]:
    for event in events:
        yield json_text(event, writing.columns) + "\n"


def _json(events: Iterator[AuditEvent], writing: Writing) -> Iterator[str]:
    first = next(events, None)
    if first is None:
        yield "[]\n"
        return
    yield f"[\n{json_text(first, writing.columns)}"
    for event in events:
        yield f",\n{json_text(event, writing.columns)}"
    yield "\n]\n"


def _csv(events: Iterator[AuditEvent], writing: Writing) -> Iterator[str]:
    keys: Sequence[EventField] = writing.columns or COLUMNS
    yield ",".join(csv_cell(key.value, writing) for key in keys) + "\n"
    for event in events:
        values = event.to_json()
        moment = local_time(event.occurred_us, writing.context.zone)
        values["time"] = moment.isoformat("T", "microseconds")
        values["metadata"] = json.dumps(event.metadata, ensure_ascii=False) if event.metadata else ""
        values |= {
            key.value: metadata_text(event.metadata, key.path) for key in keys if isinstance(key, MetaField)
        }
        yield ",".join(csv_cell(values[key.value], writing) for key in keys) + "\n"


def csv_cell(value: object, writing: Writing) -> str:
    """A value as a cell of CSV, in quotes where it needs them."""
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str):
        if not writing.is_raw:
            text = defused(text)
        if writing.width_cells is not None:
            text = cleaned_whole(text)
        elif writing.is_for_pipe:
            text = "\n".join(map(_visible, text.split("\n")))
    # The csv module of Python 3.11 leaves a lone CR unquoted and then cannot read it back.
    return '"{}"'.format(text.replace('"', '""')) if _NEEDS_QUOTES.search(text) else text


def _visible(line: str) -> str:
    return cleaned_whole(line, clean_visible)


def _markdown(events: Iterator[AuditEvent], writing: Writing) -> Iterator[str]:
    keys: Sequence[EventField] = writing.columns or LIST_COLUMNS
    yield markdown_head(keys, writing.context)
    for event in events:
        yield markdown_row(event, keys, writing.context)
    if writing.seal_words:
        yield f"\nSeals: {escaped_markdown(writing.seal_words)}\n"


_WRITERS = {
    Format.TABLE: table_lines,
    Format.JSONL: _jsonl,
    Format.JSON: _json,
    Format.CSV: _csv,
    Format.MARKDOWN: _markdown,
}


_KEY = rf"(?:{'|'.join(COLUMNS)}|\"?meta\.[^\n,]*)"
_OF_EXPORT = re.compile(
    rf"""(?:{_KEY})(?:,(?:{_KEY}))*\n | (?:\[\n)?\{{"(?:{_KEY})": | \[\]\n | \|\ [^\n]*\|\n\|\ -""".encode(),
    re.VERBOSE,
)
"""Beginnings of CSV, JSON lines, JSON and Markdown as ``writers`` writes them."""
EXPORT = FileKind("an export", lambda head: _OF_EXPORT.match(head) is not None)
"""Files that an export may take the place of: older exports, of whatever format and columns."""
PROGRESS_EVENTS = 250
"""Events from one report of progress to the next: about a hundred a second."""


class EventSource(Protocol):
    """A source that gives all events of a result, one after the other."""

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        """The events in the result's order, in constant memory."""
        ...

    def close(self) -> None:
        """Let the source go."""
        ...


class FileExporter:
    """Writes the events of one source to files; implements ``core.export.Exporter``.

    Args:
        open_source: Opens the source, in the thread that exports.
        never_over: Files that must not be replaced, whatever they are called: the source itself.
    """

    def __init__(self, open_source: Callable[[], EventSource], never_over: Sequence[Path] = ()) -> None:
        self._open_source = open_source
        self._never_over = tuple(never_over)

    def __call__(
        self, job: ExportJob, on_progress: Callable[[int], None], cancel: CancelToken
    ) -> ExportResult:
        """Write one file, whole or not at all."""
        cancel.check()

        def told(events: Iterator[AuditEvent]) -> Iterator[AuditEvent]:
            for number, event in enumerate(events):
                if number % PROGRESS_EVENTS == 0:
                    cancel.check()
                    on_progress(number)
                yield event

        with (
            closing(self._open_source()) as source,
            new_file(job.path, EXPORT, never_over=self._never_over, may_replace=job.may_replace) as stream,
        ):
            count = write_events(told(source.events(job.query, cancel)), stream, job.writing)
            cancel.check()
        return ExportResult(job.path, count)
