"""Choose another time range, by its dialog, by keys or on the strip of time, or see times in another zone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from audit_tui.core.query import Interval
from audit_tui.core.time.dates import resolve
from audit_tui.core.time.moves import beginning_at, between, ending_at, shifted, zoomed
from audit_tui.core.time.zones import local_time, zone_named
from audit_tui.errors import TimeError
from audit_tui.ui.history import ShownView
from audit_tui.ui.screens.review.narrowing import Narrowing
from audit_tui.ui.time_buckets import FAILED
from audit_tui.ui.widgets.list.event_list import EventList
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.time_strip import TimeStrip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from textual import events
    from textual.app import ComposeResult

    from audit_tui.core.investigate.detections import Level
    from audit_tui.core.query import EventReader
    from audit_tui.core.time.dates import TimeContext, TimeRange
    from audit_tui.core.view import View

FEWEST_LINES = 30
"""From this height of the terminal on the strip is shown without being asked for."""


class Ranging(Narrowing):
    """The keys for another time range, or another zone."""

    def action_time_range(self) -> None:
        # The first event's day is the beginning of All Time.
        self._ask_once(lambda reader: reader.info().first_us, self._open_time_range)

    def _open_time_range(self, first_us: int | None) -> None:
        from audit_tui.ui.screens.time_range import TimeRangeDialog

        context = self.context
        first_event = None if first_us is None else local_time(first_us, context.zone).date()
        dialog = TimeRangeDialog(self.view.time_range, context, first_event, self._day_of_row)
        self._open(dialog, self._take_time_range)

    @property
    def _day_of_row(self) -> date:
        row, context = self.table.highlighted, self.context
        return context.today if row is None else local_time(row.occurred_us, context.zone).date()

    def _take_time_range(self, chosen: TimeRange) -> None:
        if chosen != self.view.time_range:
            # Who stands on the first row has not looked further yet: the first row of another range it is.
            keep_cursor = self.table.cursor_row > 0
            self.show_view(replace(self.view, time_range=chosen), keep_cursor=keep_cursor)

    def action_range(self, by: int) -> None:
        self._move_range(lambda view, context: shifted(view.time_range, context, by))

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

    def action_zoom(self, by: int) -> None:
        factor = 0.5 if by > 0 else 2
        row = self.table.highlighted
        interval = resolve(self.view.time_range, self.context)
        if row is None:
            return
        if interval.start_us is None or interval.end_us is None:
            # A range without an end is as long as the events that are in it.
            self._ask_once(_ends_of, partial(self._zoom_within, factor, row.occurred_us, interval))
        else:
            self.show_view(replace(self.view, time_range=zoomed(interval, row.occurred_us, factor)))

    def _zoom_within(self, factor: float, at_us: int, interval: Interval, ends: Interval) -> None:
        if factor > 1 and interval == Interval():
            self.say("All Time is all there is.")
            return
        start_us = ends.start_us if interval.start_us is None else interval.start_us
        end_us = ends.end_us if interval.end_us is None else interval.end_us
        if start_us is not None and end_us is not None:
            self.show_view(replace(self.view, time_range=zoomed(Interval(start_us, end_us), at_us, factor)))

    def action_zone(self) -> None:
        utc = zone_named("UTC")
        context = self.context
        zone = self._opening.zone if context.zone == utc else utc
        wanted = ShownView.of(
            self.view, replace(context, zone=zone), is_redacted=self.event_list.latest.is_redacted
        )
        self.event_list.ask(wanted)

    _strip: TimeStrip | None = None
    _wants_strip: bool | None = None

    def above_list(self) -> ComposeResult:
        if self._is_strip_shown(self.app.size.height):
            yield self._made_strip()

    def _is_strip_shown(self, height: int) -> bool:
        return height >= FEWEST_LINES if self._wants_strip is None else self._wants_strip

    def strip_marks(self) -> Sequence[tuple[int, Level]]:
        return ()

    def mark_strip(self) -> None:
        if self._strip is not None:
            self._strip.mark(self.strip_marks(), self.marked_us)

    def _made_strip(self) -> TimeStrip:
        strip = self._strip = TimeStrip(self._open_reader)
        strip.mark(self.strip_marks(), self.marked_us)
        return strip

    def on_mount(self) -> None:
        self.watch(self.table, "cursor_row", self._follow_with_strip, init=False)

    def on_resize(self, event: events.Resize) -> None:
        self._fit_strip(event.size.height)

    def _fit_strip(self, height: int) -> None:
        is_shown = self._is_strip_shown(height)
        if self._strip is None:
            if not is_shown:
                return
            self.mount(self._made_strip(), before=self._body)
        strip = self._strip
        if strip is None or (strip.display == is_shown and strip.is_mounted):
            return
        strip.display = is_shown
        if is_shown and self.event_list.has_result:
            strip.count(self.event_list.shown)
            self._follow_with_strip()
        elif strip.has_focus:
            self.table.focus()

    def action_time_strip(self) -> None:
        strip = self._strip
        if strip is not None and strip.display and strip.has_focus:
            self._wants_strip = False
            self.table.focus()
        else:
            self._wants_strip = True
        self._fit_strip(self.size.height)
        if self._wants_strip and self._strip is not None:
            self._strip.focus()

    @on(EventList.QueryShown)
    def _count_with_strip(self, message: EventList.QueryShown) -> None:
        if self._strip is not None:
            self._strip.count(message.shown, is_reopened=message.is_reopened)

    @on(EventTable.RowHighlighted)
    def _follow_with_strip(self) -> None:
        row = self.table.highlighted
        if self._strip is not None and row is not None:
            self._strip.follow(row.occurred_us)

    def action_narrow_to_failures(self) -> None:
        self.table.focus()
        self.narrow_by(FAILED)

    @on(TimeStrip.Chosen)
    def _narrow_by_strip(self, message: TimeStrip.Chosen) -> None:
        bounds = message.bounds
        self.table.focus()
        if bounds.start_us is not None and bounds.end_us is not None:
            time_range = between(bounds.start_us, bounds.end_us, self.context)
            self.show_view(replace(self.view, time_range=time_range))


def _ends_of(reader: EventReader) -> Interval:
    """Return the times from the first event of a store to just after the last."""
    info = reader.info()
    return Interval(info.first_us, None if info.last_us is None else info.last_us + 1)
