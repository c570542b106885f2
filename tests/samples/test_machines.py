"""The shared samples of machines and clusters: nothing lost or mute."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.query import EventQuery
from audit_tui.ingest.find import LogFile, find_logs
from audit_tui.ingest.import_logs import import_logs
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.writer import StoreWriter
from tests.formats.logs import SHARED, read

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.formats.record import Reject

SAMPLES = {
    # The place -> records in it, events that they become, their outcomes.
    "kubernetes/falco": (52, 51, {Outcome.SUCCESS: 51}),
    "kubernetes/eks.jsonl": (186, 18, {Outcome.SUCCESS: 14, Outcome.FAILURE: 4}),
    "vault/openbao.jsonl.gz": (
        1_921,
        1_921,
        {Outcome.FAILURE: 1_087, Outcome.UNKNOWN: 607, Outcome.SUCCESS: 227},
    ),
    "teleport/events.jsonl": (165, 165, {Outcome.SUCCESS: 128, Outcome.FAILURE: 37}),
}


def read_all(name: str) -> tuple[list[AuditEvent], list[Reject]]:
    events: list[AuditEvent] = []
    rejects: list[Reject] = []
    for log in find_logs([str(SHARED / name)]):
        assert isinstance(log, LogFile)
        mapped, refused = read(log)
        events += mapped
        rejects += refused
    return events, rejects


@pytest.mark.parametrize("name", SAMPLES)
def test_all_records_are_read_and_told(name: str, tmp_path: Path) -> None:
    records, mapped, outcomes = SAMPLES[name]
    events, rejects = read_all(name)
    assert len(events) + len(rejects) == records
    assert len(events) == mapped
    assert {event.source for event in events} == {name.partition("/")[0]}
    assert Counter(event.outcome for event in events) == outcomes
    for event in events:
        assert event.description
        assert event.description not in (event.event, event.user)
        assert len(event.description) < 700
    # Most of the warehouse's examples have no time at all.
    assert all("has no time" in reject.reason or name.startswith("kube") for reject in rejects)
    with StoreWriter(tmp_path / "s.db", durable=False) as writer:
        first = writer.append(events)
        again = writer.append(events)
    assert first.stored == len({event.key for event in events})
    assert first.stored + first.duplicates == len(events)
    assert (again.stored, again.duplicates) == (0, len(events))


def test_teleport_events_are_kept_although_they_share_uids() -> None:
    events, _ = read_all("teleport/events.jsonl")
    assert len({event.key for event in events}) == 163  # two pairs differ in nothing that names an event


def test_a_second_import_of_the_audit_logs_stores_nothing(tmp_path: Path) -> None:
    events, rejects = read_all("auditd")
    assert len(rejects) >= 3  # and the tables of ausearch, which are not logs for us
    with StoreWriter(tmp_path / "s.db", durable=False) as writer:
        first = writer.append(events)
        again = writer.append(events)
    assert first.stored + first.duplicates == len(events)
    assert (again.stored, again.duplicates) == (0, len(events))


def test_the_two_halves_of_each_call_to_vault_are_one_event(tmp_path: Path) -> None:
    tally = import_logs([SHARED / "vault/openbao.jsonl.gz"], tmp_path / "s.db")
    # 1,921 records are 959 calls, two halves without an id and a call whose end no record tells.
    assert (tally.read, tally.stored, tally.rejected) == (962, 962, 0)
    with StoreReader(tmp_path / "s.db") as reader:
        outcomes = Counter(event.outcome for event in reader.events(EventQuery()))
    assert outcomes == {Outcome.FAILURE: 733, Outcome.SUCCESS: 227, Outcome.UNKNOWN: 2}
