"""Events as a table for people, lined up, and in the width of a terminal if it goes to one."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from audit_tui.core.columns import LIST_COLUMNS, Column, ListColumn
from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.event_text import FAILED_MARK, cell_text, heading
from audit_tui.core.text import cells_of, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audit_tui.core.event_fields import EventField
    from audit_tui.core.export import Writing

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
