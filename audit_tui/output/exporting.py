"""Exporting events to a file, for ``audit-tui export`` and for the screen."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from audit_tui.core.columns import COLUMNS
from audit_tui.core.export import ExportResult
from audit_tui.core.new_file import FileKind, new_file
from audit_tui.output.writers import write_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.export import ExportJob
    from audit_tui.core.query import EventQuery

_KEY = rf"(?:{'|'.join(COLUMNS)}|\"?meta\.[^\n,]*)"
_OF_EXPORT = re.compile(
    rf"""(?:{_KEY})(?:,(?:{_KEY}))*\n | (?:\[\n)?\{{"(?:{_KEY})": | \[\]\n | \|\ [^\n]*\|\n\|\ -""".encode(),
    re.VERBOSE,
)
"""Beginnings of CSV, JSON lines, JSON and Markdown as ``writers`` writes them."""
EXPORT = FileKind("an export", lambda head: _OF_EXPORT.match(head) is not None)
"""Files that an export may take the place of: older exports, of whatever format and columns."""
PROGRESS_EVENTS = 250
"""Events from one report of progress to the next: about a hundred a second."""


class EventSource(Protocol):
    """A source that gives all events of a result, one after the other."""

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        """The events in the result's order, in constant memory."""
        ...

    def close(self) -> None:
        """Let the source go."""
        ...


class FileExporter:
    """Writes the events of one source to files; implements ``core.export.Exporter``.

    Args:
        open_source: Opens the source, in the thread that exports.
        never_over: Files that must not be replaced, whatever they are called: the source itself.
    """

    def __init__(self, open_source: Callable[[], EventSource], never_over: Sequence[Path] = ()) -> None:
        self._open_source = open_source
        self._never_over = tuple(never_over)

    def __call__(
        self, job: ExportJob, on_progress: Callable[[int], None], cancel: CancelToken
    ) -> ExportResult:
        """Write one file, whole or not at all."""
        cancel.check()

        def told(events: Iterator[AuditEvent]) -> Iterator[AuditEvent]:
            for number, event in enumerate(events):
                if number % PROGRESS_EVENTS == 0:
                    cancel.check()
                    on_progress(number)
                yield event

        with (
            closing(self._open_source()) as source,
            new_file(job.path, EXPORT, never_over=self._never_over, may_replace=job.may_replace) as stream,
        ):
            count = write_events(told(source.events(job.query, cancel)), stream, job.writing)
            cancel.check()
        return ExportResult(job.path, count)
