"""From a file to events: tells its shape, takes its records, maps each, loses none."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from audit_tui.core.event import Outcome
from audit_tui.errors import UsageError
from audit_tui.formats.generic import UNNAMED_EVENT, FieldMap, names_a_time
from audit_tui.formats.keys import RepeatedRecords
from audit_tui.formats.record import Format, Record, RecordError, Reject, Shape
from audit_tui.formats.registry import Formats
from audit_tui.formats.times import NAIVE, TwoMonths
from audit_tui.formats.values import lookup
from audit_tui.formats.words.prose import told_by
from audit_tui.ingest.csv_records import csv_records, header_of
from audit_tui.ingest.json_records import begins_prefixed, json_records
from audit_tui.ingest.open import NotALog
from audit_tui.ingest.recognise import UNFORESEEN, Understanding, Understood, unforeseen
from audit_tui.ingest.wrappers import has_record_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import tzinfo

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.privacy.secrets import SecretFilter
    from audit_tui.formats.mapping import Mapping
    from audit_tui.ingest.open import OpenLog

PREFIX = "prefix"
"""Under which the metadata keep the text before a record in its line."""
CHECKED_RECORDS = 100
"""A field of ``--map`` must be in one of this many first records: later it would be too late to say."""
_SHOWN_FIELDS = 40
MOST_WAITING = 20_000
"""Records that wait for a later one to tell which number of their dates is the day; 20 MB of usual ones."""
DAYS_AND_MONTHS = "has dates in numbers, whose days and months were told apart by {example}"
_KEY = re.compile(r'"(\w+)"\s*:')
_DIGEST = frozenset({"digestStartTime", "digestS3Object", "digestS3Bucket"})
_DIGEST_CHARS = 4_096
_LIST = re.compile(r"\[\s*(?:[\[{\"\]]|\Z)")
"""The beginning of a list of records; many logs begin with a time or a number in brackets."""
_JSON_ENDINGS = (".json", ".jsonl", ".ndjson")


_Records: TypeAlias = "tuple[Shape, Format | None, Iterator[Record | Reject]]"
"""Of a file: its shape, the format of all its records if its shape tells it, its records."""


def _as_utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class _Log(NamedTuple):
    """The log that is being read."""

    name: str
    repeated: RepeatedRecords
    encoded: Callable[[str], bytes]
    """Gives the bytes that a part of its text was."""


class Mapped(NamedTuple):
    """A record and the event that it became."""

    event: AuditEvent
    record: Record
    format: Format


def _with_prefix(event: AuditEvent, prefix: str) -> AuditEvent:
    """An event with the text before its record, which tells how it ended where the record names no event."""
    outcome = event.outcome
    if event.event == UNNAMED_EVENT and outcome is Outcome.UNKNOWN:
        outcome = told_by(prefix).outcome
    return replace(event, outcome=outcome, metadata={**event.metadata, PREFIX: prefix})


@dataclass(frozen=True, slots=True)
class Reading:
    """Options for reading files.

    Args of the command in the library's terms; one object serves all files of an import.
    """

    format_name: str | None = None
    """``--format``; None detects."""
    field_map: FieldMap = field(default_factory=FieldMap)
    """``--map``."""
    keep_original: bool = False
    """Keep each record's own bytes, not only where columns and metadata do not give it back."""
    mapping: Mapping | None = None
    """``--mapping``; the format of all records then."""
    table: str | None = None
    """``--table``: the table to read of databases, which are then no logs."""
    zone: tzinfo | None = None
    """``--tz``: of times that name none; None reads them as UTC."""
    year: int | None = None
    """``--year``: of times that name none; None takes the last that is past."""
    encoding: str | None = None
    """``--encoding``: of the files; None tells it by their bytes."""
    secrets: SecretFilter | None = None
    """``--secrets``: what becomes of passwords, keys and tokens; None keeps them."""

    def formats(self) -> Formats:
        """The formats to choose from.

        Raises:
            UsageError: If there is none of that name, or more than one is named.
        """
        if self.mapping is not None and self.format_name is not None:
            raise UsageError("--mapping and --format both say what the files are.", "Leave one of them out.")
        only = None if self.mapping is None else self.mapping.format()
        return Formats(self.format_name, self.field_map, only)

    def events(self, text: OpenLog) -> Iterator[Mapped | Reject]:
        """The events of one log and its rejects, in the order of the file.

        Raises:
            NotALog: If its format cannot be told.
            FileError: If it cannot be read on; what came before holds.
            UsageError: If a format or a field is named that is not there.
        """
        formats = self.formats()
        NAIVE.zone, NAIVE.year = self.zone or UTC, self.year
        shape, of_all, records = self._records(text, formats)
        understanding = Understanding(formats, shape, of_all, is_peeled=not self.field_map)
        return self._understood(text.name, records, understanding, text)

    def events_of_rows(self, name: str, records: Iterator[Record | Reject]) -> Iterator[Mapped | Reject]:
        """The events of the rows of a table, as of the rows of a CSV file; see ``events``.

        Args:
            name: What messages call the table.
            records: Its rows.
        """
        NAIVE.zone = self.zone or UTC
        return self._understood(name, records, Understanding(self.formats(), Shape.CSV, is_peeled=False))

    def events_of_objects(self, name: str, records: Iterator[Record | Reject]) -> Iterator[Mapped | Reject]:
        """The events of JSON objects that no text of a file says; see ``events_of_rows``."""
        NAIVE.zone = self.zone or UTC
        return self._understood(name, records, Understanding(self.formats(), Shape.JSON))

    def _understood(
        self,
        name: str,
        records: Iterator[Record | Reject],
        understanding: Understanding,
        text: OpenLog | None = None,
    ) -> Iterator[Mapped | Reject]:
        log = _Log(name, RepeatedRecords(), _as_utf8 if text is None else text.encoded)
        NAIVE.begin(can_wait=text is None or not text.is_live)
        waiting: list[tuple[Record, Understood]] = []
        try:
            for record in self._checked(name, records):
                if isinstance(record, Reject):
                    yield record
                    continue
                try:
                    parts = understanding.of(record.fields, record.prefix)
                except RecordError as error:
                    yield Reject(name, record.line, record.number, error.reason, record.text)
                    continue
                for number, part in enumerate(parts, 1):
                    placed = record if len(parts) == 1 else record._replace(number=record.number or number)
                    try:
                        yield self._mapped(log, placed, part)
                    except TwoMonths:
                        waiting.append((placed, part))
                if waiting and (NAIVE.is_told or len(waiting) >= MOST_WAITING):
                    yield from self._waited(log, waiting, text)
            yield from self._waited(log, waiting, text)
        finally:
            NAIVE.begin(can_wait=False)

    def _waited(
        self, log: _Log, waiting: list[tuple[Record, Understood]], text: OpenLog | None
    ) -> Iterator[Mapped | Reject]:
        """The events of records that waited for one that tells which number of a date is the day."""
        NAIVE.can_wait = False
        if waiting and NAIVE.is_told and text is not None:
            text.remark(DAYS_AND_MONTHS.format(example=NAIVE.example))
        for record, part in waiting:
            yield self._mapped(log, record, part)
        waiting.clear()

    def _records(self, text: OpenLog, formats: Formats) -> _Records:
        head = text.head.lstrip("\ufeff \t\r\n")
        only = formats.only
        shapes = frozenset(Shape) if only is None else only.shapes
        is_json_sign = head.startswith("{") or _LIST.match(head) is not None
        begins_json = is_json_sign or begins_prefixed(head)
        lines_format = formats.of_lines(head) if head and not begins_json and Shape.LINES in shapes else None
        if lines_format is not None and lines_format.lines is not None and not lines_format.lines.is_last:
            return Shape.LINES, lines_format, lines_format.lines.records(text)
        if not begins_json:
            header = header_of(text.head, self._knows_header(formats))
            if header is not None:
                return Shape.CSV, None, csv_records(text, header)
        is_json = begins_json or (only is None and (text.name.endswith(_JSON_ENDINGS) or "\n{" in head))
        if lines_format is not None and lines_format.lines is not None and not is_json:
            return Shape.LINES, lines_format, lines_format.lines.records(text)
        if begins_json and set(_KEY.findall(text.head[:_DIGEST_CHARS])) >= _DIGEST:
            text.leave_out("is a digest of CloudTrail, which has no events: it was left out")
        if Shape.JSON in shapes and (is_json or shapes == {Shape.JSON} or not head):
            return Shape.JSON, None, json_records(text)
        raise NotALog(
            f"{text.name} is not a log that is known: it is not JSON, and no column in its first line"
            " is named like a time.",
            "Say what it is with --format and --map.",
        )

    def _knows_header(self, formats: Formats) -> Callable[[list[str]], bool]:
        mapped = set(self.field_map.fields.values())
        only = formats.only

        def is_known(names: list[str]) -> bool:
            if has_record_cells(names):
                return True
            if only is not None:
                return Shape.CSV in only.shapes
            return (
                not mapped.isdisjoint(names)
                or (len(names) > 1 and names_a_time(names))
                or formats.recognised(dict.fromkeys(names, ""), Shape.CSV) is not None
            )

        return is_known

    def _checked(self, name: str, records: Iterator[Record | Reject]) -> Iterable[Record | Reject]:
        """The same records, once it is known that the fields of ``--map`` are there."""
        if not self.field_map:
            return records
        first = list(islice(records, CHECKED_RECORDS))
        decoded = [record.fields for record in first if isinstance(record, Record)]
        for field_name in self.field_map.fields.values():
            if decoded and all(lookup(fields, field_name) is None for fields in decoded):
                seen = dict.fromkeys(key for fields in decoded for key in fields)
                shown = ", ".join(islice(seen, _SHOWN_FIELDS))
                more = f" and {len(seen) - _SHOWN_FIELDS:,} more" if len(seen) > _SHOWN_FIELDS else ""
                raise UsageError(f"{name} has no field {field_name!r}.", f"Its fields are {shown}{more}.")
        return chain(first, records)

    def _mapped(self, log: _Log, record: Record, understood: Understood) -> Mapped | Reject:
        log_format, fields = understood.format, understood.fields
        try:
            event = log_format.map(fields)
            if self.field_map and log_format.name not in ("jsonl", "csv"):
                event = self.field_map.apply(event, fields)
        except RecordError as error:
            return Reject(log.name, record.line, record.number, error.reason, record.text)
        except UNFORESEEN as error:
            return Reject(log.name, record.line, record.number, unforeseen(log_format, error), record.text)
        if record.prefix:
            event = _with_prefix(event, record.prefix)
        if understood.frames:
            event = replace(event, metadata=event.metadata | understood.frames)
        is_lossy = record.is_lossy or understood.is_lossy
        key = log.repeated.key(event.key, record.text, is_lossy=is_lossy)
        if key is not event.key:
            event = replace(event, key=key)
        if self.keep_original or is_lossy:
            event = replace(event, original=log.encoded(record.text))
        if self.secrets is not None:
            event = self.secrets.event(event)
        return Mapped(
            event, record if fields is record.fields else record._replace(fields=fields), log_format
        )
