"""Look around an event with the filters lifted, and go on by one of its values."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual import on

from audit_tui.core.columns import Column
from audit_tui.core.investigate.meaning import pivots
from audit_tui.core.query import NEWEST_FIRST, PageKey
from audit_tui.core.time.moves import around
from audit_tui.ui.screens.review.marking import Marking
from audit_tui.ui.screens.review.searching import Searching
from audit_tui.ui.widgets.list.event_list import EventList
from audit_tui.ui.widgets.list.row_strips import NO_REMARK, Remark

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Condition
    from audit_tui.core.left import Left
    from audit_tui.core.view import View
    from audit_tui.ui.screens.menu import Pivot

THIS_TAG = "◂ here"
HOUR_REACH = 2


class Surroundings(NamedTuple):
    """A look around an event."""

    seq: int
    view: View
    left: Left
    place: int


class Around(Searching, Marking):
    """The keys that look around an event, and that go on by a value of it."""

    _surroundings: Surroundings | None = None
    _asked: Surroundings | None = None
    """A look that is asked for, until its rows are there."""
    _is_leaving = False
    """The view before is asked for, until its rows are there."""
    _reach = HOUR_REACH
    _pivot: Condition | None = None
    """The condition that the list went on by last; the next one takes its place."""

    # -- the events around one

    def action_context(self) -> None:
        row = self.table.highlighted
        if self._surroundings is not None:
            self._leave_surroundings()
        elif row is not None:
            self.show_around(row.seq, row.occurred_us)

    def show_around(self, seq: int, occurred_us: int) -> None:
        sort = self.view.sort if self.view.sort.column is Column.TIME else NEWEST_FIRST
        view = replace(self.view_of(), sort=sort)
        origin = self._surroundings
        left, place = (self.left, self._history.place) if origin is None else (origin.left, origin.place)
        self.note_left()
        self._history.note_asked()
        self._asked = Surroundings(seq, view, left, place)
        key = PageKey(None, occurred_us, seq)
        self.event_list.ask_at(self._worked_out(view), key, self.table.visible_rows // 2)

    def _leave_surroundings(self) -> None:
        look = self._surroundings
        if look is None or self._is_leaving:
            return
        self._is_leaving = True
        steps = self._history.place - look.place
        if not steps or not self.step_back(steps):
            self.event_list.ask_at(self._worked_out(look.left.view), look.left.event, look.left.line)

    def view_shown(self) -> None:
        super().view_shown()
        look, asked, view = self._surroundings, self._asked, self.event_list.shown.view
        if asked is not None and asked.view == view:
            self._surroundings = asked
        elif look is not None and (
            self._is_leaving or self._history.place < look.place + (look.view != look.left.view)
        ):
            # What was undone ends it as well.
            self._surroundings = None
        self._forget_wish()
        if self._surroundings is not look:
            self.show_remarks()

    @on(EventList.Dropped)
    def _forget_wish(self) -> None:
        self._asked = None
        self._is_leaving = False

    @property
    def applied_command(self) -> str:
        return super().applied_command if self._surroundings is None else "context"

    def applied_words(self, view: View) -> str:
        if self._surroundings is None:
            return super().applied_words(view)
        words = super().applied_words(view)
        return f"{self._keymap.key_of('context')} returns: around an event{words and f', {words}'}"

    def remarks(self) -> dict[int, Remark]:
        remarks = super().remarks()
        if self._surroundings is not None:
            seq = self._surroundings.seq
            remarks[seq] = remarks.get(seq, NO_REMARK)._replace(tag=THIS_TAG, short_tag="")
        return remarks

    def action_back(self) -> None:
        is_busy = bool(self._status.waiting_words) or self.table.is_selecting
        if self._surroundings is not None and not is_busy:
            self._leave_surroundings()
        else:
            super().action_back()

    def action_quit(self) -> None:
        if self._surroundings is not None:
            self.action_back()
        else:
            super().action_quit()

    # -- by a value

    def action_pivot(self) -> None:
        self._with_event(self._open_pivots)

    def _open_pivots(self, event: AuditEvent) -> None:
        from audit_tui.ui.screens.menu import PivotMenu

        menu = PivotMenu(pivots(event), self._reach)
        self._open(menu, partial(self._take_pivot, event.occurred_us))

    def _take_pivot(self, occurred_us: int, pivot: Pivot) -> None:
        from audit_tui.ui.screens.menu import REACHES_S

        self._reach = pivot.reach
        reach_s = REACHES_S[pivot.reach]
        view = self.view
        before = next((n for n, chip in enumerate(view.chips) if chip.filter == self._pivot), None)
        if before is not None:
            view = view.without_chip(before)
        self._pivot = pivot.condition
        view = view.narrowed(pivot.condition)
        if reach_s is not None:
            view = replace(view, time_range=around(occurred_us, reach_s))
        self.show_view(view)
