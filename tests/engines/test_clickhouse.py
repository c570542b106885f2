"""ClickHouse, which has no transactions: each event once all the same, and what was altered is named."""

from __future__ import annotations

import json
import logging
import shutil
from socket import socket
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.source import SourceUrl
from audit_tui.engines.clickhouse import ClickHouseConnection, options
from audit_tui.engines.clickhouse_sql import ClickHouseDialect
from audit_tui.engines.clickhouse_writing import ClickHouseWriter
from audit_tui.engines.outgoing import Events, OutgoingStore
from audit_tui.errors import SourceLost, StoreBusy, UsageError
from tests.cli.running import run
from tests.engines.servers import empty_clickhouse
from tests.engines.shared import append, ship
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def url(tmp_path: Path) -> str:
    return empty_clickhouse(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "audit.db"
    append(path, EVENTS[:40])
    append(path, EVENTS[40:])
    return path


def command(url: str, statement: str) -> None:
    connection = ClickHouseConnection(SourceUrl(url))
    connection.client.command(statement)
    connection.close()


def test_the_walk(url: str, store: Path, tmp_path: Path) -> None:
    first = run("ship", str(store), "--to", url, "--name", "web-1")
    assert first.exit_code == 0, first.stderr
    again = run("ship", str(store), "--to", url, "--name", "web-1")
    assert "90 were there already" in again.stderr
    other = tmp_path / "other.db"
    append(other, EVENTS[:30])
    assert run("ship", str(other), "--to", url, "--name", "db-1").exit_code == 0
    assert run("count", "-s", url, "--range", "all-time").stdout == "120\n"
    assert run("count", "source:db-1", "-s", url, "--range", "all-time").stdout == "30\n"
    verified = run("verify", "-s", url)
    assert verified.exit_code == 0, verified.stdout
    assert "OK - 120 events of 2 stores are what was sealed" in verified.stdout
    assert "audit_events" in run("ship", "--to", url, "--print-schema").stdout


def test_a_batch_that_was_interrupted_is_made_whole(
    url: str, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(store, url, batch_events=20)
    path = store.with_name("more.db")
    append(path, EVENTS)
    writer = ClickHouseWriter(SourceUrl(url))
    with OutgoingStore(path) as outgoing:
        number = writer.register(outgoing.store_id, "more")
        batch = outgoing.batch(1, 50)
        # As a kill between two blocks of the insert leaves it: some events, and no word of the batch.
        for part in (slice(7), slice(30, 33)):
            events = Events._make(column[part] for column in batch.events)
            rows = batch._replace(events=events, derived=[column[part] for column in batch.derived])
            with monkeypatch.context() as patch:
                patch.setattr(writer, "_insert", lambda *_: None)
                writer.send(number, rows)
        assert writer.head(number) == (0, "")
    writer.close()
    ship(path, url, "more", batch_events=40)
    report = json.loads(run("verify", "-s", url, "--json").stdout)
    assert report["result"] == "OK"
    assert report["stores"][1]["matching"] + report["stores"][0]["matching"] == 180


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("ALTER TABLE audit_events UPDATE description = 'forged' WHERE key = 'k3'", "changed"),
        ("ALTER TABLE audit_events DELETE WHERE key = 'k8'", "missing"),
    ],
)
def test_what_was_altered_is_named_with_its_store(url: str, store: Path, statement: str, wrong: str) -> None:
    ship(store, url, "web-1")
    command(url, f"{statement} SETTINGS mutations_sync = 2")
    result = run("verify", "-s", url, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["stores"][0]["name"] == "web-1"
    assert [run["wrong"] for run in report["stores"][0]["wrong"]] == [wrong]


def test_an_event_that_is_there_twice_is_told(url: str, store: Path) -> None:
    ship(store, url)
    command(url, "INSERT INTO audit_events SELECT * FROM audit_events WHERE key = 'k3'")
    result = run("verify", "-s", url)
    assert result.exit_code == 1
    assert "an event is there twice" in result.stdout


def test_two_shippers_of_a_store_exclude_each_other(url: str) -> None:
    first, second = ClickHouseWriter(SourceUrl(url)), ClickHouseWriter(SourceUrl(url))
    number = first.register("a" * 32, "web-1")
    with pytest.raises(StoreBusy):
        second.register("a" * 32, "web-1")
    first.close()
    assert second.register("a" * 32, "web-1") == number
    second.close()


def test_away_from_this_machine_the_certificate_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", "from-the-environment")
    far = options(SourceUrl("clickhouse://ann@ch.example/audit"))
    assert (far["secure"], far["verify"], far["port"]) == (True, True, 8443)
    assert far["password"] == "from-the-environment"
    near = options(SourceUrl("clickhouse://localhost/audit"))
    assert (near["secure"], near["port"]) == (False, 8123)
    assert options(SourceUrl("clickhouse://ch.example:9000/a?secure=false"))["secure"] is False
    with pytest.raises(UsageError, match="does not know the option pasword"):
        options(SourceUrl("clickhouse://ch.example/a?pasword=x"))


def test_a_refused_connection_is_told_in_one_short_line() -> None:
    with socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"clickhouse://127.0.0.1:{closed.getsockname()[1]}/x"
        with pytest.raises(SourceLost) as caught:
            ClickHouseConnection(SourceUrl(url))
    assert str(caught.value) == f"{url} cannot be reached: Connection refused"
    # Without a handler of its own Python writes the driver's warnings over the screen.
    assert logging.getLogger("clickhouse_connect").handlers


def test_tables_of_an_older_program_get_the_index_of_texts(url: str, store: Path) -> None:
    ship(store, url)
    for change in (
        "DROP INDEX words",
        "ADD INDEX grams lower(ifNull(texts, '')) TYPE ngrambf_v1(4, 32768, 3, 7)",
    ):
        command(url, f"ALTER TABLE audit_events {change}")
    ship(store, url)
    plan = run("count", "text~nothing-has-this", "-s", url, "--range", "all-time")
    assert plan.stdout == "0\n"
    connection = ClickHouseConnection(SourceUrl(url))
    find = "SELECT name FROM system.data_skipping_indices WHERE database = currentDatabase() ORDER BY name"
    assert [name for (name,) in connection.rows(find, {})] == ["events", "numbers", "users", "words"]
    where = f"{ClickHouseDialect.all_texts} LIKE '%nothing-has-this%'"
    rows = connection.rows(f"EXPLAIN indexes = 1 SELECT id FROM audit_events e WHERE {where}", {})
    assert any("Name: words" in line for (line,) in rows)
    connection.close()


def test_older_and_other_copies_are_refused_and_removals_carried_over(url: str, tmp_path: Path) -> None:
    path, older, other = (tmp_path / f"{name}.db" for name in ("audit", "older", "other"))
    append(path, EVENTS[:20])
    shutil.copy(path, older)
    shutil.copy(path, other)
    append(path, EVENTS[20:40])
    append(other, EVENTS[40:70])
    why = ("--why", "asked for", "--yes", "-s", str(path))
    assert run("redact", "5-20", "--field", "user", *why).exit_code == 0
    ship(path, url, "web-1")
    for copy, words in ((older, "older copy"), (other, "other events under the id")):
        refused = run("ship", str(copy), "--to", url)
        assert refused.exit_code == 1
        assert words in refused.stderr
    verified = run("verify", "-s", url)
    assert verified.exit_code == 0, verified.stdout
    assert "redacted by a declared act" in verified.stdout
    # What is declared after it was shipped is told.
    assert run("redact", "30-35", "--field", "user", *why).exit_code == 0
    assert "still stand there as they were" in run("ship", str(path), "--to", url).stderr
