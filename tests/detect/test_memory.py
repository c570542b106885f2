"""Hits that are remembered, and when they are not believed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent
from audit_tui.detect.memory import Memory, Remembered
from tests.ui.fake_reader import fake_factory

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = [AuditEvent(f"e{number}", number, key=f"k{number}", seq=number) for number in range(1, 6)]
RULE = ("id", "v1")
NOTHING = Remembered({}, 0)


def test_hits_are_remembered_with_how_far_was_looked(tmp_path: Path) -> None:
    reader = fake_factory(EVENTS)()
    path = tmp_path / "data" / "detections.db"
    with Memory(path, "store") as memory:
        assert memory.recall(RULE, reader) == NOTHING
        memory.note(RULE, NOTHING, EVENTS[:2], 3)
    with Memory(path, "store") as memory:
        before = memory.recall(RULE, reader)
        assert before == Remembered({1: 1, 2: 2}, 3)
        memory.note(RULE, before, EVENTS[4:], 5)
        assert memory.recall(RULE, reader) == Remembered({1: 1, 2: 2, 5: 5}, 5)
        assert memory.recall(("id", "v2"), reader) == NOTHING
    with Memory(path, "other") as memory:
        assert memory.recall(RULE, reader) == NOTHING
    assert path.stat().st_mode & 0o077 == 0


def test_hits_of_other_events_are_not_believed(tmp_path: Path) -> None:
    with Memory(tmp_path / "detections.db", "store") as memory:
        memory.note(RULE, NOTHING, EVENTS[:2], 5)
        assert memory.recall(RULE, fake_factory(EVENTS)()).upto_seq == 5
        # An older copy was put back, and other events came.
        assert memory.recall(RULE, fake_factory(EVENTS[:3])()) == NOTHING
        others = [replace(event, key=f"x{event.seq}") for event in EVENTS]
        assert memory.recall(RULE, fake_factory(others)()) == NOTHING


def test_a_file_that_cannot_be_used_is_only_slower(tmp_path: Path) -> None:
    path = tmp_path / "detections.db"
    path.write_bytes(b"not a database" * 1000)
    with Memory(path, "store") as memory:
        memory.note(RULE, NOTHING, EVENTS, 5)
        assert memory.recall(RULE, fake_factory(EVENTS)()) == NOTHING
