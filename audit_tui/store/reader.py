"""Reading a store: the ``EventReader`` of the screen and of the commands. Imports only what it needs."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from audit_tui.core.event import EventColumn
from audit_tui.core.filters import NO_VALUE_WORDS
from audit_tui.core.query import After, AtRow, Page, PageKey, StoreInfo, ValueCount
from audit_tui.errors import StoreError
from audit_tui.store import connect, plan, schema, sql
from audit_tui.store.guard import authorize
from audit_tui.store.predicate import MISSING
from audit_tui.store.result import Result
from audit_tui.store.row_tests import ROW_TEST, row_test
from audit_tui.store.rows import read_event, stored_text, whole
from audit_tui.store.session import NameCache, Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filters import Field
    from audit_tui.core.query import EventQuery, Place, ReaderFactory

FIRST_ROWS = 50
"""A command that wants 20 events need not read 500."""
STREAM_ROWS = 500
STREAM_SORTED_ROWS = 20_000
"""By description each page sorts everything anew, so there the pages are large."""
_CHECK_EVERY = 10_000
"""SQLite's own steps between two looks at the cancel token: about 0.3 ms."""
SNAPSHOT_NOTICE = "A snapshot, not live: this folder may not be written."
NO_INDEX_NOTICE = "Its indexes are missing, so answers are slow; the next import completes it."


def open_store(path: str | os.PathLike[str]) -> ReaderFactory:
    """Check a store, and give what opens readers of it, each with a connection of its own.

    Raises:
        StoreError: One of its kinds, when something else is there, or nothing, or it cannot be read.
    """
    first: list[StoreReader] = [StoreReader(path)]
    turn = threading.Lock()

    def opener() -> StoreReader:
        with turn:
            if first:
                return first.pop()
        return StoreReader(path)

    return opener


def read_note(path: str | os.PathLike[str], name: str) -> str | None:
    """What ``StoreWriter.note`` remembered in a store; None if nothing of that name.

    Raises:
        StoreError: One of its kinds, if there is no store to read.
    """
    with StoreReader(path) as reader:
        return reader.note(name)


class StoreReader:
    """One read-only connection to a store; implements ``core.query.EventReader``.

    For one thread at a time, not always the same.

    Args:
        path: The store.

    Raises:
        StoreError: One of its kinds, when something else is there, or nothing, or it cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        schema.require_sqlite()
        # Not Path.resolve, which raises RuntimeError for links in a circle.
        self.path = Path(os.path.realpath(path))
        self._cancel: CancelToken | None = None
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def info(self) -> StoreInfo:
        """What is known without a query."""
        with self._asking(None) as session:
            return StoreInfo(
                name=self.path.name,
                path=str(self.path),
                store_id=self._stored_note(session, schema.STORE_ID) or "",
                schema_version=self._version,
                events=session.events_total,
                first_us=self._edge_us(session, newest=False),
                last_us=self._edge_us(session, newest=True),
                size_bytes=self._size_bytes(),
                notice=self._notice,
            )

    def newest_seq(self) -> int:
        """The number of the event appended last; 0 in an empty store."""
        with self._asking(None) as session:
            return session.newest_seq

    def page(
        self, query: EventQuery, place: Place, limit_rows: int, cancel: CancelToken | None = None
    ) -> Page:
        """A block of rows of a result."""
        with self._asking(cancel) as session:
            keys, is_end = Result(session, query).page(place, limit_rows)
            return Page(tuple(session.row(key.seq) for key in keys), is_end)

    def count(self, query: EventQuery, cancel: CancelToken | None = None) -> int:
        """Exactly how many events match."""
        with self._asking(cancel) as session:
            return Result(session, query).count()

    def locate(self, query: EventQuery, key: PageKey, cancel: CancelToken | None = None) -> int:
        """How many rows of the result come before this key."""
        with self._asking(cancel) as session:
            return Result(session, query).locate(key)

    def values(
        self, field: Field, search: str, limit: int, cancel: CancelToken | None = None
    ) -> tuple[ValueCount, ...]:
        """Values of a field that contain ``search`` without regard to case.

        First what is equal to it, then what is equal but for case, then what begins with it, then the
        others; the more frequent first each time.
        """
        text = stored_text(search)
        folded = text.casefold()
        statement = sql.values(field, has_search=bool(search))
        marks = (text, folded, folded, folded, limit) if search else (limit,)
        with self._asking(cancel) as session:
            found = [
                ((rank, -whole(events), False, str(name_folded), str(name)), ValueCount(str(name), events))
                for name, events, rank, name_folded in session.rows(sql.Statement(statement.text, marks))
            ]
            missing = session.events(field, MISSING) if folded in NO_VALUE_WORDS else 0
        if missing:
            rank = _missing_rank(folded)
            found.append(((rank, -missing, True, "", ""), ValueCount(None, missing)))
            found.sort(key=lambda one: one[0])
        return tuple(value for _, value in found[:limit])

    def event(self, seq: int) -> AuditEvent | None:
        """One event with everything that is known of it; None if there is none of that number."""
        with self._asking(None) as session:
            found = session.rows(sql.Statement(sql.EVENT.text, (seq,)))
            return read_event(found[0]) if found else None

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        """All events of a result in its order, with everything that is known of them.

        In constant memory, in many short snapshots; what is appended meanwhile is left out.

        Raises:
            QueryCancelled: Between two events, if the token is cancelled.
        """
        if query.upto_seq is None:
            query = replace(query, upto_seq=self.newest_seq())
        is_sorted = query.sort.column is EventColumn.DESCRIPTION
        limit = STREAM_SORTED_ROWS if is_sorted else FIRST_ROWS
        place: Place = AtRow(0)
        is_end = False
        while not is_end:
            with self._asking(cancel) as session:
                keys, is_end = Result(session, query).page(place, limit)
                if keys:
                    place = After(PageKey.of(session.row(keys[-1].seq), query.sort))
            for first in range(0, len(keys), STREAM_ROWS):
                yield from self._stored([key.seq for key in keys[first : first + STREAM_ROWS]], cancel)
            limit = max(limit, STREAM_ROWS)

    def note(self, name: str) -> str | None:
        """What ``StoreWriter.note`` remembered; None if nothing of that name."""
        with self._asking(None) as session:
            return self._stored_note(session, name)

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def _open(self) -> None:
        """Connect, and fall back to a snapshot where no write-ahead log can be opened beside the file."""
        self._notice = ""
        self._seen: tuple[int, ...] | None = None
        try:
            self._connect(immutable=False)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _NO_LOG:
                raise connect.readable(error, self.path) from error
            if self._log_bytes():
                raise StoreError(
                    f"{self.path} cannot be opened: its newest events are in {self.path.name}-wal, which may"
                    " not be read here.",
                    "Open it with the right to write to its folder, or copy it with its -wal and -shm files.",
                ) from error
            self._seen = self._state()
            self._notice = SNAPSHOT_NOTICE
            with connect.store_errors(self.path):
                self._connect(immutable=True)
        except sqlite3.Error as error:
            raise connect.readable(error, self.path) from error

    def _connect(self, *, immutable: bool) -> None:
        connection = connect.open_viewer(self.path, immutable=immutable)
        with connect.closed_on_error(connection):
            connection.execute("PRAGMA schema_version").fetchone()
            self._version = schema.check_identity(connection, str(self.path), for_writing=False)
            schema.check_tables(connection, str(self.path))
            self._indexes = schema.found_indexes(connection)
            connection.create_function(sql.FOLDED, 1, _folded, deterministic=True)
            connection.create_function(ROW_TEST, -1, row_test, deterministic=True)
            connection.set_authorizer(authorize)
            connection.set_progress_handler(self._should_stop, _CHECK_EVERY)
        if not all(index.name in self._indexes for index in schema.SECONDARY_INDEXES):
            self._notice = f"{self._notice} {NO_INDEX_NOTICE}".strip()
        self._names = NameCache()
        self._connection = connection

    @contextmanager
    def _asking(self, cancel: CancelToken | None) -> Iterator[Session]:
        """One snapshot, that ends when the token is cancelled."""
        if self._seen is not None and self._seen != self._state():
            self.close()
            self._open()
        connection = self._connection
        with connect.store_errors(self.path):
            connection.execute("BEGIN")
            try:
                self._cancel = cancel
                session = Session(connection, self._indexes, self._names, cancel)
                if cancel is None:
                    yield session
                else:
                    with cancel.interrupting(connection.interrupt):
                        yield session
            finally:
                self._cancel = None
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _stored(self, seqs: list[int], cancel: CancelToken | None) -> list[AuditEvent]:
        """These events in full; one that is gone is left out."""
        with self._asking(cancel) as session:
            found = [session.rows(sql.Statement(sql.EVENT.text, (seq,))) for seq in seqs]
        return [read_event(rows[0]) for rows in found if rows]

    def _should_stop(self) -> bool:
        return self._cancel is not None and self._cancel.is_cancelled

    def _stored_note(self, session: Session, name: str) -> str | None:
        found = session.rows(
            sql.Statement("SELECT value FROM store_info WHERE name = ?", (stored_text(name),))
        )
        return str(found[0][0]) if found else None

    def _edge_us(self, session: Session, *, newest: bool) -> int | None:
        scan = sql.Scan(_ALL_BY_TIME, sql.Span(), None)
        found = session.rows(sql.scan_keys(scan, self._indexes, newest_first=newest, limit=1))
        return whole(found[0][0]) if found else None

    def _log_bytes(self) -> int:
        log = self.path.with_name(self.path.name + "-wal")
        try:
            return log.stat().st_size
        except FileNotFoundError:
            return 0

    def _size_bytes(self) -> int:
        try:
            return self.path.stat().st_size + self._log_bytes()
        except OSError:
            return 0

    def _state(self) -> tuple[int, ...]:
        """What changes when somebody writes to a store that is shown as a snapshot."""
        try:
            there = self.path.stat()
        except OSError:
            return self._seen or ()
        return (there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns, self._log_bytes())


_ALL_BY_TIME = plan.Branch(None, rest=True)
_NO_LOG = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY_DIRECTORY,
        sqlite3.SQLITE_READONLY_CANTINIT,
        sqlite3.SQLITE_READONLY_RECOVERY,
    }
)


def _folded(text: object) -> str:
    return text.casefold() if isinstance(text, str) else ""


def _missing_rank(folded: str) -> int:
    if not folded:
        return 3
    if folded == NO_VALUE_WORDS:
        return 1
    return 2 if NO_VALUE_WORDS.startswith(folded) else 3
