"""Events that begin something and those that end it: what is still open, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import Column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.filters import All, Any, Condition, MetaField
from audit_tui.core.filter.matching import texts_of
from audit_tui.core.filter.operators import IS, IS_NOT, MATCHES
from audit_tui.core.query import NEWEST_FIRST
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter, FilterField
    from audit_tui.core.query import EventQuery, EventReader

MOST_EVENTS = 100_000
"""Up to this many of the newest events that begin or end something are looked at: 3 s."""


class Pair(Record):
    """An event that begins something, and those that end it."""

    begins: str
    """The name of the event."""
    ends: tuple[str, ...]
    words: str
    """The state in between: "deployed"."""
    begins_by: tuple[tuple[FilterField, ...], ...]
    """The fields that tell which thing it is: the first of them that an event has all of."""
    ends_by: tuple[tuple[FilterField, ...], ...]
    """The same of an event that ends it."""


class Open(NamedTuple):
    """Something that was begun and not ended."""

    pair: Pair
    event: AuditEvent
    """The one that began it."""
    thing: str


class PairsResult(Record):
    """The pairs that are open, and how long the closed ones were."""

    open: tuple[Open, ...]
    """The longest first."""
    closed: int
    median_us: int | None
    """Of what is closed; None when nothing is."""
    is_whole: bool = True
    """All events were looked at; False: the newest of them."""


def open_pairs(
    reader: EventReader, query: EventQuery, pairs: Sequence[Pair], cancel: CancelToken | None = None
) -> PairsResult:
    """Return what the events of a query began and did not end.

    What failed neither begins nor ends anything.

    What ended after the range counts as open.
    """
    names = {name for pair in pairs for name in (pair.begins, *pair.ends)}
    wanted = Any(tuple(Condition(Column.EVENT, IS, name) for name in sorted(names)))
    happened = Condition(Column.OUTCOME, IS_NOT, Outcome.FAILURE.value)
    events = reader.events(
        replace(query, filter=All((query.filter, wanted, happened)), sort=NEWEST_FIRST), cancel
    )
    return _matched(events, pairs)


def _matched(events: Iterable[AuditEvent], pairs: Sequence[Pair]) -> PairsResult:
    beginning: dict[str, list[Pair]] = {}
    ending: dict[str, list[Pair]] = {}
    for pair in pairs:
        beginning.setdefault(pair.begins, []).append(pair)
        for name in pair.ends:
            ending.setdefault(name, []).append(pair)
    ended: dict[tuple[str, tuple[str, ...]], int] = {}
    still_open: list[Open] = []
    durations: list[int] = []
    is_whole = True
    for number, event in enumerate(events):
        if number == MOST_EVENTS:
            is_whole = False
            break
        # The newest first: what ends something comes before what began it.
        for pair in beginning.get(event.event, ()):
            thing = _thing(event, pair.begins_by)
            if thing is None:
                continue
            end_us = ended.pop((pair.begins, thing), None)
            if end_us is None:
                still_open.append(Open(pair, event, " ".join(thing)))
            else:
                durations.append(end_us - event.occurred_us)
        for pair in ending.get(event.event, ()):
            if (thing := _thing(event, pair.ends_by)) is not None:
                ended[pair.begins, thing] = event.occurred_us
    durations.sort()
    return PairsResult(
        tuple(reversed(still_open)),
        len(durations),
        durations[len(durations) // 2] if durations else None,
        is_whole,
    )


def pair_filter(item: Open) -> Filter:
    """Return the filter of the events that begin or end things of its kind and name it."""
    names = (item.pair.begins, *item.pair.ends)
    events = Any(tuple(Condition(Column.EVENT, IS, name) for name in names))
    fields = {field for group in (*item.pair.begins_by, *item.pair.ends_by) for field in group}
    values = {
        text for group in item.pair.begins_by for field in group for text in texts_of(field, item.event)
    }
    named = tuple(
        Condition(field, MATCHES if isinstance(field, MetaField) else IS, value)
        for field in sorted(fields, key=lambda field: field.value)
        for value in sorted(values)
    )
    return All((events, Any(named))) if named else events


def _thing(event: AuditEvent, groups: Sequence[Sequence[FilterField]]) -> tuple[str, ...] | None:
    """Return what an event is about; not as one text, for a name may hold a space."""
    for group in groups:
        texts = tuple(text for field in group if (text := next(iter(texts_of(field, event)), None)))
        if len(texts) == len(group):
            return texts
    return None
