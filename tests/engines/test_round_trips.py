"""One answer is one round trip, and no more than three connections are ever open."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, Condition, MetaField
from audit_tui.core.filter.operators import CONTAINS, IS
from audit_tui.core.query import AtRow, EventQuery, Interval, PageKey
from audit_tui.core.source import SourceUrl
from audit_tui.engines.opening import open_shared
from audit_tui.engines.pool import MAX_CONNECTIONS, Pool
from tests.engines.servers import empty_database
from tests.engines.shared import append, ship
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_tui.core.query import ReaderFactory

QUERIES = (
    EventQuery(),
    EventQuery(Condition(Column.USER, IS, "bob"), Interval(-3, 12)),
    EventQuery(Condition(ANY_TEXT, CONTAINS, "10.0")),
    EventQuery(Condition(MetaField("b.c"), IS, "x")),
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("round_trips") / "audit.db"
    append(path, EVENTS)
    url = empty_database("round_trips")
    ship(path, url)
    return url


@pytest.fixture
def opened(url: str) -> Iterator[ReaderFactory]:
    opener = open_shared(SourceUrl(url))
    with closing(opener()):
        yield opener


def test_an_answer_is_one_statement(opened: ReaderFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []
    original = Pool.rows

    def noted(self: Pool, statement: str, *rest: object, **named: object) -> object:
        statements.append(statement)
        return original(self, statement, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Pool, "rows", noted)
    with closing(opened()) as reader:
        for query in QUERIES:
            row = reader.page(query, AtRow(0), 5).rows[0]
            assert len(statements) == 1
            reader.event(row.seq)
            reader.count(query)
            reader.locate(query, PageKey.of(row, query.sort))
            reader.facets(query, Column.USER, 5)
            reader.histogram(query, [-5, 0, 9, 22])
            reader.values(Column.EVENT, "lo", 5)
            reader.newest_seq()
            assert len(statements) == 8
            statements.clear()


def test_many_readers_share_three_connections(url: str, opened: ReaderFactory) -> None:
    readers = [opened() for _ in range(8)]
    begin = threading.Barrier(len(readers))

    def ask(reader: object) -> None:
        begin.wait()
        for query in QUERIES * 3:
            readers[0].count(query)
            reader.page(query, AtRow(0), 50)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=ask, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    most = 0
    with psycopg.connect(url, autocommit=True) as connection:
        while any(thread.is_alive() for thread in threads):
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'audit-tui'"
            ).fetchone()
            assert row is not None
            most = max(most, int(row[0]))
    for reader in readers:
        reader.close()
    assert 1 <= most <= MAX_CONNECTIONS
