"""The stretches that a result is made of: by time, by name, by description, and what is small."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from audit_tui.core.columns import Column, NameColumn, SortKey
from audit_tui.core.record import Record
from audit_tui.store import by_columns, plan
from audit_tui.store.counting import count
from audit_tui.store.predicate import MISSING, OneOf, combine
from audit_tui.store.read import sql
from audit_tui.store.read.sql import Moment, NameKey
from audit_tui.store.tables.rows import stored_text, whole
from audit_tui.store.tables.schema import NAME_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_tui.core.query import PageKey, Sort
    from audit_tui.store.scope import Scope

NAME_FIELDS: dict[SortKey, NameColumn] = {
    Column.EVENT: Column.EVENT,
    Column.CATEGORY: Column.CATEGORY,
    Column.USER: Column.USER,
}
"""The columns whose values are names."""
TRIED_STEPS = 1_000_000
"""Where numpy is not there yet, SQL may try for so many of its steps first: 30 to 60 ms."""


class Run(Protocol):
    """A stretch of a result."""

    def keys(self, limit: int, offset: int, *, is_forward: bool) -> list[Moment]:
        """Keys from one end on, the nearest first."""
        ...

    def count(self) -> int:
        """How many there are."""
        ...


def _moments(rows: list[tuple[object, ...]]) -> list[Moment]:
    return [Moment(whole(row[0]), whole(row[1])) for row in rows]


class TimeRun(Record):
    """Events by time."""

    scope: Scope
    newest_first: bool

    def keys(self, limit: int, offset: int, *, is_forward: bool) -> list[Moment]:
        """Keys from one end on, the nearest first."""
        newest_first = self.newest_first is is_forward
        drivers = self.scope.drivers()
        branches = plan.branches(self.scope.predicate, drivers)
        if by_columns.is_skipped(self.scope, branches, offset):
            return self._far_keys(limit, offset, newest_first=newest_first)
        if len(branches) > 1 and offset:
            # No range knows how many of the others come before its own.
            branches = (plan.Branch(None, self.scope.predicate),)
        if not by_columns.is_first(self.scope, drivers, branches):
            return self._scanned(branches, limit, offset, newest_first=newest_first, steps=None) or []
        if not by_columns.is_warm():
            found = self._scanned(branches, limit, offset, newest_first=newest_first, steps=TRIED_STEPS)
            if found is not None:
                return found
        return by_columns.first(self.scope, limit, offset, newest_first=newest_first)

    def _far_keys(self, limit: int, offset: int, *, newest_first: bool) -> list[Moment]:
        entered = by_columns.enter(self.scope, offset, newest_first=newest_first)
        if entered is None:
            return []
        scope, offset = entered
        return by_columns.first(scope, limit, offset, newest_first=newest_first)

    def _scanned(
        self,
        branches: tuple[plan.Branch, ...],
        limit: int,
        offset: int,
        *,
        newest_first: bool,
        steps: int | None,
    ) -> list[Moment] | None:
        """Keys by SQL; None if a range takes more than so many of SQLite's steps."""
        session = self.scope.session
        found: set[Moment] = set()
        for branch in branches:
            statement = sql.scan_keys(
                self.scope.scan(branch),
                session.indexes,
                newest_first=newest_first,
                limit=limit,
                offset=offset,
            )
            rows = session.rows(statement) if steps is None else session.rows_within(statement, steps)
            if rows is None:
                return None
            found.update(_moments(rows))
        return sorted(found, reverse=newest_first)[:limit]

    def count(self) -> int:
        """How many there are."""
        return count(self.scope)


class WalkRun(Record):
    """Events name by name, each name's newest first; those without one are elsewhere."""

    scope: Scope
    descending: bool
    field: NameColumn
    after: NameKey | None = None
    before: NameKey | None = None

    def keys(self, limit: int, offset: int, *, is_forward: bool) -> list[Moment]:
        """Keys from one end on, the nearest first."""
        descending = self.descending is is_forward
        walk = self._walk()
        if offset and self._is_counted:
            if offset >= self.count():
                return []
            walk, offset = self._skip(walk, offset, descending)
        statement = sql.walk_keys(
            walk,
            self.scope.session.indexes,
            descending=descending,
            newest_first=is_forward,
            limit=limit,
            offset=offset,
        )
        return _moments(self.scope.session.rows(statement))

    def count(self) -> int:
        """How many there are."""
        if self.after is None and self.before is None:
            named = OneOf(self.field, frozenset({MISSING}), is_negated=True)
            return count(replace(self.scope, predicate=combine((self.scope.predicate, named), is_any=False)))
        session = self.scope.session
        if self._is_counted:
            return sum(
                whole(row[2]) for row in session.stream(sql.names_in_order(self._walk(), descending=False))
            )
        return session.number(sql.walk_count(self._walk(), session.indexes))

    @property
    def _is_counted(self) -> bool:
        return self.scope.predicate is True and self.scope.is_whole_store

    def _walk(self) -> sql.Walk:
        scope = self.scope
        return sql.Walk(self.field, scope.predicate, scope.span, scope.upto_seq, self.after, self.before)

    def _skip(self, walk: sql.Walk, offset: int, descending: bool) -> tuple[sql.Walk, int]:
        """Begin at the name that the offset lies in, by the number of events that each name has."""
        passed: NameKey | None = None
        names = self.scope.session.stream(sql.names_in_order(walk, descending=descending))
        for folded, name, events in names:
            if whole(events) > offset:
                break
            offset -= whole(events)
            passed = NameKey(folded, name)
        if passed is None:
            return walk, offset
        return (replace(walk, before=passed) if descending else replace(walk, after=passed)), offset


class TextRun(Record):
    """Events by description, on one side of a key or all of them."""

    scope: Scope
    descending: bool
    edge: sql.TextEdge | None

    def keys(self, limit: int, offset: int, *, is_forward: bool) -> list[Moment]:
        """Keys from one end on, the nearest first."""
        statement = sql.text_keys(
            self._scan(),
            self.scope.session.indexes,
            self.edge,
            descending=self.descending is is_forward,
            newest_first=is_forward,
            limit=limit,
            offset=offset,
        )
        return _moments(self.scope.session.rows(statement))

    def count(self) -> int:
        """How many there are."""
        if self.edge is None:
            return count(self.scope)
        session = self.scope.session
        return session.number(sql.text_count(self._scan(), session.indexes, self.edge))

    def _scan(self) -> sql.Scan:
        branches = plan.branches(self.scope.predicate, self.scope.drivers())
        is_one = len(branches) == 1
        return self.scope.scan(branches[0] if is_one else plan.Branch(None, self.scope.predicate))


class SmallKey(NamedTuple):
    """A key in memory, with its value's place in the order of values."""

    value: tuple[bool, str, str]
    """Whether it is missing, then without regard to case, then as it is."""
    moment: Moment


class SmallRun(Record):
    """A result that is sorted in memory."""

    sorted_keys: list[SmallKey]
    sort: Sort
    scope: Scope

    @classmethod
    def read(cls, scope: Scope, sort: Sort, found: plan.Drivers) -> SmallRun:
        """Read everything in these index ranges that matches."""
        session = scope.session
        field = NAME_FIELDS.get(sort.column)
        column = NAME_TABLES[field].column if field else ""
        if sort.column is Column.DESCRIPTION:
            column = "description"
        rows: list[tuple[Moment, object]] = []
        for branch in plan.disjoint(scope.predicate, found):
            statement = sql.scan_keys(
                scope.scan(branch),
                session.indexes,
                newest_first=True,
                limit=found.events,
                column=column,
            )
            for occurred_us, seq, *value in session.rows(statement):
                rows.append((Moment(whole(occurred_us), whole(seq)), value[0] if value else None))
        return cls.of(scope, sort, rows)

    @classmethod
    def of(cls, scope: Scope, sort: Sort, rows: Iterable[tuple[Moment, object]]) -> SmallRun:
        """Sort these events, each with what its row holds in the column to sort by."""
        field = NAME_FIELDS.get(sort.column)
        keys: list[SmallKey] = []
        values: dict[object, tuple[bool, str, str]] = {None: _MISSING_VALUE}
        for moment, shown in rows:
            if shown not in values:
                values[shown] = _value(scope, field, shown)
            keys.append(SmallKey(values[shown], moment))
        is_newest_first = sort.descending or sort.column is not Column.TIME
        keys.sort(key=attrgetter("moment"), reverse=is_newest_first)
        keys.sort(key=attrgetter("value"), reverse=sort.descending)
        return cls(keys, sort, scope)

    def split(self, key: PageKey) -> tuple[list[Run], list[Run]]:
        """What comes before a key, and what after it."""
        moment = Moment(key.occurred_us, key.seq)
        value = _MISSING_VALUE
        if key.value is not None:
            value = _key_value(self.scope, NAME_FIELDS.get(self.sort.column), key.value)
        before = [one for one in self.sorted_keys if self._precedes(one, value, moment)]
        rest = self.sorted_keys[len(before) :]
        if rest and rest[0] == SmallKey(value, moment):
            rest = rest[1:]
        return [replace(self, sorted_keys=before)], [replace(self, sorted_keys=rest)]

    def keys(self, limit: int, offset: int, *, is_forward: bool) -> list[Moment]:
        """Keys from one end on, the nearest first."""
        ordered = self.sorted_keys if is_forward else self.sorted_keys[::-1]
        return [key.moment for key in ordered[offset : offset + limit]]

    def count(self) -> int:
        """How many there are."""
        return len(self.sorted_keys)

    def _precedes(self, one: SmallKey, value: tuple[bool, str, str], moment: Moment) -> bool:
        if one.value != value:
            return (one.value < value) is not self.sort.descending
        return one.moment > moment


_MISSING_VALUE = (True, "", "")


def _value(scope: Scope, field: NameColumn | None, shown: object) -> tuple[bool, str, str]:
    """The order of a value as the rows hold it: a name's number, or a text."""
    if field is None:
        return (False, str(shown).casefold(), str(shown))
    name = scope.session.name(field, shown if isinstance(shown, int) else None)
    return _MISSING_VALUE if name is None else _key_value(scope, field, name)


def _key_value(scope: Scope, field: NameColumn | None, text: str) -> tuple[bool, str, str]:
    """The order of a value as a key holds it."""
    if field is None:
        stored = stored_text(text)
        return (False, stored.casefold(), stored)
    return (False, *scope.session.name_key(field, text))
