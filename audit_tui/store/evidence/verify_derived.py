"""Checking what is derived from the events: indexes, segments, the text index.

It is done in units of a stretch each, every one in short snapshots, so that a writer's log is never held up
and a second process can do some of them.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple, Self

from audit_tui.store.evidence.seal_reading import open_reading
from audit_tui.store.evidence.verify_indexes import count_rows, entry_problems, page_problems, whole_indexes
from audit_tui.store.file import connect
from audit_tui.store.tables.text_layout import Stretch
from audit_tui.store.verify_segments import (
    MAX_SEQ,
    MIN_SEQ,
    UNIT_EVENTS,
    check_segments,
    layout_problems,
    snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from audit_tui.store.tables.schema import Index

PAGES = Stretch(0, 0)
"""The unit that is no stretch: the pages of the whole file."""
CACHE_KIB = 16_384


class Found(NamedTuple):
    """What a unit gave."""

    rows: int | None
    """How many events the stretch has; None when an index of them cannot be read."""
    problems: list[str]


def units(size: int) -> list[Stretch]:
    """What there is to do for a store of so many sealed events; the first one takes longest."""
    return [
        PAGES,
        *(Stretch(first, first + UNIT_EVENTS - 1) for first in range(1, size + 1, UNIT_EVENTS)),
    ]


class DerivedCheck:
    """Checks units on a connection of its own; for one thread.

    Args:
        path: The store.
        size: How many events are sealed; newer ones are not looked for in the indexes.

    Raises:
        StoreError: One of its kinds, if it cannot be read.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._connection = open_reading(path)
        with connect.closed_on_error(self._connection), connect.store_errors(path):
            # Texts that are no UTF-8 are rare: then they are read once more.
            self._connection.text_factory = str
            self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self.indexes, self.index_problems = self._whole_indexes()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def check(self, unit: Stretch) -> Found:
        """Check a unit; damage is one of the problems.

        Raises:
            StoreError: One of its kinds, if it cannot be read for another reason.
        """
        with connect.store_errors(self._path):
            if unit == PAGES:
                return Found(0, page_problems(self._connection))
            rows, problems = self._look_for(unit)
            try:
                problems += _sentences(check_segments(self._connection, self._widened(unit)))
            except sqlite3.DatabaseError as error:
                problems.append(_damage(error, unit))
        return Found(rows, problems)

    def _look_for(self, unit: Stretch) -> tuple[int | None, list[str]]:
        """Look for the events of a unit in the indexes."""
        last_seq = min(unit.last_seq, self._size)
        try:
            with snapshot(self._connection):
                return count_rows(self._connection, self.indexes, unit.first_seq, last_seq)
        except sqlite3.DatabaseError as error:
            return None, [_damage(error, unit)]

    def finish(self, rows: int | None) -> list[str]:
        """Check what only the whole tells.

        Args:
            rows: How many events all units have; None when they could not be counted.
        """
        with connect.store_errors(self._path):
            try:
                problems = _sentences(layout_problems(self._connection))
                if rows is not None:
                    problems += entry_problems(self._connection, self.indexes, self._size, rows)
            except sqlite3.DatabaseError as error:
                return [_damage(error, None)]
        return problems

    def _whole_indexes(self) -> tuple[list[Index], list[str]]:
        try:
            return whole_indexes(self._connection)
        except sqlite3.DatabaseError as error:
            return [], [_damage(error, None)]

    def _widened(self, unit: Stretch) -> Stretch:
        """The same, but the first and the last one go on: what begins out there is wrong, or new."""
        return Stretch(
            MIN_SEQ if unit.first_seq == 1 else unit.first_seq,
            MAX_SEQ if unit.last_seq >= self._size else unit.last_seq,
        )


def _sentences(found: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{part}: {problem}" for part, problem in found]


_DAMAGE = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}
)


def _damage(error: sqlite3.DatabaseError, unit: Stretch | None) -> str:
    """What to say of damage; everything else, an interrupt above all, goes on its way."""
    if (getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF) not in _DAMAGE:
        raise error
    where = "" if unit is None else f" among the events {unit.first_seq:,}-{unit.last_seq:,}"
    return f"cannot be read{where}: {error}"
