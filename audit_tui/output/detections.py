"""Rules that hit, and their hits, in the formats of events."""

from __future__ import annotations

from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import iso_utc
from audit_tui.core.event_text import cleaned_whole, escaped_markdown, safe_json, told_time
from audit_tui.core.export import Format
from audit_tui.core.text import cells_of, cut, thousands
from audit_tui.core.time.zones import local_time
from audit_tui.output.text_table import GAP, WIDEST_CELLS
from audit_tui.output.writers import csv_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.export import Writing
    from audit_tui.core.investigate.detections import RuleInfo, RuleTotal

_HEADINGS = ("Level", "Events", "Rule", "First", "Last", "Users", "Author")
_KEYS = ("rule_id", "level", "title", "author", "tags", "events", "silenced", "first", "last", "users")
_GIVERS = ("Author", "Users", "Rule")
"""The columns that give way on a narrow terminal, the first first, and the least cells of each."""
_LEAST_CELLS = {"Author": 6, "Users": 8, "Rule": 16}
MAX_USERS = 3
"""The users that a table names; the others are a number."""


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


def write_totals(totals: Sequence[RuleTotal], out: TextIO, writing: Writing) -> None:
    """Write the rules that hit; JSON in UTC, the others in the zone."""
    if isinstance(out, TextIOWrapper):
        out.reconfigure(encoding="utf-8" if writing.format.is_data else None, errors="backslashreplace")
    for text in _texts(totals, writing):
        out.write(text)


def _texts(totals: Sequence[RuleTotal], writing: Writing) -> Iterable[str]:
    match writing.format:
        case Format.JSON | Format.JSONL:
            inside = ",\n".join(safe_json(_data(total)) for total in totals)
            return [f"[\n{inside}\n]\n" if totals else "[]\n"]
        case Format.CSV:
            rows = [_csv(total, writing) for total in totals]
            return [",".join(row) + "\n" for row in (_KEYS, *rows)]
        case Format.MARKDOWN:
            lines = [map(escaped_markdown, _cells(total, writing)) for total in totals]
            head = (_HEADINGS, ["---:" if name == "Events" else "---" for name in _HEADINGS])
            return [f"| {' | '.join(line)} |\n" for line in (*head, *lines)]
        case Format.TABLE:
            return _table(totals, writing)


def _data(total: RuleTotal) -> dict[str, Any]:
    info = total.info
    values = (
        *(info.id, info.level.word, info.title, info.author, list(info.tags), total.events, total.silenced),
        *(iso_utc(total.first_us), iso_utc(total.last_us), list(total.users)),
    )
    return dict(zip(_KEYS, values, strict=True))


def _csv(total: RuleTotal, writing: Writing) -> list[str]:
    values = _data(total)
    values |= {name: " ".join(values[name]) for name in ("tags", "users")}
    for name, occurred_us in (("first", total.first_us), ("last", total.last_us)):
        values[name] = local_time(occurred_us, writing.context.zone).isoformat("T", "microseconds")
    return [csv_cell(values[key], writing) for key in _KEYS]


def _cells(total: RuleTotal, writing: Writing) -> list[str]:
    users = ", ".join(total.users[:MAX_USERS])
    if len(total.users) > MAX_USERS:
        users += f" +{len(total.users) - MAX_USERS}"
    times = (told_time(moment, writing.context) for moment in (total.first_us, total.last_us))
    info = total.info
    cells = (info.level.word, thousands(total.events), info.title, *times, users or "-", info.author or "-")
    return [cleaned_whole(cell) for cell in cells]


def _table(totals: Sequence[RuleTotal], writing: Writing) -> Iterator[str]:
    if not totals:
        return
    rows = [_cells(total, writing) for total in totals]
    if writing.width_cells is not None:
        # The zone of every time is the same, and a terminal is narrow.
        for row in rows:
            row[3:5] = [cell[:16] for cell in row[3:5]]
    widths = [min(WIDEST_CELLS, max(map(cells_of, column))) for column in zip(_HEADINGS, *rows, strict=True)]
    for name in _GIVERS:
        place = _HEADINGS.index(name)
        over = 0 if writing.width_cells is None else sum(widths) + len(GAP) * 6 - writing.width_cells
        if over > 0:
            widths[place] = min(widths[place], max(_LEAST_CELLS[name], widths[place] - over))
    for row in ([*_HEADINGS], *rows):
        cells = [cut(cell, width) for cell, width in zip(row, widths, strict=True)]
        padded = [
            " " * (width - cells_of(cell)) + cell if place == 1 else cell + " " * (width - cells_of(cell))
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        yield GAP.join(padded).rstrip() + "\n"
