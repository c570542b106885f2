"""The questions that the screen asks of a store of millions of events, asked of the reader alone.

python -m pytest -m scale -s tests/scale/test_queries.py
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.columns import NAME_COLUMNS, Column
from audit_tui.core.query import AtRow, PageKey, Sort
from audit_tui.core.window import PAGE_ROWS
from audit_tui.errors import QueryCancelled
from audit_tui.store.read.reader import open_store
from tests.scale import filters
from tests.scale.filters import nasty, seeded, values_of
from tests.scale.measuring import calibration_ms, figure, print_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit_tui.core.query import EventQuery, EventReader
    from tests.scale.filters import Asked

pytestmark = pytest.mark.scale

FILTERS = int(os.environ.get("SCALE_FILTERS", str(filters.FILTERS)))
BUCKETS = 120
CANCELLED = 40
SORTS = (
    *(Sort(column, descending) for column in (Column.EVENT, Column.CATEGORY, Column.USER)
      for descending in (False, True)),
    Sort(Column.TIME, descending=False),
)  # fmt: skip
MUST = {
    "first rows": "p95 100, worst 300",
    "count": "p95 300, All Time 1000",
    "histogram": "p95 300, All Time 1000",
    "top values": "p95 300, All Time 1000",
    "far row": "p95 60",
    "row of an event": "p95 60",
    "sorted": "300",
}


class Stopwatch:
    """The times of what was asked, by kind."""

    def __init__(self) -> None:
        self.taken: dict[str, list[tuple[float, str]]] = defaultdict(list)

    def __call__(self, kind: str, of: object, question: Callable[[], object]) -> None:
        begin = time.perf_counter()
        question()
        self.taken[kind].append(((time.perf_counter() - begin) * 1e3, str(of)))


def ask(rows: EventReader, totals: EventReader, asked: Asked, watch: Stopwatch, group: str) -> None:
    """Everything that the screen asks of one filter, in its order, on its two readers."""
    query = replace(asked.query(), upto_seq=rows.newest_seq())
    watch(f"first rows{group}", asked, lambda: rows.page(query, AtRow(0), PAGE_ROWS))
    watch(f"count{group}", asked, lambda: totals.count(query))
    watch(f"histogram of {BUCKETS}{group}", asked, lambda: totals.histogram(query, edges_of(totals, query)))
    for field in NAME_COLUMNS:
        watch(f"top values of {field}{group}", asked, partial(totals.facets, query, field, 20))
    totals.prepare(query)
    middle = totals.count(query) // 2
    watch(f"far row{group}", asked, lambda: rows.page(query, AtRow(middle), PAGE_ROWS))
    page = rows.page(query, AtRow(middle), 1)
    if page.rows:
        key = PageKey.of(page.rows[0], query.sort)
        watch(f"row of an event{group}", asked, lambda: rows.locate(query, key))
    for sort in SORTS:
        by = replace(query, sort=sort)
        watch(f"sorted, first rows{group}", f"{asked} by {sort}", partial(rows.page, by, AtRow(0), PAGE_ROWS))


def edges_of(reader: EventReader, query: EventQuery) -> list[int]:
    """The moments that part a query's range into buckets."""
    info, interval = reader.info(), query.interval
    start = (info.first_us or 0) if interval.start_us is None else interval.start_us
    end = (info.last_us or 0) + 1 if interval.end_us is None else interval.end_us
    return [start + (end - start) * place // BUCKETS for place in range(BUCKETS + 1)]


def cancelled_ms(reader: EventReader, asked: Asked) -> float:
    """From the cancelling of a question to its end."""
    token = CancelToken()
    cancelled_at = 0.0

    def cancel() -> None:
        nonlocal cancelled_at
        cancelled_at = time.perf_counter()
        token.cancel()

    timer = threading.Timer(0.005, cancel)
    timer.start()
    try:
        while True:
            reader.facets(asked.query(), Column.USER, 20, token)
    except QueryCancelled:
        return (time.perf_counter() - cancelled_at) * 1e3
    finally:
        timer.join()


def test_queries(store: Path) -> None:
    opened = open_store(store)
    rows, totals = opened(), opened()
    watch = Stopwatch()
    calibrations = [calibration_ms()]
    watch("prepare", "", rows.prepare)
    totals.prepare()
    values = values_of(rows)
    for number, asked in enumerate(seeded(values, FILTERS)):
        ask(rows, totals, asked, watch, ", All Time" if asked.is_all_time else ", up to a year")
        if number % 50 == 0:
            calibrations.append(calibration_ms())
    for asked in nasty(values):
        ask(rows, totals, asked, watch, ", nasty, All Time")
    cancels = [cancelled_ms(totals, asked) for asked in seeded(values, CANCELLED, seed=1)]
    figures, worst = [], []
    for kind, taken in sorted(watch.taken.items()):
        must = next((words for begin, words in MUST.items() if kind.startswith(begin)), "")
        figures.append(figure(kind, [took for took, _ in taken], must=must))
        most, of = max(taken)
        worst.append(f"{most:9,.1f} ms  {kind}: {of}")
    figures.append(figure("from cancelling to the end", cancels, must="100"))
    title = f"{rows.info().events:,} events, {rows.info().size_bytes / 2**20:,.0f} MiB"
    print_table(title, figures, calibrations)
    print("\n".join(["worst of each", *worst]))  # noqa: T201 - the table is what a benchmark is for
    rows.close()
    totals.close()
