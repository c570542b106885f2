r"""Shared engines beside the local store: the figures of the page about them, in one run.

    SCALE_STORE=STORE SCALE_POSTGRES=FOLDER SCALE_CLICKHOUSE=FOLDER \
        python -m pytest -m scale -s tests/scale/test_engines.py

SCALE_POSTGRES    where a server of tests/engines/servers.py ran; STORE was shipped to its database "audit"
SCALE_CLICKHOUSE  a folder of the embedded engine, with the same
SCALE_ENGINES     URLs of further ones
SCALE_SHIPPED     how many events are shipped to a new engine of each kind, for the speed of that (200,000)
"""

from __future__ import annotations

import os
import random
import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, Condition
from audit_tui.core.filter.operators import CONTAINS, IS, IS_NOT
from audit_tui.core.query import After, AtRow, EventQuery, PageKey, Sort
from audit_tui.core.source import SourceUrl
from audit_tui.engines.opening import open_shared, shipper_of
from audit_tui.store.read.reader import open_store
from tests.engines.servers import Server, embedded, empty_clickhouse, running
from tests.scale.conftest import make_store
from tests.scale.filters import FILTERS, nasty, seeded, values_of
from tests.scale.measuring import TABLES, calibration_ms, figure, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.core.query import EventReader

pytestmark = [pytest.mark.scale, pytest.mark.timeout(3_000)]

ENGINES = os.environ.get("SCALE_ENGINES", "").split()
ASKED = int(os.environ.get("SCALE_FILTERS", str(FILTERS)))
POSTGRES = os.environ.get("SCALE_POSTGRES", "")
CLICKHOUSE = os.environ.get("SCALE_CLICKHOUSE", "")
SHIPPED = int(os.environ.get("SCALE_SHIPPED", "200000"))
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "3GB",
    "wal_compression": "on",
}
"""As a server is set up that is meant for more than a trial; the rest as it comes."""
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


def measure_at(url: str) -> None:
    with closing(open_shared(SourceUrl(url))()) as reader:
        measure(url.split(":", maxsplit=1)[0], reader)


def test_the_local_store(store: Path) -> None:
    with closing(open_store(store)()) as reader:
        measure("local store", reader)


@pytest.mark.parametrize("url", ENGINES)
def test_an_engine(url: str) -> None:
    measure_at(url)


@pytest.mark.skipif(not POSTGRES, reason="SCALE_POSTGRES is not set")
def test_postgresql() -> None:
    programs = embedded()
    assert programs is not None
    server = Server(programs, Path(POSTGRES), SETTINGS)
    server.start()
    try:
        measure_at(server.url("audit"))
    finally:
        server.stop()


@pytest.mark.skipif(not CLICKHOUSE, reason="SCALE_CLICKHOUSE is not set")
def test_clickhouse() -> None:
    measure_at(f"chdb://{CLICKHOUSE}?database=audit")


@pytest.mark.parametrize(("engine", "must"), [("postgresql", 10_000), ("clickhouse", 50_000)])
def test_shipping(engine: str, must: int, tmp_path: Path) -> None:
    store = make_store(tmp_path / "shipped.db", SHIPPED)
    programs = embedded()
    assert programs is not None
    with running(programs, SETTINGS) as server:
        url = server.database("audit") if engine == "postgresql" else empty_clickhouse(tmp_path)
        shipper = shipper_of(store, SourceUrl(url), "speed")
        calibration, begin, begin_cpu = calibration_ms(), time.perf_counter(), time.process_time()
        shipper.run(lambda *_: None)
        wall_s, cpu_s = time.perf_counter() - begin, time.process_time() - begin_cpu
        shipper.close()
    TABLES.append(
        f"ship to {engine}: {SHIPPED / wall_s:,.0f} events/s (must {must:,}), {cpu_s / SHIPPED * 1e6:.0f} us"
        f" of CPU an event in this process; calibration {calibration:.0f} ms"
    )
