"""Events as JSON, CSV and Markdown for other programs, as a table for people.

Everything is written as it comes, so memory does not grow with the result. JSON and CSV are data and
always UTF-8. What goes to people, or to a terminal, is cleaned; what goes into a spreadsheet cannot become
a formula, unless that is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from audit_tui.core.columns import COLUMNS, LIST_COLUMNS, Column, ListColumn
from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.event_fields import metadata_text
from audit_tui.core.event_text import (
    FAILED_MARK,
    cell_text,
    cleaned_whole,
    defused,
    escaped_markdown,
    heading,
    json_text,
    markdown_head,
    markdown_row,
)
from audit_tui.core.export import ExportResult, Format
from audit_tui.core.filter.filters import MetaField
from audit_tui.core.new_file import FileKind, new_file
from audit_tui.core.text import cells_of, clean_visible, cut, lazy_pattern
from audit_tui.core.time.zones import local_time

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event_fields import EventField
    from audit_tui.core.export import ExportJob, Writing
    from audit_tui.core.query import EventQuery


_NEEDS_QUOTES = lazy_pattern(r'[",\r\n]')


def write_events(events: Iterable[AuditEvent], out: TextIO, writing: Writing) -> int:
    """Write events as they come.

    Returns:
        How many events were written.
    """
    count = 0

    def counted() -> Iterator[AuditEvent]:
        nonlocal count
        for event in events:
            count += 1
            yield event

    prepare(out, writing.format)
    for text in _WRITERS[writing.format](counted(), writing):
        out.write(text)
    return count


def prepare(out: TextIO, chosen: Format) -> None:
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

    The source is opened in the thread that exports.
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


SAMPLE_ROWS = 200
"""The number of events that decide the widths of a table's columns; all of them would have to be held."""
SAMPLE_CHARS = 4_000_000
"""The sample ends here too: the cells of 200 events may be 3 GB."""
WIDEST_CELLS = 60
"""The widest column that the others are lined up behind when nothing is cut."""
NARROWEST_CELLS = 6
"""The narrowest that a column becomes to fit a terminal."""
GAP = "  "


def table_lines(events: Iterator[AuditEvent], writing: Writing) -> Iterator[str]:
    """The lines of a table, each with its end; none when there are no events."""
    context, width_cells = writing.context, writing.width_cells
    columns: Sequence[EventField] = writing.columns or _columns_for(width_cells)

    def row_of(event: AuditEvent) -> list[str]:
        mark = FAILED_MARK if event.outcome is Outcome.FAILURE else " "
        return [mark, *(cell_text(event, column, context) for column in columns)]

    sample: list[list[str]] = []
    chars = 0
    for row in map(row_of, islice(events, SAMPLE_ROWS)):
        sample.append(row)
        chars += sum(map(len, row))
        if chars > SAMPLE_CHARS:
            break
    if not sample:
        return
    headings = [heading(column, context, is_zone_told=width_cells is None) for column in columns]
    natural = [
        max(cells_of(label), *(cells_of(row[place]) for row in sample))
        for place, label in enumerate(headings, 1)
    ]
    widths = _fit(natural, columns, width_cells)
    yield f" {_table_row(headings, widths, width_cells)}"
    for mark, *cells in chain(sample, map(row_of, events)):
        yield mark + _table_row(cells, widths, width_cells)


def _columns_for(width_cells: int | None) -> tuple[ListColumn, ...]:
    """The columns that there is room for, as on the screen: event, user and date always stay."""
    columns = list(LIST_COLUMNS)
    if width_cells is not None and width_cells < 80:
        columns.remove(Column.CATEGORY)
    if width_cells is not None and width_cells < 60:
        columns.remove(Column.DESCRIPTION)
    return tuple(columns)


def _fit(natural: Sequence[int], columns: Sequence[EventField], width_cells: int | None) -> list[int]:
    """The widths of the columns: the last takes what is left, the widest of the others give way."""
    widths = [min(cells, WIDEST_CELLS) for cells in natural]
    if width_cells is None:
        return widths
    room = width_cells - 1 - len(GAP) * (len(widths) - 1)
    # A date that is cut says nothing.
    givers = [index for index, column in enumerate(columns) if column is not Column.TIME]
    while givers and sum(widths) > room:
        widest = max(givers, key=lambda index: (widths[index], index))
        if widths[widest] <= NARROWEST_CELLS:
            break
        widths[widest] -= 1
    widths[-1] = max(widths[-1], room - sum(widths[:-1]))
    return widths


def _table_row(cells: Sequence[str], widths: Sequence[int], width_cells: int | None) -> str:
    fill = _filled if width_cells is None else padded
    return GAP.join(fill(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n"


def padded(text: str, width_cells: int) -> str:
    """Return a cleaned text in exactly this many cells."""
    return _filled(cut(text, width_cells), width_cells)


def _filled(text: str, width_cells: int) -> str:
    return text + " " * (width_cells - cells_of(text))


_WRITERS = {
    Format.TABLE: table_lines,
    Format.JSONL: _jsonl,
    Format.JSON: _json,
    Format.CSV: _csv,
    Format.MARKDOWN: _markdown,
}
