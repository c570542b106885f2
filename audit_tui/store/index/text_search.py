"""Answers of the text index about all events of a snapshot."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from pyroaring import BitMap

from audit_tui.core.filter.filters import MetaField
from audit_tui.store.index.row_tests import metadata_leaves
from audit_tui.store.index.stored import numbers_of
from audit_tui.store.index.text_grams import Needle
from audit_tui.store.index.text_index import LEFT_OUT
from audit_tui.store.index.text_parts import Parts
from audit_tui.store.index.text_stretch import TextStretch
from audit_tui.store.tables.rows import stored_text
from audit_tui.store.tables.text_layout import TABLES, block_of, damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.core.filter.filters import Condition
    from audit_tui.store.index.text_parts import Snapshot

MAX_REMEMBERED = 8
"""The answers to this many conditions stay with a connection: for 10,000,000 events 1.3 MB each at most."""
_LEAST_SHARED = 3
"""Fewer stretches are left to one thread."""
MAX_SEQ = 0xFFFF_FFFF
"""The largest number in a bitmap."""
NAMES_STRETCHES = 16
"""The stretches whose names of metadata are read: a million events, 1 ms each."""
NAMES_ROWS = 500
_NEWEST_METADATA = (
    "SELECT metadata FROM events WHERE seq > ? AND metadata IS NOT NULL ORDER BY seq DESC LIMIT ?"
)
_STRETCHES = "SELECT first_seq, last_seq, events, stamp FROM text_stretches ORDER BY first_seq"
_EXIST = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (?, ?)"


class Entry(NamedTuple):
    """A stretch as it is listed."""

    first_seq: int
    last_seq: int
    events: int
    stamp: int


class TextSearch:
    """The search for a condition, in as many stretches as it takes.

    Args:
        snapshot: What may be read.
        condition: With a positive operator, on description, target, source IP, any text or metadata.

    Raises:
        StoreDamaged: If the index does not hold what it should.
    """

    def __init__(self, snapshot: Snapshot, condition: Condition) -> None:
        self._snapshot, self._condition = snapshot, condition
        self._answers = _answers(snapshot, condition)
        self._waiting = [entry for entry in entries_of(snapshot) if entry.events != LEFT_OUT]
        self._reading = threading.Lock()
        self._needle: Needle | None = None
        self._taken: dict[int, None] = {}
        """The parts of the stretch that was searched last: of the next, likely the same are needed."""

    def look(self, seqs: BitMap) -> list[tuple[int, int, BitMap]]:
        """Search in the stretches that hold some events, but for those searched before.

        Returns:
            The first and the last seq of each, and the seqs that match.

        Raises:
            QueryCancelled: If the answer is no longer wanted.
            StoreDamaged: If the index does not hold what it should.
        """
        wanted = [e for e in self._waiting if seqs.range_cardinality(e.first_seq, e.last_seq + 1)]
        by_two(self._search, [entry for entry in wanted if entry not in self._answers])
        answers = []
        for entry in wanted:
            matches = self._answers[entry].shift(block_of(entry.first_seq))
            if matches and not entry.first_seq <= matches.min() <= matches.max() <= entry.last_seq:
                raise damaged("has events of another stretch")
            answers.append((entry.first_seq, entry.last_seq, matches))
            self._waiting.remove(entry)
        return answers

    def _search(self, entry: Entry) -> None:
        """Search in a stretch."""
        self._snapshot.check()
        parts = Parts(self._rows, entry.first_seq)
        stretch = TextStretch(parts, entry.events)
        rows = self._without_field(entry, stretch)
        if rows is None:
            if self._taken:
                parts.read_ahead(self._taken)
            self._needle = self._needle or Needle(self._condition)
            rows = stretch.rows(self._needle)
            self._taken = parts.taken
        self._answers[entry] = rows

    def _rows(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """Return all rows of a statement, which the threads share: a turn each."""
        with self._reading:
            return self._snapshot.rows(statement, parameters)

    def _without_field(self, entry: Entry, stretch: TextStretch) -> BitMap | None:
        """Return the rows of a stretch where no event has the field, told by its head alone; else None."""
        condition = self._condition
        if not isinstance(condition.field, MetaField):
            return None
        is_whole = entry.events == entry.last_seq - entry.first_seq + 1
        if (condition.value is None and not is_whole) or stretch.has_fields(condition):
            return None
        first = entry.first_seq - block_of(entry.first_seq)
        return BitMap() if condition.value is not None else BitMap(range(first, first + entry.events))


def by_two(work: Callable[[Entry], None], entries: Sequence[Entry]) -> None:
    """Do some work on stretches, the last first, in two threads.

    More than half of its time goes into SQLite and zlib, which leave Python to the other thread meanwhile.
    """
    left = list(entries)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            while left:
                work(left.pop())
        except IndexError:  # the other thread took the last
            return
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            left.clear()
            failed.append(error)

    helper = threading.Thread(target=run, name="search", daemon=True) if len(left) >= _LEAST_SHARED else None
    if helper is not None:
        helper.start()
    run()
    if helper is not None:
        helper.join()
    if failed:
        raise failed[0]


def metadata_names(snapshot: Snapshot) -> Counter[str]:
    """Return the dotted names of fields in the metadata of the newest events, with how many events have each.

    Of the newest ``NAMES_STRETCHES`` stretches, and of up to ``NAMES_ROWS`` events that are in none.

    Raises:
        QueryCancelled: If the answer is no longer wanted.
        StoreDamaged: If the index does not hold what it should.
    """
    names: Counter[str] = Counter()
    entries = [entry for entry in entries_of(snapshot) if entry.events != LEFT_OUT][-NAMES_STRETCHES:]
    for entry in entries:
        snapshot.check()
        names.update(TextStretch(Parts(snapshot.rows, entry.first_seq), entry.events).events_by_name())
    reached = entries[-1].last_seq if entries else 0
    for (metadata,) in snapshot.rows(_NEWEST_METADATA, (reached, NAMES_ROWS)):
        names.update({stored_text(path) for path, _ in metadata_leaves(str(metadata))})
    return names


def entries_of(snapshot: Snapshot) -> list[Entry]:
    """Return the stretches in order; none where the store has no text index.

    Raises:
        StoreDamaged: If they overlap, or are not numbers.
    """
    if snapshot.rows(_EXIST, tuple(TABLES))[0][0] != len(TABLES):
        return []
    entries = [Entry._make(row) for row in numbers_of(snapshot.rows(_STRETCHES))]
    reached = 0
    for entry in entries:
        is_ordered = reached < entry.first_seq <= entry.last_seq <= MAX_SEQ
        if not is_ordered or block_of(entry.first_seq) != block_of(entry.last_seq):
            raise damaged("has stretches that overlap")
        reached = entry.last_seq
    return entries


def _answers(snapshot: Snapshot, condition: Condition) -> dict[Entry, BitMap]:
    """Return what is remembered of a condition, by stretch; a stretch that is rebuilt has another stamp."""
    remembered = snapshot.memory.setdefault(_answers, OrderedDict())
    assert isinstance(remembered, OrderedDict)  # noqa: S101 - only this module puts it there
    answers: dict[Entry, BitMap] = remembered.setdefault(condition, {})
    remembered.move_to_end(condition)
    while len(remembered) > MAX_REMEMBERED:
        remembered.popitem(last=False)
    return answers
