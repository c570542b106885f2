"""Rows in the order of a text: read once, and served from memory while somebody walks through them."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import parse_condition
from audit_tui.core.query import After, AtRow, Before, EventQuery, PageKey, Sort
from audit_tui.store.index import orders, text_build, text_index, text_order, text_stretch
from audit_tui.store.index.session import Session
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.tables import text_layout
from audit_tui.store.write.writer import StoreWriter
from tests.readers import oracle

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.columns import ListColumn
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


def described(chance: random.Random, texts: list[str | None]) -> AuditEvent:
    target, other = chance.choice(texts), chance.choice(texts)
    return AuditEvent(
        "e",
        chance.randrange(50),
        user=chance.choice("ab"),
        description=chance.choice(texts),
        target=target,
        metadata={"target": target, "other": other} if other else {},
    )


INDEXES: dict[str, dict[str, int]] = {
    "usual": {},
    "groups": {
        "FREQUENT_TEXT": 5, "FREQUENT_PIECE": 2, "GROUP_BYTES": 90, "SMALL_GROUP_BYTES": 1,
        "PIECES_OF_A_SENTENCE": 0,
    },
    "mixed": {"FREQUENT_TEXT": 3, "GROUP_BYTES": 60, "SMALL_GROUP_BYTES": 60},
    "halved": {"FREQUENT_TEXT": 9, "GROUP_BYTES": 200, "SMALL_GROUP_BYTES": 1},
}  # fmt: skip
SPELLINGS = [
    "Zed",
    "zed",
    "ZED",
    "Ärger",
    "ärger",
    "straße",
    "STRASSE",
    "\u212aelvin",
    "kelvin",
    "ẚx",
    "[",
    "_",
    "",
]
ALIGNED = ["Zed", "zed", "ZED", "Ärger", "ärger", "[", "_", "", "UPz", "Upa", "up", "upZ", "Up東京", "a", "A"]
"""No letter of these gets longer or shorter when it is folded: then texts are looked up by halves."""


@pytest.mark.parametrize("sizes", INDEXES)
@pytest.mark.parametrize("column", [Column.DESCRIPTION, Column.TARGET])
@pytest.mark.parametrize("is_down", [False, True])
def test_the_text_index_gives_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: str, column: ListColumn, is_down: bool
) -> None:
    for module in (text_layout, text_index, text_stretch):
        monkeypatch.setattr(module, "BLOCK_EVENTS", 64)
    for name, value in INDEXES[sizes].items():
        monkeypatch.setattr(text_build, name, value)
    monkeypatch.setattr(text_order, "_BEGIN_BYTES", 40)
    monkeypatch.setattr(text_order, "_REGION_BYTES", 8)
    chance = random.Random(f"{sizes} {column} {is_down}")
    spellings = ALIGNED if sizes == "halved" else SPELLINGS
    texts = [*TEXTS, *spellings, *(chance.choice(spellings) + str(chance.randrange(9)) for _ in range(60))]
    path = tmp_path / "audit.db"
    for events in (130, 100, 20):  # the last ones lie in no stretch
        with StoreWriter(path, durable=False) as writer:
            writer.append([described(chance, texts) for _ in range(events)])
    for condition in (None, "user=a"):
        chosen = EventQuery() if condition is None else EventQuery(parse_condition(condition))
        query = replace(chosen, sort=Sort(column, is_down))
        rows = all_rows(path, query)
        with monkeypatch.context() as patch, StoreReader(path) as reader:
            patch.setattr(orders, "_MANY_ROWS", 0)
            patch.setattr(orders, "_INDEXED_WINDOW", 5)
            assert not reader.page(query, AtRow(len(rows) + 5), 3).rows
            for _ in range(20):
                at, limit = chance.randrange(len(rows)), chance.choice([1, 3, 8, 30])
                key = PageKey.of(rows[at], query.sort)
                places: list[tuple[Place, list[EventRow]]] = [
                    (After(key), rows[at + 1 : at + 1 + limit]),
                    (Before(key), rows[max(0, at - limit) : at]),
                    (AtRow(at), rows[at : at + limit]),
                ]
                for place, expected in places:
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
