"""The view that the rows on the screen answer: all that speaks of them takes it from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.record import Record

if TYPE_CHECKING:
    from audit_tui.core.query import EventQuery
    from audit_tui.core.time.dates import TimeContext
    from audit_tui.core.view import View


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
