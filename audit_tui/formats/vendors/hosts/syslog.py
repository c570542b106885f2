"""Syslog: the head of a line in its three spellings, and what the texts of usual programs tell."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.line_records import line_records
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.times import NAIVE
from audit_tui.formats.values import word_list
from audit_tui.formats.vendors.hosts.journald import Facts, facts_of
from audit_tui.formats.vendors.hosts.snare import event_of_snare
from audit_tui.formats.words.prose import told_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.mapping import Telling
    from audit_tui.formats.record import Fields, LogText, Record, Reject

_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
_NEW = re.compile(
    rf"(?:<(?P<priority>\d{{1,3}})>)?1 (?P<timestamp>{_TIME}) (?P<host>\S+) (?P<program>\S+) (?P<pid>\S+)"
    r" (?P<message_id>\S+)"
    r" (?P<data>-|(?:\[(?:[^\]\\\"]|\\.|\"(?:[^\"\\]|\\.)*\")*\])+)(?: (?P<message>.*))?\Z",
    re.DOTALL,
)
_OLD = re.compile(
    rf"(?:<(?P<priority>\d{{1,3}})>)?"
    rf"(?P<timestamp>{_TIME}|[A-Z][a-z]{{2}} [ \d]\d(?: \d{{4}})? \d\d:\d\d:\d\d)"
    r" (?P<host>\S+)(?: :)? (?P<program>[^\s:\[]+)(?:\[(?P<pid>[^\]]*)\])?: ?(?P<message>.*)\Z",
    re.DOTALL,
)
_FACILITIES = word_list(
    "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock"
    " local0 local1 local2 local3 local4 local5 local6 local7"
)
_SEVERITIES = (6, 6, 5, 4, 3, 2, 1, 1)
"""Of the levels 0 to 7, from emergency to debug."""
_YEARLESS_TIME = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:")
_YEARLESS = (
    "names no year in its times, which were read as of {years}, the last before it was written"
    " (--year YEAR reads them as of another)"
)
MONTHS = word_list("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")
_HALF_A_YEAR = 6
_MOST_YEARS = 5
"""A day that comes every four years."""
WITH_YEAR = "p_time"
"""Begins as what a warehouse adds: the year that was guessed is not part of the key."""
_FEWEST_SECONDS = 631_152_000
"""Files that were never written since 1990 have the time of a build or of an archive, not their own."""
_AHEAD = timedelta(days=2)
"""Clocks and zones may differ so much that a line seems to come from the future."""


def now() -> datetime:
    """Return the time, before which the times without a year are."""
    return datetime.now(UTC)


class Years:
    """The years of times that name none, for one log.

    With ``--year`` that of the first one, and the next after December; else each is the last before the log
    was written.
    """

    def __init__(self, text: LogText) -> None:
        self._text = text
        self._latest = _written(text.modified_s) + _AHEAD
        self._year, self._month = NAIVE.year, 0
        self._taken: set[int] = set()

    def of(self, time: str) -> str:
        """Return a time with its year, or itself where there is no such day."""
        if self._year is not None:
            month = MONTHS.index(time[:3]) + 1
            turns = (month < self._month - _HALF_A_YEAR) - (
                self._month and month > self._month + _HALF_A_YEAR
            )
            moment = _moment(self._year + turns, time)
            self._year, self._month = self._year + max(turns, 0), month if turns >= 0 else self._month
        else:
            moments = (_moment(self._latest.year - ago, time) for ago in range(_MOST_YEARS))
            moment = next((moment for moment in moments if moment and moment <= self._latest), None)
        if moment is None:
            return time
        self._taken.add(moment.year)
        return moment.replace(tzinfo=None).isoformat()

    def tell(self) -> None:
        """Note which years were taken, if any."""
        if self._taken:
            years = " and ".join(map(str, sorted(self._taken)))
            self._text.remark(_YEARLESS.format(years=years))


def _written(modified_s: float | None) -> datetime:
    """The time at which a log was last written; now, where its file does not tell a time that can be it."""
    if modified_s is None or modified_s < _FEWEST_SECONDS:
        return now()
    return min(now(), datetime.fromtimestamp(modified_s, UTC))


def _moment(year: int, time: str) -> datetime | None:
    try:
        return datetime.strptime(f"{year} {time}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def records(text: LogText) -> Iterator[Record | Reject]:
    """Return the events of a log, and the lines that are none."""
    years = Years(text)

    def fields_of(line: str) -> Fields | None:
        match = _NEW.match(line) or _OLD.match(line)
        if match is None:
            return None
        fields = {
            name: value for name, value in match.groupdict().items() if value is not None and value != "-"
        }
        if _YEARLESS_TIME.match(fields.get("timestamp", "")):
            fields[WITH_YEAR] = years.of(fields["timestamp"])
        return fields

    try:
        yield from line_records(text, fields_of, "syslog")
    finally:
        years.tell()


def refine(telling: Telling) -> None:
    """Tell what the program says."""
    program, message = telling.text("program") or "", telling.text("message", "data") or ""
    telling.values["event"] = program or "message"
    priority = telling.text("priority")
    if priority is not None and int(priority) < 8 * len(_FACILITIES):
        telling.values["category"] = _FACILITIES[int(priority) // 8]
        telling.values["severity"] = _SEVERITIES[int(priority) % 8]
    if (snared := event_of_snare(message)) is not None:
        telling.values |= {
            name: value
            for name in ("event", "category", "user", "source_ip", "target")
            if (value := getattr(snared, name)) is not None
        }
        outcome = told_by(message).outcome if snared.outcome is Outcome.UNKNOWN else snared.outcome
        telling.verdict, telling.sentence = Verdict(outcome), snared.description
        return
    facts = facts_of(program or "(none)", message)
    telling.values |= {"user": facts.user, "source_ip": facts.address, "target": facts.target}
    telling.verdict = Verdict(facts.outcome)
    if facts == Facts():
        prose = told_by(message)
        telling.values |= {"user": prose.user, "source_ip": prose.address, "target": prose.target}
        telling.values.setdefault("severity", prose.severity)
        telling.verdict = Verdict(prose.outcome, prose.is_denied)
    telling.sentence = " ".join((facts.sentence or message or f"{program} wrote nothing").split())
