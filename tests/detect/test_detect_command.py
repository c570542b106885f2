from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.core.query_line.text import line_of
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.writer import StoreWriter
from tests.cli.running import at, run
from tests.detect.rules import TRAIL, rule_with, write_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import EventQuery

EVENTS = [
    AuditEvent(
        "StopLogging",
        at(f"2026-11-20 09:0{number}"),
        category="cloudtrail",
        user=user,
        source="cloudtrail",
        key=f"k{number}",
    )
    for number, user in enumerate(["bob", "alice", "alice", None])
]
LOW = rule_with("s: {event: Nothing}\ncondition: s", rest="level: low")
OWN = rule_with(
    "s: {user: bob}\ncondition: s",
    rest='author: "Eve\\x1b[31m"\nlevel: low\nid: 33333333-3333-4333-8333-333333333333',
)


@pytest.fixture
def store(tmp_path: Path) -> str:
    path = tmp_path / "audit.db"
    with StoreWriter(path) as writer:
        writer.append(EVENTS)
    return str(path)


@pytest.fixture
def rules(tmp_path: Path) -> str:
    return str(write_rules(tmp_path / "rules", TRAIL, LOW, OWN, "title: only"))


def test_rules_that_hit_are_a_table_with_their_author(store: str, rules: str) -> None:
    result = run("detect", rules, "-s", store)
    head, first, second = result.stdout.splitlines()
    assert head.split() == ["Level", "Events", "Rule", "First", "Last", "Users", "Author"]
    assert first.split()[:4] == ["high", "4", "Trail", "Stopped"]
    assert first.endswith("alice, bob  Ann Author")
    assert second.split()[:4] == ["low", "1", "A", "rule"]
    assert "\x1b" not in result.stdout
    assert "2 of 3 rules hit: 5 hits." in result.stderr
    assert "Not run: " in result.stderr
    assert result.exit_code == 1


def test_a_level_leaves_rules_out(store: str, rules: str) -> None:
    result = run("detect", rules, "-s", store, "--min-level", "critical")
    assert (result.stdout, result.exit_code) == ("", 0)
    assert "0 of 0 rules hit" in result.stderr
    assert run("detect", rules, "-s", store, "--min-level", "high").stdout.count("\n") == 2


def test_a_hit_for_programs_names_rule_author_and_event(store: str, rules: str) -> None:
    result = run("detect", rules, "-s", store, "--format", "jsonl", "--filter", "user=alice")
    hits = [json.loads(line) for line in result.stdout.splitlines()]
    assert [hit["key"] for hit in hits] == ["k2", "k1"]
    assert {hit["rule_id"] for hit in hits} == {"11111111-1111-4111-8111-111111111111"}
    assert (hits[0]["title"], hits[0]["author"], hits[0]["level"]) == ("Trail Stopped", "Ann Author", "high")
    assert hits[0]["tags"] == ["attack.t1562.008"]


@pytest.mark.parametrize("form", ["json", "csv", "md"])
def test_rules_come_in_other_formats(store: str, rules: str, form: str) -> None:
    text = run("detect", rules, "-s", store, "--format", form).stdout
    if form == "json":
        (first, _) = json.loads(text)
        assert (first["events"], first["users"]) == (4, ["alice", "bob"])
        assert (first["first"], first["last"]) == (
            "2026-11-20T09:00:00.000000Z",
            "2026-11-20T09:03:00.000000Z",
        )
    elif form == "csv":
        (first, _) = csv.DictReader(io.StringIO(text))
        assert (first["level"], first["events"], first["users"]) == ("high", "4", "alice bob")
    else:
        assert text.splitlines()[2].startswith("| high | 4 | Trail Stopped |")


def test_events_of_other_times_and_sources_are_not_seen(store: str, rules: str) -> None:
    late = run("detect", rules, "-s", store, "--since", "2026-11-20 09:02")
    assert late.stdout.splitlines()[1].split()[1] == "2"
    gcp = TRAIL.replace("product: aws, service: cloudtrail", "product: gcp, service: gcp.audit")
    gcp = gcp.replace("eventName", "event").replace("eventSource", "x")
    other = write_rules(Path(store).parent / "gcp", gcp)
    assert run("detect", str(other), "-s", store).exit_code == 0


def test_names_are_hidden_where_they_are_to_be(store: str, rules: str) -> None:
    result = run("detect", rules, "-s", store, "--redact")
    assert "alice" not in result.stdout
    assert result.stdout.splitlines()[1].split()[1] == "4"


def test_what_is_silenced_is_counted(
    store: str, rules: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_TUI_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("")
    silences = tmp_path / "silences.toml"
    silences.write_text('[[silence]]\nlevel = "low"\n[[silence]]\nlevel = "high"\nwhen = "user:alice"\n')
    result = run("detect", rules, "-s", store)
    assert result.stdout.splitlines()[1].split()[:2] == ["high", "2"]
    assert "1 of 3 rules hit: 2 hits, 3 silenced." in result.stderr
    silences.write_text('[[silence]]\nlevel = "loud"\n')
    result = run("detect", rules, "-s", store)
    assert (result.exit_code, "has a value that it cannot have" in result.stderr) == (2, True)
    silences.write_text('[[silence]]\nrule = "x"\nwhen = "usr:a"\n')
    assert "There is no column 'usr'" in run("detect", rules, "-s", store).stderr
    silences.write_text("[[silence]")
    assert run("detect", rules, "-s", store).exit_code == 3


def test_only_what_is_new_is_asked_again(store: str, rules: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("detect", rules, "-s", store)
    asked: list[EventQuery] = []
    events = StoreReader.events

    def noted(
        self: StoreReader, query: EventQuery, cancel: CancelToken | None = None
    ) -> Iterator[AuditEvent]:
        asked.append(query)
        return events(self, query, cancel)

    monkeypatch.setattr(StoreReader, "events", noted)
    again = run("detect", rules, "-s", store)
    assert (again.stdout, again.stderr) == (first.stdout, first.stderr)
    assert not asked
    assert run("detect", rules, "-s", store, "--format", "jsonl").stdout.count("\n") == 5
    assert not asked
    assert run("detect", rules, "-s", store, "--all").stdout == first.stdout
    assert asked
    asked.clear()
    with StoreWriter(Path(store)) as writer:
        writer.append([replace(EVENTS[0], key="k9", user="carol")])
    assert run("detect", rules, "-s", store).stdout.splitlines()[1].split()[:2] == ["high", "5"]
    assert asked
    assert all("seq>4" in line_of(query.filter) for query in asked)


def test_what_was_pruned_is_no_hit_any_more(store: str, rules: str) -> None:
    run("detect", rules, "-s", store)
    pruned = run("prune", "-s", store, "--before", "2026-11-20 09:02", "--why", "old", "--yes")
    assert pruned.exit_code == 0, pruned.output
    assert run("detect", rules, "-s", store).stdout.splitlines()[1].split()[:2] == ["high", "2"]
