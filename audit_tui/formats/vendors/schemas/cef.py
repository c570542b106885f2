"""CEF and LEEF: lines of a head between bars and of names and values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.line_records import line_records
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.vendors.hosts.syslog import WITH_YEAR, Years
from audit_tui.formats.words.prose import told_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.mapping import Telling
    from audit_tui.formats.record import Fields, LogText, Record, Reject

_BEGIN = re.compile(r"(?P<kind>CEF|LEEF):(?P<version>\d(?:\.\d)?)\|")
_BAR = re.compile(r"(?<!\\)\|")
_NAME = re.compile(r"(?:\A|(?<=\s))([A-Za-z0-9_.\[\]-]{1,128})=")
_ESCAPE = re.compile(r"\\([\\|=nr])")
_HEAD = ("deviceVendor", "deviceProduct", "deviceVersion", "signatureId", "name", "severity")
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?|[A-Z][a-z]{2} +\d\d? \d{4} [\d:.]+"
)
_YEARLESS = re.compile(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d")
_SEVERITIES = {"low": 2, "medium": 3, "high": 4, "very-high": 5, "unknown": 0}


def records(text: LogText) -> Iterator[Record | Reject]:
    """Return the events of a log, and the lines that are none."""
    years = Years(text)

    def fields_of(line: str) -> Fields | None:
        fields = _fields(line)
        if fields is not None and (time := _YEARLESS.search(fields.get("prefix", ""))) is not None:
            fields[WITH_YEAR] = years.of(time[0])
        return fields

    try:
        yield from line_records(text, fields_of, "CEF or LEEF")
    finally:
        years.tell()


def _fields(line: str) -> Fields | None:
    begin = _BEGIN.search(line)
    if begin is None:
        return None
    is_leef = begin["kind"] == "LEEF"
    parts = _BAR.split(line[begin.end() :], 6)
    needed = 4 if is_leef else 6
    if len(parts) < needed:
        return None
    fields: Fields = {"format": f"{begin['kind']}:{begin['version']}"}
    prefix = line[: begin.start()].strip()
    if prefix:
        fields["prefix"] = prefix
        time = _TIME.search(prefix)
        if time is not None:
            fields["head_time"] = time[0]
    if not is_leef:
        fields.update(zip(_HEAD, map(_plain, parts[:6]), strict=True))
        return fields | _pairs(parts[6] if len(parts) > 6 else "")
    rest = _BAR.split(line[begin.end() :], 4)
    names = (*_HEAD[:3], "name")
    fields.update(zip(names, map(_plain, rest[:4]), strict=True))
    body, separator = (rest[4] if len(rest) > 4 else ""), "\t"
    given = (
        re.match(r"(x[0-9A-Fa-f]{2}|0x[0-9A-Fa-f]{2}|[^\w\s])\|", body) if begin["version"] == "2.0" else None
    )
    if given is not None:
        code = given[1]
        separator = chr(int(code.lstrip("0").lstrip("x"), 16)) if len(code) > 1 else code
        body = body[given.end() :]
    pairs = (pair.partition("=") for pair in body.split(separator))
    return fields | {name.strip(): value.strip() for name, equals, value in pairs if equals}


def _pairs(text: str) -> Fields:
    """Names and values, which may hold spaces: a value ends where the next name begins."""
    names = list(_NAME.finditer(text))
    ends = [name.start() for name in names[1:]] + [len(text)]
    return {name[1]: _plain(text[name.end() : end].strip()) for name, end in zip(names, ends, strict=False)}


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda match: {"n": "\n", "r": "\r"}.get(match[1], match[1]), text)


def refine(telling: Telling) -> None:
    """Read the severity, which runs from 0 to 10 or is a word, and what only the message tells."""
    prose = told_by(f"{telling.text('name') or ''}: {telling.text('msg', 'message') or ''}")
    if telling.outcome is Outcome.UNKNOWN:
        telling.verdict = Verdict(prose.outcome, prose.is_denied)
    for column, value in (("user", prose.user), ("source_ip", prose.address)):
        if telling.values.get(column) is None:
            telling.values[column] = value
    severity = (telling.text("severity", "sev") or "").lower()
    if severity.isdecimal() and len(severity) < 3:
        number = int(severity)
        telling.values["severity"] = (
            5 if number > 8 else 4 if number > 6 else 3 if number > 3 else 2 if number else 1
        )
    else:
        telling.values["severity"] = _SEVERITIES.get(severity)
    if telling.values.get("key") is not None:
        telling.values["key"] = (
            f"{telling.text('deviceProduct')}:{telling.values['key']}:{telling.values['time']}"
        )
