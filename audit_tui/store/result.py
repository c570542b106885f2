"""The rows of one query, in order: pages of keys, their number, and the place of a key.

A result is a row of runs, one after the other; each knows how to read its keys in both directions. By
date there is one. By a name there are two: the names in their order, and the events without one. What is
small is read whole and sorted here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column, ListColumn, NameColumn
from audit_tui.core.query import AtRow, Before
from audit_tui.store import by_columns, plan
from audit_tui.store.counting import count
from audit_tui.store.grouped import GroupedRun, Groups
from audit_tui.store.predicate import MISSING, OneOf, combine, resolve
from audit_tui.store.read import sql
from audit_tui.store.read.sql import Moment, Span
from audit_tui.store.runs import NAME_FIELDS, SmallRun, TextRun, TimeRun, WalkRun
from audit_tui.store.scope import Scope
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.query import EventQuery, PageKey, Place
    from audit_tui.store.read.session import Session
    from audit_tui.store.runs import Run

SMALL_EVENTS = 10_000
"""A result of at most so many events is read whole and sorted in Python, in 40 ms."""


class Result:
    """The rows of a query in one snapshot.

    Args:
        session: The snapshot.
        query: Which events, in what order.
    """

    def __init__(self, session: Session, query: EventQuery) -> None:
        self.session = session
        self.sort = query.sort
        upto = query.upto_seq
        self.scope = Scope(
            session,
            resolve(query.filter, session.lookup, session.search),
            Span.of(query.interval),
            # A test that every event passes would cost the counts their short cuts.
            None if upto is None or upto >= session.newest_seq else upto,
        )

    def page(self, place: Place, limit: int) -> tuple[list[Moment], bool]:
        """The keys at a place, in the result's order, and whether there are none beyond them."""
        offset, is_forward = 0, True
        if isinstance(place, AtRow):
            runs, offset = self._runs(), max(0, place.index)
        elif isinstance(place, Before):
            runs, is_forward = self._split(place.key)[0][::-1], False
        else:
            runs = self._split(place.key)[1]
        keys: list[Moment] = []
        for run in runs:
            wanted = limit + 1 - len(keys)
            if wanted <= 0:
                break
            found = run.keys(wanted, offset, is_forward=is_forward)
            if found:
                offset = 0
            elif offset:
                offset = max(0, offset - run.count())
            keys += found
        is_end = len(keys) <= limit
        keys = keys[:limit]
        return (keys if is_forward else keys[::-1]), is_end

    def count(self, report: Callable[[int], None] | None = None) -> int:
        """Exactly how many rows there are.

        Args:
            report: Is told, while it is counted, how many there are at least; maybe never.
        """
        return count(self.scope)

    def locate(self, key: PageKey) -> int:
        """How many rows come before a key."""
        moment = Moment(key.occurred_us, key.seq)
        if self.sort.column is Column.TIME:
            if by_columns.is_ranked(self.scope):
                return by_columns.rank(self.scope, moment, newest_first=self.sort.descending)
        elif self._groups is not None:
            return self._locate_in_groups(self._groups, key, moment)
        return sum(run.count() for run in self._split(key)[0])

    def _runs(self) -> list[Run]:
        column = self.sort.column
        small = self._small(column)
        if small is not None:
            return [small]
        if column is Column.TIME:
            return [TimeRun(self.scope, self.sort.descending)]
        if column is Column.DESCRIPTION:
            return [TextRun(self.scope, self.sort.descending, None)]
        field = NAME_FIELDS[column]
        if self._groups is not None:
            return [GroupedRun(self.scope, field, self._groups, 0, len(self._groups.numbers))]
        names = WalkRun(self.scope, self.sort.descending, field)
        missing = self._missing(field, self.scope.span)
        return [missing, names] if self.sort.descending else [names, missing]

    def _split(self, key: PageKey) -> tuple[list[Run], list[Run]]:
        """The runs before and after a key."""
        column, moment = self.sort.column, Moment(key.occurred_us, key.seq)
        newer, older = self.scope.span.since(moment), self.scope.span.until(moment)
        if column is Column.TIME:
            by_time = [
                TimeRun(replace(self.scope, span=span), self.sort.descending) for span in (newer, older)
            ]
            before, after = by_time if self.sort.descending else by_time[::-1]
            return [before], [after]
        small = self._small(column)
        if small is not None:
            return small.split(key)
        if column is Column.DESCRIPTION:
            return self._split_text(key, moment)
        field = NAME_FIELDS[column]
        if self._groups is not None:
            return self._split_groups(self._groups, field, key, newer, older)
        if key.value is None:
            names = WalkRun(self.scope, self.sort.descending, field)
            here = [self._missing(field, newer)], [self._missing(field, older)]
            return (
                ([*here[0]], [*here[1], names]) if self.sort.descending else ([names, *here[0]], [*here[1]])
            )
        return self._split_names(field, key.value, newer, older)

    def _split_names(
        self, field: NameColumn, value: str, newer: Span, older: Span
    ) -> tuple[list[Run], list[Run]]:
        edge = self.session.name_key(field, value)
        number = self.session.lookup(field, value)
        same: list[list[Run]] = [[], []]
        if number is not None:
            same = [[self._valued(field, number, span)] for span in (newer, older)]
        walk = WalkRun(self.scope, self.sort.descending, field)
        lower, higher = replace(walk, before=edge), replace(walk, after=edge)
        missing = self._missing(field, self.scope.span)
        if self.sort.descending:
            return [missing, higher, *same[0]], [*same[1], lower]
        return [lower, *same[0]], [*same[1], higher, missing]

    @cached_property
    def _groups(self) -> Groups | None:
        """The names of the sort column with their matches, where these are quicker than a walk by SQL."""
        field = NAME_FIELDS.get(self.sort.column)
        if field is None or not by_columns.is_grouped(self.scope):
            return None
        return Groups.of(self.scope, field, descending=self.sort.descending)

    def _split_groups(
        self, groups: Groups, field: NameColumn, key: PageKey, newer: Span, older: Span
    ) -> tuple[list[Run], list[Run]]:
        place = groups.place_of(self.session, field, key.value, descending=self.sort.descending)
        number = MISSING if key.value is None else self.session.lookup(field, key.value)
        is_there = number is not None and groups.numbers[place : place + 1] == (number,)
        every = GroupedRun(self.scope, field, groups, 0, len(groups.numbers))
        before, after = replace(every, stop=place), replace(every, start=place + is_there)
        if number is None or not is_there:
            return [before], [after]
        return [before, self._valued(field, number, newer)], [self._valued(field, number, older), after]

    def _locate_in_groups(self, groups: Groups, key: PageKey, moment: Moment) -> int:
        field = NAME_FIELDS[self.sort.column]
        place = groups.place_of(self.session, field, key.value, descending=self.sort.descending)
        number = MISSING if key.value is None else self.session.lookup(field, key.value)
        if number is None or groups.numbers[place : place + 1] != (number,):
            return groups.sums[place]
        own = combine((self.scope.predicate, OneOf(field, frozenset({number}))), is_any=False)
        same = replace(self.scope, predicate=own)
        return groups.sums[place] + by_columns.rank(same, moment, newest_first=True)

    def _split_text(self, key: PageKey, moment: Moment) -> tuple[list[Run], list[Run]]:
        text = None if key.value is None else stored_text(key.value)
        folded = "" if text is None else text.casefold()
        is_down = self.sort.descending
        before = sql.TextEdge(folded, text, moment, is_greater=is_down, is_newer=True)
        after = sql.TextEdge(folded, text, moment, is_greater=not is_down, is_newer=False)
        return [TextRun(self.scope, is_down, before)], [TextRun(self.scope, is_down, after)]

    def _missing(self, field: NameColumn, span: Span) -> Run:
        return self._valued(field, MISSING, span)

    def _valued(self, field: NameColumn, number: int, span: Span) -> Run:
        own = OneOf(field, frozenset({number}))
        both = combine((self.scope.predicate, own), is_any=False)
        return TimeRun(replace(self.scope, predicate=both, span=span), newest_first=True)

    def _small(self, column: ListColumn) -> SmallRun | None:
        found = plan.drivers(self.scope.predicate, self.session.events)
        if found is None or found.events > SMALL_EVENTS:
            return None
        if column is Column.TIME and len(found.drivers) == 1:
            return None
        return SmallRun.read(self.scope, self.sort, found)
