"""The text index as it is kept: with each append, or not at all, and rebuilt."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import ANY_TEXT, Condition
from audit_tui.core.filter.operators import CONTAINS
from audit_tui.core.query import EventQuery
from audit_tui.store.evidence.verifying import Request, verify
from audit_tui.store.index import text_index, text_stretch
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.tables import text_layout
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from pathlib import Path

NEEDLE = EventQuery(Condition(ANY_TEXT, CONTAINS, "NUMBER 7"))


def events(first: int, last: int) -> list[AuditEvent]:
    return [
        AuditEvent("Login", seq, key=f"k{seq}", description=f"Number {seq % 10}", metadata={"n": seq})
        for seq in range(first, last + 1)
    ]


def stretches(path: Path) -> list[tuple[int, int]] | None:
    with closing(sqlite3.connect(path)) as connection:
        if not text_layout.exists(connection):
            return None
        assert verify(path, Request()).index_problems == ()
        return list(text_index.stretches(connection))


def matches(path: Path) -> int:
    with StoreReader(path) as reader:
        return reader.count(NEEDLE)


@pytest.fixture(autouse=True)
def small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 64 seqs, and short stretches from 20 events on."""
    for module in (text_layout, text_index, text_stretch):
        monkeypatch.setattr(module, "BLOCK_EVENTS", 64)
    monkeypatch.setattr(text_index, "SHORT_EVENTS", 20)
    monkeypatch.setattr(text_index.outstanding, "__defaults__", (20,))


def test_an_append_completes_segments_and_a_close_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with StoreWriter(path, durable=False) as writer:
        writer.append(events(1, 15))
        assert stretches(path) == []
        writer.append(events(16, 50))
        assert stretches(path) == [(1, 50)]
        writer.append(events(51, 140))
        assert stretches(path) == [(1, 63), (64, 127), (128, 140)]
        assert matches(path) == 14
    assert stretches(path) == [(1, 63), (64, 127), (128, 140)]
    with StoreWriter(path, durable=False, bulk=True) as writer:
        writer.append(events(141, 170))
        assert stretches(path) == [(1, 63), (64, 127), (128, 140)]
    assert stretches(path) == [(1, 63), (64, 127), (128, 140), (141, 170)]
    with StoreWriter(path, durable=False) as writer:
        writer.append(events(171, 200))
    assert stretches(path) == [(1, 63), (64, 127), (128, 191)]
    assert matches(path) == 20


def test_what_is_rolled_back_leaves_no_segment(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"

    class Refusing(text_index.TextIndex):
        def on_append(self, *_: object) -> None:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError), StoreWriter(path, companions=(Refusing(),)) as writer:
        writer.append(events(1, 100))
    assert stretches(path) == []


def test_a_store_without_the_index_answers_the_same_and_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with StoreWriter(path, durable=False, has_text_index=False) as writer:
        writer.append(events(1, 100))
    assert stretches(path) is None
    with StoreWriter(path, durable=False) as writer:
        writer.append(events(101, 200))
        writer.reindex()
    assert stretches(path) is None
    assert matches(path) == 20


def test_reindex_adds_the_index_and_takes_it_away(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with StoreWriter(path, durable=False, has_text_index=False) as writer:
        writer.append(events(1, 150))
        writer.reindex(has_text_index=True)
    assert stretches(path) == [(1, 63), (64, 127), (128, 150)]
    assert matches(path) == 15
    with StoreWriter(path, durable=False) as writer:
        writer.reindex(has_text_index=False)
    assert stretches(path) is None
    assert matches(path) == 15
