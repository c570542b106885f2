"""Completion at a place of a query line: names of fields, and their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column, is_name_column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.filters import META, SEVERITY_WORDS, AnyText, MetaField
from audit_tui.core.query import EventQuery
from audit_tui.core.query_line.parse import BOUNDS, FIELDS, TERM
from audit_tui.core.query_line.text import field_text, value_text
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from audit_tui.core.filter.filters import FilterField
    from audit_tui.core.query import EventReader

TIMES = ("1h", "24h", "7d", "today", "yesterday", "this-week", "this-month", "last-30-days", "last-90-days")
"""Times to offer; any other may be typed."""
LOOKED_AT_EVENTS = 3_000
"""Values of fields that no index counts are those of this many of the newest events."""
MOST_VALUES = 1_000
NO_NAMES: Mapping[str, int] = MappingProxyType({})
_COUNTED = (Column.SOURCE_IP, Column.TARGET, Column.SOURCE)
"""Columns whose values are told by counting them."""
_SPACES = " \t\r\n"


class Part(Enum):
    """The part of a term at the cursor."""

    FIELD = auto()
    """A name, or a word of free text."""
    VALUE = auto()


class Place(Record):
    """The term that is being typed."""

    part: Part
    start: int
    """The place in the line of what a completion replaces."""
    typed: str
    """The text from there to the cursor, without its quotes."""
    field: FilterField | None = None
    """The field of a value; None for a name, and for a time range."""
    is_bound: bool = False
    """A value of ``since:`` or ``until:``."""


class Completion(Record):
    """A text that may stand in the line from a place to the cursor."""

    text: str
    start: int
    events: int | None = None
    """The number of events with this value; None where nobody counted."""


def place_at(line: str, cursor: int) -> Place:
    """Tell what is being typed at the cursor, which is behind the last character typed."""
    line = line[:cursor]
    at = 0
    while True:
        while at < len(line) and line[at] in f"{_SPACES}()-!":
            at += 1
        head = TERM.match(line, at)
        if head is None:
            end = _end_of_value(line, at)
            if end >= len(line):
                return Place(Part.FIELD, at, line[at:])
            at = max(end, at + 1)
            continue
        at = head.end()
        field, is_bound = _field_of(head[1]), head[1].lower() in BOUNDS
        is_list = line.startswith("(", at)
        while True:
            at = _skip(line, at, "(,") if is_list else at
            end = _end_of_value(line, at, in_list=is_list)
            if end >= len(line):
                # Without the quote that opens it.
                typed = line[at + 1 :].replace('\\"', '"') if line.startswith('"', at) else line[at:]
                return Place(Part.VALUE, at, typed, field, is_bound)
            at = end
            if not is_list or line[at] == ")":
                break
            at = max(at, _skip(line, at, ","))
        at += 1


def completions(
    place: Place, reader: EventReader, limit: int, metadata_names: Mapping[str, int] = NO_NAMES
) -> tuple[Completion, ...]:
    """Return what may stand at a place, the likeliest first. Blocks."""
    if place.part is Part.FIELD:
        names = _names(place.typed, metadata_names)
        return tuple(Completion(text, place.start, events or None) for text, events in names[:limit])
    if is_name_column(place.field):
        values = reader.values(place.field, place.typed.rstrip("*"), limit)
        return tuple(
            Completion(value_text(value.value), place.start, value.events) for value in values if value.value
        )
    field = place.field
    if isinstance(field, MetaField) or (isinstance(field, Column) and field in _COUNTED):
        facet = reader.facets(EventQuery(), field, MOST_VALUES, most_events=LOOKED_AT_EVENTS)
        typed = place.typed.rstrip("*").casefold()
        matches = (
            value for value in facet.values if value.value and value.value.casefold().startswith(typed)
        )
        return tuple(
            Completion(value_text(value.value or ""), place.start, value.events)
            for value in islice(matches, limit)
        )
    offered = _values(place)
    texts = (text for text in offered if text.startswith(place.typed.lower()))
    return tuple(Completion(text, place.start) for text in list(texts)[:limit])


def _names(typed: str, metadata_names: Mapping[str, int]) -> list[tuple[str, int]]:
    folded = typed.lower()
    names = [*FIELDS, *BOUNDS]
    texts = [(f"{name}:", 0) for name in names if name.startswith(folded)]
    if folded.startswith(META):
        # As it is typed, with a quote before a name that needs them or without.
        plain = folded.replace('"', "")
        return [
            (f"{field_text(MetaField(name))}:", events)
            for name, events in metadata_names.items()
            if f"{META}{name}".lower().startswith(plain)
        ]
    return [*texts, (META, 0)] if folded and META.startswith(folded) else texts


def _values(place: Place) -> Sequence[str]:
    if place.is_bound or place.field is Column.TIME:
        return TIMES
    if place.field is Column.OUTCOME:
        return tuple(outcome.value for outcome in Outcome)
    return tuple(SEVERITY_WORDS) if place.field is Column.SEVERITY else ()


def _field_of(name: str) -> FilterField | None:
    folded = name.lower()
    if folded.startswith(META) and len(folded) > len(META):
        return MetaField(name[len(META) :].replace('"', "") or '"')
    field: Column | AnyText | None = FIELDS.get(folded)
    return field


def _skip(line: str, at: int, signs: str) -> int:
    while at < len(line) and line[at] in signs + _SPACES:
        at += 1
    return at


def _end_of_value(line: str, at: int, *, in_list: bool = False) -> int:
    """Return the place behind a value; the end of the line when it is not finished."""
    if line.startswith('"', at):
        at += 1
        while at < len(line) and line[at] != '"':
            at += 2 if line[at] == "\\" else 1
        return min(at + 1, len(line)) if at < len(line) else len(line)
    while at < len(line) and line[at] not in f"{_SPACES}()" and not (in_list and line[at] == ","):
        at += 2 if line[at] == "\\" and line[at + 1 : at + 2] in (" ", "(", ")", ",", '"') else 1
    return min(at, len(line))
