"""Search, and go from event to event of the same user, or from failure to failure."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from audit_tui.core.columns import Column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.filters import ANY_TEXT, Condition
from audit_tui.core.filter.operators import CONTAINS, IS
from audit_tui.core.query import PageKey
from audit_tui.core.time.zones import shortened
from audit_tui.core.view import View
from audit_tui.ui.lane import Lane, unless_ended
from audit_tui.ui.screens.review.moving import Moving
from audit_tui.ui.screens.review.narrowing import Narrowing
from audit_tui.ui.seeking import Hit, Seek, rank, seek
from audit_tui.ui.terminal.terminal_app import TerminalApp
from audit_tui.ui.widgets.list.event_list import SLOW_S, EventList
from audit_tui.ui.widgets.list.event_table import EventTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.query import EventReader
    from audit_tui.errors import AuditTuiError
    from audit_tui.ui.first_page import Opening
    from audit_tui.ui.keymap import Keymap
    from audit_tui.ui.terminal.clipboard import Clipboard

HINT = "any text of the events; upper and lower case are the same"


class Searching(Narrowing, Moving):
    """The keys that search, and those that go to the next event of a kind. They move the cursor only."""

    def __init__(self, opening: Opening, keymap: Keymap, clipboard: Clipboard) -> None:
        super().__init__(opening, keymap, clipboard)
        self._seeking = Lane(self._open_reader)
        self._wish: Seek | None = None
        """The newest one."""
        self._is_seeking = False
        """It has not landed yet."""
        self._searched = ""
        self._kind = "match"
        self._none = ""
        self._landed: PageKey | None = None
        self._sought_in: View | None = None
        self._release: Callable[[], None] = _nothing
        self._is_slow = False

    def on_unmount(self) -> None:
        self._seeking.close()

    # -- the search

    def action_search(self) -> None:
        from audit_tui.ui.screens.ask_line import AskLine

        dialog = AskLine("Search", self._searched, placeholder=HINT, is_search=True)
        self._open(dialog, self._search)

    def _search(self, text: str) -> None:
        text = self._searched = self._shown_text(text)
        self.table.search_for(text)
        self._status.match_words = ""
        if text:
            self.action_to_match(1, from_row_on=True)

    def action_to_match(self, steps: int, *, from_row_on: bool = False) -> None:
        text = self._searched
        if not text:
            self.say(f"{self._keymap.key_of('search')} searches.")
            return
        none = f"Nothing here contains {shortened(text)!r}."
        self._seek(_contains(text), steps, "match", none, from_row_on=from_row_on, goes_round=True)

    def action_keep_matches(self) -> None:
        from audit_tui.ui.screens.ask_line import AskLine

        dialog = AskLine("Keep only what contains", self._searched, placeholder=HINT, is_search=True)
        self._open(dialog, self._keep)

    def _keep(self, text: str) -> None:
        if text:
            text = self._searched = self._shown_text(text)
            self.table.search_for(text)
            self.narrow_by(_contains(text))

    def _shown_text(self, text: str) -> str:
        """Return what was typed as the screen shows it: a name may have to stay hidden."""
        redact = self._opening.redact
        shown = _contains(text) if redact is None else redact.shown(_contains(text))
        return (shown.value if isinstance(shown, Condition) else None) or text

    # -- from event to event

    def action_to_of_user(self, steps: int) -> None:
        row = self.table.highlighted
        if row is not None:
            name = "nobody" if row.user is None else shortened(row.user)
            self._seek(
                Condition(Column.USER, IS, row.user),
                steps,
                "event of this user",
                f"No {'further' if steps > 0 else 'earlier'} row here is of {name}.",
            )

    def action_to_failure(self, steps: int) -> None:
        condition = Condition(Column.OUTCOME, IS, Outcome.FAILURE.value)
        self._seek(condition, steps, "failure", f"No failure {'below' if steps > 0 else 'above'} here.")

    def _seek(
        self,
        condition: Filter,
        steps: int,
        kind: str,
        none: str,
        *,
        from_row_on: bool = False,
        goes_round: bool = False,
    ) -> None:
        """Go a number of events further among those that meet a condition."""
        shown, key = self.event_list.shown, self._key_here
        if key is None:
            return
        if from_row_on:
            key = key.just_before(shown.query.sort)
        self._sought_in = shown.view
        view = View(shown.view.in_force, shown.view.time_range, shown.view.sort).narrowed(condition)
        query = replace(view.query(shown.context), upto_seq=shown.query.upto_seq)
        self._kind, self._none = kind, none
        self._hold_keys()
        self._put_wish(Seek(shown.query, query, key, steps, goes_round))
        self.set_timer(SLOW_S, self._say_slow)

    def _put_wish(self, wish: Seek) -> None:
        """Seek; where the same is under way already, it goes on from where that would land."""
        before = self._wish
        if self._is_seeking and before is not None and before == replace(wish, steps=before.steps):
            wish = replace(wish, steps=before.steps + wish.steps)
        self._wish, self._is_seeking = wish, bool(wish.steps)
        if not wish.steps:
            self._seeking.cancel()
            return

        def question(reader: EventReader, cancel: CancelToken) -> tuple[int, int] | None:
            hit = seek(reader, wish, cancel)
            self.call_later(unless_ended, cancel, partial(self._land, wish, hit))
            return None if hit is None else rank(reader, wish, hit.row, cancel)

        self._seeking.put(self, "seek", question, self._show_rank, self._say_failure)

    @property
    def _key_here(self) -> PageKey | None:
        row = self.table.highlighted
        return None if row is None else PageKey.of(row, self.event_list.shown.query.sort)

    def _hold_keys(self) -> None:
        """Let keys wait for the event that they are meant for, but no longer than one would notice."""
        self._release()
        if isinstance(self.app, TerminalApp):
            self._release = self.app.hold_keys()
            self.set_timer(SLOW_S, self._release)

    def _say_slow(self) -> None:
        if self._is_seeking:
            self._is_slow = True
            self._status.waiting_words = f"Searching…  {self._keymap.key_of('back')} ends it"

    def _end_wait(self) -> None:
        self._release()
        if self._is_slow:
            self._is_slow = False
            self._status.waiting_words = ""

    # -- what came of it

    def _land(self, wish: Seek, hit: Hit | None) -> None:
        self._is_seeking = False
        if hit is None:
            self.say(self._none)
        else:
            self._landed = PageKey.of(hit.row, wish.result.sort)
            if self.event_list.wanted is None and wish.result == self.event_list.shown.query:
                self.event_list.land(hit.index, hit.blocks)
            elif self.event_list.latest.view == self._sought_in:
                # Newer events came meanwhile: the row has another number now.
                middle = self.table.visible_rows // 2
                self.event_list.ask_at(self.event_list.latest, self._landed, middle)
            end = "top" if wish.steps > 0 else "end"
            self.say(f"From the {end} again." if hit.has_gone_round else "")
        self._end_wait()

    def _show_rank(self, place: tuple[int, int] | None) -> None:
        if self._landed is not None and place is not None:
            self._status.match_words = f"{self._kind} {place[0]:,} of {place[1]:,}"

    def _say_failure(self, error: AuditTuiError) -> None:
        self._is_seeking = False
        self._end_wait()
        self.show_error(error)

    @on(EventTable.RowHighlighted)
    def _leave_match(self) -> None:
        key = self._key_here
        is_coming = self.event_list.wanted is not None
        if self._landed is not None and key is not None and self._landed != key and not is_coming:
            self._landed = None
            self._status.match_words = ""

    @on(EventList.QueryShown)
    def _end_seek(self, message: EventList.QueryShown) -> None:
        if message.shown.view != self._sought_in:
            self._cancel_seek()
            self._landed = None
            self._status.match_words = ""
        if message.is_reopened:
            self._seeking.renew()

    def _cancel_seek(self) -> bool:
        was_under_way, self._is_seeking = self._is_seeking, False
        self._seeking.cancel()
        self._end_wait()
        return was_under_way

    def interrupt(self) -> bool:
        return self._cancel_seek() or super().interrupt()

    def action_back(self) -> None:
        if not self._cancel_seek():
            super().action_back()


def _contains(text: str) -> Condition:
    return Condition(ANY_TEXT, CONTAINS, text)


def _nothing() -> None:
    """Hold no keys back."""
