"""``audit-tui compare``: the table, JSON, what it is compared with, and hostile values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, to_us
from audit_tui.store.write.writer import StoreWriter
from tests.cli.running import NOW, run

if TYPE_CHECKING:
    from pathlib import Path

HOUR_US = 3_600_000_000
NOON_US = to_us(NOW)


def make(tmp_path: Path, user: str = "mallory") -> str:
    events = [AuditEvent("Login", NOON_US - 30 * HOUR_US + n, user="alice") for n in range(5)]
    events += [AuditEvent("Delete", NOON_US - HOUR_US + n, user=user) for n in range(3)]
    store = tmp_path / "audit.db"
    with StoreWriter(store) as writer:
        writer.append(events)
    return str(store)


def test_it_prints_what_is_new_and_gone(tmp_path: Path) -> None:
    result = run("compare", "-s", make(tmp_path), "--range", "today", "--tz", "UTC", "--with", "yesterday")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines == [
        "Event now before",
        "NEW Delete 3 0",
        "GONE Login 0 5",
        "User now before",
        "NEW mallory 3 0",
        "GONE alice 0 5",
    ]
    assert "now: 3 events" in result.stderr
    assert "before: 5 events" in result.stderr


def test_as_json_and_narrowed_by_a_query(tmp_path: Path) -> None:
    options = ("--since", "24h", "--json", "--limit", "1")
    result = run("compare", "event:Delete", "-s", make(tmp_path), *options)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows[0] == {"column": "event", "value": "Delete", "kind": "new", "now": 3, "before": 0}
    assert {row["column"] for row in rows} == {"event", "user"}


def test_last_week_and_ranges_that_cannot_be(tmp_path: Path) -> None:
    store = make(tmp_path)
    assert "GONE" not in run("compare", "-s", store, "--range", "today", "--with", "last-week").stdout
    assert run("compare", "-s", store, "--range", "all-time").exit_code == 2
    assert run("compare", "-s", store, "--range", "today", "--with", "sometime").exit_code == 2


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    store = make(tmp_path, "\x1b]0;pwned\x07")
    for options in ((), ("--json",)):
        result = run("compare", "-s", store, "--range", "today", "--with", "yesterday", *options)
        assert "\x1b" not in result.stdout
        assert "pwned" in result.stdout
