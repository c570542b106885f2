"""Binary event logs of Windows as records, by the package ``evtx``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from audit_tui.errors import FileError
from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_tui.formats.record import Fields

EVTX_MAGIC = b"ElfFile\x00"
"""The first bytes of a file that Windows writes events to."""
_CONVERT = "or give its events as JSON: evtx_dump -o jsonl FILE | audit-tui import -"


def event_log_records(name: str, path: Path) -> Iterator[Record | Reject]:
    """Return the events of a log of Windows, as ``evtx_dump`` gives them; what is damaged costs itself.

    Args:
        name: What messages call the log.
        path: The file.

    Raises:
        FileError: If it cannot be read, or the package is not installed.
    """
    try:
        from evtx import PyEvtxParser
    except ModuleNotFoundError:
        raise FileError(
            f"{name} is a binary event log of Windows, and the package evtx is not installed.",
            f"Install it (pip install 'audit-tui[windows]'), {_CONVERT}",
        ) from None
    try:
        events = iter(PyEvtxParser(str(path)).records_json())
    except (OSError, RuntimeError, ValueError) as error:
        raise FileError(f"{name} cannot be read: {error}.", "") from None
    return _records(name, events)


def _records(name: str, events: Iterator[Any]) -> Iterator[Record | Reject]:
    number = 0
    while True:
        number += 1
        try:
            event = next(events)
            text = str(event["data"])
            if len(text) > MAX_RECORD_CHARS:
                raise ValueError("the record is longer than 16 MiB")
            fields = json.loads(text)
            if not isinstance(fields, dict):
                raise ValueError("it is not an event")
            _give_time(fields, event["timestamp"])
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - whatever the package raises is of this record alone
            yield Reject(name, number, None, _reason(error), "")
        except BaseException as error:
            # A fault in the package's Rust part is not an Exception, and ends the log.
            if type(error).__name__ != "PanicException":
                raise
            yield Reject(name, number, None, _reason(error), "")
            return
        else:
            yield Record(fields, number, None, text, False)


def _give_time(fields: Fields, written: str) -> None:
    """Put the time at which Windows wrote an event where the event itself names none."""
    system = fields.get("Event", {}).get("System")
    if isinstance(system, dict) and not system.get("TimeCreated"):
        system["TimeCreated"] = {"#attributes": {"SystemTime": str(written).removesuffix(" UTC")}}


def _reason(error: BaseException) -> str:
    return f"it cannot be read: {str(error).partition(chr(10))[0] or type(error).__name__}"
