"""When the user rests: what can wait is done then, and costs no key."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken

LOOK_S = 0.1


class Stillness:
    """Knows when a key was pressed or the mouse was used last; the start counts as one."""

    def __init__(self) -> None:
        self._last_input = monotonic()

    def note_input(self) -> None:
        self._last_input = monotonic()

    def wait(self, seconds: float, cancel: CancelToken) -> None:
        """In a thread: wait until nothing was done for so long."""
        while not cancel.is_cancelled and monotonic() - self._last_input < seconds:
            cancel.wait(LOOK_S)
        cancel.check()
