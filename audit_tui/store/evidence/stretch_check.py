"""Checking a stretch of events with all that is made of them: seals, key index, index, text index.

Each event is read once, in short snapshots, so that a writer's log is never held up; stretches have nothing
to do with each other, so that a second process can check some of them.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from audit_tui.core.evidence.merkle import BLOCK_LEAVES, HASH_BYTES, split_leaves
from audit_tui.core.text import counted
from audit_tui.store.evidence import text_check
from audit_tui.store.evidence.block_check import BlockCheck, raise_unless_damaged
from audit_tui.store.evidence.content import FileRow
from audit_tui.store.evidence.declared import read_declared
from audit_tui.store.evidence.seal_reading import SealedStore
from audit_tui.store.file import connect
from audit_tui.store.file.interruptible import run_interruptible
from audit_tui.store.index import text_index
from audit_tui.store.index.checking import IndexCheck
from audit_tui.store.index.fields import FIELDS
from audit_tui.store.tables import schema, text_layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from audit_tui.store.evidence.seal_reading import Block
    from audit_tui.store.tables.text_layout import Stretch

    _Rows: TypeAlias = list[tuple[Any, ...]]
    """As ``index.fields.ROWS`` gives them, texts as bytes."""

UNIT_BLOCKS = 2_048
UNIT_EVENTS = UNIT_BLOCKS * BLOCK_LEAVES
"""524,288 events, 12 s: all bitmaps of the index are read for each unit."""
LAST_UNITS = 4
"""This many at the end are divided further, so that two processes end at the same time."""
_SHORT_BLOCKS = UNIT_BLOCKS // 4
_BATCH_BLOCKS = 32
"""Rows of this many blocks are in memory at once."""
FEW_UNITS = 16
"""A file has room for this many more units than its length says: its newest seals may be in its log."""
PAGES = (-1, 0)
"""The unit that is not a stretch: the pages of the whole file."""
CACHE_KIB = 4_096
MAX_PROBLEMS = 100
_SMALL_TABLES = (*(names.table for names in schema.ALL_NAME_TABLES), "store_info")
"""Tables whose own indexes SQLite checks at once."""
# The seq of an entry, by which SQLite finds the row, is read; the key is sought.
_LACKING = """
SELECT count(*), min(e.seq) FROM events AS e NOT INDEXED WHERE e.seq BETWEEN ? AND ?
    AND (SELECT i.seq FROM events AS i INDEXED BY events_key WHERE i.key IS e.key) IS NOT e.seq
"""
_STRANGE_SEGMENTS = """
SELECT count(*) FROM index_segments WHERE first_seq < 1 OR last_seq < first_seq OR last_seq >
    max(ifnull((SELECT max(seq) FROM events), 0), ifnull((SELECT max(size) FROM seal_head), 0))
"""
_ENTRIES = "SELECT count(*) FROM events INDEXED BY events_key WHERE seq BETWEEN 1 AND ?"


Unit = tuple[int, int]
"""The first block of a unit, and the one behind its last."""


class UnitResult(NamedTuple):
    """The result of a unit; it goes through JSON from one process to another."""

    checked_events: int = 0
    matching_events: int = 0
    redacted_events: int = 0
    pruned_events: int = 0
    rows: int = 0
    """The number of events that exist."""
    wrong: Sequence[tuple[str, int, int]] = ()
    """Runs of wrong events: what is wrong, the first and the last seq."""
    unlisted_events: int = 0
    undeclared: Sequence[int] = ()
    problems: Sequence[str] = ()
    """Faults of what is made of the events."""
    names: Sequence[Sequence[tuple[int, int]]] = ((), (), (), ())
    """Of events, categories, users and sources: each number, and in how many events it stands."""


def units(store: SealedStore, first_seq: int, size: int) -> list[Unit]:
    """Return the units in which there are seals, from a seq to the last sealed one.

    They follow each other in a whole store. A forged one may have a head far beyond its seals, or seals far
    from each other, but not more units than its file has room for.

    Args:
        store: In a snapshot.
        first_seq: The first event to be checked.
        size: How many events are sealed.
    """
    most = store.path.stat().st_size // (UNIT_EVENTS * HASH_BYTES) + FEW_UNITS
    parts: list[Unit] = []
    first_block, end_block = first_seq // BLOCK_LEAVES, -(-size // BLOCK_LEAVES)
    block = first_block
    while len(parts) < most and (existing := store.next_block(block)) is not None:
        if existing >= end_block:
            break
        begin = existing - existing % UNIT_BLOCKS
        block = begin + UNIT_BLOCKS
        parts.append((max(begin, first_block), min(block, end_block)))
    last = parts[-LAST_UNITS:]
    return parts[:-LAST_UNITS] + [
        (max(begin, first), min(begin + _SHORT_BLOCKS, end))
        for first, end in last
        for begin in range(first - first % _SHORT_BLOCKS, end, _SHORT_BLOCKS)
    ]


class StretchCheck:
    """Checks units on a connection of its own; for one thread.

    Args:
        path: The store.
        size: How many events are sealed; newer ones are left alone.
        with_indexes: Check what is made of the events as well.

    Raises:
        StoreError: One of its kinds, if it cannot be read.
    """

    def __init__(self, path: Path, size: int, *, with_indexes: bool) -> None:
        self._path = path
        self._size = size
        self._with_indexes = with_indexes
        self._store = SealedStore(path)
        self._connection = self._store.connection
        with connect.closed_on_error(self._connection):
            self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            with self._store.snapshot():
                self._declared = read_declared(self._connection)
                self._has_texts = with_indexes and text_layout.exists(self._connection)
                self._has_index = with_indexes and schema.has_index(self._connection)
                self._connection.text_factory = str
                self._has_keys = with_indexes and schema.has_key_index(self._connection)
                self._connection.text_factory = bytes
        self._index = IndexCheck(self._connection)

    def close(self) -> None:
        """Let the connection go."""
        self._store.close()

    def check(self, unit: Unit) -> UnitResult:
        """Check a unit; damage is one of the problems.

        Raises:
            StoreError: One of its kinds, if it cannot be read for another reason.
        """
        if unit == PAGES:
            return UnitResult(problems=self._page_problems()) if self._with_indexes else UnitResult()
        with self._store.snapshot():
            return self._check_events(*unit)

    def finish(self, rows: int | None) -> list[str]:
        """Check what only the whole tells.

        Args:
            rows: How many events all units have; None when not all were read.
        """
        problems = []
        with connect.store_errors(self._path):
            try:
                problems += [f"text index: {problem}" for problem in self._text_structure()]
                if self._has_index:
                    problems += [f"index: {problem}" for problem in self._index.layout_problems()]
                    (strange,) = self._connection.execute(_STRANGE_SEGMENTS).fetchone()
                    if strange:
                        problems.append(f"index: {counted(strange, 'part')} of events that do not exist")
                if rows is not None and self._has_keys:
                    (entries,) = self._connection.execute(_ENTRIES, (self._size,)).fetchone()
                    if entries > rows:
                        problems.append(f"index events_key has {counted(entries - rows, 'row')} of no event")
            except sqlite3.DatabaseError as error:
                problems.append(_damage(error, ""))
        return problems

    def _text_structure(self) -> list[str]:
        return text_check.structure_problems(self._connection) if self._has_texts else []

    def _check_events(self, first_block: int, end_block: int) -> UnitResult:
        """Check the events of blocks, and what is made of them, in the snapshot of the caller."""
        tap = _Tap(self._store)
        check = BlockCheck(self._store, self._size, self._declared, tap.stream)
        first, last = first_block * BLOCK_LEAVES + 1, min(self._size, end_block * BLOCK_LEAVES)
        names = [Counter[Any]() for _ in _NAME_PLACES]
        batches = self._checked_rows(check, tap, first_block, end_block, names)
        problems = self._index_problems(batches, first, last) if self._has_index else []
        for _ in batches:  # those that nothing was compared with
            pass
        if tap.is_damaged:
            problems = [f"rows among the events {first:,}-{last:,} cannot be read, so no index is compared"]
        elif self._with_indexes:
            problems += self._key_problems(first, last)
            problems += self._text_problems(first, last) if self._has_texts else []
        return UnitResult(
            check.checked_events,
            check.matching_events,
            check.redacted_events,
            check.pruned_events,
            tap.events,
            [(run.wrong.value, run.first_seq, run.last_seq) for run in check.wrong.runs],
            check.wrong.unlisted_events,
            check.undeclared,
            problems,
            [[(n, events) for n, events in counts.items() if type(n) is int] for counts in names],
        )

    def _checked_rows(
        self, check: BlockCheck, tap: _Tap, first_block: int, end_block: int, names: Sequence[Counter[Any]]
    ) -> Iterator[_Rows]:
        """Check the events against their seals, count their names, and yield them behind that."""
        upto = first_block * BLOCK_LEAVES
        for begin in range(first_block, end_block, _BATCH_BLOCKS):
            for block in self._readable_blocks(begin, min(end_block, begin + _BATCH_BLOCKS)):
                if block.is_whole and block.events >= check.events_in(block.number):
                    tap.read(upto + 1, block.number * BLOCK_LEAVES)
                    check.check_events(block, split_leaves(block.leaves))
                    tap.keep()
                    upto = block.number * BLOCK_LEAVES + check.events_in(block.number)
            batch_end = min(self._size, (begin + _BATCH_BLOCKS) * BLOCK_LEAVES, end_block * BLOCK_LEAVES)
            tap.read(upto + 1, batch_end)
            upto = max(upto, batch_end)
            rows = tap.take()
            for place, counts in zip(_NAME_PLACES, names, strict=True):
                counts.update(map(itemgetter(place), rows))
            yield rows

    def _readable_blocks(self, first: int, end: int) -> Iterator[Block]:
        try:
            yield from self._store.blocks(first, end)
        except sqlite3.DatabaseError as error:
            raise_unless_damaged(error)  # the walk over the seals tells of it

    def _index_problems(self, batches: Iterator[_Rows], first: int, last: int) -> list[str]:
        where = f" among the events {first:,}-{last:,}"
        try:
            return [f"index: {problem}" for problem in self._index.stretch_problems(first, last, batches)]
        except sqlite3.DatabaseError as error:
            return [_damage(error, where)]
        except _ODD_VALUES as error:
            return [f"index: it cannot be compared{where}: {error}"]

    def _key_problems(self, first: int, last: int) -> list[str]:
        if not self._has_keys:
            return []
        try:
            lacking, seq = self._connection.execute(_LACKING, (first, last)).fetchone()
        except sqlite3.DatabaseError as error:
            return [_damage(error, f" among the events {first:,}-{last:,}")]
        if not lacking:
            return []
        return [f"index events_key lacks {counted(lacking, 'event')}, the first event {seq:,}"]

    def _text_problems(self, first: int, last: int) -> list[str]:
        """Compare the stretches of the text index that lie in a unit."""
        problems = []
        try:
            for stretch in text_index.stretches(self._connection):
                # They begin one event earlier than the blocks of the seals.
                if first - 1 <= stretch.first_seq <= stretch.last_seq <= last:
                    where = f"of the events {stretch.first_seq:,} to {stretch.last_seq:,}"
                    for problem in self._stretch_problems(stretch):
                        problems.append(f"text index: {where} {problem}")
        except sqlite3.DatabaseError as error:
            problems.append(_damage(error, f" among the events {first:,}-{last:,}"))
        except _ODD_VALUES as error:
            problems.append(f"text index: it cannot be compared among the events {first:,}-{last:,}: {error}")
        return problems

    def _stretch_problems(self, stretch: Stretch) -> list[str]:
        try:
            return self._compared(stretch, str)
        except sqlite3.OperationalError as error:
            if hasattr(error, "sqlite_errorcode"):
                raise
        # A text that is not UTF-8: SQLite itself did not fail.
        return self._compared(stretch, connect.decode_anything)

    def _compared(self, stretch: Stretch, text_factory: Callable[[bytes], str] | type[str]) -> list[str]:
        """Compare a stretch with its texts as SQLite hands them out fastest."""
        connection = self._connection
        connection.text_factory = text_factory
        try:
            return text_check.problems(connection, stretch)
        finally:
            connection.text_factory = bytes

    def _page_problems(self) -> list[str]:
        """Find damaged pages anywhere, and what is wrong with the small tables; 3 s for 10,000,000 events."""
        problems = run_interruptible(self._connection, f"PRAGMA quick_check({MAX_PROBLEMS})")
        for table in _SMALL_TABLES:
            problems += run_interruptible(self._connection, f"PRAGMA integrity_check({table})")
        return [problem for problem in dict.fromkeys(map(_text, problems)) if problem != "ok"]


_NAME_PLACES = (2, 3, 4, 5)
"""Of the numbers of event, category, user and source in a row of the index."""
_INDEXED = itemgetter(
    *map(FileRow._fields.index, ("seq", "occurred_us", *(field.column for field in FIELDS)))
)
"""Makes a row of the index of a row of the file."""
_ODD_VALUES = (TypeError, ValueError, OverflowError, AttributeError, KeyError, IndexError)
"""Raised where a file holds what no file of this program holds."""


class _Tap:
    """Gives rows to whoever makes leaves of them, and keeps of each what the index is made of."""

    def __init__(self, store: SealedStore) -> None:
        self.events = 0
        """The number of rows taken."""
        self.is_damaged = False
        self._store = store
        self._rows: _Rows = []
        self._some: _Rows = []

    def stream(self, first_seq: int, last_seq: int) -> Iterator[Sequence[Any]]:
        """Yield the rows of a block; asked again for the same block, what was kept of it is forgotten."""
        self._some = some = []
        try:
            for row in self._store.content.stream(first_seq, last_seq):
                some.append(_INDEXED(row))
                yield row
        except sqlite3.DatabaseError:
            self.is_damaged = True
            raise

    def read(self, first_seq: int, last_seq: int) -> None:
        """Read rows that have no seal to be compared with."""
        if first_seq > last_seq:
            return
        try:
            for _ in self.stream(first_seq, last_seq):
                pass
        except sqlite3.DatabaseError as error:
            raise_unless_damaged(error)
        self.keep()

    def keep(self) -> None:
        """Keep the rows of the block that was read last."""
        self._rows += self._some
        self._some = []

    def take(self) -> _Rows:
        """Return the rows that were kept, and forget them."""
        rows, self._rows = self._rows, []
        self.events += len(rows)
        return rows


def _text(value: object) -> str:
    """Return a text of SQLite's own, from a connection that gives bytes."""
    text = str(value)
    return text[2:-1] if text.startswith(("b'", 'b"')) else text


_DAMAGE = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}
)


def _damage(error: sqlite3.DatabaseError, where: str) -> str:
    """Return what to say of damage; everything else, an interrupt above all, goes on its way."""
    if (getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF) not in _DAMAGE:
        raise error
    return f"cannot be read{where}: {error}"
