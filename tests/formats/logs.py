"""Reading a log that a test wrote out."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.errors import FileError
from audit_tui.ingest.events import Mapped, Reading
from audit_tui.ingest.find import LogFile
from audit_tui.ingest.json_records import json_records
from audit_tui.ingest.open import Opening, OpenLog, open_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.core.event import AuditEvent
    from audit_tui.formats.record import Record, Reject

_LATER_S = 4_102_444_800
"""In 2100: no clock of the machine that runs the tests tells a year."""
FIXTURES = Path(__file__).parent / "fixtures"
SHARED = Path(__file__).parents[2] / ".." / "shared" / "samples"


def write(folder: Path, data: str | bytes, name: str = "a.log") -> LogFile:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    os.utime(path, (_LATER_S, _LATER_S))
    return LogFile(name, path, path.stat().st_size)


@contextmanager
def open_log(log: LogFile, opening: Opening | None = None) -> Iterator[OpenLog]:
    """Open a log that is one file; of an archive its first."""
    with open_logs(log, opening or Opening()) as texts:
        text = next(texts, None)
        if not isinstance(text, OpenLog):
            raise text or FileError(f"{log.name} is an archive without a file.")
        yield text


def json_of(log: LogFile) -> list[Record | Reject]:
    with open_log(log) as text:
        return list(json_records(text))


def read(log: LogFile, reading: Reading | None = None) -> tuple[list[AuditEvent], list[Reject]]:
    events, rejects = [], []
    with open_log(log) as text:
        for result in (reading or Reading()).events(text):
            if isinstance(result, Mapped):
                events.append(result.event)
            else:
                rejects.append(result)
    return events, rejects
