"""The table of events with runs that can stand as one line each, and rows that can be selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.list.runs import Run, Runs

if TYPE_CHECKING:
    from audit_tui.core.event import EventRow
    from audit_tui.core.window import RowWindow
    from audit_tui.ui.widgets.list.row_text import RowText

WHEEL_LINES = 2


class RangeTable(EventTable):
    """A table that folds runs, and in which the rows between two places can be selected.

    Places stay those of events: the first of a run stands for all. The selected rows are known by their place
    only, so a new result ends the selection.
    """

    @dataclass
    class RangeChanged(Message):
        """Other rows are selected."""

        count: int

    _range_start: int | None = None

    @dataclass
    class RunNeeded(Message):
        """A run goes on beyond the rows in memory."""

        row: EventRow

    class Folded(Message):
        """Runs are folded, or shown in full again."""

    def __init__(self, row_text: RowText, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(row_text, id=id)
        self._runs = Runs()
        self._asked_run: int | None = None
        self.is_folded = False

    def fold(self, *, is_folded: bool) -> None:
        line = self.line_of(self.cursor_row)
        self.is_folded = is_folded
        self._runs.begin(self._window)
        self._asked_run = None
        self._show_from(self.moved(self.cursor_row, -max(0, min(line, self.visible_rows - 1))))
        self._redraw()
        self.ask_for_rows()
        self.post_message(self.Folded())

    def take_run(self, run: Run) -> None:
        self._asked_run = None
        self._runs.add(run)
        self._scroll_to_cursor()
        self._redraw()
        self.ask_for_rows()

    def show(self, window: RowWindow, cursor_row: int = 0, top_row: int = 0) -> None:
        self.end_selection()
        self._runs.begin(window)
        self._asked_run = None
        super().show(window, cursor_row, top_row)

    def rows_came(self) -> None:
        self._runs.renew()
        last = self._window.count.value - 1
        if self.is_folded and self.scroll_offset.y and self.index_at(self.visible_rows - 1) > last:
            # What came is fewer lines than rows, and the list would end above the edge.
            self._show_from(self.moved(last, 1 - self.visible_rows))
        super().rows_came()

    def moved(self, index: int, lines: int) -> int:
        if not self.is_folded:
            return super().moved(index, lines)
        return self._runs.walk(index, lines)

    def line_of(self, index: int) -> int:
        if not self.is_folded:
            return super().line_of(index)
        place = self.index_at(0)
        if index < place:
            return -1
        for line in range(self.visible_rows):
            run = self._runs.at(place)
            following = place + 1 if run is None else run.stop
            if index < following:
                return line
            place = following
        return self.visible_rows

    def index_at(self, line: int) -> int:
        if not self.is_folded:
            return super().index_at(line)
        place = self.scroll_offset.y
        run = self._runs.at(place)
        place = place if run is None else run.start
        for _ in range(line):
            run = self._runs.at(place)
            place = place + 1 if run is None else run.stop
        return place

    def words_of(self, index: int) -> str:
        run = self._runs.at(index) if self.is_folded else None
        if run is None or run.rows == 1:
            return ""
        return f"x{run.rows:,}{'' if run.is_whole else '+'} {self._row_text.span(run.first_us, run.last_us)}"

    def is_at_cursor(self, index: int) -> bool:
        if not self.is_folded:
            return super().is_at_cursor(index)
        run = self._runs.at(index)
        return index == self.cursor_row if run is None else run.start <= self.cursor_row < run.stop

    def ask_for_rows(self) -> None:
        super().ask_for_rows()
        if not self.is_folded or self._asked_run is not None:
            return
        place = self._runs.open_run(self.index_at(0), self.index_at(self.visible_rows))
        row = None if place is None else self._window.row(place)
        if place is not None and row is not None:
            self._asked_run = place
            self.call_next(lambda: self.post_message(self.RunNeeded(row)))

    def action_fold(self) -> None:
        self.fold(is_folded=not self.is_folded)

    # Textual's own scroll by rows, which may all lie in one line.

    def _scroll_down_for_pointer(self, **how: Any) -> bool:  # noqa: ANN401 - as Textual has it
        return self._scroll_lines(WHEEL_LINES) if self.is_folded else super()._scroll_down_for_pointer(**how)

    def _scroll_up_for_pointer(self, **how: Any) -> bool:  # noqa: ANN401
        return self._scroll_lines(-WHEEL_LINES) if self.is_folded else super()._scroll_up_for_pointer(**how)

    def _scroll_lines(self, lines: int) -> bool:
        before = self.scroll_offset.y
        self._show_from(self.moved(self.index_at(0), lines))
        return self.scroll_offset.y != before

    # -- the rows to take out

    @property
    def is_selecting(self) -> bool:
        return self._range_start is not None

    @property
    def taken_rows(self) -> range:
        """The rows to take out: the selected ones, else the one under the cursor; empty if there is none."""
        count = self._window.count.value
        start = self.cursor_row if self._range_start is None else self._range_start
        first, last = sorted((start, self.cursor_row))
        if self.is_folded and self.is_selecting:
            # All rows of the lines that are marked.
            first, last = self.moved(first, 0), self.moved(last, 1) - 1
            last = count - 1 if last < self.cursor_row else last
        return range(first, min(last + 1, count))

    def action_select_rows(self) -> None:
        if self.is_selecting:
            self.end_selection()
        elif self._window.count.value:
            self._range_start = self.cursor_row
            self._tell_range()

    def end_selection(self) -> None:
        if self.is_selecting:
            self._range_start = None
            self._tell_range()

    def _tell_range(self) -> None:
        self.refresh()
        # Textual lets no message bubble to the widget in whose handler it was posted; here it is our own.
        self.call_next(
            lambda: self.post_message(self.RangeChanged(len(self.taken_rows) if self.is_selecting else 0))
        )

    def watch_cursor_row(self, old: int, new: int) -> None:
        super().watch_cursor_row(old, new)
        if old != new and self.is_selecting:
            self._tell_range()

    def is_selected(self, index: int) -> bool:
        return self.is_selecting and index in self.taken_rows
