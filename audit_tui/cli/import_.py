"""``audit-tui import``: log files into a store."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from audit_tui.cli.options import store_option
from audit_tui.core.text import clean_visible, counted
from audit_tui.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_UNREADABLE,
    EXIT_USAGE,
    EXIT_WRONG,
    AuditTuiError,
    FileError,
    StoreError,
    UsageError,
)
from audit_tui.formats.explaining import explain
from audit_tui.formats.files import LogFile, file_identity, find_logs, open_log
from audit_tui.formats.generic import COLUMNS, FieldMap
from audit_tui.formats.reading import Mapped, NotALog, Reading
from audit_tui.formats.record import Reject
from audit_tui.formats.registry import format_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from audit_tui.core.event import AuditEvent
    from audit_tui.store.writer import StoreWriter

BATCH_EVENTS = 5_000
BATCH_CHARS = 16 * 1024 * 1024
"""A batch ends here too: 5,000 records may each be huge."""
SHOWN_REJECTS = 20
EXPLAINED_EVENTS = 3
_STORE_SUFFIXES = ("", "-wal", "-shm", "-journal", ".lock")


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


class _Nowhere:
    """The sink of a dry run; it looks for no duplicates, which would take the store or endless memory."""

    def append(self, events: Sequence[AuditEvent]) -> tuple[int, int]:
        return len(events), 0


class _InStore:
    """The store as a sink; made, or opened, when the first events come."""

    def __init__(self, store: Path, stack: ExitStack) -> None:
        self._store = store
        self._stack = stack
        self._writer: StoreWriter | None = None

    def append(self, events: Sequence[AuditEvent]) -> tuple[int, int]:
        if self._writer is None:
            from audit_tui.store.writer import StoreWriter

            self._store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._writer = self._stack.enter_context(StoreWriter(self._store, durable=False, bulk=True))
        result = self._writer.append(events)
        return result.stored, result.duplicates


def parse_map(options: Sequence[str]) -> FieldMap:
    """Read ``--map COLUMN=FIELD`` options.

    Raises:
        UsageError: If one has no ``=``, or names an unknown column.
    """
    fields = {}
    for option in options:
        column, equals, name = option.partition("=")
        column = {"date": "time"}.get(column.strip().lower(), column.strip().lower())
        if not equals or not name.strip():
            raise UsageError(f"--map {option!r} has no =.", 'Write it as --map "user=Account Name".')
        if column not in COLUMNS:
            raise UsageError(
                f"--map names an unknown column {column!r}.", f"Columns are {', '.join(COLUMNS)}."
            )
        fields[column] = name.strip()
    return FieldMap(fields)


@contextmanager
def _rejects_file(path: Path | None, store: Path) -> Iterator[Callable[[Reject], None]]:
    """Keep rejects as JSON lines at the end of a file, which only its owner may read."""
    if path is None:
        yield lambda _: None
        return
    if path.resolve() == store.resolve() or file_identity(path) in _store_files(store):
        raise UsageError(f"{path} is the store itself.", "Name another file for --rejects.")
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:

        def keep(reject: Reject) -> None:
            # ASCII, so that bytes which are no text are kept as escapes.
            line = {"file": reject.file, "line": reject.line, "record": reject.number}
            stream.write(json.dumps({**line, "reason": reject.reason, "text": reject.text}) + "\n")

        yield keep


def _explain(found: Mapped, to_stderr: bool) -> None:
    """Show how a record became an event."""
    lines = [f"{found.format.title}, line {found.record.line}:"]
    for column, value, origin in explain(found.event, found.record.fields):
        said = f"{column:<12} {value}" + (f"  (from {origin})" if origin else "")
        lines.append(f"  {clean_visible(said)}")
    click.echo("\n".join(lines) + "\n", err=to_stderr)


class _NoProgress:
    def file(self, log: LogFile) -> None:
        """A file is begun."""

    def at(self, position_bytes: int) -> None:
        """So much of the file is read."""


@contextmanager
def _progress(logs: Sequence[LogFile]) -> Iterator[_NoProgress]:
    """A progress line when someone is looking at stderr; drawn at most twice a second."""
    if not sys.stderr.isatty():
        yield _NoProgress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    total_bytes = sum(log.size_bytes for log in logs) or None

    class Shown(_NoProgress):
        """Progress by bytes of all files."""

        def __init__(self) -> None:
            self._before = 0
            self._log: LogFile | None = None

        def file(self, log: LogFile) -> None:
            if self._log is not None:
                self._before += self._log.size_bytes
            self._log = log
            progress.update(task, description=clean_visible(log.name[-40:]), completed=self._before)

        def at(self, position_bytes: int) -> None:
            progress.update(task, completed=self._before + position_bytes)

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True, markup=False, highlight=False),
        refresh_per_second=2,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=total_bytes)
        yield Shown()


def _store_files(store: Path) -> set[tuple[int, int]]:
    """What a store consists of, as far as it is there."""
    beside = (file_identity(store.with_name(store.name + suffix)) for suffix in _STORE_SUFFIXES)
    return {identity for identity in beside if identity is not None}


def _import(importer: Importer, paths: Sequence[str], never_open: Collection[tuple[int, int]]) -> None:
    """Import all paths; when interrupted, end with what was committed until then."""
    tally = importer.tally
    found = list(find_logs(paths, never_open))
    logs = [log for log in found if isinstance(log, LogFile)]
    tally.problems.extend(problem for problem in found if isinstance(problem, FileError))
    try:
        with _progress(logs) as progress:
            for log in logs:
                progress.file(log)
                importer.take(log, progress.at)
            importer.flush()
    except KeyboardInterrupt:
        tally.was_interrupted = True


def _tell(tally: Tally, store: Path) -> None:
    """The summary, on stderr."""
    say = [
        f"{counted(tally.read, 'record')} read from {counted(tally.files, 'file')}: "
        f"{tally.stored:,} {'would be stored' if tally.is_dry else 'stored'}, "
        f"{tally.duplicates:,} duplicate, {tally.rejected:,} rejected."
    ]
    if tally.is_dry:
        say.append("Nothing was stored, and duplicates were not looked for.")
    if tally.was_interrupted:
        say.insert(0, "Interrupted: what was stored stays. Run the same command again to complete it.")
    elif tally.stored and not tally.is_dry:
        say.append(f"The store is {store}.")
    say.extend(f"{reject.place}: {reject.reason}" for reject in tally.rejects)
    if tally.rejected > len(tally.rejects):
        say.append(
            f"... and {tally.rejected - len(tally.rejects):,} more rejected (--rejects FILE keeps them all)."
        )
    for problem in (*tally.problems, *tally.skipped):
        say.append(problem.message)
        if problem.hint:
            say.append(f"  {problem.hint}")
    for line in say:
        click.echo(clean_visible(line), err=True)


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@store_option
@click.option(
    "--format",
    "format_name",
    metavar="FORMAT",
    type=click.Choice(format_names()),
    help=f"What the files are: {', '.join(format_names())}. Else their records tell.",
)
@click.option(
    "--map",
    "mapping",
    metavar="COLUMN=FIELD",
    multiple=True,
    help="Fill a column from a field, as a.b inside objects; may be repeated. "
    f"Columns are {', '.join(COLUMNS)}.",
)
@click.option("--dry-run", is_flag=True, help="Store nothing; show how the first events are understood.")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add rejected records to FILE, as JSON lines.",
)
@click.option("--keep-original", is_flag=True, help="Keep each record as it was, beside its event.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@click.pass_context
def import_command(
    context: click.Context,
    paths: tuple[str, ...],
    store: Path,
    format_name: str | None,
    mapping: tuple[str, ...],
    dry_run: bool,
    rejects: Path | None,
    keep_original: bool,
    as_json: bool,
) -> None:
    """Import log files, folders, or - (standard input) into a store.

    Compressed files are read as they are. Importing the same again stores nothing new. A record that cannot
    be understood is named with its place, and the rest is stored.
    """
    reading = Reading(format_name, parse_map(mapping), keep_original)
    with _rejects_file(rejects, store) as keep, ExitStack() as stack:
        never_open = _store_files(store)
        # The file of rejects may lie in the folder that is imported; it would be read as it grows.
        if rejects is not None and (identity := file_identity(rejects)) is not None:
            never_open.add(identity)
        sink = _Nowhere() if dry_run else _InStore(store, stack)
        importer = Importer(sink, reading, keep, partial(_explain, to_stderr=as_json) if dry_run else None)
        try:
            # Closed inside, so that an interrupted import too leaves a store with its indexes.
            with stack:
                _import(importer, paths, never_open)
        except StoreError as error:
            importer.tally.problems.append(error)
    tally = importer.tally
    if as_json:
        click.echo(json.dumps(tally.to_json()))
    _tell(tally, store)
    context.exit(tally.exit_code)
