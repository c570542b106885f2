"""The CPU of an import beside that of ``sqlite-utils insert`` on the same file, everything kept.

python -m pytest -m scale -s tests/scale/test_import_cost.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.scale.made_logs import auditd_lines, cloudtrail_records, jsonl_lines
from tests.scale.measuring import Figure, calibration_ms, figure, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.scale,
    pytest.mark.skipif(find_spec("sqlite_utils") is None, reason="sqlite-utils is not installed"),
]

EVENTS = int(os.environ.get("SCALE_IMPORT", "100000"))
RUNS = 5


def _cloudtrail_lines(events: int) -> Iterator[str]:
    return (json.dumps(record, separators=(",", ":")) + "\n" for record in cloudtrail_records(events))


LOGS: dict[str, tuple[str, Callable[[int], Iterator[str]], tuple[str, ...], str, str]] = {
    "JSONL": ("a.jsonl", jsonl_lines, ("--nl", "--alter"), "", "1.3"),
    "CloudTrail": ("ct.jsonl", _cloudtrail_lines, ("--nl", "--alter"), "90", ""),
    "auditd": ("audit.log", auditd_lines, ("--lines",), "100", ""),
}
"""Of each: the file, its lines, the kind of insert, and what the CPU in µs an event and the ratio must be."""


@pytest.mark.parametrize("name", LOGS)
def test_import_cost(tmp_path: Path, name: str) -> None:
    file_name, lines, kind, must_us, must_ratio = LOGS[name]
    log = tmp_path / file_name
    with log.open("w") as file:
        file.writelines(lines(EVENTS))
    ours_us, theirs_us, calibrations = [], [], [calibration_ms()]
    for run in range(RUNS):
        ours, theirs = tmp_path / f"ours-{run}.db", tmp_path / f"theirs-{run}.db"
        ours_us.append(_cpu_us("-m", "audit_tui", "import", str(log), "-s", str(ours)))
        theirs_us.append(_cpu_us("-m", "sqlite_utils", "insert", str(theirs), "events", str(log), *kind))
        calibrations.append(calibration_ms())
        for store in (ours, theirs):
            store.unlink()
    ratios = [ours / theirs for ours, theirs in zip(ours_us, theirs_us, strict=True)]
    figures: list[Figure] = [
        figure("import, CPU an event", ours_us, unit="µs", must=must_us and f"<= {must_us}"),
        figure(f"sqlite-utils insert {' '.join(kind)}", theirs_us, unit="µs"),
        figure("ratio", ratios, unit="", must=must_ratio and f"<= {must_ratio}"),
    ]
    print_table(
        f"{name}, {EVENTS:,} events, {log.stat().st_size // EVENTS:,} bytes each", figures, calibrations
    )


def _cpu_us(*arguments: str) -> float:
    """Run a command, and return its CPU, that of its own processes too, in µs an event."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return (usage.ru_utime + usage.ru_stime) / EVENTS * 1e6
