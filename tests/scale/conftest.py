"""The stores that the benchmarks ask, made once, and all figures as one table at the end.

    python -m pytest -m scale -s tests/scale                      all of it
    SCALE_EVENTS=20000 python -m pytest -m scale -s tests/scale   the same in minutes, to see that it runs
    python -m pytest -m scale -s tests/scale/test_review.py -k "start or keys"

SCALE_STORE        where the large store lies, or is kept for the next run; made for this run without
SCALE_EVENTS       how many events it has (10,000,000; made in ten minutes)
SCALE_IMPORT       how many events an import reads (200,000, and 100,000 where its CPU is measured)
SCALE_KEYS         how often each key is pressed (200)
SCALE_FILTERS      how many filters the reader is asked (300)
SCALE_SCREEN_FILTERS  how many are chosen on the screen (500)
SCALE_MEMORY_KEYS  how many keys are pressed before the memory is read (10,000)
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pty.terminal import AUDIT_TUI
from tests.scale.measuring import HEADING, TABLES

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

EVENTS = int(os.environ.get("SCALE_EVENTS", "10000000"))
SMALL_EVENTS = 10_000


def make_store(path: Path, events: int) -> Path:
    """The demo account of three years and 2,000 people."""
    options = ["--events", str(events), "--days", "1095", "--users", "2000", "--until", "2026-11-22"]
    subprocess.run([*AUDIT_TUI, "demo", *options, "--store", str(path), "--no-open"], check=True)
    return path


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The large store."""
    given = os.environ.get("SCALE_STORE")
    path = Path(given) if given else tmp_path_factory.mktemp("scale") / "demo.db"
    return path if path.exists() else make_store(path, EVENTS)


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same account with few events."""
    return make_store(tmp_path_factory.mktemp("scale") / "small.db", SMALL_EVENTS)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    if TABLES:
        terminalreporter.section("all figures")
        terminalreporter.write_line("\n".join([HEADING, *TABLES]))
