"""The names that ``import audit_tui`` offers, and the example of the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import audit_tui
from audit_tui.core.query import EventQuery
from audit_tui.errors import UsageError
from audit_tui.store.read.reader import StoreReader

README = Path(__file__).parents[1] / "README.md"
EXAMPLE = """\
import logging
from audit_tui import AuditLog, AuditLogHandler

log = AuditLog("audit.db", source="billing")  # made if need be; AuditLog() is the store of the commands
event = log.record("Role assigned", user="alice", description="alice made bob Auditor", outcome="success",
                   metadata={"User ID": "u-17", "IP Address": "10.20.4.7", "Role Name": "Auditor"})
print(event.seq, event.category, event.source_ip, event.target)  # 1 Roles 10.20.4.7 Auditor

logging.getLogger("billing").addHandler(AuditLogHandler(log))
logging.getLogger("billing").warning("Refund refused", extra={"audit": {"event": "Refund", "user": "bob"}})
"""


def python_in_readme() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_readme_shows_the_example_that_is_tested() -> None:
    assert [block for block in python_in_readme() if "AuditLog" in block] in ([], [EXAMPLE])
    assert len(EXAMPLE.splitlines()) == 10


def test_the_example_does_what_it_says(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1 Roles 10.20.4.7 Auditor\n", "")
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["audit.db"]
    with StoreReader(tmp_path / "audit.db") as reader:
        newest, oldest = reader.events(EventQuery())
    assert (oldest.event, oldest.user, oldest.outcome, oldest.source) == (
        "Role assigned",
        "alice",
        "success",
        "billing",
    )
    assert (newest.event, newest.user, newest.description, newest.severity, newest.source) == (
        "Refund",
        "bob",
        "Refund refused",
        3,
        "billing",
    )


@pytest.mark.parametrize("name", audit_tui.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(audit_tui, name)
    assert name in dir(audit_tui)


def test_no_other_name_is_there() -> None:
    name = "AuditLgo"
    with pytest.raises(AttributeError, match="has no attribute 'AuditLgo'"):
        getattr(audit_tui, name)


def test_recording_imports_no_screen_and_no_command(tmp_path: Path) -> None:
    code = (
        "import sys, audit_tui; assert 'sqlite3' not in sys.modules\n"
        "log = audit_tui.AuditLog('audit.db'); log.close()\n"
        "assert not {'textual', 'rich', 'click', 'asyncio'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=dict(os.environ))


def test_a_program_imports_logs_as_the_command_does(tmp_path: Path) -> None:
    log = tmp_path / "app.jsonl"
    log.write_text(
        '{"time":"2026-11-01T14:00:00Z","event":"Login","user":"olga"}\n{"event":"Logout"}\n',
        encoding="utf-8",
    )
    rejects: list[object] = []
    # The folder holds the store, too, which is not read as a log.
    tallies = [
        audit_tui.import_logs([tmp_path], tmp_path / "a.db", format="jsonl", on_reject=rejects.append)
        for _ in range(2)
    ]
    assert [(tally.stored, tally.duplicates, tally.rejected) for tally in tallies] == [(1, 0, 1), (0, 1, 1)]
    assert [str(problem.message) for tally in tallies for problem in tally.problems] == []
    assert rejects == [reject for tally in tallies for reject in tally.rejects]
    with StoreReader(tmp_path / "a.db") as reader:
        assert [(event.event, event.user) for event in reader.events(EventQuery())] == [("Login", "olga")]


def test_a_program_is_told_of_a_format_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no format 'syslogg'"):
        audit_tui.import_logs([tmp_path], tmp_path / "a.db", format="syslogg")
    assert not (tmp_path / "a.db").exists()
