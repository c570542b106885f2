from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import LIST_COLUMNS, Column, ListColumn
from audit_tui.ui.widgets.list.column_layout import FULL_DATE_CELLS, GAP_CELLS, SHORT_DATE_CELLS, lay_out

ORDINARY: dict[ListColumn, int] = {
    Column.EVENT: 21,
    Column.CATEGORY: 15,
    Column.USER: 20,
    Column.DESCRIPTION: 60,
}


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
    assert " ".join(box.column for box in lay_out(width, ORDINARY)) == names


@given(
    width=st.integers(1, 400),
    wanted=st.fixed_dictionaries({column: st.integers(0, 500) for column in LIST_COLUMNS}),
)
def test_columns_never_overlap_and_fill_the_width(width: int, wanted: dict[ListColumn, int]) -> None:
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
