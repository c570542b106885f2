"""Rows that can never hold together, against events that try to pass both."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.filter.filters import ANY_TEXT, Any, Condition, Filter, MetaField
from audit_tui.core.filter.matching import matcher
from audit_tui.core.filter.operators import CONTAINS, IS, IS_NOT, LESS, MATCHES, MORE
from audit_tui.core.flat_filter import FlatFilter, Match, contradiction, contradiction_words

VALUES = ("a", "b", "ab", "", None)
EVENTS = [
    AuditEvent(
        event=name or "x", user=user, occurred_us=1, severity=severity, outcome=outcome, metadata={"m": m}
    )
    for name, user, severity, outcome, m in product(
        ("a", "b"), VALUES, (None, 0, 3, 6), list(Outcome), ("a", ["a", "b"], None)
    )
]
texts = st.builds(
    Condition,
    st.sampled_from([Column.USER, Column.EVENT, MetaField("m"), ANY_TEXT]),
    st.sampled_from([IS, IS_NOT, CONTAINS, CONTAINS.negation, MATCHES]),
    st.sampled_from([*VALUES[:3], "a*"]),
)
missing = st.builds(
    Condition, st.sampled_from([Column.USER, MetaField("m")]), st.sampled_from([IS, IS_NOT]), st.none()
)
numbers = st.builds(
    Condition, st.just(Column.SEVERITY), st.sampled_from([IS, MORE, LESS]), st.sampled_from(["0", "3", "6"])
)
outcomes = st.builds(
    Condition, st.just(Column.OUTCOME), st.sampled_from([IS, IS_NOT]), st.sampled_from(["success", "failure"])
)
lists: st.SearchStrategy[Filter] = st.sampled_from(
    [Any((Condition(Column.USER, IS, "a"), Condition(Column.USER, IS, "b")))]
)


@given(st.lists(texts | missing | numbers | outcomes | lists, min_size=2, max_size=3))
def test_nothing_passes_what_is_called_a_contradiction(rows: list[Filter]) -> None:
    pair = contradiction(FlatFilter(Match.ALL, tuple(rows)))
    if pair is not None:
        assert not any(matcher(pair[0])(event) and matcher(pair[1])(event) for event in EVENTS)
        assert "never together" in contradiction_words(pair)
    assert contradiction(FlatFilter(Match.ANY, tuple(rows))) is None


@pytest.mark.parametrize(
    ("first", "second", "is_contradiction"),
    [
        (Condition(Column.EVENT, IS, "A"), Condition(Column.EVENT, IS, "B"), True),
        (Condition(Column.EVENT, IS, "A"), Condition(Column.EVENT, IS_NOT, "A"), True),
        (Condition(Column.EVENT, IS, "A"), Condition(Column.EVENT, IS_NOT, "B"), False),
        (Condition(Column.EVENT, IS, "A"), Condition(Column.USER, IS, "B"), False),
        (Condition(Column.USER, IS, None), Condition(Column.USER, CONTAINS, "b"), True),
        (Condition(Column.USER, IS, "bob"), Condition(Column.USER, MATCHES, "a*"), True),
        (Condition(Column.SEVERITY, MORE, "4"), Condition(Column.SEVERITY, LESS, "3"), True),
        (Condition(Column.SEVERITY, MORE, "2"), Condition(Column.SEVERITY, LESS, "4"), False),
        (Condition(MetaField("m"), IS, "a"), Condition(MetaField("m"), IS, "b"), False),
        (Condition(MetaField("m"), IS, "a"), Condition(MetaField("m"), IS_NOT, "a"), True),
    ],
)
def test_what_is_plain_is_told(first: Filter, second: Filter, is_contradiction: bool) -> None:
    pair = contradiction(FlatFilter(Match.ALL, (first, second)))
    assert (pair == (first, second)) is is_contradiction
