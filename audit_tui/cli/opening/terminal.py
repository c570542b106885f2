"""The terminal that the screen needs, its keyboard, and one heap for all threads."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from audit_tui.errors import UsageError

NO_SCREEN_HINT = "Without the screen: audit-tui query prints events, audit-tui count their number."


def has_screen(*, has_keyboard: bool = False) -> bool:
    """Tell whether there is a terminal to show the review screen on.

    With a keyboard, standard input may be anything.
    """
    # Textual writes to stderr, and a stdout that goes elsewhere asks for data.
    streams = (sys.stdout, sys.stderr) if has_keyboard else (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams) and not _is_dumb()


def _is_dumb() -> bool:
    return os.environ.get("TERM", "") in ("", "dumb", "unknown")


def require_screen(hint: str = NO_SCREEN_HINT, *, has_keyboard: bool = False) -> None:
    """Refuse to go on where the screen could not be shown.

    Raises:
        UsageError: If there is no terminal, or one that cannot move its cursor.
    """
    if has_screen(has_keyboard=has_keyboard):
        return
    if _is_dumb() and sys.stdout.isatty():
        terminal = os.environ.get("TERM", "")
        raise UsageError(f"The screen needs a better terminal than TERM={terminal}.", hint)
    raise UsageError("The screen needs a terminal: input and output must not be redirected.", hint)


_STDIN = 0
_TERMINAL = "/dev/tty"


class Keyboard:
    """The terminal, opened to be read beside standard input."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def of_terminal(cls) -> Keyboard | None:
        """The keyboard of the terminal that shows the output; None if there is none, or it is stdin's."""
        if sys.stdin is None or sys.stdin.isatty():
            return None
        # macOS cannot wait for input from /dev/tty, so the terminal's own name comes first.
        names = [_TERMINAL]
        with suppress(OSError, ValueError, AttributeError):
            names.insert(0, os.ttyname(sys.stdout.fileno()))
        for name in names:
            with suppress(OSError):
                return cls(os.open(name, os.O_RDWR | os.O_CLOEXEC))
        return None

    def take_stdin(self) -> None:
        """Become the standard input, once all of that was read."""
        os.dup2(self._descriptor, _STDIN)
        os.close(self._descriptor)


_M_ARENA_MAX = -8
"""glibc's mallopt.h."""


def share_one_heap() -> None:
    """Let threads that begin later allocate from the only heap.

    glibc gives each a heap of its own, of which what is freed stays: 30 of 140 MiB with everything open over
    10,000,000 events. Python's own lock keeps the threads apart anyway. It takes 4 ms; other C libraries
    have no such heaps.
    """
    if sys.platform != "linux":
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
