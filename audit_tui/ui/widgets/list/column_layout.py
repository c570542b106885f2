"""Which columns fit in a width, and how wide each one is. Pure arithmetic.

At 80 columns all five show; below that Category goes first, then Description; Event and Date stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import EventColumn
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GUTTER_CELLS = 1
"""Before the first column: the mark of a failed event."""
GAP_CELLS = 2
FULL_DATE_CELLS = 19
"""``2026-11-22 14:05:09``"""
SHORT_DATE_CELLS = 14
"""``11-22 14:05:09``"""

ALL_COLUMNS_CELLS = 76
"""From this width on all five columns show; 80 less a border, a scrollbar or a pane's edge."""
DESCRIPTION_CELLS = 56
USER_CELLS = 42

_LEAST = {EventColumn.EVENT: 15, EventColumn.CATEGORY: 9, EventColumn.USER: 16, EventColumn.DESCRIPTION: 14}
_COMFORTABLE = {EventColumn.EVENT: 22, EventColumn.USER: 22, EventColumn.CATEGORY: 15}
_MOST = {EventColumn.EVENT: 40, EventColumn.USER: 36, EventColumn.CATEGORY: 24}
_COMFORTABLE_DESCRIPTION = 34


class ColumnBox(Record):
    """Where one column lies."""

    column: EventColumn
    start: int
    """Cells from the left edge of the list."""
    width: int
    """Cells for the text, without the gap that follows."""


def lay_out(
    width: int,
    wanted: Mapping[EventColumn, int],
    chosen: Sequence[EventColumn] = tuple(EventColumn),
    date_cells: tuple[int, int] = (SHORT_DATE_CELLS, FULL_DATE_CELLS),
) -> tuple[ColumnBox, ...]:
    """Place the columns that fit.

    Args:
        width: Cells to fill, without the scrollbar.
        wanted: How wide the widest text of each column is.
        chosen: The columns to place, in order.
        date_cells: What the dates need in their short and in their full form.
    """
    columns = list(chosen)
    for column, least_width in (
        (EventColumn.CATEGORY, ALL_COLUMNS_CELLS),
        (EventColumn.DESCRIPTION, DESCRIPTION_CELLS),
        (EventColumn.USER, USER_CELLS),
    ):
        if width < least_width and column in columns and len(columns) > 1:
            columns.remove(column)
    widths = _share(width - GUTTER_CELLS, columns, wanted, date_cells)
    boxes = []
    start = GUTTER_CELLS
    for column in columns:
        boxes.append(ColumnBox(column, start, widths[column]))
        start += widths[column] + GAP_CELLS
    return tuple(boxes)


def _share(
    width: int, columns: list[EventColumn], wanted: Mapping[EventColumn, int], date_cells: tuple[int, int]
) -> dict[EventColumn, int]:
    short_date, full_date = date_cells
    widths = {column: _LEAST.get(column, short_date) for column in columns}
    spare = width - sum(widths.values()) - GAP_CELLS * (len(columns) - 1)

    def grow(column: EventColumn, most: int) -> None:
        nonlocal spare
        extra = min(spare, most - widths.get(column, most))
        if extra > 0:
            widths[column] += extra
            spare -= extra

    for column, most in _COMFORTABLE.items():
        grow(column, min(most, wanted.get(column, 0)))
    grow(EventColumn.DESCRIPTION, min(_COMFORTABLE_DESCRIPTION, wanted.get(EventColumn.DESCRIPTION, 0)))
    if spare >= full_date - short_date:
        grow(EventColumn.DATE, full_date)
    for column, most in _MOST.items():
        grow(column, min(most, wanted.get(column, 0)))
    last = next((column for column in reversed(columns) if column is not EventColumn.DATE), columns[-1])
    widths[last] = max(1, widths[last] + spare)
    return widths
