"""Awkward events, and small helpers that several tests of the store need."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.store.index import blocks, keeper, merging, text_index
from audit_tui.store.index.keeper import IndexKeeper
from audit_tui.store.tables import text_layout
from audit_tui.store.tables.rows import draft
from audit_tui.store.write import writer
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NAMES = {
    "event": ("Login", "login", "Role created", "ÄB", "äb", "", "'; DROP TABLE events; --"),
    "category": (None, "Roles", "roles", "a\x1b[31mb", "x%_y"),
    "user": (None, "bob", "Bob", "al\0ice", "\ud800z", "(none)", "%", '"', "ﬁ", "FI", ""),
    "description": (None, "x", "X", "y ß", "y SS", "", "[/foo]", "\u202eevil"),
}
"""Values that differ by case only, hold quotes, wildcards, escapes, NUL and lone surrogates."""


def _made() -> tuple[AuditEvent, ...]:
    events = []
    for place in range(90):
        # Steps without a common factor meet every pair of values; times are late, equal and out of order.
        events.append(
            AuditEvent(
                event=NAMES["event"][place % 7] or "",
                occurred_us=(place * 37) % 23 - 3,
                key=f"k{place}",
                category=NAMES["category"][place * 2 % 5],
                user=NAMES["user"][place * 3 % 11],
                description=NAMES["description"][place * 5 % 8],
                outcome=list(Outcome)[place % 3],
                source_ip=(None, "10.0.0.10", "10.0.0.2", "::1", "host")[place * 7 % 5],
                target=(None, "x", "Y")[place % 3],
                severity=(None, 0, 6)[place % 3],
                source=(None, "a", "b")[place // 2 % 3],
                metadata={"a": place % 4, "b": {"c": [place % 3, "x"]}} if place % 5 else {},
            )
        )
    return tuple(events)


EVENTS = _made()


def fill(path: Path, events: Sequence[AuditEvent]) -> None:
    """Make a store with these events, in two appends."""
    middle = len(events) // 2
    with StoreWriter(path, durable=False) as writer:
        writer.append(events[:middle])
        writer.append(events[middle:])


PRUNED = (7, 40, 41, 88)
REDACTED: dict[int, dict[str, Any]] = {
    13: {"user": "[redacted]"},
    55: {"description": None, "source_ip": "?"},
    89: {"user": None},
}


def changed(events: Sequence[AuditEvent]) -> dict[int, AuditEvent]:
    """Return the events that are left once some were pruned and some redacted, by number."""
    numbered = enumerate(events, 1)
    return {seq: replace(event, **REDACTED.get(seq, {})) for seq, event in numbered if seq not in PRUNED}


def change(path: Path) -> None:
    """Prune and redact them in a store that has them."""
    with StoreWriter(path, durable=False) as writer:
        with writer.changing() as change:
            change.remove(change.rows(PRUNED[:2]))
            change.remove(change.rows(PRUNED[2:]))
        with writer.changing() as change:
            for seq, fields in REDACTED.items():
                event = draft(replace(EVENTS[seq - 1], **fields))
                change.replace(change.rows((seq,)), (event,))


@contextmanager
def tiny_segments() -> Iterator[None]:
    """Let writers make segments of a few events, in blocks of a few, and merge them early."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "IndexKeeper", lambda *_: IndexKeeper(4, 40))
        patch.setattr(keeper, "FANOUT", 3)
        patch.setattr(keeper, "_PIECE", 2)
        for module in (merging, blocks):
            patch.setattr(module, "BLOCK_EVENTS", 4)
        patch.setattr(merging, "_LEAST_BLOCK", 2)
        patch.setattr(blocks, "GROUP_EVENTS", 2)
        yield


def build_texts(connection: sqlite3.Connection) -> None:
    """Build what the text index lacks, inside the caller's transaction."""
    text_layout.create(connection)
    for stretch in text_index.outstanding(connection, least_rest=1):
        text_index.build_stretch(connection, stretch)
