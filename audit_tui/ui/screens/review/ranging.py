"""Choose another time range, or see times in another zone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from audit_tui.core.query import Interval
from audit_tui.core.time.dates import resolve
from audit_tui.core.time.moves import beginning_at, ending_at, shifted, zoomed
from audit_tui.core.time.zones import local_time, zone_named
from audit_tui.errors import TimeError
from audit_tui.ui.screens.review.base import ReviewBase
from audit_tui.ui.shown_view import ShownView

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from audit_tui.core.query import EventReader
    from audit_tui.core.time.dates import TimeContext, TimeRange
    from audit_tui.core.view import View


class Ranging(ReviewBase):
    """The keys for another time range, or another zone."""

    def action_time_range(self) -> None:
        # The first event's day is the beginning of All Time.
        self._ask_once(lambda reader: reader.info().first_us, self._open_time_range)

    def _open_time_range(self, first_us: int | None) -> None:
        from audit_tui.ui.screens.time_range import TimeRangeDialog

        context = self.context
        first_event = None if first_us is None else local_time(first_us, context.zone).date()
        dialog = TimeRangeDialog(self.view.time_range, context, first_event, self._day_of_row)
        self.app.push_screen(dialog, self._take_time_range)

    @property
    def _day_of_row(self) -> date:
        row, context = self.table.highlighted, self.context
        return context.today if row is None else local_time(row.occurred_us, context.zone).date()

    def _take_time_range(self, chosen: TimeRange | None) -> None:
        if chosen is not None and chosen != self.view.time_range:
            # Who stands on the first row has not looked further yet: the first row of another range it is.
            keep_cursor = self.table.cursor_row > 0
            self.show_view(replace(self.view, time_range=chosen), keep_cursor=keep_cursor)

    def action_range_earlier(self) -> None:
        self._move_range(lambda view, context: shifted(view.time_range, context, -1))

    def action_range_later(self) -> None:
        self._move_range(lambda view, context: shifted(view.time_range, context, 1))

    def action_range_from_here(self) -> None:
        self._move_range_to_row(beginning_at)

    def action_range_to_here(self) -> None:
        self._move_range_to_row(ending_at)

    def _move_range_to_row(self, make: Callable[[TimeRange, TimeContext, int], TimeRange]) -> None:
        row = self.table.highlighted
        if row is not None:
            self._move_range(lambda view, context: make(view.time_range, context, row.occurred_us))

    def _move_range(self, make: Callable[[View, TimeContext], TimeRange]) -> None:
        try:
            time_range = make(self.view, self.context)
        except TimeError as error:
            self.say(error.message)
        else:
            self.show_view(replace(self.view, time_range=time_range))

    def action_zoom_in(self) -> None:
        self._zoom(0.5)

    def action_zoom_out(self) -> None:
        self._zoom(2)

    def _zoom(self, factor: float) -> None:
        row = self.table.highlighted
        interval = resolve(self.view.time_range, self.context)
        if row is None:
            return
        if interval.start_us is None or interval.end_us is None:
            # A range without an end is as long as the events that are in it.
            self._ask_once(_ends_of, partial(self._zoom_within, factor, row.occurred_us, interval))
        else:
            self._zoom_to(zoomed(interval, row.occurred_us, factor))

    def _zoom_within(self, factor: float, at_us: int, interval: Interval, ends: Interval) -> None:
        if factor > 1 and interval == Interval():
            self.say("All Time is all there is.")
            return
        start_us = ends.start_us if interval.start_us is None else interval.start_us
        end_us = ends.end_us if interval.end_us is None else interval.end_us
        if start_us is not None and end_us is not None:
            self._zoom_to(zoomed(Interval(start_us, end_us), at_us, factor))

    def _zoom_to(self, time_range: TimeRange) -> None:
        self.show_view(replace(self.view, time_range=time_range))

    def action_zone(self) -> None:
        utc = zone_named("UTC")
        context = self.context
        zone = self._opening.zone if context.zone == utc else utc
        wanted = ShownView.of(
            self.view, replace(context, zone=zone), is_redacted=self.event_list.latest.is_redacted
        )
        self.event_list.ask(wanted)


def _ends_of(reader: EventReader) -> Interval:
    """Return the times from the first event of a store to just after the last."""
    info = reader.info()
    return Interval(info.first_us, None if info.last_us is None else info.last_us + 1)
