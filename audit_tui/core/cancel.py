"""Ending a query that is no longer wanted, from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from audit_tui.errors import QueryCancelled


class CancelToken:
    """A flag that ends the work it was given to, at once and for good.

    A flag alone leaves an SQL statement running, an interrupt alone misses the statement that has not
    started; so work checks the flag, and hands in what interrupts it while it runs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._interrupting = threading.Lock()
        """Is held while a slow interrupt runs, so that it never meets the work that comes after."""
        self._cancelled = threading.Event()
        self._interrupt: Callable[[], None] | None = None
        self._is_slow = False

    @property
    def is_cancelled(self) -> bool:
        """True when the work should end."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """End the work. Never blocks; safe from any thread, and more than once."""
        with self._lock:
            is_first = not self._cancelled.is_set()
            self._cancelled.set()
            if self._interrupt is None:
                return
            if not self._is_slow:
                self._interrupt()
            elif is_first:
                threading.Thread(target=self._interrupt_slowly, name="cancel", daemon=True).start()

    def _interrupt_slowly(self) -> None:
        with self._interrupting:
            interrupt = self._interrupt
            if interrupt is not None:
                interrupt()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until the work should end; not while ``interrupting``."""
        self._cancelled.wait(seconds)

    def check(self) -> None:
        """Raise QueryCancelled if the work should end."""
        if self._cancelled.is_set():
            raise QueryCancelled("The query was cancelled.")

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None], *, is_slow: bool = False) -> Iterator[None]:
        """Call ``interrupt`` if the token is cancelled inside this block.

        A slow interrupt may block, as what sends a message to a server: it runs in a thread of its own then,
        and the block ends when it has ended.

        Raises:
            QueryCancelled: If it was cancelled before.
        """
        with self._lock:
            self.check()
            self._interrupt, self._is_slow = interrupt, is_slow
        try:
            yield
        finally:
            with self._interrupting, self._lock:
                self._interrupt = None
