"""The answers that a reader should give, worked out the slow and obvious way."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cmp_to_key
from ipaddress import IPv6Address, ip_address
from itertools import pairwise
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column, NameColumn
from audit_tui.core.event import AuditEvent, EventRow
from audit_tui.core.filter.filters import NO_VALUE_WORDS, All, Any, Condition, Filter, Not
from audit_tui.core.filter.operators import IS
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from audit_tui.core.query import EventQuery, Sort


def stored(text: str | None) -> str | None:
    return None if text is None else stored_text(text)


def listed(event: AuditEvent, seq: int) -> EventRow:
    """The row that a list should show of the event that was appended as number ``seq``."""
    return EventRow(
        seq,
        event.occurred_us,
        stored_text(event.event),
        stored(event.category),
        stored(event.user),
        stored(event.description),
        event.outcome,
        event.severity,
        stored(event.source_ip),
        stored(event.target),
        stored(event.source),
    )


def holds(expression: Filter, row: EventRow) -> bool:
    match expression:
        case Condition(field=field, operator=operator, value=value):
            is_equal = getattr(row, field.value) == stored(value)
            return is_equal if operator is IS else not is_equal
        case Not(part=part):
            return not holds(part, row)
        case All(parts=parts):
            return all(holds(part, row) for part in parts)
        case Any(parts=parts):
            return any(holds(part, row) for part in parts)


def compare(left: EventRow, right: EventRow, sort: Sort) -> int:
    """Return less than 0 when ``left`` comes first."""
    moments = (left.occurred_us, left.seq), (right.occurred_us, right.seq)
    by_time, column = -1 if moments[0] > moments[1] else 1, sort.column
    assert isinstance(column, Column)
    if column is Column.TIME:
        return by_time if sort.descending else -by_time
    values = [_rank(getattr(row, column.value), column) for row in (left, right)]
    if values[0] == values[1]:
        return by_time
    return -1 if (values[0] < values[1]) is not sort.descending else 1


def _rank(value: str | int | None, column: Column) -> tuple[bool, tuple[int, int], str, str]:
    """The order of a value: addresses and numbers by what they are, before other texts."""
    text = "" if value is None else str(value)
    number = (9, 0)
    if isinstance(value, int):
        number = (0, value)
    elif column is Column.SOURCE_IP:
        with suppress(ValueError):
            address = ip_address(text)
            mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
            number = ((mapped or address).version, int(mapped or address))
    return value is None, number, text.casefold() if number[0] == 9 else "", text


def result(rows: Iterable[EventRow], query: EventQuery) -> list[EventRow]:
    """The rows of a query, in its order."""
    start, end, upto = query.interval.start_us, query.interval.end_us, query.upto_seq
    wanted = [
        row
        for row in rows
        if (start is None or row.occurred_us >= start)
        and (end is None or row.occurred_us < end)
        and (upto is None or row.seq <= upto)
        and holds(query.filter, row)
    ]

    def order(left: EventRow, right: EventRow) -> int:
        return compare(left, right, query.sort)

    return sorted(wanted, key=cmp_to_key(order))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value with what orders it among the candidates."""

    value: str | None
    events: int

    def rank(self, search: str) -> tuple[int, int, bool, str, str]:
        shown = NO_VALUE_WORDS if self.value is None else self.value
        text = stored(search) or ""
        rank = 3
        if text and self.value is not None and shown == text:
            rank = 0
        elif text and shown.casefold() == text.casefold():
            rank = 1
        elif text and shown.casefold().startswith(text.casefold()):
            rank = 2
        name = self.value or ""
        return (rank, -self.events, self.value is None, name.casefold(), name)


def values(
    rows: Iterable[EventRow], field: NameColumn, search: str, limit: int
) -> list[tuple[str | None, int]]:
    """The values of a field that contain a text, best first, with their numbers of events."""
    counts = Counter(getattr(row, field.value) for row in rows)
    candidates = [
        Candidate(value, events)
        for value, events in counts.items()
        if (stored(search) or "").casefold() in (NO_VALUE_WORDS if value is None else value).casefold()
    ]
    candidates.sort(key=lambda candidate: candidate.rank(search))
    return [(candidate.value, candidate.events) for candidate in candidates[:limit]]


def facets(rows: Iterable[EventRow], field: NameColumn, limit: int) -> list[tuple[str | None, int]]:
    """The most frequent values of a field, with their numbers of events; a missing value after its equals."""
    return ranked(Counter(getattr(row, field.value) for row in rows), limit)


def ranked(
    totals: Mapping[str | None, int], limit: int, *, rarest: bool = False
) -> list[tuple[str | None, int]]:
    """The most frequent values, or the rarest; a missing value after its equals."""

    def order(entry: tuple[str | None, int]) -> tuple[int, bool, str, str]:
        value, events = entry
        return events if rarest else -events, value is None, (value or "").casefold(), value or ""

    return sorted(totals.items(), key=order)[:limit]


def histogram(rows: Sequence[EventRow], edges_us: Sequence[int]) -> list[int]:
    """The numbers of rows from each moment to the next."""
    return [sum(start <= row.occurred_us < end for row in rows) for start, end in pairwise(edges_us)]
