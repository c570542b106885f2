"""One month as a calendar, with a cursor and marked days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from audit_tui.core.time.month import (
    DAYS_IN_WEEK,
    WEEKDAYS,
    DayRange,
    add_months,
    month_of,
    month_weeks,
    shift_days,
)
from audit_tui.ui.keymap import hidden

if TYPE_CHECKING:
    from rich.style import Style
    from textual.binding import BindingType
    from textual.events import Click, MouseScrollDown, MouseScrollUp

DAY_CELLS = 4
BETWEEN = "\u00b7"
MONTH_CELLS = DAYS_IN_WEEK * DAY_CELLS


class MonthView(Widget, can_focus=True):
    """The days of the month that the cursor is in.

    The first and the last marked day carry brackets and today is underlined, so that they are told apart
    without colours too; in a terminal's own colours, or none, dots join the days between. The cursor never
    goes beyond today.

    Args:
        today: The day that it is; the cursor begins there.
        first_weekday: 0 begins weeks on Monday, 6 on Sunday.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"month-view--{name}" for name in ("weekday", "day", "today", "marked", "edge", "future", "cursor")
    }
    BINDINGS: ClassVar[list[BindingType]] = hidden(
        "left=move(-1) right=move(1) up=move(-7) down=move(7) pageup=move_months(-1) "
        "pagedown=move_months(1) home=first_day end=last_day enter=pick(True) space=pick(False)"
    )

    cursor: reactive[date] = reactive(date.min, init=False, repaint=False)
    marked: reactive[DayRange | None] = reactive(None)

    @dataclass
    class DayPicked(Message):
        """A day was picked, by key or mouse; it may lie after today."""

        day: date
        with_enter: bool
        """Enter was pressed, which on the same day again means more than a click."""

    @dataclass
    class CursorMoved(Message):
        """The cursor went to another day."""

        day: date

    def __init__(self, today: date, first_weekday: int = 0, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.today = today
        self._first_weekday = first_weekday
        self.set_reactive(MonthView.cursor, today)

    def day_at(self, x: int, y: int) -> date | None:
        weeks = self._weeks()
        if not (1 <= y <= len(weeks) and 0 <= x < MONTH_CELLS):
            return None
        return weeks[y - 1][x // DAY_CELLS]

    def line_of(self, day: date) -> int:
        return next((at for at, week in enumerate(self._weeks(), 1) if day in week), 0)

    def render_line(self, y: int) -> Strip:
        weeks = self._weeks()
        base = self.rich_style
        if y == 0:
            style = self._look("weekday")
            segments = [
                Segment(f" {WEEKDAYS[(self._first_weekday + at) % DAYS_IN_WEEK]} ", style)
                for at in range(DAYS_IN_WEEK)
            ]
        elif y <= len(weeks):
            segments = [segment for day in weeks[y - 1] for segment in self._cell(day)]
        else:
            segments = []
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def validate_cursor(self, day: date) -> date:
        return min(day, self.today)

    def watch_cursor(self, before: date, day: date) -> None:
        if (before.year, before.month) == (day.year, day.month):
            for line in {self.line_of(before), self.line_of(day)}:
                self.refresh(Region(0, line, self.size.width, 1))
        else:
            self.refresh()
        self.post_message(self.CursorMoved(day))

    def action_move(self, days: int) -> None:
        self.cursor = shift_days(self.cursor, days)

    def action_move_months(self, months: int) -> None:
        self.cursor = add_months(self.cursor, months)

    def action_first_day(self) -> None:
        self.cursor = month_of(self.cursor).first

    def action_last_day(self) -> None:
        self.cursor = month_of(self.cursor).last

    def action_pick(self, with_enter: bool) -> None:
        self.post_message(self.DayPicked(self.cursor, with_enter))

    def on_click(self, event: Click) -> None:
        day = self.day_at(event.x, event.y)
        if day is not None:
            self.cursor = day
            self.post_message(self.DayPicked(day, with_enter=False))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.action_move_months(-1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.action_move_months(1)

    def _weeks(self) -> list[list[date | None]]:
        return month_weeks(self.cursor.year, self.cursor.month, self._first_weekday)

    def _look(self, *names: str) -> Style:
        return self.get_component_rich_style(*(f"month-view--{name}" for name in names))

    def _cell(self, day: date | None) -> list[Segment]:
        if day is None:
            return [Segment(" " * DAY_CELLS, self.rich_style)]
        left = right = " "
        names = ["day"]
        if self.marked is not None and day in self.marked:
            is_first, is_last = day == self.marked.first, day == self.marked.last
            names.append("edge" if is_first or is_last else "marked")
            # Where no background shows the days between, they are joined.
            between = BETWEEN if self.app.native_ansi_color or self.app.no_color else " "
            left = "[" if is_first else between
            right = "]" if is_last else between
        if day > self.today:
            names.append("future")
        if day == self.cursor and self.has_focus:
            names.append("cursor")
        number, look = f"{day.day:2d}", self._look(*names)
        if day == self.today:
            underlined = look + self._look("today")
            return [Segment(left, look), Segment(number, underlined), Segment(right, look)]
        return [Segment(f"{left}{number}{right}", look)]
