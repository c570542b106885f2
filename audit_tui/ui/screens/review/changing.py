"""Change the view in other ways: back and forth, order, fresh rows, pseudonyms."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from audit_tui.core.filter.filters import MetaField
from audit_tui.core.privacy.redact_mode import real_filter, shown_filter
from audit_tui.core.text import thousands
from audit_tui.core.view import next_sort
from audit_tui.errors import QueryTooLong
from audit_tui.ui.screens.review.base import ReviewBase
from audit_tui.ui.shown_view import ShownView
from audit_tui.ui.widgets.list.event_table import EventTable

if TYPE_CHECKING:
    from audit_tui.core.event_fields import ListField
    from audit_tui.core.privacy.pseudonyms import Pseudonyms
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.view import View


MOST_SORTED_EVENTS = 1_000_000
"""Up to this many events are sorted by their metadata without a word: 20 seconds."""
SORTED_EVENT_S = 20e-6


class Changing(ReviewBase):
    """The keys that go back and forth, order, read again and replace names."""

    def action_undo(self) -> None:
        self.say("" if self.step_back() else "Nothing to undo.")

    def action_redo(self) -> None:
        self.say("" if self.step_back(-1) else "Nothing to redo.")

    def action_sort_column(self) -> None:
        self._sort_by(self.table.column)

    @on(EventTable.HeaderSelected)
    def _sort_by_heading(self, message: EventTable.HeaderSelected) -> None:
        self._sort_by(message.column)

    def _sort_by(self, column: ListField) -> None:
        view = replace(self.view, sort=next_sort(self.view.sort, column))
        events = self.event_list.count.value
        if isinstance(view.sort.column, MetaField) and events > MOST_SORTED_EVENTS:
            seconds = round(events * SORTED_EVENT_S, -1)
            told = QueryTooLong(
                f"All {thousands(events)} events' metadata must be read to sort by them:"
                f" about {seconds:.0f} seconds, and again for each page.",
                "Narrow the list first.",
            )
            self.show_error(told, partial(self._sort_patiently, view), "Sort all the same")
            return
        self.show_view(view)

    def _sort_patiently(self, view: View) -> None:
        self._history.note_asked()
        self.event_list.ask(self._worked_out(view), is_patient=True)

    def action_reload(self) -> None:
        if self.seals is not None:
            self.seals.begin_again()
        wanted = self._worked_out(self.view)
        self.event_list.ask(wanted, keep_cursor=self.table.cursor_row > 0, opens=True)

    def action_redact(self) -> None:
        mode = self._opening.redact
        if mode is None:
            self.say("Names cannot be replaced here.")
            return
        # Switched when it is known what with: the first time that asks for a key and for all users.
        self._ask_once(mode.pseudonyms_of, partial(self._switch_names, mode))

    def _switch_names(self, mode: RedactMode, names: Pseudonyms) -> None:
        mode.is_on = is_on = not self.event_list.latest.is_redacted
        change = shown_filter if is_on else real_filter
        view = self.view.with_filters(partial(change, names=names))
        wanted = ShownView.of(view, self.context, is_redacted=is_on)
        self.event_list.ask(wanted, keep_cursor=self.table.cursor_row > 0, opens=True)
