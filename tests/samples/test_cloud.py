"""The shared samples of cloud services: no record is lost or mute."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.ingest.find import LogFile, find_logs
from audit_tui.store.write.writer import StoreWriter
from tests.formats.logs import SHARED, read

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.formats.record import Reject

NO_TIME = ("it has no ", "the time is not a time: ")
"""The warehouse's samples were trimmed by hand: many lost their time, and what says what happened."""


def read_all(name: str) -> tuple[list[AuditEvent], list[Reject]]:
    events: list[AuditEvent] = []
    rejects: list[Reject] = []
    for log in find_logs([str(SHARED / name)]):
        assert isinstance(log, LogFile)
        mapped, refused = read(log)
        events += mapped
        rejects += refused
    return events, rejects


@pytest.mark.parametrize(
    ("name", "sources", "records", "mapped"),
    [
        ("cloudtrail/stratus", {"cloudtrail"}, 310, 310),
        ("cloudtrail/lookup_events.jsonl", {"cloudtrail"}, 6, 6),
        ("cloudtrail/logstash.jsonl", {"cloudtrail"}, 103, 103),
        ("gcp/GCP.AuditLog.jsonl", {"gcp"}, 196, 143),
        ("gcp/gcp_logging.jsonl", {"gcp"}, 11, 11),
        ("azure/Azure.Audit.jsonl", {"entra"}, 47, 47),
        ("azure/azure_activity_log.jsonl", {"azure"}, 4, 4),
        ("m365/Microsoft365.Audit.AzureActiveDirectory.jsonl", {"m365"}, 4, 4),
        ("m365/Microsoft365.Audit.Exchange.jsonl", {"m365"}, 10, 10),
        ("m365/Microsoft365.Audit.SharePoint.jsonl", {"m365"}, 5, 5),
        ("m365/microsoft_audit_log.jsonl", {"m365"}, 4, 4),
        ("github", {"github"}, 98, 65),
        ("okta", {"okta"}, 74, 60),
        ("auth0", {"auth0"}, 50, 50),
        ("gitlab", set(), 3, 0),
        ("workspace", {"workspace"}, 129, 67),
    ],
)
def test_all_records_are_read(name: str, sources: set[str], records: int, mapped: int) -> None:
    events, rejects = read_all(name)
    assert len(events) + len(rejects) == records
    assert len(events) == mapped
    assert {event.source for event in events} == sources
    for event in events:
        assert event.description
        assert event.description not in (event.event, event.user)
        assert len(event.description) < 500
    assert all(reject.reason.startswith(NO_TIME) for reject in rejects)


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("gcp", {Outcome.SUCCESS: 129, Outcome.FAILURE: 23, Outcome.UNKNOWN: 2}),
        ("azure", {Outcome.SUCCESS: 36, Outcome.FAILURE: 11, Outcome.UNKNOWN: 4}),
        ("m365", {Outcome.SUCCESS: 17, Outcome.FAILURE: 1, Outcome.UNKNOWN: 5}),
        ("okta", {Outcome.SUCCESS: 36, Outcome.FAILURE: 14, Outcome.UNKNOWN: 10}),
        ("auth0", {Outcome.SUCCESS: 42, Outcome.FAILURE: 3, Outcome.UNKNOWN: 5}),
        ("workspace", {Outcome.SUCCESS: 11, Outcome.FAILURE: 4, Outcome.UNKNOWN: 52}),
        ("github", {Outcome.UNKNOWN: 65}),
    ],
)
def test_outcomes_are_told_where_the_record_tells_them(name: str, outcomes: dict[Outcome, int]) -> None:
    assert Counter(event.outcome for event in read_all(name)[0]) == outcomes


def test_a_second_import_stores_nothing(tmp_path: Path) -> None:
    names = ("gcp", "azure", "m365", "github", "okta", "auth0", "workspace")
    events = [event for name in names for event in read_all(name)[0]]
    with StoreWriter(tmp_path / "s.db", durable=False) as writer:
        first = writer.append(events)
        again = writer.append(events)
    assert first.stored == len({event.key for event in events})
    assert first.stored + first.duplicates == len(events)
    assert (again.stored, again.duplicates) == (0, len(events))
