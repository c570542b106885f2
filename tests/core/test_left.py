"""The place where a review was left: there and back through JSON, and nothing hostile comes through."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import LISTABLE_COLUMNS, NAME_COLUMNS
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import NAME_OPERATORS
from audit_tui.core.flat_filter import FlatFilter, Match
from audit_tui.core.left import MAX_CONDITIONS, Left
from audit_tui.core.query import PageKey, Sort
from audit_tui.core.time.dates import MomentRange, Preset
from audit_tui.core.time.month import DayRange
from audit_tui.core.view import View

if TYPE_CHECKING:
    from audit_tui.core.time.dates import TimeRange

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))


def _days(first: date, last: date) -> TimeRange:
    return DayRange(min(first, last), max(first, last))


def _moments(start: datetime | None, end: datetime | None) -> TimeRange:
    if start is not None and end is not None and start > end:
        start, end = end, start
    return MomentRange(start, end)


RANGES = (
    st.sampled_from(Preset) | st.builds(_days, st.dates(), st.dates()) | st.builds(_moments, MOMENTS, MOMENTS)
)
CONDITIONS = st.builds(
    Condition, st.sampled_from(NAME_COLUMNS), st.sampled_from(NAME_OPERATORS), st.none() | st.just("") | TEXTS
)
FILTERS = st.builds(FlatFilter, st.sampled_from(Match), st.lists(CONDITIONS, max_size=4).map(tuple)).map(
    FlatFilter.expression
)
LEFT = st.builds(
    Left,
    st.builds(View, FILTERS, RANGES, st.builds(Sort, st.sampled_from(LISTABLE_COLUMNS), st.booleans())),
    st.none()
    | st.builds(PageKey, st.none() | TEXTS, st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**62)),
    st.integers(0, 500),
)


@given(LEFT)
def test_it_comes_back_as_it_was(left: Left) -> None:
    assert Left.from_plain(json.loads(json.dumps(left.to_plain()))) == left


COMMON: dict[str, Any] = {
    "range": "last-90-days",
    "sort": ["user", False],
    "event": ["alice", 1, 2],
    "line": 3,
}
ROWS = [["user", "is", "alice"], ["user", "is_not", None]]
PLAIN = COMMON | {"filter": {"any": ROWS}}
OLD = COMMON | {"match": "any", "filters": ROWS, "sort": ["date", False]}
"""As a version wrote it whose filters were flat and whose times were called date."""


def test_what_is_written_is_readable_for_people() -> None:
    left = Left.from_plain(PLAIN)
    assert left.to_plain() == PLAIN
    assert left.view.time_range is Preset.LAST_90_DAYS


def test_a_place_of_an_older_version_is_read() -> None:
    left = Left.from_plain(OLD)
    assert left.to_plain() == PLAIN | {"sort": ["time", False]}


@pytest.mark.parametrize(
    "tree",
    [
        ["user; DROP TABLE event", "is", "x"],
        {"not": ["user", "LIKE", "x"]},
        {"all": [["user", "is", 5]]},
        {"any": [{"some": []}]},
        {"all": [["user", "is", "x"]] * (MAX_CONDITIONS + 1)},
        {"all": 5},
        None,
        [],
        ["source_ip", "in_network", "10.0.0.1"],
    ],
)
def test_any_other_tree_is_refused(tree: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        Left.from_plain(PLAIN | {"filter": tree})


def test_a_tree_without_end_is_refused() -> None:
    tree: object = ["user", "is", "x"]
    for _ in range(2_000):
        tree = {"not": tree}
    with pytest.raises(ValueError, match="deep"):
        Left.from_plain(PLAIN | {"filter": tree})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("range", "next-year"),
        ("range", None),
        ("range", {"days": ["2026-01-02", "2026-01-01"]}),
        ("range", {"days": ["2026-01-02"]}),
        ("range", {"days": ["2026-02-30", "2026-03-01"]}),
        ("range", {"moments": ["2026-01-01T00:00:00", None]}),
        ("range", {"moments": ["2026-01-02T00:00:00+00:00", "2026-01-01T00:00:00+00:00"]}),
        ("range", {"moments": [5, None]}),
        ("match", "none"),
        ("match", 1),
        ("filters", [["user; DROP TABLE event", "is", "x"]]),
        ("filters", [["user", "LIKE", "x"]]),
        ("filters", [["user", "is", 5]]),
        ("filters", [["user", "is", "\ud800"]]),
        ("filters", [["user", "is"]]),
        ("filters", [["user", "is", "x"]] * (MAX_CONDITIONS + 1)),
        ("filters", {"user": "x"}),
        ("sort", ["rowid", True]),
        ("sort", ["user", 1]),
        ("event", ["x", 1.5, 2]),
        ("event", ["x", True, 2]),
        ("event", ["x", 2**63, 2]),
        ("event", ["x", 1, -1]),
        ("event", ["x", 1, 2**63]),
        ("event", ["\udfff", 1, 2]),
        ("event", [1, 2]),
        ("line", -1),
        ("line", 10**9),
        ("line", None),
    ],
)
def test_anything_else_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        Left.from_plain(OLD | {name: value})


@pytest.mark.parametrize("plain", [None, [], "x", 5, {}, {"range": "today"}])
def test_what_is_no_place_at_all_is_refused(plain: object) -> None:
    with pytest.raises(ValueError, match="not a place"):
        Left.from_plain(plain)
