"""The lines of the detail pane about an event, and the values in them. Pure: text in, lines out."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len, set_cell_size

from audit_tui.core.columns import Column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.filters import MetaField
from audit_tui.core.filter.matching import deeper_path
from audit_tui.core.text import MAX_CLEAN_CHARS, clean_visible, counted
from audit_tui.core.time.zones import exact_date_text
from audit_tui.ui.widgets.painter import Line, Piece, Role, wrap

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import tzinfo

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import FilterField
    from audit_tui.core.recording import CatalogueEntry

MAX_LINES = 2_000
"""More lines than anyone scrolls through; the raw JSON has the rest."""
MAX_DEPTH = 12
MAX_FLAT = 60
"""A list of more items, or of more characters, does not stand on one line."""
_INDENT = 2
_SUMMARY_LABEL = 9
_EMPTY: tuple[object, ...] = (None, "", {}, [])
_REQUEST_ID = re.compile(r"(request|trace|span|correlation|message|session|event)[ _-]?(id|uuid|guid)$", re.I)
_MORE = "cut here; J shows it whole"
_SEVERITIES = ("unknown", "informational", "low", "medium", "high", "critical", "fatal")
"""OCSF severity_id 0 to 6."""


class Target(NamedTuple):
    """A value of the event that can be pointed at."""

    field: FilterField
    value: str | None


class Spot(NamedTuple):
    """A value, and where it stands in the lines."""

    target: Target
    first_line: int
    last_line: int
    start: int
    end: int


def marked_lines(lines: Sequence[Line], fields: Collection[FilterField]) -> list[Line]:
    """Return the lines with the values of some fields standing out."""
    return [
        tuple(
            piece._replace(role=Role.TITLE)
            if isinstance(piece.target, Target) and piece.target.field in fields
            else piece
            for piece in line
        )
        for line in lines
    ]


def spots_in(lines: Sequence[Line]) -> list[Spot]:
    """Return the values that stand in lines, in their order."""
    spots: list[Spot] = []
    for number, line in enumerate(lines):
        x = 0
        for piece in line:
            end = x + cell_len(piece.text)
            if isinstance(piece.target, Target):
                if spots and spots[-1].target is piece.target:
                    spots[-1] = spots[-1]._replace(last_line=number)
                else:
                    spots.append(Spot(piece.target, number, number, x, end))
            x = end
    return spots


def detail_lines(
    event: AuditEvent,
    entry: CatalogueEntry | None,
    zone: tzinfo,
    width: int,
    warnings: Sequence[str] = (),
    remarks: Sequence[str] = (),
) -> list[Line]:
    """Lay out everything that is known of an event."""
    lines: list[Line] = [line for texts in warnings for line in _paragraph(texts, width, Role.FAILURE)]
    lines += [line for texts in remarks for line in _paragraph(texts, width, Role.SPECIAL)]
    for line in _all_lines(event, entry, zone, width):
        if len(lines) >= MAX_LINES:
            lines.append((Piece(f"… {_MORE}", Role.QUIET),))
            break
        lines.append(line)
    return lines


def _all_lines(event: AuditEvent, entry: CatalogueEntry | None, zone: tzinfo, width: int) -> Iterator[Line]:
    yield from _paragraph(event.event, width, Role.TITLE, Target(Column.EVENT, event.event))
    yield from _summary(event, zone, width)
    yield ()
    if event.description:
        yield from _paragraph(event.description, width, target=Target(Column.DESCRIPTION, event.description))
    if entry is not None:
        yield from _paragraph(entry.meaning, width, Role.QUIET)
    if event.description or entry is not None:
        yield ()
    columns = _columns(event)
    missing = entry.missing(event.metadata) if entry else ()
    labels = [*(label for label, *_ in columns), *map(_label, islice(event.metadata, MAX_LINES))]
    label_width = min(max(map(cell_len, labels)), max(8, width // 3), 24)
    for label, value, target in columns:
        yield from _labelled(label, value, label_width, width, target=target)
    if event.metadata or missing:
        yield ()
    yield from _tree(_by_interest(event.metadata), "", 0, label_width, width)
    for name in missing:
        yield from _paragraph(f"{name} — expected, not recorded", width, Role.QUIET)


def _summary(event: AuditEvent, zone: tzinfo, width: int) -> Iterator[Line]:
    """The user, the date, the origin, the target and the outcome, in two columns where there is room."""
    has_failed = event.outcome is Outcome.FAILURE
    outcome = "✗ failure" if has_failed else event.outcome.value
    texts = [
        ("user", event.user or "-", Target(Column.USER, event.user)),
        ("date", exact_date_text(event.occurred_us, zone), Target(Column.TIME, str(event.occurred_us))),
        ("source IP", event.source_ip or "-", Target(Column.SOURCE_IP, event.source_ip)),
        ("target", event.target or "-", Target(Column.TARGET, event.target)),
        ("outcome", outcome, Target(Column.OUTCOME, event.outcome.value)),
        ("category", event.category or "-", Target(Column.CATEGORY, event.category)),
    ]
    pairs = [(*each, Role.FAILURE if has_failed and each[0] == "outcome" else Role.VALUE) for each in texts]
    left_width, right_width = (
        _SUMMARY_LABEL + _INDENT + max(cell_len(clean_visible(each[1][:MAX_FLAT])) for each in side)
        for side in (pairs[::2], pairs[1::2])
    )
    is_long = any(len(each[1]) > MAX_FLAT or "\n" in each[1] for each in pairs)
    if is_long or left_width + _INDENT + right_width > width:
        for label, value, target, role in pairs:
            yield from _labelled(label, value, _SUMMARY_LABEL, width, role, target=target)
        return
    for left, right in zip(pairs[::2], pairs[1::2], strict=True):
        (first,) = _labelled(*left[:2], _SUMMARY_LABEL, left_width, left[3], target=left[2])
        (second,) = _labelled(*right[:2], _SUMMARY_LABEL, right_width, right[3], target=right[2])
        used = sum(cell_len(piece.text) for piece in first)
        yield (*first, Piece(" " * (left_width + _INDENT - used)), *second)


def _by_interest(metadata: dict[str, Any]) -> dict[str, Any]:
    """The metadata with what says little last: nothing, and numbers of requests; no more than is shown."""

    def says_little(name: str) -> bool:
        return metadata[name] in _EMPTY or bool(_REQUEST_ID.search(name[-MAX_FLAT:]))

    names = sorted(islice(metadata, MAX_LINES), key=says_little)
    return {name: metadata[name] for name in names}


def _columns(event: AuditEvent) -> list[tuple[str, str, Target | None]]:
    severity = event.severity
    level = "" if severity is None else str(severity)
    texts: list[tuple[str, str | None, Target | None]] = [
        ("severity", level and f"{level} {_SEVERITIES[int(level)]}", Target(Column.SEVERITY, level)),
        ("source", event.source, Target(Column.SOURCE, event.source)),
        ("number", event.number_words or None, Target(Column.SEQ, str(event.seq))),
        ("key", event.key, None),
    ]
    return [(label, value, target) for label, value, target in texts if value]


def _paragraph(
    text: str, width: int, role: Role = Role.VALUE, target: Target | None = None
) -> Iterator[Line]:
    for line in clean_visible(text[:MAX_CLEAN_CHARS], keep_newlines=True).split("\n"):
        for part in wrap(line, width):
            yield (Piece(part, role, target=target),)
    if len(text) > MAX_CLEAN_CHARS:
        yield (Piece(f"… {counted(len(text) - MAX_CLEAN_CHARS, 'more character')}, {_MORE}", Role.QUIET),)


def _labelled(
    label: str,
    value: str,
    label_width: int,
    width: int,
    role: Role = Role.VALUE,
    *,
    target: Target | None = None,
) -> Iterator[Line]:
    """The label, and the value beside it; below it where the label is too long for its column."""
    gap = " " * (label_width + _INDENT)
    first: Piece | None = Piece(set_cell_size(label, label_width) + " " * _INDENT, Role.LABEL)
    if cell_len(label) > label_width:
        for part in wrap(label, width):
            yield (Piece(part, Role.LABEL),)
        first = None
    for line in _paragraph(value, width - len(gap), role, target):
        yield (first or Piece(gap, Role.LABEL), *line)
        first = None


def _tree(
    value: dict[str, Any] | list[Any], path: str, depth: int, label_width: int, width: int
) -> Iterator[Line]:
    """A JSON object or list: scalars beside their names, what is nested below its name, indented."""
    items = value.items() if isinstance(value, dict) else ((None, part) for part in value)
    indent = " " * (_INDENT * min(depth, MAX_DEPTH))
    for name, part in items:
        label = indent + ("-" if name is None else _label(name))
        inner = path if name is None else deeper_path(path, name)
        if isinstance(part, dict | list) and part:
            room = width - label_width - _INDENT
            if isinstance(part, list) and (members := _members(part, inner, room)) is not None:
                yield from _beside(label, members, label_width, width)
                continue
            yield (Piece(label, Role.LABEL),)
            yield from _tree(part, inner, depth + 1, label_width, width)
        else:
            yield from _labelled(label, _scalar(part), label_width, width, target=_target(inner, part))


def _target(path: str, part: object) -> Target | None:
    """Return what a condition compares; None for an empty object or list, and for an empty name."""
    if not path or isinstance(part, dict | list):
        return None
    return Target(MetaField(path), None if part is None else _scalar(part))


def _members(part: list[Any], path: str, room: int) -> list[Piece] | None:
    """A list of short scalars as pieces of one line; None for everything else."""
    if len(part) > MAX_FLAT or any(isinstance(item, dict | list) for item in part):
        return None
    pieces: list[Piece] = []
    for item in part:
        pieces += [Piece(", ", Role.QUIET)] if pieces else []
        pieces.append(Piece(clean_visible(_scalar(item)[:MAX_FLAT]), target=_target(path, item)))
    cells = sum(cell_len(piece.text) for piece in pieces)
    is_short = all(len(_scalar(item)) <= MAX_FLAT for item in part)
    return pieces if is_short and cells <= min(room, MAX_FLAT) else None


def _beside(label: str, members: list[Piece], label_width: int, width: int) -> Iterator[Line]:
    *above, (first, *_) = _labelled(label, " ", label_width, width)
    yield from above
    yield (first, *members)


def _scalar(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return value if isinstance(value, str) else json.dumps(value)


def _label(name: str) -> str:
    return clean_visible(name[:200])
