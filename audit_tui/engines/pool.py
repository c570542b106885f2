"""The few connections that all readers of a source share, also when the server goes and comes back."""

from __future__ import annotations

import os
import threading
import time
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from audit_tui.core.source import POSTGRESQL, without_password
from audit_tui.engines.layout import FORMATS
from audit_tui.errors import NotAStore, QueryCancelled, QueryTooLong, SourceLost, StoreError, StoreTooNew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.dialect import Value

_PASSWORDS = ("PGPASSWORD", "CLICKHOUSE_PASSWORD")
MAX_CONNECTIONS = 3
"""A screen has eight readers; a server may have a hundred connections for everybody."""
LEAST_WAIT_S, MOST_WAIT_S = 1.0, 30.0
"""The time between two tries to connect, doubled each time."""


_NARROW = "Narrow the range."
_NARROW_TEXTS = (
    "Narrow the range, or ask the owner for the text index that audit-tui ship --print-schema shows."
)
_PLAIN_TEXTS = "coalesce(e.folded_texts"
"""Of PostgreSQL, which reads the texts of ten million events in 30 s without that index."""


class Connection(Protocol):
    """One connection to an engine, for one thread at a time."""

    def rows(self, statement: str, values: Mapping[str, Value]) -> list[tuple[Any, ...]]:
        """Return all rows of a statement.

        Raises:
            SourceLost: If the server is gone; the connection is of no use any more.
            QueryCancelled: If it was interrupted.
            StoreError: If the server refuses it.
        """
        ...

    def interrupt(self) -> None:
        """End the statement that another thread waits for. May block."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...


class Pool:
    """Connections that are opened when they are wanted, and opened again when they are lost.

    Args:
        connect: Opens one; raises SourceLost.
        deadline_s: The longest time that an answer may take; None is for ever.
    """

    def __init__(self, connect: Callable[[], Connection], deadline_s: float | None = None) -> None:
        self.deadline_s = deadline_s
        self._connect = connect
        self._free: list[Connection] = []
        # Where a source is opened, and refused before anybody reads.
        weakref.finalize(self, _close, self._free)
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = threading.Lock()
        self._lost: SourceLost | None = None
        self._wait_s = LEAST_WAIT_S
        self._try_at_s = 0.0
        self._readers = 0
        self._had_readers = False

    @property
    def lost(self) -> SourceLost | None:
        """The reason why there is no connection; None while there is."""
        return self._lost

    def rows(
        self,
        statement: str,
        values: Mapping[str, Value],
        cancel: CancelToken | None = None,
        *,
        has_deadline: bool = True,
    ) -> list[tuple[Any, ...]]:
        """Ask one question, in one round trip.

        Raises:
            QueryCancelled: If the token is cancelled.
            QueryTooLong: If the answer takes longer than it may.
            SourceLost: If there is no connection.
            StoreError: If the server refuses the statement.
        """
        statement = self.written(statement)
        with self._places, self._connection() as connection:
            limit_s = self.deadline_s if has_deadline else None
            with _deadline(connection, limit_s) as is_late:
                try:
                    if cancel is None:
                        return connection.rows(statement, values)
                    with cancel.interrupting(connection.interrupt, is_slow=True):
                        return connection.rows(statement, values)
                except QueryCancelled:
                    if is_late.is_set():
                        hint = _NARROW_TEXTS if _PLAIN_TEXTS in statement else _NARROW
                        raise QueryTooLong(f"The answer takes longer than {limit_s:g} s.", hint) from None
                    raise

    def written(self, statement: str) -> str:
        """Return a statement as the engine is asked it."""
        return statement

    def join(self) -> None:
        """Note another reader."""
        with self._lock:
            self._readers += 1
            self._had_readers = True

    def leave(self) -> None:
        """Note that a reader is gone; the connections go with the last one."""
        with self._lock:
            self._readers -= 1
            is_last = not self._readers
        if is_last:
            self.close()

    def close(self) -> None:
        """Let all connections go."""
        with self._lock:
            free = self._free[:]
            self._free.clear()
        _close(free)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        connection = self._take()
        try:
            yield connection
        except SourceLost as error:
            connection.close()
            # The others are of the same server.
            self.close()
            self._note(error)
            raise
        except BaseException:
            # A question that was cancelled or refused leaves the connection as it was.
            self._give_back(connection)
            raise
        self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            is_wanted = self._readers > 0 or not self._had_readers
            if is_wanted:
                self._free.append(connection)
        if not is_wanted:
            # The answer of a question that outlived its reader.
            connection.close()

    def _take(self) -> Connection:
        with self._lock:
            if self._free:
                return self._free.pop()
            if self._lost is not None and time.monotonic() < self._try_at_s:
                raise self._lost
        try:
            connection = self._connect()
        except SourceLost as error:
            self._note(error)
            raise
        self._lost, self._wait_s = None, LEAST_WAIT_S
        return connection

    def _note(self, error: SourceLost) -> None:
        with self._lock:
            self._lost = error
            self._try_at_s = time.monotonic() + self._wait_s
            self._wait_s = min(self._wait_s * 2, MOST_WAIT_S)


def check_format(connection: Connection, url: SourceUrl) -> None:
    """Refuse tables of another version.

    Raises:
        StoreError: If there are none, or newer ones.
    """
    rows = connection.rows("SELECT value FROM audit_about WHERE name = 'format'", {})
    if not rows:
        raise not_made(url)
    if int(rows[0][0]) > FORMATS[url.engine]:
        raise StoreTooNew(f"{url} was made by a newer audit-tui.", "Update this one.")
    if int(rows[0][0]) < FORMATS[url.engine]:
        raise StoreError(f"{url} was made by an older audit-tui.", "Ship the stores to an empty database.")


def not_made(url: SourceUrl) -> StoreError:
    """Return the error for a database without our tables."""
    more = "; --table reads another program's" if url.engine == POSTGRESQL else ""
    return NotAStore(
        f"{url} has no audit tables that you may read.",
        f"audit-tui ship STORE --to URL makes and fills them{more}.",
    )


def without_secrets(words: str, url: SourceUrl) -> str:
    """Return words of a driver without the password of a URL, or of the environment."""
    passwords = [urlsplit(url.secret_text).password, *map(os.environ.get, _PASSWORDS)]
    for password in filter(None, passwords):
        words = words.replace(unquote(password), "***").replace(password, "***")
    return without_password(words)


def _close(connections: list[Connection]) -> None:
    for connection in connections:
        connection.close()


@contextmanager
def _deadline(connection: Connection, limit_s: float | None) -> Iterator[threading.Event]:
    """Interrupt a question that takes too long."""
    is_late = threading.Event()
    if limit_s is None:
        yield is_late
        return

    def interrupt() -> None:
        is_late.set()
        connection.interrupt()

    timer = threading.Timer(limit_s, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()
        timer.join()
