"""The events that the rows match, and values that the store does not have, asked while the user decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message
from textual.widgets import Static

from audit_tui.core.columns import NameColumn, is_name_column
from audit_tui.core.filter.filters import EVERYTHING
from audit_tui.core.filter.operators import NAME_OPERATORS
from audit_tui.core.text import clean, counted
from audit_tui.errors import AuditTuiError, QueryCancelled
from audit_tui.ui.lane import unless_ended
from audit_tui.ui.widgets.fields.value_input import picture, said_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.timer import Timer

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.flat_filter import Draft
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


class _Key(NamedTuple):
    field: NameColumn
    text: str


class _Found(NamedTuple):
    is_known: bool
    near: str = ""


class ValueCheck(Static):
    """One line that names a value the store does not have, and one that may have been meant.

    Args:
        values: Where it asks; a question for candidates goes before.
    """

    @dataclass
    class Checked(Message):
        """More is known, or a question was ended by another one: look again."""

    def __init__(self, values: Lane) -> None:
        super().__init__(markup=False)
        self._values = values
        self._number = 0
        self._asked: frozenset[_Key] = frozenset()
        self._answers: dict[_Key, _Found] = {}
        self.words = ""

    def begin(self) -> None:
        self._number += 1
        self._asked = frozenset()
        self._answers.clear()

    def look(self, drafts: Sequence[Draft], *, may_ask: bool) -> None:
        """Say what is known of these rows, and find out what is not."""
        self._say(next((_words(key, self._answers[key]) for key in self._unknown(drafts)), ""))
        wanted = frozenset(key for draft in drafts if (key := _key(draft)) and key not in self._answers)
        if may_ask and wanted - self._asked:
            self._number += 1
            self._asked = wanted

            def question(reader: EventReader, cancel: CancelToken) -> dict[_Key, _Found]:
                return {key: _look_up(reader, key, cancel) for key in wanted}

            take = partial(self._take, self._number)
            fail = partial(self._take_failure, self._number, wanted)
            self._values.put(self, "check", question, take, fail, tells_end=True)

    def _take_failure(self, number: int, wanted: frozenset[_Key], error: AuditTuiError) -> None:
        # It is only a remark: whoever needs the store next says what is wrong with it.
        is_ended = isinstance(error, QueryCancelled)
        self._take(number, {} if is_ended else {key: _Found(is_known=True) for key in wanted})

    def _take(self, number: int, answers: dict[_Key, _Found]) -> None:
        if number == self._number:
            self._asked = frozenset()
            self._answers.update(answers)
            self.post_message(self.Checked())

    def warn(self, words: str) -> None:
        if words:
            self._say(clean(words))

    def is_unknown(self, draft: Draft) -> bool:
        """Tell whether the store was looked through for the row's value and does not have it."""
        return bool(self._unknown([draft]))

    def _unknown(self, drafts: Sequence[Draft]) -> list[_Key]:
        keys = (_key(draft) for draft in drafts)
        return [key for key in keys if key and key in self._answers and not self._answers[key].is_known]

    def _say(self, words: str) -> None:
        if words != self.words:
            self.words = words
            self.update(words, layout=False)


def _key(draft: Draft) -> _Key | None:
    """Return what to look up; None where there is nothing, or a text that nobody can have typed."""
    if not is_name_column(draft.field) or draft.operator not in NAME_OPERATORS or draft.is_missing:
        return None
    if not draft.text or picture(draft.text) != draft.text:
        return None
    return _Key(draft.field, draft.text)


def _look_up(reader: EventReader, key: _Key, cancel: CancelToken) -> _Found:
    # The reader gives the very value first, then what is most like it.
    best = reader.values(key.field, key.text, 1, cancel)
    near = best[0].value if best else None
    return _Found(is_known=near == key.text, near=near or "")


def _words(key: _Key, answers: _Found) -> str:
    words = f"{key.field.label}: no {said_value(key.text)} in the store"
    return f"{words}; did you mean {said_value(picture(answers.near))}?" if answers.near else words
