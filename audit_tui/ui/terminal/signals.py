"""Leaving the terminal sane when the process is told to end.

Textual 8.2.8 dies from SIGTERM and SIGHUP with the alternate screen, the mouse and the hidden cursor left
on. Told on the event loop, the app leaves as it does for any other exit, with the shell's code.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import TYPE_CHECKING

from audit_tui.errors import EXIT_INTERRUPTED, EXIT_SIGHUP, EXIT_SIGTERM

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from textual.app import App

_EXIT_CODES = {
    signal.SIGTERM: EXIT_SIGTERM,
    signal.SIGHUP: EXIT_SIGHUP,
    signal.SIGINT: EXIT_INTERRUPTED,
}
GRACE_S = 3.0
"""The longest that the app may take to leave. A terminal that takes no output, or a thread that does not end,
would otherwise keep the process for ever."""


def exit_on_signals(
    app: App[None], give_back: Callable[[], None], grace_s: float = GRACE_S
) -> Callable[[], None]:
    """Let SIGTERM, SIGHUP and SIGINT end the app in good order. Call on its event loop.

    Args:
        app: Is told to exit, with 128 and the signal's number as its code.
        give_back: Restores the terminal when the app does not come to it; called in another thread.
        grace_s: After this long the process ends, whatever it is doing.

    Returns:
        What gives the signals back.
    """
    loop = asyncio.get_running_loop()

    def end(code: int) -> None:
        try:
            give_back()
        finally:
            os._exit(code)

    # Not add_signal_handler: a loop that waits for the terminal to take output would not come to it.
    def leave(number: int, _frame: FrameType | None) -> None:
        code = _EXIT_CODES[signal.Signals(number)]
        last_resort = threading.Timer(grace_s, end, [code])
        last_resort.daemon = True
        last_resort.start()
        loop.call_soon_threadsafe(app.exit, None, code)

    before = {number: signal.signal(number, leave) for number in _EXIT_CODES}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore
