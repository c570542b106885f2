"""The number of events that would match, counted while the user decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message
from textual.widgets import Static

from audit_tui.core.filter.filters import EVERYTHING
from audit_tui.core.text import counted
from audit_tui.ui.lane import unless_ended

if TYPE_CHECKING:
    from textual.timer import Timer

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import EventQuery, EventReader
    from audit_tui.errors import AuditTuiError
    from audit_tui.ui.lane import Lane

DEBOUNCE_S = 0.15
"""A pause in typing; a count for each letter would be work for nothing."""


class MatchCount(Static):
    """The number of events that a query matches, and their share of the range."""

    @dataclass
    class Failed(Message):
        """It could not be counted."""

        error: AuditTuiError | None

    def __init__(self, counts: Lane) -> None:
        super().__init__(markup=False)
        self._counts = counts
        self._timer: Timer | None = None
        self._range: EventQuery | None = None
        self._range_events: int | None = None
        self._matched: int | None = None

    def begin(self, query: EventQuery) -> None:
        """Count this query without a pause, and what its range holds again: the store may have grown."""
        self._range = None
        self._await()
        self._start(query)

    def count(self, query: EventQuery) -> None:
        """Count this query after a pause; what was being counted is given up."""
        self._await()
        self._timer = self.set_timer(DEBOUNCE_S, partial(self._start, query))

    def _await(self) -> None:
        self.stop()
        self.remove_class("-none")
        self._say("counting…")

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._counts.cancel()

    def refuse(self, words: str) -> None:
        self.stop()
        self.set_class(True, "-none")
        self._say(words)

    def _start(self, query: EventQuery) -> None:
        whole = replace(query, filter=EVERYTHING)
        if whole != self._range:
            self._range, self._range_events = whole, None
        self._matched = None
        queries = [query] if self._range_events is not None or query == whole else [query, whole]
        self._counts.put(self, "counts", partial(self._count, queries), lambda _: None, self._refused)

    def _count(self, queries: list[EventQuery], reader: EventReader, cancel: CancelToken) -> None:
        for query in queries:
            events = reader.count(query, cancel)
            self.call_later(unless_ended, cancel, partial(self._take, query, events))

    def _take(self, query: EventQuery, events: int) -> None:
        if query == self._range:
            self._range_events = events
        if self._matched is None:
            self._matched = events
            self.post_message(self.Failed(None))
        self._show(self._matched)

    def _refused(self, error: AuditTuiError) -> None:
        if self._matched is None:
            self._say("not counted")
        self.post_message(self.Failed(error))

    def _show(self, matched: int) -> None:
        self.set_class(matched == 0, "-none")
        if matched == 0:
            self._say("no events match")
            return
        verb = "matches" if matched == 1 else "match"
        words = f"{counted(matched, 'event')} {verb}"
        if self._range_events and matched != self._range_events:
            share = f", {percentage(matched, self._range_events)}"
            if len(words) + len(share) < self.size.width:
                words += share
        self._say(words)

    def _say(self, words: str) -> None:
        self.update(words, layout=False)


def percentage(part: int, whole: int) -> str:
    """A share for people: ``12%``, ``1.2%``, ``<0.1%``; never 0% of something nor 100% of not all."""
    share = 100 * part / whole
    if share < 0.1:
        return "<0.1%"
    if share < 10:
        return f"{share:.1f}%".replace(".0%", "%")
    return f"{min(round(share), 99) if part < whole else 100}%"
