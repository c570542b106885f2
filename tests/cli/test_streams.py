"""Every command as a process whose standard streams are closed: quiet, and as good as with them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audit_tui.cli.main import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

RUNS: dict[str, tuple[str, int]] = {
    "open": ("open --plain -s STORE", 0),
    "demo": ("demo --events 20 --store FOLDER/demo.db --no-open", 0),
    "import": ("import FOLDER/log.jsonl -s FOLDER/new.db", 0),
    "record": ("record Login -s FOLDER/new.db", 0),
    "query": ("query -s STORE", 0),
    "count": ("count -s STORE", 0),
    "facets": ("facets user -s STORE", 0),
    "histogram": ("histogram -s STORE", 0),
    "case": ("case FOLDER/case.md -s STORE", 2),
    "compare": ("compare -s STORE", 0),
    "detect": ("detect FOLDER/log.yml -s STORE", 0),
    "ship": ("ship STORE --to redis://db/audit", 2),
    "watch": ("watch --exec '' -s STORE", 2),
    "export": ("export FOLDER/out.csv -s STORE", 0),
    "verify": ("verify -s STORE", 0),
    "seal": ("seal show -s STORE", 0),
    "redact": ("redact nobody -s STORE", 2),
    "prune": ("prune --before 2020-01-01 --why test --yes -s STORE", 0),
    "backup": ("backup FOLDER/copy.db -s STORE", 0),
    "restore": ("restore STORE -s FOLDER/back.db", 0),
    "info": ("info -s STORE", 0),
    "doctor": ("doctor -s STORE", 0),
    "reindex": ("reindex -s STORE", 0),
    "config": ("config show", 0),
}
"""A run of each command, and how it ends."""


TRIED = [
    (command, closed)
    for command in COMMANDS
    for closed in (">&-", "2>&-", "<&- >&- 2>&-")
    # Where all goes well next to nothing goes to stderr.
    if closed != "2>&-" or RUNS[command][1] or command == "count"
]


@pytest.mark.parametrize(("command", "closed"), TRIED)
def test_a_command_needs_no_streams(command: str, closed: str, store: Path, tmp_path: Path) -> None:
    words, code = RUNS[command]
    record = '{"time": "2026-11-20T09:30:00Z", "event": "Login"}'
    (tmp_path / "log.jsonl").write_text(f"{record}\n")
    rule = "title: Nothing\nlogsource: {product: audit-tui}\ndetection: {a: {event: none}, condition: a}\n"
    (tmp_path / "log.yml").write_text(rule)
    words = words.replace("STORE", str(store)).replace("FOLDER", str(tmp_path))
    result = subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -m audit_tui {words} {closed}"],
        capture_output=True,
        env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)},
        timeout=60,
    )
    assert "Traceback" not in result.stderr.decode()
    assert result.returncode == code, result.stderr.decode()
    if command == "count" and closed == "2>&-":
        assert result.stdout == b"2\n"
    # No message landed in a file that was opened as descriptor 1 or 2.
    # (A store has "audit-tui/ID" after a number, whose last byte is a line feed once in 256 times.)
    assert not re.search(rb"\naudit-tui[ :]", store.read_bytes())
