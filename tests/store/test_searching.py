"""Every answer about texts, metadata and networks against the slow and obvious way."""

from __future__ import annotations

import sqlite3
import typing
from collections import Counter
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_tui.core.cancel import CancelToken
from audit_tui.core.columns import LISTABLE_COLUMNS, NAME_COLUMNS, Column
from audit_tui.core.event import AuditEvent, EventRow, Outcome
from audit_tui.core.event_fields import metadata_text
from audit_tui.core.filter.filters import (
    ANY_TEXT,
    EVERYTHING,
    All,
    Any,
    Condition,
    Filter,
    MetaField,
    Not,
)
from audit_tui.core.filter.operators import CONTAINS, CONTAINS_NOT, IN_NETWORK, IS, IS_NOT, NOT_IN_NETWORK
from audit_tui.core.query import (
    After,
    AtRow,
    Before,
    EventQuery,
    Facet,
    Interval,
    PageKey,
    Place,
    Sort,
    SortRank,
)
from audit_tui.errors import QueryCancelled
from audit_tui.store.evidence.verifying import Request, verify
from audit_tui.store.index import session, text_index, timeline
from audit_tui.store.read import reader as reader_module
from audit_tui.store.read import text_totals
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.tables import text_layout
from audit_tui.store.tables.text_layout import Stretch
from audit_tui.store.write.writer import StoreWriter
from tests.matching import matches
from tests.readers import oracle
from tests.store.samples import NAMES, build_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


TEXTS = (
    "Created agent Élan",
    "created AGENT two",
    "Straße",
    "STRASSE",
    "\u0130stanbul",
    "\u0131i",
    "\u212aelvin k",
    "ﬁne",
    "e\u0301cole",
    "a\nb",
    "nul\0here",
    "half \ud800 there",
    "\\ud800",
    "日本語のログ",
    "",
    " ",
    "%_'\"",
    "x" * 70,
    "aaaa",
    "10.0.0.0/8",
)
ADDRESSES = (
    None, "10.1.2.3", "10.255.0.1", "192.168.1.1", "2001:db8::1", "2001:DB8:0:0::2", "::ffff:10.0.0.9",
    "fe80::1%eth0", "host-7", "10.0.0.0/8", "300.1.1.1",
)  # fmt: skip
NETWORKS = ("10.0.0.0/8", "10.1.2.3/32", "2001:db8::/32", "::/0", "0.0.0.0/0", "192.168.1.9/24")
METADATA: tuple[dict[str, object], ...] = (
    {},
    {"region": "eu-west-1", "n": 5, "ok": True, "none": None},
    {"request": {"role": "Admin", "ids": ["a-1", "a-2", {"deep": "x"}]}, "n": 5.0},
    {"request.role": "admin", "n": "5"},
    {"a=b": "EU-WEST-1", "\0k": "v", "\ud800": "\udc80", "": "nameless"},
    {"list": [], "empty": {}, "n": -1, "region": ["EU-west-1", "us"]},
)
PATHS = (
    "region", "n", "ok", "none", "request", "request.role", "request.ids", "request.ids.deep", "a=b", "\0k",
    "\ud800", "list", "absent", "regio",
)  # fmt: skip
SEARCHES = (
    "created", "AGENT", "é", "ss", "ß", "i", "\u0130", "k", "fi", "a", "aa", "a-", "eu-west-1", "\0",
    "\ud800", "\\ud800", "本語", "zzz", "10.", "5", "true", "xxxxxxxx", "%", "'", "", "\n", "admin",
)  # fmt: skip


def _events() -> tuple[AuditEvent, ...]:
    return tuple(
        AuditEvent(
            event=NAMES["event"][place % 7] or "",
            occurred_us=(place * 37) % 53 - 3 if place % 3 else place,
            key=f"k{place}",
            category=NAMES["category"][place * 2 % 5],
            user=NAMES["user"][place * 3 % 11],
            description=None if place % 6 == 5 else TEXTS[place * 7 % len(TEXTS)],
            outcome=list(Outcome)[place % 3],
            source_ip=ADDRESSES[place * 3 % len(ADDRESSES)],
            target=None if place % 4 else TEXTS[place % len(TEXTS)],
            metadata=dict(METADATA[place * 5 % len(METADATA)]),
        )
        for place in range(170)
    )


EVENTS = _events()
ROWS = [oracle.listed(event, seq) for seq, event in enumerate(EVENTS, 1)]
HELD = {row.seq: event for row, event in zip(ROWS, EVENTS, strict=True)}


def expected(query: EventQuery) -> list[EventRow]:
    """The rows of a query, in its order."""
    rows = [row for row in ROWS if matches(query.filter, HELD[row.seq])]
    return oracle.result(rows, EventQuery(EVERYTHING, query.interval, query.sort, query.upto_seq))


text_fields = st.sampled_from(
    [*NAME_COLUMNS, Column.DESCRIPTION, Column.OUTCOME, Column.SOURCE_IP, Column.TARGET, ANY_TEXT]
) | st.builds(MetaField, st.sampled_from(PATHS))
known_texts = st.sampled_from([*TEXTS, *SEARCHES, "bob", "failure", "Admin", "x", "5.0", "v"])
conditions: st.SearchStrategy[Filter] = (
    st.builds(Condition, text_fields, st.sampled_from([CONTAINS, CONTAINS_NOT]), known_texts | st.none())
    | st.builds(Condition, text_fields, st.sampled_from([IS, IS_NOT]), known_texts | st.none())
    | st.builds(
        Condition,
        st.just(Column.SOURCE_IP),
        st.sampled_from([IN_NETWORK, NOT_IN_NETWORK]),
        st.sampled_from(NETWORKS),
    )
)


def groups(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.builds(All, several) | st.builds(Any, several) | st.builds(Not, parts)


EDGES = st.none() | st.integers(-5, 60)
QUERIES = st.builds(
    EventQuery,
    filter=st.recursive(conditions, groups, max_leaves=5),
    interval=st.builds(Interval, EDGES, EDGES),
    sort=st.just(Sort()) | st.builds(Sort, st.sampled_from(list(LISTABLE_COLUMNS)), st.booleans()),
    upto_seq=st.none() | st.integers(0, len(EVENTS) + 2),
)
COVERED = {
    "indexed": [Stretch(1, 32), Stretch(33, 64), Stretch(65, 96), Stretch(97, 128), Stretch(129, 170)],
    "with gaps": [Stretch(1, 32), Stretch(65, 96), Stretch(97, 128)],
    "without": [],
}


def fill(path: Path, stretches: list[Stretch]) -> None:
    with StoreWriter(path, durable=False) as writer:
        writer.append(EVENTS)
    with closing(sqlite3.connect(path)) as connection, connection:
        text_layout.drop(connection)
        if stretches:
            text_layout.create(connection)
        for stretch in stretches:
            text_index.build_stretch(connection, stretch)


@pytest.fixture(scope="module", params=list(COVERED))
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReader]:
    path = tmp_path_factory.mktemp("search") / "audit.db"
    fill(path, COVERED[request.param])
    with StoreReader(path) as opened:
        yield opened


@pytest.fixture(params=["few", "many"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows are tested together, or many."""
    if request.param == "many":
        monkeypatch.setattr(timeline, "TESTED_AT_ONCE", 7)
        monkeypatch.setattr(timeline, "_FEW", 4)


def walked(reader: StoreReader, query: EventQuery, limit: int) -> list[EventRow]:
    rows: list[EventRow] = []
    place: Place = AtRow(0)
    while True:
        page = reader.page(query, place, limit)
        rows += page.rows
        if page.is_end:
            return rows
        place = After(PageKey.of(page.rows[-1], query.sort))


@pytest.mark.usefixtures("way")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, data=st.data())
def test_the_rows_of_a_search(reader: StoreReader, query: EventQuery, data: st.DataObject) -> None:
    rows = expected(query)
    told: list[int] = []
    assert reader.count(query, report=told.append) == len(rows)
    assert told == sorted(told)
    assert not told or told[-1] <= len(rows)
    assert walked(reader, query, data.draw(st.sampled_from([9, 200]))) == rows
    edges = sorted(data.draw(st.lists(st.integers(-10, 60), max_size=5)))
    bins = [sum(start <= row.occurred_us < end for row in rows) for start, end in pairwise(edges)]
    assert list(reader.histogram(query, edges)) == bins
    field = data.draw(st.sampled_from(list(NAME_COLUMNS)))
    counts = {value.value: value.events for value in reader.facets(query, field, 50).values}
    assert counts == Counter(getattr(row, field.value) for row in rows)
    index = data.draw(st.integers(0, len(rows) + 1))
    page = reader.page(query, AtRow(index), 5)
    assert list(page.rows) == rows[index : index + 5]
    assert page.is_end == (index + 5 >= len(rows))
    if rows:
        place = data.draw(st.integers(0, len(rows) - 1))
        key = PageKey.of(rows[place], query.sort)
        assert list(reader.page(query, Before(key), 7).rows) == rows[max(0, place - 7) : place]
        assert list(reader.page(query, After(key), 7).rows) == rows[place + 1 : place + 8]
        assert reader.locate(query, key) == place


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expression=conditions)
def test_every_condition(reader: StoreReader, expression: Filter) -> None:
    assert reader.count(EventQuery(expression)) == len(expected(EventQuery(expression)))
    assert reader.count(EventQuery(Not(expression))) == len(EVENTS) - len(expected(EventQuery(expression)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, path=st.sampled_from(PATHS), descending=st.booleans(), data=st.data())
def test_the_order_of_a_field_of_the_metadata(
    reader: StoreReader, query: EventQuery, path: str, descending: bool, data: st.DataObject
) -> None:
    sort = Sort(MetaField(path), descending)

    def rank(row: EventRow) -> SortRank:
        text = metadata_text(HELD[row.seq].metadata, path)
        return sort.rank(None if text is None else oracle.stored(text))

    rows = sorted(expected(replace(query, sort=Sort())), key=rank, reverse=descending)
    if descending:
        rows.sort(key=lambda row: (row.occurred_us, row.seq), reverse=True)
        rows.sort(key=rank, reverse=True)
    query = replace(query, sort=sort)
    seqs = [row.seq for row in rows]
    walk = walked(reader, query, data.draw(st.sampled_from([9, 200])))
    assert [row.seq for row in walk] == seqs
    if walk:
        place = data.draw(st.integers(0, len(walk) - 1))
        key = PageKey.of(walk[place], sort)
        before, after = reader.page(query, Before(key), 7), reader.page(query, After(key), 7)
        assert [row.seq for row in before.rows] == seqs[max(0, place - 7) : place]
        assert [row.seq for row in after.rows] == seqs[place + 1 : place + 8]
        assert reader.locate(query, key) == place
        assert [event.key for event in reader.events(query)] == [HELD[seq].key for seq in seqs]


@pytest.mark.parametrize("most_texts", [3, 1_000])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=QUERIES,
    field=st.just(Column.TARGET) | st.builds(MetaField, st.sampled_from(PATHS)),
    limit=st.integers(1, 6),
    rarest=st.booleans(),
)
def test_the_texts_of_a_field_counted_by_the_index(
    reader: StoreReader,
    query: EventQuery,
    field: Column | MetaField,
    limit: int,
    rarest: bool,
    most_texts: int,
) -> None:
    def facet(few_rows: int) -> Facet:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reader_module, "FEW_ROWS", few_rows)
            patch.setattr(text_totals, "MOST_TEXTS", most_texts)
            return reader.facets(query, field, limit, rarest=rarest, most_events=10_000)

    counted, read = facet(few_rows=0), facet(few_rows=10_000)
    assert counted == (read if counted.distinct is not None else replace(read, distinct=None))


@pytest.fixture
def indexed(tmp_path: Path) -> Path:
    path = tmp_path / "audit.db"
    fill(path, COVERED["indexed"])
    return path


AGENT = EventQuery(Condition(ANY_TEXT, CONTAINS, "agent"))


def checked(path: Path) -> list[str]:
    problems = verify(path, Request()).index_problems
    return [problem for problem in problems if problem.startswith("text index: ")]


def test_a_removed_event_is_found_by_nothing(indexed: Path) -> None:
    seqs = [row.seq for row in expected(AGENT)]
    with StoreWriter(indexed, durable=False) as writer, writer.changing() as change:
        change.remove(change.rows(seqs[:1]))
    with StoreReader(indexed) as reader:
        assert sorted(row.seq for row in walked(reader, AGENT, 50)) == sorted(seqs[1:])
        assert reader.count(AGENT) == len(seqs) - 1
    with closing(sqlite3.connect(indexed)) as connection:
        build_texts(connection)
        connection.commit()
    assert checked(indexed) == []
    with StoreReader(indexed) as reader:
        assert reader.count(AGENT) == len(seqs) - 1


def test_what_was_remembered_is_void_after_a_change(indexed: Path) -> None:
    with StoreReader(indexed) as reader:
        assert reader.count(AGENT) == len(expected(AGENT))
        with StoreWriter(indexed, durable=False) as writer:
            writer.append([AuditEvent("Late", 10, key="late", description="an AGENT again")])
        assert reader.count(AGENT) == len(expected(AGENT)) + 1
        assert reader.page(AGENT, AtRow(0), 500).is_end


def test_a_complete_index_has_nothing_wrong(indexed: Path) -> None:
    assert checked(indexed) == []


def test_a_search_ends_when_it_is_cancelled(reader: StoreReader) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(QueryCancelled):
        reader.count(AGENT, token)
    with pytest.raises(QueryCancelled):
        reader.page(AGENT, AtRow(0), 10, token)
    assert reader.count(AGENT) == len(expected(AGENT))


INJECTIONS = [
    template.format(word)
    for word in ("x", "events", "1", "description", "a b", "\\", "é", "%", "NEAR", "*")
    for template in (
        "'; DROP TABLE events; --{}", "{}' OR '1'='1", '"{}"', "{}) OR 1=1 --", "col:{}", "^{}", "-{}", "{}*",
        "a AND {}", "NEAR({} b)", "{}\x00", "?1{}", ":{}", "@{}", "$.{}", "{} UNION SELECT 1", "[{}]", "`{}`",
        "/*{}*/", "{};",
    )
]  # fmt: skip


def test_no_text_of_a_filter_reaches_a_statement(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(INJECTIONS) == 200
    seen: list[str] = []
    ask = session.Session.rows

    def rows(
        self: session.Session, statement: str, parameters: Sequence[object] = ()
    ) -> list[tuple[typing.Any, ...]]:
        seen.append(statement)
        return ask(self, statement, parameters)

    monkeypatch.setattr(session.Session, "rows", rows)
    with StoreReader(indexed) as reader:
        for value in ("plain", *INJECTIONS):
            assert reader.count(EventQuery(Condition(MetaField(value), CONTAINS, value))) == 0
            for field in (ANY_TEXT, Column.USER):
                assert reader.count(EventQuery(Condition(field, IS, value))) <= len(EVENTS)
    # The same few statements whatever is looked for.
    assert len(set(seen)) <= 20, set(seen)
    assert not [text for text in set(seen) for value in INJECTIONS if value in text]
