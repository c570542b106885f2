"""Views with a name: ten that ship, and the user's own in one TOML file, fit to be kept in git.

A view is a query line as it is typed. It may also choose the hours outside of working time, or what is new in
its range, which no line can say: ``new`` is answered by whoever can ask a reader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_tui.core.columns import Column, column_named
from audit_tui.core.event import to_us
from audit_tui.core.event_fields import list_field
from audit_tui.core.filter.filters import EVERYTHING, Condition
from audit_tui.core.filter.filters import All as AllOf
from audit_tui.core.filter.filters import Any as AnyOf
from audit_tui.core.filter.operators import AT_LEAST, IS, LESS
from audit_tui.core.new_file import private_file, read_small
from audit_tui.core.query import NEWEST_FIRST, Interval, Sort
from audit_tui.core.query_line.parse import parse
from audit_tui.core.query_line.text import line_of
from audit_tui.core.record import Record
from audit_tui.core.time.dates import Preset, bound_texts, resolve
from audit_tui.core.time.month import shift_days
from audit_tui.core.time.zones import local_time
from audit_tui.core.view import View
from audit_tui.errors import AuditTuiError, FileError, UsageError

if TYPE_CHECKING:
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.time.dates import TimeContext

FILE_NAME = "views.toml"
MAX_FILE_BYTES = 1_000_000
MAX_NAME_CHARS = 60
MAX_DAYS = 100
"""The longest range whose hours outside of working time are worked out, one condition a day."""
STARS = range(1, 10)
NEW_COLUMNS = (Column.USER, Column.EVENT, Column.SOURCE_IP)
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.ASCII)
_DAY_MINUTES = 24 * 60
_SATURDAY = 5
_HEAD = """\
# Views of audit-tui. It writes this file whole when a view is saved, starred or removed on the screen;
# comments other than these lines are lost then.
"""


class SavedView(Record):
    """A view with a name."""

    name: str
    query: str = ""
    """A query line."""
    preset: Preset | None = None
    """The time range; None takes that of the line, else leaves the one that is shown."""
    sort: Sort = NEWEST_FIRST
    star: int | None = None
    """The digit that shows it; None has none."""
    outside: str = ""
    """``07:00-19:00``: only outside of these hours from Monday to Friday; empty for any time."""
    new: Column | None = None
    """Only events with a value in this column that no event before the range has; None for all."""
    is_shipped: bool = False

    def view(self, context: TimeContext, shown: View) -> View:
        """Return what it shows, but for ``new``.

        Raises:
            UsageError: If its line cannot be read, or its range is too long for its hours.
        """
        query = parse(self.query, context)
        time_range = self.preset or query.time_range or shown.time_range
        expression = query.filter
        if self.outside:
            hours = _outside(self.outside, resolve(time_range, context), context.zone, to_us(context.now))
            expression = hours if expression == EVERYTHING else AllOf((expression, hours))
        return View(expression, time_range, self.sort)

    @property
    def words(self) -> str:
        """Return what it shows in one line."""
        parts = [self.preset.label if self.preset else "", self.query]
        parts += [
            f"outside {self.outside}" if self.outside else "",
            f"new {self.new.label}" if self.new else "",
        ]
        return " · ".join(filter(None, parts)) or "everything"

    def to_toml(self) -> str:
        """Return it as a table of the file."""
        column, descending = self.sort.column, self.sort.descending
        order = "" if self.sort == NEWEST_FIRST else f"{'-' if descending else ''}{column.value}"
        fields: dict[str, str | int | None] = {
            "name": self.name,
            "query": self.query,
            "range": self.preset.slug if self.preset else "",
            "sort": order,
            "outside": self.outside,
            "new": self.new.value if self.new else "",
            "star": self.star,
        }
        lines = [f"{name} = {_toml(value)}" for name, value in fields.items() if value]
        return "\n".join(["[[view]]", *lines, ""])


def saved(name: str, view: View, context: TimeContext) -> SavedView:
    """Return a view as it is saved under a name: a preset stays one, other ranges become moments.

    Raises:
        UsageError: If the name is empty or too long.
    """
    name = name.strip()
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise UsageError(f"A name has 1 to {MAX_NAME_CHARS} characters that can be printed.")
    line = line_of(view.in_force)
    if isinstance(view.time_range, Preset):
        return SavedView(name, line, view.time_range, view.sort)
    since, until = bound_texts(view.time_range, context)
    bounds = [f'since:"{since}"' if since else "", f'until:"{until}"' if until else ""]
    return SavedView(name, " ".join(filter(None, (line, *bounds))), None, view.sort)


class SavedViews:
    """The user's views and those that ship."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        """A sentence on what is wrong with the file; empty when nothing is."""
        self._views = self._read()

    def __iter__(self) -> Iterator[SavedView]:
        """The user's views, then those that ship; a star that two have is the user's."""
        names = {view.name for view in self._views}
        stars = {view.star for view in self._views}
        yield from self._views
        for view in shipped():
            if view.name not in names:
                yield replace(view, star=None) if view.star in stars else view

    def starred(self, digit: int) -> SavedView | None:
        """Return the view of a digit; None if it has none."""
        return next((view for view in self if view.star == digit), None)

    def save(self, view: SavedView) -> None:
        """Write a view down, in the place of the one of its name.

        Raises:
            FileError: If the file cannot be written, or holds what cannot be read.
        """
        view = replace(view, is_shipped=False)
        others = (replace(other, star=None) if other.star == view.star else other for other in self._latest())
        before = [other for other in others if other.name != view.name]
        self._write([*before, view])

    def remove(self, name: str) -> bool:
        """Remove a view of the user's; False if there is none of that name.

        Raises:
            FileError: If the file cannot be written, or holds what cannot be read.
        """
        rest = [view for view in self._latest() if view.name != name]
        is_gone = len(rest) < len(self._views)
        if is_gone:
            self._write(rest)
        return is_gone

    def _latest(self) -> list[SavedView]:
        self._views = self._read()
        if self.problem:
            raise FileError(self.problem, "Mend it, or move it away: it is not written over.")
        return self._views

    def _write(self, views: list[SavedView]) -> None:
        with private_file(self.path) as stream:
            stream.write("\n".join([_HEAD, *(view.to_toml() for view in views)]))
        self._views = views

    def _read(self) -> list[SavedView]:
        try:
            views = list(_views(read_small(self.path, MAX_FILE_BYTES)))
        except (OSError, ValueError, RecursionError, AuditTuiError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self.problem = f"The saved views cannot be read: {self.path}: {reason}."
            return []
        self.problem = ""
        return views


@lru_cache(maxsize=1)
def shipped() -> tuple[SavedView, ...]:
    """The views that ship with the package; read at the first call."""
    from importlib.resources import files

    text = (files("audit_tui.core.investigate") / "saved_views.toml").read_text(encoding="utf-8")
    return tuple(replace(view, is_shipped=True) for view in _views(text))


def only_new(column: Column, values: Sequence[str]) -> Filter:
    """Return the filter of the events with one of these values, which are new."""
    return AnyOf(tuple(Condition(column, IS, value) for value in values))


def _views(text: str) -> Iterable[SavedView]:
    import tomllib

    tables = tomllib.loads(text).get("view", [])
    if not isinstance(tables, list):
        raise ValueError("views are written as [[view]]")
    return [_view(table) for table in tables]


def _view(table: Mapping[str, Any]) -> SavedView:
    if not isinstance(table, dict):
        raise ValueError("views are written as [[view]]")
    name = table.get("name", "")
    unknown = table.keys() - {"name", "query", "range", "sort", "outside", "new", "star"}
    texts = {key: table.get(key, "") for key in ("name", "query", "range", "sort", "outside", "new")}
    if unknown or not all(isinstance(value, str) for value in texts.values()) or not name:
        raise ValueError(f"the view {name!r} has {', '.join(sorted(unknown)) or 'a value that is not text'}")
    star, order = table.get("star"), texts["sort"]
    key = list_field(order.removeprefix("-")) if order else NEWEST_FIRST.column
    new = column_named(texts["new"]) if texts["new"] else None
    if key is None or (star is not None and star not in STARS) or (texts["new"] and new not in NEW_COLUMNS):
        raise ValueError(f"the view {name!r} has a sort, new or star that does not exist")
    if texts["outside"] and _hours(texts["outside"]) is None:
        raise ValueError(f'the view {name!r} has no hours in outside: write "07:00-19:00"')
    return SavedView(
        texts["name"],
        texts["query"],
        Preset.parse(texts["range"]) if texts["range"] else None,
        Sort(key, order.startswith("-")) if order else NEWEST_FIRST,
        star,
        texts["outside"],
        new,
    )


def _outside(hours: str, interval: Interval, zone: tzinfo, now_us: int) -> Filter:
    """Return the filter of the times outside of these hours, day by day, and of all weekends."""
    working = _hours(hours)
    if working is None or interval.start_us is None:
        raise UsageError("Off hours need a time range with a beginning.", "Choose one with the key t.")
    day = local_time(interval.start_us, zone).date()
    end_us = now_us + 1 if interval.end_us is None else interval.end_us
    last = local_time(end_us, zone).date()
    if (last - day).days > MAX_DAYS:
        raise UsageError(
            f"Off hours of more than {MAX_DAYS} days cannot be shown.", "Choose a shorter range."
        )
    parts: list[Filter] = []
    open_us = interval.start_us
    while day <= last:
        if day.weekday() < _SATURDAY:
            begins_us, ends_us = (_moment_us(day, minutes, zone) for minutes in working)
            work_us = min(begins_us, end_us)
            if work_us > open_us:
                parts.append(_between(open_us, work_us))
            open_us = max(open_us, ends_us)
        day += timedelta(days=1)
    if open_us < end_us:
        parts.append(_between(open_us, end_us))
    return AnyOf(tuple(parts))


def _hours(text: str) -> tuple[int, int] | None:
    """Return the minutes of a day between which people work; None for what is not a part of one day."""
    match = _HOURS.fullmatch(text)
    if match is None:
        return None
    first_hour, first_minute, last_hour, last_minute = map(int, match.groups())
    begins, ends = 60 * first_hour + first_minute, 60 * last_hour + last_minute
    is_part = begins < ends <= _DAY_MINUTES and max(first_minute, last_minute) < 60
    return (begins, ends) if is_part else None


def _moment_us(day: date, minutes: int, zone: tzinfo) -> int:
    """Return when a clock shows a minute of a day; the last one, 24:00, is the first of the next day."""
    days, minutes = divmod(minutes, _DAY_MINUTES)
    return to_us(datetime.combine(shift_days(day, days), time(*divmod(minutes, 60)), zone))


def _between(start_us: int, end_us: int) -> Filter:
    return AllOf((Condition(Column.TIME, AT_LEAST, str(start_us)), Condition(Column.TIME, LESS, str(end_us))))


def _toml(value: str | int | None) -> str:
    """Return a value as TOML has it: JSON's strings are its basic strings, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
