"""Another program's table is read as it is: its time, its columns, its JSON; in SQL, and without seals."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from audit_tui.core.event import from_us
from audit_tui.core.query import AtRow, EventQuery
from audit_tui.core.source import SourceUrl
from audit_tui.engines.opening import open_table
from audit_tui.engines.postgres import PostgresConnection
from tests.cli.running import run
from tests.engines.servers import empty_database

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """
CREATE TABLE app.audit_log (
    id bigint PRIMARY KEY, created_at timestamptz NOT NULL, action text NOT NULL, actor jsonb,
    ip text, resource text, status text, "odd ""name%" text, details jsonb
);
CREATE INDEX ON app.audit_log (created_at, id);
"""
MAPPING = """
name = "app"
[columns]
time = "created_at"
event = "action"
user = "actor.email"
source_ip = "ip"
target = "resource"
outcome = "status"
[outcome]
success = ["done"]
failure = ["refused"]
"""


@pytest.fixture(scope="module")
def url() -> str:
    url = empty_database("foreign")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA app")
        connection.execute(TABLE)
        rows = [
            (
                number,
                from_us(1_700_000_000_000_000 + number * 1_000_003),
                ("login", "role.create", "LOGIN")[number % 3],
                json.dumps({"email": f"user{number % 5}@acme.io", "id": number}) if number % 7 else None,
                f"10.0.{number % 3}.{number % 200}",
                f"doc-{number % 11}",
                ("done", "refused", "what")[number % 3],
                "x",
                json.dumps({"size": number, "tags": ["a", f"t{number % 4}"], "deep": {"er": "Yes"}}),
            )
            for number in range(1, 501)
        ]
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO app.audit_log VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", rows)
    return url


@pytest.fixture(scope="module")
def mapping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mapping") / "app.toml"
    path.write_text(MAPPING)
    return path


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 500),
        ("event:login", 333),
        ("event=login", 166),
        ("user:user1@acme.io", 86),
        ("user:user1@acme.io outcome:failure", 30),
        ("user=", 71),
        ("source_ip=10.0.1.0/24", 167),
        ("target:doc-3 or target:doc-4", 92),
        ("meta.size>490", 10),
        ("meta.tags=t1", 125),
        ("meta.details.deep.er:yes", 500),
        ("text:t3", 125),
        ("event:* -text~yes", 0),
        ("outcome:unknown", 167),
    ],
)
def test_filters_are_answered_in_the_table(url: str, mapping: Path, query: str, expected: int) -> None:
    query = query.replace("meta.size", "meta.details.size").replace("meta.tags", "meta.details.tags")
    source = ("-s", url, "--table", "app.audit_log", "--mapping", str(mapping))
    result = run("count", *filter(None, [query]), *source, "--range", "all-time")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{expected}\n"


def test_every_command_that_reads(url: str, mapping: Path, tmp_path: Path) -> None:
    source = ("-s", url, "--table", "app.audit_log", "--mapping", str(mapping))
    shown = run("query", "--limit", "2", "--format", "jsonl", "--range", "all-time", *source)
    newest = json.loads(shown.stdout.splitlines()[0])
    assert (newest["seq"], newest["event"], newest["user"]) == (500, "LOGIN", "user0@acme.io")
    assert newest["time"] == "2023-11-14T22:21:40.001500Z"
    assert newest["metadata"]["details"]["size"] == 500
    assert "created_at" not in newest["metadata"]
    assert "without seals" in run("info", *source).stdout
    assert "role.create" in run("facets", "event", "--range", "all-time", *source).stdout
    assert run("histogram", "--buckets", "4", "--range", "all-time", *source).exit_code == 0
    assert run("export", str(tmp_path / "x.csv"), "--range", "all-time", *source).exit_code == 0
    assert run("verify", *source).exit_code == 2
    opened = run("open", url, "--table", "app.audit_log", "--plain", "--range", "all-time")
    assert opened.exit_code == 0, opened.output
    assert "role.create" in opened.stdout


def test_the_names_of_columns_tell_what_they_are(url: str) -> None:
    options = ("--limit", "1", "--format", "jsonl", "--range", "all-time")
    result = run("query", *options, "-s", url, "--table", "app.audit_log")
    event = json.loads(result.stdout)
    assert (event["event"], event["source_ip"], event["target"]) == ("LOGIN", "10.0.2.100", "doc-5")
    assert event["outcome"] == "unknown"


def test_what_cannot_be_read_is_told(url: str, mapping: Path, tmp_path: Path) -> None:
    assert run("count", "-s", url, "--table", "app.none").exit_code == 3
    assert run("count", "-s", str(tmp_path / "audit.db"), "--table", "x").exit_code == 2
    mapping_of_other = tmp_path / "other.toml"
    mapping_of_other.write_text(MAPPING.replace('"action"', '"nothing"'))
    other = run("count", "-s", url, "--table", "app.audit_log", "--mapping", str(mapping_of_other))
    assert other.exit_code == 2
    assert "has no column nothing" in other.stderr


def test_the_index_on_the_time_is_used(url: str) -> None:
    statements: list[str] = []
    original = PostgresConnection.rows

    def noted(self: PostgresConnection, statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        statements.append(statement)
        return original(self, statement, values)

    with (
        pytest.MonkeyPatch.context() as patch,
        closing(open_table(SourceUrl(url), "app.audit_log", None)()) as reader,
    ):
        patch.setattr(PostgresConnection, "rows", noted)
        rows = reader.page(EventQuery(), AtRow(0), 3).rows
    assert [row.seq for row in rows] == [500, 499, 498]
    with psycopg.connect(url) as connection:
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute(f"EXPLAIN {statements[-1].replace('%%', '%')}").fetchall()
    assert "Index" in str(plan)
    assert "Sort" not in str(plan)
