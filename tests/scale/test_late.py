"""10,000 events that are 400 days late, imported into a copy of the large store while a screen is open.

python -m pytest -m scale -s tests/scale/test_late.py
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import parse_condition
from audit_tui.core.query import AtRow, EventQuery, Interval, PageKey
from audit_tui.core.window import PAGE_ROWS
from audit_tui.store.read.reader import open_store
from tests.scale.measuring import calibration_ms, figure, print_table
from tests.scale.test_queries import edges_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit_tui.core.query import EventReader

pytestmark = [pytest.mark.scale, pytest.mark.timeout(900)]

EVENTS = 10_000
RUNS = 3
DAY_US = 86_400_000_000
LATE_US = 400 * DAY_US


def written(path: Path, first_us: int, name: str) -> Path:
    """A log of ``EVENTS`` events within a day."""
    with path.open("w") as log:
        for number in range(EVENTS):
            event = {
                "timestamp": (first_us + number * (DAY_US // EVENTS)) / 1e6,
                "event": "Role assigned",
                "user": f"user{number % 97}@acme.io",
                "description": f"{name} {number} of a collector that was cut off",
            }
            log.write(json.dumps(event) + "\n")
    return path


def importing(log: Path, store: Path) -> subprocess.Popen[bytes]:
    """An import of a log, in a process of its own."""
    command = [sys.executable, "-m", "audit_tui", "import", str(log), "-s", str(store)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def cpu_of_children_s() -> float:
    """The work of all processes that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def screen(rows: EventReader, totals: EventReader, interval: Interval, taken: dict[str, list[float]]) -> None:
    """Ask what an open screen asks after each change of the store, and note how long each answer took."""
    newest, late = EventQuery(), EventQuery(interval=interval)
    questions: dict[str, Callable[[], object]] = {
        "state": rows.state,
        "first rows, all time": lambda: rows.page(newest, AtRow(0), PAGE_ROWS),
        "first rows, 400 days ago": lambda: rows.page(late, AtRow(0), PAGE_ROWS),
        "count": lambda: totals.count(late),
        "histogram": lambda: totals.histogram(newest, edges_of(totals, newest)),
        "top users": lambda: totals.facets(newest, Column.USER, 20),
        "far row": lambda: rows.page(newest, AtRow(5_000_000), PAGE_ROWS),
    }
    for what, question in questions.items():
        begin, cpu = time.perf_counter(), time.thread_time()
        question()
        taken[f"{what}, while it is imported"].append((time.perf_counter() - begin) * 1e3)
        taken[f"{what}, CPU"].append((time.thread_time() - cpu) * 1e3)


def test_events_that_are_400_days_late(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "late.db"
    subprocess.run(["cp", "--reflink=auto", str(store), str(copy)], check=True)
    try:
        opened = open_store(copy)
        rows, totals = opened(), opened()
        last_us = rows.info().last_us or 0
        costs: dict[str, list[float]] = defaultdict(list)
        taken: dict[str, list[float]] = defaultdict(list)
        calibrations = [calibration_ms()]
        for run in range(RUNS):
            for name, first_us in (("on time", last_us + run * DAY_US), ("late", last_us - LATE_US)):
                log = written(tmp_path / f"{name}.jsonl", first_us, f"Act {name} {run}:")
                interval = Interval(first_us, first_us + DAY_US)
                before = totals.count(EventQuery(interval=interval))
                worked_s = cpu_of_children_s()
                process = importing(log, copy)
                while process.poll() is None:
                    screen(rows, totals, interval, taken)
                assert process.returncode == 0
                costs[name].append((cpu_of_children_s() - worked_s) * 1e6 / EVENTS)
                query = EventQuery(interval=interval)
                assert totals.count(query) == before + EVENTS
                act = replace(query, filter=parse_condition(f"description~act {name} {run}:"))
                assert totals.count(act) == EVENTS
                (newest,) = rows.page(act, AtRow(0), 1).rows
                assert newest.description == f"Act {name} {run}: {EVENTS - 1} of a collector that was cut off"
                assert rows.locate(act, PageKey.of(newest, act.sort)) == 0
                calibrations.append(calibration_ms())
        figures = [figure(f"import, {name}: CPU an event", us, unit="µs") for name, us in costs.items()]
        figures += [figure(what, values, must="300") for what, values in taken.items()]
        print_table(f"{EVENTS:,} events, 400 days late, into {store}", figures, calibrations)
        rows.close()
        totals.close()
    finally:
        copy.unlink()
