"""The field for a value: what is typed stays as it is typed, and the store's values are offered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from audit_tui.core.columns import NAME_COLUMNS
from audit_tui.core.filter.filters import NO_VALUE_WORDS, AnyText, FilterField
from audit_tui.core.filter.operators import IS
from audit_tui.core.flat_filter import Form, list_so_far, list_text
from audit_tui.core.text import clean
from audit_tui.errors import AuditTuiError, QueryCancelled
from audit_tui.ui.terminal.terminal_app import TerminalApp
from audit_tui.ui.widgets.fields.button import Button
from audit_tui.ui.widgets.fields.candidates import (
    EMPTY_WORDS,
    MAX_CANDIDATES,
    MOST_EVENTS,
    Candidate,
    Candidates,
)
from audit_tui.ui.widgets.fields.line_input import LineInput
from audit_tui.ui.widgets.fields.popup_list import PopupItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events

    from audit_tui.core.flat_filter import Draft
    from audit_tui.core.query import FacetField
    from audit_tui.ui.widgets.fields.candidates import CandidateSource
    from audit_tui.ui.widgets.fields.popup_list import PopupList

MAX_SAID_CHARS = 24
"""A value that is named in a sentence is cut there."""


class Listing(Enum):
    """The progress of the candidates for a value."""

    CLOSED = "closed"
    ASKED = "asked"
    """They are on their way; the list may show those for fewer letters."""
    OPEN = "open"


_LIST_STEPS = {"down": 1, "up": -1, "pagedown": 8, "pageup": -8}


class _Later(NamedTuple):
    key: str
    release: Callable[[], None] | None


class ValueInput(LineInput):
    """A value to compare with, and a popup of candidates while one types.

    Three things may stand in it: nothing, a text exactly as it was typed or picked, or the missing value.
    What is drawn of a text has a picture for each unsafe character, one for one, so that the text can be
    edited without being changed elsewhere.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # An Input deletes a letter with it; Delete does that too.
        Binding("ctrl+d", "screen.remove_row", "Remove row", show=False),
    ]

    PROMPT: ClassVar[str] = "type a value"
    MISSING_PROMPT: ClassVar[str] = "✗ a value is missing"

    is_wrong: reactive[bool] = reactive(False, toggle_class="-wrong")
    is_unknown: reactive[bool] = reactive(False, toggle_class="-unknown")

    @dataclass
    class Edited(Message):
        """The value, or the column that a candidate brought, was changed by the user."""

        picked_field: FacetField | None

    @dataclass
    class Entered(Message):
        """Enter was pressed on a value that stands."""

    @dataclass
    class Unclear(Message):
        """Enter was pressed on a text that stands in several columns while none is chosen."""

    @dataclass
    class Meant(Message):
        """Enter was pressed on a text that is not a name, while no column is chosen."""

        text: str

    @dataclass
    class ListToggled(Message):
        """The list of candidates was opened or closed."""

    @dataclass
    class Failed(Message):
        """Candidates could not be read."""

        error: AuditTuiError | None

    def __init__(self, popup: PopupList, values: CandidateSource) -> None:
        super().__init__(placeholder=self.PROMPT)
        self.select_on_focus = True
        self._popup = popup
        self._values = values
        self._field: FilterField | None = None
        self._text: str | None = None
        self._is_missing = False
        self._operator = IS
        self._form = Form.VALUE
        self._candidates: tuple[Candidate, ...] = ()
        self._is_whole = True
        self._question = 0
        """The number of the newest question; an answer to another one is late."""
        self._search = ""
        self._keeps_typed = False
        """The list was left upwards: the text is meant, not what it might become."""
        self.listing = Listing.CLOSED
        self._later: _Later | None = None
        """A key that acts on candidates which are still on their way."""

    # What stands in it

    def show(self, draft: Draft) -> None:
        self._close()
        self.fit(draft)
        self.is_wrong = self.is_unknown = False
        self._hold(draft.text, draft.is_missing)

    def draft(self, row: Draft) -> Draft:
        return replace(row, text=None if self._is_missing else self._text, is_missing=self._is_missing)

    def fit(self, draft: Draft) -> None:
        self._field, self._operator, self._form = draft.field, draft.operator, draft.form
        self.disabled = draft.form is Form.EMPTY
        self.placeholder = "" if self.disabled else self.PROMPT

    @property
    def has_list(self) -> bool:
        """Tell whether there are values to offer; none for a part of a text, or a number to compare with."""
        return (
            self._operator.base is IS
            and self._form is not Form.EMPTY
            and not isinstance(self._field, AnyText)
        )

    def open_list(self) -> None:
        self.focus()
        if self.listing is Listing.CLOSED:
            self._ask("")
        else:
            self._close()

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace a part of the text: every edit by key, paste or mouse comes through here."""
        text_so_far, shown = self._text or "", self.value
        start, end = sorted((max(0, start), min(len(shown), end)))
        if len(text_so_far) != len(shown):  # a stand-in such as (none) goes as a whole
            text_so_far, start, end = "", 0, 0
            self._show_text("")
        self._text = (text_so_far[:start] + text + text_so_far[end:]) or None
        self._is_missing = False
        self.set_class(False, "-fixed")
        super().replace(picture(text), start, end)
        self.is_wrong = False
        self.post_message(self.Edited(None))
        self._ask(self._typed)

    @property
    def _typed(self) -> str:
        """The text that a value is looked for by: in a list, the one that is being typed."""
        text = self._text or ""
        return list_so_far(text)[1] if self._form is Form.LIST else text

    def _hold(self, text: str | None, is_missing: bool) -> None:
        self._text, self._is_missing = text, is_missing
        is_fixed = is_missing or text == ""
        self.set_class(is_fixed, "-fixed")
        words = NO_VALUE_WORDS if is_missing else EMPTY_WORDS
        self._show_text(words if is_fixed else picture(text or ""))

    def _show_text(self, shown: str) -> None:
        self.value = shown
        self.cursor_position = len(shown)

    def watch_is_wrong(self, is_wrong: bool) -> None:
        self.placeholder = self.MISSING_PROMPT if is_wrong else self.PROMPT

    # Keys

    def on_key(self, event: events.Key) -> None:
        self._forget_later()
        if self.listing is Listing.ASKED and event.key in (*_LIST_STEPS, "enter", "tab"):
            hold = self.app.hold_keys if isinstance(self.app, TerminalApp) else None
            self._later = _Later(event.key, hold() if hold else None)
        elif not self._press(event.key):
            return
        event.stop()
        event.prevent_default()

    @property
    def is_asking(self) -> bool:
        return self.listing is not Listing.CLOSED

    def on_blur(self) -> None:
        """Close the list; a click on a button means the typed text, as Tab does."""
        if isinstance(self.screen.focused, Button):
            self._settle()
        self._close()

    def _press(self, key: str) -> bool:
        is_open = self.listing is not Listing.CLOSED
        if key == "enter":
            self._enter()
        elif key == "tab":
            self._settle()
            self.screen.focus_next()
        elif is_open and key in _LIST_STEPS:
            self._move(_LIST_STEPS[key])
        elif is_open and key == "escape":
            self._close()
        elif key == "down" and not self.value:
            self._ask("")
        else:
            return False
        return True

    def _forget_later(self) -> _Later | None:
        later, self._later = self._later, None
        if later is not None and later.release is not None:
            later.release()
        return later

    def _move(self, step: int) -> None:
        if step < 0 and self._popup.highlighted == 0:
            self._keeps_typed = True
            self._show_candidates()
        else:
            self._popup.move(step)

    def _enter(self) -> None:
        if self.listing is Listing.CLOSED:
            self.post_message(self.Entered())
        elif self._popup.highlighted is not None:
            self.picked(self._popup.highlighted)
        elif (match := self._match()) is not None:
            if self._field is None or self._candidates[match].value != self._text:
                self.picked(match)
            self._close()
        elif self._matches():
            self.post_message(self.Unclear())
        elif self._search and self._candidates and not self._keeps_typed:
            self.picked(0)
        else:
            is_meant = self._may_be_query
            self._close()
            if is_meant:
                self.post_message(self.Meant(self._text or ""))

    @property
    def _may_be_query(self) -> bool:
        is_plain = self._field is None and self._operator is IS and self._form is Form.VALUE
        return is_plain and bool(self._search) and not self._candidates

    def _settle(self) -> None:
        """Take the highlighted line, or the value that was typed out while there is no column."""
        if self.listing is Listing.OPEN:
            index = self._popup.highlighted
            if index is None and self._field is None:
                index = self._match()
            if index is not None:
                self.picked(index)

    def picked(self, index: int) -> None:
        candidate = self._candidates[index]
        if self._form is Form.LIST:
            done, _ = list_so_far(self._text or "")
            self._hold(f"{list_text([*done, candidate.value or ''])}, ", is_missing=False)
        else:
            self._hold(candidate.value, candidate.value is None)
        self._field = candidate.field
        self.is_wrong = False
        self._close()
        self.post_message(self.Edited(candidate.field))

    # Candidates

    def _ask(self, search: str) -> None:
        if not self.has_list:
            return
        self._question += 1
        self._search = search
        self._keeps_typed = False
        self.listing = Listing.ASKED
        field = self._field
        self._values.lane.put(
            self,
            "values",
            lambda reader, cancel: self._values.read(reader, field, search, cancel),
            partial(self._take, self._question),
            partial(self._take, self._question),
            tells_end=True,
        )

    def _take(self, number: int, answer: Candidates | AuditTuiError) -> None:
        if number != self._question or self.listing is Listing.CLOSED:
            return
        later = self._forget_later()
        error = None if isinstance(answer, Candidates) else answer
        if isinstance(answer, Candidates):
            self._is_whole = answer.is_whole
            self._candidates = answer.values
            if self._form is Form.LIST:
                self._candidates = tuple(each for each in self._candidates if each.value is not None)
            self.listing = Listing.OPEN
            self._show_candidates()
        else:
            self._close()
        if not isinstance(error, QueryCancelled):  # another field's question
            self.post_message(self.Failed(error))
        # Enter closes the list before it applies: without one it has nothing to do.
        if later is not None and (self.listing is Listing.OPEN or later.key == "tab"):
            self._press(later.key)

    def _show_candidates(self) -> None:
        items = [
            PopupItem(
                candidate.words or candidate.value or "",
                self._note(candidate),
                candidate.events,
                is_special=candidate.words is not None,
            )
            for candidate in self._candidates
        ]
        was_open = self._popup.is_open_for(self)
        edge = f"counts: {self._values.range_words or 'whole store'}" if items else ""
        if items and not self._is_whole:
            edge = f"counts: newest {MOST_EVENTS:,} events"
        self._popup.show_for(self, items, notice=self._notice(), edge=edge, min_cells=36)
        if not was_open:
            self.post_message(self.ListToggled())

    def _note(self, candidate: Candidate) -> str:
        column = candidate.note if self._field is not None else candidate.field.label
        if candidate.value is None:
            return column or f"no {candidate.field.value}"
        return column

    def _notice(self) -> str:
        search = self._search
        matches = [self._candidates[index] for index in self._matches()]
        if matches and self._match() is None:
            columns = [field.label for field in NAME_COLUMNS if any(each.field is field for each in matches)]
            place_words = f"in {' and '.join(columns)}" if len(columns) > 1 else "in several spellings"
            return f"{place_words}: choose one with ↓"
        if matches and matches[0].value != search:
            other = matches[0].words or said_value(matches[0].value or "")
            return f"no {said_value(search)} in the store; Enter takes {other}"
        if search and self._candidates and not matches and not self._keeps_typed:
            first = self._candidates[0]
            return f"Enter takes {first.words or said_value(picture(first.value or ''))}"
        if self._may_be_query:
            return "no name has it; Enter takes it as a query"
        if not self._candidates:
            return f"no {said_value(search)} in the store" if search else "no values in the store"
        if len(self._candidates) == MAX_CANDIDATES:
            return "the most frequent; type on for others"
        return ""

    def _matches(self) -> list[int]:
        """The candidates that are what was typed; when there is none, those that case alone tells from it."""
        search = self._search
        if not search:
            return []
        exact = [i for i, each in enumerate(self._candidates) if each.value == search]
        return exact or [i for i, each in enumerate(self._candidates) if each.is_other_case_of(search)]

    def _match(self) -> int | None:
        """The candidate that was typed out; None when there is none, or the column leaves it open."""
        matches = self._matches()
        is_clear = len(matches) == 1 or (matches and self._field is not None)
        return matches[0] if is_clear else None

    def list_closed(self) -> None:
        if self.listing is not Listing.CLOSED:
            self.listing = Listing.CLOSED
            self._question += 1
            self._values.lane.cancel()
            self.post_message(self.ListToggled())
        self._forget_later()

    def _close(self) -> None:
        if self._popup.is_open_for(self):
            self._popup.close()
        else:
            self.list_closed()


def picture(text: str) -> str:
    """The text with each unsafe character replaced by one that can be seen, one for one."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(clean(character) or "\ufffd" for character in text)


def said_value(value: str) -> str:
    """A value as a sentence names it: in quotes, and not too long."""
    shown = value if len(value) <= MAX_SAID_CHARS else value[: MAX_SAID_CHARS - 1] + "…"
    return f"“{shown}”"
