"""Goes from event to event of a kind, in a thread; the screen hears where it landed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from audit_tui.errors import AuditTuiError, QueryCancelled
from audit_tui.ui.lane import Lane
from audit_tui.ui.seeking import rank, seek

if TYPE_CHECKING:
    from textual.screen import Screen

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import ReaderFactory
    from audit_tui.ui.seeking import Hit, Seek


class Seeker:
    """Seeks events, one wish at a time: a newer one ends the older and goes on from there."""

    @dataclass
    class Landed(Message):
        """The event was sought."""

        wish: Seek
        hit: Hit | None

    @dataclass
    class Ranked(Message):
        """The rank of the event that was landed on is known."""

        wish: Seek
        rank: int
        total: int

    @dataclass
    class Failed(Message):
        """The source could not answer."""

        wish: Seek
        error: AuditTuiError

    def __init__(self, screen: Screen[None], open_reader: ReaderFactory) -> None:
        self._screen = screen
        self._lane = Lane(open_reader)
        self._wish: Seek | None = None
        self.is_under_way = False

    def ask(self, wish: Seek) -> None:
        """Seek; where the same is under way already, these steps are added."""
        before = self._wish
        if self.is_under_way and before is not None and before == replace(wish, steps=before.steps):
            wish = replace(wish, steps=before.steps + wish.steps)
        self._wish = wish if wish.steps else None
        self.is_under_way = bool(wish.steps)
        work = partial(self._work, wish, self._lane.begin())
        if wish.steps:
            self._screen.run_worker(work, thread=True, group="seek", exclusive=True)

    def is_current(self, wish: Seek) -> bool:
        """Tell whether a message is about the newest wish; it is done then."""
        is_current = wish is self._wish
        self.is_under_way = self.is_under_way and not is_current
        return is_current

    def cancel(self) -> bool:
        was_under_way, self.is_under_way = self.is_under_way, False
        self._wish = None
        self._lane.cancel()
        return was_under_way

    def renew(self) -> None:
        self._lane.renew()

    def close(self) -> None:
        self._lane.close()

    def _work(self, wish: Seek, token: CancelToken) -> None:
        try:
            hit = self._lane.ask(lambda reader, cancel: seek(reader, wish, cancel), token)
            self._screen.post_message(self.Landed(wish, hit))
            if hit is not None:
                row = hit.row
                place, total = self._lane.ask(lambda reader, cancel: rank(reader, wish, row, cancel), token)
                self._screen.post_message(self.Ranked(wish, place, total))
        except QueryCancelled:
            return
        except AuditTuiError as error:
            self._screen.post_message(self.Failed(wish, error))
