"""Where a review was left, to begin there again: as a record, and as what a JSON file can hold.

A file can be broken or written by somebody else, so everything read from it is checked: what comes out is
a record like any other, or nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TypeAlias

from audit_tui.core.event import EventColumn
from audit_tui.core.filters import ALL_OPERATORS, Condition, FlatFilter, Match, field_named
from audit_tui.core.query import PageKey, Sort
from audit_tui.core.record import Record
from audit_tui.core.time.dates import MomentRange, Preset, TimeRange
from audit_tui.core.time.month import DayRange
from audit_tui.core.view import View
from audit_tui.errors import FilterError

MAX_CONDITIONS = 100
"""More rows than anyone adds by hand; SQLite takes expressions up to a depth of 1,000."""
MAX_LINE = 10_000
_INT64 = 2**63
_MAX_SEQ = 2**62

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"
"""What JSON holds."""


class Left(Record):
    """What was shown, and where the cursor stood."""

    view: View
    event: PageKey | None = None
    """The event under the cursor; None when there was none, or it was not read yet."""
    line: int = 0
    """How many rows stood above it on the screen."""

    def to_plain(self) -> dict[str, Plain]:
        """The same for a JSON file."""
        key = self.event
        return {
            "range": _plain_range(self.view.time_range),
            "match": self.view.filter.match.value,
            "filters": [
                [condition.field.value, condition.operator.key, condition.value]
                for condition in self.view.filter.conditions
            ],
            "sort": [self.view.sort.column.value, self.view.sort.descending],
            "event": None if key is None else [key.value, key.occurred_us, key.seq],
            "line": self.line,
        }

    @classmethod
    def from_plain(cls, plain: object) -> Left:
        """Read what ``to_plain`` wrote.

        Raises:
            ValueError: If it is anything else.
        """
        match plain:
            case {
                "range": wanted_range,
                "match": str(match),
                "filters": list(filters),
                "sort": [str(column), bool(descending)],
                "event": event,
                "line": line,
            } if len(filters) <= MAX_CONDITIONS:
                conditions = tuple(_condition(row) for row in filters)
                view = View(
                    FlatFilter(Match(match), conditions),
                    _range(wanted_range),
                    Sort(EventColumn(column), descending),
                )
                return cls(view, _page_key(event), _integer(line, 0, MAX_LINE))
        raise ValueError("not a place in a store")


def _plain_range(time_range: TimeRange) -> Plain:
    match time_range:
        case DayRange(first=first, last=last):
            return {"days": [first.isoformat(), last.isoformat()]}
        case MomentRange(start=start, end=end):
            return {"moments": [None if moment is None else moment.isoformat() for moment in (start, end)]}
        case _:
            return time_range.value


def _range(plain: object) -> TimeRange:
    match plain:
        case str(preset):
            return Preset(preset)
        case {"days": [str(first), str(last)]}:
            return DayRange(date.fromisoformat(first), date.fromisoformat(last))
        case {"moments": [start, end]}:
            moments = MomentRange(_moment(start), _moment(end))
            if moments.start is None or moments.end is None or moments.start <= moments.end:
                return moments
    raise ValueError("not a time range")


def _moment(plain: object) -> datetime | None:
    if plain is None:
        return None
    if not isinstance(plain, str):
        raise ValueError("not a moment")
    return datetime.fromisoformat(plain)


def _condition(plain: object) -> Condition:
    match plain:
        case [str(field), str(key), value]:
            operators = {operator.key: operator for operator in ALL_OPERATORS}
            if key in operators:
                try:
                    return Condition(field_named(field), operators[key], _value(value))
                except FilterError as error:
                    raise ValueError(error.message) from error
    raise ValueError("not a condition")


def _page_key(plain: object) -> PageKey | None:
    match plain:
        case None:
            return None
        case [value, occurred_us, seq]:
            return PageKey(
                _value(value), _integer(occurred_us, -_INT64, _INT64 - 1), _integer(seq, 0, _MAX_SEQ)
            )
    raise ValueError("not an event's place")


def _value(plain: object) -> str | None:
    if plain is not None and not isinstance(plain, str):
        raise ValueError("not a value")
    if plain is not None:
        # UnicodeEncodeError is a ValueError: SQLite takes no half characters.
        plain.encode()
    return plain


def _integer(plain: object, least: int, most: int) -> int:
    if not isinstance(plain, int) or isinstance(plain, bool) or not least <= plain <= most:
        raise ValueError("not a number that can be")
    return plain
