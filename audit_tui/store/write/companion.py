"""Companions of the events of a store, kept in step with them, and the result of an append."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from audit_tui.store.tables.rows import Draft, StoredRow


class Companion(Protocol):
    """Something that is kept in step with the events, in their transaction: counts, seals, indexes."""

    def on_append(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Write what belongs to these rows, which are in ``events`` already; raising undoes both.

        Args:
            connection: In the transaction of the rows.
            rows: New events, in order of their numbers.
            drafts: The same events in the same order, with their texts.
        """
        ...

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None:
        """Take away what belongs to these rows, which are about to be deleted or replaced."""
        ...

    def on_replace(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Write what belongs to these rows, which took the places of removed ones (a redaction)."""
        ...

    def forget(self) -> None:
        """The transaction was rolled back: what was remembered of it is void."""
        ...


@dataclass(frozen=True, slots=True)
class AppendResult:
    """The outcome of one append."""

    stored: int
    duplicates: int
    """Events whose key was in the store already, or earlier in the same append."""
    first_seq: int | None
    """The number of the first stored event; None when none was stored."""
    last_seq: int | None
    """The number of the last stored event; None when none was stored."""
