"""The hits of rules in stores, remembered beside marks in the user's data: with how far was looked."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Self

from audit_tui.detect.private_file import open_private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.query import EventReader

FORM = 2
"""Of the file and of the meaning of rules; what another wrote is forgotten."""
MAX_CHECKED = 2_000
"""The hits of a rule whose events are looked at again, the newest."""
_TABLES = {
    "looked": "store TEXT, rule TEXT, version TEXT, upto INTEGER, PRIMARY KEY (store, rule, version)",
    "hits": "store TEXT, rule TEXT, version TEXT, seq INTEGER, key TEXT,"
    " occurred_us INTEGER, PRIMARY KEY (store, rule, version, seq)",
}


class Remembered(NamedTuple):
    """The hits of a rule up to an event."""

    times_us: dict[int, int]
    """When they happened, by their numbers."""
    upto_seq: int


class Memory:
    """Remembers hits in a file of its own. It is only a memory: where it fails, rules are asked again.

    Args:
        path: The file, made if need be.
        store_id: The store.
    """

    def __init__(self, path: Path, store_id: str) -> None:
        self._store = store_id
        self._connection = open_private(path, FORM, _TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    def recall(self, rule: tuple[str, str], reader: EventReader) -> Remembered:
        """Return what is remembered of a rule; nothing when the events are not those that were.

        Args:
            rule: Its id and version.
            reader: The store as it is now.
        """
        nothing = Remembered({}, 0)
        if self._connection is None:
            return nothing
        whose = (self._store, *rule)
        try:
            row = self._connection.execute(f"SELECT upto FROM looked WHERE {_WHOSE}", whose).fetchone()  # noqa: S608
            if row is None or int(row[0]) > reader.newest_seq():
                return nothing
            hits = self._connection.execute(
                f"SELECT seq, key, occurred_us FROM hits WHERE {_WHOSE} ORDER BY seq",  # noqa: S608
                whose,
            ).fetchall()
            upto = int(row[0])
        except (sqlite3.Error, TypeError, ValueError):
            return nothing
        for seq, key, _ in hits[-MAX_CHECKED:]:
            event = reader.event(seq)
            if event is None or event.key != key:
                return nothing
        return Remembered({int(seq): int(occurred_us) for seq, _, occurred_us in hits}, upto)

    def note(self, rule: tuple[str, str], before: Remembered, hits: Iterable[AuditEvent], upto: int) -> None:
        """Remember further hits of a rule.

        Args:
            rule: Its id and version.
            before: What was remembered; with nothing, all that is there is replaced.
            hits: The events of the further ones.
            upto: The number of the last event that was looked at.
        """
        if self._connection is None:
            return
        whose = (self._store, *rule)
        with suppress(sqlite3.Error), self._connection:
            if not before.upto_seq:
                # Also those of older versions of the rule, which are of no use any more.
                self._connection.execute("DELETE FROM hits WHERE store = ? AND rule = ?", whose[:2])
                self._connection.execute("DELETE FROM looked WHERE store = ? AND rule = ?", whose[:2])
            rows = ((*whose, event.seq, event.key, event.occurred_us) for event in hits)
            self._connection.executemany("INSERT OR REPLACE INTO hits VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._connection.execute("INSERT OR REPLACE INTO looked VALUES (?, ?, ?, ?)", (*whose, upto))


_WHOSE = "store = ? AND rule = ? AND version = ?"
