"""Writing to a terminal that may be gone.

Textual's writer thread dies of the first failed write; the queue before it fills up and the event loop waits
in it for ever: a process without a terminal is left behind. This file swallows what it cannot write.
"""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO


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
