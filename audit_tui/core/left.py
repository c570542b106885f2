"""The place at which a review was left, to begin there again: as a record, and as a JSON file can hold it.

A file can be broken or written by somebody else, so everything read from it is checked: what comes out is
a record like any other, or nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.event_fields import list_field
from audit_tui.core.filter.filters import All, Any, Condition, Not, conditions_in, field_named
from audit_tui.core.filter.operators import BY_KEY
from audit_tui.core.flat_filter import FlatFilter, Match
from audit_tui.core.query import PageKey, Sort
from audit_tui.core.record import Record
from audit_tui.core.time.dates import MomentRange, Preset, TimeRange
from audit_tui.core.time.month import DayRange
from audit_tui.core.view import Chip, View
from audit_tui.errors import FilterError

if TYPE_CHECKING:
    from audit_tui.core.filter.filters import Filter

MAX_CONDITIONS = 100
"""More rows than anyone adds by hand; SQLite takes expressions up to a depth of 1,000."""
MAX_DEPTH = 50
MAX_LINE = 10_000
_INT64 = 2**63
_MAX_SEQ = 2**62

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"
"""The values that JSON holds."""


class Left(Record):
    """A view, and the place of the cursor in it."""

    view: View
    event: PageKey | None = None
    """The event under the cursor; None when there was none, or it was not read yet."""
    line: int = 0
    """The number of rows above it on the screen."""

    def to_plain(self) -> dict[str, Plain]:
        """Return the same for a JSON file."""
        key = self.event
        chips: dict[str, Plain] = {
            "chips": [[_plain_filter(chip.filter), chip.is_on] for chip in self.view.chips],
            "lifted": self.view.is_lifted,
        }
        return {
            "range": _plain_range(self.view.time_range),
            "filter": _plain_filter(self.view.filter),
            **(chips if any(chips.values()) else {}),
            "sort": [self.view.sort.column.value, self.view.sort.descending],
            "event": None if key is None else [key.value, key.occurred_us, key.seq],
            "line": self.line,
        }

    @classmethod
    def from_plain(cls, plain: object) -> Left:
        """Read what ``to_plain`` wrote, of this version or of one that knew flat filters only.

        Raises:
            ValueError: If it is anything else.
        """
        match plain:
            case {
                "range": wanted_range,
                "sort": [str(column), bool(descending)],
                "event": event,
                "line": line,
            }:
                match plain:
                    case {"filter": tree}:
                        expression = _filter(tree)
                    case {"match": str(match), "filters": list(filters)}:
                        conditions = tuple(_condition(row) for row in filters)
                        expression = FlatFilter(Match(match), conditions).expression()
                    case _:
                        raise ValueError("not a filter")
                chips, is_lifted = _chips(plain)
                if (
                    len(tuple(conditions_in(All((expression, *(chip.filter for chip in chips))))))
                    > MAX_CONDITIONS
                ):
                    raise ValueError("too many conditions")
                key = list_field(column)
                if key is None:
                    raise ValueError("not an order")
                view = View(expression, _range(wanted_range), Sort(key, descending), chips, is_lifted)
                return cls(view, _page_key(event), _integer(line, 0, MAX_LINE))
        raise ValueError("not a place in a store")


def _plain_filter(expression: Filter) -> Plain:
    match expression:
        case Condition(field=field, operator=operator, value=value):
            return [field.value, operator.key, value]
        case Not(part=part):
            return {"not": _plain_filter(part)}
        case All(parts=parts):
            return {"all": [_plain_filter(part) for part in parts]}
        case Any(parts=parts):
            return {"any": [_plain_filter(part) for part in parts]}


def _chips(plain: object) -> tuple[tuple[Chip, ...], bool]:
    """Return the chips of a place, and whether all filters were lifted; places without chips have neither."""
    match plain:
        case {"chips": [*rows], "lifted": bool(is_lifted)}:
            return tuple(_chip(row) for row in rows), is_lifted
        case {"chips": _}:
            raise ValueError("not chips")
    return (), False


def _chip(plain: object) -> Chip:
    match plain:
        case [tree, bool(is_on)]:
            return Chip(_filter(tree), is_on)
    raise ValueError("not a chip")


def _filter(plain: object, depth: int = 0) -> Filter:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    match plain:
        case {"not": part}:
            return Not(_filter(part, depth + 1))
        case {"all": [*parts]}:
            return All(tuple(_filter(part, depth + 1) for part in parts))
        case {"any": [*parts]}:
            return Any(tuple(_filter(part, depth + 1) for part in parts))
    return _condition(plain)


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
            if key in BY_KEY:
                try:
                    return Condition(field_named(field), BY_KEY[key], _value(value))
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
