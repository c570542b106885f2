"""The review screen: the list, the line above it and those below, the detail pane, the dialogs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Container
from textual.screen import Screen

from audit_tui.core.dates import Preset, TimeContext
from audit_tui.core.event import EventColumn
from audit_tui.core.filters import NO_FILTER
from audit_tui.core.query import NEWEST_FIRST
from audit_tui.core.view import next_sort, sort_words
from audit_tui.core.zones import zone_label, zone_named
from audit_tui.ui.commands import COMMANDS, Command, Where
from audit_tui.ui.keymap import Keymap, bindings
from audit_tui.ui.widgets.bars import BarButton, KeyLine, StatusLine, TopLine
from audit_tui.ui.widgets.detail_pane import DetailPane
from audit_tui.ui.widgets.event_list import EventList
from audit_tui.ui.widgets.event_table import EventTable
from audit_tui.ui.widgets.row_text import RowText

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.dom import DOMNode
    from textual.timer import Timer

    from audit_tui.config import Settings
    from audit_tui.core.dates import TimeRange
    from audit_tui.core.filters import FlatFilter
    from audit_tui.core.query import ReaderFactory
    from audit_tui.core.view import View
    from audit_tui.ui.first_page import FirstPage
    from audit_tui.ui.screens.command_line import Order
    from audit_tui.ui.screens.filter_by import FilterDialog

WIDE_CELLS = 120
"""From this width on the detail pane stands beside the list."""
MIDNIGHT_CHECK_S = 30.0
"""How often to see whether a new day has begun, so that Today stays today."""
SAID_S = 4.0
"""How long a word by the way stands in the status line."""


class ReviewScreen(Screen[None]):
    """Shows who did what and when.

    Args:
        open_reader: Opens a reader for each thread.
        store_name: What the store is called.
        view: What to show first.
        zone: The zone of days and times.
        clock: Tells the time, aware.
        settings: The user's settings.
        keymap: The keys to name on the screen.
        first_page: Rows of ``view`` that were read before the screen was there; None reads them now.
        notice: What the user should know about the store; empty when nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.SCREEN)]

    DEFAULT_CSS = """
    ReviewScreen #body { layout: vertical; height: 1fr; }
    ReviewScreen EventList { width: 1fr; height: 1fr; }
    ReviewScreen DetailPane { display: none; height: 45%; border-top: solid $panel-lighten-1; }
    ReviewScreen.-open DetailPane { display: block; }
    ReviewScreen.-wide #body { layout: horizontal; }
    ReviewScreen.-wide DetailPane {
        width: 40%; max-width: 72; height: 1fr; border-top: none; border-left: solid $panel-lighten-1;
    }
    ReviewScreen:ansi DetailPane { background: ansi_default; border-top: solid ansi_default; }
    ReviewScreen.-wide:ansi DetailPane { border-top: none; border-left: solid ansi_default; }
    """

    def __init__(
        self,
        open_reader: ReaderFactory,
        store_name: str,
        view: View,
        zone: tzinfo,
        clock: Callable[[], datetime],
        settings: Settings,
        keymap: Keymap,
        first_page: FirstPage | None = None,
        notice: str = "",
    ) -> None:
        super().__init__()
        self._open_reader = open_reader
        self._store_name = store_name
        self._view = view
        self._own_zone = self._zone = zone
        self._clock = clock
        self._keymap = keymap
        self._first_weekday = settings.first_weekday
        self._row_text = RowText(zone, settings.columns, settings.date_format)
        self._first_page = first_page
        self._notice = notice
        self._said: Timer | None = None
        self._day = self.context.today
        self._filter_dialog: FilterDialog | None = None

    @property
    def context(self) -> TimeContext:
        """This moment, in the zone that is shown."""
        return TimeContext(self._zone, self._clock(), self._first_weekday)

    @property
    def view_in_force(self) -> View:
        """What is shown."""
        return self._view

    @property
    def event_list(self) -> EventList:
        """The list of events."""
        return self.query_one(EventList)

    @property
    def table(self) -> EventTable:
        """The table in the list."""
        return self.query_one(EventTable)

    @property
    def pane(self) -> DetailPane:
        """The detail pane, open or not."""
        return self.query_one(DetailPane)

    def compose(self) -> ComposeResult:
        yield TopLine(self._store_name)
        with Container(id="body"):
            yield EventList(self._open_reader, self._row_text, self._clock, id="list")
            yield DetailPane(self._open_reader, self._zone, id="detail")
        yield StatusLine()
        yield KeyLine(self._keymap)

    def on_mount(self) -> None:
        self._say_view()
        self.query_one(StatusLine).say(self._notice)
        if self._first_page is not None:
            self.event_list.show(self._first_page)
            self._first_page = None
        else:
            self.event_list.ask(self._view.query(self.context), keep_cursor=False)
        self.table.focus()
        self.set_interval(MIDNIGHT_CHECK_S, self._follow_the_day)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE_CELLS, "-wide")

    # -- what is shown

    def show_view(self, view: View) -> None:
        """Show something else; the cursor stays on the same event, else on the next older one."""
        self._view = view
        self._say_view()
        self.event_list.ask(view.query(self.context))

    def _say_view(self) -> None:
        context = self.context
        self.query_one(TopLine).say(
            filter_count=len(self._view.filter.conditions),
            range_words=self._view.range_words(context),
            applied=self._view.filter_words(),
            zone=zone_label(self._zone, context.now),
        )
        self.query_one(StatusLine).say_order(sort_words(self._view.sort))

    def _follow_the_day(self) -> None:
        today = self.context.today
        if today != self._day:
            self._day = today
            self.show_view(self._view)

    @on(EventList.Counted)
    def _say_count(self) -> None:
        count = self.event_list.count
        self.query_one(StatusLine).say_place(self.table.cursor_row, count)
        if count.exact and not count.value:
            self.table.show_words(*self._why_empty())

    def _why_empty(self) -> tuple[str, ...]:
        range_words = self._view.range_words(self.context)
        if self._view.filter.conditions:
            return (
                f"No events in the time range {range_words} match the filter.",
                f"Press {self._key('filter')} to change the filter, {self._key('clear-filter')} to clear it, "
                f"{self._key('time-range')} for another time range.",
            )
        if self._view.time_range is Preset.ALL_TIME:
            return ("The store holds no events yet.", "audit-tui import brings some in.")
        return (
            f"No events in the time range {range_words}.",
            f"Press {self._key('time-range')} for another time range.",
        )

    def _key(self, id_: str) -> str:
        return next(self._keymap.first_key(command) for command in COMMANDS if command.id == id_)

    @on(EventList.Failed)
    def _say_failed(self, message: EventList.Failed) -> None:
        from audit_tui.ui.screens.text_dialog import error_dialog

        if not self.event_list.count.value:
            self.table.show_words(message.error.title, f"Press {self._key('reload')} to try again.")
        if self.app.screen is self:
            self.app.push_screen(error_dialog(message.error))

    @on(EventTable.RowHighlighted)
    def _follow_cursor(self, message: EventTable.RowHighlighted) -> None:
        self.query_one(StatusLine).say_place(message.cursor_row, self.event_list.count)
        if self.has_class("-open") and (message.row is not None or not self.event_list.count.value):
            self.pane.open_event(message.row.seq if message.row else None)

    # -- commands

    @on(EventTable.RowSelected)
    def action_open_event(self) -> None:
        if self.has_class("-open"):
            self.action_back()
            return
        row = self.table.highlighted
        if row is not None:
            self.add_class("-open")
            self.pane.open_event(row.seq)

    def action_back(self) -> None:
        if self.has_class("-open"):
            self.remove_class("-open")
            self.pane.open_event(None)
            self.table.focus()

    def action_quit(self) -> None:
        if self.has_class("-open"):
            self.action_back()
        else:
            self.app.exit()

    @on(BarButton.Pressed, "#filter-button")
    def action_filter(self) -> None:
        from audit_tui.ui.lane import Lane
        from audit_tui.ui.screens.filter_by import FilterDialog

        if self._filter_dialog is None:
            self._filter_dialog = FilterDialog(Lane(self._open_reader), Lane(self._open_reader))
            self.app.install_screen(self._filter_dialog, "filter-by")
        self._filter_dialog.begin(self._view.filter, self._view.query(self.context))
        self.app.push_screen("filter-by", self._take_filter)

    def _take_filter(self, chosen: FlatFilter | None) -> None:
        if chosen is not None and chosen != self._view.filter:
            self.show_view(replace(self._view, filter=chosen))

    def action_clear_filter(self) -> None:
        self._take_filter(NO_FILTER)

    @on(BarButton.Pressed, "#range-button")
    def action_time_range(self) -> None:
        self.run_worker(self._choose_time_range, thread=True, group="first-event", exclusive=True)

    def _choose_time_range(self) -> None:
        """In a thread: the first event's day is the beginning of All Time."""
        reader = self._open_reader()
        try:
            first_us = reader.info().first_us
        finally:
            reader.close()
        self.app.call_from_thread(self._open_time_range, first_us)

    def _open_time_range(self, first_us: int | None) -> None:
        from audit_tui.core.zones import local_time
        from audit_tui.ui.screens.time_range import TimeRangeDialog

        first_event = None if first_us is None else local_time(first_us, self._zone).date()
        dialog = TimeRangeDialog(self._view.time_range, self.context, first_event)
        self.app.push_screen(dialog, self._take_time_range)

    def _take_time_range(self, chosen: TimeRange | None) -> None:
        if chosen is not None and chosen != self._view.time_range:
            self.show_view(replace(self._view, time_range=chosen))

    def action_sort_column(self) -> None:
        self._sort_by(self.table.column)

    @on(EventTable.HeaderSelected)
    def _sort_by_heading(self, message: EventTable.HeaderSelected) -> None:
        self._sort_by(message.column)

    def _sort_by(self, column: EventColumn) -> None:
        self.show_view(replace(self._view, sort=next_sort(self._view.sort, column)))

    def action_zone(self) -> None:
        utc = zone_named("UTC")
        self._zone = self._own_zone if self._zone == utc else utc
        self.event_list.set_zone(self._zone)
        self.pane.set_zone(self._zone)
        self.show_view(self._view)

    def action_reload(self) -> None:
        at_top = self.table.cursor_row == 0
        self.event_list.ask(self._view.query(self.context), keep_cursor=not at_top)

    def action_raw_json(self) -> None:
        from audit_tui.ui.screens.raw_json import raw_json_dialog

        if self.pane.event is not None:
            self.app.push_screen(raw_json_dialog(self.pane.event))
        elif (row := self.table.highlighted) is not None:
            self._read_raw_json(row.seq)

    def _read_raw_json(self, seq: int) -> None:
        def read() -> None:
            from audit_tui.ui.screens.raw_json import raw_json_dialog

            reader = self._open_reader()
            try:
                event = reader.event(seq)
            finally:
                reader.close()
            if event is not None:
                self.app.call_from_thread(self.app.push_screen, raw_json_dialog(event))

        self.run_worker(read, thread=True, group="raw-json", exclusive=True)

    def action_help(self) -> None:
        from audit_tui.ui.screens.help import help_dialog

        here = Where.PANE if self.focused is self.pane else Where.TABLE
        self.app.push_screen(help_dialog(here, self._keymap))

    def action_command_line(self) -> None:
        from audit_tui.ui.screens.command_line import CommandLine

        self.app.push_screen(CommandLine(self._keymap, self.context), self._take_order)

    def action_go_to_time(self) -> None:
        from audit_tui.ui.screens.command_line import CommandLine

        self.app.push_screen(CommandLine(self._keymap, self.context, for_time=True), self._take_order)

    async def _take_order(self, order: Order | None) -> None:
        from audit_tui.ui.screens.command_line import GoToRow, GoToTime, RunCommand

        match order:
            case RunCommand(command=command):
                await self.app.run_action(command.action, self._place_of(command))
            case GoToRow(index=index):
                self.table.move_cursor(index)
            case GoToTime(occurred_us=occurred_us):
                if self._view.sort.column is not EventColumn.DATE:
                    self._view = replace(self._view, sort=NEWEST_FIRST)
                    self._say_view()
                self.event_list.go_to_time(self._view.query(self.context), occurred_us)

    def _place_of(self, command: Command) -> DOMNode:
        places: dict[Where, DOMNode] = {Where.TABLE: self.table, Where.PANE: self.pane, Where.APP: self.app}
        return places.get(command.where, self)

    def say(self, words: str) -> None:
        """Say something for a moment, at the right of the status line."""
        status = self.query_one(StatusLine)
        status.say(words)
        if self._said is not None:
            self._said.stop()
        self._said = self.set_timer(SAID_S, lambda: status.say(self._notice))

    def interrupt(self) -> bool:
        """End the question under way; False when there is none."""
        return self.event_list.cancel()
