"""Rows in the order of a column of names, by how many matches each name has.

The columns tell these numbers for any filter, so that neither a first row nor a far one needs a look at
the rows before it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from audit_tui.core.record import Record
from audit_tui.store import by_columns
from audit_tui.store.predicate import MISSING, OneOf, combine
from audit_tui.store.read import sql
from audit_tui.store.runs import TimeRun
from audit_tui.store.tables.rows import whole
from audit_tui.store.tables.schema import NAME_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.columns import NameColumn
    from audit_tui.store.read.session import Session
    from audit_tui.store.read.sql import Moment, NameKey
    from audit_tui.store.scope import Scope

MAX_TOGETHER = 2_000
"""Names with few matches each are read together, up to so many matches."""


class Groups(Record):
    """The names that matches have, in the result's order, and where each one's matches begin."""

    numbers: tuple[int, ...]
    sums: tuple[int, ...]
    """How many matches come before each name; at the end, how many there are."""

    @classmethod
    def of(cls, scope: Scope, field: NameColumn, *, descending: bool) -> Groups:
        """Those of a scope."""
        totals = by_columns.totals(scope, field)
        numbers = [number for number in _in_order(scope.session, field) if number in totals]
        if MISSING in totals:
            numbers.append(MISSING)
        if descending:
            numbers.reverse()
        return cls(tuple(numbers), (0, *accumulate(totals[number] for number in numbers)))

    def count(self, place: int) -> int:
        """How many matches the name at a place has."""
        return self.sums[place + 1] - self.sums[place]

    def place_of(self, session: Session, field: NameColumn, value: str | None, *, descending: bool) -> int:
        """How many of the names come before a value."""
        number = MISSING if value is None else session.lookup(field, value)
        if number in self.numbers:
            return self.numbers.index(number)
        named = range(len(self.numbers))
        if MISSING in self.numbers:
            named = named[1:] if descending else named[:-1]
        if value is None:
            return 0 if descending else len(self.numbers)
        edge = session.name_key(field, value)

        def is_behind(place: int) -> bool:
            key = self._key(session, field, place)
            return key < edge if descending else key > edge

        return named.start + bisect_left(named, True, key=is_behind)

    def _key(self, session: Session, field: NameColumn, place: int) -> NameKey:
        return session.name_key(field, session.name(field, self.numbers[place]) or "")


class GroupedRun(Record):
    """Some of the names with all their matches, each name's newest first."""

    scope: Scope
    field: NameColumn
    groups: Groups
    start: int
    """The first of the names."""
    stop: int
    """The name after the last."""

    def keys(self, limit: int, offset: int, *, is_forward: bool) -> list[Moment]:
        """Keys from one end on, the nearest first."""
        sums = self.groups.sums
        if offset + limit <= 0 or offset >= self.count():
            return []
        if is_forward:
            first = bisect_right(sums, sums[self.start] + offset) - 1
            offset -= sums[first] - sums[self.start]
            places: Sequence[int] = range(first, self.stop)
        else:
            last = bisect_left(sums, sums[self.stop] - offset) - 1
            offset -= sums[self.stop] - sums[last + 1]
            places = range(last, self.start - 1, -1)
        found: list[Moment] = []
        while places and len(found) < limit:
            taken = self._together(places, offset + limit - len(found))
            found += self._read(places[:taken], limit - len(found), offset, is_forward=is_forward)
            places, offset = places[taken:], 0
        return found

    def count(self) -> int:
        """How many there are."""
        return self.groups.sums[self.stop] - self.groups.sums[self.start]

    def _together(self, places: Sequence[int], wanted: int) -> int:
        """How many of these names to read at once: one that has many matches, or several with few."""
        matches = taken = 0
        for place in places:
            matches += self.groups.count(place)
            if matches > MAX_TOGETHER:
                break
            taken += 1
            if matches >= wanted:
                break
        return max(1, taken)

    def _read(self, places: Sequence[int], limit: int, offset: int, *, is_forward: bool) -> list[Moment]:
        numbers = [self.groups.numbers[place] for place in places]
        own = OneOf(self.field, frozenset(numbers))
        scope = replace(self.scope, predicate=combine((self.scope.predicate, own), is_any=False))
        if len(numbers) == 1:
            return TimeRun(scope, newest_first=True).keys(limit, offset, is_forward=is_forward)
        order = {number: place for place, number in enumerate(numbers)}
        found = by_columns.valued(scope, self.field)
        found.sort(key=_moment, reverse=is_forward)
        found.sort(key=lambda one: order[one[0]])
        return [moment for _, moment in found[offset : offset + limit]]


def _moment(one: tuple[int, Moment]) -> Moment:
    return one[1]


def _in_order(session: Session, field: NameColumn) -> list[int]:
    """The numbers of all names of a field, in the order of the names."""
    table = NAME_TABLES[field].table
    statement = sql.Statement(
        f"SELECT id FROM {table} INDEXED BY {table}_order ORDER BY folded, name"  # noqa: S608 - our own names
    )
    return [whole(row[0]) for row in session.rows(statement)]
