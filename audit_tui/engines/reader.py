"""The ``EventReader`` over a shared engine: each answer is one statement wherever it can be."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.columns import READ_TO_SORT, Column, NameColumn
from audit_tui.core.filter.filters import NO_VALUE_WORDS, Condition, MetaField
from audit_tui.core.filter.operators import CONTAINS, IS
from audit_tui.core.investigate.facets import facet_of
from audit_tui.core.query import (
    After,
    AtRow,
    Before,
    Bound,
    Host,
    Page,
    PageKey,
    SourceState,
    Standing,
    StoreInfo,
    ValueCount,
)
from audit_tui.core.text import counted
from audit_tui.core.time.dates import age_text
from audit_tui.engines.conditions import TRUE, Conditions, alternatives
from audit_tui.engines.dialect import Args, event_of, facet_text, row_of
from audit_tui.engines.layout import HOUR_US, NAME_FIELDS, Field
from audit_tui.engines.name_order import NameOrder
from audit_tui.engines.projections import Projections
from audit_tui.engines.totals import Scope, Totals, or_else
from audit_tui.errors import SourceLost, StoreError
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent, EventRow
    from audit_tui.core.event_fields import ListField
    from audit_tui.core.query import EventQuery, Facet, FacetField, Place
    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.dialect import Dialect
    from audit_tui.engines.pool import Pool

STREAM_ROWS = 1_000
FAR_ROWS = 5_000
"""Rows that are skipped one by one; beyond, the totals tell where to begin."""
SILENT_US = HOUR_US
"""A host that shipped nothing for so long is told of: nobody else sees that a shipper ended."""
MAX_METADATA_NAMES = 5_000
MAX_SORTED_VALUES = 1_000_000
"""Addresses that a result is sorted by; names are fewer."""
_SORTED_THERE = (*READ_TO_SORT, Column.SEQ)
"""Columns whose order the engine makes; of the others it groups the values, and they are sorted here."""
NEWEST, OLDEST = "occurred_us DESC, id DESC", "occurred_us, id"


class SharedReader:
    """Answers from a shared engine; implements ``core.query.EventReader``. Has no connection of its own.

    Args:
        pool: Asks the engine.
        dialect: The engine's SQL.
        url: The engine, for what is shown of it.
    """

    _has_hosts = True
    """The events are of stores with names, which are values of their source."""

    def __init__(self, pool: Pool, dialect: Dialect, url: SourceUrl) -> None:
        self._pool = pool
        self._dialect = dialect
        self._url = url
        self._scope = self._scope_of(dialect)
        self._totals = (Projections if dialect.has_projections else Totals)(self._scope)
        self._newest: int = Bound(0)
        self._heads_us: list[int | None] = []
        self._is_open = True
        pool.join()

    def info(self) -> StoreInfo:
        """Return what is known without a query."""
        statement = (
            f"SELECT i.*, s.store_id, s.name, s.last_n, s.shipped_us FROM ({self._dialect.info()}) i"
            f" LEFT JOIN ({self._dialect.stores()}) s ON 1 = 1 ORDER BY s.store"
        )
        rows = self._pool.rows(statement, {})
        store_id, version, events, first_us, last_us, size_bytes, *_ = rows[0]
        hosts = tuple(
            Host(str(name), int(number or 0), int(at) if at else None)
            for *_, host_id, name, number, at in rows
            if host_id
        )
        return StoreInfo(
            name=self._url.name,
            path=str(self._url),
            store_id=str(store_id),
            schema_version=int(version),
            events=int(events or 0),
            first_us=None if not events else int(first_us),
            last_us=None if not events else int(last_us),
            size_bytes=int(size_bytes or 0),
            notice=_notice([host.shipped_us for host in hosts]),
            hosts=hosts,
        )

    def state(self) -> SourceState:
        """Look how far the stores are shipped, and whether the engine can be reached."""
        try:
            self.newest_seq()
        except SourceLost as error:
            return SourceState(Standing.LOST, self._newest, error.message)
        if not self._heads_us:
            return SourceState(newest_seq=self._newest)
        silent = len(_silences_us(self._heads_us))
        warning = f"{counted(silent, 'host')} silent" if silent else ""
        return SourceState(newest_seq=self._newest, notice=_notice(self._heads_us), warning=warning)

    def newest_seq(self) -> int:
        """Return the bound of all events that are shipped now."""
        rows = self._pool.rows(self._dialect.heads(), {})
        stores = tuple((int(store), int(number)) for store, number, _ in rows)
        self._heads_us = [None if at is None else int(at) for *_, at in rows]
        self._newest = Bound(sum(number for _, number in stores), stores)
        return self._newest

    def page(
        self, query: EventQuery, place: Place, limit_rows: int, cancel: CancelToken | None = None
    ) -> Page:
        """Return a block of rows of a result."""
        if query.sort.column is Column.TIME:
            return self._page_by_time(query, place, limit_rows, cancel)
        if _is_sorted_there(query.sort.column):
            return self._page_by_text(query, place, limit_rows, cancel)
        return self._name_order(query, cancel).page(place, limit_rows)

    def count(
        self,
        query: EventQuery,
        cancel: CancelToken | None = None,
        report: Callable[[int], None] | None = None,
    ) -> int:
        """Count exactly how many events match."""
        args = Args(self._dialect)
        statement = f"SELECT {self._totals.counted(args, query)}"
        return self._number(statement, args, cancel, has_deadline=False)

    def locate(self, query: EventQuery, key: PageKey, cancel: CancelToken | None = None) -> int:
        """Return how many rows of the result come before this key."""
        if _is_sorted_there(query.sort.column):
            args = Args(self._dialect)
            where = f"{self._scope.where(args, query)} AND {self._before_text(args, query, key)}"
            return self._number(f"SELECT count(*) FROM audit_events e WHERE {where}", args, cancel)
        if query.sort.column is not Column.TIME:
            return self._name_order(query, cancel).locate(key)
        args = Args(self._dialect)
        start, end = query.interval.start_us, query.interval.end_us
        if query.sort.descending:
            beyond = replace(
                query.interval, start_us=max(key.occurred_us + 1, or_else(start, key.occurred_us + 1))
            )
            same = "e.id >"
        else:
            beyond = replace(query.interval, end_us=min(key.occurred_us, or_else(end, key.occurred_us)))
            same = "e.id <"
        whole = self._totals.counted(args, replace(query, interval=beyond))
        equal = f"e.occurred_us = {args(key.occurred_us)} AND {same} {args(key.seq)}"
        rest = f"(SELECT count(*) FROM audit_events e WHERE {self._scope.where(args, query)} AND {equal})"
        return self._number(f"SELECT {whole} + {rest}", args, cancel)

    def values(
        self, field: NameColumn, search: str, limit: int, cancel: CancelToken | None = None
    ) -> tuple[ValueCount, ...]:
        """Return values of a field that contain ``search`` without regard to case."""
        text = stored_text(search)
        folded = text.casefold()
        args = Args(self._dialect)
        number = NAME_FIELDS[field]
        where = self._conditions(args, cancel).names(number, CONTAINS, text) if text else ""
        rank = self._dialect.rank(args(text), args(folded)) if text else "3"
        statement = self._dialect.values(number, where or TRUE, rank, limit)
        rows = self._pool.rows(statement, args.values, cancel)
        candidates = [
            (
                (int(nearness), -int(events), False, str(name_folded), str(name)),
                ValueCount(str(name), int(events)),
            )
            for name, name_folded, events, nearness in rows
            if name is not None
        ]
        missing = next((int(events) for name, _, events, _ in rows if name is None), 0)
        if missing and folded in NO_VALUE_WORDS:
            is_begun = bool(folded) and NO_VALUE_WORDS.startswith(folded)
            near = 1 if folded == NO_VALUE_WORDS else 2 if is_begun else 3
            candidates.append(((near, -missing, True, "", ""), ValueCount(None, missing)))
        candidates.sort(key=lambda candidate: candidate[0])
        return tuple(value for _, value in candidates[:limit])

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
        """Return the values that a result's events have in a field, with how many of them have each."""
        if isinstance(field, Column) and field in NAME_FIELDS and field is not Column.SOURCE:
            totals = self._name_totals(query, NAME_FIELDS[field], cancel)
            return facet_of(totals, sum(totals.values()), limit, rarest=rarest)
        args = Args(self._dialect)
        every = f"SELECT * FROM audit_events e WHERE {self._scope.where(args, query, cancel)}"
        events = every
        if most_events is not None:
            events += f" ORDER BY e.occurred_us DESC, e.id DESC LIMIT {most_events}"
            every += f" LIMIT {most_events + 1}"
        missing = "0"
        if isinstance(field, MetaField):
            path = stored_text(field.path)
            grouped = self._dialect.leaf_totals(args, events, path)
            has_value = self._dialect.matches("e.texts", self._dialect.leaf_pattern(args, path, ""))
            missing = f"(SELECT count(*) FROM ({events}) e WHERE {self._dialect.negated(has_value)})"
        else:
            column = Conditions.column(field)
            grouped = f"SELECT {column} AS k, count(*) AS n FROM ({events}) e GROUP BY {column}"
            if field is Column.SOURCE:
                grouped = self._dialect.sources(events) if self._has_hosts else self._dialect.named(grouped)
        sizes = [f"(SELECT count(*) FROM ({source}) e)" for source in (events, every)]
        facts = self._pool.rows(f"SELECT {', '.join(sizes)}, {missing}", args.values, cancel)
        counted, exist, without = map(int, facts[0])
        rows = self._pool.rows(grouped, args.values, cancel)
        totals = Counter()
        for value, *hosts, number in rows:
            # The name of a host that its own events name, too, is one value of theirs.
            for text in {facet_text(field, value), *filter(None, hosts)}:
                totals[text] += int(number)
        totals[None] += without
        return facet_of(totals, counted, limit, rarest=rarest, is_whole=counted == exist)

    def histogram(
        self, query: EventQuery, edges_us: Sequence[int], cancel: CancelToken | None = None
    ) -> tuple[int, ...]:
        """Return how many of a result's events lie from each moment to the next."""
        args = Args(self._dialect)
        statement = self._totals.buckets(args, query, edges_us, cancel)
        numbers: Counter[int] = Counter()
        for bucket, number in self._pool.rows(statement, args.values, cancel):
            numbers[int(bucket)] += int(number)
        return tuple(numbers[bucket] for bucket in range(len(edges_us) - 1))

    def prepare(self, query: EventQuery | None = None, cancel: CancelToken | None = None) -> None:
        """Open a connection: nothing else is kept here that a later question would wait for."""
        self._pool.rows("SELECT 1", {}, cancel)

    def event(self, seq: int) -> AuditEvent | None:
        """Return one event with everything that is known of it; None if there is none of that number."""
        return next(iter(self._whole((seq,), None)), None)

    def metadata_names(self, cancel: CancelToken | None = None) -> dict[str, int]:
        """Return the dotted names of fields that the metadata have, in order; nobody counted them."""
        statement = f"SELECT name FROM audit_names WHERE field = {int(Field.PATH)} LIMIT {MAX_METADATA_NAMES}"
        return dict.fromkeys(sorted({str(name) for (name,) in self._pool.rows(statement, {}, cancel)}), 0)

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        """Yield all events of a result in its order, a thousand in memory at a time."""
        if query.upto_seq is None:
            query = replace(query, upto_seq=self.newest_seq())
        place: Place = AtRow(0)
        limit, is_end = STREAM_ROWS // 20, False
        while not is_end:
            page = self.page(query, place, limit, cancel)
            is_end, limit = page.is_end, STREAM_ROWS
            for event in self._whole([row.seq for row in page.rows], cancel):
                if cancel is not None:
                    cancel.check()
                yield replace(event, original=None)
            if page.rows:
                place = After(PageKey.of(page.rows[-1], query.sort))

    def close(self) -> None:
        """Let the connections go, if this is the last of their readers."""
        if self._is_open:
            self._is_open = False
            self._pool.leave()

    # How results are asked for

    def _scope_of(self, dialect: Dialect) -> Scope:
        return Scope(dialect, self._conditions)

    def _lookup(self, cancel: CancelToken | None) -> Callable[[str, Args], list[str]]:
        def lookup(statement: str, values: Args) -> list[str]:
            rows = self._pool.rows(statement, values.values, cancel)
            return [str(text) for (text,) in rows if text is not None]

        return lookup

    def _conditions(self, args: Args, cancel: CancelToken | None) -> Conditions:
        return Conditions(args, self._lookup(cancel))

    def _number(
        self, statement: str, args: Args, cancel: CancelToken | None, *, has_deadline: bool = True
    ) -> int:
        return int(self._pool.rows(statement, args.values, cancel, has_deadline=has_deadline)[0][0] or 0)

    def _listed(
        self, keys: str, order: str, args: Args, cancel: CancelToken | None, paths: Sequence[str] = ()
    ) -> list[EventRow]:
        statement = self._dialect.rows(keys, order, with_metadata=bool(paths))
        return [row_of(values, paths) for values in self._pool.rows(statement, args.values, cancel)]

    def _whole(self, seqs: Sequence[int], cancel: CancelToken | None) -> Iterator[AuditEvent]:
        if not seqs:
            return
        args = Args(self._dialect)
        statement = self._dialect.whole(args, list(seqs))
        rows = {int(row[0]): row for row in self._pool.rows(statement, args.values, cancel)}
        for seq in seqs:
            if (row := rows.pop(seq, None)) is not None:
                yield event_of(row)

    # Pages

    def _page_by_time(
        self, query: EventQuery, place: Place, limit_rows: int, cancel: CancelToken | None
    ) -> Page:
        offset, sign = 0, ""
        descending = query.sort.descending
        args = Args(self._dialect)
        extra = TRUE
        match place:
            case AtRow(index=index):
                offset = max(index, 0)
                if offset >= FAR_ROWS and (near := self._near(query, offset, cancel)) is not None:
                    edge, before = near
                    extra = f"e.occurred_us {'<' if descending else '>='} {args(edge)}"
                    offset -= before
            case After(key=key) | Before(key=key):
                is_back = isinstance(place, Before)
                sign = "<" if descending is not is_back else ">"
                moment, seq = args(key.occurred_us), args(key.seq)
                # The bound on the time beside the pair: 186 -> 9 ms in ClickHouse.
                extra = f"e.occurred_us {sign}= {moment} AND (e.occurred_us, e.id) {sign} ({moment}, {seq})"
                descending = descending is not is_back
        order = NEWEST if descending else OLDEST
        keys = self._keys(args, query, extra, order, limit_rows + 1, offset, cancel)
        rows = self._listed(keys, _of("k", order), args, cancel, query.paths)
        is_end = len(rows) <= limit_rows
        del rows[limit_rows:]
        if isinstance(place, Before):
            rows.reverse()
        return Page(tuple(rows), is_end)

    def _near(self, query: EventQuery, index: int, cancel: CancelToken | None) -> tuple[int, int] | None:
        """Return a moment near a row far down, and the number of rows before it; or None."""
        args = Args(self._dialect)
        span = self._totals.span_before(args, query, index)
        interval, down = query.interval, query.sort.descending
        if span is not None:
            grain, statement = span
        elif self._dialect.reads_columns:
            grain, where = 1, self._scope.where(args, query, cancel)
            order = _of("e", NEWEST if down else OLDEST)
            statement = f"SELECT e.occurred_us FROM audit_events e WHERE {where} ORDER BY {order}"
            statement += f" LIMIT 1 OFFSET {index}"
        else:
            return None
        rows = self._pool.rows(statement, args.values, cancel)
        if not rows:
            return None
        # The totals may count events beyond the bound: how many rows are before is counted exactly.
        edge = (int(rows[0][0]) + (1 if down else 0)) * grain
        if down:
            beyond = replace(interval, start_us=max(edge, or_else(interval.start_us, edge)))
        else:
            beyond = replace(interval, end_us=min(edge, or_else(interval.end_us, edge)))
        return edge, self.count(replace(query, interval=beyond), cancel)

    def _keys(
        self,
        args: Args,
        query: EventQuery,
        extra: str,
        order: str,
        limit: int,
        offset: int,
        cancel: CancelToken | None,
    ) -> str:
        """Return the statement of the first keys of a result, each choice of conditions by itself."""
        scope = self._scope.inside(args, query)
        is_one = offset or self._dialect.reads_columns
        choices = (query.filter,) if is_one else alternatives(query.filter)
        conditions = self._conditions(args, cancel)
        order_e = _of("e", order)
        columns = self._dialect.row_columns(with_metadata=bool(query.paths))
        selects = [
            f"SELECT {columns} FROM audit_events e"
            f" WHERE {scope} AND {extra} AND ({conditions.sql(choice)}){self._totals.meeting(args, choice)}"
            f" ORDER BY {order_e} LIMIT {limit}"
            for choice in choices
        ]
        if len(selects) == 1:
            return f"{selects[0]} OFFSET {offset}"
        union = " UNION DISTINCT ".join(f"({select})" for select in selects)
        return f"SELECT * FROM ({union}) u ORDER BY {order} LIMIT {limit}"

    def _page_by_text(
        self, query: EventQuery, place: Place, limit_rows: int, cancel: CancelToken | None
    ) -> Page:
        args = Args(self._dialect)
        offset, extra, is_back = 0, TRUE, False
        match place:
            case AtRow(index=index):
                offset = max(index, 0)
            case After(key=key):
                before = self._before_text(args, query, key)
                same = f"(e.occurred_us = {args(key.occurred_us)} AND e.id = {args(key.seq)})"
                extra = f"NOT ({before}) AND NOT {same}"
            case Before(key=key):
                is_back = True
                extra = self._before_text(args, query, key)
        where = f"{self._scope.where(args, query, cancel)} AND {extra}"
        down = "DESC" if query.sort.descending is not is_back else ""
        newest = "" if is_back else "DESC"
        compared = ", ".join(f"{part} {down}" for part in self._compared(query.sort.column))
        order = f"{compared}, e.occurred_us {newest}, e.id {newest}"
        columns = self._dialect.row_columns(with_metadata=bool(query.paths))
        keys = (
            f"SELECT {columns} FROM audit_events e WHERE {where} ORDER BY {order}"
            f" LIMIT {limit_rows + 1} OFFSET {offset}"
        )
        rows = self._listed(keys, order, args, cancel, query.paths)
        is_end = len(rows) <= limit_rows
        del rows[limit_rows:]
        if is_back:
            rows.reverse()
        return Page(tuple(rows), is_end)

    def _compared(self, column: ListField) -> tuple[str, ...]:
        """Return what rows are compared by in the order of a column, before their time."""
        if isinstance(column, MetaField):
            raise StoreError("A shared store does not sort by metadata.", "Sort by a column.")
        if column is Column.SEQ:
            return ("e.id",)
        name = f"e.{column.value}"
        folded = f"coalesce({self._dialect.folded(column.value)}, '')"
        return f"({name} IS NULL)", folded, f"coalesce({name}, '')"

    def _before_text(self, args: Args, query: EventQuery, key: PageKey) -> str:
        """Return the condition of the rows before a key in a result that is sorted by a column."""
        sign = ">" if query.sort.descending else "<"
        mine = f"({', '.join(self._compared(query.sort.column))})"
        if query.sort.column is Column.SEQ:
            its = args(int(key.value or 0))
        else:
            text = stored_text(key.value or "")
            its = f"({'TRUE' if key.value is None else 'FALSE'}, {args(text.casefold())}, {args(text)})"
        moment, seq = args(key.occurred_us), args(key.seq)
        return f"({mine} {sign} {its} OR ({mine} = {its} AND (e.occurred_us, e.id) > ({moment}, {seq})))"

    def _name_order(self, query: EventQuery, cancel: CancelToken | None) -> NameOrder:
        column = query.sort.column
        if column is Column.SOURCE:
            totals: Mapping[str | None, int] = self._name_totals(query, Field.SOURCE, cancel)
        else:
            values = self.facets(query, column, MAX_SORTED_VALUES, cancel).values
            totals = {value.value: value.events for value in values}

        def is_named(args: Args, name: str | None) -> str:
            if column is Column.SOURCE and name is not None:
                # The condition of a filter also takes the events of a host of this name: 63 rows of 40.
                return self._dialect.name_is(args, Field.SOURCE, name)
            return f"({self._conditions(args, cancel).sql(Condition(column, IS, name))})"

        def count_newer(key: PageKey) -> int:
            args = Args(self._dialect)
            where = f"{self._scope.where(args, query, cancel)} AND {is_named(args, key.value)}"
            newer = f"(e.occurred_us, e.id) > ({args(key.occurred_us)}, {args(key.seq)})"
            return self._number(
                f"SELECT count(*) FROM audit_events e WHERE {where} AND {newer}", args, cancel
            )

        def rows_of(
            names: Sequence[str | None], extra: Callable[[Args], str], order: str, limit: int, offset: int
        ) -> list[EventRow]:
            args = Args(self._dialect)
            scope = self._scope.where(args, query, cancel)
            order_e = _of("e", order)
            columns = self._dialect.row_columns(with_metadata=bool(query.paths))
            selects = []
            for name in names:
                selects.append(
                    f"SELECT {columns} FROM audit_events e WHERE {scope}"
                    f" AND {is_named(args, name)} AND {extra(args)} ORDER BY {order_e}"
                    f" LIMIT {limit} OFFSET {offset}"
                )
            keys = " UNION ALL ".join(f"({select})" for select in selects)
            if len(selects) > 1:
                keys = f"SELECT * FROM ({keys}) u"
            return self._listed(keys, _of("k", order), args, cancel, query.paths)

        return NameOrder(query.sort, totals, rows_of, count_newer)

    def _name_totals(
        self, query: EventQuery, field: Field, cancel: CancelToken | None
    ) -> Counter[str | None]:
        """Return the number of a result's events for each name of a field."""
        args = Args(self._dialect)
        grouped = self._totals.grouped(args, query, field, cancel)
        rows = self._pool.rows(self._dialect.named(grouped), args.values, cancel)
        totals: Counter[str | None] = Counter()
        for name, number in rows:
            totals[name] += int(number)
        return totals


def _notice(heads_us: Sequence[int | None]) -> str:
    """Say how many hosts ship, and which part of them was not heard of for long."""
    silences_us = _silences_us(heads_us)
    if not silences_us:
        return counted(len(heads_us), "store")
    of_all = f"{len(silences_us)} of {counted(len(heads_us), 'host')} silent"
    # Whoever never shipped anything has no age.
    ages_us = [age_us for age_us in silences_us if age_us]
    return f"{of_all} for {age_text(min(ages_us))}" if ages_us else of_all


def _silences_us(heads_us: Sequence[int | None]) -> list[int]:
    """Return how long ago the hosts shipped that are silent, 0 for one that never did."""
    now_us = time.time_ns() // 1000
    return [now_us - at if at else 0 for at in heads_us if not at or now_us - at >= SILENT_US]


def _of(alias: str, order: str) -> str:
    """Return an order with the alias of the table."""
    return (
        order.replace("occurred_us", f"{alias}.occurred_us").replace("id", f"{alias}.id") if alias else order
    )


def _is_sorted_there(field: ListField) -> bool:
    """Tell whether the engine makes the order of a field, or says that it does not."""
    return isinstance(field, MetaField) or field in _SORTED_THERE
