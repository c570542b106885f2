"""Appending events to a store."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from audit_tui.errors import StoreError
from audit_tui.store.evidence.sealing import Seals
from audit_tui.store.file import connect, foreign_log
from audit_tui.store.file.lock import StoreLock
from audit_tui.store.index import text_index
from audit_tui.store.index.keeper import BULK_TAIL_EVENTS, TAIL_EVENTS, IndexKeeper, indexed_upto
from audit_tui.store.index.merging import MAX_SEGMENT
from audit_tui.store.tables import schema, statements, text_layout
from audit_tui.store.tables.index_layout import REMOVALS
from audit_tui.store.tables.names import NameCounts, Names
from audit_tui.store.tables.rows import Draft, StoredRow, draft, read_event, stored_text
from audit_tui.store.write import derived
from audit_tui.store.write.change import Change
from audit_tui.store.write.companion import AppendResult

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from audit_tui.core.event import AuditEvent
    from audit_tui.store.write.companion import Companion

BULK_CACHE_KIB = 65_536
BULK_LOG_PAGES = 8_000
"""So long grows the log of a bulk load (32 MB): keys lie anywhere in their index, so that nearly all its
pages change with each append, and are written back less often. Saves 8 % of an append."""
_MARKS = ", ".join("?" * len(schema.EVENT_COLUMNS))
_INSERT = f"INSERT INTO events ({', '.join(schema.EVENT_COLUMNS)}) VALUES ({_MARKS})"  # noqa: S608 - our own
_FIND_KEYS = "SELECT key FROM events INDEXED BY events_key WHERE key IN"
_NEWEST = "SELECT max(ifnull((SELECT max(seq) FROM events), 0), ifnull((SELECT max(size) FROM seal_head), 0))"
_KEYS_AT_ONCE = 500


class StoreWriter:
    """A connection that appends to a store, made if nothing is there. For one thread at a time.

    Args:
        path: The store.
        durable: Commit to the disk itself with each append, so that a power cut loses nothing that was
            acknowledged; else a power cut may lose the last appends, a crash of the program still none.
        bulk: Into a store without events, build the indexes at the end instead of event by event. After a
            crash the next writer builds them.
        companions: What else is kept in step.
        progress: Is told what is built while it opens, as ``ensure_indexes`` does: the index of a store of an
            older version takes a minute for ten million events.
        has_text_index: False leaves the index of texts out of a store without events: searches read the rows.

    Raises:
        StoreError: One of its kinds, when something else is there, or it cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durable: bool = True,
        bulk: bool = False,
        companions: tuple[Companion, ...] = (),
        has_text_index: bool = True,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        schema.require_sqlite()
        self.path = connect.writable_place(Path(path))
        self._names = tuple(Names(names) for names in schema.ALL_NAME_TABLES)
        self._index = IndexKeeper(BULK_TAIL_EVENTS, MAX_SEGMENT) if bulk else IndexKeeper()
        self._is_bulk = bulk
        texts = text_index.TextIndex(None if bulk else text_index.SHORT_EVENTS)
        always = (NameCounts(), Seals(), self._index, texts)
        self._companions: tuple[Companion, ...] = (*always, *companions)
        self._is_closed = False
        self._removals: tuple[str] | None = None
        self._connection = self._open(durable)
        try:
            if not has_text_index and not self.newest_seq():
                self._leave_text_index_out()
            if bulk:
                self._connection.execute(f"PRAGMA cache_size = -{BULK_CACHE_KIB}")
                self._connection.execute(f"PRAGMA wal_autocheckpoint = {BULK_LOG_PAGES}")
            if not bulk or self.newest_seq() > 0:
                self.ensure_indexes(progress)
        except BaseException:
            self.abandon()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        # What ended the block matters, not what closing runs into; and indexes would make it wait.
        try:
            self._finish()
        except (StoreError, OSError):
            self.abandon()

    def append(self, events: Sequence[AuditEvent]) -> AppendResult:
        """Store events in one transaction, and return once it is committed.

        Raises:
            ValueError: If an event cannot be stored (its time, severity or metadata); nothing is then.
            StoreBusy: If another program holds the lock for too long.
            StoreFull: If there is no space; nothing of this append is stored.
        """
        return self.append_drafts([draft(event) for event in events])

    def append_drafts(self, drafts: Sequence[Draft]) -> AppendResult:
        """Store events that were made ready before, as ``append`` does.

        Raises:
            StoreBusy: If another program holds the lock for too long.
            StoreFull: If there is no space; nothing of this append is stored.
        """
        with self._transaction():
            return self._append(drafts)

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """One transaction in which events may be removed or replaced, with nothing of them left behind.

        Raises:
            StoreBusy: If another program holds the lock for too long.
            StoreFull: If there is no space; nothing is changed then.
        """
        # What is deleted is overwritten, in the file as in the log.
        self._connection.execute("PRAGMA secure_delete = ON")
        with self._transaction():
            yield Change(self._connection, self._companions, self._append, self._rows, self._index)
            self._index.flush(self._connection)

    def write_back(self) -> bool:
        """Write the log into the file and empty it; False when a reader that is busy prevents that."""
        with self._lock.locked(), connect.store_errors(self.path):
            is_busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy

    def vacuum(self) -> None:
        """Rewrite the whole file without unused space; needs as much room again while it does.

        Raises:
            StoreFull: If there is no room; the store is as it was.
        """
        with self._lock.locked(), connect.store_errors(self.path):
            self._connection.execute("VACUUM")

    def _append(self, drafts: Sequence[Draft]) -> AppendResult:
        # The first of several with one key is the event, the others are duplicates.
        by_key = {item.key: item for item in reversed(drafts)}
        distinct = [by_key[item.key] for item in drafts if by_key[item.key] is item]
        self._forget_removed_names()
        newest = self.newest_seq()
        fuller = {item.unless for item in distinct if item.unless is not None}
        existing = self._stored_keys([*by_key, *fuller]) if newest else set()
        told = fuller & (existing | by_key.keys())
        fresh = [item for item in distinct if item.key not in existing and item.unless not in told]
        rows = self._rows(fresh, newest)
        if rows:
            self._connection.executemany(_INSERT, rows)
            for companion in self._companions:
                companion.on_append(self._connection, rows, fresh)
        return AppendResult(
            stored=len(rows),
            duplicates=len(drafts) - len(rows),
            first_seq=rows[0].seq if rows else None,
            last_seq=rows[-1].seq if rows else None,
        )

    def newest_seq(self) -> int:
        """The number of the event appended last; 0 in an empty store.

        A number that was sealed is never given again, even if somebody deleted the event.
        """
        with connect.store_errors(self.path):
            newest = self._connection.execute(_NEWEST).fetchone()[0]
        return int(newest)

    def find(self, key: str) -> AuditEvent | None:
        """The stored event with this key; None when there is none."""
        with connect.store_errors(self.path):
            row = self._connection.execute(statements.EVENT_OF_KEY, (stored_text(key),)).fetchone()
        return None if row is None else read_event(row)

    def is_in_place(self) -> bool:
        """Tell whether the path still leads to the file that is open: it may have been moved or deleted."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        return self._connection.file_id == (status.st_dev, status.st_ino)

    def note(self, name: str, value: str) -> None:
        """Remember something about the store as a whole; ``reader.read_note`` gives it back.

        Raises:
            ValueError: If the name is one that the store itself uses.
        """
        if name in schema.OWN_NAMES:
            raise ValueError(f"{name} is the store's own")
        with self._transaction():
            self._connection.execute(
                "INSERT INTO store_info (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (stored_text(name), stored_text(value)),
            )

    def ensure_indexes(self, progress: Callable[[str], None] | None = None) -> None:
        """Build what is missing of the index, each step in a transaction of its own: it may end at any time.

        Args:
            progress: Is told what is built, before each step of up to 0.2 s.
        """
        newest = self.newest_seq()
        # A bulk load leaves more on its way, but not behind it, where readers would read the rows.
        most_left = min(TAIL_EVENTS, self._index.tail_events)
        while (done := indexed_upto(self._connection)) + most_left <= newest:
            if progress is not None:
                progress(f"index: {done:,} of {newest:,} events")
            with self._transaction():
                if not self._index.catch_up(self._connection, newest, done):
                    break
        self._ensure_text_index(progress)
        for statement in derived.old_parts(self._connection):
            if progress is not None:
                progress("space of the old indexes")
            with self._transaction():
                self._connection.execute(statement)

    def _merge_segments(self) -> None:
        """Leave few large segments behind an import."""
        with self._transaction():
            self._index.compact(self._connection)

    def reindex(
        self, progress: Callable[[str], None] | None = None, *, has_text_index: bool | None = None
    ) -> None:
        """Make again what is derived from the events; if that ends half way, the next writer goes on.

        Args:
            progress: Is told the name of each part before it is built.
            has_text_index: Whether the store has an index of texts from now on; None leaves that.
        """
        with self._transaction():
            derived.drop(self._connection)
            if has_text_index is not None:
                make = text_layout.create if has_text_index else text_layout.drop
                make(self._connection)
        self._index = IndexKeeper(BULK_TAIL_EVENTS, MAX_SEGMENT)
        self.ensure_indexes(progress)
        self._merge_segments()
        if progress is not None:
            progress("counts of names")
        with self._transaction():
            derived.recount_names(self._connection)

    def _leave_text_index_out(self) -> None:
        with self._transaction():
            if not self.newest_seq():
                text_layout.drop(self._connection)

    def _ensure_text_index(self, progress: Callable[[str], None] | None) -> None:
        if derived.has_old_text_index(self._connection):
            with self._transaction():
                text_layout.create(self._connection)
        if not text_layout.exists(self._connection):
            return
        for stretch in text_index.outstanding(self._connection):
            if progress is not None:
                progress(f"text index: {stretch.first_seq - 1:,} of {self.newest_seq():,} events")
            with self._transaction():
                text_index.build_stretch(self._connection, stretch)

    def close(self) -> None:
        """Build what is missing, write everything into the one file, and let it go.

        Raises:
            StoreError: If that fails; what was acknowledged is safe all the same.
        """
        if self._is_closed:
            return
        try:
            self.ensure_indexes()
            if self._is_bulk:
                self._merge_segments()
            self._finish()
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Let go of the file as it is: another process, or nobody, will write what is left into it.

        For what was inherited by a fork: the lock and the transaction are the other process's.
        """
        self._connection.close()
        self._lock.close()
        self._is_closed = True

    def _open(self, durable: bool) -> connect.Connection:
        self._lock = StoreLock(self.path)
        with self._lock.locked():
            is_new = False
            try:
                is_new = connect.create_file(self.path)
                return self._connect(durable)
            except BaseException:
                # Under the lock nobody else can have found the new file yet.
                if is_new:
                    self.path.unlink(missing_ok=True)
                self._lock.remove()
                raise

    def _connect(self, durable: bool) -> connect.Connection:
        foreign_log.refuse(self.path)
        connection = connect.open_writer(self.path, durable=durable)
        with connect.closed_on_error(connection), connect.store_errors(self.path):
            if not schema.is_blank(connection):
                schema.check_identity(connection, str(self.path), for_writing=True)
                schema.check_tables(connection, str(self.path))
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            schema.migrate(connection)
            connection.execute("COMMIT")
        return connection

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Hold the lock from BEGIN IMMEDIATE to COMMIT; undo everything if the block fails."""
        with self._lock.locked(), connect.store_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._undo()
                raise

    def _undo(self) -> None:
        # A full disk makes SQLite roll back by itself.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        for names in self._names:
            names.forget()
        for companion in self._companions:
            companion.forget()

    def _forget_removed_names(self) -> None:
        """Look names up again once somebody removed events: one that went comes back with a new number."""
        removals = "SELECT value FROM store_info WHERE name = ?"
        row = self._connection.execute(removals, (REMOVALS,)).fetchone()
        if row != self._removals:
            self._removals = row
            for names in self._names:
                names.forget()

    def _stored_keys(self, keys: list[str]) -> set[str]:
        """Return which of these keys are in the store."""
        existing: set[str] = set()
        for first in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[first : first + _KEYS_AT_ONCE]
            marks = ", ".join("?" * len(some))
            existing.update(row[0] for row in self._connection.execute(f"{_FIND_KEYS} ({marks})", some))
        return existing

    def _rows(self, drafts: Sequence[Draft], newest: int) -> list[StoredRow]:
        event_names, category_names, user_names, source_names = self._names
        events = event_names.learn(self._connection, (item.event for item in drafts))
        categories = category_names.learn(self._connection, (item.category for item in drafts))
        users = user_names.learn(self._connection, (item.user for item in drafts))
        sources = source_names.learn(self._connection, (item.source for item in drafts))
        return [
            StoredRow(
                seq,
                item.key,
                item.occurred_us,
                events[item.event],
                None if item.category is None else categories[item.category],
                None if item.user is None else users[item.user],
                item.description,
                item.outcome,
                item.severity,
                item.source_ip,
                item.target,
                None if item.source is None else sources[item.source],
                item.metadata,
                item.original,
            )
            for seq, item in enumerate(drafts, newest + 1)
        ]

    def _finish(self) -> None:
        """Checkpoint and close under the lock: closing the last connection checkpoints too."""
        with self._lock.locked():
            try:
                with connect.store_errors(self.path):
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                self._connection.close()
                self._is_closed = True
            self._lock.remove()
        self._lock.close()
