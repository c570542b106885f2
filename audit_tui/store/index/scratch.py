"""A private index of events that a store has in none: of an older version, or of an import that was killed.

A viewer never writes to a store, so what a writer would add to it is made in a file without a name, which
goes with the process: five seconds a million events, once, in pieces.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from audit_tui.store.file.connect import open_scratch
from audit_tui.store.index.keeper import BULK_TAIL_EVENTS, IndexKeeper, indexed_upto
from audit_tui.store.index.merging import MAX_SEGMENT
from audit_tui.store.index.segment import LEAST_EVENTS
from audit_tui.store.index.stored import HEADERS, StoredSegment, in_order
from audit_tui.store.tables import index_layout

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from audit_tui.store.index.cache import Cache


class Scratch:
    """The index, shared by the readers of a process.

    Args:
        identity: Of the file, and of what was removed from it: another one needs another index.
        first_seq: What comes before was in the store's own index.
    """

    def __init__(self, identity: object, first_seq: int) -> None:
        self.identity, self.first_seq = identity, first_seq
        self._lock = threading.Lock()
        self._connection = open_scratch()
        index_layout.create(self._connection)
        self._keeper = IndexKeeper(BULK_TAIL_EVENTS, MAX_SEGMENT)

    def catch_up(self, events: sqlite3.Connection, newest: int, check: Callable[[], None]) -> None:
        """Index what is missing; when it is cancelled, the next question goes on from there.

        Args:
            events: The store, in a snapshot.
            newest: The number of the event appended last.
            check: Raises what ends it.
        """
        while True:
            check()
            with self._lock:
                reached = max(self.first_seq - 1, indexed_upto(self._connection))
                if newest - reached < LEAST_EVENTS:
                    return
                self._connection.execute("BEGIN")
                try:
                    is_done = not self._keeper.catch_up(self._connection, newest, reached, events)
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
                if is_done:
                    return

    def segments(self, cache: Cache) -> list[StoredSegment]:
        """Return the segments as they are now."""
        return [StoredSegment(header, self, cache, id(self)) for header in in_order(self.rows(HEADERS))]

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement."""
        with self._lock:
            return self._connection.execute(statement, tuple(parameters)).fetchall()

    def stream(self, statement: str, parameters: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement."""
        return iter(self.rows(statement, parameters))
