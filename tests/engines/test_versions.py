"""The PostgreSQL of the system, where it is installed, gives what the local store gives."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import LISTABLE_COLUMNS, NAME_COLUMNS, Column
from audit_tui.core.filter.filters import ANY_TEXT, EVERYTHING, All, Any, Condition, MetaField, Not
from audit_tui.core.filter.operators import CONTAINS, IN_NETWORK, IS, MATCHES, MORE
from audit_tui.core.query import AtRow, EventQuery, Interval, Sort
from audit_tui.core.source import SourceUrl
from audit_tui.engines.opening import open_shared
from audit_tui.store.read.reader import open_store
from tests.cli.running import run
from tests.engines.servers import of_the_system, running
from tests.engines.shared import append, number_stores, ship
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

BOB = Condition(Column.USER, IS, "bob")
FILTERS = (
    EVERYTHING,
    BOB,
    Not(BOB),
    Condition(Column.EVENT, CONTAINS, "LOG"),
    Condition(Column.DESCRIPTION, MATCHES, "y *"),
    Condition(Column.SOURCE_IP, IN_NETWORK, "10.0.0.0/30"),
    Condition(ANY_TEXT, CONTAINS, "x"),
    Condition(MetaField("b.c"), IS, "x"),
    Condition(MetaField("a"), MORE, "1"),
    Any((BOB, Condition(Column.CATEGORY, IS, None))),
    All((Not(BOB), Condition(Column.CATEGORY, IS, "Roles"))),
)


def test_every_answer_is_that_of_the_local_store(tmp_path: Path) -> None:
    programs = of_the_system()
    if programs is None:
        pytest.skip("no PostgreSQL is installed")
    path = tmp_path / "audit.db"
    append(path, EVENTS)
    with running(programs) as server:
        url = server.database("versions")
        number_stores(url, {0: path})
        ship(path, url)
        with closing(open_store(path)()) as local, closing(open_shared(SourceUrl(url))()) as shared:
            for expression in FILTERS:
                for interval in (Interval(), Interval(-1, 13)):
                    query = EventQuery(expression, interval)
                    assert shared.count(query) == local.count(query)
                    for sort in [Sort(key, is_down) for key in LISTABLE_COLUMNS for is_down in (True, False)]:
                        ordered = EventQuery(expression, interval, sort)
                        assert shared.page(ordered, AtRow(2), 30) == local.page(ordered, AtRow(2), 30)
                    for column in NAME_COLUMNS:
                        assert shared.facets(query, column, 5).values == local.facets(query, column, 5).values
                    assert shared.histogram(query, (-5, 0, 3, 22)) == local.histogram(query, (-5, 0, 3, 22))
        assert run("verify", "-s", url).exit_code == 0
