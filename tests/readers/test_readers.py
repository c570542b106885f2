"""Every answer of every reader against the slow and obvious way."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_tui.core.columns import LISTABLE_COLUMNS, NAME_COLUMNS, Column, NameColumn
from audit_tui.core.event import NUMBER_BITS
from audit_tui.core.filter.filters import All, Any, Condition, Filter, MetaField, Not
from audit_tui.core.filter.matching import leaves
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.privacy.redact_mode import RedactingReader, RedactMode
from audit_tui.core.query import (
    FACET_COLUMNS,
    NEWEST_FIRST,
    After,
    AtRow,
    Before,
    EventQuery,
    EventReader,
    FacetField,
    Interval,
    PageKey,
    Place,
    Sort,
)
from audit_tui.core.source import CLICKHOUSE, POSTGRESQL
from audit_tui.store.index import orders, scratch, session, totals
from audit_tui.store.index.keeper import IndexKeeper
from audit_tui.store.read.reader import open_store
from tests.engines.servers import empty_database, empty_engine
from tests.engines.shared import foreign, shipped
from tests.matching import texts_of
from tests.readers import oracle
from tests.store.samples import EVENTS, NAMES, change, changed, fill, tiny_segments
from tests.ui.fake_reader import FakeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from audit_tui.core.event import AuditEvent, EventRow

STORED = changed(EVENTS)
META_FIELDS = tuple(map(MetaField, ("a", "b", "b.c", "nothing")))
VALUES: dict[Column, Sequence[str | None]] = {
    **{column: NAMES[column.value] for column in NAME_COLUMNS},
    Column.DESCRIPTION: NAMES["description"],
    Column.OUTCOME: ("success", "unknown"),
}
EDGES = st.none() | st.integers(-5, 22)


def conditions() -> st.SearchStrategy[Filter]:
    return st.sampled_from(list(VALUES)).flatmap(
        lambda field: st.builds(
            Condition,
            st.just(field),
            st.sampled_from([IS, IS_NOT]),
            st.sampled_from([*VALUES[field], None, "nobody"]),
        )
    )


def groups(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(parts, max_size=4).map(tuple)
    return st.builds(All, several) | st.builds(Any, several) | st.builds(Not, parts)


QUERIES = st.builds(
    EventQuery,
    filter=st.recursive(conditions(), groups, max_leaves=8),
    interval=st.builds(Interval, EDGES, EDGES),
    sort=st.builds(Sort, st.sampled_from(list(LISTABLE_COLUMNS)), st.booleans()),
    upto_seq=st.none() | st.integers(0, len(EVENTS) + 2),
)


class Source(NamedTuple):
    """A reader under test."""

    reader: EventReader
    shown: Callable[[EventRow], EventRow]
    """Makes what it shows of a row; the row itself, but for one that redacts."""
    shows_names: bool = True
    events: Mapping[int, AuditEvent] = STORED
    """The events that it should have, by their numbers."""
    least_page: int = 1
    """The rows of the smallest page to ask for: a question to an engine takes 14 ms."""
    host: Callable[[int], set[str]] = lambda _: set()
    """Returns the names of the stores that an event is of: they are values of its source."""
    share: float = 1.0
    """The part of the usual examples to try: with all of them ClickHouse took half of the time of all."""

    def __repr__(self) -> str:
        return f"Source of {len(self.events)} events"

    @property
    def rows(self) -> list[EventRow]:
        return [oracle.listed(event, seq) for seq, event in self.events.items()]


def stores(folder: Path, kind: str) -> Iterator[EventReader]:
    """A store open while others appended, late events too, and pruned and redacted some."""
    path = folder / "audit.db"
    with ExitStack() as stack:
        if kind == "segments":
            stack.enter_context(tiny_segments())
            # Few rows in the order of a text stay in memory, and fewer of long texts.
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.setattr(orders, "_WINDOW", 6)
            patch.setattr(orders, "_WINDOW_BYTES", 5_000)
            # And the text index tells the order, however few there are.
            patch.setattr(orders, "_MANY_ROWS", 0)
            patch.setattr(orders, "_INDEXED_WINDOW", 6)
            # Values are counted by bitmaps, by rows, and by rows behind the first bitmaps.
            patch.setattr(totals, "_AT_ONCE", 2)
            for us, number in {"_BITMAP": 1, "_CONTAINER": 0, "_NEAR_ROW": 1, "_FAR_ROW": 0.2}.items():
                patch.setattr(totals, f"{us}_US", number)
        if kind == "scratch":
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.setattr(session, "LEAST_EVENTS", 9)
            patch.setattr(scratch, "LEAST_EVENTS", 9)
            patch.setattr(scratch, "IndexKeeper", lambda *_: IndexKeeper(6, 40))
        fill(path, EVENTS[:8])
        opened = open_store(path)
        with closing(opened()) as first, closing(opened()) as other:
            for begin in range(8, len(EVENTS), 5):
                fill(path, EVENTS[begin : begin + 5])
                for shared in (first, other):
                    page = shared.page(EventQuery(sort=Sort(Column.USER)), AtRow(begin // 2), 7)
                    assert len(page.rows) == min(7, min(begin + 5, len(EVENTS)) - begin // 2)
            change(path)
            if kind == "segments":
                with closing(sqlite3.connect(path)) as connection:
                    assert connection.execute("SELECT count(*) FROM index_segments").fetchone()[0] > 3
            yield first


def fake() -> FakeReader:
    """The reader of the screen's tests: they are worth what it is."""
    events = [replace(event, seq=seq) for seq, event in changed(EVENTS).items()]
    return FakeReader(
        [
            replace(
                event,
                event=oracle.stored(event.event) or "",
                category=oracle.stored(event.category),
                user=oracle.stored(event.user),
                description=oracle.stored(event.description),
            )
            for event in events
        ]
    )


@pytest.fixture(
    scope="module",
    params=[
        "segments",
        "tail",
        "scratch",
        "fake",
        "not redacting",
        "redacting",
        POSTGRESQL,
        CLICKHOUSE,
        "foreign",
    ],
)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """Every reader there is; one of another store is to be added here."""
    if request.param == "fake":
        yield Source(fake(), lambda row: row)
        return
    if request.param in (POSTGRESQL, CLICKHOUSE):
        folder = tmp_path_factory.mktemp("readers")
        is_postgres = request.param == POSTGRESQL
        events, reader = shipped(folder, empty_engine(request.param, folder))
        with closing(reader):
            least_page, share = (4, 0.5) if is_postgres else (40, 0.25)
            yield Source(
                reader,
                lambda row: row,
                events=events,
                least_page=least_page,
                host=lambda seq: {f"web-{seq >> NUMBER_BITS}"},
                share=share,
            )
        return
    if request.param == "foreign":
        folder = tmp_path_factory.mktemp("foreign")
        events, reader = foreign(empty_database(folder.name))
        with closing(reader):
            yield Source(reader, lambda row: row, events=events, least_page=4, share=0.5)
        return
    kind = request.param if request.param in ("tail", "scratch") else "segments"
    for reader in stores(tmp_path_factory.mktemp("readers"), kind):
        if "redacting" not in request.param:
            yield Source(reader, lambda row: row)
            continue
        mode = RedactMode(lambda: bytes(32), is_on=request.param == "redacting")
        names = mode.pseudonyms(reader)
        redacting = RedactingReader(reader, mode)
        yield Source(redacting, names.row if names else lambda row: row, shows_names=names is None)


def each_source(**drawn: st.SearchStrategy[object]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Try a check with examples on every source, ``given`` with as many as the source is worth."""

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        def test(source: Source) -> None:
            most = max(1, int(settings().max_examples * source.share))
            settings(max_examples=most)(given(**drawn)(lambda **example: check(source, **example)))()

        return test

    return decorate


def walked(reader: EventReader, query: EventQuery, limit: int) -> list[EventRow]:
    """All rows, page by page from the first."""
    rows: list[EventRow] = []
    place: Place = AtRow(0)
    while True:
        page = reader.page(query, place, limit)
        rows += page.rows
        if page.is_end:
            return rows
        assert len(page.rows) == limit
        place = After(PageKey.of(page.rows[-1], query.sort))


def walked_back(reader: EventReader, query: EventQuery, last: EventRow, limit: int) -> list[EventRow]:
    """All rows before one, page by page backwards."""
    rows: list[EventRow] = []
    edge = last
    while True:
        page = reader.page(query, Before(PageKey.of(edge, query.sort)), limit)
        rows = [*page.rows, *rows]
        if page.is_end:
            return rows
        edge = page.rows[0]


@each_source(query=QUERIES, limit=st.sampled_from([1, 4, 9, 200]), data=st.data())
def test_the_rows_of_a_query(source: Source, query: EventQuery, limit: int, data: st.DataObject) -> None:
    limit = max(limit, source.least_page)
    reader, matches = source.reader, oracle.result(source.rows, query)
    expected = list(map(source.shown, matches))
    assert reader.count(query) == len(expected)
    assert walked(reader, query, limit) == expected
    assert [event.seq for event in reader.events(query)] == [row.seq for row in expected]
    index = data.draw(st.integers(0, len(EVENTS) + 1))
    page = reader.page(query, AtRow(index), limit)
    assert list(page.rows) == expected[index : index + limit]
    assert page.is_end == (index + limit >= len(expected))
    if expected:
        place = data.draw(st.integers(0, len(expected) - 1))
        assert walked_back(reader, query, expected[place], limit) == expected[:place]
        assert reader.locate(query, PageKey.of(expected[place], query.sort)) == place


@each_source(query=QUERIES, paths=st.sets(st.sampled_from([field.path for field in META_FIELDS])).map(tuple))
def test_rows_carry_the_metadata_that_is_asked_for(
    source: Source, query: EventQuery, paths: tuple[str, ...]
) -> None:
    for row in source.reader.page(replace(query, paths=paths), AtRow(0), 9).rows:
        event = source.reader.event(row.seq)
        assert event is not None
        texts = {path: ", ".join(texts_of(MetaField(path), event)) for path in paths}
        assert dict(row.metadata) == {path: text for path, text in texts.items() if text}


@each_source(query=QUERIES, data=st.data())
def test_the_place_of_an_event_that_does_not_match(
    source: Source, query: EventQuery, data: st.DataObject
) -> None:
    # Applying a filter keeps the cursor where it was: the key may be of any event, or of a value never seen.
    row = data.draw(st.sampled_from(source.rows))
    if data.draw(st.booleans()):
        row = row._replace(event="Zz", category="Zz", user="never", description="zz", seq=1_000)
    rows = [other for other in oracle.result(source.rows, query) if other != row]
    before = [other for other in rows if oracle.compare(other, row, query.sort) < 0]
    shown = list(map(source.shown, rows))
    key = PageKey.of(row, query.sort)
    assert source.reader.locate(query, key) == len(before)
    assert list(source.reader.page(query, After(key), 5).rows) == shown[len(before) :][:5]
    assert list(source.reader.page(query, Before(key), 5).rows) == shown[: len(before)][-5:]


@each_source(
    field=st.sampled_from(list(NAME_COLUMNS)),
    search=st.sampled_from(["", "b", "BOB", "bob", "(", "none", "\0", "\ud800", "%", "fi", "ss", "zzz"])
    | st.text(max_size=3),
    limit=st.sampled_from([1, 3, 50]),
)
def test_the_values_of_a_field(source: Source, field: NameColumn, search: str, limit: int) -> None:
    if source.shows_names:
        values = [(value.value, value.events) for value in source.reader.values(field, search, limit)]
        assert values == oracle.values(source.rows, field, search, limit)
    else:
        # Pseudonyms are looked for by what is shown: core/test_redact_mode. Spellings of a name share one.
        numbers = [value.events for value in source.reader.values(field, "", limit)]
        totals = Counter(getattr(source.shown(row), field.value) for row in source.rows)
        assert numbers == sorted(totals.values(), reverse=True)[:limit]


@each_source(
    query=QUERIES,
    field=st.sampled_from(list(NAME_COLUMNS)),
    limit=st.sampled_from([1, 3, 50]),
    edges=st.lists(st.integers(-6, 24), min_size=2, max_size=6, unique=True).map(sorted),
)
def test_the_facets_and_the_histogram_of_a_query(
    source: Source, query: EventQuery, field: NameColumn, limit: int, edges: list[int]
) -> None:
    rows = oracle.result(source.rows, query)
    facets = source.reader.facets(query, field, limit).values
    shown = list(map(source.shown, rows))
    assert [(value.value, value.events) for value in facets] == oracle.facets(shown, field, limit)
    assert list(source.reader.histogram(query, edges)) == oracle.histogram(rows, edges)


def test_the_names_of_the_metadata(source: Source) -> None:
    events = source.events.values()
    counts = Counter(
        str(name) for event in events for name in {oracle.stored(path) for path, _ in leaves(event.metadata)}
    )
    told = source.reader.metadata_names()
    assert list(told) == sorted(counts)
    # A shared engine does not count them.
    assert told == counts or not any(told.values())


@each_source(
    query=QUERIES,
    field=st.sampled_from([*FACET_COLUMNS, *META_FIELDS]),
    limit=st.sampled_from([1, 3, 50]),
    rarest=st.booleans(),
    most_events=st.none() | st.integers(0, 12),
)
def test_the_facets_of_any_field(
    source: Source, query: EventQuery, field: FacetField, limit: int, rarest: bool, most_events: int | None
) -> None:
    seqs = [row.seq for row in oracle.result(source.rows, replace(query, sort=NEWEST_FIRST))]
    events = [source.events[seq] for seq in seqs]
    if not source.shows_names:
        # As they are shown: spellings of a name share a pseudonym.
        events = [shown for seq in seqs if (shown := source.reader.event(seq)) is not None]
    facet = source.reader.facets(query, field, limit, rarest=rarest, counts_all=True, most_events=most_events)
    if not facet.is_whole:
        assert most_events is not None
        assert facet.counted == most_events < len(events)
        events = events[:most_events]
    assert facet.counted == len(events)
    totals: Counter[str | None] = Counter()
    for seq, event in zip(seqs, events, strict=False):
        texts: set[str | None] = {*texts_of(field, event)} or {None}
        totals.update(texts | source.host(seq) if field is Column.SOURCE else texts)
    assert facet.distinct == len(totals)
    ranked = oracle.ranked(totals, limit, rarest=rarest)
    assert [(value.value, value.events) for value in facet.values] == ranked
    if facet.is_whole and field is not Column.SEVERITY:
        for value in facet.values[:3]:
            narrowed = All((query.filter, Condition(field, IS, value.value)))
            assert source.reader.count(replace(query, filter=narrowed)) == value.events
