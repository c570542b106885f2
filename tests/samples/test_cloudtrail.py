"""Real CloudTrail logs: whole folders, each record given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.ingest.find import LogFile, find_logs
from tests.cli.running import run
from tests.formats.logs import SHARED
from tests.formats.test_cloudtrail import assert_given_back

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = SHARED / "cloudtrail" / "invictus"


@pytest.mark.parametrize(
    ("name", "count"),
    [("invictus", 2_900), ("stratus", 310), ("lookup_events.jsonl", 6), ("logstash.jsonl", 103)],
)
def test_every_record_can_be_given_back(name: str, count: int) -> None:
    records = 0
    for log in find_logs([str(SHARED / "cloudtrail" / name)]):
        assert isinstance(log, LogFile)
        records += assert_given_back(log)
    assert records == count


def test_a_folder_is_imported_and_nothing_twice(tmp_path: Path) -> None:
    store = str(tmp_path / "audit.db")
    first = run("import", str(FOLDER), "-s", store)
    assert "2,900 records read from 55 files: 2,900 stored, 0 duplicate, 0 rejected." in first.stderr
    again = run("import", str(FOLDER), "-s", store)
    assert "2,900 records read from 55 files: 0 stored, 2,900 duplicate, 0 rejected." in again.stderr
    assert (first.exit_code, again.exit_code) == (0, 0)


def test_a_folder_is_read_into_a_temporary_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = run("open", "--plain", str(FOLDER))
    assert len(result.stdout.splitlines()) == 2_901
    assert result.exit_code == 0
    assert list(tmp_path.iterdir()) == []
