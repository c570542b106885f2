"""The values of the rows that the store does not have, looked up while the user decides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message
from textual.widgets import Static

from audit_tui.core.columns import NameColumn, is_name_column
from audit_tui.core.filter.operators import NAME_OPERATORS
from audit_tui.core.text import clean
from audit_tui.errors import AuditTuiError, QueryCancelled
from audit_tui.ui.widgets.fields.value_input import picture, said_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.flat_filter import Draft
    from audit_tui.core.query import EventReader
    from audit_tui.ui.lane import Lane


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
