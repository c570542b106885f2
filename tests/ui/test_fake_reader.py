"""The fake reader must be right before anything is tested with it."""

from __future__ import annotations

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import Any, Condition
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.query import After, AtRow, Before, EventQuery, Interval, PageKey, Sort
from audit_tui.errors import QueryCancelled
from tests.ui.fake_reader import FakeReader

EVENTS = [
    AuditEvent("Login", 10, user="bob"),
    AuditEvent("Logout", 30, user="Alice"),
    AuditEvent("Login", 20),
    AuditEvent("Role created", 20, user="alice", category="Roles"),
    AuditEvent("Role created", 40, user="alice", category="Roles"),
]


def test_rows_stand_newest_first_and_the_later_appended_of_one_moment_first() -> None:
    rows = FakeReader(EVENTS).page(EventQuery(), AtRow(0), 10).rows
    assert [row.seq for row in rows] == [5, 2, 4, 3, 1]


@pytest.mark.parametrize(("descending", "expected"), [(False, [2, 5, 4, 1, 3]), (True, [3, 1, 5, 4, 2])])
def test_a_text_column_sorts_without_case_and_missing_values_last(
    descending: bool, expected: list[int]
) -> None:
    query = EventQuery(sort=Sort(Column.USER, descending))
    assert [row.seq for row in FakeReader(EVENTS).result(query)] == expected


def test_pages_after_and_before_a_key_meet_at_it() -> None:
    reader, query = FakeReader(EVENTS), EventQuery()
    rows = reader.page(query, AtRow(0), 10).rows
    key = PageKey.of(rows[2], query.sort)
    after, before = reader.page(query, After(key), 1), reader.page(query, Before(key), 5)
    assert (after.rows, after.is_end) == (rows[3:4], False)
    assert (before.rows, before.is_end) == (rows[:2], True)
    assert reader.locate(query, key) == 2


def test_count_obeys_filter_interval_and_the_newest_event() -> None:
    reader = FakeReader(EVENTS)
    nobody_or_bob = Any(
        (Condition(Column.USER, IS, None), Condition(Column.USER, IS, "bob")),
    )
    assert reader.count(EventQuery(nobody_or_bob)) == 2
    assert reader.count(EventQuery(Condition(Column.USER, IS_NOT, "bob"))) == 4
    assert reader.count(EventQuery(interval=Interval(20, 40))) == 3
    assert reader.count(EventQuery(upto_seq=2)) == 2


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("", ["alice", "Alice", "bob", None]),
        ("alice", ["alice", "Alice"]),
        ("Alice", ["Alice", "alice"]),
        ("o", ["bob", None]),
        ("nobody", []),
    ],
)
def test_values_are_ranked(search: str, expected: list[str | None]) -> None:
    values = FakeReader(EVENTS).values(Column.USER, search, 50)
    assert [value.value for value in values] == expected


def test_a_cancelled_question_ends() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(QueryCancelled):
        FakeReader(EVENTS).count(EventQuery(), token)
