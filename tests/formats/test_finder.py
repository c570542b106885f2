"""Records of vendors that no file describes: who did what, from where, to what, and how it ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.formats import finder
from audit_tui.formats.finder import find
from audit_tui.ingest.import_logs import import_logs
from tests.formats.logs import FIXTURES, read, write

if TYPE_CHECKING:
    from pathlib import Path

T = "2026-11-01T14:00:00Z"


def event_of(folder: Path, record: dict[str, Any]) -> dict[str, Any]:
    events, rejects = read(write(folder, json.dumps(record) + "\n"))
    assert rejects == []
    return events[0].to_json()


CASES = [json.loads(line) for line in (FIXTURES / "any_vendor.jsonl").read_text().splitlines()]
"""Records in the shapes of vendors, and what must come of each."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_record_of_any_vendor_is_understood(tmp_path: Path, case: dict[str, Any]) -> None:
    event, expected = event_of(tmp_path, case["record"]), case["expected"]
    assert {column: event[column] for column in expected} == expected


def test_a_record_is_looked_through_up_to_a_bound() -> None:
    deep: dict[str, Any] = {"username": "deep"}
    for _ in range(finder.MAX_DEPTH):
        deep = {"data": deep}
    assert find(deep).values == {}
    many = {f"x{number}": "y" for number in range(finder.MAX_LEAVES)} | {"username": "late"}
    assert find(many).values == {}
    assert find({"u" * 1_000: "x", "username": "olga"}).values == {"user": "olga"}


DAEMON = (
    "type=SYSCALL msg=audit(1793541600.512:77): arch=c000003e syscall=257 success=no exit=-13 items=1"
    ' ppid=1 pid=2 auid=1000 uid=0 comm="cat" exe="/bin/cat" key="shadow"\n'
    'type=PATH msg=audit(1793541600.512:77): item=0 name="/etc/shadow" nametype=NORMAL\n'
)
LAUREL = {
    "ID": "1793541600.512:77",
    "SYSCALL": {"arch": "0xc000003e", "syscall": 257, "success": "no", "exit": -13, "auid": 1000,
                "uid": 0, "comm": "cat", "exe": "/bin/cat", "key": "shadow", "SYSCALL": "openat",
                "AUID": "olga", "UID": "root"},
    "PATH": [{"item": 0, "name": "/etc/shadow", "nametype": "NORMAL"}],
    "PROCTITLE": {"ARGV": ["cat", "/etc/shadow"]},
}  # fmt: skip
GO_AUDIT = {
    "sequence": 77,
    "timestamp": "1793541600.512",
    "messages": [
        {"type": 1300, "data": DAEMON.split("): ")[1].partition("\n")[0]},
        {"type": 1302, "data": 'item=0 name="/etc/shadow" nametype=NORMAL'},
        {"type": 1320, "data": ""},
    ],
    "uid_map": {"0": "root", "1000": "olga"},
}


@pytest.mark.parametrize("record", [LAUREL, GO_AUDIT])
def test_linux_audit_as_json_is_that_of_the_daemon(tmp_path: Path, record: dict[str, Any]) -> None:
    event = event_of(tmp_path, record)
    (as_written,), _ = read(write(tmp_path, DAEMON))
    assert event["key"] == as_written.key
    assert (event["user"], event["target"], event["outcome"]) == ("olga", "/etc/shadow", "failure")
    assert event["description"] == "olga as root was not allowed to open /etc/shadow using /bin/cat"
    assert event["metadata"] == record | {"outcome_detail": "denied"}


def test_a_digest_of_cloudtrail_is_left_out_with_a_word(tmp_path: Path) -> None:
    digest = {"awsAccountId": "1", "digestStartTime": T, "digestS3Bucket": "b", "digestS3Object": "o",
              "logFiles": [{"s3Bucket": "b", "hashValue": "h"}]}  # fmt: skip
    (tmp_path / "d.json").write_text(json.dumps(digest, indent=1))
    (tmp_path / "a.jsonl").write_text(json.dumps({"time": T, "event": "x"}) + "\n")
    tally = import_logs([tmp_path], tmp_path / "s.db")
    assert (tally.stored, tally.rejected, tally.exit_code) == (1, 0, 0)
    (note,) = tally.notes
    assert note.endswith("d.json is a digest of CloudTrail, which has no events: it was left out.")


def test_a_table_of_the_event_viewer_has_a_column_without_a_name(tmp_path: Path) -> None:
    header = "Keywords,Date and Time,Source,Event ID,Task Category\n"
    row = 'Audit Failure,11/1/2026 2:00:00 PM,Microsoft-Windows-Security-Auditing,4625,Logon,"It failed."\n'
    events, rejects = read(write(tmp_path, header + row, "a.csv"))
    assert rejects == []
    assert (events[0].event, events[0].outcome.value, events[0].source) == (
        "4625 logon failed",
        "failure",
        "windows",
    )
