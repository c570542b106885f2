"""Lines of names and values (``logfmt``), and lines of values below one of names (W3C)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_tui.formats.generic import GenericMapper, names_a_time
from audit_tui.formats.line_records import line_records, named_records
from audit_tui.formats.record import Format, Lines, Reject, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.record import Fields, LogText, Record

NAME = "logfmt"
_PAIR = re.compile(r"""([A-Za-z_@][\w.@-]{0,63})=("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']*)(?=[\s,;]|\Z)""")
_FEWEST = 4
_HEAD_LINES = 5


def _fields(line: str) -> Fields | None:
    pairs = list(_PAIR.finditer(line))
    if len(pairs) < _FEWEST:
        return None
    fields: Fields = {}
    prefix = line[: pairs[0].start()].strip()
    if prefix:
        fields["prefix"] = prefix
    for pair in pairs:
        value = pair[2]
        if value[:1] in ("'", '"'):
            value = value[1:-1].replace('\\"', '"')
        fields.setdefault(pair[1], value)
    return fields if names_a_time(fields) else None


def _begins(head: str) -> bool:
    return any(_fields(line.rstrip("\r")) is not None for line in head.split("\n")[:_HEAD_LINES])


def _records(text: LogText) -> Iterator[Record | Reject]:
    return line_records(text, _fields, "names and values")


def _w3c_names(line: str) -> list[str] | None:
    if line.startswith(_W3C_NAMES):
        return line.removeprefix(_W3C_NAMES).split()
    return [] if line.startswith("#") else None


def _w3c_records(text: LogText) -> Iterator[Record | Reject]:
    return named_records(text, _w3c_names, "the names in its line #Fields")


_W3C_NAMES = "#Fields:"
W3C = Format(
    "w3c",
    "Log of the W3C's extended format",
    frozenset({Shape.LINES}),
    lambda _: False,
    GenericMapper("w3c"),
    lines=Lines(
        lambda head: any(line.startswith(_W3C_NAMES) for line in head.split("\n")[:_HEAD_LINES]), _w3c_records
    ),
)
LOGFMT = Format(
    NAME,
    "Names and values, line by line",
    frozenset({Shape.LINES}),
    lambda _: False,
    GenericMapper(NAME),
    lines=Lines(_begins, _records),
)
