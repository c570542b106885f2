from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import LIST_COLUMNS, Column
from audit_tui.ui.widgets.list.column_layout import (
    FULL_DATE_CELLS,
    GAP_CELLS,
    SHORT_DATE_CELLS,
    Wanted,
    lay_out,
)

if TYPE_CHECKING:
    from audit_tui.core.event_fields import ListField

ORDINARY: dict[ListField, Wanted] = {
    Column.EVENT: Wanted(21, 23),
    Column.CATEGORY: Wanted(12, 15),
    Column.USER: Wanted(18, 24),
    Column.DESCRIPTION: Wanted(50, 60),
}


WANTED = st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda cells: Wanted(*sorted(cells)))


@pytest.mark.parametrize(
    ("width", "names"),
    [
        (160, "event category user time description"),
        (79, "event category user time description"),
        (70, "event user time description"),
        (55, "event user time"),
        (39, "event time"),
        (20, "event time"),
    ],
)
def test_columns_give_way_in_the_settled_order(width: int, names: str) -> None:
    assert " ".join(box.column.value for box in lay_out(width, ORDINARY)) == names


@given(
    width=st.integers(1, 400),
    wanted=st.fixed_dictionaries(dict.fromkeys(LIST_COLUMNS, WANTED)),
)
def test_columns_never_overlap_and_fill_the_width(width: int, wanted: dict[ListField, Wanted]) -> None:
    boxes = lay_out(width, wanted)
    for left, right in pairwise(boxes):
        assert left.start + left.width + GAP_CELLS == right.start
    if width >= 40:
        assert boxes[-1].start + boxes[-1].width == width


def test_the_date_is_whole_when_there_is_room() -> None:
    def date_width(width: int) -> int:
        return next(box.width for box in lay_out(width, ORDINARY) if box.column is Column.TIME)

    assert date_width(79) == SHORT_DATE_CELLS
    assert date_width(140) == FULL_DATE_CELLS


def test_nothing_is_cut_while_there_is_room() -> None:
    boxes = {box.column: box.width for box in lay_out(160, ORDINARY)}
    assert all(boxes[column] >= wanted.most for column, wanted in ORDINARY.items())


def test_the_description_gets_half_of_the_room_first() -> None:
    boxes = {box.column: box.width for box in lay_out(100, ORDINARY)}
    assert boxes[Column.DESCRIPTION] >= 14 + (100 - 77) // 2


def test_a_name_takes_the_room_that_no_value_of_another_column_needs() -> None:
    # GetAccountAuthorizationDetails beside the pane at 160 cells.
    wanted: dict[ListField, Wanted] = {
        Column.EVENT: Wanted(24, 30),
        Column.CATEGORY: Wanted(3, 6),
        Column.USER: Wanted(8, 9),
        Column.DESCRIPTION: Wanted(60, 90),
    }
    widths = {box.column: box.width for box in lay_out(102, wanted, date_cells=(19, 19))}
    assert widths[Column.EVENT] == 30
    assert widths[Column.USER] >= 9
    assert widths[Column.CATEGORY] >= 9
    assert widths[Column.DESCRIPTION] >= 24


def test_long_names_of_events_take_what_most_categories_and_users_leave() -> None:
    """CloudTrail at 80 columns: its names are longer than what they are in, and who does them."""
    wanted: dict[ListField, Wanted] = {
        Column.EVENT: Wanted(24, 34),
        Column.CATEGORY: Wanted(6, 14),
        Column.USER: Wanted(8, 26),
        Column.DESCRIPTION: Wanted(60, 90),
    }
    widths = {box.column: box.width for box in lay_out(79, wanted, date_cells=(19, 19))}
    assert widths[Column.EVENT] == 24
    assert widths[Column.CATEGORY] >= len("Category")
    assert widths[Column.USER] >= 8


@pytest.mark.parametrize(
    ("event", "user"),
    [(Wanted(12, 12), Wanted(8, 8)), (Wanted(5, 5), Wanted(18, 24))],
    ids=["deleted buckets", "failed logins"],
)
def test_the_description_can_be_read_at_80_columns_where_names_are_short(event: Wanted, user: Wanted) -> None:
    wanted: dict[ListField, Wanted] = {
        Column.EVENT: event,
        Column.CATEGORY: Wanted(12, 12),
        Column.USER: user,
        Column.DESCRIPTION: Wanted(50, 60),
    }
    widths = {box.column: box.width for box in lay_out(79, wanted)}
    assert widths[Column.DESCRIPTION] >= 20
