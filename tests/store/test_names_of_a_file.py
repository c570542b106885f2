"""Two names of one file: two writers would each have a log and a lock of their own, so nobody writes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.core.query import EventQuery
from audit_tui.errors import StoreError
from audit_tui.store.file import file_system
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.audit_log import AuditLog
from audit_tui.store.write.writer import StoreWriter
from tests.cli.running import make_store, run

if TYPE_CHECKING:
    from pathlib import Path

RECORDER = """
import sys
from audit_tui import AuditLog
from audit_tui.errors import StoreError
log, acknowledged = AuditLog(sys.argv[1]), 0
for number in range(100):
    try:
        log.record("x", key=f"{sys.argv[1]}{number}")
        acknowledged += 1
    except StoreError:
        pass
print(acknowledged)
"""


@pytest.fixture
def names(tmp_path: Path) -> tuple[Path, Path]:
    path = make_store(tmp_path / "audit.db")
    other = tmp_path / "archive" / "audit.db"
    other.parent.mkdir()
    other.hardlink_to(path)
    return path, other


def test_no_command_writes_and_every_command_reads(names: tuple[Path, Path], tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text('{"time": "2026-11-01T14:00:00Z", "event": "login"}\n')
    for path in names:
        for command in (
            ("record", "Login"),
            ("import", str(log)),
            ("reindex",),
            ("redact", "1", "--field", "user", "--why", "x", "--yes"),
            ("seal", "key", "new"),
        ):
            ended = run(*command, "-s", str(path))
            assert ended.exit_code == 3, (command, ended.stderr)
            assert "has 2 names (hard links)" in ended.stderr
        for command in (("query", "--range", "all-time"), ("info",), ("verify",), ("count",)):
            assert run(*command, "-s", str(path)).exit_code == 0, command
        with StoreReader(path) as reader:
            assert reader.count(EventQuery()) == 4
            assert "has 2 names (hard links)" in reader.info().notice
        findings = json.loads(run("doctor", "--json", "-s", str(path)).stdout)["findings"]
        [message] = [
            finding["message"]
            for finding in findings
            if "names" in finding["message"] and finding["level"] == "wrong"
        ]
        assert "2 names" in message


def test_what_two_names_acknowledge_is_there(names: tuple[Path, Path]) -> None:
    first, other = names
    # One writer had it open before the other name was made.
    other.unlink()
    with AuditLog(first) as log:
        log.record("before", key="before")
        other.hardlink_to(first)
        writers = [
            subprocess.Popen([sys.executable, "-c", RECORDER, str(path)], stdout=subprocess.PIPE, text=True)
            for path in (first, other)
        ]
        acknowledged = sum(int(writer.communicate(timeout=120)[0]) for writer in writers)
    other.unlink()
    with StoreReader(first) as reader:
        assert reader.count(EventQuery()) == 4 + 1 + acknowledged
    assert run("verify", "-s", str(first)).exit_code == 0


def test_a_file_that_is_mounted_by_itself_is_only_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_store(tmp_path / "audit.db")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"21 1 8:1 / / rw - ext4 /dev/sda1 rw\n22 21 8:1 /x {path} rw - ext4 /dev/sda1 rw\n")
    assert "mounted as a single file" in file_system.other_names(path, mounts)
    assert file_system.other_names(tmp_path / "other.db", mounts) == ""
    mount = file_system.mount_of(path, mounts)
    monkeypatch.setattr(file_system, "mount_of", lambda *_: mount)
    with pytest.raises(StoreError, match="mounted as a single file"), StoreWriter(path) as writer:
        writer.append([AuditEvent("x", 1)])
    assert [file.name for file in tmp_path.glob("audit.db*")] == ["audit.db"]
