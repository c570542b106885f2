"""The columns that fit in a width, and their widths. Pure arithmetic.

At 80 columns all five show; below that Category goes first, then Description; Event and Date stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from audit_tui.core.columns import LIST_COLUMNS, MIDDLE, Column, Width
from audit_tui.core.filter.filters import MetaField
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_tui.core.event_fields import ListField

GUTTER_CELLS = 1
GAP_CELLS = 2
_MARK_CELLS = 2
FULL_DATE_CELLS = 19
"""``2026-11-22 14:05:09``"""
SHORT_DATE_CELLS = 14
"""``11-22 14:05:09``"""

ALL_COLUMNS_CELLS = 76
"""From this width on all five columns show; 80 less a border, a scrollbar or a pane's edge."""
DESCRIPTION_CELLS = 56
READABLE_CELLS = 24
"""A description gets as many before names get more than their least: it alone says to what it was done."""
TRIMMED_CELLS = 11
"""No name is trimmed to fewer: rows further down, which nobody has measured, may have longer ones."""
USER_CELLS = 42

_GIVES_WAY: tuple[tuple[ListField, int], ...] = (
    (Column.CATEGORY, ALL_COLUMNS_CELLS),
    (Column.DESCRIPTION, DESCRIPTION_CELLS),
    (Column.USER, USER_CELLS),
)
"""The columns that go where there is no room, in this order, and the width below which each does."""
_GROWS_BEFORE: tuple[ListField, ...] = (Column.EVENT, Column.USER, Column.CATEGORY)
"""The columns that get more room before all others, in this order."""


class Wanted(NamedTuple):
    """The number of cells that the texts of a column take."""

    usual: int
    """Nine of ten take no more."""
    most: int


class ColumnBox(Record):
    """The place of a column."""

    column: ListField
    start: int
    width: int


def lay_out(
    width: int,
    wanted: Mapping[ListField, Wanted],
    chosen: Sequence[ListField] = LIST_COLUMNS,
    date_cells: tuple[int, int] = (SHORT_DATE_CELLS, FULL_DATE_CELLS),
    fixed: Mapping[ListField, int] | None = None,
) -> tuple[ColumnBox, ...]:
    """Place the columns that fit.

    Args:
        width: Cells to fill, without the scrollbar.
        wanted: How wide the texts of each column are.
        chosen: The columns to place, in order.
        date_cells: What the dates need in their short and in their full form.
        fixed: The widths that the user gave to some of them.
    """
    columns = list(chosen)
    fixed = fixed or {}
    extra = [column for column in columns if column not in LIST_COLUMNS]
    for gives_way, least_width in _GIVES_WAY:
        least = _least(columns, date_cells[0], fixed) if extra or fixed else least_width
        if width < least and gives_way in columns and len(columns) > 1:
            columns.remove(gives_way)
    while extra and len(columns) > 1 and width < _least(columns, date_cells[0], fixed):
        columns.remove(extra.pop())
    widths = _share(width - GUTTER_CELLS, columns, wanted, date_cells, fixed)
    boxes = []
    start = GUTTER_CELLS
    for column in columns:
        boxes.append(ColumnBox(column, start, widths[column]))
        start += widths[column] + GAP_CELLS
    return tuple(boxes)


def _least(columns: Sequence[ListField], date_cells: int, fixed: Mapping[ListField, int]) -> int:
    cells = _least_widths(columns, date_cells, fixed).values()
    return GUTTER_CELLS + sum(cells) + GAP_CELLS * (len(columns) - 1)


def _least_widths(
    columns: Sequence[ListField], date_cells: int, fixed: Mapping[ListField, int]
) -> dict[ListField, int]:
    return {
        column: fixed.get(column, date_cells if column is Column.TIME else width_of(column).least)
        for column in columns
    }


def width_of(field: ListField) -> Width:
    """Return the cells that a field is given in a list."""
    return MIDDLE if isinstance(field, MetaField) else field.width


def _share(
    width: int,
    columns: list[ListField],
    wanted: Mapping[ListField, Wanted],
    date_cells: tuple[int, int],
    fixed: Mapping[ListField, int],
) -> dict[ListField, int]:
    short_date, full_date = date_cells
    widths = _least_widths(columns, short_date, fixed)
    spare = width - sum(widths.values()) - GAP_CELLS * (len(columns) - 1)
    last = _last(columns, fixed)
    # What is lacking comes off it before others take what it does not need.
    widths[last], spare = max(1, widths[last] + min(spare, 0)), max(spare, 0)

    def grow(column: ListField, cells: int, share: int | None = None) -> None:
        nonlocal spare
        extra = min(spare if share is None else share, cells - widths.get(column, cells))
        if extra > 0 and column not in fixed:
            widths[column] += extra
            spare -= extra

    def want(column: ListField) -> Wanted:
        return wanted.get(column, Wanted(0, 0))

    names = _names(columns)
    half = spare // 2
    spare += _trim(widths, [name for name in names if name not in fixed], wanted)
    unreadable = min(spare, READABLE_CELLS - widths.get(Column.DESCRIPTION, READABLE_CELLS))
    grow(Column.DESCRIPTION, want(Column.DESCRIPTION).most, max(unreadable, half))
    for column in names:
        grow(column, min(want(column).usual, width_of(column).most))
    if spare >= full_date - short_date:
        grow(Column.TIME, full_date)
    for column in names:
        grow(column, min(want(column).most, width_of(column).most))
    _widen_event(widths, [name for name in names if name not in fixed], wanted)
    grow(Column.DESCRIPTION, want(Column.DESCRIPTION).most)
    for column in names:
        grow(column, want(column).most)
    widths[last] += spare
    return widths


def _last(columns: Sequence[ListField], fixed: Mapping[ListField, int]) -> ListField:
    """Return the column that fills the width: the last one whose width is free."""
    movable = [column for column in columns if column is not Column.TIME and column not in fixed]
    return movable[-1] if movable else columns[-1]


def _names(columns: Sequence[ListField]) -> list[ListField]:
    """Return the columns of names in the order in which they get more room."""
    first = [column for column in _GROWS_BEFORE if column in columns]
    others = (*first, Column.TIME, Column.DESCRIPTION)
    return [*first, *(column for column in columns if column not in others)]


def _trim(
    widths: dict[ListField, int], names: Sequence[ListField], wanted: Mapping[ListField, Wanted]
) -> int:
    """Take from names what none of their values needs; return how much that is."""
    cells = 0
    for name in names:
        if name in wanted:
            least = max(wanted[name].most, cell_len(name.label) + _MARK_CELLS, TRIMMED_CELLS)
            slack = widths[name] - least
            widths[name] -= max(0, slack)
            cells += max(0, slack)
    return cells


def _widen_event(
    widths: dict[ListField, int], names: Sequence[ListField], wanted: Mapping[ListField, Wanted]
) -> None:
    """Give events that would be cut the room that few values of another name need."""
    event: ListField = Column.EVENT
    if event not in names or event not in wanted:
        return
    lack = min(wanted[event].usual, width_of(event).most) - widths[event]
    for other in names:
        if other in wanted:
            slack = widths[other] - max(wanted[other].usual, cell_len(other.label))
            moved = max(0, min(lack, slack))
            widths[other] -= moved
            widths[event] += moved
            lack -= moved
