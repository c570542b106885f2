"""The speed and the memory of an import, everything kept: ``pytest -m scale -s tests/scale``.

Each import is the command itself in a process of its own, into a store that it makes, or into a full one
(``SCALE_STORE``, a store of ten million events, is copied; without it that line is left out).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.scale.made_logs import auditd_lines, cloudtrail_records, jsonl_lines
from tests.scale.measuring import Figure, calibration_ms, figure, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.scale

EVENTS = int(os.environ.get("SCALE_IMPORT", "200000"))
RUNS = 3


def _cloudtrail_file(events: int) -> Iterator[str]:
    """One giant list, as a lake would export it."""
    yield '{"Records":['
    for number, record in enumerate(cloudtrail_records(events)):
        yield ("," if number else "") + json.dumps(record, separators=(",", ":"))
    yield "]}"


LOGS: dict[str, tuple[str, Callable[[int], Iterator[str]], int]] = {
    "JSONL": ("a.jsonl", jsonl_lines, 16_000),
    "CloudTrail, one list": ("ct.json", _cloudtrail_file, 10_000),
    "auditd": ("audit.log", auditd_lines, 8_000),
}


def imported(log: Path, store: Path) -> tuple[float, float]:
    """Import a log with the command: the seconds it took, and the most memory of its processes in MiB."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "audit_tui", "import", str(log), "-s", str(store), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _tree_mib(process.pid))
        time.sleep(0.1)
    took_s = time.perf_counter() - begin
    assert process.stdout is not None
    summary = json.loads(process.stdout.read())
    assert (summary["stored"], summary["rejected"]) == (EVENTS, 0), summary
    return took_s, peak


def _tree_mib(pid: int) -> float:
    """The memory that a process and its children hold now."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    mib = next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)
    return mib + sum(_tree_mib(int(child)) for child in children)


def test_import(tmp_path: Path) -> None:
    figures: list[Figure] = []
    calibrations = [calibration_ms()]
    full = os.environ.get("SCALE_STORE")
    for name, (file_name, lines, must) in LOGS.items():
        log = tmp_path / file_name
        with log.open("w") as file:
            file.writelines(lines(EVENTS))
        rates, peaks = [], []
        for run in range(RUNS):
            store = tmp_path / f"{file_name}-{run}.db"
            took_s, peak = imported(log, store)
            rates.append(EVENTS / took_s)
            peaks.append(peak)
            calibrations.append(calibration_ms())
            store.unlink()
        title = f"{name}, {EVENTS:,} events, {log.stat().st_size // EVENTS:,} bytes each"
        figures.append(figure(f"{title}: into a new store", rates, unit="ev/s", must=f">= {must:,}"))
        figures.append(figure("  memory of all processes", peaks, unit="MiB"))
        if full is not None and name == "JSONL":
            store = tmp_path / "full.db"
            shutil.copyfile(full, store)
            took_s, peak = imported(log, store)
            figures.append(
                figure(f"{name}: into a full store", [EVENTS / took_s], unit="ev/s", must=">= 10,000")
            )
            figures.append(figure("  memory of all processes", [peak], unit="MiB"))
            store.unlink()
        log.unlink()
    print_table("Import", figures, calibrations)


@pytest.mark.long
@pytest.mark.parametrize("layout", ["lines", "list"])
def test_memory_does_not_grow_with_the_log(tmp_path: Path, layout: str) -> None:
    """Two gigabytes through a pipe, as lines and as one list, in 400 MiB."""
    wanted_bytes = int(os.environ.get("AUDIT_TUI_LONG_BYTES", str(2 * 1024**3)))
    command = [sys.executable, "-m", "audit_tui", "import", "-", "--dry-run", "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    assert process.stdout is not None
    some = [json.dumps(record) for record in islice(cloudtrail_records(2_000), 2_000)]
    joint = ",\n" if layout == "list" else "\n"
    block = (joint.join(some) + joint).encode()
    blocks = wanted_bytes // len(block)
    process.stdin.write(b'{"Records":[' if layout == "list" else b"")
    for _ in range(blocks):
        process.stdin.write(block)
    process.stdin.write(some[0].encode() + (b"]}" if layout == "list" else b"\n"))
    process.stdin.close()
    summary = json.loads(process.stdout.read().splitlines()[-1])
    assert process.wait() == 0
    assert summary["read"] == blocks * len(some) + 1
    peak_mib = max(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, before) / 1024
    assert peak_mib < 400
