"""Shipping: each event once, from several hosts, and what was altered afterwards is named with its store."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, EVERYTHING, Condition, MetaField, Not
from audit_tui.core.filter.operators import CONTAINS, IS, IS_NOT
from audit_tui.core.query import AtRow, EventQuery, Interval, Sort
from audit_tui.core.source import SourceUrl
from audit_tui.engines import reader as reader_module
from audit_tui.engines.opening import open_shared, shipper_of
from audit_tui.engines.pool import Pool
from audit_tui.engines.shipping import NotShipped
from audit_tui.errors import SourceLost, StoreDamaged, StoreError
from tests.cli.running import run
from tests.engines.servers import empty_database
from tests.engines.shared import append, ship
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def url() -> str:
    return empty_database("shipping")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "audit.db"
    append(path, EVENTS[:40])
    append(path, EVENTS[40:])
    return path


@pytest.fixture
def database(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def verified(url: str, *more: str) -> tuple[Result, dict[str, object]]:
    result = run("verify", "-s", url, "--json", *more)
    return result, json.loads(result.stdout)


def number(database: psycopg.Connection, query: str) -> int:
    row = database.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def totals_hold(database: psycopg.Connection) -> bool:
    events = number(database, "SELECT count(*) FROM audit_events")
    sums = "SELECT count(*) FROM (SELECT 1 FROM audit_totals GROUP BY field HAVING sum(n) <> %d) x"
    return number(database, sums % events) == 0


def test_the_walk(url: str, store: Path, tmp_path: Path) -> None:
    result = run("ship", str(store), "--to", url, "--name", "web-1")
    assert result.exit_code == 0
    assert f"Sent 90 events of {store} to {url}." in result.stderr
    again = run("ship", "-s", str(store), "--to", url, "--name", "web-1")
    assert "Sent 0 events" in again.stderr
    assert "90 were there already" in again.stderr
    other = tmp_path / "other.db"
    append(other, EVENTS[:30])
    assert run("ship", str(other), "--to", url, "--name", "db-1").exit_code == 0

    result, report = verified(url)
    assert result.exit_code == 0
    assert report["result"] == "OK"
    words = run("verify", "-s", url).stdout
    assert "web-1" in words
    assert "90 of 90 match their seals" in words
    assert "OK - 120 events of 2 stores are what was sealed" in words

    assert run("count", "-s", url, "--range", "all-time").stdout == "120\n"
    of_host = run("count", "source:db-1", "-s", url, "--range", "all-time")
    assert of_host.stdout == "30\n"
    local = run(
        "query", "-s", str(other), "--range", "all-time", "--format", "csv", "--columns", "event,user,time"
    )
    shared = run(
        "query",
        "source=db-1",
        "-s",
        url,
        "--range",
        "all-time",
        "--format",
        "csv",
        "--columns",
        "event,user,time",
    )
    assert shared.stdout == local.stdout


def test_events_that_come_later_are_sent_once(url: str, tmp_path: Path, database: psycopg.Connection) -> None:
    path = tmp_path / "audit.db"
    for begin in range(0, 90, 9):
        append(path, EVENTS[begin : begin + 9])
        ship(path, url, batch_events=4)
    assert number(database, "SELECT count(*) FROM audit_events") == 90
    assert number(database, "SELECT max(last_n) FROM audit_batches") == 90
    assert totals_hold(database)
    assert verified(url)[1]["result"] == "OK"


BASE = "(1::bigint << 43)"
ALTERED = {
    "one letter": (
        "UPDATE audit_events SET description = description || 'x' WHERE id = (1::bigint << 43) + 3",
        "changed",
    ),
    "a time by 1 us": (
        f"UPDATE audit_events SET occurred_us = occurred_us + 1 WHERE id = {BASE} + 3",
        "changed",
    ),
    "a name": (f"UPDATE audit_events SET username = NULL WHERE id = {BASE} + 4", "changed"),
    "a removed event": (f"DELETE FROM audit_events WHERE id = {BASE} + 9", "missing"),
    "an added event": (
        "INSERT INTO audit_events (id, occurred_us, event, outcome, key)"
        f" SELECT {BASE} + 91, 1, event, 0, 'k' FROM audit_events LIMIT 1",
        "added",
    ),
    "two swapped events": (
        f"UPDATE audit_events SET id = CASE id WHEN {BASE} + 5 THEN -6 ELSE -5 END"
        f" WHERE id IN ({BASE} + 5, {BASE} + 6); UPDATE audit_events SET id = {BASE} - id WHERE id < 0",
        "changed",
    ),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_was_altered_is_named_with_its_store(
    url: str, store: Path, tmp_path: Path, database: psycopg.Connection, what: str
) -> None:
    other = tmp_path / "other.db"
    append(other, EVENTS[:30])
    ship(store, url, "web-1")
    ship(other, url, "db-1")
    statement, wrong = ALTERED[what]
    database.execute(statement)
    result, report = verified(url)
    assert result.exit_code == 1
    assert report["result"] == "FAILED"
    stores = report["stores"]
    assert isinstance(stores, list)
    assert stores[0]["name"] == "web-1"
    assert {run["wrong"] for run in stores[0]["wrong"]} == {wrong}
    assert stores[1]["wrong"] == []
    assert stores[1]["problems"] == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_totals SET n = n + 1 WHERE field = 1",
        "UPDATE audit_events SET texts = 'x' WHERE texts IS NOT NULL AND (id & 3) = 1",
        "UPDATE audit_batches SET root = repeat('A', 43) || '='",
        "DELETE FROM audit_batches WHERE first_n = 8",
        "UPDATE audit_stores SET store_id = 'other'",
    ],
)
def test_what_is_made_of_events_is_checked_too(
    url: str, store: Path, database: psycopg.Connection, statement: str
) -> None:
    ship(store, url)
    database.execute(statement)
    result, report = verified(url)
    assert result.exit_code == 1
    assert report["result"] == "FAILED"


def test_an_anchor_and_a_key_cover_what_they_cover(
    url: str, store: Path, tmp_path: Path, database: psycopg.Connection
) -> None:
    anchor = tmp_path / "anchor.txt"
    anchor.write_text(run("seal", "anchor", "-s", str(store)).stdout)
    ship(store, url)
    result = run("verify", "-s", url, "--anchor", str(anchor), "--require-anchor")
    assert result.exit_code == 0
    assert "covers events 1 to 90" in result.stdout
    assert run("verify", "-s", url, "--require-anchor").exit_code == 4
    # All of it again, from another history: only the anchor tells.
    database.execute("DROP SCHEMA public CASCADE")
    database.execute("CREATE SCHEMA public")
    forged = tmp_path / "forged.db"
    append(forged, [replace(event, user="nobody") for event in EVENTS])
    ship(forged, url)
    assert run("verify", "-s", url).exit_code == 0
    assert run("verify", "-s", url, "--anchor", str(anchor)).exit_code == 1


# What is refused, or carried over as declared


def test_an_older_copy_is_refused(url: str, tmp_path: Path, database: psycopg.Connection) -> None:
    path, copy = tmp_path / "audit.db", tmp_path / "copy.db"
    append(path, EVENTS[:20])
    shutil.copy(path, copy)
    append(path, EVENTS[20:40])
    ship(path, url)
    with pytest.raises(NotShipped, match="older copy"):
        ship(copy, url)
    result = run("ship", str(copy), "--to", url)
    assert result.exit_code == 1
    assert number(database, "SELECT count(*) FROM audit_events") == 40


def test_two_hosts_with_the_same_store_id_are_refused(
    url: str, tmp_path: Path, database: psycopg.Connection
) -> None:
    path, copy = tmp_path / "audit.db", tmp_path / "copy.db"
    append(path, EVENTS[:20])
    shutil.copy(path, copy)
    append(path, EVENTS[20:30])
    append(copy, EVENTS[30:60])
    ship(path, url, "web-1")
    with pytest.raises(NotShipped, match="another copy"):
        ship(copy, url, "web-2")
    assert number(database, "SELECT count(*) FROM audit_events") == 30
    assert verified(url)[1]["result"] == "OK"


def test_an_event_that_is_not_what_was_sealed_is_not_sent(
    url: str, store: Path, database: psycopg.Connection
) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE events SET description = 'forged' WHERE seq = 30")
    with pytest.raises(StoreDamaged, match="Event 30 "):
        ship(store, url, batch_events=10)
    assert number(database, "SELECT count(*) FROM audit_events") == 20


def test_a_redacted_and_pruned_store_is_carried_over_as_declared(url: str, store: Path) -> None:
    why = ("--why", "asked for", "--yes", "-s", str(store))
    assert run("redact", "5-20", "--field", "user", *why).exit_code == 0
    assert run("prune", "--before", "1970-01-01", *why).exit_code == 0
    ship(store, url)
    result, report = verified(url)
    assert result.exit_code == 0, result.stdout
    stores = report["stores"]
    assert isinstance(stores, list)
    assert stores[0]["redacted"] > 0
    assert stores[0]["pruned"] > 0


def test_what_is_redacted_after_it_was_shipped_is_told(url: str, store: Path) -> None:
    ship(store, url)
    run("redact", "5-20", "--field", "user", "--why", "x", "--yes", "-s", str(store))
    result = run("ship", str(store), "--to", url)
    assert result.exit_code == 1
    assert "still stand there as they were" in result.stderr


def test_a_shipper_may_not_change_or_delete(url: str, store: Path, database: psycopg.Connection) -> None:
    schema = run("ship", "--to", url, "--print-schema").stdout
    assert "CREATE TABLE audit_events" in schema
    for role in ("audit_reader", "audit_shipper", "ann", "host"):
        database.execute(f"DROP ROLE IF EXISTS {role}")
    database.execute(schema.encode())
    try:
        database.execute(
            "CREATE ROLE host LOGIN IN ROLE audit_shipper; CREATE ROLE ann LOGIN IN ROLE audit_reader"
        )
        as_host, as_ann = (url.replace("postgres@", f"{role}@") for role in ("host", "ann"))
        ship(store, as_host)
        assert run("count", "-s", as_ann, "--range", "all-time").stdout == "90\n"
        assert run("verify", "-s", as_ann).exit_code == 0
        with (
            psycopg.connect(as_host, autocommit=True) as host,
            psycopg.connect(as_ann, autocommit=True) as ann,
        ):
            for statement in (
                "UPDATE audit_events SET key = 'x'",
                "DELETE FROM audit_events",
                "UPDATE audit_batches SET root = 'x'",
                "DELETE FROM audit_totals",
                "UPDATE audit_names SET name = 'x'",
                "TRUNCATE audit_events",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    host.execute(statement)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ann.execute("INSERT INTO audit_about VALUES ('y', 'z')")
    finally:
        database.execute(
            "DROP OWNED BY audit_reader, audit_shipper; DROP ROLE host, ann, audit_reader, audit_shipper"
        )


def test_a_store_that_cannot_be_shipped(url: str, tmp_path: Path) -> None:
    assert run("ship", str(tmp_path / "none.db"), "--to", url).exit_code == 3
    assert run("ship", str(tmp_path / "none.db"), "--to", str(tmp_path / "x.db")).exit_code == 2
    assert run("ship", str(tmp_path / "none.db")).exit_code == 2
    path = tmp_path / "audit.db"
    append(path, EVENTS[:3])
    with pytest.raises(StoreError, match="cannot be reached"):
        shipper_of(path, SourceUrl("postgresql://x@/x?host=/nowhere"), "a").run(lambda *_: None)


def test_a_row_far_down_is_found_by_the_totals(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "FAR_ROWS", 1)
    hour = 3_600_000_000
    times = [place * 13 % 90 * hour // 7 + place for place in range(len(EVENTS))]
    events = [replace(event, occurred_us=time) for event, time in zip(EVENTS, times, strict=True)]
    path = tmp_path / "audit.db"
    append(path, events[:70])
    ship(path, url)
    with closing(open_shared(SourceUrl(url))()) as reader:
        bound = reader.newest_seq()
        append(path, events[70:])
        ship(path, url)
        bob = Condition(Column.USER, IS, "bob")
        for expression in (EVERYTHING, bob, Not(bob), Condition(Column.USER, IS_NOT, "bob")):
            for upto in (None, bound):
                for interval in (Interval(), Interval(2 * hour + 5, 9 * hour), Interval(None, 7 * hour + 1)):
                    for descending in (True, False):
                        query = EventQuery(expression, interval, Sort(descending=descending), upto)
                        every = reader.page(query, AtRow(0), 100).rows
                        for index in range(1, len(every) + 2, 5):
                            assert reader.page(query, AtRow(index), 7).rows == every[index : index + 7]


def test_an_index_over_parts_of_texts_is_used_where_there_is_one(
    url: str, store: Path, database: psycopg.Connection
) -> None:
    ship(store, url)
    schema = run("ship", "--to", url, "--print-schema").stdout
    optional = schema.partition("-- CREATE EXTENSION")[2]
    for statement in f"-- CREATE EXTENSION{optional}".replace("-- ", "").split(";"):
        database.execute(statement.encode())
    statements: list[tuple[str, Any]] = []
    original = Pool.rows

    def noted(self: Pool, statement: str, values: object, *rest: object, **named: object) -> object:
        statements.append((statement, values))
        return original(self, statement, values, *rest, **named)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch, closing(open_shared(SourceUrl(url))()) as reader:
        patch.setattr(Pool, "rows", noted)
        reader.count(EventQuery(Condition(ANY_TEXT, CONTAINS, "10.0.0")))
        reader.count(EventQuery(Condition(MetaField("b.c"), IS, "needle")))
    database.execute("SET enable_seqscan = off")
    for statement, values in statements[-2:]:
        plan = str(database.execute(f"EXPLAIN {statement}".encode(), values).fetchall())
        assert "audit_events_trigrams" in plan


def test_a_standby_is_waited_for(tmp_path: Path) -> None:
    url = empty_database("standby")
    path = tmp_path / "audit.db"
    append(path, EVENTS[:20])
    ship(path, url)
    append(path, EVENTS[20:40])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE standby SET default_transaction_read_only = on")
        with pytest.raises(SourceLost, match="takes nothing now: cannot execute INSERT in a read-only"):
            ship(path, url)
        connection.execute("ALTER DATABASE standby RESET default_transaction_read_only")
    ship(path, url)
    with closing(open_shared(SourceUrl(url))()) as reader:
        assert reader.count(EventQuery()) == 40
