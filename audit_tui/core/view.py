"""The choice of what to see: a filter, a time range, an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.columns import Column, sort_key
from audit_tui.core.filters import EVERYTHING, All, Condition, everywhere, in_words
from audit_tui.core.operators import AT_LEAST, LESS
from audit_tui.core.query import NEWEST_FIRST, EventQuery, Interval, Sort
from audit_tui.core.record import Record
from audit_tui.core.time.dates import DEFAULT_RANGE, TimeContext, TimeRange, range_label, resolve

if TYPE_CHECKING:
    from audit_tui.core.filters import Filter


class View(Record):
    """A choice of events. Immutable: a change makes a new one."""

    filter: Filter = EVERYTHING
    time_range: TimeRange = DEFAULT_RANGE
    """As it was chosen: a preset stays one, and is worked out again on another day."""
    sort: Sort = NEWEST_FIRST

    def query(self, context: TimeContext) -> EventQuery:
        """Return the question for a reader, worked out for this moment and zone."""
        expression, interval = _timed(self.filter, resolve(self.time_range, context))
        return EventQuery(everywhere(expression), interval, self.sort)

    def filter_words(self) -> str:
        """Return the filter as a sentence part; empty for everything. From data: clean it before drawing."""
        return in_words(self.filter)

    def range_words(self, context: TimeContext) -> str:
        """Return the label of the range on its button."""
        return range_label(self.time_range, context)


def _timed(expression: Filter, interval: Interval) -> tuple[Filter, Interval]:
    """Return a filter without the times that all its events must have, and the interval narrowed by them.

    A store finds an interval at once, and tests a condition on the time row by row.
    """
    parts = expression.parts if isinstance(expression, All) else (expression,)
    start_us, end_us = interval.start_us, interval.end_us
    others: list[Filter] = []
    for part in parts:
        bound = _bound_us(part)
        if bound is None or not isinstance(part, Condition):
            others.append(part)
        elif part.operator is AT_LEAST:
            start_us = bound if start_us is None else max(start_us, bound)
        else:
            end_us = bound if end_us is None else min(end_us, bound)
    if len(others) == len(parts):
        return expression, interval
    if start_us is not None and end_us is not None:
        end_us = max(start_us, end_us)
    return others[0] if len(others) == 1 else All(tuple(others)), Interval(start_us, end_us)


def _bound_us(part: Filter) -> int | None:
    """Return the time of a condition that bounds it; None for any other."""
    if not isinstance(part, Condition) or part.field is not Column.TIME or part.value is None:
        return None
    if part.operator not in (AT_LEAST, LESS) or not part.value.lstrip("-").isdecimal():
        return None
    return int(part.value)


def next_sort(current: Sort, column: Column) -> Sort:
    """Return the order after a column was chosen: ascending, descending, then newest first again.

    A column that no store can sort by changes nothing.
    """
    key = sort_key(column)
    if key is None:
        return current
    if current == NEWEST_FIRST or current.column is not key:
        return Sort(key, descending=False)
    return NEWEST_FIRST if current.descending else Sort(key, descending=True)


def sort_words(sort: Sort) -> str:
    """Return the order as the status line says it."""
    if sort == NEWEST_FIRST:
        return "newest first"
    if sort.column is NEWEST_FIRST.column:
        return "oldest first"
    return f"by {sort.column.label.lower()}{', descending' if sort.descending else ''}"
