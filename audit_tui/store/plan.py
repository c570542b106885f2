"""Which index ranges answer a condition: pure, from the numbers of events that names have."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from audit_tui.core.record import Record
from audit_tui.store.predicate import Group, OneOf, Predicate, RowTest, assume, combine

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.columns import NameColumn

MAX_DRIVERS = 64
"""More index ranges than this are not merged: a scan by time is as good."""

Events: TypeAlias = "Callable[[NameColumn, int], int]"
"""How many events have this number in this field."""


class Driver(NamedTuple):
    """One value of a field, whose index range holds all that can match beside it."""

    field: NameColumn
    number: int


class Drivers(Record):
    """Index ranges that together hold every match."""

    drivers: tuple[Driver, ...]
    events: int
    """How many events they hold at most."""


class Branch(Record):
    """One index range, or all events by time, and what is left to check in it."""

    driver: Driver | None
    rest: Predicate


def drivers(predicate: Predicate, events: Events) -> Drivers | None:
    """The cheapest index ranges that hold every match; None when only a scan of all events does."""
    match predicate:
        case bool():
            return None if predicate else Drivers((), 0)
        case RowTest():
            return None
        case OneOf(field=field, numbers=numbers, is_negated=is_negated):
            if is_negated or len(numbers) > MAX_DRIVERS:
                return None
            own = tuple(Driver(field, number) for number in sorted(numbers))
            return Drivers(own, sum(events(*driver) for driver in own))
        case Group(parts=parts, is_any=is_any):
            found = [drivers(part, events) for part in parts]
            if not is_any:
                return min((one for one in found if one is not None), key=_events, default=None)
            return _together(found)


def branches(predicate: Predicate, found: Drivers | None) -> tuple[Branch, ...]:
    """The ranges to read for the first matches; an event may lie in several."""
    if found is None:
        return (Branch(None, predicate),)
    each = (Branch(driver, assume(predicate, *driver)) for driver in found.drivers)
    return tuple(branch for branch in each if branch.rest is not False)


def disjoint(predicate: Predicate, found: Drivers) -> tuple[Branch, ...]:
    """The ranges to count: each event lies in one of them."""
    result: list[Branch] = []
    for place, driver in enumerate(found.drivers):
        others = [
            OneOf(earlier.field, frozenset({earlier.number}), is_negated=True)
            for earlier in found.drivers[:place]
            if earlier.field is not driver.field
        ]
        rest = combine((assume(predicate, *driver), *others), is_any=False)
        if rest is not False:
            result.append(Branch(driver, rest))
    return tuple(result)


def _events(found: Drivers) -> int:
    return found.events


def _together(found: list[Drivers | None]) -> Drivers | None:
    merged: dict[Driver, None] = {}
    events = 0
    for one in found:
        if one is None:
            return None
        merged.update(dict.fromkeys(one.drivers))
        events += one.events
    return Drivers(tuple(merged), events) if len(merged) <= MAX_DRIVERS else None
