"""Carrying log files into a store: what ``import`` and opening a log directly have in common."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from audit_tui.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_UNREADABLE,
    EXIT_USAGE,
    EXIT_WRONG,
    AuditTuiError,
    FileError,
    UsageError,
)
from audit_tui.formats.registry import format_names
from audit_tui.ingest.batches import LogReader
from audit_tui.ingest.find import STDIN, LogFile, find_logs
from audit_tui.ingest.halves import Acts
from audit_tui.ingest.open import IsDatabase, NotALog, NotInArchive

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager, ExitStack

    from audit_tui.formats.record import Reject
    from audit_tui.ingest.batches import Batch, Receiver
    from audit_tui.ingest.events import Mapped, Reading
    from audit_tui.store.tables.rows import Draft
    from audit_tui.store.write.writer import StoreWriter

BATCH_EVENTS = 5_000
BATCH_CHARS = 16 * 1024 * 1024
"""A batch ends here too: 5,000 records may each be huge."""
PROCESS_BYTES = 4 * 1024 * 1024
"""From so much on logs are read in a process of their own."""
_PACKED = 8
"""A compressed file is worth about this many times its size."""
_PACKED_ENDINGS = (".gz", ".bz2", ".xz", ".zst")
SHOWN_REJECTS = 20
EXPLAINED_EVENTS = 3


def title_of(names: Sequence[str]) -> str:
    """Return what is imported, in a sentence: the first three names, and how many more."""
    title = ", ".join("standard input" if name == STDIN else name for name in names[:3])
    return f"{title} and {len(names) - 3:,} more" if len(names) > 3 else title


def unknown_format() -> tuple[str, ...]:
    """Return what to do about a file whose format is not recognised, line by line."""
    return (
        f"Formats are {', '.join(format_names())}; --format of audit-tui import names one.",
        "Of any other JSON or CSV, name the fields: audit-tui import FILE --map time=FIELD --map event=FIELD",
    )


class Sink(Protocol):
    """The place where events go: a store, or nowhere in a dry run."""

    def append(self, drafts: Sequence[Draft]) -> tuple[int, int]:
        """Take events; how many were stored, and how many were there already."""
        ...


@dataclass
class Tally:
    """Counts of what became of everything that was read: stored, duplicate and rejected add up to it."""

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    files: int = 0
    is_dry: bool = False
    was_interrupted: bool = False
    was_following: bool = False
    rejects: list[Reject] = field(default_factory=list)
    """The first ones."""
    problems: list[AuditTuiError] = field(default_factory=list)
    """Files that could not be read, or not to their end."""
    skipped: list[FileError] = field(default_factory=list)
    """Files of a folder that are not logs."""

    file_notes: list[str] = field(default_factory=list)
    """Sentences on files that were read otherwise than they stand."""
    naive_times: int = 0
    """Times without a zone that were taken as UTC."""

    def note(self, notes: list[str], naive_times: int) -> None:
        """Keep what was said of a file."""
        self.file_notes.extend(notes[: max(0, SHOWN_REJECTS - len(self.file_notes))])
        self.naive_times += naive_times

    @property
    def notes(self) -> list[str]:
        """Remarks on how files were read, sentence by sentence; hostile until cleaned."""
        if not self.naive_times:
            return self.file_notes
        times = "1 time" if self.naive_times == 1 else f"{self.naive_times:,} times"
        verb = "names" if self.naive_times == 1 else "name"
        read = f"{times} that {verb} no zone {'was' if self.naive_times == 1 else 'were'} read as UTC"
        return [*self.file_notes, f"{read} (--tz ZONE reads them in another)."]

    @property
    def exit_code(self) -> int:
        """The worst that happened."""
        if self.was_interrupted:
            return EXIT_INTERRUPTED
        if any(isinstance(problem, UsageError) for problem in self.problems):
            return EXIT_USAGE
        if self.problems:
            return EXIT_UNREADABLE
        return EXIT_WRONG if self.rejected or self.skipped else EXIT_OK

    def to_json(self) -> dict[str, object]:
        """The summary as one JSON object."""
        return {
            "read": self.read,
            "stored": self.stored,
            "duplicate": self.duplicates,
            "rejected": self.rejected,
            "files": self.files,
            "dry_run": self.is_dry,
            "interrupted": self.was_interrupted,
            "rejects": [
                {"file": reject.file, "line": reject.line, "record": reject.number, "reason": reject.reason}
                for reject in self.rejects
            ],
            "notes": self.notes,
            "problems": [problem.message for problem in (*self.problems, *self.skipped)],
        }


class Importer:
    """Carries the events of log files into a sink, batch by batch, and counts.

    Args:
        sink: Takes the events.
        reading: How files are read.
        keep_reject: Is given each reject.
        explain: Is given the first few events of a dry run.
        is_unlimited: Unpack whatever a file may unpack to.
    """

    def __init__(
        self,
        sink: Sink,
        reading: Reading,
        keep_reject: Callable[[Reject], None],
        explain: Callable[[Mapped], None] | None = None,
        *,
        is_unlimited: bool = False,
    ) -> None:
        self.tally = Tally(is_dry=explain is not None)
        self._sink = sink
        self._reading = reading
        self._keep_reject = keep_reject
        self._explain = explain
        self._is_unlimited = is_unlimited
        self._acts = Acts()
        self._explained = 0
        self._waiting: list[Draft] = []
        self._waiting_chars = 0

    def take(self, log: LogFile, on_progress: Callable[[int], None]) -> None:
        """Import one file in this process; what is wrong with it is counted, not raised.

        Raises:
            StoreError: If the store cannot take the events.
        """
        self._reader(_OfOneLog(self, log, on_progress)).read(log)

    def take_all(self, logs: Sequence[LogFile], progress: NoProgress) -> None:
        """Import files, in a process of their own where that is worth it.

        Raises:
            StoreError: If the store cannot take the events.
        """
        if self._explain is not None or self._reading.table is not None or not is_worth_a_process(logs):
            for log in logs:
                progress.file(log)
                self.take(log, progress.at)
            return
        from audit_tui.ingest.process import Job, ReaderProcess

        receiver = _OfOneLog(self, logs[0], progress.at)

        def begin(log: LogFile) -> None:
            progress.file(log)
            receiver.log = log

        with ReaderProcess(Job(self._reading, logs, self._is_unlimited)) as process:
            try:
                process.read(receiver, begin)
            except FileError as error:
                self.tally.problems.append(error)

    def follow(self, log: LogFile, told: Callable[[Tally], None]) -> None:
        """Import a file, and what is added to it, until the run is ended; then store what has come.

        Args:
            log: The file.
            told: Is given the tally again and again, at least twice a second when nothing comes.

        Raises:
            KeyboardInterrupt: When the user ends it, as whatever else ends the run.
            StoreError: If the store cannot take the events.
        """
        self.tally.was_following = True
        told(self.tally)
        reader = self._reader(_OfFollowedLog(self, log, told))
        try:
            reader.follow(log)
        except (FileError, UsageError) as error:
            self.tally.problems.append(error)
        finally:
            reader.finish()

    def finish(self) -> None:
        """Hand over what waits, and the acts whose end no log told."""
        reader = self._reader(_OfOneLog(self, LogFile(STDIN, None, 0), lambda _: None))
        reader.finish()

    @property
    def taken(self) -> int:
        """The number of records read so far, stored or not yet."""
        return self.tally.read + len(self._waiting)

    def flush(self) -> None:
        """Hand over what waits; it is counted once the sink has it."""
        if not self._waiting:
            return
        stored, duplicates = self._sink.append(self._waiting)
        self.tally.read += len(self._waiting)
        self.tally.stored += stored
        self.tally.duplicates += duplicates
        self._waiting, self._waiting_chars = [], 0

    def add(self, batch: Batch) -> None:
        """Take a batch, and store what waits when it has become enough."""
        for reject in batch.rejects:
            self.tally.read += 1
            self.tally.rejected += 1
            if len(self.tally.rejects) < SHOWN_REJECTS:
                self.tally.rejects.append(reject)
            self._keep_reject(reject)
        if self._waiting and self._waiting_chars + batch.chars > BATCH_CHARS:
            self.flush()
        first = 0
        while len(self._waiting) + len(batch.drafts) - first >= BATCH_EVENTS:
            last = first + BATCH_EVENTS - len(self._waiting)
            self._waiting += batch.drafts[first:last]
            first = last
            self.flush()
        self._waiting += batch.drafts[first:]
        self._waiting_chars += batch.chars

    def _reader(self, receiver: Receiver) -> LogReader:
        explain = None if self._explain is None else self._explain_first
        return LogReader(self._reading, receiver, explain, self._acts, is_unlimited=self._is_unlimited)

    def _explain_first(self, mapped: Mapped) -> None:
        if self._explain is not None and self._explained < EXPLAINED_EVENTS:
            self._explained += 1
            self._explain(mapped)


class _OfOneLog:
    """Yield what is read of one log, on its way to the importer."""

    def __init__(self, importer: Importer, log: LogFile, on_progress: Callable[[int], None]) -> None:
        self.log = log
        self._importer = importer
        self._on_progress = on_progress

    def opened(self) -> None:
        self._importer.tally.files += 1

    def take(self, batch: Batch) -> None:
        self._importer.add(batch)
        self._on_progress(batch.position_bytes)

    def hand_over(self) -> None:
        self._importer.flush()

    def noted(self, notes: list[str], naive_times: int) -> None:
        self._importer.tally.note(notes, naive_times)

    def failed(self, error: FileError | UsageError) -> None:
        tally = self._importer.tally
        if isinstance(error, NotInArchive) or (
            isinstance(error, NotALog | IsDatabase) and not self.log.is_named
        ):
            tally.skipped.append(error)
        else:
            tally.problems.append(error)


class _OfFollowedLog(_OfOneLog):
    """Yield what is read of a log that goes on; somebody may be looking meanwhile."""

    def __init__(self, importer: Importer, log: LogFile, told: Callable[[Tally], None]) -> None:
        super().__init__(importer, log, lambda _: None)
        self._tally = importer.tally
        self._told = told

    def hand_over(self) -> None:
        super().hand_over()
        self._told(self._tally)


def is_worth_a_process(logs: Sequence[LogFile]) -> bool:
    """Tell whether reading logs takes so long that a process for it, started in 0.2 s, is quicker."""
    if any(log.path is None or not log.size_bytes for log in logs):
        return False  # what comes through a pipe comes here
    size_bytes = sum(log.size_bytes * (_PACKED if log.name.endswith(_PACKED_ENDINGS) else 1) for log in logs)
    return size_bytes >= PROCESS_BYTES and len(os.sched_getaffinity(0)) > 1


class Nowhere:
    """The sink of a dry run; it looks for no duplicates, which would take the store or endless memory."""

    def append(self, drafts: Sequence[Draft]) -> tuple[int, int]:
        """Count them."""
        return len(drafts), 0


class InStore:
    """The store as a sink; made, or opened, when the first events come."""

    def __init__(self, store: Path, stack: ExitStack, *, has_text_index: bool = True) -> None:
        self._store = store
        self._stack = stack
        self._has_text_index = has_text_index
        self._writer: StoreWriter | None = None

    def append(self, drafts: Sequence[Draft]) -> tuple[int, int]:
        """Store them."""
        if self._writer is None:
            from audit_tui.store.write.writer import StoreWriter

            writer = StoreWriter(self._store, durable=False, bulk=True, has_text_index=self._has_text_index)
            self._writer = self._stack.enter_context(writer)
        result = self._writer.append_drafts(drafts)
        return result.stored, result.duplicates


class NoProgress:
    """Shows nothing of how far an import is."""

    def file(self, log: LogFile) -> None:
        """A file is begun."""

    def at(self, position_bytes: int) -> None:
        """So much of the file is read."""


class Progress(NoProgress):
    """The progress of an import through all its files.

    Args:
        logs: The files to come.
    """

    def __init__(self, logs: Sequence[LogFile]) -> None:
        self.total_bytes = sum(log.size_bytes for log in logs)
        self.done_bytes = self._before_bytes = 0
        self.log: LogFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def file(self, log: LogFile) -> None:
        """A file is begun."""
        if self.log is not None:
            self._before_bytes += self.log.size_bytes
        self.log = log
        self.at(0)

    def at(self, position_bytes: int) -> None:
        """So much of the file is read."""
        self.done_bytes = self._before_bytes + position_bytes


def import_all(
    importer: Importer,
    paths: Sequence[str],
    never_open: Collection[tuple[int, int]],
    progress: Callable[[Sequence[LogFile]], AbstractContextManager[NoProgress]],
) -> None:
    """Import all paths; what is wrong with one of them is counted, not raised.

    Args:
        importer: Takes the files.
        paths: Files, folders, ``-`` for standard input.
        never_open: Identities of files that must not be opened.
        progress: Makes what is told of the files that were found.

    Raises:
        StoreError: If the store cannot take the events.
    """
    results = list(find_logs(paths, never_open))
    logs = [log for log in results if isinstance(log, LogFile)]
    importer.tally.problems.extend(problem for problem in results if isinstance(problem, FileError))
    with progress(logs) as shown:
        importer.take_all(logs, shown)
        importer.finish()


def follow_log(
    importer: Importer, path: str, never_open: Collection[tuple[int, int]], told: Callable[[Tally], None]
) -> None:
    """Import a file, or standard input, and what is added to it, until the run is ended.

    Args:
        importer: Takes the events.
        path: The file.
        never_open: Identities of files that must not be opened.
        told: Is given the tally again and again.

    Raises:
        KeyboardInterrupt: When the user ends it, as whatever else ends the run.
        StoreError: If the store cannot take the events.
    """
    if Path(path).is_dir():
        raise UsageError(f"{path} is a folder: --follow goes with one file.")
    for result in find_logs([path], never_open):
        if isinstance(result, FileError):
            importer.tally.problems.append(result)
        elif result.path is None or (not result.size_bytes and result.path.is_fifo()):
            importer.take(result, lambda _: None)  # a pipe is followed to its end
            importer.finish()
        else:
            importer.follow(result, told)
