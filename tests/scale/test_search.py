"""Searches for texts, metadata and networks in a store of millions of events: first rows, counts, memory.

python -m pytest -m scale -s tests/scale/test_search.py
"""

from __future__ import annotations

import resource
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.filters import parse_condition
from audit_tui.core.query import AtRow, EventQuery
from audit_tui.core.window import PAGE_ROWS
from audit_tui.errors import QueryCancelled
from audit_tui.store.read.reader import StoreReader
from tests.scale.measuring import calibration_ms, figure, print_table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scale.measuring import Figure

pytestmark = pytest.mark.scale

RUNS = 3
CANCELLED_AFTER_S = 0.05
SEARCHES = {
    "text": (
        "text~created", "text~falcon", "text~role", "text~a", "text~10.41", "text~petra", "text~a-0be",
        "text~a-0be96a", "text~zzqx", "text~nobody was ever called so",
    ),
    "operators": (
        "description~created agent", "description~deleted", "description~petra", "description!~created",
        "description=Logged in from the Singapore office", "description~zzqx", "target~router",
        "meta.Model Type=External", "meta.Model Name~llama", "meta.Temperature=1.0", "meta.Email ID=",
        "meta.absent=x", "source_ip=10.41.0.0/16", "source_ip=10.0.0.0/8", "source_ip=2001:db8::/32",
        "source_ip!=10.0.0.0/8", "outcome=failure", "user~a",
    ),
}  # fmt: skip
"""Common, rarer, rare and absent ones."""
MUST = {"text": "first 300, count 2000", "operators": "first 1000"}


@pytest.mark.parametrize("kind", SEARCHES)
def test_searches(store: Path, kind: str) -> None:
    figures: list[Figure] = []
    calibrations = [calibration_ms()]
    for text in SEARCHES[kind]:
        query = EventQuery(parse_condition(text))
        first: list[float] = []
        hit: list[float] = []
        count: list[float] = []
        events = 0
        for _ in range(RUNS):
            for limit, taken in ((1, hit), (PAGE_ROWS, first)):
                # Each with a reader that remembers nothing.
                with StoreReader(store) as reader:
                    begin = time.perf_counter()
                    reader.page(query, AtRow(0), limit)
                    taken.append((time.perf_counter() - begin) * 1e3)
            with StoreReader(store) as reader:
                begin = time.perf_counter()
                events = reader.count(query)
                count.append((time.perf_counter() - begin) * 1e3)
        calibrations.append(calibration_ms())
        figures.append(figure(f"{text}: first row", hit, must=MUST[kind]))
        figures.append(figure(f"{text}: first {PAGE_ROWS} rows", first))
        figures.append(figure(f"{text}: count, {events:,}", count))
    memory_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures.append(figure("memory at most, of the whole run", [memory_mib], unit="MiB"))
    print_table(f"Searches ({kind}) in {store}", figures, calibrations)


def test_cancelling(store: Path) -> None:
    taken: list[float] = []
    for text in ("text~a", "description~e", "meta.Model Name~a", "description!~zzqx"):
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
        parts = connection.execute("SELECT sum(length(data)) FROM text_parts").fetchone()[0]
        signatures = connection.execute("SELECT sum(length(signature)) FROM text_segments").fetchone()[0]
    size = figure("the text index, an event", [(parts + signatures) / events], unit="B")
    print_table(f"Size of {store}", [size], [calibration_ms()])
