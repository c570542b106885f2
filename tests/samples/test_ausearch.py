"""The sample logs as ``ausearch`` (audit 3.0.9) reads them: time, kind, result and user must agree."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import Outcome
from audit_tui.ingest.find import LogFile, find_logs
from tests.formats.logs import SHARED, read

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent

SAMPLES = SHARED / "auditd"
Row = dict[str, str]
RESULTS = {"success": Outcome.SUCCESS, "failed": Outcome.FAILURE}
COUNTS = {
    "golib_rhel6": (2, 0),
    "golib_rhel7": (46, 1),
    "lost_messages": (5, 0),
    "normal": (5, 0),
    "otrf_linux": (3, 0),
    "out_of_order": (5, 0),
    "plaso_enriched": (12, 0),
    "plaso_selinux": (8, 2),
    "rollover": (5, 0),
    "splunk_dirty_frag_enriched": (143, 0),
}
"""Events and lines that are none."""
ENRICHED = ("plaso_enriched", "splunk_dirty_frag_enriched")


def events_of(name: str) -> list[AuditEvent]:
    (log,) = find_logs([str(SAMPLES / f"{name}.log")])
    assert isinstance(log, LogFile)
    events, rejects = read(log)
    assert (len(events), len(rejects)) == COUNTS[name]
    return events


def rows_of(name: str) -> dict[tuple[int, str], list[Row]]:
    """The rows by second and serial number; ausearch splits some events into several."""
    rows = defaultdict(list)
    with (SAMPLES / "ausearch" / f"{name}.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            told = f"{row['DATE']} {row['TIME']} +0000"
            moment = datetime.strptime(told, "%m/%d/%y %H:%M:%S %z")
            rows[int(moment.timestamp()), row["SERIAL_NUM"]].append(row)
    return rows


_KINDS = {"TTY": "terminal-input"}
"""Kinds that would only repeat the type of the record."""


@pytest.mark.parametrize("name", COUNTS)
def test_ausearch_agrees(name: str) -> None:
    rows = rows_of(name)
    for event in events_of(name):
        place = event.occurred_us // 1_000_000, str(event.metadata.get("serial", "0"))
        assert place in rows, event
        kinds = {_KINDS.get(row["EVENT_KIND"], row["EVENT_KIND"]) for row in rows[place]}
        # It has no kind for an event of which only the end stands in the log.
        assert event.category in kinds or kinds == {""} or kinds == {"unknown"}, (event, kinds)
        results = {RESULTS[row["RESULT"]] for row in rows[place] if row["RESULT"]}
        assert not results or event.outcome in results, (event, results)
        if name in ENRICHED:
            assert_user(event, rows[place])
    assert len(rows) >= 1


def assert_user(event: AuditEvent, rows: list[Row]) -> None:
    """Its "system" is nobody's login id: then we name who it is now, or whose account is logged in to."""
    primes = {row["SUBJ_PRIME"] for row in rows} - {"", "system", "unset"}
    others = {row["SUBJ_SEC"] for row in rows} - {""}
    if event.category == "user-login":
        others |= {row["OBJ_PRIME"] for row in rows}
    if primes:
        assert event.user in primes
    else:
        assert event.user in others or (event.user is None and not others)
