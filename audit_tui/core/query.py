"""A question about events, and what answers it.

``EventReader`` is all that the screen knows of a store; any source of events that can do this can be
reviewed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias

from audit_tui.core.columns import READ_TO_SORT, Column, NameColumn
from audit_tui.core.event_fields import row_text
from audit_tui.core.filter.filters import EVERYTHING, FILTER_COLUMNS, Filter, MetaField
from audit_tui.core.filter.networks import address_of
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent, EventRow
    from audit_tui.core.event_fields import ListField


SortRank: TypeAlias = tuple[bool, str, str]
"""A value is missing, what is compared first of it, the text itself."""
_MOST_DIGITS = 20
"""Of the number of an event."""


class Interval(Record):
    """A half-open span of time, ``[start_us, end_us)``."""

    start_us: int | None = None
    """Microseconds since 1970; None has no beginning."""
    end_us: int | None = None
    """Microseconds since 1970, itself outside; None has no end."""


class Sort(Record):
    """The order of a result.

    By date: by (time, seq). By another column: by the text without regard to case, then by the text
    itself, addresses and numbers by what they are, a missing value after all others; events with the same
    value newest first. ``descending`` turns round the column's own order only, so a missing value then
    comes first.
    """

    column: ListField = Column.TIME
    descending: bool = True

    @property
    def reads_rows(self) -> bool:
        """Tell whether texts must be read to sort by them: no index has their order."""
        return self.column in READ_TO_SORT or isinstance(self.column, MetaField)

    def rank(self, text: str | None) -> SortRank:
        """Return what a text of the column is compared by, ascending."""
        if text is None:
            return True, "", ""
        if self.column is Column.SEQ:
            return False, text.zfill(_MOST_DIGITS), text
        if self.column is Column.SOURCE_IP and (address := address_of(text)) is not None:
            # Before all that is not an address: no text begins with NUL.
            return False, f"\0{address.version}{int(address):039d}", text
        return False, text.casefold(), text


NEWEST_FIRST = Sort()


class Bound(int):
    """The events that a source has at a moment, opaque but for their number.

    A store's is the number of its newest event. A source that many stores ship to has events of one store
    between those of others, so its bound also tells how many it has of each.
    """

    stores: tuple[tuple[int, int], ...]
    """The number of each store, and of the newest of its events; empty for a store itself."""

    def __new__(cls, events: int, stores: tuple[tuple[int, int], ...] = ()) -> Self:
        """Make a bound."""
        bound = super().__new__(cls, events)
        bound.stores = stores
        return bound


class EventQuery(Record):
    """A choice of events and their order. Immutable: a change makes a new one."""

    filter: Filter = EVERYTHING
    interval: Interval = Interval()
    sort: Sort = NEWEST_FIRST
    upto_seq: int | None = None
    """Only events up to this bound, from ``EventReader.newest_seq``, so that rows keep their places while a
    writer appends; None takes whatever is there."""
    paths: tuple[str, ...] = ()
    """The names of metadata fields whose texts the rows are to carry."""

    @property
    def row_paths(self) -> tuple[str, ...]:
        """Those, and the field that the rows are sorted by."""
        column = self.sort.column
        is_more = isinstance(column, MetaField) and column.path not in self.paths
        return (*self.paths, column.path) if is_more and isinstance(column, MetaField) else self.paths


class PageKey(Record):
    """The place of an event in a sorted result, without counting the rows before it."""

    value: str | None
    """The text of the sort column; None for a missing value and in a sort by date."""
    occurred_us: int
    seq: int

    @classmethod
    def of(cls, row: EventRow, sort: Sort) -> PageKey:
        """The key of a row in a result sorted so."""
        value: str | None = None
        if sort.column is not Column.TIME:
            value = row_text(row, sort.column)
        return cls(value, row.occurred_us, row.seq)

    def just_before(self, sort: Sort) -> PageKey:
        """A key that only this event follows: the rows after it begin with the event itself."""
        is_oldest_first = sort.column is Column.TIME and not sort.descending
        return replace(self, seq=self.seq + (-1 if is_oldest_first else 1))


class After(Record):
    """The rows that follow this key, nearest first; the event with the key itself is left out."""

    key: PageKey


class Before(Record):
    """The rows that lead up to this key, in the result's order; the event itself is left out."""

    key: PageKey


class AtRow(Record):
    """The rows from this 0-based place on."""

    index: int


Place: TypeAlias = After | Before | AtRow


class Page(Record):
    """A block of consecutive rows of a result, in its order."""

    rows: tuple[EventRow, ...]
    is_end: bool
    """No further rows lie in the direction that was read."""


class RowCount(Record):
    """The number of rows of a result, as far as it has been counted."""

    value: int
    exact: bool
    """False: it has at least this many."""


class ValueCount(Record):
    """A value of a field and in how many events it stands: of the whole store, or of a result."""

    value: str | None
    """None is the missing value."""
    events: int


FacetField: TypeAlias = Column | MetaField
"""A field whose values are counted: one of ``FACET_COLUMNS``, or a part of the metadata."""
FACET_COLUMNS = tuple(column for column in FILTER_COLUMNS if column not in (Column.TIME, Column.SEQ))
"""The columns whose values are counted; of times there are histograms."""


class Facet(Record):
    """The values that a result's events have in a field."""

    values: tuple[ValueCount, ...]
    """The most frequent, or the rarest, and the number of events of each: exact for the events counted."""
    distinct: int | None
    """The number of different values, the missing one too; None when not all were counted."""
    counted: int
    """The number of events that were looked at."""
    is_whole: bool = True
    """Those are all events of the result; False: they are its newest."""


class StoreInfo(Record):
    """Facts about a store that need no query."""

    name: str
    """The name on the screen: the file's."""
    path: str
    store_id: str
    schema_version: int
    events: int
    first_us: int | None
    """The earliest event's time; None in an empty store."""
    last_us: int | None
    """The latest event's time; None in an empty store."""
    size_bytes: int
    notice: str = ""
    """A remark on how it is read ("snapshot, not live"); empty when nothing."""
    hosts: tuple[Host, ...] = ()
    """Of a shared engine."""


class Host(Record):
    """A host whose sealed store was shipped to the engine that is read."""

    name: str
    events: int
    shipped_us: int | None
    """The time of its newest batch, by its own clock; None before the first."""


class Standing(Enum):
    """The fate of a source while a reader has it open."""

    IN_PLACE = "in place"
    REPLACED = "replaced"
    """Another file lies where it was; the reader still reads the old one."""
    DELETED = "deleted"
    """Nothing lies where it was; the reader still reads the old one."""
    DAMAGED = "damaged"
    """It was cut short, or overwritten by something that is not a store."""
    LOST = "lost"
    """The connection to it is gone; the reader tries again by itself."""


class SourceState(Record):
    """The result of a look at the source, without a query."""

    standing: Standing = Standing.IN_PLACE
    newest_seq: int = 0
    """The number of the event appended last, as far as the reader can still see."""
    notice: str = ""
    """The text of ``StoreInfo.notice`` as it would be now."""
    warning: str = ""
    """The part of it that has to stay in sight, in few words."""


class EventReader(Protocol):
    """One connection to a source of events, for one thread at a time.

    Every method may block; none is called on the event loop. All raise QueryCancelled when their token
    is cancelled, and StoreError when the source cannot answer.
    """

    def info(self) -> StoreInfo:
        """Return what needs no query."""
        ...

    def state(self) -> SourceState:
        """Look whether the source is still what was opened; 0.1 ms, fit to be asked every second.

        Where the reader shows a snapshot and the file has changed, it is opened again.
        """
        ...

    def newest_seq(self) -> int:
        """The number of the event appended last, 0 in an empty store; or a ``Bound``, which is more."""
        ...

    def page(
        self, query: EventQuery, place: Place, limit_rows: int, cancel: CancelToken | None = None
    ) -> Page:
        """A block of rows of a result."""
        ...

    def count(
        self,
        query: EventQuery,
        cancel: CancelToken | None = None,
        report: Callable[[int], None] | None = None,
    ) -> int:
        """Exactly how many events match.

        The report is told, while it is counted, how many there are at least; maybe never.
        """
        ...

    def locate(self, query: EventQuery, key: PageKey, cancel: CancelToken | None = None) -> int:
        """Return how many rows of the result come before this key.

        That is the row index of the event, if it is in the result, else of the row that would follow it.
        """
        ...

    def values(
        self, field: NameColumn, search: str, limit: int, cancel: CancelToken | None = None
    ) -> tuple[ValueCount, ...]:
        """Values of a field that contain ``search`` without regard to case.

        The most frequent first, those that begin with ``search`` before the others; an exact match
        first of all, then those that differ from it by case alone. An empty ``search`` takes all. The
        missing value is among them (value None) when an event lacks the field and ``search`` is empty or
        part of "(none)".
        """
        ...

    def facets(
        self,
        query: EventQuery,
        field: FacetField,
        limit: int,
        cancel: CancelToken | None = None,
        *,
        rarest: bool = False,
        counts_all: bool = False,
        most_events: int | None = None,
    ) -> Facet:
        """The values that a result's events have in a field, with how many of them have each: exact.

        The most frequent first, then in the order of names; the missing value (None) counts as one, after
        others that are as frequent. An event with several values counts for each of them, so that a filter
        by a value finds as many events as are told of it.

        Args:
            query: Which events; its order means nothing here.
            field: Whose values.
            limit: The most values to return.
            cancel: Ends it.
            rarest: The rarest first.
            counts_all: Tell in any case how many values there are; takes longer where there are thousands.
            most_events: Where no index counts the values, count them in this many of the newest events of the
                result at most; None counts all.
        """
        ...

    def histogram(
        self, query: EventQuery, edges_us: Sequence[int], cancel: CancelToken | None = None
    ) -> tuple[int, ...]:
        """Return how many of a result's events lie from each of these ascending moments to the next.

        One number less than there are moments: the first bucket holds ``edges_us[0]``, the last one ends
        before ``edges_us[-1]``, and events outside of them are in none.
        """
        ...

    def prepare(self, query: EventQuery | None = None, cancel: CancelToken | None = None) -> None:
        """Do now, while nobody waits, what a later question would wait for.

        Without a query: what the first hard question would (0.1 to 0.3 s). With one: what a jump to a far
        row of its result would, on any reader of this source.
        """
        ...

    def event(self, seq: int) -> AuditEvent | None:
        """Return one event with everything that is known of it; None if there is none of that number."""
        ...

    def metadata_names(self, cancel: CancelToken | None = None) -> Mapping[str, int]:
        """Return the dotted names of fields that the metadata of the newest million events have, in order.

        With how many of these events have each; 0 where nobody counted.
        """
        ...

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        """Yield all events of a result in its order, in constant memory; later ones are left out.

        Raises:
            QueryCancelled: Between two events, if the token is cancelled.
        """
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


ReaderFactory: TypeAlias = Callable[[], EventReader]
"""Opens another reader of the same source; each thread has its own."""
