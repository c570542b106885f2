"""The choice of what to see: a filter, a time range, an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.columns import sort_key
from audit_tui.core.filters import EVERYTHING, everywhere, in_words
from audit_tui.core.query import NEWEST_FIRST, EventQuery, Sort
from audit_tui.core.record import Record
from audit_tui.core.time.dates import DEFAULT_RANGE, TimeContext, TimeRange, range_label, resolve

if TYPE_CHECKING:
    from audit_tui.core.columns import Column
    from audit_tui.core.filters import Filter


class View(Record):
    """A choice of events. Immutable: a change makes a new one."""

    filter: Filter = EVERYTHING
    time_range: TimeRange = DEFAULT_RANGE
    """As it was chosen: a preset stays one, and is worked out again on another day."""
    sort: Sort = NEWEST_FIRST

    def query(self, context: TimeContext) -> EventQuery:
        """Return the question for a reader, worked out for this moment and zone."""
        return EventQuery(everywhere(self.filter), resolve(self.time_range, context), self.sort)

    def filter_words(self) -> str:
        """Return the filter as a sentence part; empty for everything. From data: clean it before drawing."""
        return in_words(self.filter)

    def range_words(self, context: TimeContext) -> str:
        """Return the label of the range on its button."""
        return range_label(self.time_range, context)


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
