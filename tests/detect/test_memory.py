"""Hits that are remembered, and when they are not believed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent
from audit_tui.detect.memory import NOTHING, Hit, Memory, Remembered
from tests.ui.fake_reader import fake_factory

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

EVENTS = [AuditEvent(f"e{number}", number, key=f"k{number}", seq=number) for number in range(1, 6)]
RULE = ("id", "v1")


def test_hits_are_remembered_with_how_far_was_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = fake_factory(EVENTS)()
    path = tmp_path / "data" / "detections.db"
    with Memory(path, reader) as memory:
        assert memory.recall(RULE) == NOTHING
        memory.note(RULE, NOTHING, EVENTS[:2], 3)
    with Memory(path, reader) as memory:
        before = memory.recall(RULE)
        assert before == Remembered({1: Hit(1, None), 2: Hit(2, None)}, 3)
        memory.note(RULE, before, EVENTS[4:], 5)
        assert memory.recall(RULE) == Remembered({1: Hit(1, None), 2: Hit(2, None), 5: Hit(5, None)}, 5)
        assert memory.recall(("id", "v2")) == NOTHING
    with Memory(path, reader, is_forgotten=True) as memory:
        assert memory.recall(RULE) == NOTHING
    monkeypatch.setattr(reader, "info", lambda: replace(fake_factory(EVENTS)().info(), store_id="other"))
    with Memory(path, reader) as memory:
        assert memory.recall(RULE) == NOTHING
    assert path.stat().st_mode & 0o077 == 0


def test_hits_of_other_events_are_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "detections.db"
    with Memory(path, fake_factory(EVENTS)()) as memory:
        memory.note(RULE, NOTHING, EVENTS[:2], 5)
        assert memory.recall(RULE).upto_seq == 5
    # An older copy was put back, and other events came.
    hits = [replace(event, key=f"x{event.seq}") for event in EVENTS]
    last = [*EVENTS[:4], hits[4]]
    pruned = AuditEvent("pruned", 9, key="k6", seq=6, source="audit-tui", metadata={"Action": "prune"})
    for others in (EVENTS[:3], hits, last, [*EVENTS, pruned]):
        with Memory(path, fake_factory(others)()) as memory:
            assert memory.recall(RULE) == NOTHING


def test_a_file_that_cannot_be_used_is_only_slower(tmp_path: Path) -> None:
    path = tmp_path / "detections.db"
    path.write_bytes(b"not a database" * 1000)
    with Memory(path, fake_factory(EVENTS)()) as memory:
        memory.note(RULE, NOTHING, EVENTS, 5)
        assert memory.recall(RULE) == NOTHING
