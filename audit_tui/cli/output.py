"""Events on stdout: as JSON, CSV and Markdown for other programs, as a table for people.

Everything is written as it comes, so memory does not grow with the result. JSON and CSV are data and
always UTF-8. What goes to people, or to a terminal, is cleaned; what goes into a spreadsheet cannot become
a formula.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from io import TextIOWrapper
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias
from unicodedata import category, east_asian_width

from audit_tui.core.dates import date_text, local_time, zone_label
from audit_tui.core.event import EventColumn, Outcome
from audit_tui.core.text import UNSAFE_CLASS, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO

    from audit_tui.core.dates import TimeContext
    from audit_tui.core.event import AuditEvent

    Lines: TypeAlias = Iterator[str]

FAILED_MARK = "✗"
MISSING = "-"
"""What stands for a missing category or user, as on the screen."""
SAMPLE_ROWS = 200
"""How many events decide the widths of a table's columns; all of them would have to be held."""
WIDEST_CELLS = 60
"""The widest column that the others are lined up behind when nothing is cut."""
NARROWEST_CELLS = 6
"""The narrowest that a column becomes to fit a terminal."""
GAP = "  "
CSV_COLUMNS = (
    *("seq", "key", "time", "event", "category", "user", "description", "outcome", "severity"),
    *("source_ip", "target", "source", "metadata"),
)
"""The keys of an event as JSON."""

_UNSAFE = re.compile(f"[{UNSAFE_CLASS}]")
# OWASP's list for CSV injection, with the full-width forms that some spreadsheets take for the same, also
# behind what they strip.
_FORMULA = re.compile(r"[\s\"']*[=+\-@＝＋－＠\t\r]")  # noqa: RUF001 - the look-alikes are what is searched
_NEEDS_QUOTES = re.compile(r'[",\r\n]')
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~&]")


class Format(StrEnum):
    """How events are written; the value is the name in commands."""

    TABLE = "table"
    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "md"


def write_events(
    events: Iterable[AuditEvent],
    out: TextIO,
    chosen: Format,
    context: TimeContext,
    width_cells: int | None,
) -> int:
    """Write events as they come.

    Args:
        events: The events, in the order wanted.
        out: Where to.
        chosen: The format.
        context: The zone of the times in tables and CSV; JSON is in UTC.
        width_cells: The width of the terminal that ``out`` is; None when it is none, and nothing is cut.

    Returns:
        How many events were written.
    """
    count = 0

    def counted() -> Iterator[AuditEvent]:
        nonlocal count
        for event in events:
            count += 1
            yield event

    _prepare(out, chosen)
    for text in _WRITERS[chosen](counted(), context, width_cells):
        out.write(text)
    return count


def _prepare(out: TextIO, chosen: Format) -> None:
    """Let no character of the data end the output half way."""
    if isinstance(out, TextIOWrapper):
        is_data = chosen in (Format.JSON, Format.JSONL, Format.CSV)
        out.reconfigure(encoding="utf-8" if is_data else None, errors="backslashreplace")


def json_text(event: AuditEvent) -> str:
    """An event as one line of JSON that means the same and that a terminal can show.

    Letters of all languages stay as they are; what could move a cursor or turn text round is escaped.
    """
    text = json.dumps(event.to_json(), ensure_ascii=False, separators=(",", ":"))
    # Outside of its strings JSON has only ASCII, and json has escaped the newlines inside of them.
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_json_escape, text)


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _jsonl(events: Iterator[AuditEvent], _: TimeContext, __: int | None) -> Lines:
    for event in events:
        yield json_text(event) + "\n"


def _json(events: Iterator[AuditEvent], _: TimeContext, __: int | None) -> Lines:
    first = next(events, None)
    if first is None:
        yield "[]\n"
        return
    yield f"[\n{json_text(first)}"
    for event in events:
        yield f",\n{json_text(event)}"
    yield "\n]\n"


def _csv(events: Iterator[AuditEvent], context: TimeContext, width_cells: int | None) -> Lines:
    finish = clean if width_cells is not None else str
    yield ",".join(CSV_COLUMNS) + "\n"
    for event in events:
        values = event.to_json()
        values["time"] = local_time(event.occurred_us, context.zone).isoformat("T", "microseconds")
        values["metadata"] = json.dumps(event.metadata, ensure_ascii=False) if event.metadata else ""
        yield ",".join(_csv_cell(values[name], finish) for name in CSV_COLUMNS) + "\n"


def _csv_cell(value: object, finish: Callable[[str], str]) -> str:
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str):
        text = finish(f"'{text}" if _FORMULA.match(text) else text)
    # The csv module of Python 3.11 leaves a lone CR unquoted and then cannot read it back.
    return '"{}"'.format(text.replace('"', '""')) if _NEEDS_QUOTES.search(text) else text


def _markdown(events: Iterator[AuditEvent], context: TimeContext, _: int | None) -> Lines:
    columns = tuple(EventColumn)
    yield _markdown_row([_heading(column, context, is_zone_told=True) for column in columns])
    yield _markdown_row(["---"] * len(columns))
    for event in events:
        cells = [_MARKDOWN.sub(r"\\\g<0>", _cell(event, column, context)) for column in columns]
        if event.outcome is Outcome.FAILURE:
            cells[0] = f"{FAILED_MARK} {cells[0]}"
        yield _markdown_row(cells)


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _table(events: Iterator[AuditEvent], context: TimeContext, width_cells: int | None) -> Lines:
    sample = list(islice(events, SAMPLE_ROWS))
    if not sample:
        return
    columns = _columns_for(width_cells)
    headings = [_heading(column, context, is_zone_told=width_cells is None) for column in columns]
    natural = [
        max(cells_of(heading), *(cells_of(_cell(event, column, context)) for event in sample))
        for heading, column in zip(headings, columns, strict=True)
    ]
    widths = _fit(natural, columns, width_cells)
    yield f" {_table_row(headings, widths, width_cells)}"
    for event in chain(sample, events):
        mark = FAILED_MARK if event.outcome is Outcome.FAILURE else " "
        cells = [_cell(event, column, context) for column in columns]
        yield mark + _table_row(cells, widths, width_cells)


def _columns_for(width_cells: int | None) -> tuple[EventColumn, ...]:
    """The columns that there is room for, as on the screen: event, user and date always stay."""
    columns = list(EventColumn)
    if width_cells is not None and width_cells < 80:
        columns.remove(EventColumn.CATEGORY)
    if width_cells is not None and width_cells < 60:
        columns.remove(EventColumn.DESCRIPTION)
    return tuple(columns)


def _fit(natural: Sequence[int], columns: Sequence[EventColumn], width_cells: int | None) -> list[int]:
    """The widths of the columns: the last takes what is left, the widest of the others give way."""
    widths = [min(cells, WIDEST_CELLS) for cells in natural]
    if width_cells is None:
        return widths
    room = width_cells - 1 - len(GAP) * (len(widths) - 1)
    # A date that is cut says nothing.
    givers = [index for index, column in enumerate(columns) if column is not EventColumn.DATE]
    while sum(widths) > room:
        widest = max(givers, key=lambda index: (widths[index], index))
        if widths[widest] <= NARROWEST_CELLS:
            break
        widths[widest] -= 1
    widths[-1] = max(widths[-1], room - sum(widths[:-1]))
    return widths


def _table_row(cells: Sequence[str], widths: Sequence[int], width_cells: int | None) -> str:
    if width_cells is not None:
        cells = [cut(cell, width) for cell, width in zip(cells, widths, strict=True)]
    padded = [cell + " " * (width - cells_of(cell)) for cell, width in zip(cells, widths, strict=True)]
    return GAP.join(padded).rstrip() + "\n"


def _heading(column: EventColumn, context: TimeContext, *, is_zone_told: bool) -> str:
    if column is EventColumn.DATE and is_zone_told:
        return f"{column.label} ({zone_label(context.zone, context.now)})"
    return column.label


def _cell(event: AuditEvent, column: EventColumn, context: TimeContext) -> str:
    match column:
        case EventColumn.DATE:
            return date_text(event.occurred_us, context.zone)
        case EventColumn.EVENT:
            return clean(event.event)
        case EventColumn.CATEGORY:
            return clean(event.category or MISSING)
        case EventColumn.USER:
            return clean(event.user or MISSING)
        case EventColumn.DESCRIPTION:
            return clean(event.description or "")


def cells_of(text: str) -> int:
    """How many cells of a terminal a cleaned text takes."""
    return len(text) if text.isascii() else sum(map(_cells_of_character, text))


def _cells_of_character(character: str) -> int:
    if character.isascii():
        return 1
    if category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1


def cut(text: str, width_cells: int) -> str:
    """A cleaned text in at most so many cells; ``…`` ends one that is cut."""
    if cells_of(text) <= width_cells:
        return text
    kept, room = [], width_cells - 1
    for character in text:
        room -= _cells_of_character(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + "…" if width_cells > 0 else ""


_WRITERS = {
    Format.TABLE: _table,
    Format.JSONL: _jsonl,
    Format.JSON: _json,
    Format.CSV: _csv,
    Format.MARKDOWN: _markdown,
}
