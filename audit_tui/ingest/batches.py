"""Log files as batches of events that are ready to be stored."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol

from audit_tui.core.event import json_text
from audit_tui.errors import FileError, UsageError
from audit_tui.formats.decoding import usual_text
from audit_tui.formats.record import Reject
from audit_tui.formats.registry import has_plugins
from audit_tui.formats.times import NAIVE
from audit_tui.ingest.follow import POLL_S
from audit_tui.ingest.halves import LIVE_WAIT_S, Acts, Half
from audit_tui.ingest.open import (
    IsDatabase,
    IsEventLog,
    NotALog,
    NotInArchive,
    Opening,
    UnpacksTooFar,
    open_logs,
)
from audit_tui.store.tables.rows import Draft, draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audit_tui.ingest.events import Mapped, Reading
    from audit_tui.ingest.find import LogFile
    from audit_tui.ingest.open import OpenLog

BATCH_EVENTS = 1_000
BATCH_CHARS = 2 * 1024 * 1024
"""A batch ends here too: a thousand records may each be huge."""
LIVE_BATCH_S = 0.5
"""Records of a source that stays open wait no longer than this."""


class Batch(NamedTuple):
    """Some events and rejects of one log, in its order."""

    drafts: list[Draft]
    rejects: list[Reject]
    chars: int
    """Length of the text of the records."""
    position_bytes: int
    """Bytes of the file that were read for them and for what came before."""


class Receiver(Protocol):
    """Takes what was read of one log after another."""

    def opened(self) -> None:
        """The log can be read."""
        ...

    def take(self, batch: Batch) -> None:
        """The next events of the log."""
        ...

    def hand_over(self) -> None:
        """Nothing more comes for a while: what was taken should be stored now."""
        ...

    def failed(self, error: FileError | UsageError) -> None:
        """The log cannot be read, or not on; what was taken of it holds."""
        ...

    def noted(self, notes: list[str], naive_times: int) -> None:
        """Some of the log was read otherwise than it stands: sentences, and times taken as UTC."""
        ...


class LogReader:
    """Reads logs and gives their events to a receiver.

    Args:
        reading: How files are read.
        receiver: Takes the events.
        explain: Is shown each event as it was mapped; None when nobody looks.
        acts: Joins acts whose halves stand in two logs; None joins within the logs of this reader.
        is_unlimited: Unpack whatever a file may unpack to.
    """

    def __init__(
        self,
        reading: Reading,
        receiver: Receiver,
        explain: Callable[[Mapped], None] | None = None,
        acts: Acts | None = None,
        *,
        is_unlimited: bool = False,
    ) -> None:
        self._reading = reading
        self._receiver = receiver
        self._explain = explain
        self._acts = Acts() if acts is None else acts
        self._opening = Opening(self.hand_over, is_unlimited, encoding=reading.encoding)
        self._drafts: list[Draft] = []
        self._rejects: list[Reject] = []
        self._chars = 0
        self._due_s = 0.0
        self._text: OpenLog | None = None
        # Rows of tables and formats of other packages may hold anything; fields of --map are read ahead.
        is_usual = reading.table is None and not reading.field_map and not has_plugins()
        self._text_of = usual_text if is_usual else json_text

    def read(self, log: LogFile) -> None:
        """Read a log to its end; what is wrong with it is told to the receiver, not raised."""
        try:
            if self._reading.table is None:
                self._read(log, self._opening)
            else:
                self._read_table(log, self._reading.table)
        except IsDatabase as error:
            self._receiver.failed(_with_tables(log, error))
        except IsEventLog:
            self._read_event_log(log)
        except (FileError, UsageError) as error:
            self.flush()
            self._receiver.failed(error)

    def follow(self, log: LogFile) -> NoReturn:
        """Read a log, and on when it grows or another takes its place, until something is raised.

        Raises:
            FileError: If it cannot be read; not while it is away between two files of its name.
            UsageError: If a format or a field is named that is not there.
        """
        opening = replace(self._opening, follows=True)
        refused: tuple[int, int] | None = None
        while True:
            before = _state_of(log)
            try:
                self._read(log, opening)
            except NotALog as error:
                # Another file may take its place; of each it is said once, not 2,000 times a second.
                if before is None or before[:2] != refused:
                    self._receiver.failed(error)
                refused = None if before is None else before[:2]
            while _state_of(log) in (None, before):
                time.sleep(POLL_S)
                self.hand_over()

    def hand_over(self) -> None:
        """Give away what waits, to be stored now; acts that may still end wait on for a while."""
        self._give(self._acts.overdue(LIVE_WAIT_S))
        self.flush()
        self._receiver.hand_over()

    def finish(self) -> None:
        """Give away all that waits: nothing more comes."""
        self._give(self._acts.overdue())
        self.flush()
        self._receiver.hand_over()

    def flush(self) -> None:
        """Give away what waits."""
        if self._drafts or self._rejects:
            position_bytes = 0 if self._text is None else self._text.position_bytes
            self._receiver.take(Batch(self._drafts, self._rejects, self._chars, position_bytes))
            self._drafts, self._rejects, self._chars = [], [], 0

    def _read(self, log: LogFile, opening: Opening) -> None:
        with open_logs(log, opening) as texts:
            for text in texts:
                if isinstance(text, FileError):
                    self._receiver.failed(text)
                else:
                    self._read_text(text)

    def _read_text(self, text: OpenLog) -> None:
        """Read a log, or a file of an archive, whose faults do not hide the files after it."""
        self._text = text
        NAIVE.count = 0
        try:
            events = self._reading.events(text)
            self._receiver.opened()
            self._take(text.name, events, is_live=text.is_live)
        except FileError as error:
            if not text.is_member or isinstance(error, UnpacksTooFar):
                raise
            self.flush()
            refused = NotInArchive(error.message, error.hint) if isinstance(error, NotALog) else error
            self._receiver.failed(refused)
        finally:
            self._note(text)

    def _note(self, text: OpenLog) -> None:
        """Tell how a log was read that was not read as it stands."""
        naive_times = 0 if self._reading.zone is not None else NAIVE.count
        if text.notes or naive_times:
            self._receiver.noted([f"{text.name} {note}." for note in text.notes], naive_times)

    def _read_table(self, log: LogFile, table: str) -> None:
        from audit_tui.ingest.table_rows import row_records
        from audit_tui.store.file.foreign import open_table

        if log.path is None:
            raise UsageError("--table is for databases, which cannot come through a pipe.")
        with open_table(log.path, table) as rows:
            self._receiver.opened()
            records = row_records(log.name, rows.rows())
            self._take(log.name, self._reading.events_of_rows(log.name, records), is_live=False)

    def _read_event_log(self, log: LogFile) -> None:
        from audit_tui.ingest.event_log import event_log_records

        try:
            if log.path is None:
                return
            self._text_of = json_text
            records = event_log_records(log.name, log.path)
            self._receiver.opened()
            self._take(log.name, self._reading.events_of_objects(log.name, records), is_live=False)
        except (FileError, UsageError) as error:
            self._receiver.failed(error)

    def _take(self, name: str, events: Iterable[Mapped | Reject], *, is_live: bool) -> None:
        for result in events:
            if isinstance(result, Reject):
                self._reject(result)
            elif result.format.halves is None:
                self._add(name, result, text_of=self._text_of)
            else:
                self._give(self._acts.of(name, result, result.format.halves))
            if len(self._drafts) + len(self._rejects) >= BATCH_EVENTS or self._chars >= BATCH_CHARS:
                self.flush()
            if is_live:
                self._keep_pace()
        self.flush()

    def _keep_pace(self) -> None:
        """Events that trickle in make no pause, and must not wait for a whole batch."""
        if len(self._drafts) + len(self._rejects) == 1:
            # The first of all at once: somebody may wait for it with an empty screen.
            self._due_s = time.monotonic() + (LIVE_BATCH_S if self._due_s else 0)
        if time.monotonic() >= self._due_s:
            self.hand_over()

    def _give(self, halves: Iterable[Half]) -> None:
        for half in halves:
            self._add(*half)

    def _add(
        self,
        name: str,
        mapped: Mapped,
        unless: str | None = None,
        text_of: Callable[[object], str] = json_text,
    ) -> None:
        if self._explain is not None:
            self._explain(mapped)
        record = mapped.record
        try:
            self._drafts.append(draft(mapped.event, unless, text_of))
        except ValueError as error:
            self._reject(Reject(name, record.line, record.number, str(error), record.text))
        else:
            self._chars += len(record.text)

    def _reject(self, reject: Reject) -> None:
        self._rejects.append(reject)
        self._chars += len(reject.text)


def _state_of(log: LogFile) -> tuple[int, int, int] | None:
    """Return which file a log is now, and how long; None while it is away between two files of its name."""
    try:
        now = Path(log.name if log.path is None else log.path).stat()
    except OSError:
        return None
    return now.st_dev, now.st_ino, now.st_size


def _with_tables(log: LogFile, error: IsDatabase) -> FileError:
    """The same error, with the names of the tables that could be read."""
    from audit_tui.store.file.foreign import tables_of

    if log.path is None:
        return error
    try:
        tables = tables_of(log.path)
    except FileError as other:
        return other
    return IsDatabase(error.message, f"Name one of its tables: --table TABLE. {tables}")
