"""Values of a field counted event by event, and the choice of those to show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import TYPE_CHECKING

from audit_tui.core.filter.matching import texts_of
from audit_tui.core.query import Facet, ValueCount

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.query import FacetField


def chosen_values(
    totals: Mapping[str | None, int], limit: int, *, rarest: bool = False
) -> tuple[ValueCount, ...]:
    """Return the most frequent values, or the rarest, in the order of ``EventReader.facets``."""

    def rank(value: ValueCount) -> tuple[int, bool, str, str]:
        text = value.value or ""
        events = value.events if rarest else -value.events
        return events, value.value is None, text.casefold(), text

    values = (ValueCount(value, events) for value, events in totals.items() if events)
    # Not sorted: that keeps the folded text of each, which doubled the memory of large values.
    return tuple(nsmallest(limit, values, key=rank))


def facet_of(
    totals: Mapping[str | None, int], counted: int, limit: int, *, rarest: bool = False, is_whole: bool = True
) -> Facet:
    """Return the facet of values that were all counted."""
    distinct = sum(1 for events in totals.values() if events)
    return Facet(chosen_values(totals, limit, rarest=rarest), distinct, counted, is_whole)


def add_texts(totals: Counter[str | None], texts: Iterable[str]) -> None:
    """Count an event for each of its values, or for the missing one."""
    values: set[str | None] = {*texts}
    totals.update(values or {None})


def facet_of_events(
    events: Iterable[AuditEvent],
    field: FacetField,
    limit: int,
    *,
    rarest: bool = False,
    most_events: int | None = None,
) -> Facet:
    """Count the values of events in hand, the newest first where not all of them are to be counted."""
    totals: Counter[str | None] = Counter()
    counted = 0
    for event in events:
        if counted == most_events:
            return facet_of(totals, counted, limit, rarest=rarest, is_whole=False)
        counted += 1
        add_texts(totals, texts_of(field, event))
    return facet_of(totals, counted, limit, rarest=rarest)
