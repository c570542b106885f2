"""Events that are taken out of a store: exports, and case files with their check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.cli.source import open_source
from audit_tui.core.event import number_text
from audit_tui.core.new_file import FileKind, database_files, new_file
from audit_tui.core.privacy.redact_mode import RedactingReader
from audit_tui.core.query import NEWEST_FIRST, EventQuery, Interval
from audit_tui.core.record import Record
from audit_tui.core.source import EventSource, SourceUrl, local_path
from audit_tui.core.text import clean_visible, counted
from audit_tui.errors import FileError, StoreError, UsageError
from audit_tui.output.case import (
    FORMS,
    HTML,
    MAX_EVENTS,
    MAX_FILE_BYTES,
    Case,
    Exhibit,
    Timeline,
    case_text,
    read_case,
    with_events,
)

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.export import Exporter, ExportJob, ExportResult
    from audit_tui.core.investigate.notebook import CaseJob
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.query import EventReader


def seal_words(store: EventSource) -> str:
    """Return the result of a quick check of the seals, in words; it takes under a second."""
    from audit_tui.store.evidence.verifying import Mode, Request, Result, verify

    if isinstance(store, SourceUrl):
        return "not checked; audit-tui verify does"
    try:
        report = verify(local_path(store), Request(Mode.QUICK))
    except StoreError:
        return "not sealed"
    if report.result is Result.FAILED:
        return "BROKEN; audit-tui verify says where"
    return (
        f"the seals of {counted(report.size, 'event')} fit each other, not anchored; the events were not"
        " compared with them (audit-tui verify does)"
    )


def exporter_of(store: EventSource, redact: RedactMode) -> Exporter:
    """Return what exports the events of a store, and never over the store."""
    from audit_tui.output.writers import FileExporter

    exporter = FileExporter(
        redact.readers(lambda: open_source(store)()), database_files(store) if isinstance(store, Path) else ()
    )

    def export(job: ExportJob, on_progress: Callable[[int], None], cancel: CancelToken) -> ExportResult:
        words = seal_words(store)
        job = replace(job, writing=replace(job.writing, seal_words=words))
        return replace(exporter(job, on_progress, cancel), seal_words=words)

    return export


BUCKETS = 120
_KIND = FileKind("a case", lambda head: b"audit-tui" in head or head.startswith((b"<!doctype html>", b"# ")))


def form_of(path: Path, form: str | None = None) -> str:
    """Return the form of a case file by its name; UsageError if the name does not say."""
    ending = (form or path.suffix.removeprefix(".")).lower()
    ending = {"htm": HTML, "markdown": "md"}.get(ending, ending)
    if ending not in FORMS:
        raise UsageError(f"The name {path} does not say in which format to write.", "End it in .html or .md.")
    return ending


def write_case(
    store: EventSource,
    open_reader: Callable[[], EventReader],
    redact: RedactMode,
    job: CaseJob,
    form: str | None = None,
) -> int:
    """Write a case file, whole or not at all.

    Without a form the name tells.

    Returns:
        How many events are in it.

    Raises:
        UsageError: If there are no marked events, or too many.
        FileError: If it cannot be written.
    """
    form = form_of(job.path, form)
    if not job.marks:
        raise UsageError("Nothing is marked.", "The key m marks an event on the screen.")
    if len(job.marks) > MAX_EVENTS:
        count = counted(len(job.marks), "event")
        raise UsageError(f"{count} are too many for a case.", f"The most is {MAX_EVENTS:,}.")
    with closing(open_reader()) as reader:
        info = reader.info()
        events = [(reader.event(seq), note) for seq, note in job.marks]
        names = redact.pseudonyms(reader.plain) if isinstance(reader, RedactingReader) else None
        exhibits = [
            Exhibit(event, note if names is None else names.text(note) or "")
            for event, note in events
            if event is not None
        ]
        case = Case(
            job.title,
            job.context,
            info.name,
            info.store_id,
            job.verdict or seal_words(store),
            tuple(exhibits),
            job.searches,
            _timeline(reader, [exhibit.event for exhibit in exhibits]),
            redact.is_on,
        )
    never_over = database_files(store) if isinstance(store, Path) else ()
    with new_file(job.path, _KIND, never_over=never_over) as stream:
        stream.write(case_text(case, form))
    return len(exhibits)


def _timeline(reader: EventReader, events: Sequence[AuditEvent]) -> Timeline | None:
    times = [event.occurred_us for event in events]
    if not times:
        return None
    reach_us = max((max(times) - min(times)) // 10, 60_000_000)
    start_us, end_us = min(times) - reach_us, max(times) + reach_us
    edges = [start_us + (end_us - start_us) * number // BUCKETS for number in range(BUCKETS + 1)]
    query = EventQuery(interval=Interval(start_us, end_us), sort=NEWEST_FIRST)
    return Timeline(start_us, end_us, reader.histogram(query, edges))


class CaseCheck(Record):
    """The result of a check of a case file against a store."""

    events: int
    """In the file."""
    problems: tuple[str, ...]
    """Sentences on what is otherwise; empty when the file is what the store gives."""
    notes: tuple[str, ...] = ()
    """Sentences on what to know all the same."""


def check_case(path: Path, open_reader: Callable[[], EventReader], redact: RedactMode) -> CaseCheck:
    """Make a case file again from a store, and compare.

    Raises:
        FileError: If the file cannot be read, or is not a case.
    """
    text = _read(path)
    case, form = read_case(text)
    if case.is_redacted:
        redact.is_on = True
    problems: list[str] = []
    events: list[AuditEvent] = []
    with closing(open_reader()) as real:
        reader = RedactingReader(real, redact)
        store_id = real.info().store_id
        for exhibit in case.exhibits:
            wanted = exhibit.event
            event = reader.event(wanted.seq or 0)
            if event is None:
                problems.append(f"Event {number_text(wanted.seq or 0)} is not in the store.")
            elif event.key != wanted.key:
                problems.append(f"Event {number_text(wanted.seq or 0)} of the store is another one.")
            events.append(event or wanted)
    if not problems:
        problems += _compared(text, case_text(with_events(case, events), form))
    notes = () if store_id == case.store_id else ("It was made of another store, which has another id.",)
    return CaseCheck(len(case.exhibits), tuple(problems), notes)


def _compared(text: str, again: str) -> list[str]:
    if text == again:
        return []
    before, after = text.split("\n"), again.split("\n")
    for number, (line, wanted) in enumerate(zip(before, after, strict=False), 1):
        if line != wanted:
            return [
                f"Line {number:,} is not what the store gives: {clean_visible(line.strip())[:200]}",
                f"It should be: {clean_visible(wanted.strip())[:200]}",
            ]
    return [f"The file has {len(before):,} lines, and should have {len(after):,}."]


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise FileError(f"{path} is too large for a case.")
        return data.decode()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise FileError(f"{path} is not a case file: it is not text.") from None
