"""Carrying log files into a store: what ``import`` and opening a log directly have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from audit_tui.cli.named import STDIN
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
from audit_tui.formats.files import LogFile, find_logs, open_log
from audit_tui.formats.reading import Mapped, NotALog, Reading
from audit_tui.formats.record import Reject
from audit_tui.formats.registry import format_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager, ExitStack
    from pathlib import Path

    from audit_tui.core.event import AuditEvent
    from audit_tui.store.writer import StoreWriter

BATCH_EVENTS = 5_000
BATCH_CHARS = 16 * 1024 * 1024
"""A batch ends here too: 5,000 records may each be huge."""
SHOWN_REJECTS = 20
EXPLAINED_EVENTS = 3


def title_of(names: Sequence[str]) -> str:
    """What is imported, in a sentence: the first three names, and how many more."""
    title = ", ".join("standard input" if name == STDIN else name for name in names[:3])
    return f"{title} and {len(names) - 3:,} more" if len(names) > 3 else title


def unknown_format() -> tuple[str, ...]:
    """What to do about a file whose format is not recognised, line by line."""
    return (
        f"Formats are {', '.join(format_names())}; --format of audit-tui import names one.",
        "Of any other JSON or CSV, name the fields: audit-tui import FILE --map time=FIELD --map event=FIELD",
    )


class Sink(Protocol):
    """Where events go: a store, or nowhere in a dry run."""

    def append(self, events: Sequence[AuditEvent]) -> tuple[int, int]:
        """Take events; how many were stored, and how many were there already."""
        ...


@dataclass
class Tally:
    """What became of everything that was read: stored, duplicate and rejected add up to it."""

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    files: int = 0
    is_dry: bool = False
    was_interrupted: bool = False
    rejects: list[Reject] = field(default_factory=list)
    """The first ones."""
    problems: list[AuditTuiError] = field(default_factory=list)
    """Files that could not be read, or not to their end."""
    skipped: list[NotALog] = field(default_factory=list)
    """Files of a folder that are no logs."""

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
                {"file": one.file, "line": one.line, "record": one.number, "reason": one.reason}
                for one in self.rejects
            ],
            "problems": [problem.message for problem in (*self.problems, *self.skipped)],
        }


class Importer:
    """Carries the events of log files into a sink, batch by batch, and counts.

    Args:
        sink: Takes the events.
        reading: How files are read.
        keep_reject: Is given each reject.
        explain: Is given the first few events of a dry run.
    """

    def __init__(
        self,
        sink: Sink,
        reading: Reading,
        keep_reject: Callable[[Reject], None],
        explain: Callable[[Mapped], None] | None = None,
    ) -> None:
        self.tally = Tally(is_dry=explain is not None)
        self._sink = sink
        self._reading = reading
        self._keep_reject = keep_reject
        self._explain = explain
        self._explained = 0
        self._batch: list[AuditEvent] = []
        self._batch_chars = 0

    def take(self, log: LogFile, on_progress: Callable[[int], None]) -> None:
        """Import one file; what is wrong with it is counted, not raised.

        Raises:
            StoreError: If the store cannot take the events.
        """
        try:
            with open_log(log) as text:
                self.tally.files += 1
                for number, found in enumerate(self._reading.events(text), 1):
                    if isinstance(found, Reject):
                        self._reject(found)
                    else:
                        self._add(found)
                    if number % BATCH_EVENTS == 0:
                        on_progress(text.position_bytes)
        except NotALog as error:
            (self.tally.problems if log.is_named else self.tally.skipped).append(error)
        except (FileError, UsageError) as error:
            self.tally.problems.append(error)

    @property
    def taken(self) -> int:
        """How many records were read so far, stored or not yet."""
        return self.tally.read + len(self._batch)

    def flush(self) -> None:
        """Hand over what waits; it is counted once the sink has it."""
        if not self._batch:
            return
        batch, self._batch, self._batch_chars = self._batch, [], 0
        stored, duplicates = self._sink.append(batch)
        self.tally.read += len(batch)
        self.tally.stored += stored
        self.tally.duplicates += duplicates

    def _add(self, found: Mapped) -> None:
        if self._explain is not None and self._explained < EXPLAINED_EVENTS:
            self._explained += 1
            self._explain(found)
        self._batch.append(found.event)
        self._batch_chars += len(found.record.text)
        if len(self._batch) >= BATCH_EVENTS or self._batch_chars >= BATCH_CHARS:
            self.flush()

    def _reject(self, reject: Reject) -> None:
        self.tally.read += 1
        self.tally.rejected += 1
        if len(self.tally.rejects) < SHOWN_REJECTS:
            self.tally.rejects.append(reject)
        self._keep_reject(reject)


class Nowhere:
    """The sink of a dry run; it looks for no duplicates, which would take the store or endless memory."""

    def append(self, events: Sequence[AuditEvent]) -> tuple[int, int]:
        """Count them."""
        return len(events), 0


class InStore:
    """The store as a sink; made, or opened, when the first events come."""

    def __init__(self, store: Path, stack: ExitStack) -> None:
        self._store = store
        self._stack = stack
        self._writer: StoreWriter | None = None

    def append(self, events: Sequence[AuditEvent]) -> tuple[int, int]:
        """Store them."""
        if self._writer is None:
            from audit_tui.store.writer import StoreWriter

            self._store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._writer = self._stack.enter_context(StoreWriter(self._store, durable=False, bulk=True))
        result = self._writer.append(events)
        return result.stored, result.duplicates


class NoProgress:
    """Shows nothing of how far an import is."""

    def file(self, log: LogFile) -> None:
        """A file is begun."""

    def at(self, position_bytes: int) -> None:
        """So much of the file is read."""


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
    found = list(find_logs(paths, never_open))
    logs = [log for log in found if isinstance(log, LogFile)]
    importer.tally.problems.extend(problem for problem in found if isinstance(problem, FileError))
    with progress(logs) as shown:
        for log in logs:
            shown.file(log)
            importer.take(log, shown.at)
        importer.flush()
