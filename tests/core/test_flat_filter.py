"""Rows of the Filter dialog: every operator that one offers, lists, and values that nothing can match."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import (
    ANY_TEXT,
    All,
    Any,
    Condition,
    Filter,
    FilterField,
    MetaField,
    parse_condition,
)
from audit_tui.core.filter.matching import matcher
from audit_tui.core.filter.operators import CONTAINS, IN_NETWORK, IS, IS_NOT, MATCHES, MORE, Operator
from audit_tui.core.flat_filter import (
    Draft,
    FlatFilter,
    Form,
    Match,
    flat,
    flat_filter,
    list_text,
    listed_texts,
    row_operators,
)
from audit_tui.core.query_line.parse import parse
from audit_tui.core.query_line.scan import QueryError
from audit_tui.core.time.dates import TimeContext
from audit_tui.errors import FilterError
from tests.store.samples import EVENTS

FIELDS: tuple[FilterField, ...] = (
    *(Column.EVENT, Column.CATEGORY, Column.USER, Column.DESCRIPTION, Column.OUTCOME, Column.SEVERITY),
    *(Column.SOURCE_IP, Column.TARGET, Column.SOURCE, ANY_TEXT, MetaField("a"), MetaField("b.c")),
)
TYPED = ("success", "2", "10.0.0.0/8", "bob", "a, b", '"x, y", z', "", "high", " ", "o", "7.5", "a*")


@given(st.lists(st.text(max_size=8), min_size=1, max_size=5))
def test_a_list_is_read_as_it_is_written(values: list[str]) -> None:
    assert listed_texts(list_text(values)) == values


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("a, b", ["a", "b"]),
        ("Role assigned,Login", ["Role assigned", "Login"]),
        ("a, ", ["a"]),
        ('"a, b", c', ["a, b", "c"]),
        ('5" disk', ['5" disk']),
        ("", [""]),
        ('"never closed, b', ["never closed, b"]),
    ],
)
def test_lists_as_people_type_them(typed: str, values: list[str]) -> None:
    assert listed_texts(typed) == values


@given(st.sampled_from(FIELDS), st.sampled_from(TYPED), st.data())
def test_what_a_row_says_comes_back_as_the_row(field: FilterField, text: str, data: st.DataObject) -> None:
    choice = data.draw(st.sampled_from(row_operators(field)))
    draft = Draft(field, choice.operator, text, form=choice.form)
    condition = draft.condition()
    if condition is None:
        assert draft.problem() is not None
        return
    again = Draft.of(condition)
    assert again.condition() == condition
    rows = flat(FlatFilter(Match.ALL, (condition,)).expression())
    assert rows == FlatFilter(Match.ALL, (condition,))
    assert (again.operator, again.form) in [(each.operator, each.form) for each in row_operators(field)] or (
        choice.form is Form.START and "*" in text
    ), "the row can show what it says"


@given(st.sampled_from(FIELDS), st.lists(st.sampled_from(TYPED), min_size=1, max_size=3))
def test_lists_mean_any_and_none_of_their_members(field: FilterField, texts: list[str]) -> None:
    for operator, kind in ((IS, any), (IS_NOT, all)):
        drafts = [Draft(field, operator, text) for text in texts]
        listed = Draft(field, operator, list_text(texts), form=Form.LIST).condition()
        singles = [draft.condition() for draft in drafts]
        assert (listed is None) is any(single is None for single in singles)
        if listed is not None:
            for event in EVENTS[:40]:
                expected = kind(matcher(single)(event) for single in singles if single is not None)
                assert matcher(listed)(event) is expected


@pytest.mark.parametrize(
    ("field", "operator", "text", "form", "condition"),
    [
        (Column.USER, MATCHES, "svc-", Form.START, Condition(Column.USER, MATCHES, "svc-*")),
        (Column.USER, IS, None, Form.EMPTY, Condition(Column.USER, IS, None)),
        (Column.USER, IS_NOT, None, Form.EMPTY, Condition(Column.USER, IS_NOT, None)),
        (Column.SEVERITY, MORE, "medium", Form.VALUE, Condition(Column.SEVERITY, MORE, "3")),
        (
            Column.SOURCE_IP,
            IN_NETWORK,
            "10.0.0.0/8",
            Form.VALUE,
            Condition(Column.SOURCE_IP, IN_NETWORK, "10.0.0.0/8"),
        ),
        (Column.SOURCE_IP, IN_NETWORK, "10.0.0.0/99", Form.VALUE, None),
        (Column.SOURCE_IP, IN_NETWORK, "ten", Form.VALUE, None),
        (Column.OUTCOME, IS, "fail", Form.VALUE, None),
        (Column.OUTCOME, IS, "success, fail", Form.LIST, None),
        (Column.SEVERITY, IS, "9", Form.VALUE, None),
        (Column.SEVERITY, MORE, "tall", Form.VALUE, None),
        (MetaField("n"), MORE, "tall", Form.VALUE, None),
    ],
)
def test_operators_of_rows(
    field: FilterField, operator: Operator, text: str | None, form: Form, condition: Filter | None
) -> None:
    draft = Draft(field, operator, text, form=form)
    assert draft.condition() == condition
    assert (draft.problem() is None) is (condition is not None)


def test_rows_that_cannot_match_are_left_out_of_the_count() -> None:
    drafts = [Draft(Column.OUTCOME, IS, "fail"), Draft(Column.OUTCOME, IS, "failure")]
    failure = Condition(Column.OUTCOME, IS, "failure")
    assert flat_filter(Match.ALL, drafts) == FlatFilter(Match.ALL, (failure,))


def test_a_list_is_one_row_and_alternatives_are_rows() -> None:
    alice, bob = Condition(Column.USER, IS, "alice"), Condition(Column.USER, IS, "bob")
    login = Condition(Column.EVENT, IS, "Login")
    either = Any((alice, bob))
    assert flat(either) == FlatFilter(Match.ANY, (alice, bob))
    assert flat(All((either,))) == FlatFilter(Match.ALL, (either,))
    assert flat(All((either, login))) == FlatFilter(Match.ALL, (either, login))
    assert flat(All((Any((alice, login)), bob))) is None
    assert flat(All((Any((alice, Condition(Column.USER, CONTAINS, "b"))), bob))) is None


@pytest.mark.parametrize("text", ["outcome=fail", "outcome!=fail", "source_ip=10.0.0.0/99", "outcome~z"])
def test_a_filter_that_nothing_can_match_is_refused(text: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse_condition(text)
    assert "Outcomes are" in raised.value.hint or "source_ip=10.0.0.0/8" in raised.value.hint


def test_a_line_that_nothing_can_match_is_mended() -> None:
    context = TimeContext(UTC, datetime(2026, 11, 22, tzinfo=UTC))
    with pytest.raises(QueryError) as raised:
        parse("user:bob outcome:Succ -event:x", context)
    assert raised.value.mended == "user:bob outcome:success -event:x"
    with pytest.raises(QueryError, match="No severity is more than 6") as raised:
        parse("severity>6", context)
    assert not raised.value.mended
