"""Textual's driver for Unix terminals, where it falls short.

It asks for reports of any motion of the mouse (mode 1003): twelve moves over a table cost 21 KB on the line.
Clicks, drags and the wheel need modes 1000, 1002 and 1006. Its writer does not survive a lost terminal, and
a SIGCONT without a suspension before it starts a second writer and a second reader (Textual 8.2.8).
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import termios
import threading
from codecs import getincrementaldecoder
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from audit_tui.errors import EXIT_INTERRUPTED, EXIT_SIGHUP, EXIT_SIGTERM

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import TextIO

    from textual.app import App

_MODES = (1000, 1002, 1006)
_READ_BYTES = 4096
_LOOK_UP_S = 0.1
"""The time after which the reading thread looks for the end of the app, and takes a lone Esc as a key."""
_AS_FOUND = (
    b"\x1b[m\x1b[?2004l\x1b[?7h\x1b[?2048l"
    + b"".join(b"\x1b[?%dl" % mode for mode in (*_MODES, 1016, 1004))
    + b"\x1b[<u\x1b[?1049l\x1b[?25h\r\n"
)
"""Everything that Textual and this driver switch on, switched off; the same as ``stop_application_mode``."""
_PIXELS = 1016
"""Textual asks for positions in pixels where the terminal reports its size in band."""
_EXIT_CODES = {
    signal.SIGTERM: EXIT_SIGTERM,
    signal.SIGHUP: EXIT_SIGHUP,
    signal.SIGINT: EXIT_INTERRUPTED,
}
GRACE_S = 3.0
"""The longest that the app may take to leave. A terminal that takes no output, or a thread that does not end,
would otherwise keep the process for ever."""


class LastingOutput:
    """A file that says once when the terminal is lost, and never fails.

    Args:
        file: The terminal.
        on_loss: Called in the writing thread when a write failed; nothing is written after that.
    """

    def __init__(self, file: TextIO, on_loss: Callable[[], None]) -> None:
        self._fileno = file.fileno()
        self._encoding = file.encoding
        self._on_loss = on_loss
        self._is_lost = False
        file.flush()

    def fileno(self) -> int:
        return self._fileno

    def write(self, text: str) -> None:
        """Write a text, waiting while the terminal takes no more."""
        # Not through the text file: what it could not write it tries again at exit, which then fails.
        left = memoryview(text.encode(self._encoding, "backslashreplace"))
        while left and not self._is_lost:
            try:
                left = left[os.write(self._fileno, left) :]
            except BlockingIOError:
                # Another program that shares the terminal has made it non-blocking.
                select.select([], [self._fileno], [])
            except OSError:
                self._is_lost = True
                self._on_loss()

    def flush(self) -> None:
        """Do nothing: what was written is out."""


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


class TerminalDriver(LinuxDriver):
    """Quiet mouse reports that can be switched while the app runs, and an end when the terminal is lost."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._is_suspended = False
        self._give_signals_back: Callable[[], None] | None = None
        if sys.__stderr__ is not None:
            # Textual types the attribute as a text file and uses write, flush and fileno.
            vars(self)["_file"] = LastingOutput(sys.__stderr__, self._leave)

    def start_application_mode(self) -> None:
        if self._give_signals_back is None:
            self._give_signals_back = exit_on_signals(self._app, self._give_back_at_once)
        start: Callable[[], None] = super().start_application_mode
        start()

    def stop_application_mode(self) -> None:
        # The app leaves the style of what it drew last.
        self.write("\x1b[m")
        super().stop_application_mode()

    def close(self) -> None:
        super().close()
        if self._give_signals_back is not None and not self._is_suspended:
            self._give_signals_back()
            self._give_signals_back = None

    def _give_back_at_once(self) -> None:
        """Restore the terminal, past an app that does nothing any more; never waits for the terminal."""
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        if self._file is None:
            return
        output = self._file.fileno()
        with suppress(OSError):
            if select.select([], [output], [], _LOOK_UP_S)[1]:
                os.write(output, _AS_FOUND)

    # -- mouse

    @property
    def has_mouse(self) -> bool:
        return bool(self._mouse)

    def set_mouse(self, on: bool) -> None:
        if on != self.has_mouse:
            self._disable_mouse_support()
            self._mouse = on
            self._enable_mouse_support()

    def _enable_mouse_support(self) -> None:
        self._write_mouse_modes("h")

    def _disable_mouse_support(self) -> None:
        self._write_mouse_modes("l")

    def _write_mouse_modes(self, final: str) -> None:
        if self._mouse:
            modes = (*_MODES, _PIXELS) if self._mouse_pixels else _MODES
            self.write("".join(f"\x1b[?{mode}{final}" for mode in modes))
            self.flush()

    # -- suspension

    def suspend_application_mode(self) -> None:
        self._is_suspended = True
        super().suspend_application_mode()

    def resume_application_mode(self) -> None:
        self._is_suspended = False
        super().resume_application_mode()

    def _sigcont_application(self, *args: object) -> None:
        if self._is_suspended:
            super()._sigcont_application(*args)
        else:
            # Stopped from outside: the terminal was not given back, but others may have written on it.
            self.send_message(self.SignalResume())

    # -- a lost terminal

    def run_input_thread(self) -> None:
        """Read what is typed, until the app or the terminal ends.

        Textual's own asks again at once at the end of the input: on a terminal that was lost without a
        SIGHUP, as under nohup, it takes a whole core for ever.
        """
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        try:
            while not self.exit_event.is_set():
                if select.select([self.fileno], [], [], _LOOK_UP_S)[0]:
                    data = os.read(self.fileno, _READ_BYTES)
                    if not data:
                        self._leave()
                        return
                    for message in parser.feed(decode(data)):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        except OSError:
            self._leave()

    def _leave(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._app.exit, None, EXIT_SIGHUP)
