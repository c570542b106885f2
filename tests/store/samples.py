"""Awkward events, and small helpers that several tests of the store need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
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
