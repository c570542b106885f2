"""Linux audit logs: lines to records, records to events.

A line is a record, ``type=PATH msg=audit(1492037291.036:59): item=0 name="/usr/bin/grep"``. All records with
the same node, time and serial number are one event, whatever lies between them.
"""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from typing import TYPE_CHECKING

from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject
from audit_tui.formats.vendors.hosts.auditd_tables import type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.record import Fields, LogText

WAITING_EVENTS = 128
"""Up to this many events stay open for late records; the kernel's are some lines apart at most."""
MAX_EVENT_RECORDS = 10_000
"""More records of one event are handed over as they are: a forged log must not fill the memory."""
TEXT = "text"
"""The key of the words of a record that belong to no field."""

_TIME = r"(\d{1,12}(?:\.\d{1,9})?|\d{1,4}[/.-]\d\d?[/.-]\d{1,4} \d\d:\d\d:\d\d\.\d{3})(?::(\d{1,20}))?"
_HEAD = re.compile(rf"(?:node=(\S{{0,255}}) )?type=(\S{{0,64}}) msg=audit\({_TIME}\) ?:? ?", re.ASCII)
_LOOSE_HEAD = re.compile(
    rf"(?:\bnode=(\S{{0,255}}) )?\btype=(\S{{0,64}}) (?:msg=)?audit\({_TIME}\) ?:? ?", re.ASCII
)
"""The same behind what syslog or the kernel's own log puts before it."""
_NEXT_HEAD = re.compile(r" (?=(?:node=\S{0,255} )?type=[A-Z][A-Z0-9_]{0,63} msg=audit\(\d)", re.ASCII)
_BETWEEN = re.compile(r"-{2,}|time->.*", re.ASCII)
"""Lines that ausearch puts before each event."""
_NAME = re.compile(r"(?:\A|(?<=\s))([\w-]{1,64})=")
_BEGINS = re.compile(r"^(?:node=\S{0,255} )?type=\S{0,64} msg=audit\(\d", re.MULTILINE | re.ASCII)
_PAIR = re.compile(
    r"(?:(old|new) )?([^\s=\"']+)=(\"[^\"]*\"|'[^']*'|\{[^{}]*\}|[^\s]*)|(\S+)",
)
_PLAIN_PAIR = r"[^ =\"']++=(?:\"[^\" =]*+\"|[^\"' ={]*+)"
_PLAIN = re.compile(rf"(?:{_PLAIN_PAIR} )*+{_PLAIN_PAIR}\Z")
"""The form of nearly all records: names and values at single spaces, quotes only around whole values."""
_HEX = re.compile(r"(?:[0-9A-F]{2})+\Z")
_ODD = re.compile(r"[\t\n'\"]")
_ARGUMENT = re.compile(r"a(\d{1,9})(\[\d{1,9}\])?\Z", re.ASCII)
_ENCODED_WORDS = """
acct cmd comm cwd device dir exe file grp key name new-disk ocomm old-disk path proctitle root_dir sw unit vm
watch
"""
_ENCODED = tuple((name, f'{name}="') for name in _ENCODED_WORDS.split())
"""Fields whose values are hexadecimal digits unless they are plain, which stand in quotes; how those open."""
_ENCODED_IN = {
    kind: tuple((name, f'{name}="') for name in names.split())
    for kind, names in {
        "SYSCALL": "comm exe key",
        "PATH": "name",
        "CWD": "cwd",
        "PROCTITLE": "proctitle",
        "SOCKADDR": "",
        "TTY": "comm data",
        "USER_TTY": "data",
    }.items()
}
"""The same for types that are known; the others may have any of them."""
_REMEMBERED_CHARS = 512
"""Paths, directories and commands come again and again; longer records would fill the memory."""
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


def begins(head: str) -> bool:
    """Tell whether a log begins as the audit system writes it, perhaps through syslog."""
    if _BEGINS.search(head) is not None:
        return True
    lines = [line for line in head.split("\n")[:20] if line.strip()]
    recognised = sum(_LOOSE_HEAD.search(line) is not None for line in lines)
    return recognised > 0 and 2 * recognised >= len(lines)


def decoded(value: str) -> str:
    """The text behind hexadecimal digits; other values as they are.

    Bytes that are not UTF-8 become lone surrogates, as everywhere in a record's text.
    """
    if len(value) % 2 == 0 and _HEX.match(value) is not None:
        return bytes.fromhex(value).decode("utf-8", "surrogateescape")
    return value


def command_line(arguments: list[str]) -> str:
    """Arguments in one line, quoted as a shell wants them only where a space would not tell them apart."""
    line = " ".join(arguments)
    is_plain = line.count(" ") == len(arguments) - 1 and "" not in arguments
    if is_plain and _ODD.search(line) is None:
        return line
    return shlex.join(arguments)


def parse_fields(body: str, record_type: str) -> Fields:
    """The fields of a record, as ``_parsed`` reads them; records that come again share theirs."""
    return (_remembered if len(body) <= _REMEMBERED_CHARS else _parsed)(body, record_type)


def _parsed(body: str, record_type: str) -> Fields:
    """The fields of a record, those of its ``msg='...'`` and its translated ones among them.

    Quotes and hexadecimal digits, which only carry a value, are taken off. A field that is given twice with
    different values becomes a list.
    """
    if "\x1d" in body:
        body = body.replace("\x1d", " ")
    flat = _without_msg(body)
    if flat is not None and _PLAIN.match(flat) is not None:
        # Most of the time of an import goes into this, so that it does nothing value by value.
        parts = flat.replace('"', "").replace("=", " ").split(" ")
        fields: Fields = dict(zip(parts[::2], parts[1::2], strict=True))
        if 2 * len(fields) == len(parts):
            _decode(fields, record_type, flat)
            return _pieces_joined(fields) if record_type == "EXECVE" and "[" in flat else fields
    raw = _split(body)
    quoted = {name: value[1:-1] for name, value in raw.items() if _is_quoted(value)}
    fields = raw | quoted
    _decode(fields, record_type, " ".join(f'{name}="' for name in quoted))
    return _pieces_joined(fields) if record_type == "EXECVE" else fields


_remembered = lru_cache(maxsize=4_096)(_parsed)


def interpreted_fields(body: str, record_type: str) -> Fields:
    """Return the fields of a record as ``ausearch -i`` writes it: no quotes, values with spaces."""
    if record_type == "PROCTITLE":
        return {"proctitle": body.partition("proctitle=")[2].strip()}
    start = body.find("msg='")
    if start >= 0:
        body = f"{body[:start]} {body[start + 5 :].strip().removesuffix(chr(39))}"
    names = list(_NAME.finditer(body))
    ends = [name.start() for name in names[1:]] + [len(body)]
    return {name[1]: body[name.end() : end].strip(' \t"') for name, end in zip(names, ends, strict=False)}


def _joined_lines(text: str) -> list[str]:
    """The records of a line in which a shipper put several, one after another; not those in quotes."""
    parts, start = [], 0
    for match in _NEXT_HEAD.finditer(text):
        before = text[start : match.start()]
        if before.count('"') % 2 == 0 and before.count("'") % 2 == 0:
            parts.append(before)
            start = match.end()
    return [*parts, text[start:]]


def _decode(fields: Fields, record_type: str, text: str) -> None:
    """Decode the values that may be hexadecimal digits and do not stand in quotes in the text."""
    if record_type == "EXECVE":
        if text.count('="') != len(fields) - 1:
            for name, value in fields.items():
                if isinstance(value, str) and f'{name}="' not in text and _ARGUMENT.match(name) is not None:
                    fields[name] = decoded(value)
        return
    for name, opening in _ENCODED_IN.get(record_type, _ENCODED):
        value = fields.get(name)
        if isinstance(value, str) and opening not in text:
            fields[name] = _encoded(name, value)


def _is_quoted(value: object) -> bool:
    return isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'


def _without_msg(body: str) -> str | None:
    """A record's text with what its ``msg='...'`` holds in its place; None where there are other quotes."""
    if "'" not in body:
        return body.strip(" ")
    start = body.find(" msg='")
    end = body.find("'", start + 6)
    if start < 0 or end < 0 or "'" in body[:start] or body.find("'", end + 1) >= 0:
        return None
    rest = body[end + 1 :].strip(" ")
    inner = f"{body[:start].strip(' ')} {body[start + 6 : end].strip(' ')}"
    return f"{inner} {rest}" if rest else inner


def _split(body: str) -> Fields:
    """Names and values of a record of any shape; the words that belong to no name under ``text``."""
    raw: Fields = {}
    words: list[str] = []
    inner = body.find("msg='")
    end = body.rfind("'") if inner >= 0 else -1
    if end > inner + 4:
        body = f"{body[:inner]} {body[inner + 5 : end]} {body[end + 1 :]}"
    for qualifier, name, value, word in _PAIR.findall(body):
        if word:
            words.append(word)
            continue
        full_name = f"{qualifier}-{name}" if qualifier else name
        value = value.rstrip(",") if value[:1] not in "\"'{" else value
        before = raw.setdefault(full_name, value)
        if isinstance(before, list):
            before.append(value)
        elif before is not value and before != value:
            raw[full_name] = [before, value]
    if words:
        raw.setdefault(TEXT, " ".join(words))
    return raw


def _encoded(name: str, value: str) -> object:
    text = decoded(value)
    if text is value:
        return value
    if name == "proctitle":
        return command_line(text.removesuffix("\x00").split("\x00"))
    if name == "key" and "\x01" in text:
        return text.split("\x01")
    return text


def _pieces_joined(fields: Fields) -> Fields:
    """The arguments of a program; long ones come in pieces: ``a1[0]``, ``a1[1]``."""
    if not any("[" in name for name in fields):
        return fields
    joined: Fields = {}
    for name, value in fields.items():
        match = _ARGUMENT.match(name)
        whole = name if match is None else f"a{match[1]}"
        is_more = match is not None and match[2] is not None and isinstance(value, str) and whole in joined
        joined[whole] = mended(f"{joined[whole]}{value}") if is_more else value
    return joined


def mended(text: str) -> str:
    """A text whose pieces were cut between the bytes of a character."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


class _Open:
    """An event whose records are being collected."""

    __slots__ = ("fields", "line", "lines", "records")

    def __init__(self, line: int, fields: Fields) -> None:
        self.line = line
        self.fields = fields
        self.lines: list[str] = []
        self.records = 0

    def add(self, text: str, record_type: str, fields: Fields) -> None:
        """Take a record in; one that ends the event (EOE) says nothing else."""
        self.lines.append(text)
        if record_type == "EOE":
            return
        self.records += 1
        before = self.fields.get(record_type)
        if before is None:
            self.fields[record_type] = fields
        elif isinstance(before, list):
            before.append(fields)
        else:
            self.fields[record_type] = [before, fields]


class AuditdReader:
    """Reads one log; iterate over it once."""

    def __init__(self, text: LogText) -> None:
        self._text = text
        self._open: dict[tuple[str | None, str, str | None], _Open] = {}

    def __iter__(self) -> Iterator[Record | Reject]:
        number = 0
        for line in self._text.lines():
            if not line:
                # Nothing more came for a while: what waits for late records waits in vain.
                yield from self._flush(0)
                continue
            number += 1
            text = line.removesuffix("\n").removesuffix("\r")
            if not text or text.isspace():
                continue
            for part in (text,) if text.count("msg=audit(") < 2 else _joined_lines(text):
                rejected = self._take(part, number)
                if rejected is not None:
                    yield rejected
            if len(self._open) > WAITING_EVENTS:
                yield from self._flush(WAITING_EVENTS)
        yield from self._flush(0)

    def _take(self, text: str, number: int) -> Reject | None:
        match = _HEAD.match(text) or _LOOSE_HEAD.search(text)
        if match is None and _BETWEEN.fullmatch(text) is not None:
            return None
        if match is None:
            reason = "it is not a record of the audit system: no type=... msg=audit(TIME:SERIAL)"
            return Reject(self._text.name, number, None, reason, text[:MAX_RECORD_CHARS])
        if len(text) > MAX_RECORD_CHARS:
            return Reject(
                self._text.name, number, None, "the record is longer than 16 MiB", text[:MAX_RECORD_CHARS]
            )
        node, raw_type, time, serial = match.groups()
        key = (node, time, serial)
        event = self._open.get(key)
        if event is None or event.records >= MAX_EVENT_RECORDS:
            fields: Fields = {"time": time, "serial": serial}
            if node is not None:
                fields["node"] = node
            if match.start():
                fields["prefix"] = text[: match.start()].strip()
            if event is not None:
                key = (node, time, f"{serial}+{number}")
            event = self._open[key] = _Open(number, fields)
        record_type = type_name(raw_type)
        read = interpreted_fields if ":" in time else parse_fields
        event.add(text, record_type, read(text[match.end() :], record_type))
        return None

    def _flush(self, keep: int) -> Iterator[Record]:
        """The oldest events, until only ``keep`` are open."""
        while len(self._open) > keep:
            event = self._open.pop(next(iter(self._open)))
            if not event.records:
                continue  # only an EOE, whose event stands at the end of the file before
            text = "\n".join(event.lines)
            is_lossy = not text.isascii() and _NOT_UTF8.search(text) is not None
            yield Record(event.fields, event.line, None, text, is_lossy)


def auditd_records(text: LogText) -> Iterator[Record | Reject]:
    """The events of a Linux audit log, each with all its records, and the lines that are none.

    Raises:
        FileError: If the file cannot be read on.
    """
    return iter(AuditdReader(text))
