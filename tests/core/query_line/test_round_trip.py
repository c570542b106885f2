"""A filter and its line turn into each other; any text gives a filter or an error with a place."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import (
    EVERYTHING,
    FILTER_COLUMNS,
    All,
    Any,
    Condition,
    FilterField,
    MetaField,
    Not,
    parse_condition,
)
from audit_tui.core.filter.operators import IS, IS_NOT, OPERATORS
from audit_tui.core.query_line.parse import Query, parse
from audit_tui.core.query_line.scan import QueryError
from audit_tui.core.query_line.text import line_of, normal
from audit_tui.core.time.dates import TimeContext
from tests.core.query_line.strategies import FILTERS, HOSTILE

CONTEXT = TimeContext(UTC, datetime(2026, 11, 22, 14, 0, tzinfo=UTC))


@given(FILTERS)
def test_a_filter_is_its_line(expression: Condition | Not | All | Any) -> None:
    line = line_of(expression)
    if normal(expression) == Any(()):
        assert line == "seq<0"
        return
    query = parse(line, CONTEXT)
    assert query == Query(normal(expression))
    assert line_of(query.filter) == line


@given(FILTERS)
def test_the_normal_form_stays(expression: Condition | Not | All | Any) -> None:
    assert normal(normal(expression)) == normal(expression)


SYNTAX = st.sampled_from(
    [
        *'abu:=!~<>()"\\ -*,.@\n\té',
        "user",
        "meta.",
        " and ",
        " or ",
        " not ",
        "since:",
        "ip:",
        "10.0.0.0/8",
        "seq",
        "1",
    ]
)


@given(st.lists(SYNTAX, max_size=24).map("".join) | st.text(max_size=40))
@example("-" * 300 + "a")
@example("(" * 300)
@example("not " * 300 + "a")
@example('"')
@example("a" * 100_001)
@example("user:(" + "a," * 1_000 + ")")
def test_any_text_is_a_filter_or_an_error_with_a_place(line: str) -> None:
    try:
        query = parse(line, CONTEXT, ["eventName"])
    except QueryError as error:
        assert 0 <= error.start <= len(line)
        assert error.start < error.end <= len(line) + 1
        assert error.message.endswith((".", ":", "=", "~", "<", ">"))
        return
    assert parse(line_of(query.filter), CONTEXT).filter == query.filter


@pytest.mark.parametrize("symbol", ["=", "!=", "~", "!~"])
def test_the_filters_of_before_mean_the_same(symbol: str) -> None:
    """Check that what --filter reads, the line reads to the same condition, with its value in quotes."""
    fields: list[FilterField] = [*FILTER_COLUMNS, MetaField("request.role"), MetaField("Model ID")]
    for field, value in product(fields, HOSTILE):
        if field in (Column.TIME, Column.SEQ, Column.SEVERITY, Column.OUTCOME) or not value:
            continue
        condition = parse_condition(f"{field.value}{symbol}{value}")
        assert parse(line_of(condition), CONTEXT).filter == condition


def test_none_and_some() -> None:
    assert parse("user=", CONTEXT).filter == Condition(Column.USER, IS, None)
    assert parse("user:*", CONTEXT).filter == Condition(Column.USER, IS_NOT, None)
    assert parse("", CONTEXT) == Query(EVERYTHING)


def test_every_operator_can_be_written() -> None:
    symbols = {operator.symbol for operator in OPERATORS}
    for symbol in symbols:
        assert parse(f"meta.x{symbol}1", CONTEXT).filter
