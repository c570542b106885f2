"""The meaning of an event, and the views of what belongs to it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.event import from_us
from audit_tui.core.filter.filters import All, Any, Condition, MetaField
from audit_tui.core.filter.matching import leaves
from audit_tui.core.filter.operators import IS, MATCHES
from audit_tui.core.record import Record
from audit_tui.core.time.dates import MomentRange
from audit_tui.core.view import View, chipped

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter


RELATED_DAYS = 1
"""So long before and after an event related ones are looked for."""


class Meaning(Record):
    """The meaning of an event."""

    words: str
    """A sentence that says what it records."""
    why: str
    """Why a reviewer cares."""
    look_next: str
    """The next thing to look at."""
    related: tuple[str, ...]
    """The names of the events that belong together, this one among them; ``*`` stands for any text."""


def related_view(event: AuditEvent, meaning: Meaning | None) -> View:
    """Return the view of the events that belong to one, a day before and after it.

    They are of its kind, by the same user or on the same target; without a meaning, of any kind.
    """
    same: list[Filter] = []
    if event.user is not None:
        same.append(Condition(Column.USER, IS, event.user))
    if event.target is not None:
        same.append(Condition(Column.TARGET, IS, event.target))
    if not same and event.source_ip is not None:
        same.append(Condition(Column.SOURCE_IP, IS, event.source_ip))
    parts: list[Filter] = [Any(tuple(same))] if len(same) > 1 else same
    if meaning is not None:
        kinds = tuple(
            Condition(Column.EVENT, MATCHES if "*" in name else IS, name) for name in meaning.related
        )
        parts.append(Any(kinds) if len(kinds) > 1 else kinds[0])
    moment, days = from_us(event.occurred_us), timedelta(days=RELATED_DAYS)
    return chipped(View(All(tuple(parts)), MomentRange(moment - days, moment + days)))


FIRST = (Column.USER, Column.SOURCE_IP, Column.EVENT, Column.TARGET)
"""The columns that are offered before the metadata."""
MAX_PIVOTS = 300
"""Nobody reads further down; an event may hold a list of 100,000 values."""


def pivots(event: AuditEvent) -> tuple[Condition, ...]:
    """Return a condition for each value of an event, those of the metadata in the order of their names."""
    conditions = [
        Condition(column, IS, value)
        for column in FIRST
        if (value := getattr(event, column.attribute)) is not None
    ]
    named = sorted({(path, text) for path, text in leaves(event.metadata)[: 4 * MAX_PIVOTS] if path and text})
    conditions += [Condition(MetaField(path), IS, text) for path, text in named]
    return tuple(conditions[:MAX_PIVOTS])
