"""What the user has chosen to see: a filter, a time range, an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.filters import NO_FILTER, FlatFilter, in_words
from audit_tui.core.query import NEWEST_FIRST, EventQuery, Sort
from audit_tui.core.record import Record
from audit_tui.core.time.dates import DEFAULT_RANGE, TimeContext, TimeRange, range_label, resolve

if TYPE_CHECKING:
    from audit_tui.core.event import EventColumn


class View(Record):
    """A choice of events. Immutable: a change makes a new one."""

    filter: FlatFilter = NO_FILTER
    time_range: TimeRange = DEFAULT_RANGE
    """As it was chosen: a preset stays one, and is worked out anew on another day."""
    sort: Sort = NEWEST_FIRST

    def query(self, context: TimeContext) -> EventQuery:
        """The question for a reader, worked out for this moment and zone."""
        return EventQuery(self.filter.expression(), resolve(self.time_range, context), self.sort)

    def filter_words(self) -> str:
        """The filter as a sentence part; empty when there is none. From data: clean it before drawing."""
        return in_words(self.filter.expression())

    def range_words(self, context: TimeContext) -> str:
        """What the range is called on its button."""
        return range_label(self.time_range, context)


def next_sort(current: Sort, column: EventColumn) -> Sort:
    """The order after the column was chosen: ascending, descending, then newest first again."""
    if current == NEWEST_FIRST or current.column is not column:
        return Sort(column, descending=False)
    return NEWEST_FIRST if current.descending else Sort(column, descending=True)


def sort_words(sort: Sort) -> str:
    """The order as the status line says it."""
    if sort == NEWEST_FIRST:
        return "newest first"
    if sort.column is NEWEST_FIRST.column:
        return "oldest first"
    return f"by {sort.column.label.lower()}{', descending' if sort.descending else ''}"
