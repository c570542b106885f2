"""The body of the review screen: the list, and beside or below it the detail pane, which follows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container
from textual.message import Message

from audit_tui.ui.widgets.list.event_list import EventList
from audit_tui.ui.widgets.list.event_table import EventTable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual import events
    from textual.app import ComposeResult

    from audit_tui.core.evidence.sealed import WrongEvents
    from audit_tui.core.query import ReaderFactory
    from audit_tui.ui.widgets.facets.facet_panel import FacetPanel
    from audit_tui.ui.widgets.pane.detail_pane import DetailPane, EventRemarks

SPLIT_STEP = 5
FACET_CELLS = 36
LEAST_LIST_CELLS = 60
"""A list that would be narrower has the facets over it."""
WIDE_CELLS = 120
FIRST_SPLIT = {True: 64, False: 50}
"""Percent that the list gets at first, beside the pane (True) and above it."""
LEAST, MOST = 20, 80
_NAMES = {True: "beside", False: "above"}
_FILE = "layout.json"
_MAX_BYTES = 1_000


class ReviewBody(Container):
    """Holds the list and the pane, which cover it."""

    BLANK = True

    class PaneToggled(Message):
        """The pane was opened or closed."""

    def __init__(
        self,
        event_list: EventList,
        open_reader: ReaderFactory,
        splits: dict[bool, int],
        remarks: EventRemarks,
    ) -> None:
        super().__init__(id="body")
        self.event_list = event_list
        self._open_reader = open_reader
        self._pane: DetailPane | None = None
        self._wrong: Sequence[WrongEvents] = ()
        self._remarks = remarks
        self._facets: FacetPanel | None = None
        self._width_cells = 0
        self._is_wide = False
        self.splits = splits
        self._is_dragging = False

    def compose(self) -> ComposeResult:
        yield self.event_list

    @property
    def pane(self) -> DetailPane | None:
        return self._pane if self._pane is not None and self._pane.display else None

    @property
    def facets(self) -> FacetPanel | None:
        return self._facets if self._facets is not None and self._facets.display else None

    def fit(self, width: int) -> None:
        self._width_cells = width
        self._is_wide = width >= WIDE_CELLS
        self.set_class(self._is_wide, "-wide")
        self._fit_pane()

    def open_facets(self) -> None:
        if self._facets is None:
            from audit_tui.ui.widgets.facets.facet_panel import FacetPanel

            self._facets = FacetPanel(self._open_reader, id="facets")
            self.mount(self._facets, before=0)
        self._facets.display = True
        self._fit_facets()
        self._facets.count(self.event_list.shown.query)
        self._facets.begin_at(self.event_list.table.column)
        self._facets.focus()

    def close_facets(self) -> None:
        if self._facets is not None:
            self._facets.display = False
            self._facets.stop()
            self.event_list.table.focus()

    def _fit_facets(self) -> None:
        if self._facets is not None:
            has_pane = self._is_wide and self.pane is not None
            room = self._width_cells * self.splits[True] // 100 if has_pane else self._width_cells
            self._facets.set_class(room - FACET_CELLS < LEAST_LIST_CELLS, "-over")
            self._facets.set_class(has_pane, "-left")

    def move_split(self, steps: int) -> None:
        if self.pane is not None:
            self._split_at(self.splits[self._is_wide] + steps * SPLIT_STEP)

    def _split_at(self, percent: int) -> None:
        self.splits[self._is_wide] = min(max(percent, LEAST), MOST)
        self._fit_pane()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        pane = self.pane
        if pane is not None:
            place, edge = (
                (event.screen_x, pane.region.x) if self._is_wide else (event.screen_y, pane.region.y)
            )
            if place == edge and pane.region.contains(int(event.screen_x), int(event.screen_y)):
                event.stop()
                self._is_dragging = True
                self.capture_mouse()
                # The press gave the focus to the pane, which would scroll to its value at each step.
                self.event_list.table.focus()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._is_dragging and self.pane is not None:
            region = self.region
            cells = event.screen_x - region.x if self._is_wide else event.screen_y - region.y
            length = region.width if self._is_wide else region.height
            self._split_at(round(100 * cells / max(1, length)))

    def on_mouse_up(self) -> None:
        if self._is_dragging:
            self._is_dragging = False
            self.release_mouse()

    def _fit_pane(self) -> None:
        if self._pane is not None:
            self._pane.set_class(self._is_wide, "-wide")
            share = f"{100 - self.splits[self._is_wide]}%"
            self._pane.styles.width = share if self._is_wide else "100%"
            self._pane.styles.height = "100%" if self._is_wide else share
        self._fit_facets()

    def open_pane(self) -> None:
        row = self.event_list.table.highlighted
        if row is None:
            return
        if self._pane is None:
            # Not at the start: it costs 30 ms there, and many a look needs no pane.
            from audit_tui.ui.widgets.pane.detail_pane import DetailPane

            self._pane = DetailPane(
                self._open_reader, self.event_list.shown.context.zone, self._remarks, id="detail"
            )
            self._fit_pane()
            self._pane.mark_wrong(self._wrong)
            self.mount(self._pane)
        self._pane.display = True
        self._fit_facets()
        self._pane.open_event(row.seq)
        self.post_message(self.PaneToggled())

    def close_pane(self) -> None:
        if self._pane is not None:
            self._pane.display = False
            self._fit_facets()
            self._pane.open_event(None)
            self.event_list.table.focus()
            self.post_message(self.PaneToggled())

    def mark_wrong(self, wrong: Sequence[WrongEvents]) -> None:
        self._wrong = wrong
        self.event_list.table.mark_wrong(wrong)
        if self._pane is not None:
            self._pane.mark_wrong(wrong)

    @on(EventList.QueryShown)
    def _follow_view(self, message: EventList.QueryShown) -> None:
        if self._pane is not None:
            self._pane.set_zone(message.shown.context.zone)
            if message.is_reopened:
                self._pane.renew()
        if self.facets is not None:
            self.facets.count(message.shown.query, is_reopened=message.is_reopened)

    @on(EventTable.RowHighlighted)
    def _follow_cursor(self, message: EventTable.RowHighlighted) -> None:
        if self.pane is not None and (message.row is not None or not self.event_list.count.value):
            self.pane.open_event(message.row.seq if message.row else None)


def read_splits(folder: Path | None) -> dict[bool, int]:
    """Return what was remembered in a folder; the first values where nothing usable is."""
    values: object = None
    if folder is not None:
        try:
            with (folder / _FILE).open("rb") as file:
                values = json.loads(file.read(_MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            values = None
    splits = dict(FIRST_SPLIT)
    for place, name in _NAMES.items():
        percent = values.get(name) if isinstance(values, dict) else None
        if type(percent) is int and LEAST <= percent <= MOST:
            splits[place] = percent
    return splits


def write_splits(folder: Path | None, splits: dict[bool, int]) -> None:
    """Remember the edge in a folder. Where that cannot be written, the next run begins as ever."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({name: splits[place] for place, name in _NAMES.items()})
        (folder / _FILE).write_text(text, encoding="utf-8")
    except OSError:
        return
