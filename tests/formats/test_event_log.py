"""Binary event logs of Windows: the package that reads them, and what becomes of what it gives."""

from __future__ import annotations

import gzip
import json
import sys
import tarfile
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.core.query import EventQuery
from audit_tui.ingest.event_log import EVTX_MAGIC, event_log_records
from audit_tui.ingest.import_logs import import_logs
from audit_tui.store.read.reader import StoreReader
from tests.formats.logs import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_tui.core.event import AuditEvent

LOGON: dict[str, Any] = {
    "System": {
        "Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing"}},
        "EventID": 4625,
        "Keywords": "0x8010000000000000",
        "TimeCreated": {"#attributes": {"SystemTime": "2026-11-01T10:00:00.5Z"}},
        "EventRecordID": 7,
        "Channel": "Security",
        "Computer": "PC1",
    },
    "EventData": {"TargetUserName": "olga", "IpAddress": "198.51.100.7", "SubStatus": "0xc000006a"},
}


class PanicException(BaseException):
    """The way a fault of the package in Rust comes."""


def parsed(event: object, timestamp: str = "2026-11-01T10:00:01Z UTC") -> dict[str, str]:
    return {"timestamp": timestamp, "data": json.dumps({"Event": event})}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "Security.evtx"
    path.write_bytes(EVTX_MAGIC + bytes(4096))
    return path


@pytest.fixture
def gives(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The results that the package gives of any file: an event, or an error to raise."""
    results: list[object] = []

    class Records:
        def __init__(self) -> None:
            self._results = list(results)

        def __iter__(self) -> Iterator[object]:
            return self

        def __next__(self) -> object:
            if not self._results:
                raise StopIteration
            result = self._results.pop(0)
            if isinstance(result, BaseException):
                raise result
            return result

    class Parser:
        def __init__(self, path: str) -> None:
            assert path.endswith(".evtx")

        def records_json(self) -> Iterator[object]:
            return Records()

    module = ModuleType("evtx")
    module.PyEvtxParser = Parser  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "evtx", module)
    return results


def stored(store: Path) -> list[AuditEvent]:
    with StoreReader(store) as reader:
        return list(reader.events(EventQuery()))


def test_its_events_are_those_of_evtx_dump(tmp_path: Path, log: Path, gives: list[object]) -> None:
    gives.append(parsed(LOGON))
    assert import_logs([log], tmp_path / "s.db").stored == 1
    (event,) = stored(tmp_path / "s.db")
    assert (event.event, event.user, event.source_ip) == ("4625 logon failed", "olga", "198.51.100.7")
    assert event.description == "olga failed to log on to PC1 from 198.51.100.7: wrong password"
    assert import_logs([log], tmp_path / "s.db").duplicates == 1


def test_what_is_damaged_costs_itself(tmp_path: Path, log: Path, gives: list[object]) -> None:
    gives += [
        parsed(LOGON),
        RuntimeError("chunk 6\nis bad"),
        {"data": "[]"},
        parsed({**LOGON, "EventData": None}),
    ]
    tally = import_logs([log], tmp_path / "s.db")
    assert (tally.stored + tally.duplicates, tally.rejected) == (2, 2)
    assert [reject.place for reject in tally.rejects] == [f"{log}:2", f"{log}:3"]
    assert tally.rejects[0].reason == "it cannot be read: chunk 6"


def test_a_fault_of_the_package_ends_the_log_but_not_the_import(log: Path, gives: list[object]) -> None:
    gives += [parsed(LOGON), PanicException("slice"), parsed(LOGON)]
    assert [type(result).__name__ for result in event_log_records("a", log)] == ["Record", "Reject"]
    gives.insert(0, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        list(event_log_records("a", log))


def test_an_event_without_a_time_has_that_of_its_record(
    tmp_path: Path, log: Path, gives: list[object]
) -> None:
    system = {**LOGON["System"], "TimeCreated": None}
    gives.append(parsed({**LOGON, "System": system}))
    import_logs([log], tmp_path / "s.db")
    assert stored(tmp_path / "s.db")[0].to_json()["time"] == "2026-11-01T10:00:01.000000Z"


def test_without_the_package_one_sentence_says_what_to_do(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "evtx", None)
    tally = import_logs([log], tmp_path / "s.db")
    (problem,) = tally.problems
    assert (
        problem.message == f"{log} is a binary event log of Windows, and the package evtx is not installed."
    )
    assert problem.hint.startswith(
        "Install it (pip install 'audit-tui[windows]'), or give its events as JSON"
    )


def test_in_an_archive_it_is_refused(tmp_path: Path, log: Path) -> None:
    with gzip.open(tmp_path / "a.evtx.gz", "wb") as packed:
        packed.write(EVTX_MAGIC + bytes(99))
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(log, "a.evtx")
    for name in ("a.tar", "a.evtx.gz"):
        tally = import_logs([tmp_path / name], tmp_path / "s.db")
        problem = next(error.message for error in (*tally.problems, *tally.skipped))
        assert "is a binary event log of Windows that comes through a pipe, or" in problem


@pytest.mark.skipif(not (SHARED / "windows").exists(), reason="needs ../shared/samples")
def test_the_samples(tmp_path: Path) -> None:
    pytest.importorskip("evtx")
    tally = import_logs([SHARED / "windows"], tmp_path / "s.db")
    assert (tally.stored, tally.rejected) == (408, 2)
    assert all("Invalid EVTX chunk header magic" in reject.reason for reject in tally.rejects)
