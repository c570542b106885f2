"""A look at the source from time to time: whether it was replaced, deleted, damaged, or has newer events."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from audit_tui.core.query import SourceState, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

LOOK_S = 1.0


class Notice(NamedTuple):
    """Words about the source."""

    words: str
    short: str = ""
    """The words that stay of them after a while; empty when they can go."""


class SourceWatch:
    """Looks in a thread, and tells the screen what it finds; the screen says what is new of it."""

    class Looked(Message):
        """The source was looked at."""

        def __init__(self, state: SourceState, newer: int) -> None:
            super().__init__()
            self.state = state
            self.newer = newer

    def __init__(self, screen: Screen[None], look: Callable[[], tuple[SourceState, int] | None]) -> None:
        self._screen = screen
        self._look = look

    def run(self) -> None:
        self._screen.run_worker(self._work, thread=True, group="look", exclusive=True)

    def _work(self) -> None:
        looked = self._look()
        if looked is not None:
            self._screen.post_message(self.Looked(*looked))


def notice_of(state: SourceState, newer: int, opening: str, reload: str) -> Notice:
    """Say what a look found."""
    match state.standing:
        case Standing.REPLACED:
            return Notice(f"The store was replaced: {reload} opens the new one.", f"replaced: {reload}")
        case Standing.DELETED:
            return Notice("The store file was deleted; showing the last state.", "file deleted")
        case Standing.DAMAGED:
            return Notice("The store is damaged: showing what can be read.", "damaged")
        case Standing.LOST:
            return Notice("The connection is lost: showing what was read, trying again.", "connection lost")
    if newer:
        words = f"{newer:,} new: {reload} shows them"
        return Notice(words, words)
    # Another store may have been opened since.
    return Notice(opening if state.notice in opening else state.notice)
