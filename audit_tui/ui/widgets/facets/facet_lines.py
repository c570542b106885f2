"""The lines of the facets. Pure: counts in, lines out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from audit_tui.core.columns import Column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.filters import NO_VALUE_WORDS
from audit_tui.core.record import Record
from audit_tui.core.text import clean, cut, thousands
from audit_tui.ui.widgets.painter import Line, Piece, Role, fit, fit_middle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.query import Facet, FacetField

TOP_VALUES = 5
MORE_VALUES = 100
ACTION_CELLS = 4
"""At the right of a value: what can be clicked on the line under the cursor."""
_MAX_CHARS = 1_000


class Kind(Enum):
    """The sort of a line."""

    HEAD = auto()
    VALUE = auto()
    OTHERS = auto()
    WORDS = auto()
    ADD = auto()
    BLANK = auto()


class NamedFilters(Record):
    """A field whose values are filters: the rules that hit."""

    label: str
    filters: tuple[tuple[str, Filter], ...]


@dataclass
class Section:
    """A field and what is known of its values."""

    field: FacetField | NamedFilters
    facet: Facet | None = None
    is_stale: bool = True
    is_open: bool = False
    words: str = ""


class Row(NamedTuple):
    """A line of the panel."""

    kind: Kind
    section: int = -1
    value: int = -1

    @property
    def takes_cursor(self) -> bool:
        return self.kind in (Kind.VALUE, Kind.OTHERS, Kind.ADD)


def rows_of(sections: Sequence[Section]) -> list[Row]:
    """Return the lines of all sections."""
    rows: list[Row] = []
    for number, section in enumerate(sections):
        rows.append(Row(Kind.HEAD, number))
        facet = section.facet
        if facet is not None:
            rows += [Row(Kind.VALUE, number, value) for value in range(len(facet.values))]
            if _others(section):
                rows.append(Row(Kind.OTHERS, number))
        if section.words or (facet is not None and not facet.values):
            rows.append(Row(Kind.WORDS, number))
        rows.append(Row(Kind.BLANK))
    return [*rows, Row(Kind.ADD)]


def _others(section: Section) -> int | None:
    """Return the number of values that are not shown; -1 when it is not counted, 0 or None when none are."""
    facet = section.facet
    if facet is None or facet.distinct is None:
        return -1 if facet is not None and len(facet.values) >= TOP_VALUES else None
    return facet.distinct - len(facet.values)


def line_of(row: Row, sections: Sequence[Section], width: int, *, is_cursor: bool) -> Line:
    """Draw a line as wide as said."""
    if row.kind is Kind.BLANK:
        return ()
    if row.kind is Kind.ADD:
        role = Role.CURSOR if is_cursor else Role.BUTTON
        return (Piece(fit(" + metadata field", width), role),)
    section = sections[row.section]
    match row.kind:
        case Kind.HEAD:
            return _head(section, width)
        case Kind.VALUE:
            return _value(section, row.value, width, is_cursor=is_cursor)
        case Kind.OTHERS:
            others = _others(section) or 0
            number = "" if others < 0 else f"{thousands(others)} "
            words = fit(f" + {number}other{'s' * (others != 1)}", width)
            return (Piece(words, Role.CURSOR if is_cursor else Role.QUIET),)
        case _:
            return (Piece(fit(f" {section.words or 'no events'}", width), Role.QUIET),)


def _head(section: Section, width: int) -> Line:
    label = clean(section.field.label[:_MAX_CHARS])
    note = _note(section)
    label = cut(label, max(8, width - cell_len(note) - 3))
    return (
        Piece(f" {label}", Role.TITLE),
        Piece(fit(f"  {note}", max(0, width - cell_len(label) - 1)), Role.QUIET),
    )


def _note(section: Section) -> str:
    facet = section.facet
    if facet is None or section.is_stale:
        return "" if section.words else "…"
    if facet.distinct is None:
        return ""
    distinct = thousands(facet.distinct)
    if not facet.is_whole:
        return f"{distinct} in newest {thousands(facet.counted)}"
    return "1 value" if facet.distinct == 1 else f"{distinct} values"


def _value(section: Section, number: int, width: int, *, is_cursor: bool) -> Line:
    facet = section.facet
    assert facet is not None  # noqa: S101 - rows_of makes lines of values that are there
    value = facet.values[number]
    counts = [thousands(each.events) for each in facet.values]
    count_cells = max(map(len, counts))
    count = "…" if section.is_stale else counts[number]
    room = max(1, width - count_cells - ACTION_CELLS - 2)
    text = NO_VALUE_WORDS if value.value is None else value.value[:_MAX_CHARS] or '""'
    is_ours = value.value is None or value.value == ""
    label = f" {fit_middle(text, room)} "
    tail = f"{count:>{count_cells}}"
    if is_cursor:
        return (
            Piece(label + tail, Role.CURSOR),
            Piece(" = ", Role.CURSOR, "facet-only"),
            Piece("!", Role.CURSOR, "facet-without"),
        )
    is_failure = section.field is Column.OUTCOME and value.value == Outcome.FAILURE
    role = Role.SPECIAL if is_ours else Role.FAILURE if is_failure else Role.VALUE
    return (Piece(label, role), Piece(tail + " " * ACTION_CELLS, Role.QUIET))
