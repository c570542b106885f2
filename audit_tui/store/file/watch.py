"""Ending a statement of SQLite from inside: when it is no longer wanted, or has taken too long."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audit_tui.errors import QueryCancelled, QueryTooLong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.core.cancel import CancelToken

DEADLINE_S = 10.0
"""The time that the screen waits for an answer, unless the settings say otherwise."""


class Watch:
    """Is asked by SQLite every few thousand steps whether to go on."""

    def __init__(self) -> None:
        self._cancel: CancelToken | None = None
        self._ends_at: float | None = None
        self._has_expired = False

    def should_stop(self) -> bool:
        """Tell whether the statement should end; the progress handler of a connection."""
        if self._cancel is not None and self._cancel.is_cancelled:
            return True
        if self._ends_at is not None and time.monotonic() > self._ends_at:
            self._has_expired = True
        return self._has_expired

    @contextmanager
    def over(self, cancel: CancelToken | None, limit_s: float | None) -> Iterator[None]:
        """Watch what is asked inside this block, whose errors of SQLite are ours already.

        Args:
            cancel: Ends it; None cannot.
            limit_s: How long it may take; None is for ever.

        Raises:
            QueryTooLong: If it took longer.
        """
        self._cancel = cancel
        self._ends_at = None if limit_s is None else time.monotonic() + limit_s
        self._has_expired = False
        try:
            yield
        except QueryCancelled:
            if not self._has_expired:
                raise
            raise QueryTooLong(
                f"The answer was not there after {limit_s:g} s, and the question was ended.",
                "Choose a shorter range or another filter, or allow more time: deadline in the settings.",
            ) from None
        finally:
            self._cancel = self._ends_at = None
            self._has_expired = False
