"""An event as text that leaves the program: a line of JSON, cells for people, a row of Markdown.

Used by exports, by the commands and by what the screen copies. JSON is data and escapes what a terminal
must not see; everything else is cleaned.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, overload

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent, EventRow, Outcome
from audit_tui.core.event_fields import metadata_text, row_text
from audit_tui.core.filter.filters import MetaField
from audit_tui.core.text import MAX_CLEAN_CHARS, UNSAFE_CLASS, clean, clean_visible, lazy_pattern
from audit_tui.core.time.zones import date_text, local_time, zone_label

if TYPE_CHECKING:
    import re

    from audit_tui.core.event_fields import EventField, ListField
    from audit_tui.core.time.dates import TimeContext

FAILED_MARK = "✗"
MISSING = "-"
"""The mark of a missing category or user, as on the screen."""

_UNSAFE = lazy_pattern(f"[{UNSAFE_CLASS}]")
# OWASP's list for CSV injection, with the full-width forms that some spreadsheets take for the same, also
# behind what they strip.
_FORMULA = lazy_pattern(r"[\s\"']*[=+\-@＝＋－＠\t\r]")  # noqa: RUF001 - the look-alikes are what is searched
_MARKDOWN = lazy_pattern(r"[\\`*_\[\]<>|~&]")


def json_text(event: AuditEvent, keys: Iterable[EventField] | None = None) -> str:
    """An event as one line of JSON that means the same and that a terminal can show.

    Letters of all languages stay as they are; what could move a cursor or turn text round is escaped.

    Without keys it has all columns.
    """
    values = event.to_json()
    if keys is not None:
        columns = values
        values = {
            key.value: metadata_text(event.metadata, key.path)
            if isinstance(key, MetaField)
            else columns[key.value]
            for key in keys
        }
    return safe_json(values)


def safe_json(values: object) -> str:
    """A JSON value as one line that means the same and that a terminal can show."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    # Outside of its strings JSON has only ASCII, and json has escaped the newlines inside of them.
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_json_escape, text)


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula: ``'`` stands before one that begins like it."""
    return f"'{text}" if _FORMULA.match(text) else text


def fused(text: str) -> str:
    """Return the text that ``defused`` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text, 1) else text


def cleaned_whole(text: str, cleaner: Callable[[str], str] = clean) -> str:
    """A text cleaned to its last character, where ``clean`` cuts what is too long for a screen."""
    if len(text) <= MAX_CLEAN_CHARS:
        return cleaner(text)
    return "".join(
        cleaner(text[start : start + MAX_CLEAN_CHARS]) for start in range(0, len(text), MAX_CLEAN_CHARS)
    )


def heading(column: EventField, context: TimeContext, *, is_zone_told: bool = True) -> str:
    """Return the heading of a column, with the zone of its times."""
    label = clean(column.label)
    if column is Column.TIME and is_zone_told:
        return f"{label} ({zone_label(context.zone, context.now)})"
    return label


@overload
def cell_text(
    event: AuditEvent, column: EventField, context: TimeContext, cleaner: Callable[[str], str] = clean
) -> str: ...


@overload
def cell_text(
    event: EventRow, column: ListField, context: TimeContext, cleaner: Callable[[str], str] = clean
) -> str: ...


def cell_text(
    event: AuditEvent | EventRow,
    column: EventField,
    context: TimeContext,
    cleaner: Callable[[str], str] = clean,
) -> str:
    """Return the text of a column of an event as one cleaned line; times in the zone."""
    if column is Column.TIME:
        return date_text(event.occurred_us, context.zone)
    value: object
    if not isinstance(column, MetaField):
        value = getattr(event, column.attribute)
    elif isinstance(event, EventRow):
        value = row_text(event, column)
    else:
        value = metadata_text(event.metadata, column.path)
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None
    if value is None:
        return MISSING if column in (Column.CATEGORY, Column.USER) else ""
    return cleaned_whole(str(value), cleaner)


def tabbed_row(event: EventRow, columns: Iterable[ListField], context: TimeContext) -> str:
    """Return an event as one line with tabs, each cell fit to be pasted into a filter."""
    cells = []
    for column in columns:
        if column is Column.TIME:
            cells.append(told_time(event.occurred_us, context))
        else:
            text = cell_text(event, column, context, clean_visible)
            cells.append(text if text == MISSING else defused(text))
    return "\t".join(cells)


def told_time(occurred_us: int, context: TimeContext) -> str:
    """A time that means the same to whoever reads it: ``2026-11-22 14:05:09 +01:00``."""
    local = local_time(occurred_us, context.zone)
    return f"{date_text(occurred_us, context.zone)} {local.isoformat()[-6:]}"


def markdown_head(columns: Iterable[EventField], context: TimeContext) -> str:
    """Return the first two lines of a table in Markdown."""
    headings = [heading(column, context) for column in columns]
    return _markdown_line(map(escaped_markdown, headings)) + _markdown_line(["---"] * len(headings))


@overload
def markdown_row(
    event: AuditEvent,
    columns: Iterable[EventField],
    context: TimeContext,
    cleaner: Callable[[str], str] = clean,
) -> str: ...


@overload
def markdown_row(
    event: EventRow,
    columns: Iterable[ListField],
    context: TimeContext,
    cleaner: Callable[[str], str] = clean,
) -> str: ...


def markdown_row(
    event: Any,
    columns: Iterable[Any],
    context: TimeContext,
    cleaner: Callable[[str], str] = clean,
) -> str:
    """Return an event as a line of a table in Markdown, with its mark if it failed."""
    cells = [escaped_markdown(cell_text(event, column, context, cleaner)) for column in columns]
    if event.outcome is Outcome.FAILURE:
        cells[0] = f"{FAILED_MARK} {cells[0]}"
    return _markdown_line(cells)


def escaped_markdown(text: str) -> str:
    """A cleaned text that Markdown shows as it is."""
    return _MARKDOWN.sub(r"\\\g<0>", text)


def _markdown_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
