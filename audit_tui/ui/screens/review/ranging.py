"""Choose another time range, or see times in another zone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.time.zones import local_time, zone_named
from audit_tui.ui.screens.review.base import ReviewBase
from audit_tui.ui.shown_view import ShownView

if TYPE_CHECKING:
    from audit_tui.core.time.dates import TimeRange


class Ranging(ReviewBase):
    """The keys for another time range, or another zone."""

    def action_time_range(self) -> None:
        # The first event's day is the beginning of All Time.
        self._ask_once(lambda reader: reader.info().first_us, self._open_time_range)

    def _open_time_range(self, first_us: int | None) -> None:
        from audit_tui.ui.screens.time_range import TimeRangeDialog

        context = self.context
        first_event = None if first_us is None else local_time(first_us, context.zone).date()
        dialog = TimeRangeDialog(self.view.time_range, context, first_event)
        self.app.push_screen(dialog, self._take_time_range)

    def _take_time_range(self, chosen: TimeRange | None) -> None:
        if chosen is not None and chosen != self.view.time_range:
            # Who stands on the first row has not looked further yet: the first row of another range it is.
            keep_cursor = self.table.cursor_row > 0
            self.show_view(replace(self.view, time_range=chosen), keep_cursor=keep_cursor)

    def action_zone(self) -> None:
        utc = zone_named("UTC")
        context = self.context
        zone = self._opening.zone if context.zone == utc else utc
        wanted = ShownView.of(
            self.view, replace(context, zone=zone), is_redacted=self.event_list.latest.is_redacted
        )
        self.event_list.ask(wanted)
