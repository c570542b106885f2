"""MariaDB: lines of the server_audit plugin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.line_records import line_records
from audit_tui.formats.mapping import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.mapping import Telling
    from audit_tui.formats.record import Fields, LogText, Record, Reject

_LINE = re.compile(
    r"(?P<date>\d{8}) (?P<clock>\d\d:\d\d:\d\d),(?P<server>[^,]*),(?P<user>[^,]*),(?P<host>[^,]*),"
    r"(?P<connection>\d+),(?P<query>\d+),(?P<operation>[A-Z_]+),(?P<database>[^,]*),(?P<object>.*),(?P<retcode>-?\d+)\Z"
)


def records(text: LogText) -> Iterator[Record | Reject]:
    """Return the events of a log, and the lines that are none."""
    return line_records(text, _fields, "server_audit")


def _fields(line: str) -> Fields | None:
    match = _LINE.match(line)
    if match is None:
        return None
    fields = {name: value for name, value in match.groupdict().items() if value}
    date = fields.pop("date")
    fields["time"] = f"{date[:4]}-{date[4:6]}-{date[6:]} {fields.pop('clock')}"
    if "object" in fields:
        fields["object"] = fields["object"].removeprefix("'").removesuffix("'")
    return fields


def refine(telling: Telling) -> None:
    """Tell a connection that failed, and the table or the statement."""
    if telling.event == "FAILED_CONNECT":
        telling.verdict = Verdict(Outcome.FAILURE, telling.verdict.is_denied)
    telling.values["category"] = "connection" if telling.event.endswith("CONNECT") else "statement"
    if telling.event not in ("QUERY", "CONNECT", "DISCONNECT", "FAILED_CONNECT"):
        telling.values["target"] = telling.text("object") or telling.target
