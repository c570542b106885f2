"""Redact mode: the same screen, commands and exports with pseudonyms in the place of names and addresses.

It stands between the source and everything that shows events, so that no widget, copy or export has to
know of it. What is asked for by a pseudonym is asked of the source by its name.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.event_fields import metadata_text, metadata_texts
from audit_tui.core.filter.filters import (
    NO_VALUE_WORDS,
    All,
    Any,
    Condition,
    FilterField,
    MetaField,
    condition_of,
    with_conditions,
)
from audit_tui.core.filter.operators import IN_NETWORK
from audit_tui.core.investigate.facets import facet_of, facet_of_events
from audit_tui.core.query import NEWEST_FIRST, After, Before, ValueCount

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.columns import NameColumn
    from audit_tui.core.event import AuditEvent, EventRow
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.privacy.pseudonyms import Pseudonyms
    from audit_tui.core.query import (
        EventQuery,
        EventReader,
        Facet,
        FacetField,
        Page,
        PageKey,
        Place,
        ReaderFactory,
        Sort,
        SourceState,
        StoreInfo,
    )

_SHOWN_BY_VALUE = frozenset(
    (Column.EVENT, Column.CATEGORY, Column.USER, Column.SOURCE_IP, Column.OUTCOME, Column.SEVERITY)
)
MOST_REDACTED_EVENTS = 2_000
"""Values that are shown by their events are counted in this many where an answer is wanted soon: 0.2 s."""
LEARN_AGAIN_S = 5.0
"""While events are added, users are asked for again after this long."""


MAX_USERS = 10_000_000
"""Up to this many users of a store are hidden in texts."""


class RedactMode:
    """A switch, shared by all readers of a run; its key is loaded when the mode is first used."""

    def __init__(self, load_key: Callable[[], bytes], *, is_on: bool = False) -> None:
        self.is_on = is_on
        self._load_key = load_key
        self._pseudonyms: Pseudonyms | None = None
        self._learned_seq = -1
        self._learn_at_s = 0.0

    def pseudonyms(self, reader: EventReader) -> Pseudonyms | None:
        """Return what to replace names with; None while the mode is off. Blocks when it is first used."""
        return self.pseudonyms_of(reader) if self.is_on else None

    def pseudonyms_of(self, reader: EventReader) -> Pseudonyms:
        """Return what names are replaced with when the mode is on. Blocks when it is first used."""
        if isinstance(reader, RedactingReader):
            # Asked for users, one that redacts would name pseudonyms.
            reader = reader.plain
        if self._pseudonyms is None:
            from audit_tui.core.privacy.pseudonyms import Pseudonyms

            self._pseudonyms = Pseudonyms(self._load_key())
        if time.monotonic() >= self._learn_at_s and (seq := reader.newest_seq()) != self._learned_seq:
            users = reader.values(Column.USER, "", MAX_USERS)
            self._pseudonyms.learn(user.value for user in users if user.value)
            self._learned_seq, self._learn_at_s = seq, time.monotonic() + LEARN_AGAIN_S
        return self._pseudonyms

    def readers(self, open_reader: ReaderFactory) -> ReaderFactory:
        """Return the same source behind this switch."""
        return lambda: RedactingReader(open_reader(), self)

    def shown(self, expression: Filter) -> Filter:
        """Return a filter that somebody typed as the screen shows it; never blocks."""
        names = self._pseudonyms
        return expression if names is None or not self.is_on else shown_filter(expression, names)

    def real(self, expression: Filter) -> Filter:
        """Return a filter that the screen shows as it is to be kept; never blocks."""
        return expression if self._pseudonyms is None else real_filter(expression, self._pseudonyms)

    def real_query(self, reader: EventReader, query: EventQuery) -> EventQuery:
        """Return a query by pseudonyms as one by names."""
        names = self.pseudonyms(reader)
        return query if names is None else replace(query, filter=real_filter(query.filter, names))


class RedactingReader:
    """A reader whose answers hold pseudonyms while the mode is on; implements ``core.query.EventReader``."""

    def __init__(self, reader: EventReader, mode: RedactMode) -> None:
        self.plain = reader
        """The reader that it asks, whose answers hold the names."""
        self._mode = mode

    def info(self) -> StoreInfo:
        info, names = self.plain.info(), self._names()
        if names is None:
            return info
        # The path stays: it is for opening the store again, and not shown.
        return replace(info, name=names.text(info.name) or "", notice=names.text(info.notice) or "")

    def state(self) -> SourceState:
        return self.plain.state()

    def newest_seq(self) -> int:
        return self.plain.newest_seq()

    def prepare(self, query: EventQuery | None = None, cancel: CancelToken | None = None) -> None:
        self.plain.prepare(None if query is None else self._real(query), cancel)

    def page(
        self, query: EventQuery, place: Place, limit_rows: int, cancel: CancelToken | None = None
    ) -> Page:
        names = self._names()
        if names is not None and isinstance(place, After | Before):
            place = replace(place, key=self._real_key(place.key, query.sort))
        if names is None:
            return self.plain.page(query, place, limit_rows, cancel)
        page = self.plain.page(replace(self._real(query), paths=()), place, limit_rows, cancel)
        return replace(page, rows=tuple(self._row(names, row, query.row_paths) for row in page.rows))

    def count(
        self,
        query: EventQuery,
        cancel: CancelToken | None = None,
        report: Callable[[int], None] | None = None,
    ) -> int:
        return self.plain.count(self._real(query), cancel, report)

    def locate(self, query: EventQuery, key: PageKey, cancel: CancelToken | None = None) -> int:
        return self.plain.locate(self._real(query), self._real_key(key, query.sort), cancel)

    def values(
        self, field: NameColumn, search: str, limit: int, cancel: CancelToken | None = None
    ) -> tuple[ValueCount, ...]:
        names = self._names()
        if names is None:
            return self.plain.values(field, search, limit, cancel)
        wanted = search.casefold()
        totals = self._totals(field, self.plain.values(field, "", _max_names(), cancel))
        matches = (
            ValueCount(value, events)
            for value, events in totals.most_common()
            if wanted in (NO_VALUE_WORDS if value is None else value.casefold())
        )
        return tuple(islice(matches, limit))

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
        names = self._names()
        if names is None:
            return self.plain.facets(
                query, field, limit, cancel, rarest=rarest, counts_all=counts_all, most_events=most_events
            )
        if field in _SHOWN_BY_VALUE:
            facet = self.plain.facets(
                self._real(query), field, _max_names(), cancel, counts_all=True, most_events=most_events
            )
            totals = self._totals(field, facet.values)
            joined = facet_of(totals, facet.counted, limit, rarest=rarest, is_whole=facet.is_whole)
            return joined if facet.distinct == len(facet.values) else replace(joined, distinct=None)
        # A value of these may hold what only the rest of its event tells to be a name.
        newest = replace(query, sort=NEWEST_FIRST)
        most = None if most_events is None else min(most_events, MOST_REDACTED_EVENTS)
        return facet_of_events(self.events(newest, cancel), field, limit, rarest=rarest, most_events=most)

    def histogram(
        self, query: EventQuery, edges_us: Sequence[int], cancel: CancelToken | None = None
    ) -> tuple[int, ...]:
        return self.plain.histogram(self._real(query), edges_us, cancel)

    def metadata_names(self, cancel: CancelToken | None = None) -> Mapping[str, int]:
        paths, names = self.plain.metadata_names(cancel), self._names()
        if names is None:
            return paths
        shown: Counter[str] = Counter()
        for path, events in paths.items():
            shown[names.value(Column.DESCRIPTION, path) or path] += events
        return shown

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        names = self._names()
        for event in self.plain.events(self._real(query), cancel):
            yield event if names is None else names.event(event)

    def event(self, seq: int) -> AuditEvent | None:
        event, names = self.plain.event(seq), self._names()
        return event if event is None or names is None else names.event(event)

    def close(self) -> None:
        self.plain.close()

    def _names(self) -> Pseudonyms | None:
        return self._mode.pseudonyms(self.plain)

    def _real(self, query: EventQuery) -> EventQuery:
        return self._mode.real_query(self.plain, query)

    def _row(self, names: Pseudonyms, row: EventRow, paths: Sequence[str]) -> EventRow:
        """Return a row without names; fields of the metadata are looked up by their shown names."""
        shown = names.row(row)
        event = self.event(row.seq) if paths else None
        return shown if event is None else shown._replace(metadata=metadata_texts(event.metadata, paths))

    def _real_key(self, key: PageKey, sort: Sort) -> PageKey:
        """The key with the text that the event itself has, since several texts may be shown alike."""
        names = self._names()
        if names is None or key.value is None:
            return key
        # PageKey.just_before moves the number by one.
        for seq in (key.seq, key.seq - 1, key.seq + 1):
            event = self.plain.event(seq)
            if event is None or event.occurred_us != key.occurred_us:
                continue
            shown, text = names.event(event), _sorted_by(event, sort)
            if isinstance(text, int):
                return key
            if key.value in (_sorted_by(shown, sort), text):
                return replace(key, value=text)
        return replace(key, value=names.originals(key.value)[0])

    def _totals(self, field: FacetField, values: tuple[ValueCount, ...]) -> Counter[str | None]:
        column, names = field if isinstance(field, Column) else Column.DESCRIPTION, self._names()
        totals: Counter[str | None] = Counter()
        for value in values:
            totals[value.value if names is None else names.value(column, value.value)] += value.events
        return totals


def shown_filter(expression: Filter, names: Pseudonyms) -> Filter:
    """Return a filter by names as one by pseudonyms, so that a screen does not name who was asked for."""

    def shown(condition: Condition) -> Filter:
        field, value = condition.field, condition.value
        column = field if isinstance(field, Column) else Column.DESCRIPTION
        if isinstance(field, MetaField):
            field = MetaField(names.value(Column.DESCRIPTION, field.path) or field.path)
        is_name = value is not None and condition.operator.base is not IN_NETWORK
        if is_name and names.originals(value or "") == (value,):
            value = names.value(column, value)
        return Condition(field, condition.operator, value)

    return with_conditions(expression, shown)


def real_filter(expression: Filter, names: Pseudonyms) -> Filter:
    """Return a filter by pseudonyms as one by names: any of them, where one stands for several."""

    def real(condition: Condition) -> Filter:
        fields: list[FilterField] = [condition.field]
        if isinstance(condition.field, MetaField):
            fields = [MetaField(path) for path in names.originals(condition.field.path)]
        value = condition.value
        values: tuple[str | None, ...] = (None,) if value is None else names.originals(value)
        parts = [condition_of(field, condition.operator, value) for field in fields for value in values]
        if len(parts) == 1:
            return parts[0]
        return All(tuple(parts)) if condition.operator.is_negated else Any(tuple(parts))

    return with_conditions(expression, real)


def _max_names() -> int:
    # With its patterns, 2 ms that a command without pseudonyms need not wait for.
    from audit_tui.core.privacy.name_finder import MAX_NAMES

    return MAX_NAMES


def _sorted_by(event: AuditEvent, sort: Sort) -> str | int | None:
    column = sort.column
    if isinstance(column, MetaField):
        return metadata_text(event.metadata, column.path)
    value: str | int | None = getattr(event, column.attribute)
    return value
