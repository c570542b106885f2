"""Get out of a list without events: say what to drop and how many events that shows; one key does it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.cells import cell_len

from audit_tui.core.text import counted
from audit_tui.ui.lane import Lane
from audit_tui.ui.screens.review.base import ReviewBase
from audit_tui.ui.screens.review.parts.empty_words import why_empty
from audit_tui.ui.widgets.painter import fit_at_most

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import EventReader
    from audit_tui.core.view import WayOut
    from audit_tui.ui.shown_view import ShownView

MAX_WAYS = 6
MAX_WORDS_CELLS = 48


class Rescuing(ReviewBase):
    """The lines in place of an empty list; Enter takes one."""

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
