"""``facets``, ``histogram`` and ``reindex``."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.errors import EXIT_USAGE
from tests.cli.running import EVENTS, at, make_store, run
from tests.payloads import PAYLOADS

if TYPE_CHECKING:
    from pathlib import Path

ALL = ("--range", "all-time")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make_store(tmp_path / "audit.db", EVENTS)


def lines(store: Path, command: str, *options: str) -> list[dict[str, object]]:
    result = run(command, *options, "-s", str(store), "--format", "jsonl")
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_facets_are_those_of_the_events_that_match(store: Path) -> None:
    rows = lines(store, "facets", "event", *ALL)
    assert {row["value"]: row["events"] for row in rows} == {
        name: sum(event.event == name for event in EVENTS) for name in {event.event for event in EVENTS}
    }
    numbers = [int(str(row["events"])) for row in rows]
    assert numbers == sorted(numbers, reverse=True)
    name = EVENTS[0].event
    assert lines(store, "facets", "EVENT", *ALL, "--filter", f"event={name}") == [found_of(rows, name)]


def found_of(rows: list[dict[str, object]], name: str) -> dict[str, object]:
    return next(row for row in rows if row["value"] == name)


def test_the_missing_value_is_null_in_json_and_a_dash_for_people(tmp_path: Path) -> None:
    store = make_store(tmp_path / "audit.db", [AuditEvent("Login", at("2026-11-22 10:00"))] * 1)
    assert lines(store, "facets", "user") == [{"value": None, "events": 1}]
    assert run("facets", "user", "-s", str(store)).stdout.splitlines()[1].startswith("-  ")
    assert run("facets", "user", "-s", str(store), "--format", "csv").stdout == "value,events\n,1\n"


def test_what_the_limit_leaves_out_is_told(store: Path) -> None:
    result = run("facets", "event", "-s", str(store), *ALL, "--limit", "1", "--format", "json")
    assert len(json.loads(result.stdout)) == 1
    assert "--limit 0 shows all values" in result.stderr
    assert "--limit" not in run("facets", "event", "-s", str(store), *ALL, "--limit", "0").stderr


@pytest.mark.parametrize(
    "column", ["event", "outcome", "Severity", "ip", "target", "source", "description", "meta.Role ID"]
)
def test_facets_of_every_column(store: Path, column: str) -> None:
    rows = lines(store, "facets", column, *ALL, "--limit", "0")
    assert sum(int(str(row["events"])) for row in rows) == len(EVENTS)
    rarest = lines(store, "facets", column, *ALL, "--limit", "0", "--rarest")
    assert sorted(map(str, rows)) == sorted(map(str, rarest))
    numbers = [int(str(row["events"])) for row in rarest]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("column", "words"),
    [("time", "histogram"), ("seq", "meta.NAME"), ("text", "meta.NAME"), ("usr", "Did you mean user?")],
)
def test_a_column_that_has_no_facets_says_what_has(store: Path, column: str, words: str) -> None:
    result = run("facets", column, "-s", str(store))
    assert result.exit_code == EXIT_USAGE
    assert words in result.stderr


def test_a_histogram_counts_each_event_once(store: Path) -> None:
    for options in (("--every", "1d"), ("--every", "1w"), ("--buckets", "7"), ()):
        rows = lines(store, "histogram", *ALL, *options)
        assert sum(int(str(row["events"])) for row in rows) == len(EVENTS)
        assert all(row["end"] == after["start"] for row, after in pairwise(rows))


def test_empty_buckets_can_be_left_out(store: Path) -> None:
    rows = lines(store, "histogram", *ALL, "--every", "1d", "--no-empty")
    assert [row["events"] for row in rows] == [1, 1, 1, 1]
    assert all(str(row["start"]).endswith("T00:00:00.000000Z") for row in rows)


def test_days_are_those_of_the_zone(tmp_path: Path) -> None:
    events = [AuditEvent("Login", at(f"2026-11-20 {hour}:30")) for hour in ("22", "23")]
    store = make_store(tmp_path / "audit.db", events)
    options = ("--since", "2026-11-20", "--until", "2026-11-21", "--every", "1d", "--format", "csv")
    result = run("histogram", "-s", str(store), "--tz", "Europe/Berlin", *options)
    assert result.stdout.splitlines() == [
        "start,end,events",
        "2026-11-20T00:00:00.000000+01:00,2026-11-21T00:00:00.000000+01:00,1",
        "2026-11-21T00:00:00.000000+01:00,2026-11-22T00:00:00.000000+01:00,1",
    ]


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "md"])
@pytest.mark.parametrize("arguments", [("facets", "user"), ("histogram", "--buckets", "3")])
def test_nothing_is_said_where_nothing_is(tmp_path: Path, form: str, arguments: tuple[str, ...]) -> None:
    store = make_store(tmp_path / "audit.db", [])
    result = run(*arguments, "-s", str(store), "--format", form)
    assert result.exit_code == 0
    assert "no events" in result.stderr
    if form == "json":
        assert json.loads(result.stdout) == []


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "md"])
def test_hostile_values_reach_no_terminal(tmp_path: Path, form: str) -> None:
    events = [
        AuditEvent("Login", at("2026-11-22 10:00"), key=str(place), user=payload)
        for place, payload in enumerate(PAYLOADS)
    ]
    store = make_store(tmp_path / "audit.db", events)
    shown = run("facets", "user", "-s", str(store), "--limit", "0", "--format", form).stdout
    assert all(character.isprintable() or character == "\n" for character in shown)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("facets", "colour"), "colour"),
        (("facets",), "COLUMN"),
        (("histogram", "--every", "1x"), "30s, 5m"),
        (("histogram", "--every", "1h", "--buckets", "3"), "cannot be used with --buckets"),
        (("histogram", "--every", "1s", "--range", "all-time"), "10,000"),
        (("histogram", "--buckets", "0"), "from 1 to 10,000"),
    ],
)
def test_wrong_usage_ends_with_2(store: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments, "-s", str(store))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_reindex_tells_what_it_did_and_makes_no_store(tmp_path: Path, store: Path) -> None:
    result = run("reindex", "-s", str(store))
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{len(EVENTS)} events" in result.stderr
    assert sum(int(str(row["events"])) for row in lines(store, "facets", "event", *ALL)) == len(EVENTS)
    missing = tmp_path / "none.db"
    assert run("reindex", "-s", str(missing)).exit_code == 3
    assert not missing.exists()
