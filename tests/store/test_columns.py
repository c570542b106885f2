"""Every answer by columns against the slow and obvious way, with segments of seven events."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_tui.core.columns import NAME_COLUMNS, NameColumn
from audit_tui.core.query import After, AtRow, Before, EventQuery, PageKey
from audit_tui.store import result
from audit_tui.store.columns import building, choosing, summary
from audit_tui.store.read.reader import StoreReader
from tests.store import oracle
from tests.store.samples import EVENTS, fill
from tests.store.test_oracle import QUERIES, ROWS, walked, walked_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEGMENT_EVENTS = 7
ONCE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def build_segments(path: Path, *, holes: tuple[int, ...] = ()) -> None:
    """Put the events into segments, all but a few at the end and the segments that begin at the holes."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for stretch in building.outstanding(connection, SEGMENT_EVENTS, least_rest=SEGMENT_EVENTS):
            if stretch.first_seq not in holes:
                building.build(connection, stretch)


@pytest.fixture(scope="module", params=["whole", "with holes"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReader]:
    path = tmp_path_factory.mktemp("columns") / "audit.db"
    fill(path, EVENTS)
    build_segments(path, holes=(1, 29) if request.param == "with holes" else ())
    with StoreReader(path) as opened:
        opened.prepare()
        yield opened


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the columns answer whatever they can."""
    for name in ("is_first_by_columns", "is_count_by_columns", "is_skip_by_columns"):
        monkeypatch.setattr(choosing, name, lambda *_, **__: True)
    monkeypatch.setattr(choosing, "QUICK_MS", -1.0)
    monkeypatch.setattr(result, "SMALL_EVENTS", -1)
    monkeypatch.setattr(summary, "MAX_EDGES", 5)
    monkeypatch.setattr(summary, "SAMPLE_STEP", 2)


@ONCE
@given(query=QUERIES, limit=st.sampled_from([1, 4, 9, 200]), data=st.data())
def test_the_rows_of_a_query(reader: StoreReader, query: EventQuery, limit: int, data: st.DataObject) -> None:
    expected = oracle.result(ROWS, query)
    assert reader.count(query) == len(expected)
    assert walked(reader, query, limit) == expected
    index = data.draw(st.integers(0, len(EVENTS) + 1))
    page = reader.page(query, AtRow(index), limit)
    assert list(page.rows) == expected[index : index + limit]
    assert page.is_end == (index + limit >= len(expected))
    if expected:
        place = data.draw(st.integers(0, len(expected) - 1))
        assert walked_back(reader, query, expected[place], limit) == expected[:place]
        assert reader.locate(query, PageKey.of(expected[place], query.sort)) == place


@ONCE
@given(query=QUERIES, data=st.data())
def test_the_place_of_an_event_that_does_not_match(
    reader: StoreReader, query: EventQuery, data: st.DataObject
) -> None:
    row = data.draw(st.sampled_from(ROWS))
    if data.draw(st.booleans()):
        row = row._replace(event="Zz", category="Zz", user="never", description="zz", seq=1_000)
    expected = oracle.result(ROWS, query)
    before = [one for one in expected if oracle.compare(one, row, query.sort) < 0 and one != row]
    after = [one for one in expected[len(before) :] if one != row]
    key = PageKey.of(row, query.sort)
    assert reader.locate(query, key) == len(before)
    assert list(reader.page(query, After(key), 5).rows) == after[:5]
    assert list(reader.page(query, Before(key), 5).rows) == before[-5:]


@ONCE
@given(query=QUERIES, edges=st.lists(st.integers(-6, 24), unique=True).map(sorted))
def test_a_histogram(reader: StoreReader, query: EventQuery, edges: list[int]) -> None:
    times = [row.occurred_us for row in oracle.result(ROWS, query)]
    expected = [sum(start <= time < end for time in times) for start, end in pairwise(edges)]
    assert list(reader.histogram(query, edges)) == expected


@ONCE
@given(query=QUERIES, field=st.sampled_from(list(NAME_COLUMNS)), limit=st.sampled_from([1, 3, 50]))
def test_facets(reader: StoreReader, query: EventQuery, field: NameColumn, limit: int) -> None:
    expected = oracle.values(oracle.result(ROWS, query), field, "", limit)
    assert [(one.value, one.events) for one in reader.facets(query, field, limit)] == expected
