"""Asking a reader from a thread, one question at a time, and when the user rests."""

from __future__ import annotations

import threading
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from audit_tui.core.cancel import CancelToken
from audit_tui.errors import AuditTuiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.dom import DOMNode

    from audit_tui.core.query import EventReader, ReaderFactory

Answer = TypeVar("Answer")
LOOK_S = 0.1


class Lane:
    """A reader of its own and at most one question under way: a newer one ends the older.

    ``ask`` and ``close`` block and belong in thread workers; ``put`` and ``cancel`` do not.
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

    def put(
        self,
        node: DOMNode,
        group: str,
        question: Callable[[EventReader, CancelToken], Answer],
        take: Callable[[Answer], object],
        fail: Callable[[AuditTuiError], object] | None = None,
        *,
        before: Callable[[CancelToken], None] | None = None,
        open_reader: ReaderFactory | None = None,
        tells_end: bool = False,
    ) -> None:
        """Ask in a thread, and tell on the event loop what came of it, unless a newer question ended it.

        Args:
            node: The worker's and the answer's; ``group`` names the worker.
            group: Its newest worker ends the others.
            question: As in ``ask``.
            take: Gets the answer.
            fail: Gets the error; None where nobody asked, and who needs the source next is told.
            before: Waits, in the thread, until it may begin.
            open_reader: As in ``ask``.
            tells_end: ``fail`` gets a QueryCancelled, too.
        """
        token = self.begin()

        def work() -> None:
            tell: Callable[[], object] | None
            try:
                if before is not None:
                    before(token)
                answer = self.ask(question, token, open_reader)
            except AuditTuiError as error:
                tell = None if fail is None else partial(fail, error)
            else:
                tell = partial(take, answer)
            if tell is not None:
                node.call_later(tell if tells_end else partial(unless_ended, token, tell))

        node.run_worker(work, thread=True, group=group, exclusive=True)

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


def unless_ended(token: CancelToken, tell: Callable[[], object]) -> None:
    """Tell what came of a question, on the event loop, unless it was ended since."""
    if not token.is_cancelled:
        tell()


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
