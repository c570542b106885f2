"""Shared engines beside the local store: the figures of the page about them, in one run.

    SCALE_STORE=STORE SCALE_ENGINES="URL URL" python -m pytest -m scale -s tests/scale/test_engines.py

The engines hold what was shipped to them before (audit-tui ship STORE --to URL).
"""

from __future__ import annotations

import os
import random
import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, Condition
from audit_tui.core.filter.operators import CONTAINS, IS, IS_NOT
from audit_tui.core.query import After, AtRow, EventQuery, PageKey, Sort
from audit_tui.core.source import SourceUrl
from audit_tui.engines.opening import open_shared
from audit_tui.store.read.reader import open_store
from tests.scale.filters import FILTERS, nasty, seeded, values_of
from tests.scale.measuring import calibration_ms, figure, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from audit_tui.core.query import EventReader

pytestmark = pytest.mark.scale

ENGINES = os.environ.get("SCALE_ENGINES", "").split()
ASKED = int(os.environ.get("SCALE_FILTERS", str(FILTERS)))
ROWS = 100
BUCKETS = 120
RUNS = 40


def timed(questions: Sequence[Callable[[], object]]) -> list[float]:
    """The milliseconds of each question."""
    taken = []
    for question in questions:
        begin = time.perf_counter()
        question()
        taken.append((time.perf_counter() - begin) * 1e3)
    return taken


def questions(reader: EventReader) -> dict[tuple[str, str], list[Callable[[], object]]]:
    """Every question of the page, with the time that it must take."""
    chance = random.Random(15)
    values = values_of(reader)
    info = reader.info()
    everything = EventQuery(upto_seq=reader.newest_seq())
    asked = [replace(each.query(), upto_seq=everything.upto_seq) for each in seeded(values, ASKED)]
    worst = [replace(each.query(), upto_seq=everything.upto_seq) for each in nasty(values)]
    fields = [(Column.EVENT, name) for name in values[Column.EVENT]]
    fields += [(Column.CATEGORY, name) for name in values[Column.CATEGORY]]
    fields += [(Column.USER, name) for name in values[Column.USER][:30]]
    of_one = [
        replace(everything, filter=Condition(field, operator, name))
        for field, name in fields
        for operator in (IS, IS_NOT)
    ]
    of_one = chance.sample(of_one, min(RUNS * 2, len(of_one)))
    first, last = info.first_us or 0, (info.last_us or 0) + 1
    edges = [first + (last - first) * place // BUCKETS for place in range(BUCKETS + 1)]
    anywhere = [chance.randrange(info.events) for _ in range(RUNS)]
    some = [reader.page(everything, AtRow(row), 1).rows[0] for row in anywhere]
    words = ("failed", "denied", "it-support", "no-such-word")
    texts = [replace(everything, filter=Condition(ANY_TEXT, CONTAINS, word)) for word in words]
    by_user = [replace(everything, sort=Sort(Column.USER, descending)) for descending in (False, True)]

    def page(query: EventQuery) -> Callable[[], object]:
        return partial(reader.page, query, AtRow(0), ROWS)

    def buckets(query: EventQuery) -> Callable[[], object]:
        return partial(reader.histogram, query, edges)

    def users(query: EventQuery) -> Callable[[], object]:
        return partial(reader.facets, query, Column.USER, 20)

    return {
        ("newest 100", "50"): [page(everything)] * RUNS,
        (f"newest 100 of {len(asked)} filters", "50"): [page(query) for query in asked],
        (f"newest 100 of {len(worst)} nasty filters", "50"): [page(query) for query in worst],
        ("100 after a key anywhere", "50"): [
            partial(reader.page, everything, After(PageKey.of(row, everything.sort)), ROWS) for row in some
        ],
        ("a row anywhere", "50"): [partial(reader.page, everything, AtRow(row), ROWS) for row in anywhere],
        ("the place of an event", ""): [
            partial(reader.locate, everything, PageKey.of(row, everything.sort)) for row in some
        ],
        ("one event", ""): [partial(reader.event, row.seq) for row in some],
        ("count by one field", "100"): [partial(reader.count, query) for query in of_one],
        (f"count of {len(asked)} filters", ""): [partial(reader.count, query) for query in asked],
        ("120 buckets of all", "100"): [buckets(everything)] * (RUNS // 2),
        ("120 buckets by one field", "100"): [buckets(query) for query in of_one[:RUNS]],
        ("top 20 users of all", "100"): [users(everything)] * (RUNS // 2),
        ("top 20 users by one field", "100"): [users(query) for query in of_one[:RUNS]],
        ("sorted by user, first 100", ""): [page(query) for query in by_user] * 5,
        ("a text anywhere, first 100", ""): [page(query) for query in texts],
    }


def measure(name: str, reader: EventReader) -> None:
    """Ask everything, and print the table."""
    info = reader.info()
    figures, calibrations = [], []
    for (what, must), asked in questions(reader).items():
        calibrations.append(calibration_ms())
        figures.append(figure(what, timed(asked), must=must))
    size = f"{info.size_bytes / max(info.events, 1):,.0f} bytes an event"
    print_table(f"{name}, {info.events:,} events, {size}", figures, calibrations)


def test_the_local_store(store: Path) -> None:
    with closing(open_store(store)()) as reader:
        measure("local store", reader)


@pytest.mark.parametrize("url", ENGINES)
def test_an_engine(url: str) -> None:
    with closing(open_shared(SourceUrl(url))()) as reader:
        measure(url.split(":", maxsplit=1)[0], reader)
