"""The snapshots of a store on one connection, one after the other, and what they leave behind."""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from pyroaring import BitMap

from audit_tui.core.columns import Column
from audit_tui.core.event import EventRow
from audit_tui.core.filter.filters import MetaField
from audit_tui.core.filter.operators import CONTAINS, IS
from audit_tui.errors import StoreDamaged
from audit_tui.store.index.fields import FIELDS, MISSING, ROWS, texts_of
from audit_tui.store.index.row_tests import columns_of, row_test, row_texts, text_test
from audit_tui.store.index.segment import LEAST_EVENTS, RowSegment, is_dense, stored_values
from audit_tui.store.index.stored import HEADERS, StoredSegment, in_order
from audit_tui.store.tables import statements
from audit_tui.store.tables.index_layout import REMOVALS
from audit_tui.store.tables.rows import (
    read_count,
    read_field,
    read_fields,
    read_outcome,
    read_severity,
    read_text,
    stored_text,
    time_or_zero,
    whole,
)
from audit_tui.store.tables.schema import PRUNED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event_fields import ListField
    from audit_tui.core.filter.filters import Condition, FilterField
    from audit_tui.store.index.cache import Cache
    from audit_tui.store.index.fields import IndexField
    from audit_tui.store.index.scratch import Scratch
    from audit_tui.store.index.segment import Segment
    from audit_tui.store.tables.schema import NameTable


class Extent(NamedTuple):
    """The size of a store, known without a question."""

    events: int
    first_us: int | None
    """The earliest event; None without any."""
    last_us: int | None
    """The latest event; None without any."""


MAX_NAMES = 20_000
"""Names kept in memory per table; then it starts again, so that memory stays flat."""
_STATE = "SELECT (SELECT max(seq) FROM events), (SELECT value FROM store_info WHERE name = ?)"
_ROWS_AT_ONCE = 2_048
_LISTED_NAMES = FIELDS[:4]
"""Event, category, user, source: the fields of names, in the order of ``LISTED_ROWS``."""


class Session:
    """A connection's snapshots, one after the other.

    Args:
        connection: For reading only.
        cache: What its reader shares with others of the same store.
        has_index: The store has the tables of the index.
        source_key: Another one for another file.
    """

    def __init__(
        self, connection: sqlite3.Connection, cache: Cache, source_key: object, *, has_index: bool
    ) -> None:
        self.cache = cache
        self.memory: dict[object, object] = {}
        self.newest_seq = 0
        self._segments: list[Segment] | None = None
        self._connection = connection
        self._has_index = has_index
        self._source_key = source_key
        self._cancel: CancelToken | None = None
        self._version: int | None = None
        self._removals: object = None
        self._names: dict[str, dict[int, str]] = {}
        self._orders: dict[str, tuple[object, array[int]]] = {}

    def begin(self, cancel: CancelToken | None) -> None:
        """Look at the store as it is now, in the transaction that the caller began.

        Args:
            cancel: Is checked before each statement; None cannot be cancelled.
        """
        self._cancel = cancel
        (version,) = self.rows("PRAGMA data_version")[0]
        if version != self._version:
            newest, self._removals = self.rows(_STATE, (REMOVALS,))[0]
            self.newest_seq = 0 if newest is None else whole(newest)
            self._segments = None
            self._version = version

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement."""
        self.check()
        return self._connection.execute(statement, tuple(parameters)).fetchall()

    def stream(self, statement: str, parameters: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement, one in memory at a time."""
        self.check()
        # A chain has no close: that of a cursor fails when the generator over it ends after the connection.
        return chain(self._connection.execute(statement, tuple(parameters)))

    def check(self) -> None:
        """Raise QueryCancelled if the answer is no longer wanted."""
        if self._cancel is not None:
            self._cancel.check()

    @property
    def segments(self) -> list[Segment]:
        """All events, in the order of their seqs: what the store has indexed, and the others."""
        if self._segments is None:
            self._segments = self._look()
        return self._segments

    def extent(self) -> Extent:
        """Return how many events there are, and from when to when, without making an index of many."""
        stored = self._stored_segments()
        first_seq = stored[-1].last_seq + 1 if stored else 1
        if self.newest_seq - first_seq < LEAST_EVENTS:
            stored = self.segments
            events = sum(segment.events for segment in stored)
            extents = [(segment.first_us, segment.last_us) for segment in stored]
        else:
            pruned = self.rows("SELECT value FROM store_info WHERE name = ?", (PRUNED,))
            events = max(0, self.newest_seq - (read_count(pruned[0][0]) if pruned else 0))
            # Each is found at an end of the index that such a store has.
            ends = "SELECT (SELECT min(occurred_us) FROM events), (SELECT max(occurred_us) FROM events)"
            extents = [(whole(first), whole(last)) for first, last in self.rows(ends)]
        first_us = min((first for first, _ in extents), default=None)
        return Extent(events, first_us, max((last for _, last in extents), default=None))

    def missing(self, field: IndexField) -> int:
        """Return how many events have no value of a field."""
        return sum(segment.events_of(field, MISSING) for segment in self.segments)

    def places_upto(self, segment: Segment, seq: int) -> BitMap:
        """Return the places of a segment's events that were appended up to a seq."""
        key = (segment.key, "upto", seq)
        places = self.cache.get(key, BitMap)
        if places is None:
            places = segment.places(BitMap(range(segment.first_seq, seq + 1)))
            self.cache.put(key, places, min(2 * len(places), segment.events // 8) + 200)
        return places

    def number_of(self, names: NameTable, name: str) -> int | None:
        """Return the number of a name; None when the store does not know it."""
        rows = self.rows(f"SELECT id FROM {names.table} WHERE name = ?", (stored_text(name),))  # noqa: S608 - ours
        return whole(rows[0][0]) if rows else None

    def name(self, names: NameTable, number: int) -> str | None:
        """Return the name with a number; None for the missing value."""
        self.learn(names, (number,))
        return None if number == MISSING else self._names[names.table].get(number, "")

    def names_that(self, names: NameTable, condition: Condition) -> tuple[int, ...]:
        """Return the numbers of the names for which a condition holds: a positive one, with a value."""
        value = condition.value or ""
        if condition.operator is IS:
            number = self.number_of(names, value)
            return () if number is None else (number,)
        if condition.operator is CONTAINS:
            folded = stored_text(value).casefold()
            statement = f"SELECT id FROM {names.table} WHERE instr(folded, ?) > 0"  # noqa: S608 - our own
            return tuple(whole(number) for (number,) in self.rows(statement, (folded,)))
        test = text_test(condition)
        all_names = self.rows(f"SELECT id, name FROM {names.table}")  # noqa: S608 - our own
        return tuple(whole(number) for number, name in all_names if test(read_text(name) or ""))

    def names_in_order(self, field: IndexField) -> array[int]:
        """Return the numbers of all names of a field, in the order of (folded, name)."""
        table = _names_of(field).table
        newest = self.rows(f"SELECT max(id) FROM {table}")[0][0]  # noqa: S608 - our own
        order = self._orders.get(table)
        if order is None or order[0] != (newest, self._removals):
            numbers = self.rows(f"SELECT id FROM {table} ORDER BY folded, name")  # noqa: S608 - our own
            order = self._orders[table] = (
                (newest, self._removals),
                array("q", [whole(row[0]) for row in numbers]),
            )
        return order[1]

    def name_position(self, field: IndexField, name: str) -> tuple[int, bool]:
        """Return how many names of a field come before a name in their order, and whether it exists."""
        table, text = _names_of(field).table, stored_text(name)
        exists = self.rows(f"SELECT folded FROM {table} WHERE name = ?", (text,))  # noqa: S608 - our own
        folded = exists[0][0] if exists else text.casefold()
        before = f"SELECT count(*) FROM {table} WHERE (folded, name) < (?, ?)"  # noqa: S608 - our own
        return whole(self.rows(before, (folded, text))[0][0]), bool(exists)

    def text_of(self, field: IndexField, value: int | str | None) -> str | None:
        """Return what a value of a field says."""
        if not isinstance(value, int):
            return value
        return self.name(field.names, value) if field.names is not None else texts_of(field, (value,))[0]

    def listed(self, seqs: Sequence[int], paths: Sequence[str] = ()) -> list[EventRow]:
        """Return what a list shows of events, in this order, with these fields of their metadata.

        Raises:
            StoreDamaged: If the index knows an event that the store does not hold.
        """
        statement = statements.LISTED_WITH_METADATA if paths else statements.LISTED_ROWS
        rows = {row[0]: row for row in self._chosen(statement, seqs)}
        for place, field in enumerate(_LISTED_NAMES, 2):
            self.learn(_names_of(field), (row[place] for row in rows.values()))
        events, categories, users, sources = (self._names[_names_of(field).table] for field in _LISTED_NAMES)
        listed = []
        for seq in seqs:
            row = rows.get(seq)
            if row is None:
                raise StoreDamaged(f"Event {seq} is in an index, but not in the store.", "Verify the store.")
            (_, occurred_us, event, category, user, source, description, outcome, severity, source_ip, target,
             metadata) = row  # fmt: skip
            listed.append(
                EventRow(
                    seq,
                    time_or_zero(occurred_us),
                    events.get(event, ""),
                    None if category is None else categories.get(category, ""),
                    None if user is None else users.get(user, ""),
                    read_text(description),
                    read_outcome(outcome),
                    read_severity(severity),
                    read_text(source_ip),
                    read_text(target),
                    None if source is None else sources.get(source, ""),
                    read_fields(metadata, paths) if paths else (),
                )
            )
        return listed

    def whole_events(self, seqs: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        """Return all columns of events by their seqs; one that is not there is left out."""
        return {row[0]: row for row in self._chosen(statements.WHOLE_EVENTS, seqs)}

    def sizes(self, seqs: Sequence[int]) -> dict[int, int]:
        """Return how many bytes the long columns of events take, by their seqs."""
        return dict(self._chosen(statements.SIZES, seqs))

    def times(self, seqs: Sequence[int]) -> dict[int, int]:
        """Return the times of events by their seqs: sooner than the index where they lie far apart."""
        rows = self._chosen("SELECT seq, occurred_us FROM events WHERE seq", seqs)
        return {seq: time_or_zero(occurred_us) for seq, occurred_us in rows}

    def seqs_that(self, condition: Condition, seqs: Sequence[int]) -> list[int]:
        """Return those of some events whose rows pass a test; this is always right."""
        rows = self._chosen(_field_rows(condition.field), seqs)
        test = row_test(condition)
        return [row[0] for row in rows if test(row[1:])]

    def field_texts(self, field: FilterField, seqs: Sequence[int]) -> Iterator[Iterable[str]]:
        """Yield the texts of a field in each of some events, in no order."""
        for row in self._chosen(_field_rows(field), seqs):
            yield row_texts(field, row[1:])

    def values_of(self, field: IndexField, seqs: Sequence[int]) -> Counter[int | str | None]:
        """Return how many of some events have each value of a field, by their rows."""
        column = f"CAST({field.column} AS BLOB)" if field.is_text else field.column
        statement = f"SELECT seq, {column} FROM events WHERE seq"  # noqa: S608 - our own
        if is_dense(seqs):
            wanted = set(seqs)
            all_rows = self.rows(f"{statement} BETWEEN ? AND ?", (min(seqs), max(seqs)))
            rows: Iterable[tuple[Any, ...]] = (row for row in all_rows if row[0] in wanted)
        else:
            rows = self._chosen(statement, seqs)
        return Counter(stored_values(field, [value for _, value in rows]))

    def texts(
        self, field: ListField, segment: Segment, places: BitMap
    ) -> Iterator[tuple[int, int, str | None]]:
        """Yield seq, time and text of a field of events of a segment, in no order."""
        left = iter(places)
        path = field.path if isinstance(field, MetaField) else None
        column = field.attribute if isinstance(field, Column) else "metadata"
        while batch := list(islice(left, _ROWS_AT_ONCE)):
            self.check()
            statement = f"SELECT seq, occurred_us, {column} FROM events WHERE seq"  # noqa: S608 - our own
            for seq, occurred_us, stored in self._chosen(statement, segment.seqs(batch)):
                text = read_text(stored) if path is None else read_field(stored, path)
                yield seq, time_or_zero(occurred_us), text

    def _chosen(self, statement: str, seqs: Sequence[int]) -> Iterable[tuple[Any, ...]]:
        """Yield the rows of some events, one in memory at a time: a row may have megabytes."""
        if len(seqs) and max(seqs) - min(seqs) == len(seqs) - 1:
            yield from self.stream(f"{statement} BETWEEN ? AND ?", (min(seqs), max(seqs)))
            return
        for first in range(0, len(seqs), statements.MAX_MARKS):
            where, parameters = statements.chosen(list(seqs[first : first + statements.MAX_MARKS]))
            yield from self.stream(statement + where, parameters)

    def learn(self, names: NameTable, numbers: Iterable[int | None]) -> None:
        """Read the names with these numbers; a number never gets another name."""
        cached = self._names.setdefault(names.table, {})
        lacking = {number for number in numbers if number and number not in cached}
        if not lacking:
            return
        if len(cached) + len(lacking) > MAX_NAMES:
            cached.clear()
        wanted = [number for number in lacking if isinstance(number, int)]
        for first in range(0, len(wanted), statements.MAX_MARKS):
            some = wanted[first : first + statements.MAX_MARKS]
            marks = ", ".join("?" * len(some))
            read = self.rows(f"SELECT id, name FROM {names.table} WHERE id IN ({marks})", some)  # noqa: S608
            cached.update((number, read_text(name) or "") for number, name in read)

    def _look(self) -> list[Segment]:
        """Read which segments there are, and the rows that are in none."""
        segments = self._stored_segments()
        first_seq = segments[-1].last_seq + 1 if segments else 1
        if self.newest_seq - first_seq >= LEAST_EVENTS:
            scratch = self._scratch(segments, first_seq)
            # A writer may index meanwhile what is indexed here already.
            segments = [segment for segment in segments if segment.last_seq < scratch.first_seq]
            segments += scratch.segments(self.cache)
            first_seq = segments[-1].last_seq + 1
        tail = self._tail(first_seq)
        return [*segments, tail] if tail.events else segments

    def _stored_segments(self) -> list[Segment]:
        segments: list[Segment] = []
        reached = 0
        for header in in_order(self.rows(HEADERS)) if self._has_index else ():
            segment = StoredSegment(header, self, self.cache, self._source_key)
            if segment.first_seq <= reached or segment.last_seq > self.newest_seq:
                raise StoreDamaged("Segments of the index overlap.", "Rebuild it: audit-tui reindex")
            reached = segment.last_seq
            segments.append(segment)
        return segments

    def _scratch(self, stored: Sequence[Segment], first_seq: int) -> Scratch:
        """Return the private index of the events from a seq on, or from the end of an earlier segment."""
        from audit_tui.store.index.scratch import Scratch

        identity = (self._source_key, self._removals)
        scratch = self.cache.scratch
        if (
            not isinstance(scratch, Scratch)
            or scratch.identity != identity
            or scratch.first_seq > first_seq
            or any(segment.first_seq < scratch.first_seq <= segment.last_seq for segment in stored)
        ):
            scratch = self.cache.scratch = Scratch(identity, first_seq)
        scratch.catch_up(self._connection, self.newest_seq, self.check)
        return scratch

    def _tail(self, first_seq: int) -> RowSegment:
        """Return the events from a seq on as a segment, made longer from what readers had before."""
        identity = (self._source_key, self._removals, first_seq)
        tail = self.cache.tail.get(identity)
        if tail is None or tail.last_seq > self.newest_seq:
            tail = RowSegment(first_seq)
        if tail.last_seq < self.newest_seq:
            statement = f"{ROWS} WHERE seq BETWEEN ? AND ? ORDER BY seq"
            self.check()
            cursor = self._connection.execute(statement, (tail.last_seq + 1, self.newest_seq))
            tail = tail.extended(iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), []), self.newest_seq)
            self.cache.tail = {identity: tail}
        return tail


def _field_rows(field: FilterField) -> str:
    """Return the statement that reads a field's columns, to be followed by which events."""
    columns = ", ".join(f"CAST({column} AS BLOB)" for column in columns_of(field))
    return f"SELECT seq, {columns} FROM events WHERE seq"  # noqa: S608 - our own


def _names_of(field: IndexField) -> NameTable:
    assert field.names is not None  # noqa: S101 - only fields of names are asked for
    return field.names
