"""The query line as a field: completed while one types, with a mark under what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, Condition, condition_of
from audit_tui.core.filter.networks import network_of
from audit_tui.core.filter.operators import CONTAINS, IS
from audit_tui.core.query_line.complete import NO_NAMES, Completion, Part, completions, place_at
from audit_tui.core.query_line.parse import Query, parse
from audit_tui.core.query_line.scan import QueryError
from audit_tui.core.query_line.text import HAS_SYMBOL, line_of, value_text
from audit_tui.core.time.dates import TimeContext
from audit_tui.ui.widgets.fields.line_input import LineInput
from audit_tui.ui.widgets.fields.popup_list import PopupItem
from audit_tui.ui.widgets.fields.value_input import picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import EventReader
    from audit_tui.ui.widgets.fields.candidates import CandidateSource
    from audit_tui.ui.widgets.fields.popup_list import PopupList

MAX_COMPLETIONS = 50
PROMPT = 'a query, user:alice -event:Login "text", or choose below'
_STEPS = {"down": 1, "up": -1, "pagedown": 8, "pageup": -8}


class QueryInput(LineInput):
    """The text of the line, and a list of what may stand at the cursor."""

    class Entered(Message):
        """Enter was pressed, and not to take a line of the list."""

    def __init__(self, popup: PopupList, source: CandidateSource) -> None:
        super().__init__(placeholder=PROMPT, id="line")
        self._popup = popup
        self._source = source
        self.metadata_names: Mapping[str, int] = NO_NAMES
        self._number = 0
        """The number of the newest question; an answer to another one is late."""
        self._completions: Sequence[Completion] = ()

    @property
    def has_list(self) -> bool:
        return self._popup.is_open_for(self)

    def complete(self, *, is_wanted: bool = False) -> None:
        place = place_at(self.value, self.cursor_position)
        self._number += 1
        is_unknown = place.part is Part.VALUE and place.field is None and not place.is_bound
        if is_unknown or (place.part is Part.FIELD and not place.typed and not is_wanted):
            self._close()
            return

        def question(reader: EventReader, cancel: CancelToken) -> Sequence[Completion]:
            if place.part is Part.VALUE and not place.is_bound and place.field is not Column.TIME:
                values = self._source.read(reader, place.field, place.typed.rstrip("*"), cancel).values
                return [
                    Completion(value_text(each.value), place.start, each.events)
                    for each in values
                    if each.value
                ]
            return completions(place, reader, MAX_COMPLETIONS, self.metadata_names)

        take = partial(self._offer, self._number)
        # It is an offer only: whoever needs the store next says what is wrong with it.
        self._source.lane.put(self, "values", question, take, lambda _: take(()), tells_end=True)

    def _offer(self, number: int, completions: Sequence[Completion]) -> None:
        if number != self._number or not self.has_focus:
            return
        self._completions = completions
        typed = {self.value[each.start : self.cursor_position] for each in completions}
        if not completions or {each.text for each in completions} == typed:
            self._close()
            return
        items = [PopupItem(each.text, count=each.events) for each in self._completions]
        has_counts = any(each.events is not None for each in self._completions)
        edge = f"counts: {self._source.range_words or 'whole store'}" if has_counts else ""
        self._popup.show_for(self, items, edge=edge)

    def picked(self, index: int) -> None:
        completion = self._completions[index]
        rest = self.value[self.cursor_position :]
        is_value = not completion.text.endswith((":", "."))
        text = f"{completion.text} " if is_value and not rest else completion.text
        self._close()
        self.replace(text, completion.start, self.cursor_position)

    def list_closed(self) -> None:
        self._number += 1
        self._source.lane.cancel()

    def _close(self) -> None:
        if self.has_list:
            self._popup.close()

    def on_blur(self) -> None:
        self._close()

    def on_key(self, event: events.Key) -> None:
        if not self._press(event.key):
            return
        event.stop()
        event.prevent_default()

    def _press(self, key: str) -> bool:
        highlighted = self._popup.highlighted if self.has_list else None
        if self.has_list and key in _STEPS:
            self._popup.move(_STEPS[key])
        elif key == "tab" and self.has_list:
            self.picked(highlighted or 0)
        elif key == "enter" and highlighted is not None:
            self.picked(highlighted)
        elif key == "enter":
            self._close()
            self.post_message(self.Entered())
        elif key == "escape" and self.has_list:
            self._close()
        elif key == "down" and self.cursor_position == len(self.value) and not self.value.strip():
            self.complete(is_wanted=True)
        else:
            return False
        return True


class QueryRow(Vertical):
    """The line, what it means, and a mark under the place of an error."""

    class Edited(Message):
        """The user changed the line."""

    def __init__(self, popup: PopupList, source: CandidateSource) -> None:
        super().__init__()
        self.input = QueryInput(popup, source)
        self._caret = Static("", id="caret", markup=False)
        self._shown: str | None = None
        """The text that was put there, which is not an edit; None once there was one."""
        self.query_meant: Query = Query()
        """The meaning of the line; of the last one that could be read."""
        self.error: QueryError | None = None
        """The reason why the line cannot be read; None when it can."""
        self._time_context = TimeContext(UTC, datetime.fromtimestamp(0, UTC))

    def compose(self) -> ComposeResult:
        yield self.input
        yield self._caret

    def begin(self, text: str, context: TimeContext) -> None:
        self._time_context = context
        self.show(text)

    def show(self, text: str) -> None:
        self._shown = picture(text)
        # A text that cannot be drawn as it is cannot be edited either: it is for the rows.
        self.input.disabled = self._shown != text
        self.error = None
        self._caret.update("", layout=False)
        if self.input.value != self._shown:
            self.input.value = picture(text)
            self.input.cursor_position = len(self.input.value)

    def mend(self) -> bool:
        """Write the line as it was probably meant; False where nobody can tell."""
        if self.error is None or not self.error.mended:
            return False
        self.input.value = picture(self.error.mended)
        self.input.cursor_position = len(self.input.value)
        return True

    def on_input_changed(self, event: QueryInput.Changed) -> None:
        event.stop()
        if event.value == self._shown:
            return
        self._shown = None
        self._read(event.value)
        self.post_message(self.Edited())
        if self.input.has_focus:
            self.input.complete()

    def take(self, line: str) -> None:
        """Show a line and read it, as if it had been typed."""
        self.show(line)
        self._read(line)

    def query_of(self, typed: str) -> str:
        """Return the query that somebody means who typed this: a query, a network, else a text anywhere."""
        if network_of(typed):
            return line_of(condition_of(Column.SOURCE_IP, IS, typed))
        text = line_of(Condition(ANY_TEXT, CONTAINS, typed))
        if HAS_SYMBOL.search(typed):
            _, error = self._parsed(typed)
            if error is None or error.mended not in ("", text):
                return typed
        return text

    def _parsed(self, line: str) -> tuple[Query, QueryError | None]:
        try:
            return parse(line, self._time_context, self.input.metadata_names), None
        except QueryError as error:
            return self.query_meant, error

    def _read(self, line: str) -> None:
        self.query_meant, self.error = self._parsed(line)
        self._mark()

    def _mark(self) -> None:
        error, mark = self.error, ""
        if error is not None:
            line = self.input.value
            left = cell_len(line[: error.start]) - self.input.scroll_offset.x
            mark = f"{' ' * max(0, left)}{'^' * max(1, cell_len(line[error.start : error.end]))}"
        self._caret.update(mark, layout=False)
