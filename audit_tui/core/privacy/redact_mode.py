"""Redact mode: the same screen, commands and exports with pseudonyms in the place of names and addresses.

It stands between the source and everything that shows events, so that no widget, copy or export has to
know of it. What is asked for by a pseudonym is asked of the source by its name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column, NameColumn
from audit_tui.core.filters import Filter, with_conditions
from audit_tui.core.query import After, Before, ValueCount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.privacy.pseudonyms import Pseudonyms
    from audit_tui.core.query import (
        EventQuery,
        EventReader,
        Page,
        PageKey,
        Place,
        ReaderFactory,
        SourceState,
        StoreInfo,
    )

MAX_USERS = 20_000
"""So many users, the most frequent, are replaced in texts too; asking for them takes 20 ms."""


class RedactMode:
    """A switch, shared by all readers of a run.

    Args:
        load_key: Gives the key of the pseudonyms; called when the mode is first used.
        is_on: Whether it begins switched on.
    """

    def __init__(self, load_key: Callable[[], bytes], *, is_on: bool = False) -> None:
        self.is_on = is_on
        self._load_key = load_key
        self._pseudonyms: Pseudonyms | None = None

    def toggle(self) -> bool:
        """Switch it, and say whether it is on now."""
        self.is_on = not self.is_on
        return self.is_on

    def pseudonyms(self, reader: EventReader) -> Pseudonyms | None:
        """What to replace names with; None while the mode is off. Blocks when it is first used."""
        return self.pseudonyms_of(reader) if self.is_on else None

    def pseudonyms_of(self, reader: EventReader) -> Pseudonyms:
        """What names are replaced with when the mode is on. Blocks when it is first used."""
        if self._pseudonyms is None:
            from audit_tui.core.privacy.pseudonyms import Pseudonyms

            users = (found.value for found in reader.values(Column.USER, "", MAX_USERS))
            self._pseudonyms = Pseudonyms(self._load_key(), [user for user in users if user])
        return self._pseudonyms

    def readers(self, open_reader: ReaderFactory) -> ReaderFactory:
        """The same source behind this switch."""
        return lambda: RedactingReader(open_reader(), self)

    def real_query(self, reader: EventReader, query: EventQuery) -> EventQuery:
        """A query by pseudonyms as one by names."""
        names = self.pseudonyms(reader)
        return query if names is None else replace(query, filter=_real_filter(query.filter, names))


class RedactingReader:
    """A reader whose answers hold pseudonyms while the mode is on; implements ``core.query.EventReader``.

    Args:
        reader: What it asks.
        mode: The switch.
    """

    def __init__(self, reader: EventReader, mode: RedactMode) -> None:
        self._reader = reader
        self._mode = mode

    def info(self) -> StoreInfo:
        """What is known without a query."""
        return self._reader.info()

    def state(self) -> SourceState:
        """Look whether the source is still what was opened."""
        return self._reader.state()

    def newest_seq(self) -> int:
        """The number of the event appended last; 0 in an empty store."""
        return self._reader.newest_seq()

    def prepare(self, query: EventQuery | None = None, cancel: CancelToken | None = None) -> None:
        """Do now what a later question would wait for."""
        self._reader.prepare(None if query is None else self._real(query), cancel)

    def page(
        self, query: EventQuery, place: Place, limit_rows: int, cancel: CancelToken | None = None
    ) -> Page:
        """A block of rows of a result."""
        names = self._names()
        if names is not None and isinstance(place, After | Before):
            place = replace(place, key=self._real_key(place.key))
        page = self._reader.page(self._real(query), place, limit_rows, cancel)
        return page if names is None else replace(page, rows=tuple(names.row(row) for row in page.rows))

    def count(
        self,
        query: EventQuery,
        cancel: CancelToken | None = None,
        report: Callable[[int], None] | None = None,
    ) -> int:
        """Exactly how many events match."""
        return self._reader.count(self._real(query), cancel, report)

    def locate(self, query: EventQuery, key: PageKey, cancel: CancelToken | None = None) -> int:
        """How many rows of the result come before this key."""
        return self._reader.locate(self._real(query), self._real_key(key), cancel)

    def values(
        self, field: NameColumn, search: str, limit: int, cancel: CancelToken | None = None
    ) -> tuple[ValueCount, ...]:
        """Values of a field; users by a part of their pseudonym."""
        names = self._names()
        if names is None or field is not Column.USER:
            return self._reader.values(field, search, limit, cancel)
        found = self._shown(field, self._reader.values(field, "", MAX_USERS, cancel))
        folded = search.casefold()
        fitting = [
            one for one in found if folded in ("(none)" if one.value is None else one.value.casefold())
        ]
        return tuple(fitting[:limit])

    def facets(
        self, query: EventQuery, field: NameColumn, limit: int, cancel: CancelToken | None = None
    ) -> tuple[ValueCount, ...]:
        """The values that a result's events have in a field, with how many have each."""
        return self._shown(field, self._reader.facets(self._real(query), field, limit, cancel))

    def histogram(
        self, query: EventQuery, edges_us: Sequence[int], cancel: CancelToken | None = None
    ) -> tuple[int, ...]:
        """How many of a result's events lie from each of these moments to the next."""
        return self._reader.histogram(self._real(query), edges_us, cancel)

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        """Yield the events of a result in its order."""
        names = self._names()
        for event in self._reader.events(self._real(query), cancel):
            yield event if names is None else names.event(event)

    def event(self, seq: int) -> AuditEvent | None:
        """One event with everything that is known of it; None if there is none of that number."""
        event, names = self._reader.event(seq), self._names()
        return event if event is None or names is None else names.event(event)

    def close(self) -> None:
        """Let the connection go."""
        self._reader.close()

    def _names(self) -> Pseudonyms | None:
        return self._mode.pseudonyms(self._reader)

    def _real(self, query: EventQuery) -> EventQuery:
        return self._mode.real_query(self._reader, query)

    def _real_key(self, key: PageKey) -> PageKey:
        names = self._names()
        return key if names is None else replace(key, value=names.real(key.value))

    def _shown(self, field: NameColumn, found: tuple[ValueCount, ...]) -> tuple[ValueCount, ...]:
        names = self._names()
        if names is None or field is not Column.USER:
            return found
        return tuple(replace(one, value=names.user(one.value)) for one in found)


def _real_filter(expression: Filter, names: Pseudonyms) -> Filter:
    return with_conditions(
        expression, lambda condition: replace(condition, value=names.real(condition.value))
    )
