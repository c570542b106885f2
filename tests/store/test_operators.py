"""Every operator on every field, as the query line writes them, against the slow and obvious way."""

from __future__ import annotations

import sqlite3
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_tui.core.columns import NAME_COLUMNS, Column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.filters import (
    ANY_TEXT,
    All,
    Any,
    Condition,
    Filter,
    MetaField,
    Not,
    everywhere,
    require_possible,
    with_conditions,
)
from audit_tui.core.filter.matching import leaves, matcher
from audit_tui.core.filter.operators import (
    AT_LEAST,
    AT_MOST,
    CONTAINS,
    IN_NETWORK,
    IS,
    LESS,
    MATCHES,
    MORE,
    TEXT_OPERATORS,
    Operator,
)
from audit_tui.core.query import AtRow, EventQuery, EventReader
from audit_tui.core.query_line.parse import parse
from audit_tui.core.query_line.text import line_of, quoted
from audit_tui.core.time.dates import TimeContext
from audit_tui.errors import FilterError
from audit_tui.store.index import segment, text_build, text_index
from audit_tui.store.read.reader import StoreReader, open_store
from audit_tui.store.tables import text_layout
from audit_tui.store.tables.rows import stored_text
from audit_tui.store.tables.text_layout import Stretch
from audit_tui.store.write.writer import StoreWriter
from tests.matching import matches
from tests.store.samples import EVENTS, NAMES, tiny_segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONTEXT = TimeContext(UTC, datetime(2026, 11, 22, tzinfo=UTC))
ADDRESSES = (
    None,
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "0:0:0:0:0:0:0:1",
    "2001:db8::7",
    "10.0.0.0/8",
    "host",
    "10.0.0.1 ",
)
NUMBERS = (7, -2.5, "12", "1e2", "x", True, None, 10**20, "0.1", "", "5_0", [3, 400], {"n": 8})
STORED = [
    replace(
        event,
        seq=number,
        source_ip=ADDRESSES[number % 8],
        target=ADDRESSES[number * 3 % 8] if number % 2 else f"arn:aws:s3:::b{number % 4}/key",
        metadata=event.metadata | {"n": NUMBERS[number % 13], "peer": ADDRESSES[number * 5 % 8]},
    )
    for number, event in enumerate(EVENTS, 1)
]
TEXTS = (
    "bob",
    "B*",
    "*ob",
    "*o*",
    "x",
    "*",
    "",
    "login",
    "Ä*",
    "%",
    "al\0ice",
    "arn:*:b1/*",
    "ARN:*",
    "*/key",
    "y*s",
    "**x**",
    "*ss",
    "fi",
    "success",
)
FIELDS = (
    *NAME_COLUMNS,
    Column.DESCRIPTION,
    Column.OUTCOME,
    Column.SOURCE_IP,
    Column.TARGET,
    Column.SOURCE,
    ANY_TEXT,
)


def _is_possible(condition: Condition) -> bool:
    """Tell whether a line may say it: of what no event can match, parsing makes an error."""
    try:
        require_possible(condition.field, condition.operator, condition.value)
    except FilterError:
        return False
    return True


def _either(*positive: Operator) -> st.SearchStrategy[Operator]:
    return st.sampled_from([*positive, *(operator.negation for operator in positive)])


meta = st.builds(MetaField, st.sampled_from(["a", "b", "b.c", "n", "peer", "n.n", "none"]))
order = _either(LESS, AT_MOST, MORE, AT_LEAST)
conditions: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Condition, st.sampled_from(FIELDS) | meta, _either(*TEXT_OPERATORS), st.sampled_from(TEXTS)),
    st.builds(
        Condition,
        st.sampled_from(FIELDS) | meta,
        _either(IS, MATCHES),
        st.sampled_from([*filter(None, ADDRESSES), "10.0.0.*", "::1", *map(str, range(4))]),
    ),
    st.builds(
        Condition,
        st.sampled_from([*FIELDS, Column.SEVERITY, Column.SEQ, Column.TIME]) | meta,
        _either(IS),
        st.none(),
    ),
    st.builds(
        Condition,
        st.sampled_from([Column.SOURCE_IP, Column.TARGET]) | meta,
        _either(IN_NETWORK),
        st.sampled_from(["10.0.0.0/8", "10.0.0.1/32", "::/64", "2001:db8::/32", "0.0.0.0/0"]),
    ),
    st.builds(Condition, meta, order, st.sampled_from(["7", "-2.5", "12", "100", "0.1", "1e20", "3.0"])),
    st.builds(
        Condition,
        st.sampled_from([Column.SEQ, Column.TIME]),
        order | _either(IS),
        st.integers(-4, 95).map(str),
    ),
    st.builds(Condition, st.just(Column.SEVERITY), order | _either(IS), st.integers(0, 6).map(str)),
).filter(_is_possible)


def groups(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    """Groups of filters."""
    several = st.lists(parts, max_size=4).map(tuple)
    return st.builds(All, several) | st.builds(Any, several) | st.builds(Not, parts)


@pytest.fixture(scope="module", params=["segments", "tail", "stretches", "many addresses"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventReader]:
    """A store whose events are in small segments, or in none yet; or with texts in stretches and without.

    Or in segments that have too many addresses to note them.
    """
    path = tmp_path_factory.mktemp("operators") / "audit.db"
    with (
        tiny_segments() if request.param != "tail" else nullcontext(),
        pytest.MonkeyPatch.context() as addresses,
    ):
        if request.param == "many addresses":
            addresses.setattr(segment, "MAX_TEXTS", 0)
        with StoreWriter(path, durable=False) as writer:
            for first in range(0, len(STORED), 10):
                writer.append(STORED[first : first + 10])
        if request.param == "stretches":
            # What is frequent, and what is rare; events are late and out of order. One gap, and a tail.
            with (
                pytest.MonkeyPatch.context() as sizes,
                closing(sqlite3.connect(path)) as connection,
                connection,
            ):
                sizes.setattr(text_build, "FREQUENT_PIECE", 2)
                sizes.setattr(text_build, "SMALL_GROUP_BYTES", 1)
                sizes.setattr(text_build, "PIECES_OF_A_SENTENCE", 1)
                sizes.setattr(text_build, "OF_A_PART", None)
                text_layout.create(connection)
                for stretch in (Stretch(1, 30), Stretch(31, 36), Stretch(43, 80)):
                    text_index.build_stretch(connection, stretch)
        with closing(open_store(path)()) as reader:
            yield reader


def check(reader: EventReader, expression: Filter) -> None:
    """Compare the rows, not only their number."""
    query = EventQuery(expression)
    wanted = {event.seq for event in STORED if matches(expression, event)}
    page = reader.page(query, AtRow(0), 1_000)
    assert {row.seq for row in page.rows} == wanted
    assert reader.count(query) == len(wanted)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.recursive(conditions, groups, max_leaves=6))
def test_the_rows_of_a_filter(reader: EventReader, expression: Filter) -> None:
    check(reader, expression)
    # Its line means the same, also to the oracle.
    check(reader, parse(line_of(expression), CONTEXT).filter)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.recursive(conditions, groups, max_leaves=6))
def test_an_event_in_hand_is_judged_alike(reader: EventReader, expression: Filter) -> None:
    def stored(condition: Condition) -> Condition:
        return replace(condition, value=None if condition.value is None else stored_text(condition.value))

    is_wanted = matcher(with_conditions(expression, stored))
    for event in STORED[::3]:
        found_event = reader.event(event.seq or 0)
        assert found_event is not None
        assert is_wanted(found_event) is matches(expression, event)


@pytest.mark.parametrize("operator", TEXT_OPERATORS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_pattern_on_each_field(reader: EventReader, field: Column, operator: Operator) -> None:
    for text in (*TEXTS, *NAMES["user"], *(outcome.value for outcome in Outcome)):
        if text is not None:
            for either in (operator, operator.negation):
                check(reader, Condition(field, either, text))


NUMBER_TEXTS = ("5", "05", "1", "-", "0", "1e1", "9" * 20, "9" * 4_400)


@pytest.mark.parametrize("operator", TEXT_OPERATORS)
@pytest.mark.parametrize("field", [Column.SEQ, Column.TIME, Column.SEVERITY])
def test_a_number_is_a_text_too(reader: EventReader, field: Column, operator: Operator) -> None:
    for text in NUMBER_TEXTS:
        for either in (operator, operator.negation):
            check(reader, Condition(field, either, text))


@pytest.mark.parametrize("text", ["bob", "LOGIN", "role", "ss", "ä", "10.0", "nowhere", "o"])
def test_any_text_looks_in_the_names_too(reader: EventReader, text: str) -> None:
    for operator in (CONTAINS, CONTAINS.negation):
        expression = everywhere(Condition(ANY_TEXT, operator, text))
        wanted = text.casefold()
        expected = [
            event.seq
            for event in STORED
            if any(
                wanted in (part or "").casefold()
                for part in (
                    *(event.event, event.category, event.user, event.description, event.target),
                    *(event.source_ip, *(value for _, value in leaves(event.metadata))),
                )
            )
            is (operator is CONTAINS)
        ]
        assert {event.seq for event in reader.events(EventQuery(expression))} == set(expected)
        assert [event.seq for event in STORED if matcher(expression)(event)] == expected


INJECTIONS = [
    text.encode().decode("unicode_escape").replace("MARK", f"zq{number}")
    for number, text in enumerate((Path(__file__).parent / "injections.txt").read_text().splitlines())
]
"""Forty texts that break out of a statement into which they are pasted, each with a mark of its own."""


@pytest.mark.parametrize("field", ["user", "description", "source", "meta.x", "text"])
def test_no_value_reaches_the_text_of_a_statement(
    reader: EventReader, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    assert isinstance(reader, StoreReader)
    ask = reader._session.rows

    def rows(statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        seen.append(statement)
        return ask(statement, parameters)

    monkeypatch.setattr(reader._session, "rows", rows)
    assert len(INJECTIONS) * 5 == 200
    for number, payload in enumerate(INJECTIONS):
        expression = parse(f"{field}{':=~'[number % 3]}{quoted(payload)}", CONTEXT).filter
        assert reader.count(EventQuery(expression)) == 0
        named = parse(f"meta.{quoted(payload)}:x", CONTEXT).filter
        assert reader.count(EventQuery(named)) == 0
    assert seen
    assert not any("zq" in statement for statement in seen)
