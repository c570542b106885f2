"""From a file to events: tells its shape, takes its records, maps each, loses none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from audit_tui.errors import FileError, UsageError
from audit_tui.formats.csv_records import csv_records, header_of
from audit_tui.formats.generic import FieldMap, names_a_time
from audit_tui.formats.json_records import json_records
from audit_tui.formats.record import Format, Record, RecordError, Reject, Shape
from audit_tui.formats.registry import Formats
from audit_tui.formats.values import lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from audit_tui.core.event import AuditEvent
    from audit_tui.formats.files import LogText

CHECKED_RECORDS = 100
"""A field of ``--map`` must be in one of so many first records: further down it would be too late to say."""
_UNFORESEEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a format may run into in a record that nobody thought of: it must not lose the other records."""
_SHOWN_FIELDS = 40
_JSON_ENDINGS = (".json", ".jsonl", ".ndjson")


class NotALog(FileError):
    """A file is none of the logs that are known: in a folder that is no harm."""

    title = "Not a known log"


@dataclass(frozen=True, slots=True)
class Mapped:
    """A record and the event that it became."""

    event: AuditEvent
    record: Record
    format: Format


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read.

    Args of the command in the library's terms; one object serves all files of an import.
    """

    format_name: str | None = None
    """``--format``; None detects."""
    field_map: FieldMap = field(default_factory=FieldMap)
    """``--map``."""
    keep_original: bool = False
    """Keep each record's own bytes, not only where columns and metadata do not give it back."""

    def events(self, text: LogText) -> Iterator[Mapped | Reject]:
        """The events of one log and its rejects, in the order of the file.

        Raises:
            NotALog: If its format cannot be told.
            FileError: If it cannot be read on; what came before holds.
            UsageError: If a format or a field is named that is not there.
        """
        formats = Formats(self.format_name, self.field_map)
        shape, records = self._records(text, formats)
        likely: Format | None = None
        for record in self._checked(text, records):
            if isinstance(record, Reject):
                yield record
                continue
            likely = formats.of(record.fields, shape, likely)
            yield self._mapped(text, record, likely)

    def _records(self, text: LogText, formats: Formats) -> tuple[Shape, Iterator[Record | Reject]]:
        head = text.head.lstrip("\ufeff \t\r\n")
        only = formats.only
        shapes = frozenset(Shape) if only is None else only.shapes
        is_json = head.startswith(("{", "[")) or (
            only is None and (text.name.endswith(_JSON_ENDINGS) or "\n{" in head)
        )
        if Shape.CSV in shapes and not head.startswith(("{", "[")):
            header = header_of(text.head, self._knows_header(only))
            if header is not None:
                return Shape.CSV, csv_records(text, *header)
        if Shape.JSON in shapes and (is_json or shapes == {Shape.JSON} or not head):
            return Shape.JSON, json_records(text)
        raise NotALog(
            f"{text.name} is not a log that is known: it is not JSON, and no column in its first line"
            " is named like a time.",
            "Say what it is with --format and --map.",
        )

    def _knows_header(self, only: Format | None) -> Callable[[list[str]], bool]:
        mapped = set(self.field_map.fields.values())

        def is_known(names: list[str]) -> bool:
            return (
                only is not None or not mapped.isdisjoint(names) or (len(names) > 1 and names_a_time(names))
            )

        return is_known

    def _checked(self, text: LogText, records: Iterator[Record | Reject]) -> Iterable[Record | Reject]:
        """The same records, once it is known that the fields of ``--map`` are there."""
        if not self.field_map:
            return records
        first = list(islice(records, CHECKED_RECORDS))
        decoded = [record.fields for record in first if isinstance(record, Record)]
        for name in self.field_map.fields.values():
            if decoded and all(lookup(fields, name) is None for fields in decoded):
                seen = dict.fromkeys(key for fields in decoded for key in fields)
                shown = ", ".join(islice(seen, _SHOWN_FIELDS))
                more = f" and {len(seen) - _SHOWN_FIELDS:,} more" if len(seen) > _SHOWN_FIELDS else ""
                raise UsageError(f"{text.name} has no field {name!r}.", f"Its fields are {shown}{more}.")
        return chain(first, records)

    def _mapped(self, text: LogText, record: Record, log_format: Format) -> Mapped | Reject:
        try:
            event = log_format.map(record.fields)
            if self.field_map and log_format.name not in ("jsonl", "csv"):
                event = self.field_map.apply(event, record.fields)
        except RecordError as error:
            return Reject(text.name, record.line, record.number, error.reason, record.text)
        except _UNFORESEEN as error:
            reason = f"{log_format.title} as never seen before: {type(error).__name__}"
            return Reject(text.name, record.line, record.number, reason, record.text)
        if self.keep_original or record.is_lossy:
            event = replace(event, original=record.text.encode("utf-8", "surrogateescape"))
        return Mapped(event, record, log_format)
