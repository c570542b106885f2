"""The shared sample logs."""

from __future__ import annotations

import pytest

from audit_tui.ingest.find import LogFile, find_logs
from tests.formats.logs import SHARED, read


@pytest.mark.parametrize(
    ("name", "stored", "reject_lines"),
    [
        ("csv/csv_datetime_last_column.csv", 4, []),
        ("csv/csv_timestamp_as_datetime.csv", 4, []),
        ("csv/csv_timestamp_no_datetime.csv", 3, []),
        ("csv/incorrect.csv", 1, []),
        ("csv/invalid_datetime.csv", 3, [5]),
        ("csv/mapping_limit_exceed.csv", 1, []),
        ("csv/s3_honeybucket.csv", 301, []),
        ("csv/sigma_events.csv", 4, []),
        ("csv/validate_no_datetime_timestamps.csv", 5, []),
        ("csv/validate_time_out_of_range.csv", 0, [2, 3]),
        ("csv/validate_time_precision.csv", 2, []),
        ("csv/validate_timestamp_conversion.csv", 3, []),
        ("jsonl/large_field_event.jsonl", 3, []),
        ("jsonl/sigma_events.jsonl", 5, []),
        ("jsonl/validate_time_precision_jsonl.jsonl", 2, []),
    ],
)
def test_awkward_tables_and_lines(name: str, stored: int, reject_lines: list[int]) -> None:
    (log,) = find_logs([str(SHARED / name)])
    assert isinstance(log, LogFile)
    events, rejects = read(log)
    assert len(events) == stored
    assert [reject.line for reject in rejects] == reject_lines
    assert all(event.event for event in events)


@pytest.mark.parametrize(
    ("name", "records"),
    [("Databricks.Audit", 161), ("OpenAI.Audit", 29), ("Panther.Audit", 13), ("Slack.AuditLogs", 44)],
)
def test_application_logs_by_usual_names(name: str, records: int) -> None:
    (log,) = find_logs([str(SHARED / "jsonl" / f"{name}.jsonl")])
    assert isinstance(log, LogFile)
    events, rejects = read(log)
    assert len(events) + len(rejects) == records
    assert events
    assert {reject.reason for reject in rejects} <= {"it has no time (name the field with --map time=FIELD)"}
