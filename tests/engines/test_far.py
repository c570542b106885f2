"""A server that is far away: an answer is one round trip, and the screen answers keys while it waits."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, Condition, MetaField
from audit_tui.core.filter.operators import CONTAINS, IS
from audit_tui.core.query import AtRow, EventQuery, Interval, PageKey, Sort
from audit_tui.core.source import CLICKHOUSE, POSTGRESQL, SourceUrl
from audit_tui.engines.opening import open_shared
from tests.engines.far import far_engine
from tests.engines.shared import append, ship
from tests.ui.review_app import Driver, account, run_review
from tests.ui.waiting import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.core.query import ReaderFactory
    from tests.engines.far import Proxy

QUERIES = (
    EventQuery(),
    EventQuery(Condition(Column.CATEGORY, IS, "Login"), Interval(None, 1_900_000_000_000_000)),
    EventQuery(Condition(ANY_TEXT, CONTAINS, "a")),
    EventQuery(Condition(MetaField("a"), IS, "x")),
)


@pytest.fixture(scope="module", params=[POSTGRESQL, CLICKHOUSE])
def far(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ReaderFactory, Proxy]]:
    if request.param == CLICKHOUSE:
        pytest.importorskip("chdb")
    folder = tmp_path_factory.mktemp("far")
    append(folder / "audit.db", account(1_000))
    with far_engine(request.param, folder) as (url, proxy):
        ship(folder / "audit.db", url, batch_events=1_000)
        yield open_shared(SourceUrl(url)), proxy


@pytest.mark.parametrize("query", QUERIES)
def test_an_answer_is_one_round_trip(far: tuple[ReaderFactory, Proxy], query: EventQuery) -> None:
    opened, proxy = far
    with closing(opened()) as reader:
        reader.prepare()
        rows = reader.page(EventQuery(), AtRow(0), 5).rows
        key = PageKey.of(rows[2], query.sort)
        for ask in (
            lambda: reader.page(query, AtRow(0), 50),
            lambda: reader.page(query, AtRow(20), 50),
            lambda: reader.count(query),
            lambda: reader.locate(query, key),
            lambda: reader.facets(query, Column.USER, 20),
            lambda: reader.histogram(query, [0, 1_700_000_000_000_000, 1_800_000_000_000_000]),
            lambda: reader.values(Column.EVENT, "lo", 5),
            lambda: reader.event(rows[0].seq),
            reader.newest_seq,
            reader.state,
            reader.info,
            reader.metadata_names,
        ):
            before = proxy.round_trips
            ask()
            assert proxy.round_trips == before + 1


def test_a_list_sorted_by_names_is_two(far: tuple[ReaderFactory, Proxy]) -> None:
    opened, proxy = far
    with closing(opened()) as reader:
        reader.prepare()
        before = proxy.round_trips
        assert len(reader.page(EventQuery(sort=Sort(Column.USER)), AtRow(0), 50).rows) == 50
        assert proxy.round_trips == before + 2


def test_keys_are_answered_while_the_server_is_silent(far: tuple[ReaderFactory, Proxy]) -> None:
    opened, proxy = far

    async def drive(driver: Driver) -> None:
        table = driver.review.event_list.table
        await driver.until(lambda: driver.review.event_list.count.exact)
        first = table.highlighted
        gate = proxy.gate = Gate()
        try:
            await driver.press("end")
            await driver.until(lambda: gate.is_reached)
            # The last rows are asked for, and everything that needs none of them works.
            await driver.press("question_mark")
            assert driver.app.screen is not driver.review
            await driver.press("escape")
            await driver.press("home", "down")
            assert driver.app.screen is driver.review
            assert table.highlighted is not None
            assert table.highlighted != first
            await driver.press("end")
        finally:
            proxy.gate = None
            gate.open()
        # The oldest of the last 30 days.
        await driver.until(lambda: "Did thing 289" in driver.text() and table.highlighted is not None)

    run_review(drive, open_reader=opened)
