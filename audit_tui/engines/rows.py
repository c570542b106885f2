"""Rows and events made of what an engine gives."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent, EventRow, Outcome
from audit_tui.engines.layout import OUTCOMES
from audit_tui.store.tables.rows import read_event, read_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.query import FacetField


def row_of(values: Sequence[Any], paths: Sequence[str]) -> EventRow:
    """Return a row of the list from what an engine gives."""
    (seq, occurred_us, event, category, user, description, outcome, severity, source_ip, target, source,
     *metadata) = values  # fmt: skip
    return EventRow(
        int(seq),
        int(occurred_us),
        event or "",
        category,
        user,
        description,
        Outcome(OUTCOMES[int(outcome)]),
        None if severity is None else int(severity),
        source_ip,
        target,
        source,
        read_fields(metadata[0], paths) if paths else (),
    )


def event_of(row: Sequence[Any]) -> AuditEvent:
    """Return an event from what an engine gives."""
    (seq, key, occurred_us, event, category, user, description, outcome, severity, source_ip, target, source,
     metadata, original, store) = row  # fmt: skip
    values = (
        int(seq), key, int(occurred_us), event, category, user, description, OUTCOMES[int(outcome)],
        None if severity is None else int(severity), source_ip, target, source, metadata,
        None if original is None else base64.b64decode(original),
    )  # fmt: skip
    return replace(read_event(values), store=store or "")


def facet_text(field: FacetField, value: Any) -> str | None:  # noqa: ANN401 - as the engine gives it
    """Return a value of a field as text; None for the missing one."""
    if value is None:
        return None
    return OUTCOMES[int(value)] if field is Column.OUTCOME else str(value)
