"""PostgreSQL: rows of the csvlog, connections, and the statements that pgaudit writes."""

from __future__ import annotations

import csv
import re
from itertools import chain
from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.line_records import has_no_text
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject
from audit_tui.formats.words.english import plain_reason, shown, with_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.mapping import Telling
    from audit_tui.formats.record import LogText

_COLUMNS = (
    "timestamp", "user", "dbname", "pid", "remote_host", "session_id", "line_num", "ps", "session_start",
    "vxid", "txid", "error_severity", "state_code", "message", "detail", "hint", "internal_query",
    "internal_position", "context", "statement", "cursor_position", "func_name", "application_name",
    "backend_type", "leader_pid", "query_id",
)  # fmt: skip
_FEWEST = 22
_AUTHORIZED = re.compile(r"connection authorized: user=(?P<user>\S+)(?: database=(?P<db>\S+))?")
_REFUSED = re.compile(
    r'(?:\w+ authentication failed|no pg_hba\.conf entry|role) .*?(?:user )?"(?P<user>[^"]+)"'
)
_TEXT_LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})? [A-Za-z0-9+/_-]{1,20}?)(?P<prefix>[ :].{0,400}?)"
    r"(?P<level>LOG|FATAL|ERROR|WARNING|PANIC|NOTICE|INFO|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|DEBUG\d?):"
    r"  (?P<message>.*)",
    re.DOTALL,
)
_PARTS = frozenset({"STATEMENT", "DETAIL", "HINT", "CONTEXT", "QUERY"})
"""The levels of lines that belong to the line before."""
_PREFIXES = (
    re.compile(r"\[(?P<pid>\d+)\]"),
    re.compile(r"(?:^|[\s:,=])(?P<user>[^\s@:,=\[]+)@(?P<dbname>[^\s@:,\[]+)"),
    re.compile(r"user=(?P<user>[^\s,]+)"),
    re.compile(r"db=(?P<dbname>[^\s,]+)"),
    re.compile(r"(?P<remote_host>\d{1,3}(?:\.\d{1,3}){3})(?:\((?P<remote_port>\d+)\))?"),
)
_BAD = frozenset({"ERROR", "FATAL", "PANIC"})
_DENIED = frozenset({"42501", "28000", "28P01"})


def records(text: LogText) -> Iterator[Record | Reject]:
    """Return the rows of a csvlog, and the lines that are none."""
    csv.field_size_limit(2 * MAX_RECORD_CHARS)
    lines = _Counted(line for line in text.lines() if line)
    first_line = next(lines, "")
    lines = _Counted(chain((first_line,), lines))
    if _TEXT_LINE.match(first_line) is not None:
        yield from _text_records(text.name, lines)
        return
    rows = csv.reader(lines)
    while True:
        first = lines.count + 1
        lines.taken.clear()
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Reject(
                text.name, first, None, f"it is not CSV: {error}", "".join(lines.taken)[:MAX_RECORD_CHARS]
            )
            continue
        if row is None:
            return
        whole = "".join(lines.taken).rstrip("\r\n")
        if not row:
            continue
        if len(row) < _FEWEST:
            yield Reject(
                text.name, first, None, f"it has {len(row)} columns, a csvlog {_FEWEST} and more", whole
            )
            continue
        fields = {name: value for name, value in zip(_COLUMNS, row, strict=False) if value != ""}
        yield Record(fields, first, None, whole, has_no_text(whole))


def _text_records(name: str, lines: Iterator[str]) -> Iterator[Record | Reject]:
    """The records of the plain log: lines without a head of their own belong to the one before."""
    fields: dict[str, str] = {}
    first, part, whole = 1, "message", ""
    for number, line in enumerate(lines, 1):
        match = _TEXT_LINE.match(line)
        if match is not None and (match["level"] not in _PARTS or not fields):
            if fields:
                yield Record(fields, first, None, whole.rstrip("\r\n"), has_no_text(whole))
            fields, first, part, whole = _head(match), number, "message", line
        elif fields and len(whole) < MAX_RECORD_CHARS:
            part = part if match is None else match["level"].lower()
            text = line if match is None else match["message"]
            fields[part] = f"{fields[part]}\n{text.strip()}" if part in fields else text.strip()
            whole += line
        else:
            yield Reject(name, number, None, "it is not a line of PostgreSQL", line.rstrip("\r\n"))
    if fields:
        yield Record(fields, first, None, whole.rstrip("\r\n"), has_no_text(whole))


def _head(match: re.Match[str]) -> dict[str, str]:
    """The fields of a line, with what usual prefixes of lines (``log_line_prefix``) tell."""
    fields = {
        "timestamp": match["time"],
        "error_severity": match["level"],
        "message": match["message"].strip(),
    }
    for pattern in _PREFIXES:
        if (place := pattern.search(match["prefix"])) is not None:
            fields |= {name: value for name, value in place.groupdict().items() if value}
    if match["prefix"].strip():
        fields["prefix"] = match["prefix"].strip()
    return fields


class _Counted:
    """Lines that are counted, and kept until the next row."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.count = 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.count += 1
        self.taken.append(line)
        return line


def refine(telling: Telling) -> None:
    """Tell a statement that pgaudit wrote, a connection, or an error."""
    message, who = telling.text("message") or "", telling.user
    session, number = telling.text("session_id"), telling.text("line_num")
    if session is not None and number is not None:
        telling.values["key"] = f"{session}:{number}"
    severity = (telling.text("error_severity") or "").upper()
    code = telling.text("state_code") or ""
    database = telling.text("dbname")
    telling.values["category"] = "database"
    if message.startswith("AUDIT: "):
        _audited(telling, message.removeprefix("AUDIT: "))
    elif (match := _AUTHORIZED.search(message)) is not None:
        telling.values |= {"event": "connection authorized", "user": match["user"], "target": match["db"]}
        telling.verdict = Verdict(Outcome.SUCCESS)
        telling.sentence = telling.narrated("connect[ to {target}][ from {address}]")
    elif severity in _BAD and (code in ("28000", "28P01") or (not code and _REFUSED.match(message))):
        refused = _REFUSED.search(message)
        telling.values["event"] = "authentication failed"
        telling.values["user"] = refused["user"] if refused is not None else who
        telling.verdict = Verdict(Outcome.FAILURE, code == "28000")
        sentence = telling.narrated("connect[ to {target}][ from {address}]")
        telling.sentence = with_reason(sentence, message)
    elif severity in _BAD:
        telling.verdict = Verdict(Outcome.FAILURE, code in _DENIED)
        telling.values["event"] = (telling.text("ps") or "statement").lower()
        what = telling.text("statement") or "a statement"
        sentence = telling.narrated("run[ {statement}| a statement]") if what else message
        telling.sentence = with_reason(sentence, plain_reason(message))
    else:
        first = message.partition(":")[0]
        telling.values["event"] = first if 0 < len(first) < 60 else "message"
        by = f" ({shown(who)})" if who else ""
        telling.sentence = f"{shown(message)}{by}" if message else f"PostgreSQL wrote nothing{by}"
    telling.names["database"] = database


def _audited(telling: Telling, text: str) -> None:
    """``SESSION,1,1,WRITE,INSERT,TABLE,public.t,"insert ...",<none>``: class, command, object, statement."""
    row = next(csv.reader([text.replace("\n", " ")]), [])
    row += [""] * (8 - len(row))
    _, _, _, kind, command, _, name, statement = row[:8]
    telling.values["event"] = command.lower() or "statement"
    telling.values["category"] = kind.lower() or "database"
    telling.values["target"] = name or telling.target
    # It is written before the statement runs: what becomes of it, an error behind it tells.
    telling.verdict = Verdict(Outcome.UNKNOWN)
    telling.names["audited"] = statement if statement and statement != "<not logged>" else None
    telling.sentence = telling.narrated("ask to run[ {audited}| a statement][ on {target}]")
