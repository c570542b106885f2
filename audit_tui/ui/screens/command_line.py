"""The command line: a command, the number of a row, a time, a time range, or a query that narrows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual import on
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from audit_tui.core.event import to_us
from audit_tui.core.filter.filters import ANY_TEXT, Condition
from audit_tui.core.filter.operators import CONTAINS
from audit_tui.core.record import Record
from audit_tui.core.text import clean
from audit_tui.core.time.dates import MomentRange, Preset, resolve
from audit_tui.core.time.month import DayRange, shift_days
from audit_tui.core.time.words import on_day, parse_time, read_time
from audit_tui.core.time.zones import start_of_day
from audit_tui.errors import FilterError, TimeError
from audit_tui.ui.commands import COMMANDS, Command, Where
from audit_tui.ui.keymap import hidden
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.line_input import LineInput

if TYPE_CHECKING:
    from datetime import date, datetime

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.time.dates import TimeContext, TimeRange
    from audit_tui.ui.keymap import Keymap


class RunCommand(Record):
    """Do this."""

    command: Command


class GoToRow(Record):
    """Put the cursor on a row."""

    index: int


class GoToTime(Record):
    """Put the cursor on the event nearest to a moment."""

    occurred_us: int


class SetRange(Record):
    """Show another time range."""

    time_range: TimeRange


class Narrow(Record):
    """Show of the events only those that a query matches too."""

    filter: Filter
    time_range: TimeRange | None


_LAST = re.compile(r"last\s+(\d{1,4})(?:\s+days?)?", re.ASCII | re.IGNORECASE)
TIME_HINT = "2026-11-01 14:00, or 14:00 on the day of the row"
HELP_CELLS = 56
HINT = "a command, row, time, range (last 90) or query (user:alice)"
SHORT_HINT = "command, row, last 90, user:alice"
LAST_HINT = "Write the number in digits: last 90 (days), last 15 minutes, last 24 hours."
_BY_HELP = 2
Order: TypeAlias = RunCommand | GoToRow | GoToTime | SetRange | Narrow


class CommandLine(Dialog[Order]):
    """Asks what to do; gives back the order, or None when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *hidden("down=step(1) up=step(-1)"),
        *hidden("tab=complete", priority=True),
    ]

    def __init__(self, keymap: Keymap, context: TimeContext, day: date, *, for_time: bool = False) -> None:
        super().__init__()
        self._keymap = keymap
        self._time_context = context
        self._day = day
        self._offered = ""
        """The text that a second Enter looks for in the events."""
        self._for_time = for_time
        self._matches: list[Command] = []

    def compose(self) -> ComposeResult:
        with self.box("Go to a time" if self._for_time else "Commands"):
            if not self._for_time:
                yield OptionList(compact=True)
            yield Static("", id="message", markup=False)
            hint = TIME_HINT if self._for_time else HINT
            if self.app.size.width < HELP_CELLS:
                hint = "14:00" if self._for_time else SHORT_HINT
            yield LineInput(placeholder=hint)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._find("")

    def on_resize(self) -> None:
        if not self._for_time:
            self.fit_list(len(self._matches))

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        self._offered = ""
        self.query_one("#message", Static).update("")
        self._find(message.value)

    def _find(self, typed: str) -> None:
        if self._for_time:
            return
        self._matches = matching(typed)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(self._label(command)) for command in self._matches)
        options.display = bool(self._matches)
        self.fit_list(len(self._matches))
        options.highlighted = 0 if typed and self._matches else None

    def _label(self, command: Command) -> Content:
        keys = self._keymap.first_key(command) or ""
        parts: list[str | tuple[str, str]] = [f"{command.title:<22}", (f"{keys:>6}  ", "bold")]
        if self.app.size.width >= HELP_CELLS:
            parts.append((command.help, "dim"))
        return Content.assemble(*parts)

    @on(Input.Submitted)
    def _take(self, message: Input.Submitted) -> None:
        typed = message.value.strip()
        if not self._for_time:
            digits = typed.replace(",", "")
            if digits.isascii() and digits.isdigit() and len(digits) <= 18:
                self.leave(GoToRow(max(0, int(digits) - 1)))
                return
            command = next((each for each in COMMANDS if each.id == typed), None)
            if command is None and (order := self._wish(typed)) is not None:
                self.leave(order)
                return
            highlighted = self.query_one(OptionList).highlighted
            if command is None and highlighted is not None and self._matches:
                command = self._matches[highlighted]
            if command is not None:
                self.leave(RunCommand(command))
                return
        self._take_time(typed)

    def _wish(self, typed: str) -> SetRange | Narrow | None:
        """Read a time range or a query; None when it is neither, a single word for example."""
        context = self._time_context
        if (last := _LAST.fullmatch(typed)) is not None and int(last[1]):
            return SetRange(_last_days(int(last[1]), context))
        try:
            time_range = read_time(typed, context)
        except TimeError:
            time_range = None
        if isinstance(time_range, DayRange):
            return SetRange(_preset_of(time_range, context))
        if isinstance(time_range, Preset | MomentRange):
            return SetRange(time_range)
        if time_range is not None or not any(sign in typed for sign in ":=~<>"):
            return None
        from audit_tui.core.query_line.parse import parse

        try:
            query = parse(typed, context)
        except FilterError as error:
            self._tell(f"{error.message} {error.hint}")
            return None
        return Narrow(query.filter, query.time_range)

    def _tell(self, words: str) -> None:
        self.query_one("#message", Static).update(Content(clean(words)))

    def _take_time(self, typed: str) -> None:
        try:
            moment = parse_time(on_day(typed, self._day), self._time_context)
        except TimeError as error:
            if not typed:
                self._tell("Type something, or press Esc.")
            elif self._for_time or typed[:1].isdigit():
                self._tell(f"{error.message} {error.hint}")
            elif typed.casefold().startswith("last"):
                self._tell(LAST_HINT)
            elif typed == self._offered:
                self.leave(Narrow(Condition(ANY_TEXT, CONTAINS, typed), None))
            elif not self.query_one("#message", Static).content:
                self._offered = typed
                self._tell("No command is called that. Enter again: only events that contain it.")
        else:
            self.leave(GoToTime(_moment_us(moment, self._time_context)))

    @on(OptionList.OptionSelected)
    def _run(self, message: OptionList.OptionSelected) -> None:
        self.leave(RunCommand(self._matches[message.option_index]))

    def action_step(self, step: int) -> None:
        if self._for_time or not self._matches:
            return
        options = self.query_one(OptionList)
        current = options.highlighted
        first = 0 if step > 0 else len(self._matches) - 1
        options.highlighted = first if current is None else (current + step) % len(self._matches)

    def action_complete(self) -> None:
        if self._for_time or not self._matches:
            return
        command = self._matches[self.query_one(OptionList).highlighted or 0]
        field = self.query_one(Input)
        field.value = command.id
        field.cursor_position = len(command.id)


def matching(typed: str) -> list[Command]:
    """The commands that a typed text may mean, the nearest first; scrolling is left to its keys."""
    wanted = typed.casefold().lstrip(":").strip()
    ranked = []
    for command in COMMANDS:
        if command.where is not Where.SCREEN and not wanted:
            continue
        names = (command.id, command.title.casefold())
        if any(name.startswith(wanted) for name in names):
            ranked.append((0, command))
        elif any(wanted in name for name in names):
            ranked.append((1, command))
        elif wanted in command.help.casefold():
            ranked.append((2, command))
    if any(rank < _BY_HELP for rank, _ in ranked):
        ranked = [pair for pair in ranked if pair[0] < _BY_HELP]
    return [command for _, command in sorted(ranked, key=lambda pair: pair[0])]


def _last_days(days: int, context: TimeContext) -> TimeRange:
    """Return the last days, today included: the preset of that name, if there is one."""
    try:
        return Preset.parse(f"last {days} days")
    except TimeError:
        return _preset_of(DayRange(shift_days(context.today, 1 - days), context.today), context)


def _preset_of(days: DayRange, context: TimeContext) -> TimeRange:
    """Return the preset that means these days now, so that it still does tomorrow; else the days."""
    meant = resolve(days, context)
    return next((preset for preset in Preset if resolve(preset, context) == meant), days)


def _moment_us(moment: date | datetime, context: TimeContext) -> int:
    from datetime import datetime as datetime_type

    if isinstance(moment, datetime_type):
        return to_us(moment)
    return start_of_day(moment, context.zone)
