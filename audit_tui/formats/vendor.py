"""Formats that come as a file of data, ``vendors/ROOM/NAME.toml``, and perhaps code in ``NAME.py`` there.

Of each file only the head, which says how its records are recognised, is read before its first record comes.
"""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from typing import TYPE_CHECKING, Any

from audit_tui.formats.detection import Condition, Detection
from audit_tui.formats.line_records import line_records
from audit_tui.formats.mapping_file import VENDORS, checked
from audit_tui.formats.record import Format, Lines, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import ModuleType

    from audit_tui.core.event import AuditEvent
    from audit_tui.formats.record import Fields, LogText, Record, Reject

DEFAULT_RANK = 50
PART = "event"
"""The key under which a part of a record that tells several events has its own of them."""
PART_NUMBER = "event_number"
"""The number of that part among them, from 0: the id of the record is the same for all."""
_HEAD_ENDS = "\n[columns]"


def vendor_names() -> list[str]:
    """Return the names of the formats that come as files of data."""
    return sorted(path.stem for path in VENDORS.glob("*/*.toml"))


def vendor_format(name: str) -> tuple[int, Format]:
    """Return a format by its name, and its rank: lower ones are tried first."""
    path = next(VENDORS.glob(f"*/{name}.toml"))
    text = path.read_text(encoding="utf-8")
    head = tomllib.loads(text.partition(_HEAD_ENDS)[0])
    detection = Detection(tuple(map(Condition.of, head["detect"])))
    split, begins, line = head.get("split"), head.get("begins"), head.get("line")
    log_format = Format(
        name,
        head["title"],
        frozenset(map(Shape, head.get("shapes", [Shape.JSON.value]))),
        detection.holds,
        _Loaded(path, text),
        split=None if split is None else lambda fields: split_at(fields, split),
        check_of=detection.check_of,
        lines=None if begins is None else _lines(path, begins, line, is_last=head.get("last", False)),
    )
    return head.get("rank", DEFAULT_RANK), log_format


def _lines(path: Path, begins: str, line: str | None, *, is_last: bool) -> Lines:
    """The division of a vendor's files that are neither JSON nor CSV, by a pattern of a line or by code."""

    def records(text: LogText) -> Iterator[Record | Reject]:
        if line is not None:
            pattern = re.compile(line)
            return line_records(text, lambda plain: _named(pattern.match(plain)), path.stem)
        read: Callable[[LogText], Iterator[Record | Reject]]
        read = _code_beside(path).records
        return read(text)

    return Lines(lambda head: re.search(begins, head) is not None, records, is_last)


def _named(match: re.Match[str] | None) -> Fields | None:
    if match is None:
        return None
    return {name: value for name, value in match.groupdict().items() if value not in (None, "", "-")}


def _code_beside(path: Path) -> ModuleType:
    return import_module(f"audit_tui.formats.vendors.{path.parent.name}.{path.stem}")


def split_at(fields: Fields, name: str) -> Sequence[Fields]:
    """Return the parts of a record that tells several events in a list, each with what stands around it."""
    events = fields.get(name)
    events = [events] if isinstance(events, dict) else events
    if not isinstance(events, list):
        return [fields]
    around = {key: value for key, value in fields.items() if key != name}
    return [
        around | {PART: event, PART_NUMBER: number}
        for number, event in enumerate(events)
        if isinstance(event, dict)
    ]


class _Loaded:
    """The mapping of a vendor, read when its first record comes."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self._mapper: Callable[[Fields], AuditEvent] | None = None

    def __call__(self, fields: Fields) -> AuditEvent:
        if self._mapper is None:
            self._mapper = self._read()
        return self._mapper(fields)

    def _read(self) -> Callable[[Fields], AuditEvent]:
        from audit_tui.formats.mapping import Mapper

        values: dict[str, Any] = tomllib.loads(self._text)
        has_code = self._path.with_suffix(".py").exists()
        code = _code_beside(self._path) if has_code else None
        return Mapper(checked(self._path, self._text, values), None if code is None else code.refine)
