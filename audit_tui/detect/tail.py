"""The last events of a query, unpacked in memory so that each rule is tried on them at once.

A store does not index the texts of its newest events yet: there each condition of each rule would read the
metadata again, 60 µs a time.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, All, Condition, MetaField
from audit_tui.core.filter.operators import MORE
from audit_tui.core.metadata import leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import FilterField
    from audit_tui.core.query import EventQuery, EventReader

TAIL_EVENTS = 4_096
"""The most events whose texts a store leaves without an index."""
MAX_TAIL_CHARS = 64_000_000
"""With more text the events are not held in memory, and the store answers for them too."""


class UnpackedEvent:
    """An event with its texts by the names that conditions have for them."""

    __slots__ = ("event", "texts_at")

    def __init__(self, event: AuditEvent) -> None:
        self.event = event
        self.texts_at: defaultdict[str, list[str]] = defaultdict(list)
        """The texts in the metadata by each name that leads to them; those of an empty name are all."""
        for path, text in leaves(event.metadata):
            self.texts_at[""].append(text)
            end = path.find(".")
            while end >= 0:
                self.texts_at[path[:end]].append(text)
                end = path.find(".", end + 1)
            self.texts_at[path].append(text)


def unpacked_texts(field: FilterField, unpacked: UnpackedEvent) -> Iterable[str]:
    """Return the texts of an event that a condition on a field looks at."""
    if isinstance(field, MetaField):
        return unpacked.texts_at.get(field.path, ())
    event = unpacked.event
    if field is ANY_TEXT:
        plain = (event.description, event.target, event.source_ip)
        return [*(text for text in plain if text is not None), *unpacked.texts_at.get("", ())]
    value = getattr(event, field.attribute) if isinstance(field, Column) else None
    return () if value is None else (str(value),)


class Tail:
    """The last events of a query.

    Args:
        reader: The events.
        query: The newest first, with the number of the last event.
        cancel: Ends it.
    """

    def __init__(self, reader: EventReader, query: EventQuery, cancel: CancelToken | None) -> None:
        newest = query.upto_seq or 0
        self.upto_seq = max(0, newest - TAIL_EVENTS)
        """The number of the last event before them."""
        self.events: Sequence[UnpackedEvent] = ()
        last = Condition(Column.SEQ, MORE, str(self.upto_seq))
        unpacked: list[UnpackedEvent] = []
        chars = 0
        for event in reader.events(replace(query, filter=All((query.filter, last))), cancel):
            unpacked.append(UnpackedEvent(event))
            chars += sum(map(len, unpacked[-1].texts_at.get("", ())))
            if chars > MAX_TAIL_CHARS:
                self.upto_seq = newest
                return
        self.events = unpacked
