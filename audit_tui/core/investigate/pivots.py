"""The company an event can be seen in: all events that share one of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import Condition, MetaField
from audit_tui.core.filter.operators import IS
from audit_tui.core.metadata import leaves

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent

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
