"""Badges for what appears for the first time, of the rows on the screen, when the user rests."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on

from audit_tui.core.investigate.compare import First, FirstSeen
from audit_tui.ui.lane import Lane
from audit_tui.ui.screens.review.marking import Marking
from audit_tui.ui.widgets.list.event_list import EventList
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.list.row_strips import Remark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.event import AuditEvent

STILL_S = 0.3
"""The rows are looked up when nothing was typed for so long: five lookups a row, of up to 1 ms each."""
MAX_ROWS = 20_000


class Badges(Marking):
    """Shows NEW IP and the like at the ends of lines, and in the pane."""

    _firsts: dict[int, Sequence[First]] = {}  # noqa: RUF012 - replaced at the start
    _lane: Lane | None = None

    def on_mount(self) -> None:
        self._firsts = {}
        self._seen = FirstSeen()
        if self._opening.shows_firsts:
            self._lane = Lane(self._open_reader)

    def on_unmount(self) -> None:
        if self._lane is not None:
            self._lane.close()

    @on(EventList.QueryShown)
    def _look_again(self, message: EventList.QueryShown) -> None:
        if message.is_reopened and self._lane is not None:
            self._seen.forget()
            self._firsts = {}
            self._lane.renew()
        self._look_up()

    @on(EventTable.RowHighlighted)
    def _look_up(self) -> None:
        table, lane = self.table, self._lane
        if lane is None or self.event_list.shown.is_redacted:
            return
        rows = [row for row in table.rows_in_sight if row.seq not in self._firsts]
        if rows:
            lane.put(
                self,
                "firsts",
                lambda reader, cancel: {row.seq: self._seen.of(reader, row, cancel) for row in rows},
                self._take_firsts,
                before=partial(self.stillness.wait, STILL_S),
            )

    def _take_firsts(self, firsts: dict[int, Sequence[First]]) -> None:
        if len(self._firsts) > MAX_ROWS:
            self._firsts.clear()
        self._firsts |= firsts
        if any(firsts.values()):
            self.show_remarks()

    def remarks(self) -> dict[int, Remark]:
        remarks = super().remarks()
        for seq, firsts in self._firsts.items():
            if firsts:
                remarks[seq] = remarks.get(seq, Remark())._replace(tag=firsts[0].tag, short_tag="NEW")
        return remarks

    def remarks_of(self, event: AuditEvent) -> Sequence[str]:
        firsts = self._firsts.get(event.seq or 0, ())
        lines = [f"{first.tag}: {first.words}" for first in firsts]
        return [*super().remarks_of(event), *lines, *([""] if lines else [])]
