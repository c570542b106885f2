"""Totals in the formats of events: a value or a span of time a line, with its number of events."""

from __future__ import annotations

from io import TextIOWrapper
from typing import TYPE_CHECKING

from audit_tui.core.event import iso_utc
from audit_tui.core.event_text import MISSING, cleaned_whole, escaped_markdown, safe_json, told_time
from audit_tui.core.export import Format
from audit_tui.core.record import Record
from audit_tui.core.text import cells_of, clean, cut, thousands
from audit_tui.core.time.zones import local_time
from audit_tui.output.text_table import GAP
from audit_tui.output.writers import csv_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from audit_tui.core.export import Writing
    from audit_tui.core.query import FacetField, ValueCount
    from audit_tui.core.time.dates import TimeContext

BAR_CELLS = 40
"""The longest bar; on a narrow terminal as much as is left."""
_BLOCKS = " ▏▎▍▌▋▊▉█"
"""From nothing to a whole cell."""


class Bucket(Record):
    """The number of events in a span of time, half-open."""

    start_us: int
    end_us: int
    events: int


class _Line(Record):
    """A total, said in each way."""

    data: dict[str, object]
    csv: tuple[object, ...]
    cell: str
    """The thing that is counted, for people."""
    events: int


def write_facets(field: FacetField, values: Sequence[ValueCount], out: TextIO, writing: Writing) -> None:
    """Write the values of a field with their numbers of events."""
    lines = [
        _Line(
            {"value": value.value, "events": value.events},
            (value.value, value.events),
            MISSING if value.value is None else cleaned_whole(value.value),
            value.events,
        )
        for value in values
    ]
    _write(lines, ("value", "events"), clean(field.label), out, writing)


def write_histogram(buckets: Sequence[Bucket], out: TextIO, writing: Writing) -> None:
    """Write the spans of time with their numbers of events; JSON in UTC, the others in the zone."""
    lines = [
        _Line(
            {"start": iso_utc(bucket.start_us), "end": iso_utc(bucket.end_us), "events": bucket.events},
            (
                _csv_time(bucket.start_us, writing.context),
                _csv_time(bucket.end_us, writing.context),
                bucket.events,
            ),
            told_time(bucket.start_us, writing.context),
            bucket.events,
        )
        for bucket in buckets
    ]
    _write(lines, ("start", "end", "events"), "Start", out, writing)


def _csv_time(occurred_us: int, context: TimeContext) -> str:
    return local_time(occurred_us, context.zone).isoformat("T", "microseconds")


def _write(lines: Sequence[_Line], keys: tuple[str, ...], label: str, out: TextIO, writing: Writing) -> None:
    if isinstance(out, TextIOWrapper):
        out.reconfigure(encoding="utf-8" if writing.format.is_data else None, errors="backslashreplace")
    for text in _texts(lines, keys, label, writing):
        out.write(text)


def _texts(lines: Sequence[_Line], keys: tuple[str, ...], label: str, writing: Writing) -> Iterable[str]:
    match writing.format:
        case Format.JSONL:
            return [f"{safe_json(line.data)}\n" for line in lines]
        case Format.JSON:
            inside = ",\n".join(safe_json(line.data) for line in lines)
            return [f"[\n{inside}\n]\n" if lines else "[]\n"]
        case Format.CSV:
            rows = [",".join(csv_cell(cell, writing) for cell in line.csv) for line in lines]
            return [f"{row}\n" for row in (",".join(keys), *rows)]
        case Format.MARKDOWN:
            rows = [f"| {escaped_markdown(line.cell)} | {line.events} |\n" for line in lines]
            return [f"| {label} | Events |\n| --- | ---: |\n", *rows]
        case Format.TABLE:
            return _table(lines, label, writing)


def _table(lines: Sequence[_Line], label: str, writing: Writing) -> Iterator[str]:
    if not lines:
        return
    numbers = [thousands(line.events) for line in lines]
    number_cells = max(len("Events"), *map(len, numbers))
    most = max(line.events for line in lines)
    room = None if writing.width_cells is None else writing.width_cells - number_cells - len(GAP)
    widest = max(cells_of(label), *(cells_of(line.cell) for line in lines))
    width = widest if room is None else max(1, min(widest, room))
    bar_cells = BAR_CELLS if room is None else min(BAR_CELLS, room - width - len(GAP))
    yield f"{_padded(label, width)}{GAP}{'Events':>{number_cells}}\n"
    for line, number in zip(lines, numbers, strict=True):
        bar = _bar(line.events, most, bar_cells)
        yield f"{_padded(line.cell, width)}{GAP}{number:>{number_cells}}{GAP}{bar}".rstrip() + "\n"


def _padded(text: str, width_cells: int) -> str:
    shown = cut(text, width_cells)
    return shown + " " * (width_cells - cells_of(shown))


def _bar(events: int, most: int, cells: int) -> str:
    if cells <= 0 or not events:
        return ""
    whole, rest = divmod(max(1, events * cells * 8 // most), 8)
    return _BLOCKS[-1] * whole + _BLOCKS[rest].strip()
