"""Reading a store: the ``EventReader`` of the screen and of the commands. Imports only what it needs."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column, NameColumn
from audit_tui.core.filter.filters import NO_VALUE_WORDS, MetaField
from audit_tui.core.query import (
    After,
    AtRow,
    Page,
    PageKey,
    SourceState,
    Standing,
    StoreInfo,
    ValueCount,
)
from audit_tui.errors import NotAStore, StoreDamaged
from audit_tui.store.file import connect, foreign_log
from audit_tui.store.file.closing import Closing
from audit_tui.store.file.file_system import place_notice
from audit_tui.store.file.guard import authorize
from audit_tui.store.file.watch import Watch
from audit_tui.store.index.cache import Cache
from audit_tui.store.index.fields import BY_NAME
from audit_tui.store.index.matching import Matcher
from audit_tui.store.index.orders import order_of
from audit_tui.store.index.segment import LEAST_EVENTS
from audit_tui.store.index.session import Session
from audit_tui.store.index.timeline import Timeline
from audit_tui.store.index.totals import facets, has_bitmaps, histogram, row_facets
from audit_tui.store.tables import schema, statements
from audit_tui.store.tables.rows import read_event, stored_text, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.query import EventQuery, Facet, FacetField, Place, ReaderFactory
    from audit_tui.store.index.orders import Order

FIRST_ROWS = 50
"""A command that wants 20 events need not read 500."""
FEW_ROWS = 20_000
"""Up to here values in texts are counted by the rows: 0.1 to 0.3 s."""
STREAM_ROWS = 500
STREAM_BYTES = 8 * 1024 * 1024
"""A batch of a stream ends here too: 500 events may be 8 GB."""
STREAM_SORTED_ROWS = 20_000
"""By description each page sorts everything again, so there the pages are large."""
_CHECK_EVERY = 10_000
"""SQLite's own steps between two looks at the cancel token: about 0.3 ms."""
SNAPSHOT_NOTICE = "A snapshot, not live: this folder cannot be written to."
NO_INDEX_NOTICE = "Much of it is not indexed yet, so the first answer takes long: audit-tui reindex"


def open_store(path: str | os.PathLike[str], deadline_s: float | None = None) -> ReaderFactory:
    """Check a store, and give what opens readers of it, each with a connection of its own.

    Args:
        path: The store.
        deadline_s: How long an answer may take; None is for ever.

    Raises:
        StoreError: One of its kinds, when something else is there, or nothing, or it cannot be read.
    """
    cache = Cache()
    first: list[StoreReader] = [StoreReader(path, deadline_s, cache)]
    turn = threading.Lock()

    def opener() -> StoreReader:
        with turn:
            if first:
                return first.pop()
        return StoreReader(path, deadline_s, cache)

    return opener


def read_note(path: str | os.PathLike[str], name: str) -> str | None:
    """Return what ``StoreWriter.note`` remembered in a store; None if nothing of that name.

    Raises:
        StoreError: One of its kinds, if there is no store to read.
    """
    with StoreReader(path) as reader:
        return reader.note(name)


class StoreReader(Closing):
    """One read-only connection to a store; implements ``core.query.EventReader``.

    For one thread at a time, not always the same.

    Args:
        path: The store.
        deadline_s: How long an answer may take; None is for ever. An exact count and the stream of all events
            may take as long as they need: nobody waits for the one, and the other ends when it is done.
        cache: What it shares with other readers of the store; None has its own.

    Raises:
        StoreError: One of its kinds, when something else is there, or nothing, or it cannot be read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        deadline_s: float | None = None,
        cache: Cache | None = None,
    ) -> None:
        schema.require_sqlite()
        # Not Path.resolve, which raises RuntimeError for links in a circle.
        self.path = Path(os.path.realpath(path))
        self._deadline_s = deadline_s
        self._watch = Watch()
        self._newest = 0
        self._looked_at: object = None
        self._cache = Cache() if cache is None else cache
        self._open()

    def info(self) -> StoreInfo:
        """Return what is known without a query."""
        with self._asking(None) as session:
            extent = session.extent()
            return StoreInfo(
                name=self.path.name,
                path=str(self.path),
                store_id=self._stored_note(session, schema.STORE_ID) or "",
                schema_version=self._version,
                events=extent.events,
                first_us=extent.first_us,
                last_us=extent.last_us,
                size_bytes=self._size_bytes(),
                notice=self._notice,
            )

    @property
    def is_snapshot(self) -> bool:
        """Tell whether the file is shown as it is, without a log of what is written meanwhile."""
        return self._seen is not None

    def state(self) -> SourceState:
        """Look whether the store is still what was opened."""
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return SourceState(Standing.DELETED, self._newest, self._notice)
        except OSError:
            # Whether it is there cannot be told; what is open can be read.
            return SourceState(newest_seq=self._newest, notice=self._notice)
        if self._connection.file_id != (status.st_dev, status.st_ino):
            return SourceState(Standing.REPLACED, self._newest, self._notice)
        standing = Standing.IN_PLACE
        try:
            self._look_for_newer()
        except (StoreDamaged, NotAStore):
            standing = Standing.DAMAGED
        if status.st_size < _SMALLEST_BYTES:
            standing = Standing.DAMAGED
        return SourceState(standing, self._newest, self._notice)

    def _look_for_newer(self) -> None:
        self._follow_snapshot()
        # 18 µs; it begins a read, so SQLite also compares the file's length with what the file says of it.
        with connect.store_errors(self.path):
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        seen = (self._seen, version)
        if seen != self._looked_at:
            self._newest = self.newest_seq()
            self._looked_at = seen

    def newest_seq(self) -> int:
        """The number of the event appended last; 0 in an empty store."""
        with self._asking(None) as session:
            return session.newest_seq

    def page(
        self, query: EventQuery, place: Place, limit_rows: int, cancel: CancelToken | None = None
    ) -> Page:
        """Return a block of rows of a result."""
        with self._asking(cancel) as session:
            seqs, is_end = self._order(session, query).page(place, limit_rows)
            return Page(tuple(session.listed(seqs, query.row_paths)), is_end)

    def count(
        self,
        query: EventQuery,
        cancel: CancelToken | None = None,
        report: Callable[[int], None] | None = None,
    ) -> int:
        """Count exactly how many events match; ``report`` is told how many there are at least."""
        with self._asking(cancel, has_deadline=False) as session:
            return len(_timeline(session, query).settled(report))

    def locate(self, query: EventQuery, key: PageKey, cancel: CancelToken | None = None) -> int:
        """Return how many rows of the result come before this key."""
        with self._asking(cancel) as session:
            return self._order(session, query).locate(key)

    def values(
        self, field: NameColumn, search: str, limit: int, cancel: CancelToken | None = None
    ) -> tuple[ValueCount, ...]:
        """Return values of a field that contain ``search`` without regard to case.

        First what is equal to it, then what is equal but for case, then what begins with it, then the
        others; the more frequent first each time.
        """
        text = stored_text(search)
        folded = text.casefold()
        statement = statements.values(field, has_search=bool(search))
        marks = (text, folded, folded, folded, limit) if search else (limit,)
        with self._asking(cancel) as session:
            missing = session.missing(BY_NAME[field.value]) if folded in NO_VALUE_WORDS else 0
            values, before = [], 0
            for name, events, rank, _ in session.rows(statement, marks):
                values.append(ValueCount(str(name), whole(events)))
                before += (rank, -values[-1].events) <= (_missing_rank(folded), -missing)
        if missing:
            values.insert(before, ValueCount(None, missing))
        return tuple(values[:limit])

    def facets(
        self,
        query: EventQuery,
        field: FacetField,
        limit: int,
        cancel: CancelToken | None = None,
        *,
        rarest: bool = False,
        counts_all: bool = False,
        most_events: int | None = None,
    ) -> Facet:
        """Return the values that a result's events have in a field, the most frequent or the rarest first."""
        with self._asking(cancel) as session:
            timeline = _timeline(session, query)
            indexed = BY_NAME.get(field.value)
            if indexed is not None:
                matching = timeline.settled()
                if most_events is None or has_bitmaps(matching, indexed):
                    return facets(session, matching, indexed, limit, rarest=rarest, counts_all=counts_all)
            elif field is Column.TARGET or isinstance(field, MetaField):
                matching = timeline.settled()
                if len(matching) > FEW_ROWS and (most_events is None or most_events >= FEW_ROWS):
                    from audit_tui.store.read.text_totals import text_facets

                    facet = text_facets(session, matching, field, limit, rarest=rarest)
                    if facet is not None and (facet.distinct is not None or most_events is not None):
                        return facet
            return row_facets(session, timeline, field, limit, rarest=rarest, most_events=most_events)

    def histogram(
        self, query: EventQuery, edges_us: Sequence[int], cancel: CancelToken | None = None
    ) -> tuple[int, ...]:
        """Return how many of a result's events lie from each moment to the next."""
        with self._asking(cancel) as session:
            return histogram(_timeline(session, query).settled(), edges_us)

    def prepare(self, query: EventQuery | None = None, cancel: CancelToken | None = None) -> None:
        """Do now what the first hard question, or a jump in a query's result, would wait for."""
        with self._asking(cancel, has_deadline=False) as session:
            if query is not None:
                _timeline(session, query)

    def event(self, seq: int) -> AuditEvent | None:
        """Return one event with everything that is known of it; None if there is none of that number."""
        with self._asking(None) as session:
            rows = session.whole_events((seq,))
            return read_event(rows[seq]) if rows else None

    def metadata_names(self, cancel: CancelToken | None = None) -> dict[str, int]:
        """Return the names of metadata fields of the newest million events, and how many have each."""
        from audit_tui.store.index.text_search import metadata_names

        with self._asking(cancel) as session:
            return dict(sorted(metadata_names(session).items()))

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        """Yield all events of a result in its order, with everything that is known of them.

        In constant memory, in many short snapshots; what is appended meanwhile is left out. Without their
        originals, which no export holds.

        Raises:
            QueryCancelled: Between two events, if the token is cancelled.
        """
        if query.upto_seq is None:
            query = replace(query, upto_seq=self.newest_seq())
        is_sorted = query.sort.reads_rows
        limit = STREAM_SORTED_ROWS if is_sorted else FIRST_ROWS
        place: Place = AtRow(0)
        is_end = False
        while not is_end:
            with self._asking(cancel, has_deadline=False) as session:
                seqs, is_end = self._order(session, query).page(place, limit)
                if seqs:
                    place = After(PageKey.of(session.listed(seqs[-1:], query.row_paths)[0], query.sort))
            for first in range(0, len(seqs), STREAM_ROWS):
                for batch in self._batches(seqs[first : first + STREAM_ROWS], cancel):
                    yield from self._stored(batch, cancel)
            limit = max(limit, STREAM_ROWS)

    def note(self, name: str) -> str | None:
        """Return what ``StoreWriter.note`` remembered; None if nothing of that name."""
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
            if not foreign_log.may_be_read_alone(self.path, error):
                raise connect.readable(error, self.path) from error
            self._seen = self._state()
            self._notice = SNAPSHOT_NOTICE
            with connect.store_errors(self.path):
                self._connect(immutable=True)
        except sqlite3.Error as error:
            raise connect.readable(error, self.path) from error

    def _connect(self, *, immutable: bool) -> None:
        base = foreign_log.base_of(self.path)
        connection = connect.open_viewer(self.path, immutable=immutable)
        with connect.closed_on_error(connection):
            connection.set_progress_handler(self._watch.should_stop, _CHECK_EVERY)
            connection.execute("PRAGMA schema_version").fetchone()
            self._version = schema.check_identity(connection, str(self.path), for_writing=False)
            schema.check_tables(connection, str(self.path))
            foreign_log.check(connection, self.path, base)
            has_index = schema.has_index(connection)
            connection.set_authorizer(authorize)
            newest, indexed = connection.execute(_COVERED if has_index else _COVERED_BY_NONE).fetchone()
        is_slow = (newest or 0) - (indexed or 0) >= LEAST_EVENTS
        notices = (self._notice, NO_INDEX_NOTICE if is_slow else "", place_notice(self.path))
        self._notice = " ".join(filter(None, notices))
        store_id = connection.execute("SELECT value FROM store_info WHERE name = ?", (schema.STORE_ID,))
        file_key = (connection.file_id, store_id.fetchone())
        self._session = Session(connection, self._cache, file_key, has_index=has_index)
        self._connection = connection

    @contextmanager
    def _asking(self, cancel: CancelToken | None, *, has_deadline: bool = True) -> Iterator[Session]:
        """One snapshot, that ends when the token is cancelled or the time is up."""
        self._follow_snapshot()
        connection = self._connection
        limit_s = self._deadline_s if has_deadline else None
        with self._watch.over(cancel, limit_s), connect.store_errors(self.path):
            connection.execute("BEGIN")
            try:
                if cancel is None:
                    yield self._begun(None)
                else:
                    with cancel.interrupting(connection.interrupt):
                        yield self._begun(cancel)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _begun(self, cancel: CancelToken | None) -> Session:
        self._session.begin(cancel)
        return self._session

    def _order(self, session: Session, query: EventQuery) -> Order:
        return order_of(session, _timeline(session, query), query)

    def _batches(self, seqs: list[int], cancel: CancelToken | None) -> Iterator[list[int]]:
        """Divide events so that no more than ``STREAM_BYTES`` are held at a time, or one alone."""
        with self._asking(cancel, has_deadline=False) as session:
            sizes = session.sizes(seqs)
        batch: list[int] = []
        size_bytes = 0
        for seq in seqs:
            size_bytes += sizes.get(seq, 0)
            if batch and size_bytes > STREAM_BYTES:
                yield batch
                batch, size_bytes = [], sizes.get(seq, 0)
            batch.append(seq)
        if batch:
            yield batch

    def _stored(self, seqs: list[int], cancel: CancelToken | None) -> Iterator[AuditEvent]:
        """These events without their originals, each made when it is wanted; one that is gone is left out."""
        with self._asking(cancel, has_deadline=False) as session:
            rows = session.whole_events(seqs)
        for seq in seqs:
            if (row := rows.pop(seq, None)) is not None:
                # Packed, an original of 64 MB takes 64 KB.
                yield read_event((*row[:-1], None))

    def _follow_snapshot(self) -> None:
        """Open a store again that is shown as a snapshot and has changed; not another one in its place."""
        if self._seen is None or (now := self._state()) == self._seen or now[:2] != self._seen[:2]:
            return
        before, seen, notice = self._connection, self._seen, self._notice
        try:
            self._open()
        except BaseException:
            # What was shown can still be read, and the next look tries again.
            self._seen, self._notice = seen, notice
            raise
        before.close()

    def _stored_note(self, session: Session, name: str) -> str | None:
        rows = session.rows("SELECT value FROM store_info WHERE name = ?", (stored_text(name),))
        return str(rows[0][0]) if rows else None

    def _size_bytes(self) -> int:
        try:
            return self.path.stat().st_size + foreign_log.log_bytes(self.path)
        except OSError:
            return 0

    def _state(self) -> tuple[int, ...]:
        """Return what changes when somebody writes to a store that is shown as a snapshot."""
        try:
            status = self.path.stat()
        except OSError:
            return self._seen or ()
        return (
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            foreign_log.log_bytes(self.path),
        )


_COVERED = "SELECT (SELECT max(seq) FROM events), (SELECT CAST(max(last_seq) AS INTEGER) FROM index_segments)"
_COVERED_BY_NONE = "SELECT max(seq), 0 FROM events"
_SMALLEST_BYTES = 512
"""A page of SQLite: a file that is shorter is not a database any more."""


def _timeline(session: Session, query: EventQuery) -> Timeline:
    return Timeline.of(session, Matcher(session, query.filter), query.interval, query.upto_seq)


def _missing_rank(folded: str) -> int:
    if not folded:
        return 3
    if folded == NO_VALUE_WORDS:
        return 1
    return 2 if NO_VALUE_WORDS.startswith(folded) else 3
