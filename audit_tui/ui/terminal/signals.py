"""Leaving the terminal sane when the process is told to end.

Textual 8.2.8 dies from SIGTERM and SIGHUP with the alternate screen, the mouse and the hidden cursor left
on. Handled on the event loop, the app leaves as it does for any other exit, with the shell's code.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from audit_tui.errors import EXIT_SIGHUP, EXIT_SIGTERM

if TYPE_CHECKING:
    from textual.app import App

_EXIT_CODES = {signal.SIGTERM: EXIT_SIGTERM, signal.SIGHUP: EXIT_SIGHUP}


def exit_on_signals(app: App[None]) -> None:
    """Let SIGTERM and SIGHUP end the app in good order. Call on its event loop."""
    loop = asyncio.get_running_loop()
    for number, code in _EXIT_CODES.items():
        loop.add_signal_handler(number, _leave, app, code)


def _leave(app: App[None], code: int) -> None:
    app.exit(return_code=code)
