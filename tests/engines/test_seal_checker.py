"""The check of the seals behind the screen: of every store, and of what comes while it is open."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

from audit_tui.core.event import packed_seq
from audit_tui.core.evidence.sealed import SealState
from audit_tui.core.source import SourceUrl
from audit_tui.engines import seal_checker
from audit_tui.engines.seal_checker import SharedSealChecker
from tests.engines.servers import empty_database
from tests.engines.shared import append, ship
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from audit_tui.core.evidence.sealed import SealStatus


def test_what_was_shipped_is_checked_and_what_comes_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal_checker, "LOOK_S", 0.0)
    url = empty_database("seal_checker")
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    append(first, EVENTS[:40])
    append(second, EVENTS[:20])
    ship(first, url, "web-1")
    ship(second, url, "db-1")
    told: list[SealStatus] = []
    with closing(SharedSealChecker(SourceUrl(url))) as checker:
        status = checker.run(told.append)
        assert (status.state, status.verified_seq, status.sealed_seq) == (SealState.HOLDS, 60, 60)
        assert told[0].state is SealState.CHECKING
        assert not checker.is_due()
        append(second, EVENTS[20:50])
        ship(second, url, "db-1")
        assert checker.is_due()
        assert checker.run(told.append).verified_seq == 90
        # What is altered before it was read is found; what was read is read again when that is asked for.
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("UPDATE audit_events SET key = 'forged' WHERE id = (2::bigint << 43) + 7")
        checker.begin_again()
        broken = checker.run(told.append)
    assert broken.state is SealState.BROKEN
    assert [run.first_seq for run in broken.wrong] == [packed_seq(2, 7)]
    assert broken.message == "events of db-1 are not what was sealed"
    assert broken.words == "broken at event 7"
