"""Searches for texts in a store of millions of events: the first hit, the count, memory, and bytes.

    python -m pytest -m scale -s tests/scale/test_search.py

SCALE_BEFORE        a Python with an older version, to be asked the same in the same run
SCALE_BEFORE_STORE  a store of that version with the same events
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.filter.filters import parse_condition
from audit_tui.core.query import EventQuery
from audit_tui.errors import QueryCancelled
from audit_tui.store.read.reader import StoreReader
from tests.scale.measuring import calibration_ms, figure, print_table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scale.measuring import Figure

pytestmark = pytest.mark.scale

RUNS = 3
CANCELLED_AFTER_S = 0.02
COMMON = (
    "text~created", "text~deleted", "text~failed", "text~denied", "text~role", "text~acme", "text~falcon",
    "text~rows", "text~parquet", "text~external", "description~created", "description~deleted",
    "meta.Model Type=External", "meta.Temperature=1.0", "target~router",
)  # fmt: skip
"""Words that many events have."""
OTHERS = (
    "text~petra", "text~a-0be96a", "text~zzqx", "text~nobody was ever called so", "text~a1b2", "text~7a1",
    "text~created agent", "text~it-support", "text~created agent incident", "text~170 rows",
    "text~logged in from the singapore office", "text~10.20.6.11", "text~10.20", "text~a", "text~z", "text~7",
    "text~in", "text~a1", "text~b2", "description~petra", "description!~created", "description~e",
    "description=Logged in from the Singapore office", "meta.Model Name~llama", "meta.Email ID=",
    "meta.absent=x", "source_ip=10.41.0.0/16", "source_ip!=10.0.0.0/8",
)  # fmt: skip
"""Rare and absent words, parts of numbers, phrases, addresses, letters, other operators."""
MUST = {"common": ("first 300", "300"), "others": ("first 300", "1000")}
ASK = """
import json, sys, time
from audit_tui.core.filter.filters import parse_condition
from audit_tui.core.query import AtRow, EventQuery
from audit_tui.store.read.reader import StoreReader

path, runs, *texts = sys.argv[1:]
for text in texts:
    query, first, count, events = EventQuery(parse_condition(text)), [], [], 0
    for _ in range(int(runs)):
        # Each with a reader that remembers nothing.
        with StoreReader(path) as reader:
            begin = time.perf_counter()
            reader.page(query, AtRow(0), 1)
            first.append((time.perf_counter() - begin) * 1e3)
        with StoreReader(path) as reader:
            begin = time.perf_counter()
            events = reader.count(query)
            count.append((time.perf_counter() - begin) * 1e3)
    print(json.dumps([text, events, first, count]), flush=True)
"""
ASK_ALL = """
import sys
from audit_tui.core.filter.filters import parse_condition
from audit_tui.core.query import EventQuery
from audit_tui.store.read.reader import StoreReader

path, *texts = sys.argv[1:]
with StoreReader(path) as reader:
    for text in texts:
        reader.count(EventQuery(parse_condition(text)))
with open("/proc/self/status") as status:
    print(status.read().split("VmHWM:")[1].split()[0])
"""


def asked(python: str, store: str | Path, *texts: str) -> list[tuple[str, int, list[float], list[float]]]:
    """The answers of a version to searches, and the time of its first hit and its count."""
    command = [python, "-c", ASK, str(store), str(RUNS), *texts]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return [tuple(json.loads(line)) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(("kind", "texts"), [("common", COMMON), ("others", OTHERS)])
def test_searches(store: Path, kind: str, texts: tuple[str, ...]) -> None:
    before, before_store = os.environ.get("SCALE_BEFORE"), os.environ.get("SCALE_BEFORE_STORE")
    figures: list[Figure] = []
    calibrations = [calibration_ms()]
    for text in texts:
        (_, events, first, count), *_ = asked(sys.executable, store, text)
        figures.append(figure(f"{text}: first hit", first, must=MUST[kind][0]))
        figures.append(figure(f"{text}: count, {events:,}", count, must=MUST[kind][1]))
        if before and before_store:
            (_, events_before, first, count), *_ = asked(before, before_store, text)
            assert events_before == events
            figures.append(figure("    before: first hit", first))
            figures.append(figure("    before: count", count))
        calibrations.append(calibration_ms())
    print_table(f"Searches ({kind}) in {store}", figures, calibrations)


def test_memory(store: Path) -> None:
    """Of a process that asks for all of them, one after the other, and holds no pytest."""
    command = [sys.executable, "-c", ASK_ALL, str(store), *COMMON, *OTHERS]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    figures = [figure("memory at most", [int(result.stdout) / 1024], unit="MiB", must="110")]
    print_table(f"Memory of searches in {store}", figures, [calibration_ms()])


def test_cancelling(store: Path) -> None:
    taken: list[float] = []
    for text in ("text~in", "description~e", "text~created agent", "source_ip=10.41.0.0/16"):
        token = CancelToken()
        timer = threading.Timer(CANCELLED_AFTER_S, token.cancel)
        with StoreReader(store) as reader:
            begin = time.perf_counter()
            timer.start()
            try:
                reader.count(EventQuery(parse_condition(text)), token)
            except QueryCancelled:
                taken.append((time.perf_counter() - begin - CANCELLED_AFTER_S) * 1e3)
            timer.join()
    if not taken:
        pytest.skip("in so few events every search ends before it is cancelled")
    print_table("Cancelling a search", [figure("cancel to the end", taken, must="100")], [calibration_ms()])


def test_size(store: Path) -> None:
    with sqlite3.connect(store) as connection:
        events = connection.execute("SELECT count(*) FROM events").fetchone()[0]
        stored = connection.execute("SELECT sum(length(data)) FROM text_stretch_parts").fetchone()[0]
    size = figure("the text index, an event", [stored / events], unit="B", must="60")
    print_table(f"Size of {store}", [size], [calibration_ms()])
