"""Totals in the formats of events: values, spans of time, rules that hit, each with its number of events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from audit_tui.core.event import iso_utc
from audit_tui.core.event_text import MISSING, cleaned_whole, escaped_markdown, safe_json, told_time
from audit_tui.core.export import Format
from audit_tui.core.record import Record
from audit_tui.core.text import cells_of, clean, cut, thousands
from audit_tui.core.time.zones import local_time
from audit_tui.output.writers import GAP, WIDEST_CELLS, csv_cell, padded, prepare

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.export import Writing
    from audit_tui.core.investigate.detections import RuleInfo, RuleTotal
    from audit_tui.core.query import FacetField, ValueCount

BAR_CELLS = 40
"""The longest bar; on a narrow terminal as much as is left."""
_BLOCKS = " ▏▎▍▌▋▊▉█"
"""From nothing to a whole cell."""
_HEADINGS = ("Level", "Events", "Rule", "First", "Last", "Users", "Author")
_KEYS = ("rule_id", "level", "title", "author", "tags", "events", "silenced", "first", "last", "users")
_LEAST_CELLS = {"Author": 6, "Users": 8, "Rule": 16}
"""The columns that give way on a narrow terminal, the first first, and the least cells of each."""
MAX_USERS = 3
"""The users that a table names; the others are a number."""


class Bucket(Record):
    """The number of events in a span of time, half-open."""

    start_us: int
    end_us: int
    events: int


class _Row(Record):
    data: dict[str, Any]
    """For JSON, by the names of the columns."""
    cells: list[str]
    """For people, cleaned."""
    csv: dict[str, Any] = {}  # noqa: RUF012 - a record is frozen
    """Values that are otherwise in CSV."""


def write_facets(field: FacetField, values: Sequence[ValueCount], out: TextIO, writing: Writing) -> None:
    """Write the values of a field with their numbers of events."""
    rows = [
        _Row(
            {"value": value.value, "events": value.events},
            [MISSING if value.value is None else cleaned_whole(value.value), str(value.events)],
        )
        for value in values
    ]
    _write(rows, ("value", "events"), (clean(field.label), "Events"), _bars, out, writing)


def write_histogram(buckets: Sequence[Bucket], out: TextIO, writing: Writing) -> None:
    """Write the spans of time with their numbers of events; JSON in UTC, the others in the zone."""
    rows = [
        _Row(
            {"start": iso_utc(bucket.start_us), "end": iso_utc(bucket.end_us), "events": bucket.events},
            [told_time(bucket.start_us, writing.context), str(bucket.events)],
            {"start": _csv_time(bucket.start_us, writing), "end": _csv_time(bucket.end_us, writing)},
        )
        for bucket in buckets
    ]
    _write(rows, ("start", "end", "events"), ("Start", "Events"), _bars, out, writing)


def write_totals(totals: Sequence[RuleTotal], out: TextIO, writing: Writing) -> None:
    """Write the rules that hit; JSON in UTC, the others in the zone."""
    _write([_rule_row(total, writing) for total in totals], _KEYS, _HEADINGS, _rule_table, out, writing)


def hit_json(info: RuleInfo, event: AuditEvent) -> dict[str, Any]:
    """Return a hit for other programs: the rule with its author, as its licence wants, and the event."""
    return rule_json(info) | event.to_json()


def rule_json(info: RuleInfo) -> dict[str, Any]:
    """Return what tells of a rule beside its hit."""
    return {
        "rule_id": info.id,
        "rule_version": info.version,
        "title": info.title,
        "author": info.author,
        "level": info.level.word,
        "tags": list(info.tags),
    }


def _csv_time(occurred_us: int, writing: Writing) -> str:
    return local_time(occurred_us, writing.context.zone).isoformat("T", "microseconds")


def _write(
    rows: Sequence[_Row],
    keys: Sequence[str],
    headings: Sequence[str],
    table: Callable[[Sequence[_Row], Sequence[str], int | None], Iterable[str]],
    out: TextIO,
    writing: Writing,
) -> None:
    texts: Iterable[str]
    match writing.format:
        case Format.JSONL:
            texts = (f"{safe_json(row.data)}\n" for row in rows)
        case Format.JSON:
            inside = ",\n".join(safe_json(row.data) for row in rows)
            texts = [f"[\n{inside}\n]\n" if rows else "[]\n"]
        case Format.CSV:
            values = (row.data | row.csv for row in rows)
            lines = ([csv_cell(each[key], writing) for key in keys] for each in values)
            texts = (",".join(line) + "\n" for line in (keys, *lines))
        case Format.MARKDOWN:
            marks = ["---:" if name == "Events" else "---" for name in headings]
            cells = (map(escaped_markdown, row.cells) for row in rows)
            texts = (f"| {' | '.join(line)} |\n" for line in (headings, marks, *cells))
        case Format.TABLE:
            texts = table(rows, headings, writing.width_cells) if rows else ()
    prepare(out, writing.format)
    for text in texts:
        out.write(text)


def _bars(rows: Sequence[_Row], headings: Sequence[str], width_cells: int | None) -> Iterator[str]:
    numbers = [thousands(row.data["events"]) for row in rows]
    number_cells = max(len("Events"), *map(len, numbers))
    most = max(row.data["events"] for row in rows)
    room = None if width_cells is None else width_cells - number_cells - len(GAP)
    label, _ = headings
    widest = max(cells_of(label), *(cells_of(row.cells[0]) for row in rows))
    width = widest if room is None else max(1, min(widest, room))
    bar_cells = BAR_CELLS if room is None else min(BAR_CELLS, room - width - len(GAP))
    yield f"{padded(label, width)}{GAP}{'Events':>{number_cells}}\n"
    for row, number in zip(rows, numbers, strict=True):
        bar = _bar(row.data["events"], most, bar_cells)
        yield f"{padded(row.cells[0], width)}{GAP}{number:>{number_cells}}{GAP}{bar}".rstrip() + "\n"


def _bar(events: int, most: int, cells: int) -> str:
    if cells <= 0 or not events:
        return ""
    whole, rest = divmod(max(1, events * cells * 8 // most), 8)
    return _BLOCKS[-1] * whole + _BLOCKS[rest].strip()


def _rule_row(total: RuleTotal, writing: Writing) -> _Row:
    info = total.info
    values = (
        *(info.id, info.level.word, info.title, info.author, list(info.tags), total.events, total.silenced),
        *(iso_utc(total.first_us), iso_utc(total.last_us), list(total.users)),
    )
    csv = {
        "tags": " ".join(info.tags),
        "first": _csv_time(total.first_us, writing),
        "last": _csv_time(total.last_us, writing),
        "users": " ".join(total.users),
    }
    users = ", ".join(total.users[:MAX_USERS])
    if len(total.users) > MAX_USERS:
        users += f" +{len(total.users) - MAX_USERS}"
    times = (told_time(moment, writing.context) for moment in (total.first_us, total.last_us))
    cells = (info.level.word, thousands(total.events), info.title, *times, users or "-", info.author or "-")
    return _Row(dict(zip(_KEYS, values, strict=True)), [cleaned_whole(cell) for cell in cells], csv)


def _rule_table(rows: Sequence[_Row], headings: Sequence[str], width_cells: int | None) -> Iterator[str]:
    lines = [row.cells for row in rows]
    if width_cells is not None:
        # The zone of every time is the same, and a terminal is narrow.
        lines = [[*line[:3], *(cell[:16] for cell in line[3:5]), *line[5:]] for line in lines]
    widths = [min(WIDEST_CELLS, max(map(cells_of, column))) for column in zip(headings, *lines, strict=True)]
    for name, least in _LEAST_CELLS.items():
        place = headings.index(name)
        over = 0 if width_cells is None else sum(widths) + len(GAP) * 6 - width_cells
        if over > 0:
            widths[place] = min(widths[place], max(least, widths[place] - over))
    for line in (headings, *lines):
        cells = [padded(cell, width) for cell, width in zip(line, widths, strict=True)]
        events = cut(line[1], widths[1])
        cells[1] = " " * (widths[1] - cells_of(events)) + events
        yield GAP.join(cells).rstrip() + "\n"
