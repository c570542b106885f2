"""The columns that fit in a width, and their widths. Pure arithmetic.

At 80 columns all five show; below that Category goes first, then Description; Event and Date stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import LIST_COLUMNS, Column, ListColumn
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

_GROWS_BEFORE: tuple[ListColumn, ...] = (Column.EVENT, Column.USER, Column.CATEGORY)
"""The columns that get more room before all others, in this order."""


class Wanted(NamedTuple):
    """The number of cells that the texts of a column take."""

    usual: int
    """Nine of ten take no more."""
    most: int


class ColumnBox(Record):
    """The place of a column."""

    column: ListColumn
    start: int
    """Cells from the left edge of the list."""
    width: int
    """Cells for the text, without the gap that follows."""


def lay_out(
    width: int,
    wanted: Mapping[ListColumn, Wanted],
    chosen: Sequence[ListColumn] = LIST_COLUMNS,
    date_cells: tuple[int, int] = (SHORT_DATE_CELLS, FULL_DATE_CELLS),
) -> tuple[ColumnBox, ...]:
    """Place the columns that fit.

    Args:
        width: Cells to fill, without the scrollbar.
        wanted: How wide the texts of each column are.
        chosen: The columns to place, in order.
        date_cells: What the dates need in their short and in their full form.
    """
    columns = list(chosen)
    for column, least_width in (
        (Column.CATEGORY, ALL_COLUMNS_CELLS),
        (Column.DESCRIPTION, DESCRIPTION_CELLS),
        (Column.USER, USER_CELLS),
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
    width: int, columns: list[ListColumn], wanted: Mapping[ListColumn, Wanted], date_cells: tuple[int, int]
) -> dict[ListColumn, int]:
    short_date, full_date = date_cells
    widths = {column: short_date if column is Column.TIME else column.width.least for column in columns}
    spare = width - sum(widths.values()) - GAP_CELLS * (len(columns) - 1)

    def grow(column: ListColumn, cells: int, share: int | None = None) -> None:
        nonlocal spare
        extra = min(spare if share is None else share, cells - widths.get(column, cells))
        if extra > 0:
            widths[column] += extra
            spare -= extra

    def want(column: ListColumn) -> Wanted:
        return wanted.get(column, Wanted(0, 0))

    first = [column for column in _GROWS_BEFORE if column in columns]
    names = [
        *first,
        *(column for column in columns if column not in (*first, Column.TIME, Column.DESCRIPTION)),
    ]
    grow(Column.DESCRIPTION, want(Column.DESCRIPTION).most, spare // 2)
    for column in names:
        grow(column, min(want(column).usual, column.width.most))
    if spare >= full_date - short_date:
        grow(Column.TIME, full_date)
    grow(Column.DESCRIPTION, want(Column.DESCRIPTION).most)
    for column in names:
        grow(column, want(column).most)
    last = next((column for column in reversed(columns) if column is not Column.TIME), columns[-1])
    widths[last] = max(1, widths[last] + spare)
    return widths
