"""The events that are appended to a store, one after the other, over replaced files and ended runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from audit_tui.cli.cursor import Cursor
from audit_tui.cli.source import open_source
from audit_tui.core.filter.matching import matcher
from audit_tui.core.query import Standing
from audit_tui.core.query_line.text import line_of
from audit_tui.errors import StoreDamaged, StoreMissing
from audit_tui.store.file.closing import Closing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.query import EventReader

POLL_S = 0.5
"""The seconds between two looks at the store; a look takes 0.1 ms."""


class Watch(Closing):
    """New events that a filter takes, in the order in which they are appended.

    Args:
        store: The store; may be replaced by another file, which is then watched from its beginning.
        expression: The filter.
        is_inside: Tells whether a time lies in the range that was asked for.
        folder: The folder of the cursors.
        is_resumed: Begin behind the last event of a run before; else with what is appended from now on.
        redact: Replaces names in the events that are given out.
        is_hit: Tells of an event that the filter takes, with its names as they are, whether it is wanted.
    """

    def __init__(
        self,
        store: Path,
        expression: Filter,
        is_inside: Callable[[int], bool],
        folder: Path,
        redact: RedactMode,
        *,
        is_resumed: bool,
        is_hit: Callable[[AuditEvent, EventReader], bool] = lambda *_: True,
    ) -> None:
        self._store = store
        self._folder = folder
        self._is_inside = is_inside
        self._redact = redact
        self._is_hit = is_hit
        self._words = line_of(expression)
        self._expression = expression
        self._reader = open_source(store)()
        self._store_id = self._reader.info().store_id
        self._cursor = Cursor(folder, self._store_id, self._words)
        newest = self._reader.newest_seq()
        saved = self._cursor.saved if is_resumed else None
        # Of a store that was put back from an older copy, what comes is new.
        self._seq = newest if saved is None else min(saved, newest)
        self._cursor.begin(self._seq)

    def close(self) -> None:
        """Let the store go, and note where the run ended."""
        self._reader.close()
        self._cursor.close()

    def events(self) -> Iterator[AuditEvent]:
        """Yield the events as they come, for ever; ``handled`` notes each.

        Raises:
            StoreDamaged: If the store was cut short, or overwritten.
        """
        while True:
            state = self._reader.state()
            if state.standing is Standing.DAMAGED:
                raise StoreDamaged(f"{self._store} is damaged.", "audit-tui verify tells more.")
            yield from self._appended()
            if state.standing is Standing.IN_PLACE or not self._reopen():
                time.sleep(POLL_S)

    def handled(self, seq: int) -> None:
        """Note that an event needs not come again."""
        if seq > self._seq:
            self._seq = seq
            self._cursor.save(seq)

    def give(self, seq: int, line: str, out: int) -> None:
        """Print the line of an event, so that it comes once even if the run is killed at this moment."""
        self._cursor.send(seq, line.encode("utf-8", "backslashreplace") + b"\n", out)
        self._seq = seq

    def has_given(self, seq: int) -> bool:
        """Tell whether the line of an event was given out, also where a signal came before that was noted."""
        return self._cursor.given_seq == seq

    def _appended(self) -> Iterator[AuditEvent]:
        newest = self._reader.newest_seq()
        names = self._redact.pseudonyms(self._reader)
        is_wanted = matcher(self._redact.real(self._expression))
        while self._seq < newest:
            seq = self._seq + 1
            event = self._reader.event(seq)
            is_inside = event is not None and self._is_inside(event.occurred_us)
            if event is not None and is_inside and is_wanted(event) and self._is_hit(event, self._reader):
                yield event if names is None else names.event(event)
            self.handled(seq)

    def _reopen(self) -> bool:
        """Turn to the file that lies in the store's place now; False while there is none."""
        try:
            reader = open_source(self._store)()
        except StoreMissing:
            return False
        # What was appended to the old file until it was let go.
        self._reader.close()
        self._reader = reader
        store_id = reader.info().store_id
        if store_id != self._store_id:
            self._cursor.close()
            self._store_id, self._seq = store_id, 0
            self._cursor = Cursor(self._folder, store_id, self._words)
            self._seq = self._cursor.saved or 0
            self._cursor.begin(self._seq)
        self._seq = min(self._seq, reader.newest_seq())
        return True
