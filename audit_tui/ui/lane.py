"""Asking a reader from a thread, one question at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from audit_tui.core.cancel import CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.query import EventReader, ReaderFactory

Answer = TypeVar("Answer")


class Lane:
    """A reader of its own and at most one question under way: a newer one ends the older.

    ``ask`` and ``close`` block and belong in thread workers; ``cancel`` does not.
    """

    def __init__(self, open_reader: ReaderFactory) -> None:
        self._open_reader = open_reader
        self._reader: EventReader | None = None
        self._turn = threading.Lock()
        self._tokens = threading.Lock()
        self._current = CancelToken()
        self._is_stale = False

    def renew(self) -> None:
        self._is_stale = True

    def begin(self) -> CancelToken:
        """End the question under way and announce the next; does not block.

        Called on the event loop, it keeps questions in order, whichever thread comes first.
        """
        token = CancelToken()
        with self._tokens:
            older, self._current = self._current, token
        older.cancel()
        return token

    def ask(
        self,
        question: Callable[[EventReader, CancelToken], Answer],
        token: CancelToken | None = None,
        open_reader: ReaderFactory | None = None,
    ) -> Answer:
        """Put a question to the reader and wait for the answer.

        Args:
            question: The question.
            token: From ``begin``; None begins now.
            open_reader: Opens another reader for it, which replaces the one so far if it answers: until then
                that one may be all that is left of the source whose events are shown.

        Raises:
            QueryCancelled: If a newer question came, or ``cancel`` was called.
            StoreError: If the source cannot answer.
        """
        token = token or self.begin()
        with self._turn:
            token.check()
            reader = self._reader
            if reader is None or self._is_stale:
                self._is_stale = False
                # The one so far is kept until there is another: it may be all that is left of the source.
                reader = (open_reader or self._open_reader)()
                self._replace(reader)
            elif open_reader is not None:
                opened = open_reader()
                try:
                    answer = question(opened, token)
                except BaseException:
                    opened.close()
                    raise
                self._replace(opened)
                return answer
            return question(reader, token)

    def _replace(self, reader: EventReader) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = reader

    def glance(self, question: Callable[[EventReader], Answer]) -> Answer | None:
        """Put a short question to the reader without waiting, and without ending another question.

        Called in a thread: it opens the reader if nobody asked before.

        Returns:
            None if the reader is busy, or to be opened again.

        Raises:
            StoreError: If the source cannot answer.
        """
        if not self._turn.acquire(blocking=False):
            return None
        try:
            if self._is_stale:
                return None
            if self._reader is None:
                self._reader = self._open_reader()
            return question(self._reader)
        finally:
            self._turn.release()

    def cancel(self) -> None:
        self.begin()

    def close(self) -> None:
        self.cancel()
        with self._turn:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
