"""MariaDB: lines of the server_audit plugin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.mapping import Telling
    from audit_tui.formats.record import LogText

_LINE = re.compile(
    r"(?P<date>\d{8}) (?P<clock>\d\d:\d\d:\d\d),(?P<server>[^,]*),(?P<user>[^,]*),(?P<host>[^,]*),"
    r"(?P<connection>\d+),(?P<query>\d+),(?P<operation>[A-Z_]+),(?P<database>[^,]*),(?P<object>.*),(?P<retcode>-?\d+)\Z"
)


def records(text: LogText) -> Iterator[Record | Reject]:
    """Return the events of a log, and the lines that are none."""
    number = 0
    for line in text.lines():
        number += bool(line)
        plain = line.rstrip("\r\n")
        if not plain or plain.isspace():
            continue
        match = _LINE.match(plain) if len(plain) <= MAX_RECORD_CHARS else None
        if match is None:
            yield Reject(
                text.name, number, None, "it is not a line of server_audit", plain[:MAX_RECORD_CHARS]
            )
            continue
        fields = {name: value for name, value in match.groupdict().items() if value}
        date = fields.pop("date")
        fields["time"] = f"{date[:4]}-{date[4:6]}-{date[6:]} {fields.pop('clock')}"
        if "object" in fields:
            fields["object"] = fields["object"].removeprefix("'").removesuffix("'")
        is_lossy = not plain.isascii() and any("\udc80" <= letter <= "\udcff" for letter in plain)
        yield Record(fields, number, None, plain, is_lossy)


def refine(telling: Telling) -> None:
    """Tell a connection that failed, and the table or the statement."""
    if telling.event == "FAILED_CONNECT":
        telling.verdict = Verdict(Outcome.FAILURE, telling.verdict.is_denied)
    telling.values["category"] = "connection" if telling.event.endswith("CONNECT") else "statement"
    if telling.event not in ("QUERY", "CONNECT", "DISCONNECT", "FAILED_CONNECT"):
        telling.values["target"] = telling.text("object") or telling.target
