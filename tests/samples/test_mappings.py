"""The mappings that come with the program, over real logs."""

from __future__ import annotations

import pytest

from audit_tui.formats.mapping_file import read_mapping, shipped_mappings
from audit_tui.ingest.events import Reading
from audit_tui.ingest.find import LogFile
from tests.formats.logs import SHARED, read


@pytest.mark.parametrize(
    ("name", "file", "stored", "records", "sentence"),
    [
        ("slack", "Slack.AuditLogs", 15, 44, "user@example.com granted app resources on test-workspace-1"),
        ("databricks", "Databricks.Audit", 134, 161, "user@example.com logged in"),
    ],
)
def test_the_mappings_that_come_along(name: str, file: str, stored: int, records: int, sentence: str) -> None:
    path = SHARED / "jsonl" / f"{file}.jsonl"
    events, rejects = read(
        LogFile(path.name, path, 0), Reading(mapping=read_mapping(shipped_mappings()[name]))
    )
    assert (len(events), len(events) + len(rejects)) == (stored, records)
    assert {reject.reason.partition(" in ")[0] for reject in rejects} == {"it has no time"}
    assert {event.source for event in events} == {name}
    assert all(event.user for event in events[:10])
    assert sentence in {event.description for event in events}
