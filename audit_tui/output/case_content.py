"""The content of a case file, and what it says of an event, whatever its form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, to_us
from audit_tui.core.event_text import cleaned_whole, told_time
from audit_tui.core.record import Record
from audit_tui.core.text import clean_visible, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.core.investigate.case import Search
    from audit_tui.core.time.dates import TimeContext

_FIELDS = (
    ("Time", lambda event, context: told_time(event.occurred_us, context)),
    ("User", lambda event, _: event.user),
    ("Source IP", lambda event, _: event.source_ip),
    ("Target", lambda event, _: event.target),
    ("Outcome", lambda event, _: event.outcome.value),
    ("Category", lambda event, _: event.category),
    ("Source", lambda event, _: event.source),
    ("Number", lambda event, _: f"{event.seq:,}"),
    ("Key", lambda event, _: event.key),
)


class Exhibit(Record):
    """A marked event."""

    event: AuditEvent
    note: str = ""
    """The user's; empty for none."""


class Timeline(Record):
    """The numbers of events in stretches of time of the same length, for the picture."""

    start_us: int
    end_us: int
    counts: tuple[int, ...]


class Case(Record):
    """All that a case file says."""

    title: str
    context: TimeContext
    """The zone of all times, and the moment that it was made."""
    store_name: str
    store_id: str
    verdict: str
    """The seals in words."""
    exhibits: tuple[Exhibit, ...]
    """In the order of time."""
    searches: tuple[Search, ...] = ()
    timeline: Timeline | None = None
    is_redacted: bool = False
    """Pseudonyms stand in the place of names."""


def told_fields(event: AuditEvent, context: TimeContext) -> Iterator[tuple[str, str]]:
    """Yield what a case says of an event, but for its description and JSON: label and text, cleaned."""
    for label, text_of in _FIELDS:
        text = text_of(event, context)
        if text:
            yield label, cleaned_whole(text, clean_visible)


def heads(case: Case) -> list[tuple[str, str]]:
    """Return what a case says at its top: label and text, cleaned."""
    made_us = to_us(case.context.now)
    return [
        ("Made", told_time(made_us, case.context)),
        ("Store", clean_visible(f"{case.store_name} ({case.store_id})")),
        ("Events", counted(len(case.exhibits), "marked event")),
        ("Seals", clean_visible(case.verdict)),
        *([("Names", "replaced by pseudonyms")] if case.is_redacted else []),
        ("Check", "audit-tui verify --case FILE -s STORE makes this file again and compares"),
    ]
