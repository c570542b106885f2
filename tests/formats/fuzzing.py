"""Feeds the parsers with what atheris makes up: ``python -m tests.formats.fuzzing SECONDS FOLDER``.

Whatever the bytes are, reading them ends: with events that can be stored, rejects, or an error that says what
the file is. Anything else ends the run with the bytes that did it.
"""

from __future__ import annotations

import io
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from audit_tui.store.tables.rows import draft

FIXTURES = Path(__file__).parent / "fixtures"
atheris: Any = import_module("atheris")

with atheris.instrument_imports(include=["audit_tui.formats"]):
    from audit_tui.errors import AuditTuiError
    from audit_tui.formats.mapping_file import read_mapping
    from audit_tui.formats.registry import known_formats
    from audit_tui.ingest.events import Mapped, Reading
    from audit_tui.ingest.open import OpenLog
    from audit_tui.ingest.unpack import DAMAGED, HEAD_BYTES, Source, unpacked

_PIECES_BYTES = (7, 64, 4_096)
_READINGS = [
    Reading(),
    Reading("csv"),
    Reading("jsonl"),
    Reading(mapping=read_mapping(Path("slack"))),
    *(Reading(log_format.name) for log_format in known_formats()),
]


def read_all(data: bytes) -> None:
    """Read bytes as a log; the first two say how, the others are the log."""
    if len(data) < 2:
        return
    reading, piece_bytes = _READINGS[data[0] % len(_READINGS)], _PIECES_BYTES[data[1] % len(_PIECES_BYTES)]
    stream = io.BytesIO(data[2:])
    head = stream.read(HEAD_BYTES)
    source = Source(head, stream.read)
    unpacker = unpacked(head, source)

    def read() -> bytes:
        try:
            return unpacker.read1(piece_bytes)
        except DAMAGED:
            return b""

    try:
        for result in reading.events(OpenLog("fuzz", read, lambda: source.count_bytes)):
            if isinstance(result, Mapped):
                draft(result.event)
    except AuditTuiError:
        pass


def main() -> None:
    """Fuzz for a number of seconds, beginning with the fixtures."""
    seconds, folder = sys.argv[1], Path(sys.argv[2])
    for path in FIXTURES.iterdir():
        for number in range(len(_READINGS)):
            (folder / f"{path.name}-{number}").write_bytes(bytes((number, 2)) + path.read_bytes()[:4_096])
    options = [f"-max_total_time={seconds}", "-max_len=8192", "-timeout=20", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/crash-", str(folder)], read_all)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
