"""Appends, loads, prunes, redactions and lost writers in any order: the index stays that of the events."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.core.query import EventQuery
from audit_tui.store.evidence.verifying import Request, Result, verify
from audit_tui.store.index import keeper
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write import writer as writing
from audit_tui.store.write.removing import Act, prune, redact
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from pathlib import Path

ACT = Act("root", "host", 4_000_000_000_000_000, "a test")
TAIL = 32
"""Events in no segment: few, so that removals meet segments of all sizes."""
STEPS = 14
ACTS = ("append", "load", "lose", "prune", "redact")


@pytest.mark.parametrize(
    "seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 200))]
)
def test_any_acts_leave_a_store_that_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(keeper.IndexKeeper.__init__, "__defaults__", (TAIL, keeper.MAX_SMALL_MERGE))
    monkeypatch.setattr(writing, "TAIL_EVENTS", TAIL)
    monkeypatch.setattr(writing, "BULK_TAIL_EVENTS", 3 * TAIL)
    path, chance = tmp_path / "audit.db", random.Random(seed)
    acts = ["load", *chance.choices(ACTS, k=STEPS), "prune"]
    for step, act in enumerate(acts):
        with closing(StoreWriter(path, durable=False, bulk=act == "load")) as writer:
            if act == "prune":
                prune(writer, (step - chance.randrange(STEPS)) * 1_000_000, ACT)
            elif act == "redact":
                if seqs := unredacted(path):
                    redact(writer, chance.choices(seqs, k=20), ("description", "user"), ACT)
            else:
                for _ in range(chance.randrange(1, 5)):
                    writer.append([event(step, chance) for _ in range(chance.randrange(1, 40))])
                if act == "lose":
                    writer.abandon()
        report = verify(path, Request())
        assert (report.result, report.index_problems) == (Result.NOT_ANCHORED, ()), acts[: step + 1]
        with StoreReader(path) as reader:
            assert reader.count(EventQuery()) == len(list(reader.events(EventQuery())))


def event(step: int, chance: random.Random) -> AuditEvent:
    """An event from some time around a step."""
    occurred_us = (step + chance.randrange(STEPS)) * 1_000_000
    return AuditEvent("e", occurred_us, user=f"u{chance.randrange(4)}", description="Bob came in")


def unredacted(path: Path) -> list[int]:
    """The events that still say something."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT seq FROM events WHERE description = 'Bob came in'")
        return [seq for (seq,) in rows]
