"""Rows in the order of a text: read once, and served from memory while somebody walks through them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent
from audit_tui.core.query import After, AtRow, Before, EventQuery, PageKey, Sort
from audit_tui.store.index import orders
from audit_tui.store.index.session import Session
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.writer import StoreWriter
from tests.readers import oracle

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.event import EventRow
    from audit_tui.core.query import Place

EVENTS = 300
CHANCE = random.Random(5)
TEXTS = [
    None, "a", "B", "b", *(f"text {number}" for number in range(40)), *("c" * 90 * n for n in range(1, 9))
]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "audit.db"
    with StoreWriter(path, durable=False) as writer:
        writer.append(
            [AuditEvent("e", CHANCE.randrange(50), description=CHANCE.choice(TEXTS)) for _ in range(EVENTS)]
        )
    return path


def all_rows(store: Path, query: EventQuery) -> list[EventRow]:
    with StoreReader(store) as reader:
        rows = list(reader.page(query, AtRow(0), EVENTS).rows)
    assert rows == oracle.result(rows, query)
    return rows


@pytest.mark.parametrize("is_down", [False, True])
@pytest.mark.parametrize(("window", "window_bytes"), [(5, 10**6), (7, 3_000), (40, 10**6), (1_000, 10**6)])
def test_walking_about_in_it_gives_what_sorting_all_gives(
    store: Path, monkeypatch: pytest.MonkeyPatch, is_down: bool, window: int, window_bytes: int
) -> None:
    query = EventQuery(sort=Sort(Column.DESCRIPTION, is_down))
    rows = all_rows(store, query)
    monkeypatch.setattr(orders, "_WINDOW", window)
    monkeypatch.setattr(orders, "_WINDOW_BYTES", window_bytes)
    at = 0
    with StoreReader(store) as reader:
        for _ in range(200):
            step = CHANCE.randrange(-12, 13) if CHANCE.random() < 0.9 else CHANCE.randrange(-EVENTS, EVENTS)
            at, limit = min(max(at + step, 0), EVENTS - 1), CHANCE.choice([1, 3, 8, 30])
            key = PageKey.of(rows[at], query.sort)
            places: list[tuple[Place, list[EventRow]]] = [
                (After(key), rows[at + 1 : at + 1 + limit]),
                (Before(key), rows[max(0, at - limit) : at]),
                (AtRow(at), rows[at : at + limit]),
            ]
            place, expected = CHANCE.choice(places)
            assert list(reader.page(query, place, limit).rows) == expected
            assert reader.locate(query, key) == at


def test_the_pages_that_follow_read_no_row_again(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = EventQuery(sort=Sort(Column.DESCRIPTION))
    rows = all_rows(store, query)
    with StoreReader(store) as reader:
        page = reader.page(query, AtRow(0), 20)
        monkeypatch.delattr(Session, "texts")
        for begin in range(20, EVENTS, 20):
            page = reader.page(query, After(PageKey.of(page.rows[-1], query.sort)), 20)
            assert list(page.rows) == rows[begin : begin + 20]
        edge = PageKey.of(rows[200], query.sort)
        assert list(reader.page(query, Before(edge), 20).rows) == rows[180:200]
        assert reader.locate(query, edge) == 200
