"""When the columns are asked, and when SQL: by numbers alone."""

from __future__ import annotations

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.filters import Condition, MetaField
from audit_tui.core.operators import CONTAINS, IS
from audit_tui.store.columns.choosing import (
    Work,
    columns_read,
    is_columnar,
    is_count_by_columns,
    is_first_by_columns,
    is_skip_by_columns,
    weight,
)
from audit_tui.store.predicate import Group, OneOf, Predicate, RowTest

LOGIN = OneOf(Column.EVENT, frozenset({1}))
ALICE = OneOf(Column.USER, frozenset({2}))
BOTH = Group((LOGIN, ALICE), is_any=False)
ADDRESS = RowTest(Condition(Column.SOURCE_IP, IS, "192.0.2.1"))
METADATA = RowTest(Condition(MetaField("role"), CONTAINS, "admin"))
ALL_TIME = Work(events=10_000_000, segments=306, is_warm=True)
COLD = Work(events=10_000_000, segments=306, is_warm=False)
MONTH_COLD = Work(events=270_000, segments=9, is_warm=False)


@pytest.mark.parametrize(
    ("predicate", "expected", "columns", "heavy"),
    [
        (True, True, 0, False),
        (LOGIN, True, 1, False),
        (BOTH, True, 2, False),
        (ADDRESS, True, 1, True),
        (METADATA, False, 1, True),
        (Group((LOGIN, METADATA), is_any=True), False, 2, True),
    ],
)
def test_what_the_columns_hold(predicate: Predicate, expected: bool, columns: int, heavy: bool) -> None:
    assert is_columnar(predicate) is expected
    assert columns_read(predicate) == columns
    assert (weight(predicate) > 1) is heavy


@pytest.mark.parametrize(
    ("work", "entries", "expected"),
    [
        (ALL_TIME, 2_000_000, True),
        (ALL_TIME, 10_000, False),
        (COLD, 10_000_000, True),
        (COLD, 500_000, False),
        (MONTH_COLD, 270_000, False),
    ],
)
def test_first_rows(work: Work, entries: int, expected: bool) -> None:
    assert is_first_by_columns(work, BOTH, entries) is expected


@pytest.mark.parametrize(
    ("work", "entries", "expected"),
    [
        (ALL_TIME, 10_000_000, True),
        (ALL_TIME, 0, False),
        (MONTH_COLD, 270_000, False),
        (COLD, 10_000_000, True),
    ],
)
def test_a_count(work: Work, entries: int, expected: bool) -> None:
    assert is_count_by_columns(work, BOTH, entries) is expected


@pytest.mark.parametrize(
    ("offset", "is_exact", "expected"),
    [(5_000_000, True, True), (10_000, True, False), (500_000, False, True), (100, False, False)],
)
def test_a_far_row(offset: int, is_exact: bool, expected: bool) -> None:
    assert is_skip_by_columns(ALL_TIME, BOTH, offset, is_exact=is_exact) is expected
