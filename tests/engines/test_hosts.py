"""The hosts behind a shared engine: values of the source, and how long ago each was heard of."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from audit_tui.core.columns import Column
from audit_tui.core.query import EventQuery, PageKey, Sort
from audit_tui.core.query_line.complete import completions, place_at
from audit_tui.core.source import CLICKHOUSE, POSTGRESQL, SourceUrl
from audit_tui.engines.opening import open_shared
from audit_tui.ui.screens.review.following import Notice, notice_of
from tests.cli.running import run
from tests.engines.servers import empty_database, empty_engine
from tests.engines.shared import append, ship
from tests.readers.test_readers import walked
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

ALWAYS = ("--range", "all-time", "-s")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of an engine to which ``web-1`` shipped now, and ``db-1`` three hours and a half ago."""
    url = empty_database(tmp_path.name)
    for name, events in (("web-1", EVENTS), ("db-1", EVENTS[:30])):
        append(tmp_path / f"{name}.db", events)
        ship(tmp_path / f"{name}.db", url, name)
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE audit_batches b SET shipped_us = shipped_us - 12_600_000_000 FROM audit_stores s"
            " WHERE s.store = b.store AND s.name = 'db-1'"
        )
    return url


def test_a_host_is_a_value_of_the_source(url: str) -> None:
    assert run("count", "host:db-1", *ALWAYS, url).stdout == "30\n"
    assert run("count", "--filter", "host=db-1", *ALWAYS, url).stdout == "30\n"
    listed = [
        json.loads(line)
        for line in run("facets", "host", "--format", "jsonl", *ALWAYS, url).stdout.splitlines()
    ]
    by_value = {row["value"]: row["events"] for row in listed}
    assert by_value["web-1"] == 90
    assert by_value["db-1"] == 30
    with closing(open_shared(SourceUrl(url))()) as reader:
        facet = reader.facets(EventQuery(), Column.SOURCE, 50)
        assert {value.value: value.events for value in facet.values} == by_value
        offered = completions(place_at("host:db", 7), reader, 10)
        assert [(each.text, each.events) for each in offered] == [("db-1", 30)]


def test_a_silent_host_is_told_of(url: str) -> None:
    words = run("info", "-s", url).stdout
    assert "1 of 2 hosts silent for 3 h\n" in words
    assert "db-1: 30 events, last shipped 3 h ago\n" in words
    assert "web-1: 90 events, last shipped " in words
    told = json.loads(run("info", "--json", "-s", url).stdout)
    assert [(host["name"], host["events"]) for host in told["hosts"]] == [("web-1", 90), ("db-1", 30)]
    assert "sqlite_version" not in told
    with closing(open_shared(SourceUrl(url))()) as reader:
        assert reader.state().notice == reader.info().notice == "1 of 2 hosts silent for 3 h"
        shown = notice_of(reader.state(), 0, "2 stores", "r")
        assert shown == Notice("1 of 2 hosts silent for 3 h", "1 host silent")
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE audit_batches SET shipped_us = extract(epoch FROM now()) * 1000000")
        assert reader.state().notice == reader.info().notice == "2 stores"


@pytest.mark.parametrize("engine", [POSTGRESQL, CLICKHOUSE])
def test_a_list_is_sorted_by_what_events_name_as_their_source(engine: str, tmp_path: Path) -> None:
    url = empty_engine(engine, tmp_path)
    # One host is called as a source of the events of both.
    for name, events in (("a", EVENTS), ("web-1", EVENTS[:30])):
        append(tmp_path / f"{name}.db", events)
        ship(tmp_path / f"{name}.db", url, name)
    with closing(open_shared(SourceUrl(url))()) as reader:
        for is_down in (True, False):
            query = EventQuery(sort=Sort(Column.SOURCE, is_down), upto_seq=reader.newest_seq())
            rows = walked(reader, query, 50)
            assert len(rows) == len(set(rows)) == 120
            names = [row.source for row in rows]
            assert names == sorted(names, key=query.sort.rank, reverse=is_down)
            for place in (0, 60, 119):
                assert reader.locate(query, PageKey.of(rows[place], query.sort)) == place
