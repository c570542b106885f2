"""Checking a stretch of events with all that is made of them: seals, key index, index, text index.

Each event is read once, in short snapshots, so that a writer's log is never held up; stretches have nothing
to do with each other, so that a second process can check some of them.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from audit_tui.core.evidence.merkle import BLOCK_LEAVES, HASH_BYTES, split_leaves
from audit_tui.core.text import counted
from audit_tui.store.evidence.block_check import BlockCheck, raise_unless_damaged
from audit_tui.store.evidence.declared import read_declared
from audit_tui.store.evidence.seal_reading import SealedStore
from audit_tui.store.file import connect
from audit_tui.store.file.interruptible import run_interruptible
from audit_tui.store.index import text_index
from audit_tui.store.index.checking import IndexCheck
from audit_tui.store.tables import schema, text_layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from audit_tui.store.evidence.seal_reading import Block

    _Texts: TypeAlias = tuple[Any, ...]
    """As ``index.text_fields.ROWS`` gives them."""

UNIT_BLOCKS = 256
UNIT_EVENTS = UNIT_BLOCKS * BLOCK_LEAVES
"""65,536 events: 1 s."""
FEW_UNITS = 16
"""A file has room for so many more units than its length says: its newest seals may be in its log."""
PAGES = -1
"""The unit that is no stretch: the pages of the whole file."""
CACHE_KIB = 16_384
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


def units(store: SealedStore, first_seq: int, size: int) -> list[int]:
    """Return the units in which there are seals, from a seq to the last sealed one.

    They follow each other in a whole store. A forged one may have a head far beyond its seals, or seals far
    from each other, but not more units than its file has room for.

    Args:
        store: In a snapshot.
        first_seq: The first event to be checked.
        size: How many events are sealed.
    """
    most = store.path.stat().st_size // (UNIT_EVENTS * HASH_BYTES) + FEW_UNITS
    parts: list[int] = []
    block = first_seq // BLOCK_LEAVES
    while len(parts) < most and (existing := store.next_block(block)) is not None:
        if existing * BLOCK_LEAVES >= size:
            break
        parts.append(existing // UNIT_BLOCKS)
        block = (parts[-1] + 1) * UNIT_BLOCKS
    return parts


class StretchCheck:
    """Checks units on a connection of its own; for one thread.

    Args:
        path: The store.
        size: How many events are sealed; newer ones are left alone.
        content_from: The first event to be checked.
        with_indexes: Check what is made of the events as well.

    Raises:
        StoreError: One of its kinds, if it cannot be read.
    """

    def __init__(self, path: Path, size: int, content_from: int, *, with_indexes: bool) -> None:
        self._path = path
        self._size = size
        self._first_block = content_from // BLOCK_LEAVES
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

    def check(self, unit: int) -> UnitResult:
        """Check a unit; damage is one of the problems.

        Raises:
            StoreError: One of its kinds, if it cannot be read for another reason.
        """
        if unit == PAGES:
            return UnitResult(problems=self._page_problems()) if self._with_indexes else UnitResult()
        first = max(unit * UNIT_BLOCKS, self._first_block)
        end = min((unit + 1) * UNIT_BLOCKS, -(-self._size // BLOCK_LEAVES))
        with self._store.snapshot():
            return self._check_events(first, end)

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
        return text_index.structure_problems(self._connection) if self._has_texts else []

    def _check_events(self, first_block: int, end_block: int) -> UnitResult:
        """Check the events of blocks, and what is made of them, in the snapshot of the caller."""
        tap = _Tap(self._store)
        check = BlockCheck(self._store, self._size, self._declared, tap.stream)
        first, last = first_block * BLOCK_LEAVES + 1, min(self._size, end_block * BLOCK_LEAVES)
        texts = self._checked_texts(check, tap, first_block, end_block)
        problems = self._text_problems(texts, first, last) if self._has_texts else []
        for _ in texts:  # those that lie in no stretch of the text index
            pass
        if tap.is_damaged:
            problems = [f"rows among the events {first:,}-{last:,} cannot be read, so no index is compared"]
        elif self._with_indexes:
            problems += self._derived_problems(tap, first, last)
        return UnitResult(
            check.checked_events,
            check.matching_events,
            check.redacted_events,
            check.pruned_events,
            len(tap.rows),
            [(run.wrong.value, run.first_seq, run.last_seq) for run in check.wrong.runs],
            check.wrong.unlisted_events,
            check.undeclared,
            problems,
            [_counts(tap.rows, place) for place in _NAME_PLACES],
        )

    def _checked_texts(
        self, check: BlockCheck, tap: _Tap, first_block: int, end_block: int
    ) -> Iterator[_Texts]:
        """Check the events against their seals, and yield the texts of each block behind that."""
        first, last = first_block * BLOCK_LEAVES + 1, min(self._size, end_block * BLOCK_LEAVES)
        if self._has_texts:
            # A stretch of the text index begins one event earlier than the blocks of the seals.
            tap.read(first - 1, first - 1)
            yield from tap.take_texts()
            tap.rows.clear()
        upto = first - 1
        for block in self._readable_blocks(first_block, end_block):
            if block.is_whole and block.events >= check.events_in(block.number):
                tap.read(upto + 1, block.number * BLOCK_LEAVES)
                check.check_events(block, split_leaves(block.leaves))
                tap.keep()
                yield from tap.take_texts()
                upto = block.number * BLOCK_LEAVES + check.events_in(block.number)
        tap.read(upto + 1, last)
        yield from tap.take_texts()

    def _readable_blocks(self, first: int, end: int) -> Iterator[Block]:
        try:
            yield from self._store.blocks(first, end)
        except sqlite3.DatabaseError as error:
            raise_unless_damaged(error)  # the walk over the seals tells of it

    def _derived_problems(self, tap: _Tap, first: int, last: int) -> Iterator[str]:
        where = f" among the events {first:,}-{last:,}"
        try:
            if self._has_index:
                for problem in self._index.stretch_problems(first, last, tap.rows):
                    yield f"index: {problem}"
            if self._has_keys:
                lacking, seq = self._connection.execute(_LACKING, (first, last)).fetchone()
                if lacking:
                    yield f"index events_key lacks {counted(lacking, 'event')}, the first event {seq:,}"
        except sqlite3.DatabaseError as error:
            yield _damage(error, where)
        except _ODD_VALUES as error:
            yield f"index: it cannot be compared{where}: {error}"

    def _text_problems(self, texts: Iterator[_Texts], first: int, last: int) -> list[str]:
        """Compare the stretches of the text index that lie in a unit."""
        problems = []
        within = _Within(texts)
        try:
            for stretch in text_index.stretches(self._connection):
                if first - 1 <= stretch.first_seq <= stretch.last_seq <= last:
                    rows = within.rows(*stretch)
                    where = f"of the events {stretch.first_seq:,} to {stretch.last_seq:,}"
                    for problem in text_index.problems(self._connection, stretch, rows):
                        problems.append(f"text index: {where} {problem}")
        except sqlite3.DatabaseError as error:
            problems.append(_damage(error, f" among the events {first:,}-{last:,}"))
        except _ODD_VALUES as error:
            problems.append(f"text index: it cannot be compared among the events {first:,}-{last:,}: {error}")
        return problems

    def _page_problems(self) -> list[str]:
        """Find damaged pages anywhere, and what is wrong with the small tables; 3 s for 10,000,000 events."""
        problems = run_interruptible(self._connection, f"PRAGMA quick_check({MAX_PROBLEMS})")
        for table in _SMALL_TABLES:
            problems += run_interruptible(self._connection, f"PRAGMA integrity_check({table})")
        return [problem for problem in dict.fromkeys(map(_text, problems)) if problem != "ok"]


_NAME_PLACES = (2, 3, 4, 5)
"""Of the numbers of event, category, user and source in a row of the index."""
_OUTCOMES = {text.encode(): text for text in ("success", "failure", "unknown")}


_ODD_VALUES = (TypeError, ValueError, OverflowError, AttributeError, KeyError, IndexError)
"""Raised where a file holds what no file of this program holds."""
_FEW_BYTES = 65_536
"""Texts of an event that are longer are not kept with those of its block, but read again."""
_TEXTS = "SELECT seq, description, target, source_ip, metadata FROM events WHERE seq = ?"


class _Tap:
    """Gives rows to whoever makes leaves of them, and keeps of each what the indexes are made of."""

    def __init__(self, store: SealedStore) -> None:
        self.rows: list[tuple[Any, ...]] = []
        """As ``index.fields.ROWS`` gives them."""
        self.is_damaged = False
        self._store = store
        self._some: list[tuple[Any, ...]] = []
        self._some_texts: list[_Texts] = []
        self._texts: list[_Texts] = []

    def stream(self, first_seq: int, last_seq: int) -> Iterator[Sequence[Any]]:
        """Yield the rows of a block; asked again for the same block, what was kept of it is forgotten."""
        some, texts = self._some, self._some_texts = [], []
        try:
            for row in self._store.content.stream(first_seq, last_seq):
                (seq, us, _, event, category, user, text, outcome, severity, address, target, source,
                 metadata, _) = row  # fmt: skip
                some.append(
                    (
                        seq, us, event, category, user, source, _OUTCOMES.get(outcome, outcome), severity,
                        address if address is None or isinstance(address, bytes) else str(address).encode(),
                    )
                )  # fmt: skip
                try:
                    is_long = len(text or b"") + len(metadata or b"") + len(target or b"") > _FEW_BYTES
                except TypeError:  # told by whoever makes leaves of the row
                    is_long = False
                texts.append((seq,) if is_long else (seq, text, target, address, metadata))
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
        self.rows += self._some
        self._texts += self._some_texts
        self._some, self._some_texts = [], []

    def take_texts(self) -> Iterator[_Texts]:
        """Yield the texts of the rows that were kept, as texts, and forget them."""
        texts, self._texts = self._texts, []
        for seq, *values in texts:
            if not values:
                values = self._store.connection.execute(_TEXTS, (seq,)).fetchone()[1:]
            yield (seq, *[_decoded(value) for value in values])


class _Within:
    """Parts an ascending stream of rows into stretches.

    Args:
        rows: Begin with their seqs.
    """

    def __init__(self, rows: Iterator[_Texts]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def rows(self, first_seq: int, last_seq: int) -> Iterator[_Texts]:
        """Yield the rows of a stretch; those before it are passed over."""
        while self._next is not None and self._next[0] <= last_seq:
            row, self._next = self._next, next(self._rows, None)
            if row[0] >= first_seq:
                yield row


def _decoded(value: object) -> str | None:
    """Return a text as a reader has it."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else _plain(value)


def _plain(value: object) -> str | None:
    return None if value is None else str(value)


def _counts(rows: Sequence[Sequence[Any]], place: int) -> list[tuple[int, int]]:
    return [
        (number, count)
        for number, count in Counter(row[place] for row in rows).items()
        if type(number) is int
    ]


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
