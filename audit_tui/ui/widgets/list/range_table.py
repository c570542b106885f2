"""The table of events with a range of rows that can be selected, to take them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from audit_tui.ui.widgets.list.folding_table import FoldingTable

if TYPE_CHECKING:
    from audit_tui.core.window import RowWindow


class RangeTable(FoldingTable):
    """A table in which the rows between two places can be selected.

    The rows are known by their place only, so a new result ends the selection.
    """

    @dataclass
    class RangeChanged(Message):
        """Other rows are selected."""

        count: int

    _range_start: int | None = None

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

    def show(self, window: RowWindow, cursor_row: int = 0, top_row: int = 0) -> None:
        self.end_selection()
        super().show(window, cursor_row, top_row)

    def watch_cursor_row(self, old: int, new: int) -> None:
        super().watch_cursor_row(old, new)
        if old != new and self.is_selecting:
            self._tell_range()

    def is_selected(self, index: int) -> bool:
        return self.is_selecting and index in self.taken_rows
