"""First appearances: of a user, an address, an event, or of one of these for this user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import All, Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import AtRow, EventQuery, Sort

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import EventRow
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.query import EventReader

OLDEST_FIRST = Sort(Column.TIME, descending=False)
BEGINNING = 20
"""The first 20th of the time that a store spans: there everything is new, and nothing is said."""
MAX_REMEMBERED = 50_000


class First(NamedTuple):
    """Something that no earlier event has."""

    tag: str
    """For the end of a line: ``NEW IP``."""
    words: str
    """A sentence."""


class FirstSeen:
    """Looks up the first event of each value, each once: what is older than an event stays so."""

    def __init__(self) -> None:
        self._first: dict[Filter, int] = {}
        self._begin_us: int | None = None

    def of(self, reader: EventReader, row: EventRow, cancel: CancelToken | None = None) -> Sequence[First]:
        """Return what is new with an event, the weightiest first; nothing at the beginning of a store.

        Raises:
            QueryCancelled: If the token is cancelled.
        """
        if self._begin_us is None:
            info = reader.info()
            span_us = (info.last_us or 0) - (info.first_us or 0)
            self._begin_us = (info.first_us or 0) + span_us // BEGINNING
        if row.occurred_us <= self._begin_us:
            return ()
        return [
            First(tag, words)
            for tag, words, condition in _questions(row)
            if self._first_seq(reader, condition, cancel) == row.seq
        ]

    def forget(self) -> None:
        """Look everything up again: another store is shown."""
        self._first.clear()
        self._begin_us = None

    def _first_seq(self, reader: EventReader, condition: Filter, cancel: CancelToken | None) -> int | None:
        seq = self._first.get(condition)
        if seq is None:
            rows = reader.page(EventQuery(condition, sort=OLDEST_FIRST), AtRow(0), 1, cancel).rows
            if not rows:
                return None
            if len(self._first) >= MAX_REMEMBERED:
                self._first.clear()
            seq = self._first[condition] = rows[0].seq
        return seq


def _questions(row: EventRow) -> list[tuple[str, str, Filter]]:
    event = Condition(Column.EVENT, IS, row.event)
    user = None if row.user is None else Condition(Column.USER, IS, row.user)
    address = None if row.source_ip is None else Condition(Column.SOURCE_IP, IS, row.source_ip)
    questions: list[tuple[str, str, Filter]] = []
    if user is not None:
        questions.append(("NEW USER", f"No earlier event is by {row.user}.", user))
    if address is not None:
        questions.append(("NEW IP", f"No earlier event comes from {row.source_ip}.", address))
    questions.append(("NEW EVENT", f"No earlier event is called {row.event}.", event))
    if user is not None and address is not None:
        words = f"{row.user} never came from {row.source_ip} before."
        questions.append(("OTHER IP", words, All((user, address))))
    if user is not None:
        questions.append(("UNUSUAL", f"{row.user} never did this before.", All((user, event))))
    return questions
