"""Rules asked of stores that are not files: where numbers of events tell no order, or are not there."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.event import AuditEvent
from audit_tui.core.query import EventQuery
from audit_tui.core.source import SourceUrl
from audit_tui.detect import running
from audit_tui.detect.live import LiveDetections
from audit_tui.detect.memory import Memory
from audit_tui.detect.running import Runner, Tail
from audit_tui.engines.opening import open_shared, open_table
from audit_tui.engines.reader import SharedReader
from tests.detect.rules import read_one, rule_with, write_rules
from tests.engines.servers import empty_database
from tests.engines.shared import append, ship

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_tui.core.investigate.detections import Detected

RULE = rule_with("selection:\n    event: Login\ncondition: selection")


@pytest.mark.parametrize("chars", [1, running.MAX_TAIL_CHARS])
def test_rules_find_the_events_of_a_table_without_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chars: int
) -> None:
    monkeypatch.setattr(running, "MAX_TAIL_CHARS", chars)
    url = empty_database(tmp_path.name)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE acts (name text PRIMARY KEY, at timestamptz, event text)")
        for number in range(5):
            values = (f"n{number}", f"2026-11-01 14:00:0{number}+00", "Login" if number % 2 else "Logout")
            connection.execute("INSERT INTO acts VALUES (%s, %s, %s)", values)
    rule = read_one(RULE)
    runner = Runner([rule])
    with closing(open_table(SourceUrl(url), "acts", None)()) as reader, Memory(None, reader) as memory:
        assert len(list(runner.hits(reader, rule, EventQuery()))) == 2
        assert len(memory.hits_of(runner, rule, reader.newest_seq()).hits) == 2


def test_of_a_shared_engine_no_more_is_read_than_what_hits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = empty_database(tmp_path.name)
    store = tmp_path / "web-1.db"
    append(store, [AuditEvent("Logout", number, source="app") for number in range(50)])
    append(store, [AuditEvent("Login", 99, source="app")])
    ship(store, url)
    open_reader = open_shared(SourceUrl(url))
    with closing(open_reader()) as reader:
        assert not Tail(reader, EventQuery(upto_seq=reader.newest_seq()), None).events
    reports: list[Detected] = []
    rules = write_rules(tmp_path / "rules", RULE)
    live = LiveDetections([rules], open_reader, tmp_path / "cache", None, tmp_path / "silences.toml")
    live.run(reports.append, CancelToken())
    append(store, [AuditEvent("Login", 100, source="app")])
    ship(store, url)
    read: list[AuditEvent] = []
    events = SharedReader.events

    def noted(*args: Any) -> Iterator[AuditEvent]:  # noqa: ANN401 - as the method takes them
        for event in events(*args):
            read.append(event)
            yield event

    monkeypatch.setattr(SharedReader, "events", noted)
    live.run(reports.append, CancelToken())
    assert [hits.events for hits in reports[-1].hits] == [2]
    assert len(read) == 2
