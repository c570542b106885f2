"""The keyboard of the terminal, for a screen whose standard input is a log."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

_STDIN = 0
_TERMINAL = "/dev/tty"


class Keyboard:
    """The terminal, opened to be read beside standard input.

    Args:
        descriptor: Of the terminal; kept.
    """

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
