"""Every operator on every field gives what the slow and obvious way gives, also where SQL would not."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import ANY_TEXT, All, Any, Condition, Filter, MetaField, Not
from audit_tui.core.filter.matching import matcher
from audit_tui.core.filter.operators import (
    AT_LEAST,
    CONTAINS,
    CONTAINS_NOT,
    IN_NETWORK,
    IS,
    MATCHES,
    TEXT_OPERATORS,
)
from audit_tui.core.query import AtRow, EventQuery, EventReader
from audit_tui.core.source import CLICKHOUSE, POSTGRESQL, SourceUrl
from audit_tui.engines.opening import open_shared
from tests.engines.servers import empty_engine
from tests.engines.shared import append, number_stores, ship
from tests.matching import matches
from tests.store.test_operators import NUMBER_TEXTS, STORED, conditions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

parts = st.lists(conditions, max_size=3).map(tuple)
FILTERS = st.one_of(
    conditions,
    st.builds(All, parts),
    st.builds(Any, parts),
    st.builds(Not, conditions | st.builds(All, parts) | st.builds(Any, parts)),
)


@pytest.fixture(scope="module", params=[POSTGRESQL, CLICKHOUSE])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventReader]:
    folder = tmp_path_factory.mktemp("operators")
    path = folder / "audit.db"
    append(path, STORED)
    url = empty_engine(request.param, folder)
    # A name that no text of the tests is a part of: the name of a store is a source of its events.
    number_stores(url, {0: path}, name="q")
    ship(path, url)
    with closing(open_shared(SourceUrl(url))()) as opened:
        yield opened


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expression=FILTERS)
def test_a_filter_wants_what_it_should(reader: EventReader, expression: Filter) -> None:
    query = EventQuery(expression)
    expected = {event.seq for event in STORED if matches(expression, event)}
    assert {row.seq for row in reader.page(query, AtRow(0), len(STORED)).rows} == expected
    assert reader.count(query) == len(expected)


ODD_TEXTS = (
    "\x01",
    "\\",
    "%",
    "_",
    ".*",
    "[",
    "(",
    "'",
    '"',
    "\n",
    "{a0}",
    "%(a0)s",
    "\x1e",
    "\x1f",
    "b",
    "ab",
)
ODD = [
    AuditEvent(
        "Odd",
        place,
        key=f"odd-{place}",
        user=f"a{text}b",
        description=f"x a{text}b c",
        metadata={"odd": [f"a{text}b", text], f"key{text}": {"deep": f"{text}c"}},
        seq=place,
    )
    for place, text in enumerate(ODD_TEXTS, 1)
]


@pytest.fixture(scope="module", params=[POSTGRESQL, CLICKHOUSE])
def odd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventReader]:
    folder = tmp_path_factory.mktemp("odd")
    path = folder / "audit.db"
    append(path, ODD)
    url = empty_engine(request.param, folder)
    number_stores(url, {0: path}, name="q")
    ship(path, url)
    with closing(open_shared(SourceUrl(url))()) as opened:
        yield opened


@pytest.mark.parametrize("text", ODD_TEXTS)
@pytest.mark.parametrize("field", [ANY_TEXT, MetaField("odd"), Column.DESCRIPTION, Column.USER])
def test_odd_texts_are_texts(odd: EventReader, field: Column, text: str) -> None:
    # ClickHouse takes 20 ms for a question: each operator gets the values that may mislead it.
    part, whole, more = (text, f"a{text}b", f"{text}c")
    for operator, values in (
        (IS, (part, whole)),
        (CONTAINS, (part, more)),
        (CONTAINS_NOT, (whole,)),
        (MATCHES, (whole, f"*{text}*")),
    ):
        for value in values:
            expression = Condition(field, operator, value)
            expected = [event.seq for event in ODD if matches(expression, event)]
            rows = odd.page(EventQuery(expression), AtRow(0), 100).rows
            assert sorted(row.seq for row in rows) == expected, (operator.words, value)


SPACED = [
    AuditEvent(
        "Spaced",
        place,
        key=f"spaced-{place}",
        user=text,
        description=text,
        metadata={"n": text},
        seq=place,
    )
    for place, text in enumerate(
        ("\x0b10.0.0.1", "\xa010.0.0.1\n", "10.0.0.1\u3000", "5\x1c", "\x0b5", "x5"), 1
    )
]


@pytest.mark.parametrize("engine", [POSTGRESQL, CLICKHOUSE])
def test_what_python_takes_for_a_space(engine: str, tmp_path: Path) -> None:
    path, url = tmp_path / "audit.db", empty_engine(engine, tmp_path)
    append(path, SPACED)
    ship(path, url, "q")
    with closing(open_shared(SourceUrl(url))()) as reader:
        for condition in (
            Condition(Column.USER, MATCHES, "10.0.0.1"),
            Condition(Column.DESCRIPTION, MATCHES, "10.0.0.1"),
            Condition(MetaField("n"), MATCHES, "10.0.0.1"),
            Condition(MetaField("n"), IN_NETWORK, "10.0.0.0/8"),
            Condition(MetaField("n"), AT_LEAST, "5"),
        ):
            expected = [event.seq for event in SPACED if matcher(condition)(event)]
            assert len(expected) > 1
            assert reader.count(EventQuery(condition)) == len(expected), condition.operator.words


def test_numbers_that_are_looked_for_as_texts(reader: EventReader) -> None:
    for field in (Column.SEQ, Column.TIME):
        for operator in TEXT_OPERATORS:
            for text in NUMBER_TEXTS:
                condition = Condition(field, operator, text)
                expected = sum(matches(condition, event) for event in STORED)
                assert reader.count(EventQuery(condition)) == expected, (field, operator.words, text[:20])
