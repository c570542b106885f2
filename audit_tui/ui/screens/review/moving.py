"""Move between the list, the pane and the ways out; those of a list without events are counted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on

from audit_tui.core.text import counted
from audit_tui.ui.lane import Lane
from audit_tui.ui.screens.review.base import why_empty
from audit_tui.ui.screens.review.body import ReviewBody
from audit_tui.ui.screens.review.following import Following
from audit_tui.ui.widgets.bars import Bar
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.painter import fit_at_most

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import EventReader
    from audit_tui.core.view import WayOut
    from audit_tui.ui.history import ShownView

MAX_WAYS = 6
MAX_WORDS_CELLS = 48


class Moving(Following):
    """The keys that move between the list, the pane and the way out."""

    @on(EventTable.RowSelected)
    def action_open_event(self) -> None:
        if self.take_way_out():
            return
        if self.pane is not None:
            self._body.close_pane()
        else:
            self._body.open_pane()

    @on(ReviewBody.PaneToggled)
    def _show_keys(self) -> None:
        self._keys.show_pane(is_open=self.pane is not None)

    def action_back(self) -> None:
        if bool(self._status.waiting_words):
            self.event_list.cancel()
        elif self.table.is_selecting:
            self.table.end_selection()
        elif self.facets is not None and (self.facets.has_focus or self.pane is None):
            self._body.close_facets()
        elif self.pane is not None:
            self._body.close_pane()
        elif not self.stop_arrivals() and not self.event_list.cancel():
            self.step_back()

    def action_quit(self) -> None:
        if self.table.is_selecting or self.pane is not None or self.facets is not None:
            self.action_back()
        else:
            self.app.exit()

    def interrupt(self) -> bool:
        from audit_tui.ui.screens.export_dialog import ExportDialog

        screen = self.app.screen
        is_export = isinstance(screen, ExportDialog) and screen.cancel()
        return is_export or self.event_list.cancel()

    def action_to_part(self, _by: int) -> None:
        self.focus_next()
        if self.pane is not None and self.focused is self.pane:
            self.pane.call_after_refresh(self.pane.show_cursor)

    @on(Bar.Pressed)
    async def _press(self, message: Bar.Pressed) -> None:
        await self.run_action(message.command.replace("-", "_"))

    def action_narrow_list(self) -> None:
        self._body.move_split(-1)

    def action_widen_list(self) -> None:
        self._body.move_split(1)

    _ways: Sequence[WayOut] = ()
    _ways_lane: Lane | None = None

    def on_unmount(self) -> None:
        if self._ways_lane is not None:
            self._ways_lane.close()

    def nothing_found(self) -> None:
        shown = self.event_list.shown
        self._ways = ()
        if self._ways_lane is None:
            self._ways_lane = Lane(self._open_reader)

        def count(reader: EventReader, cancel: CancelToken) -> list[tuple[WayOut, int]]:
            from audit_tui.core.view import last_resorts, ways_out

            def counts(ways: Sequence[WayOut]) -> list[tuple[WayOut, int]]:
                queries = [(way, way.view.query(shown.context)) for way in ways[:MAX_WAYS]]
                numbers = [(way, reader.count(query, cancel)) for way, query in queries]
                return [(way, events) for way, events in numbers if events]

            ways = counts(ways_out(shown.view, shown.context))
            return ways or counts(last_resorts(shown.view, shown.context))[:1]

        # Without an answer, the words above say what to do.
        self._ways_lane.put(self, "ways-out", count, partial(self._show_ways, shown))

    def _show_ways(self, shown: ShownView, helpful: Sequence[tuple[WayOut, int]]) -> None:
        if self.event_list.shown is not shown or self.event_list.count.value:
            return
        self._ways = [way for way, _ in helpful]
        texts = [fit_at_most(way.words, MAX_WORDS_CELLS) for way in self._ways]
        cells = max(map(cell_len, texts), default=0)
        choices = [
            f"{text}{' ' * (cells - cell_len(text))}  {counted(events, 'event')}"
            for text, (_, events) in zip(texts, helpful, strict=True)
        ]
        words = why_empty(shown, self._keymap)
        if choices:
            key = self._keymap.key_of("open-event")
            words = (*words, "", f"{key} shows the events{', ↓ another way' if len(choices) > 1 else ''}:")
        self.table.show_words(*words, choices=choices)

    def take_way_out(self) -> bool:
        choice = self.table.choice
        if choice is None or choice >= len(self._ways):
            return False
        self.show_view(self._ways[choice].view)
        return True
