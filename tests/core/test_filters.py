from __future__ import annotations

import typing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import NAME_COLUMNS, Column, NameColumn
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import (
    EVERYTHING,
    All,
    Any,
    Condition,
    Filter,
    MetaField,
    Not,
    condition_of,
    in_words,
    parse_condition,
)
from audit_tui.core.filter.operators import CONTAINS, IS, IS_NOT, MORE, NAME_OPERATORS, Operator
from audit_tui.core.flat_filter import Draft, FlatFilter, Match, flat_filter
from audit_tui.errors import FilterError
from tests.matching import matches

ROLES = Condition(Column.CATEGORY, IS, "Roles")
NOT_BOB = Condition(Column.USER, IS_NOT, "bob")
NOBODY = Condition(Column.USER, IS, None)

fields = st.sampled_from(NAME_COLUMNS)
operators = st.sampled_from(NAME_OPERATORS)
values = st.none() | st.text(min_size=1)
conditions = st.builds(Condition, fields, operators, values)


def condition_text(condition: Condition) -> str:
    """Return the condition as ``--filter`` reads it: the inverse of ``parse_condition``."""
    return f"{condition.field.value}{condition.operator.symbol}{condition.value or ''}"


@pytest.mark.parametrize(
    ("flat", "expected"),
    [
        (FlatFilter(), EVERYTHING),
        (FlatFilter(Match.ANY), EVERYTHING),
        (FlatFilter(Match.ANY, (ROLES,)), ROLES),
        (FlatFilter(Match.ALL, (ROLES, NOT_BOB)), All((ROLES, NOT_BOB))),
        (FlatFilter(Match.ANY, (ROLES, NOT_BOB)), Any((ROLES, NOT_BOB))),
    ],
)
def test_a_flat_filter_as_a_tree(flat: FlatFilter, expected: Filter) -> None:
    assert flat.expression() == expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (EVERYTHING, ""),
        (Any(()), "nothing"),
        (ROLES, "Category is Roles"),
        (NOBODY, "User is (none)"),
        (All((ROLES, NOT_BOB)), "Category is Roles and User is not bob"),
        (Any((ROLES, NOT_BOB)), "Category is Roles or User is not bob"),
        (All((Any((ROLES, NOBODY)), NOT_BOB)), "(Category is Roles or User is (none)) and User is not bob"),
        (Not(Any((ROLES, NOBODY))), "not (Category is Roles or User is (none))"),
        (All((Any((ROLES,)), NOT_BOB)), "Category is Roles and User is not bob"),
        (parse_condition("time=0"), "Date is 1970-01-01T00:00:00.000000Z"),
        (parse_condition("time=1e5"), "Date is 1e5"),
        (condition_of(Column.TIME, MORE, "1.5"), "Date is at least 1970-01-01T00:00:00.000002Z"),
    ],
)
def test_a_filter_says_itself_in_words(expression: Filter, words: str) -> None:
    assert in_words(expression) == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user=alice", Condition(Column.USER, IS, "alice")),
        ("user!=alice", Condition(Column.USER, IS_NOT, "alice")),
        ("Event = Role created", Condition(Column.EVENT, IS, " Role created")),
        ("user=a=b", Condition(Column.USER, IS, "a=b")),
        ("user=a!=b", Condition(Column.USER, IS, "a!=b")),
        ("user!==b", Condition(Column.USER, IS_NOT, "=b")),
        ("user=", NOBODY),
        ("user!=", Condition(Column.USER, IS_NOT, None)),
        ("user=(none)", Condition(Column.USER, IS, "(none)")),
    ],
)
def test_a_condition_is_read_from_text(text: str, expected: Condition) -> None:
    assert parse_condition(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alice", "none of =, !="),
        ("actor=alice", "'actor'"),
        ("=alice", "''"),
        ("", "none of ="),
        ('meta."a"b=c', "A dot must stand behind the quote"),
        ("time=2026-11-01", "'2026-11-01' is not a number"),
        ("time!=today", "'today' is not a number"),
        ("seq~x", "'x' is not a number"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, words: str) -> None:
    with pytest.raises(FilterError, match=words):
        parse_condition(text)


@given(conditions)
def test_a_condition_reads_back_from_its_text(condition: Condition) -> None:
    assert parse_condition(condition_text(condition)) == condition


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ('meta."a=b"=c', "a=b", "c"),
        ('meta."a!~b"=c=d', "a!~b", "c=d"),
        ('meta." spaced "=c', " spaced ", "c"),
        ('meta."\\"q\\""=c', '"q"', "c"),
        ('META."x!"=c', "x!", "c"),
        ("meta.a b.c=d", "a b.c", "d"),
        ('meta."a b".c=d', "a b.c", "d"),
        ('meta.a."b=c".d=e."f"', "a.b=c.d", 'e."f"'),
    ],
)
def test_the_name_of_a_metadata_field_in_quotes_is_read_whole(text: str, path: str, value: str) -> None:
    condition = parse_condition(text)
    assert condition == Condition(MetaField(path), IS, value)
    assert parse_condition(condition_text(condition)) == condition


@given(st.text(min_size=1), st.sampled_from([IS, IS_NOT, CONTAINS]), st.text(min_size=1))
def test_any_name_of_a_metadata_field_reads_back(path: str, operator: Operator, value: str) -> None:
    condition = Condition(MetaField(path), operator, value)
    assert parse_condition(condition_text(condition)) == condition


@given(conditions)
def test_a_condition_reads_back_from_its_draft(condition: Condition) -> None:
    assert Draft.of(condition).condition() == condition


@given(fields, values, values)
def test_is_not_is_the_opposite_of_is(field: NameColumn, stored: str | None, value: str | None) -> None:
    parts: dict[str, typing.Any] = {field.value: stored}
    event = replace(AuditEvent("", 0), **parts)
    holds = matches(Condition(field, IS, value), event)
    assert holds is (stored == value)
    assert matches(Condition(field, IS_NOT, value), event) is not holds
    assert matches(Not(Condition(field, IS, value)), event) is not holds


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (Draft(), None),
        (Draft(text="bob"), None),
        (Draft(Column.USER), None),
        (Draft(Column.USER, IS_NOT, "bob"), NOT_BOB),
        (Draft(Column.USER, is_missing=True), NOBODY),
        (Draft(Column.USER, text="(none)"), Condition(Column.USER, IS, "(none)")),
        (Draft(Column.USER, text=""), Condition(Column.USER, IS, "")),
        (Draft(Column.USER, text=" "), Condition(Column.USER, IS, " ")),
    ],
)
def test_a_draft_makes_a_condition_once_it_is_complete(draft: Draft, expected: Condition | None) -> None:
    assert draft.condition() == expected


def test_a_draft_without_column_and_value_is_untouched() -> None:
    assert Draft().is_untouched
    assert Draft(operator=IS_NOT).is_untouched
    touched = (Draft(Column.EVENT), Draft(text="x"), Draft(text=""), Draft(is_missing=True))
    assert not any(draft.is_untouched for draft in touched)


def test_incomplete_rows_are_left_out_of_a_filter() -> None:
    drafts = [Draft(), Draft.of(ROLES), Draft(Column.USER), Draft.of(NOT_BOB)]
    assert flat_filter(Match.ANY, drafts) == FlatFilter(Match.ANY, (ROLES, NOT_BOB))
