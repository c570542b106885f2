"""The hits of rules in stores, remembered beside marks in the user's data: with how far was looked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import EVERYTHING, All, Any, Condition, MetaField, everywhere
from audit_tui.core.filter.operators import IS, MORE
from audit_tui.core.query import EventQuery
from audit_tui.detect.loading import open_private

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.query import EventReader
    from audit_tui.detect.running import Runner
    from audit_tui.detect.tree import Rule

FORM = 3
"""Of the file and of the meaning of rules; what another wrote is forgotten."""
MAX_CHECKED = 100
"""The hits of a rule whose events are looked at again, the newest."""
_TABLES = {
    "looked": "store TEXT, rule TEXT, version TEXT, upto INTEGER, key TEXT,"
    " PRIMARY KEY (store, rule, version)",
    "hits": "store TEXT, rule TEXT, version TEXT, seq INTEGER, key TEXT, occurred_us INTEGER, user TEXT,"
    " PRIMARY KEY (store, rule, version, seq)",
}
_REMOVAL = Any(tuple(Condition(MetaField("Action"), IS, action) for action in ("redact", "prune")))


class Hit(NamedTuple):
    """An event that a rule hit, as far as it is remembered."""

    occurred_us: int
    user: str | None


class Remembered(NamedTuple):
    """The hits of a rule up to an event."""

    hits: dict[int, Hit]
    """By the numbers of their events."""
    upto_seq: int


NOTHING = Remembered({}, 0)


class Memory:
    """Remembers hits in a file of its own. It is only a memory: where it fails, rules are asked again.

    Without a path nothing is remembered.
    """

    def __init__(self, path: Path | None, reader: EventReader, *, is_forgotten: bool = False) -> None:
        self._reader = reader
        self._store = reader.info().store_id
        self._is_forgotten = is_forgotten
        self._connection = None if path is None else open_private(path, FORM, _TABLES)
        self._has_removals = cache(self._looks_for_removals)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def hits_of(
        self,
        runner: Runner,
        rule: Rule,
        newest: int,
        before: Remembered | None = None,
        *,
        fresh: Sequence[AuditEvent] | None = None,
        cancel: CancelToken | None = None,
    ) -> Remembered:
        """Return all hits of a rule up to an event, and remember them; only what is new is asked.

        ``before`` is what is known of the rule, None recalls it; ``fresh`` all events since, where somebody
        has them in hand.
        """
        if before is None or before.upto_seq > newest:
            before = self.recall(runner.key(rule))
        # A source without numbers has no newest event, and may have others each time.
        if newest and newest == before.upto_seq:
            return before
        query = after(before.upto_seq, newest)
        new = None if fresh is None else [event for event in fresh if runner.looks_at(rule, event)]
        if rule.correlation is not None and before.upto_seq:
            wanted = everywhere(All((query.filter, runner.plan_filter(rule))))
            if new or (new is None and self._reader.count(replace(query, filter=wanted), cancel)):
                # A new event may complete what began before.
                before, query, new = NOTHING, after(0, newest), None
            else:
                new = []
        if new is None:
            events = runner.hits(self._reader, rule, query, cancel)
            # Without what else is known of them: there may be a million.
            new = [replace(event, metadata={}) for event in events]
        self.note(runner.key(rule), before, new, newest)
        hits = {event.seq or 0: Hit(event.occurred_us, event.user) for event in new}
        return Remembered(before.hits | hits, newest)

    def recall(self, rule: tuple[str, str]) -> Remembered:
        """Return what is remembered of a rule, by id and version; nothing when other events stand there."""
        if self._connection is None or self._is_forgotten:
            return NOTHING
        whose = (self._store, *rule)
        try:
            row = self._connection.execute(f"SELECT upto, key FROM looked WHERE {_WHOSE}", whose).fetchone()  # noqa: S608
            rows = self._connection.execute(
                f"SELECT seq, key, occurred_us, user FROM hits WHERE {_WHOSE} ORDER BY seq",  # noqa: S608
                whose,
            ).fetchall()
            hits = {int(seq): Hit(int(occurred_us), user) for seq, _, occurred_us, user in rows}
            upto = 0 if row is None else int(row[0])
        except (sqlite3.Error, TypeError, ValueError):
            return NOTHING
        keys = [*((seq, key) for seq, key, *_ in rows[-MAX_CHECKED:]), (upto, row and row[1])]
        if (
            not upto
            or any((event := self._reader.event(seq)) is None or event.key != key for seq, key in keys)
            or self._has_removals(upto)
        ):
            return NOTHING
        return Remembered(hits, upto)

    def note(self, rule: tuple[str, str], before: Remembered, hits: Iterable[AuditEvent], upto: int) -> None:
        """Remember further hits of a rule; with nothing before, all that is there is replaced."""
        last = self._reader.event(upto)
        if self._connection is None or last is None:
            return
        whose = (self._store, *rule)
        with suppress(sqlite3.Error), self._connection:
            if not before.upto_seq:
                # Also those of older versions of the rule, which are of no use any more.
                self._connection.execute("DELETE FROM hits WHERE store = ? AND rule = ?", whose[:2])
                self._connection.execute("DELETE FROM looked WHERE store = ? AND rule = ?", whose[:2])
            rows = ((*whose, event.seq, event.key, event.occurred_us, event.user) for event in hits)
            self._connection.executemany("INSERT OR REPLACE INTO hits VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            looked = (*whose, upto, last.key)
            self._connection.execute("INSERT OR REPLACE INTO looked VALUES (?, ?, ?, ?, ?)", looked)

    def _looks_for_removals(self, seq: int) -> bool:
        """Tell whether events were redacted or pruned since this one came: a hit may be gone, or none."""
        ours = Condition(Column.SOURCE, IS, "audit-tui")
        since = EventQuery(All((Condition(Column.SEQ, MORE, str(seq)), ours, _REMOVAL)))
        return self._reader.count(since) > 0


def after(seq: int, newest: int) -> EventQuery:
    """Return the question for the events behind one, up to another."""
    newer = Condition(Column.SEQ, MORE, str(seq))
    return EventQuery(newer if seq else EVERYTHING, upto_seq=newest)


_WHOSE = "store = ? AND rule = ? AND version = ?"
