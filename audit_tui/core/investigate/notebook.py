"""Marks and notes that a user makes on events, and past views: in a file of the user's, never in the store.

They are held by the key of the event, which stays the same wherever the event is copied to. The file is never
trusted: what cannot be read in it is left out, and a file that cannot be read at all is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.filter.filters import EVERYTHING
from audit_tui.core.left import Left
from audit_tui.core.new_file import private_file, read_small
from audit_tui.core.record import Record
from audit_tui.core.text import counted
from audit_tui.errors import FileError, UsageError

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.time.dates import TimeContext
    from audit_tui.core.view import View


VERSION = 1
MAX_NOTE_CHARS = 10_000
MAX_ENTRIES = 10_000
"""Nobody marks more by hand, and the file is written whole at each mark."""
MAX_FILE_BYTES = 64_000_000
MAX_VIEWS = 50
"""The views shown longest ago are forgotten."""
_MAX_INT = 2**63 - 1


class Entry(Record):
    """An event that was marked, or has a note."""

    key: str
    """Of the event."""
    seq: int
    """Its number in the store."""
    occurred_us: int
    is_marked: bool = False
    note: str = ""
    """Any text; empty for none."""


class Notebook:
    """The marks and notes on one store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        """A sentence on what is wrong with the file; empty when nothing is."""
        self._views: list[View] = []
        self._by_key = self._read()

    @property
    def views(self) -> tuple[View, ...]:
        """The views of this store that narrowed, the last shown first."""
        return tuple(self._views)

    def remember(self, views: Iterable[View]) -> None:
        """Write down views that were shown, the last one first; they stand before the older ones.

        Raises:
            FileError: If it cannot be written down.
        """
        shown = [view for view in views if view.in_force != EVERYTHING]

        def change() -> Iterable[Entry]:
            self._views = list(dict.fromkeys((*shown, *self._views)))[:MAX_VIEWS]
            return ()

        if shown and shown != self._views[: len(shown)]:
            self._write(change)

    @classmethod
    def of_store(cls, folder: Path, store_id: str) -> Notebook | None:
        """Return the notebook of a store; None where its id, which comes from a file, cannot be a name."""
        if not (store_id.isascii() and store_id.isalnum() and len(store_id) <= 64):
            return None
        return cls(folder / "notebooks" / f"{store_id}.json")

    def __iter__(self) -> Iterator[Entry]:
        """The entries, in the order of time."""
        return iter(sorted(self._by_key.values(), key=lambda entry: (entry.occurred_us, entry.seq)))

    def __len__(self) -> int:
        return len(self._by_key)

    @property
    def marked(self) -> list[Entry]:
        """The entries that are marked, in the order of time."""
        return [entry for entry in self if entry.is_marked]

    def entry(self, event: AuditEvent) -> Entry:
        """Return what is written of an event; an empty entry when nothing is.

        Raises:
            UsageError: If the event is in no store.
        """
        if event.key is None or event.seq is None:
            raise UsageError("Only an event of a store can be marked.")
        return self._by_key.get(event.key) or Entry(event.key, event.seq, event.occurred_us)

    def mark(self, events: Iterable[AuditEvent]) -> int:
        """Mark events; where all of them are, unmark them.

        Returns:
            How many were marked, negative when they were unmarked.

        Raises:
            FileError: If it cannot be written down; nothing is marked then.
            UsageError: If there are too many.
        """
        entries = [self.entry(event) for event in events]
        is_marking = not all(entry.is_marked for entry in entries)
        self._write(lambda: (replace(self._latest(entry), is_marked=is_marking) for entry in entries))
        return len(entries) if is_marking else -len(entries)

    def write_note(self, event: AuditEvent, note: str) -> None:
        """Put a note on an event, in the place of the one that it has; an empty one takes it away.

        Raises:
            FileError: If it cannot be written down; the older note stays then.
            UsageError: If it is too long.
        """
        note = note.strip()
        if len(note) > MAX_NOTE_CHARS:
            raise UsageError(
                f"The note has {counted(len(note), 'character')}.",
                f"Shorten it to {MAX_NOTE_CHARS:,}.",
            )
        entry = self.entry(event)
        self._write(lambda: [replace(self._latest(entry), note=note)])

    def _latest(self, entry: Entry) -> Entry:
        return self._by_key.get(entry.key, entry)

    def _write(self, change: Callable[[], Iterable[Entry]]) -> None:
        before = self._by_key
        # Read again: another screen may have written meanwhile.
        self._by_key = self._read()
        try:
            if self.problem:
                raise FileError(self.problem, "Move the file away: it is not written over.")
            for entry in change():
                if entry.is_marked or entry.note:
                    self._by_key[entry.key] = entry
                else:
                    self._by_key.pop(entry.key, None)
            if len(self._by_key) > MAX_ENTRIES:
                raise UsageError(
                    f"No more than {MAX_ENTRIES:,} events can be marked.", "A filter finds them again."
                )
            self._save()
        except BaseException:
            self._by_key = before
            raise

    def _save(self) -> None:
        events = {
            entry.key: {
                "seq": entry.seq,
                "time_us": entry.occurred_us,
                "mark": entry.is_marked,
                "note": entry.note,
            }
            for entry in self
        }
        with private_file(self.path) as stream:
            views = [Left(view).to_plain() for view in self._views]
            json.dump({"version": VERSION, "events": events, "views": views}, stream, indent=1)

    def _read(self) -> dict[str, Entry]:
        try:
            plain = json.loads(read_small(self.path, MAX_FILE_BYTES) or '{"version": 1, "events": {}}')
        # RecursionError: brackets in brackets in brackets.
        except (OSError, ValueError, RecursionError):
            plain = None
        match plain:
            case {"version": 1, "events": dict(events), **rest}:
                self.problem = ""
                self._views = list(_views(rest.get("views")))
                entries = (_entry(key, fields) for key, fields in events.items())
                return {entry.key: entry for entry in entries if entry is not None}
        self.problem = f"The marks and notes cannot be read: {self.path}."
        return {}


def _views(plain: object) -> Iterator[View]:
    for each in plain if isinstance(plain, list) else ():
        # What makes no sense is left out, as of events.
        with suppress(ValueError):
            yield Left.from_plain(each).view


def _entry(key: str, fields: object) -> Entry | None:
    match fields:
        case {"seq": int(seq), "time_us": int(time_us), "mark": bool(mark), "note": str(note)}:
            if 0 < seq <= _MAX_INT and abs(time_us) <= _MAX_INT and len(note) <= MAX_NOTE_CHARS:
                return Entry(key, seq, time_us, mark, note)
    return None


class Search(Record):
    """A way to find events again."""

    name: str
    """Its name: "This view"."""
    line: str
    """A query line."""
    link: str = ""
    """A link that opens the view; empty for none."""


class CaseJob(Record):
    """One case file to write."""

    path: Path
    title: str
    context: TimeContext
    """The zone of its times, and the moment."""
    marks: tuple[tuple[int, str], ...]
    """The numbers of the marked events in the order of time, each with its note."""
    searches: tuple[Search, ...] = ()
    verdict: str = ""
    """The words of the seals; empty leaves them to a quick check."""
