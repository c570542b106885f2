"""The check of the seals while the screen is open: in the background, when nobody types."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from audit_tui.core.cancel import CancelToken
from audit_tui.core.evidence.sealed import SealState, SealStatus
from audit_tui.errors import QueryCancelled, SourceLost, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    from audit_tui.core.evidence.sealed import SealChecker
    from audit_tui.ui.lane import Stillness

BEGIN_S = 2.0
STILL_S = 1.0
"""The check goes on when no key was pressed for so long: beside it a key takes 10 ms longer."""


class SealWatch:
    """Runs a checker in one thread, and tells the screen when what is known changes."""

    def __init__(
        self,
        open_checker: Callable[[], SealChecker],
        screen: Screen[None],
        tell: Callable[[SealStatus], None],
        stillness: Stillness,
        still_s: float = STILL_S,
    ) -> None:
        self._open_checker = open_checker
        self._screen = screen
        self._tell = tell
        self._stillness = stillness
        self._still_s = still_s
        self._checker: SealChecker | None = None
        self._cancel = CancelToken()
        self._is_running = False
        self._runs_again = False
        self._was_lost = False
        """The engine went away before it was checked to the end."""
        self._turn = threading.Lock()
        self.status = SealStatus(SealState.CHECKING)

    def run(self) -> None:
        if not self._is_running:
            self._is_running = True
            self._screen.run_worker(self._work, thread=True, group="seals")

    def is_due(self) -> bool:
        """In a thread: tell whether something was written that is not checked yet, and no check runs."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            return self._was_lost or (self._checker is not None and self._checker.is_due())
        except SourceLost:
            # The status line says it; what was shipped is looked for when the engine is back.
            return False
        finally:
            self._turn.release()

    def begin_again(self) -> None:
        if self._checker is not None:
            self._checker.begin_again()
        self._runs_again = self._is_running
        self.run()

    def close(self) -> None:
        self._cancel.cancel()

    def _work(self) -> None:
        try:
            with self._turn:
                self._run_checker()
                while self._runs_again:
                    self._runs_again = False
                    self._run_checker()
        finally:
            self._is_running = False

    def _run_checker(self) -> None:
        try:
            if self._checker is None:
                self._checker = self._open_checker()
            self._checker.run(self._take, self._cancel)
            self._was_lost = False
        except QueryCancelled:
            self._close_checker()
        except SourceLost:
            # Nothing is known of the seals but what was: it begins again when the engine is back.
            self._was_lost = True
            self._close_checker()
        except StoreError as error:
            self._take(SealStatus(SealState.UNSEALED, message=error.message))
            self._close_checker()

    def _close_checker(self) -> None:
        if self._checker is not None:
            self._checker.close()
            self._checker = None

    def _take(self, status: SealStatus) -> None:
        if self._is_news(status):
            self.status = status
            self._screen.call_later(self._tell, status)
        self._stillness.wait(self._still_s, self._cancel)

    def _is_news(self, status: SealStatus) -> bool:
        """Tell whether the user is told: not of every step, which would write to the terminal without end."""
        before = self.status
        if status.state is SealState.CHECKING:
            # But for the first of them after a result, which no longer holds.
            return before.state is not SealState.CHECKING
        if status.state is SealState.HOLDS:
            return status != before
        return (status.state, status.wrong, status.message) != (before.state, before.wrong, before.message)
