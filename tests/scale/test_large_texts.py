"""The memory of commands over a few texts of nearly 16 MiB, the longest record that is imported.

python -m pytest -m scale -s tests/scale/test_large_texts.py
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.scale

TEXTS = 12
TEXT_BYTES = 15_500_000
MOST_MIB = 300


@pytest.mark.parametrize("between", [92, 500])
def test_large_texts_take_little_memory(tmp_path: Path, between: int) -> None:
    """With few usual events between them, and with enough that each is indexed with others."""
    log, store = tmp_path / "large.jsonl", str(tmp_path / "large.db")
    chance = random.Random(1)
    words = [f"w{chance.getrandbits(40):x}" for _ in range(20_000)]
    with log.open("w") as file:
        for number in range(TEXTS):
            for event in range(between):
                file.write(_line(number, n=event))
            file.write(_line(number, body=" ".join(chance.choices(words, k=TEXT_BYTES // 12))))
    step = between + 1
    removing = ("--field", "metadata", "--why", "test", "--yes", "-s", store)
    commands = (
        ("import", str(log), "-s", store),
        ("redact", str(step), str(2 * step), *removing),
        ("reindex", "-s", store),
        ("verify", "-s", store),
    )
    peaks = {command[0]: _peak_mib(*command) for command in commands}
    print(f"\n{TEXTS} texts, {between} events between them, MiB: {peaks}, must be <= {MOST_MIB}")  # noqa: T201
    assert max(peaks.values()) <= MOST_MIB


def _line(number: int, **more: object) -> str:
    record = {"time": f"2026-01-01T00:00:{number:02d}Z", "event": "Upload", "user": "alice", **more}
    return json.dumps(record) + "\n"


def _peak_mib(*arguments: str) -> int:
    """Run a command, and return the most memory that one of its processes had."""
    command = [sys.executable, "-m", "audit_tui", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss // 1024
