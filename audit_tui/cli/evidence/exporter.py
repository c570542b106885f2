"""Writing events to a file, which says whether the seals fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.cli.source import open_source
from audit_tui.core.new_file import database_files
from audit_tui.core.source import EventSource, SourceUrl, local_path
from audit_tui.core.text import counted
from audit_tui.errors import StoreError

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.export import Exporter, ExportJob, ExportResult
    from audit_tui.core.privacy.redact_mode import RedactMode


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
