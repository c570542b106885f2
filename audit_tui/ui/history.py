"""The view that is shown, and those that were, to go back to and forth again. No Textual here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.left import Left
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from audit_tui.core.query import EventQuery
    from audit_tui.core.time.dates import TimeContext
    from audit_tui.core.view import View

MAX_VIEWS = 101
"""One can go back a hundred times."""


class ShownView(Record):
    """A view worked out for a moment and a zone.

    The event list holds the one that is shown, and the one that is asked for until its rows have come;
    only then the line above, the order, the count, copies and exports speak of it.
    """

    view: View
    context: TimeContext
    query: EventQuery
    """Bounded by ``upto_seq`` once its rows are shown, so that rows keep their places."""
    is_redacted: bool = False
    """Pseudonyms stand in the place of names, in the filter too."""

    @classmethod
    def of(cls, view: View, context: TimeContext, *, is_redacted: bool = False) -> ShownView:
        return cls(view, context, view.query(context), is_redacted)


class History:
    """The views that were shown, in order, and the place of the one that is shown now."""

    def __init__(self, first: View) -> None:
        self._views = [Left(first)]
        self._place = 0
        self._goal: int | None = None
        self._forgotten = 0
        """The number of views that are no longer remembered."""

    @property
    def place(self) -> int:
        return self._forgotten + self._place

    @property
    def views(self) -> list[View]:
        return [left.view for left in self._views]

    def step(self, by: int) -> Left | None:
        """Return the view some steps back (negative) or forth, to ask for it; None if there is none."""
        goal = (self._place if self._goal is None else self._goal) + by
        if not 0 <= goal < len(self._views):
            return None
        self._goal = goal
        return self._views[goal]

    def note_asked(self) -> None:
        self._goal = None

    def note_left(self, left: Left) -> None:
        self._views[self._place] = replace(left, view=self._views[self._place].view)

    def note_shown(self, view: View) -> None:
        """Note the view that is shown: the goal of a step, or a new one, which ends what was undone."""
        goal, self._goal = self._goal, None
        if goal is not None and self._views[goal].view == view:
            self._place = goal
        elif self._views[self._place].view != view:
            del self._views[self._place + 1 :]
            self._views.append(Left(view))
            self._forgotten += max(0, len(self._views) - MAX_VIEWS)
            del self._views[:-MAX_VIEWS]
            self._place = len(self._views) - 1
