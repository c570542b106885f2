"""The time-range dialog: presets, a calendar, and two times to type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from audit_tui.core.event import to_us
from audit_tui.core.time.dates import Preset, TimeContext, TimeRange, bound_texts, days_of, range_words
from audit_tui.core.time.month import MONTHS, DayPick, days_in_month
from audit_tui.core.time.words import TIME_FORMATS, on_day, parse_time, range_from_bounds
from audit_tui.core.time.zones import local_time, zone_label
from audit_tui.errors import TimeError
from audit_tui.ui.keymap import hidden
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.button import Button
from audit_tui.ui.widgets.fields.dropdown import Alternative, Dropdown
from audit_tui.ui.widgets.fields.line_input import LineInput
from audit_tui.ui.widgets.fields.month_view import MonthView
from audit_tui.ui.widgets.fields.popup_list import PopupList

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Click, Key, Resize
    from textual.geometry import Size
    from textual.widget import Widget

BEFORE, AFTER = "\u2039", "\u203a"
TYPED_FORMATS = "Write it as 2026-11-01 or 2026-11-01 14:00."
MAX_YEARS = 200
"""One event dated to the year 1 shall not make a list of 2,000 years; `<` and `>` still go there."""
MIN_WIDE_CELLS = 56
MIN_HIGH_LINES, MIN_HINT_LINES = 22, 12


class PresetList(OptionList):
    """The ranges with a name, the chosen one marked."""

    BINDINGS: ClassVar[list[BindingType]] = hidden("right=leave")

    @dataclass
    class PresetPicked(Message):
        """A preset was picked."""

        preset: Preset
        with_enter: bool
        """Enter was pressed, which on the same preset again means more than a click."""

    def __init__(self, chosen: Preset | None) -> None:
        self._chosen = chosen
        self._is_click = False
        super().__init__(*(Option(self._prompt(preset), id=preset.slug) for preset in Preset), compact=True)
        self.highlighted = 0 if chosen is None else PRESETS.index(chosen)

    def mark(self, chosen: Preset | None) -> None:
        before, self._chosen = self._chosen, chosen
        for preset in {before, chosen} - {None}:
            if preset is not None and before is not chosen:
                self.replace_option_prompt(preset.slug, self._prompt(preset))
        if chosen is not None:
            self.highlighted = PRESETS.index(chosen)

    def on_click(self) -> None:
        """Note that the OptionList's own handler, which comes next, picks by mouse."""
        self._is_click = True

    def on_key(self) -> None:
        """Note that a key picks next."""
        self._is_click = False

    def action_select(self) -> None:
        if self.highlighted is not None:
            picked = self.PresetPicked(PRESETS[self.highlighted], with_enter=not self._is_click)
            self.post_message(picked)

    def action_leave(self) -> None:
        self.screen.focus_next()

    def _prompt(self, preset: Preset) -> Content:
        if preset is self._chosen:
            return Content(f"• {preset.label}").stylize("bold")
        return Content(f"  {preset.label}")


HINTS: dict[type[Widget], str] = {
    MonthView: "←↑↓→ day   ⏎ pick   Shift+Tab presets   a apply",
    PresetList: "⏎ choose, again applies   → calendar   0-9 From",
    LineInput: "2026-11-01 14:00, 14:00, 24h, yesterday   ⏎ apply",
    Dropdown: "⏎ list   ↑↓ choose   Tab next   Esc cancel",
    Button: "⏎ press   Tab next   a apply   Esc cancel",
}
"""At most 49 cells, which is the room; m and y are underlined on their buttons."""
_MONTH_NAMES = tuple(Alternative(name, name[:3]) for name in MONTHS)
PRESETS = tuple(Preset)


class TimeRangeDialog(Dialog[TimeRange]):
    """Chooses a time range; dismisses with it, or with None when cancelled.

    Args:
        current: The range in force.
        context: The zone, the moment and the first day of the week.
        first_event: The day of the store's first event; None when there is none.
        day: The day of a time that is typed as ``14:05`` alone; None is today.
    """

    BINDINGS: ClassVar[list[BindingType]] = hidden(
        "q=cancel t=today m=whole_month y=whole_year less_than_sign=move_months(-12) "
        "greater_than_sign=move_months(12) a=apply"
    )

    def __init__(
        self, current: TimeRange, context: TimeContext, first_event: date | None, day: date | None = None
    ) -> None:
        super().__init__()
        self._time_context = context
        self._day = day or context.today
        self._today = context.today
        self._first_event = first_event
        self._chosen = current
        self._pick = DayPick()
        self._picked_last: date | Preset | None = None
        self._popup = PopupList()
        self._month_view = MonthView(self._today, context.first_weekday, id="month-view")
        self._month_list = Dropdown((), self._popup, takes_letters=False, id="month")
        self._year_list = Dropdown((), self._popup, takes_letters=False, id="year")
        self._years: range = range(0)
        self._presets = PresetList(current if isinstance(current, Preset) else None)
        since, until = bound_texts(current, context)
        self._since = LineInput(since, "first event", id="since")
        self._until = LineInput(until, "no end", id="until")
        self._words = Static(Content(range_words(current, context)), id="words", markup=False)
        self._hint = Static(id="hint", markup=False)

    def compose(self) -> ComposeResult:
        self._fit(self.app.size)
        with self.box("Time range"):
            with VerticalScroll(id="choose-body", can_focus=False), Horizontal(id="choose"):
                yield self._presets
                with Vertical(id="calendar"):
                    # Before its head for Tab; Textual 8.2.8 sorts by place, less margins, first.
                    yield self._month_view
                    with Horizontal(id="whole"):
                        yield Button("Whole month", key="m", id="whole-month", action="whole_month")
                        yield Button("Whole year", key="y", id="whole-year", action="whole_year")
                    with Horizontal(id="months"):
                        yield Button(BEFORE, id="before", action="move_months(-1)")
                        yield self._month_list
                        yield self._year_list
                        yield Button(AFTER, id="after", action="move_months(1)")
                    for label, field in (("From", self._since), ("To", self._until)):
                        with Horizontal(id=label.lower(), classes="typed"):
                            yield Static(label, markup=False)
                            yield field
            yield self._words
            with Horizontal(id="foot"):
                zone = zone_label(self._time_context.zone, self._time_context.now)
                yield Static(Content(zone), id="zone", markup=False)
                yield Button("Cancel", id="cancel", action="cancel")
                yield Button("Apply", key="a", id="apply", action="apply", classes="-primary")
            yield self._hint
        yield self._popup

    def on_mount(self) -> None:
        days = self._month_view.marked = days_of(self._chosen, self._time_context, self._first_event)
        if days is not None:
            self._month_view.cursor = min(days.last, self._today)
        self._offer_months(self._month_view.cursor)
        self._presets.focus()

    def on_key(self, event: Key) -> None:
        if event.character and event.character.isdecimal() and not isinstance(self.focused, LineInput):
            event.stop()
            self._popup.close()
            self._since.focus()
            self._since.value = event.character
            self._since.cursor_position = 1

    def on_resize(self, event: Resize) -> None:
        self._fit(event.size)
        self.call_after_refresh(self._show_focus)

    def on_descendant_focus(self) -> None:
        self._show_hint()
        if self._month_view.has_focus:
            # After Textual has scrolled to the middle of the month, which it does later as well.
            self.call_later(self.call_after_refresh, self._show_focus)

    @on(PresetList.OptionHighlighted)
    def _follow_highlight(self, event: PresetList.OptionHighlighted) -> None:
        if self._presets.has_focus:
            # After a scroll to the list is drawn, which its place on the screen follows.
            self.call_after_refresh(self._show_line, self._presets, event.option_index)

    @on(MonthView.CursorMoved)
    def _follow_cursor(self, event: MonthView.CursorMoved) -> None:
        self._offer_months(event.day)
        self._show_focus()

    @on(MonthView.DayPicked)
    def _pick_day(self, event: MonthView.DayPicked) -> None:
        if event.day > self._today:
            self._say("Days after today cannot be picked.")
            return
        is_again = event.with_enter and event.day == self._picked_last
        if not is_again or self._pick.is_open:
            self._take_pick(self._pick.pick(event.day, self._today))
            self._picked_last = event.day
        if is_again:
            self.action_apply()

    @on(PresetList.PresetPicked)
    def _pick_preset(self, event: PresetList.PresetPicked) -> None:
        if event.with_enter and event.preset is self._picked_last:
            self.action_apply()
            return
        self._pick = DayPick()
        self._choose(event.preset)
        self._picked_last = event.preset
        days = self._month_view.marked
        self._month_view.cursor = self._today if days is None else days.last

    @on(Dropdown.Changed, "#month")
    def _go_to_month(self, event: Dropdown.Changed) -> None:
        self._go_to(self._month_view.cursor.year, event.index + 1)

    @on(Dropdown.Changed, "#year")
    def _go_to_year(self, event: Dropdown.Changed) -> None:
        self._go_to(self._years[event.index], self._month_view.cursor.month)

    @on(Input.Changed)
    def _read_times(self, event: Input.Changed) -> None:
        error = self._typed_error()
        if error is not None:
            self._say(error, is_wrong=True)
            return
        if (self._since.value, self._until.value) == bound_texts(self._chosen, self._time_context):
            # What stands there already: a preset that it stands for stays a preset.
            self._show_chosen()
            return
        self._picked_last = None
        self._pick = DayPick()
        self._chosen = self._typed_range(self._since.value, self._until.value)
        self._show_chosen()
        # Of a burst of keys the field holds the last already, the message still an earlier one.
        value = event.input.value
        if value.strip():
            self._month_view.cursor = self._day_of(parse_time(on_day(value, self._day), self._time_context))

    @on(Input.Submitted)
    def _apply_times(self) -> None:
        self.action_apply()

    def on_click(self, event: Click) -> None:
        if event.widget not in (self._popup, self._month_list, self._year_list):
            self._popup.close()

    def action_cancel(self) -> None:
        if self._popup.owner is not None:
            self._popup.close()
        else:
            self.leave(None)

    def action_apply(self) -> None:
        error = self._typed_error()
        if error is None:
            self.leave(self._chosen)
            return
        self._say(error, is_wrong=True)
        (self._since if self._since.has_class("-invalid") else self._until).focus()

    def action_today(self) -> None:
        self._popup.close()
        self._month_view.cursor = self._today
        self._month_view.focus()

    def action_whole_month(self) -> None:
        self._popup.close()
        self._take_whole(self._pick.whole_month(self._month_view.cursor, self._today))

    def action_whole_year(self) -> None:
        self._popup.close()
        self._take_whole(self._pick.whole_year(self._month_view.cursor, self._today))

    def action_move_months(self, months: int) -> None:
        self._popup.close()
        self._month_view.action_move_months(months)

    def _fit(self, size: Size) -> None:
        # Not by Textual's breakpoints: they come after the first layout, and the styles are made twice.
        self.set_class(size.width < MIN_WIDE_CELLS, "-narrow")
        self.set_class(size.height < MIN_HIGH_LINES, "-low")
        self.set_class(size.height < MIN_HINT_LINES, "-flat")
        self._show_hint()

    def _take_whole(self, pick: DayPick) -> None:
        self._picked_last = None
        self._take_pick(pick)

    def _take_pick(self, pick: DayPick) -> None:
        self._pick = pick
        if pick.days is not None:
            self._choose(pick.days)

    def _choose(self, time_range: TimeRange) -> None:
        self._chosen = time_range
        since, until = bound_texts(time_range, self._time_context)
        with self.prevent(Input.Changed):
            self._since.value, self._until.value = since, until
        for field in (self._since, self._until):
            field.remove_class("-invalid")
        self._show_chosen()

    def _show_chosen(self) -> None:
        self._month_view.marked = days_of(self._chosen, self._time_context, self._first_event)
        self._presets.mark(self._chosen if isinstance(self._chosen, Preset) else None)
        self._say(range_words(self._chosen, self._time_context))

    def _say(self, words: str, *, is_wrong: bool = False) -> None:
        self._words.set_class(is_wrong, "-error")
        self._words.update(Content(words))

    def _show_hint(self) -> None:
        words = HINTS.get(type(self.focused) if self.focused is not None else Button, "")
        self._hint.update(words.replace("   ", "  ") if self.has_class("-narrow") else words, layout=False)

    def _typed_error(self) -> str | None:
        """Mark what cannot be read; say the first of it, or None."""
        message: str | None = None
        for field in (self._since, self._until):
            error = self._error_of(field.value, "")
            field.set_class(error is not None, "-invalid")
            message = message or error
        if message is None:
            message = self._error_of(self._since.value, self._until.value)
            self._until.set_class(message is not None, "-invalid")
        return message

    def _error_of(self, since: str, until: str) -> str | None:
        try:
            self._typed_range(since, until)
        except TimeError as error:
            return f"✗ {error.message}\n{TYPED_FORMATS if error.hint == TIME_FORMATS else error.hint}"
        return None

    def _typed_range(self, since: str, until: str) -> TimeRange:
        return range_from_bounds(on_day(since, self._day), on_day(until, self._day), self._time_context)

    def _day_of(self, time: date | datetime) -> date:
        if isinstance(time, datetime):
            return local_time(to_us(time), self._time_context.zone).date()
        return time

    def _go_to(self, year: int, month: int) -> None:
        day = min(self._month_view.cursor.day, days_in_month(year, month))
        self._month_view.cursor = date(year, month, day)

    def _offer_months(self, day: date) -> None:
        is_this_year = day.year == self._today.year
        self._month_list.offer(_MONTH_NAMES[: self._today.month if is_this_year else 12])
        self._month_list.index = day.month - 1
        first = self._today.year if self._first_event is None else self._first_event.year
        first = min(max(first, self._today.year - MAX_YEARS), day.year)
        self._years = range(first, self._today.year + 1)
        self._year_list.offer([Alternative(f"{year:04d}", f"{year:04d}") for year in self._years])
        self._year_list.index = self._years.index(day.year)

    def _show_focus(self) -> None:
        if self._month_view.has_focus:
            self._show_line(self._month_view, self._month_view.line_of(self._month_view.cursor))
        elif self._presets.has_focus:
            self._show_line(self._presets, self._presets.highlighted or 0)

    def _show_line(self, part: Widget, line: int) -> None:
        body = self.query_one("#choose-body", VerticalScroll)
        if body.max_scroll_y == 0:
            return
        at = part.region.offset - body.content_region.offset + body.scroll_offset
        body.scroll_to_region(Region(at.x, at.y + line, 1, 1), animate=False, x_axis=False)
