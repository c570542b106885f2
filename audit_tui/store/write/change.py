"""One transaction in which events are removed or replaced, and what says so is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_tui.store.evidence.sealing import Seals
from audit_tui.store.tables.rows import StoredRow, draft
from audit_tui.store.tables.schema import EVENT_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from audit_tui.core.event import AuditEvent
    from audit_tui.store.index.keeper import IndexKeeper
    from audit_tui.store.tables.rows import Draft
    from audit_tui.store.write.companion import AppendResult, Companion

_COLUMNS = ", ".join(EVENT_COLUMNS)
_SET = ", ".join(f"{column} = ?" for column in EVENT_COLUMNS)


class Change(NamedTuple):
    """The changes that may be made in ``StoreWriter.changing``; all of them happen, or nothing."""

    connection: sqlite3.Connection
    companions: Sequence[Companion]
    append: Callable[[Sequence[Draft]], AppendResult]
    """Records events in this transaction."""
    rows_of: Callable[[Sequence[Draft], int], list[StoredRow]]
    """Drafts as rows, numbered after this number."""
    keeper: IndexKeeper

    def rows(self, seqs: Sequence[int]) -> list[StoredRow]:
        """The rows of these events; one that is not there is left out."""
        rows = (
            self.connection.execute(
                f"SELECT {_COLUMNS} FROM events WHERE seq = ?",  # noqa: S608 - our own columns
                (seq,),
            ).fetchone()
            for seq in seqs
        )
        return [StoredRow._make(row) for row in rows if row is not None]

    def remove(self, rows: Sequence[StoredRow]) -> None:
        """Delete events, with what is derived from them; their seals stay."""
        for companion in self.companions:
            companion.on_remove(self.connection, rows)
        self.keeper.remove(row.seq for row in rows)
        self.connection.executemany("DELETE FROM events WHERE seq = ?", [(row.seq,) for row in rows])

    def replace(self, rows: Sequence[StoredRow], drafts: Sequence[Draft]) -> None:
        """Put other content in the places of events; their seals stay."""
        for companion in self.companions:
            companion.on_remove(self.connection, rows)
        new = [self.rows_of((after,), row.seq - 1)[0] for row, after in zip(rows, drafts, strict=True)]
        self.connection.executemany(
            f"UPDATE events SET {_SET} WHERE seq = ?",  # noqa: S608 - our own columns
            [(*row, row.seq) for row in new],
        )
        self.keeper.replace(self.connection, rows, new)
        for companion in self.companions:
            companion.on_replace(self.connection, new, drafts)

    def record_act(self, event: AuditEvent) -> int:
        """Record an act of this program, in the form that nothing recorded or imported gets.

        Returns:
            The number of the event.
        """
        with self._seals.acting():
            seq = self.append([draft(event)]).first_seq
        assert seq is not None  # noqa: S101 - its key is random
        return seq

    def info(self, name: str) -> str | None:
        """Return one of the store's own notes; None if nothing."""
        row = self.connection.execute("SELECT value FROM store_info WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_info(self, name: str, value: str) -> None:
        """Write one of the store's own notes."""
        self.connection.execute(
            "INSERT INTO store_info (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )
        # The key is among them. The index would forget what it is to take out.
        self._seals.forget()

    @property
    def _seals(self) -> Seals:
        return next(companion for companion in self.companions if isinstance(companion, Seals))
