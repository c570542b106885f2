"""Writing events to a file, which says whether the seals fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.cli.evidence.quick_seals import seal_words
from audit_tui.cli.source import open_source
from audit_tui.core.new_file import database_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.export import Exporter, ExportJob, ExportResult
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.source import EventSource


def exporter_of(store: EventSource, redact: RedactMode) -> Exporter:
    """Return what exports the events of a store, and never over the store."""
    from audit_tui.output.exporting import FileExporter

    exporter = FileExporter(
        redact.readers(lambda: open_source(store)()), database_files(store) if isinstance(store, Path) else ()
    )

    def export(job: ExportJob, on_progress: Callable[[int], None], cancel: CancelToken) -> ExportResult:
        words = seal_words(store)
        job = replace(job, writing=replace(job.writing, seal_words=words))
        return replace(exporter(job, on_progress, cancel), seal_words=words)

    return export
