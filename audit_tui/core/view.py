"""The choice of what to see: a filter, a time range, an order; and the ways out where that shows nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.event_fields import field_words
from audit_tui.core.filter.filters import (
    EVERYTHING,
    All,
    Condition,
    MetaField,
    conditions_in,
    everywhere,
    in_words,
)
from audit_tui.core.filter.operators import AT_LEAST, IS, LESS
from audit_tui.core.query import NEWEST_FIRST, EventQuery, Interval, Sort
from audit_tui.core.query_line.text import line_of
from audit_tui.core.record import Record
from audit_tui.core.time.dates import DEFAULT_RANGE, Preset, TimeContext, TimeRange, range_label, resolve

if TYPE_CHECKING:
    from audit_tui.core.event_fields import ListField
    from audit_tui.core.filter.filters import Filter


class Chip(Record):
    """A condition that was made by pointing at a value: it narrows whatever the Filter dialog says."""

    filter: Filter
    is_on: bool = True
    """False: it stays on the screen, to be switched on again, and narrows nothing."""


class ListedColumn(Record):
    """A column of the list."""

    field: ListField
    width: int | None = None
    """The cells that the user gave it; None lets the list choose."""


class View(Record):
    """A choice of events. Immutable: a change makes a new one."""

    filter: Filter = EVERYTHING
    """The Filter dialog's; ``in_force`` is what events are chosen by."""
    time_range: TimeRange = DEFAULT_RANGE
    """As it was chosen: a preset stays one, and is worked out again on another day."""
    sort: Sort = NEWEST_FIRST
    chips: tuple[Chip, ...] = ()
    """Each must hold beside the filter, while it is on."""
    is_lifted: bool = False
    """All filters are taken off for a look around, to be put back as they were."""
    columns: tuple[ListedColumn, ...] = ()
    """The columns of the list, in order; empty takes those of the settings."""

    @property
    def in_force(self) -> Filter:
        """The filter that events are chosen by: the dialog's and all chips that are on."""
        if self.is_lifted:
            return EVERYTHING
        parts = _parts(self.filter)
        for chip in self.chips:
            if chip.is_on:
                parts += tuple(part for part in _parts(chip.filter) if part not in parts)
        return parts[0] if len(parts) == 1 else All(parts)

    @property
    def filter_count(self) -> int:
        """The number of conditions in force."""
        return sum(1 for _ in conditions_in(self.in_force))

    def query(self, context: TimeContext) -> EventQuery:
        """Return the question for a reader, worked out for this moment and zone."""
        expression, interval = _timed(self.in_force, resolve(self.time_range, context))
        paths = tuple(column.field.path for column in self.columns if isinstance(column.field, MetaField))
        return EventQuery(everywhere(expression), interval, self.sort, paths=paths)

    def filter_words(self) -> str:
        """Return the filter as a sentence part; empty for everything. From data: clean it before drawing."""
        return in_words(self.in_force)

    def with_filters(self, change: Callable[[Filter], Filter]) -> View:
        """Return the view with each of its filters changed, and with them the names of metadata fields."""
        chips = tuple(replace(chip, filter=change(chip.filter)) for chip in self.chips)
        columns = tuple(replace(column, field=_changed(column.field, change)) for column in self.columns)
        return replace(self, filter=change(self.filter), chips=chips, columns=columns)

    def narrowed(self, more: Filter) -> View:
        """Return the view with a chip for each part of a filter; one that was off is switched on.

        While the filters are lifted they stay off, each to be switched on again by itself.
        """
        view = self._settled()
        chips = list(view.chips)
        for part in _parts(more):
            place = next((index for index, chip in enumerate(chips) if chip.filter == part), None)
            if place is not None:
                chips[place] = Chip(part)
            elif part not in _parts(view.filter):
                chips.append(Chip(part))
        return replace(view, chips=tuple(chips))

    def with_chip_switched(self, index: int) -> View:
        """Return the view with the chip at a place switched off, or on again."""
        view = self._settled()
        index += len(view.chips) - len(self.chips)
        chip = view.chips[index]
        changed = replace(chip, is_on=not chip.is_on)
        return replace(view, chips=(*view.chips[:index], changed, *view.chips[index + 1 :]))

    def without_chip(self, index: int) -> View:
        """Return the view without the chip at a place; -1 is the last."""
        return replace(self, chips=tuple(chip for chip in self.chips if chip is not self.chips[index]))

    def without_filters(self) -> View:
        """Return the view with neither filter nor chips; range and order stay."""
        return replace(self, filter=EVERYTHING, chips=(), is_lifted=False)

    def _settled(self) -> View:
        """Return the view with what is lifted as chips that are off, the dialog's filter first."""
        if not self.is_lifted:
            return self
        filters = [
            *([self.filter] if self.filter != EVERYTHING else []),
            *(chip.filter for chip in self.chips),
        ]
        chips = tuple(Chip(each, is_on=False) for each in filters)
        return replace(self, filter=EVERYTHING, chips=chips, is_lifted=False)

    def range_words(self, context: TimeContext) -> str:
        """Return the label of the range on its button."""
        return range_label(self.time_range, context)


def _changed(field: ListField, change: Callable[[Filter], Filter]) -> ListField:
    if not isinstance(field, MetaField):
        return field
    changed = change(Condition(field, IS, None))
    if isinstance(changed, Condition) and isinstance(changed.field, MetaField):
        return changed.field
    return field


def chipped(view: View) -> View:
    """Return a view whose filter stands in chips, as that of a command line does."""
    return replace(view, filter=EVERYTHING).narrowed(view.filter)


def _parts(expression: Filter) -> tuple[Filter, ...]:
    return expression.parts if isinstance(expression, All) else (expression,)


def _timed(expression: Filter, interval: Interval) -> tuple[Filter, Interval]:
    """Return a filter without the times that all its events must have, and the interval narrowed by them.

    A store finds an interval at once, and tests a condition on the time row by row.
    """
    parts = _parts(expression)
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
    if not isinstance(part, Condition) or part.field is not Column.TIME or part.value is None:
        return None
    if part.operator not in (AT_LEAST, LESS) or not part.value.lstrip("-").isdecimal():
        return None
    return int(part.value)


def next_sort(current: Sort, column: ListField) -> Sort:
    """Return the order after a column was chosen: ascending, descending, then newest first again."""
    if current == NEWEST_FIRST or current.column != column:
        return Sort(column, descending=False)
    return NEWEST_FIRST if current.descending else Sort(column, descending=True)


def sort_words(sort: Sort) -> str:
    """Return the order as the status line says it."""
    if sort == NEWEST_FIRST:
        return "newest first"
    if sort.column is NEWEST_FIRST.column:
        return "oldest first"
    return f"by {field_words(sort.column)}{', descending' if sort.descending else ''}"


class WayOut(Record):
    """A change that may show events."""

    words: str
    """The thing that is dropped, "without user=alice". From data: clean it before drawing."""
    view: View


def ways_out(view: View, context: TimeContext) -> tuple[WayOut, ...]:
    """Return the single things to drop: what came last first, the time range at the end."""
    if view.is_lifted:
        return _wider(view, context)
    ways = []
    for index in reversed(range(len(view.chips))):
        if view.chips[index].is_on:
            # It stays as a chip that is off.
            words = f"without {line_of(view.chips[index].filter)}"
            ways.append(WayOut(words, view.with_chip_switched(index)))
    parts = view.filter.parts if isinstance(view.filter, All) else (view.filter,)
    for index in reversed(range(len(parts))):
        rest = All(parts[:index] + parts[index + 1 :])
        ways.append(WayOut(f"without {line_of(parts[index])}", replace(view, filter=rest)))
    return (*ways, *_wider(view, context))


def last_resorts(view: View, context: TimeContext) -> tuple[WayOut, ...]:
    """Return what is left where no single thing helps: all filters off, then all times too."""
    lifted = replace(view, is_lifted=True)
    if view.in_force == EVERYTHING:
        return ()
    return WayOut("without any filter", lifted), *(
        WayOut(f"without any filter, {way.words}", way.view) for way in _wider(lifted, context)
    )


def _wider(view: View, context: TimeContext) -> tuple[WayOut, ...]:
    if view.time_range is Preset.ALL_TIME:
        return ()
    wider = replace(view, time_range=Preset.ALL_TIME)
    return (WayOut(f"{wider.range_words(context)} instead of {view.range_words(context)}", wider),)
