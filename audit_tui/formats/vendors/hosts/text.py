"""Lines of any program that have a time near their beginning."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from audit_tui.formats.line_records import has_no_text
from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject
from audit_tui.formats.tables import table
from audit_tui.formats.vendors.hosts import syslog
from audit_tui.formats.vendors.hosts.syslog import MONTHS, Years

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.mapping import Telling
    from audit_tui.formats.record import Fields, LogText

_HEAD_CHARS = 140
_TAI_AHEAD = 2**62 + 10
"""Seconds that the labels of daemontools count from, with the leap seconds before 1972."""

_SHORT_YEAR = re.compile(r"\A(\d\d?[-/.]\d\d?[-/.])(\d\d)(?!\d)")
_JOINED = re.compile(r"\A(\d\d?)[-/ ]?([A-Za-z]{3})[a-z.]*[-/ ]?(\d{4})[: ,]+")

_ACT = re.compile(
    r"(?<![^\s,;\[(])(?:action|event(?:_?(?:name|type|action))?|operation|op|activity)="
    r"[\"']?([A-Za-z][\w.:-]{1,63})(?=[\s\"',;)\]]|\Z)",
    re.IGNORECASE,
)
"""The act, in a line without a program that says it beside a name."""


@cache
def _times() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"(?<![\d.:/-]){spelling}") for spelling in table("prose")["times"])


@cache
def _head() -> re.Pattern[str]:
    return re.compile(table("prose")["head"])


def records(text: LogText) -> Iterator[Record | Reject]:
    """Return the events of a log: each line with a time, and the lines without one that follow it."""
    years = Years(text)
    try:
        yield from _records(text, years)
    finally:
        years.tell()


def _records(text: LogText, years: Years) -> Iterator[Record | Reject]:
    fields: Fields | None = None
    lines: list[str] = []
    first = number = size = 0
    for line in text.lines():
        number += bool(line)
        plain = line.rstrip("\r\n")
        begun = _fields(plain, years) if line else None
        goes_on = fields is not None and begun is None and line and size + len(line) < MAX_RECORD_CHARS
        if goes_on:
            lines.append(plain)
            size += len(line)
            continue
        if fields is not None:
            yield _record(fields, first, lines)
            fields = None
        if begun is not None:
            fields, lines, first, size = begun, [plain], number, len(line)
        elif plain and not plain.isspace():
            yield Reject(text.name, number, None, "no time was found in it", plain[:MAX_RECORD_CHARS])
    if fields is not None:
        yield _record(fields, first, lines)


def _record(fields: Fields, number: int, lines: list[str]) -> Record:
    whole = "\n".join(lines).rstrip()
    if len(lines) > 1 and (more := "\n".join(lines[1:]).strip("\n")):
        fields["message"] = f"{fields['message']}\n{more}"
    return Record(fields, number, None, whole, has_no_text(whole))


def _fields(line: str, years: Years) -> Fields | None:
    head = line[:_HEAD_CHARS]
    matches = [match for spelling in _times() if (match := spelling.search(head)) is not None]
    if not matches:
        return None
    match = min(matches, key=lambda match: match.start())
    before, after = line[: match.start()].strip(" \t[<(|:,-"), line[match.end() :]
    fields: Fields = {"timestamp": match[0]}
    spelled = _spelled(match, years)
    if spelled is not None:
        fields[syslog.WITH_YEAR] = spelled
    if (place := _head().match(after)) is not None:
        groups = place.groupdict()
        fields |= {
            name: value
            for name, value in (
                ("host", groups["host"]),
                ("program", groups["device"] or groups["program"] or groups["alone"]),
                ("pid", groups["pid"] or groups["alone_pid"]),
            )
            if value
        }
        after = after[place.end() :]
    fields["message"] = after.strip(" \t]:|-") if not before else f"{before} {after.strip()}"
    return fields


def _spelled(match: re.Match[str], years: Years) -> str | None:
    """A time as every reader of times knows it; None where it is spelled so already."""
    kind, text = match.lastgroup, match[0]
    if kind == "tai":
        moment = datetime.fromtimestamp(int(match["tai"][:16], 16) - _TAI_AHEAD, UTC)
        return moment.isoformat().replace("+00:00", "Z")
    if kind == "monthly":
        month, day, rest = text.split("-", 2)
        return f"{day}-{month}-20{rest}"
    if kind == "snort":
        date, _, clock = text.partition("-")
        month, day, *year = date.split("/")
        if not year:
            return years.of(f"{MONTHS[(int(month) - 1) % 12]} {day} {clock.partition('.')[0]}")
        return f"{year[0].rjust(4, '0').replace('00', '20', 1)}-{month}-{day}T{clock}"
    if kind == "colons":
        date, _, clock = text.partition("-")
        return f"{date.replace(':', '-')}T{clock}"
    if kind == "short":
        date, clock = text.split()
        return f"20{date[:2]}-{date[2:4]}-{date[4:]}T{clock.zfill(8)}"
    if kind == "yearless":
        return years.of(" ".join(text.capitalize().split()).partition(".")[0].partition(",")[0])
    if kind == "numbers":
        text = _SHORT_YEAR.sub(r"\g<1>20\2", text)
    if kind == "day":
        text = _JOINED.sub(r"\1-\2-\3 ", text)
    return text.replace(" - ", " ").replace(", ", " ") if kind in ("iso", "numbers", "day") else None


def refine(telling: Telling) -> None:
    """Tell what the words say."""
    syslog.refine(telling)
    if telling.event == "message":
        act = _ACT.search(telling.text("message") or "")
        telling.values["event"] = "Message" if act is None else act[1]
