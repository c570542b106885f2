"""One snapshot of a store, and the small look-ups that planning needs, each made once."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import EventRow
from audit_tui.errors import StoreDamaged
from audit_tui.store.columns.coverage import read_coverage
from audit_tui.store.predicate import MISSING
from audit_tui.store.read import sql
from audit_tui.store.tables.rows import read_count, read_outcome, read_text, stored_text, whole
from audit_tui.store.tables.schema import NAME_TABLES, PRUNED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.columns import NameColumn
    from audit_tui.store.columns.coverage import Coverage
    from audit_tui.store.columns.index import ColumnIndex

MAX_FOUND_NAMES = 100
"""Names that contain a text are a set of numbers up to here; beyond, each event's name is tested."""
MAX_NAMES = 20_000
"""Names kept in memory per field; then it starts anew, so that memory stays flat."""


class NameCache:
    """Names by number, over all snapshots of a connection: a number never gets another name."""

    def __init__(self) -> None:
        self._names: dict[NameColumn, dict[int, str]] = {field: {} for field in NAME_TABLES}

    def find(self, connection: sqlite3.Connection, field: NameColumn, number: int | None) -> str | None:
        """The name with this number; None for the missing value."""
        if number is None:
            return None
        names = self._names[field]
        name = names.get(number)
        if name is None:
            if len(names) >= MAX_NAMES:
                names.clear()
            table = NAME_TABLES[field].table
            found = connection.execute(
                f"SELECT name FROM {table} WHERE id = ?",  # noqa: S608 - our own names
                (whole(number),),
            ).fetchone()
            name = names[number] = "" if found is None else read_text(found[0]) or ""
        return name


class Session:
    """What one question asks of the store, inside one read transaction.

    Args:
        connection: In a transaction.
        indexes: The indexes of ``events`` that are there.
        names: The connection's names.
        cancel: Is checked before each statement; None cannot be cancelled.
        columns: What the reader keeps of the columns; None leaves them alone.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        indexes: frozenset[str],
        names: NameCache,
        cancel: CancelToken | None,
        columns: ColumnIndex | None = None,
    ) -> None:
        self.indexes = indexes
        self.columns = columns
        self.engine: object | None = None
        """What answers from the columns, once somebody asked it."""
        self._coverage: tuple[Coverage | None] | None = None
        self._steps_left: int | None = None
        self._connection = connection
        self._names = names
        self._cancel = cancel
        self._events: dict[tuple[NameColumn, int], int] = {}
        self._newest: int | None = None
        self._pruned: int | None = None

    def rows(self, statement: sql.Statement) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        self.check()
        return self._connection.execute(statement.text, statement.parameters).fetchall()

    def stream(self, statement: sql.Statement) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement as they are wanted."""
        self.check()
        return iter(self._connection.execute(statement.text, statement.parameters))

    def number(self, statement: sql.Statement) -> int:
        """The one number that a statement gives; 0 for NULL."""
        return whole(self.rows(statement)[0][0] or 0)

    def check(self) -> None:
        """Raise QueryCancelled if the answer is no longer wanted."""
        if self._cancel is not None:
            self._cancel.check()

    def rows_within(self, statement: sql.Statement, steps: int) -> list[tuple[Any, ...]] | None:
        """All rows of a statement; None if SQLite would take more than so many of its own steps."""
        self._steps_left = steps
        try:
            return self.rows(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT or self._steps_left > 0:
                raise
            self.check()
            return None
        finally:
            self._steps_left = None

    def spend(self, steps: int) -> bool:
        """Note that SQLite took these steps, and say whether ``rows_within`` allows no more."""
        if self._steps_left is None:
            return False
        self._steps_left -= steps
        return self._steps_left <= 0

    @property
    def coverage(self) -> Coverage | None:
        """Where the columns are; None where they are of no use."""
        if self.columns is None:
            return None
        if self._coverage is None:
            self._coverage = (read_coverage(self),)
        return self._coverage[0]

    @property
    def newest_seq(self) -> int:
        """The number of the event appended last; 0 in an empty store."""
        if self._newest is None:
            self._newest = self.number(sql.Statement("SELECT max(seq) FROM events"))
        return self._newest

    @property
    def events_total(self) -> int:
        """How many events there are: fewer than ``newest_seq`` once some were pruned."""
        if self._pruned is None:
            found = self.rows(sql.Statement("SELECT value FROM store_info WHERE name = ?", (PRUNED,)))
            self._pruned = read_count(found[0][0]) if found else 0
        return max(0, self.newest_seq - self._pruned)

    def events_upto(self, seq: int) -> int:
        """How many events there are up to this number."""
        if self.events_total == self.newest_seq:
            return max(0, min(self.newest_seq, seq))
        return self.events_total - self.number(
            sql.Statement("SELECT count(*) FROM events WHERE seq > ?", (seq,))
        )

    def lookup(self, field: NameColumn, value: str) -> int | None:
        """The number of a name; None when the store does not know it."""
        found = self.rows(
            sql.Statement(
                f"SELECT id, events FROM {NAME_TABLES[field].table} WHERE name = ?",  # noqa: S608 - our own
                (stored_text(value),),
            )
        )
        if not found:
            return None
        number, events = whole(found[0][0]), whole(found[0][1])
        self._events[field, number] = events
        return number

    def search(self, field: NameColumn, value: str) -> frozenset[int] | None:
        """The numbers of the names that contain a text without regard to case; None for too many."""
        found = self.rows(
            sql.Statement(
                f"SELECT id FROM {NAME_TABLES[field].table} WHERE instr(folded, ?) > 0 LIMIT ?",  # noqa: S608
                (stored_text(value).casefold(), MAX_FOUND_NAMES + 1),
            )
        )
        return frozenset(whole(row[0]) for row in found) if len(found) <= MAX_FOUND_NAMES else None

    def events(self, field: NameColumn, number: int) -> int:
        """How many events of the store have this value."""
        known = self._events.get((field, number))
        if known is None:
            table = NAME_TABLES[field].table
            if number == MISSING:
                named = self.number(sql.Statement(f"SELECT sum(events) FROM {table}"))  # noqa: S608 - our own
                known = max(0, self.events_total - named)
            else:
                known = self.number(
                    sql.Statement(f"SELECT max(events) FROM {table} WHERE id = ?", (number,))  # noqa: S608
                )
            self._events[field, number] = known
        return known

    def name_key(self, field: NameColumn, name: str) -> sql.NameKey:
        """Where a name stands among the names of its field."""
        text = stored_text(name)
        found = self.rows(
            sql.Statement(
                f"SELECT folded FROM {NAME_TABLES[field].table} WHERE name = ?",  # noqa: S608 - our own
                (text,),
            )
        )
        return sql.NameKey(found[0][0] if found else text.casefold(), text)

    def name(self, field: NameColumn, number: int | None) -> str | None:
        """The name with this number; None for the missing value."""
        return self._names.find(self._connection, field, number)

    def row(self, seq: int) -> EventRow:
        """What a list shows of an event.

        Raises:
            StoreDamaged: If an index knows an event that the store does not hold.
        """
        found = self._connection.execute(sql.ROW.text, (seq,)).fetchone()
        if found is None:
            raise StoreDamaged(f"Event {seq} is in an index, but not in the store.", "Verify the store.")
        occurred_us, event, category, user, description, outcome = found
        return EventRow(
            seq,
            whole(occurred_us),
            self.name(_EVENT, event) or "",
            self.name(_CATEGORY, category),
            self.name(_USER, user),
            read_text(description),
            read_outcome(outcome),
        )


_EVENT, _CATEGORY, _USER = NAME_TABLES
