"""The strip of time over the list, and what is chosen there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on

from audit_tui.core.time.moves import between
from audit_tui.ui.screens.review.narrowing import Narrowing
from audit_tui.ui.time_buckets import FAILED
from audit_tui.ui.widgets.list.event_list import EventList
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.time_strip import TimeStrip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from audit_tui.core.investigate.detections import Level

FEWEST_LINES = 30
"""From this height of the terminal on the strip is shown without being asked for."""


class StripKeys(Narrowing):
    """The keys of the strip of time."""

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

    @on(TimeStrip.FailuresWanted)
    def _narrow_to_failures(self) -> None:
        self.table.focus()
        self.narrow_by(FAILED)

    @on(TimeStrip.Left)
    def _leave_strip(self) -> None:
        self.table.focus()

    @on(TimeStrip.Chosen)
    def _narrow_by_strip(self, message: TimeStrip.Chosen) -> None:
        bounds = message.bounds
        self.table.focus()
        if bounds.start_us is not None and bounds.end_us is not None:
            time_range = between(bounds.start_us, bounds.end_us, self.context)
            self.show_view(replace(self.view, time_range=time_range))
