"""Commands as processes: all that they write, word for word, beside ``golden.txt``.

python -m tests.cli.golden > tests/cli/golden.txt
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cli.running import EVENTS, make_store

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("golden.txt")
RULE = """\
title: Any login
id: 11111111-1111-4111-8111-111111111111
author: Ann Author
level: high
logsource: {product: audit-tui}
detection:
    s: {event: Login}
    condition: s
"""
RECORD = {
    "eventTime": "2026-11-21T10:00:00Z",
    "eventName": "ConsoleLogin",
    "eventSource": "signin.amazonaws.com",
    "eventID": "5f1c",
    "eventVersion": "1.08",
    "sourceIPAddress": "192.0.2.9",
    "userIdentity": {"type": "IAMUser", "userName": "carol"},
    "responseElements": {"ConsoleLogin": "Failure"},
}
FORMATS = ("table", "jsonl", "json", "csv", "md")
LINES = (
    *(f"audit-tui query --range all-time --format {form}" for form in FORMATS),
    "audit-tui query --range all-time --sort user --reverse --columns time,user,meta.nested.ok --limit 2",
    "audit-tui query 'user:alice since:2026-11-20 until:2026-11-21' --format csv",
    "audit-tui query 'usr:alice'",
    "audit-tui count --range all-time --filter outcome=failure",
    "audit-tui count 'since:2026-11-20 until:2026-11-22'",
    *(f"audit-tui facets user --range all-time --format {form}" for form in FORMATS),
    "audit-tui facets meta.nested.ok --range all-time --rarest",
    *(
        f"audit-tui histogram --since 2026-11-20 --until 2026-11-22 --every 1d --format {form}"
        for form in FORMATS
    ),
    *(f"audit-tui detect rule.yml --format {form}" for form in FORMATS),
    "audit-tui compare --since 2026-11-20 --until 2026-11-22 --with 2026-10-20..2026-10-25",
    "audit-tui compare --since 2026-11-20 --until 2026-11-22 --with 2026-10-20..2026-10-25 --json",
    *(
        f"audit-tui export out.{end} --range all-time && cat out.{end}"
        for end in ("csv", "jsonl", "json", "md")
    ),
    "audit-tui export out.csv --range all-time",
    "audit-tui --plain audit.db --range all-time",
    "audit-tui record Tested --time 2026-11-22T12:00:00Z -s new.db",
    # The README's.
    "audit-tui ~/cloudtrail/ --plain --range all-time",
    "audit-tui import ~/cloudtrail/ -s new.db",
    "audit-tui import ~/cloudtrail/ -s new.db --json",
    "audit-tui query 'event:ConsoleLogin -user:alice since:2026-11-21' -s new.db",
    "audit-tui detect ~/rules -s new.db",
    "audit-tui nonsense",
    "audit-tui count --nonsense",
    "audit-tui count -s gone.db",
)


def prepared(folder: Path) -> dict[str, str]:
    """Make what the commands read in a folder, and return their environment."""
    make_store(folder / "audit.db", EVENTS)
    (folder / "rule.yml").write_text(RULE)
    (folder / "rules").mkdir()
    (folder / "rules" / "login.yml").write_text(
        RULE.replace("event: Login}", "eventName: ConsoleLogin}").replace(
            "audit-tui", "aws, service: cloudtrail"
        )
    )
    (folder / "cloudtrail").mkdir()
    (folder / "cloudtrail" / "trail.json").write_text(json.dumps({"Records": [RECORD]}))
    program = folder / "bin" / "audit-tui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m audit_tui "$@"\n')
    program.chmod(0o755)
    home = {name: str(folder / "home") for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    return (
        home
        | {
            "XDG_CACHE_HOME": str(folder / "home"),
            "HOME": str(folder),
            "PATH": f"{program.parent}:/usr/bin:/bin",
            "AUDIT_TUI_STORE": "audit.db",
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        | {name: os.environ[name] for name in ("PYTHONDONTWRITEBYTECODE",) if name in os.environ}
    )


def told(line: str, folder: Path, env: dict[str, str]) -> str:
    """Run a line and return it with what it writes: stderr after stdout, then the exit code."""
    ended = subprocess.run(["/bin/sh", "-c", line], cwd=folder, env=env, capture_output=True, check=False)
    text = f"$ {line}\n{ended.stdout.decode()}"
    for error in ended.stderr.decode().splitlines():
        text += f"! {error}\n"
    text = text.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")
    text = re.sub(r'"rule_version":"[^"]+"', '"rule_version":"..."', text)
    return f"{text}= {ended.returncode}\n\n"


def whole() -> str:
    """Return what all the lines write."""
    with tempfile.TemporaryDirectory() as folder:
        env = prepared(Path(folder))
        return "".join(told(line, Path(folder), env) for line in LINES)


if __name__ == "__main__":
    sys.stdout.write(whole())
