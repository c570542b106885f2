"""The review screen over 1,000,000 events: start, keys, memory.

python -m pytest -m scale -s tests/scale/test_review.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pty.terminal import AUDIT_TUI, Terminal
from tests.scale.measuring import (
    Figure,
    calibration_ms,
    figure,
    first_output_ms,
    print_table,
    tree_memory_mib,
)

pytestmark = pytest.mark.scale

EVENTS = int(os.environ.get("SCALE_EVENTS", "1000000"))
STARTS = 15
KEYS = 200
BASELINE = [sys.executable, "-m", "tests.scale.baseline_app"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo store, made once; SCALE_STORE keeps it for the next run."""
    kept = os.environ.get("SCALE_STORE")
    path = Path(kept) if kept else tmp_path_factory.mktemp("scale") / "demo.db"
    if not path.exists():
        options = ["--events", str(EVENTS), "--days", "1095", "--users", "2000", "--until", "2026-11-22"]
        subprocess.run([*AUDIT_TUI, "demo", *options, "--store", str(path), "--no-open"], check=True)
    return path


def start_ms(argv: list[str], sign: str) -> float:
    """From the start of a program to the first frame that holds ``sign``."""
    begin = time.perf_counter()
    with Terminal(argv) as terminal:
        terminal.wait_for(sign)
        return (time.perf_counter() - begin) * 1e3


def test_start_keys_and_memory(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    argv = [*AUDIT_TUI, "open", str(store), "--range", "all-time"]
    calibrations = [calibration_ms()]
    ours, baseline = [], []
    start_ms(argv, "svc-deploy"), start_ms(BASELINE, "Description")  # byte code and page cache
    for _ in range(STARTS):
        baseline.append(start_ms(BASELINE, "Description"))
        ours.append(start_ms(argv, "svc-deploy"))
        calibrations.append(calibration_ms())
    figures = [figure("start to the first frame: baseline app", baseline)]
    figures.append(figure("start to the first frame with rows: ours", ours))
    ratio = figures[1].p50 / figures[0].p50
    figures.append(Figure("  ours / baseline, of the medians", ratio, ratio, STARTS, "x", "<= 1.3"))
    with Terminal(argv) as terminal:
        terminal.wait_for(f" of {EVENTS:,}")
        for keys, must in ((["down"], "<= 20"), (["pagedown"], "<= 20"), (["end", "home"], "<= 60")):
            terminal.press("home")
            terminal.read_until_quiet()
            times = []
            for number in range(KEYS):
                times.append(first_output_ms(terminal, keys[number % len(keys)]))
                terminal.read_until_quiet(0.05)
            figures.append(figure(f"key to the first update: {', '.join(keys)}", times, must=must))
            calibrations.append(calibration_ms())
        memory = tree_memory_mib(terminal.pid)
        figures.append(
            Figure("memory, most, of the process and its children", memory, memory, 1, "MiB", "< 120")
        )
        terminal.press("ctrl+q")
        assert terminal.wait() == 0
    print_table(f"{EVENTS:,} events at 80x24", figures, calibrations)
