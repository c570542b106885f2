"""What the review screen shows: the list, the line above it and those below, the detail pane."""

from __future__ import annotations

import gc
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container
from textual.screen import Screen

from audit_tui.core.evidence.sealed import SealState
from audit_tui.core.filters import EVERYTHING, conditions_in
from audit_tui.core.left import Left
from audit_tui.core.query import PageKey, Standing
from audit_tui.core.text import counted
from audit_tui.core.time.dates import Preset, TimeContext
from audit_tui.core.time.zones import zone_label
from audit_tui.core.view import sort_words
from audit_tui.ui.commands import COMMANDS
from audit_tui.ui.screens.seal_watch import BEGIN_S, SealWatch
from audit_tui.ui.stillness import Stillness
from audit_tui.ui.widgets.bars import KeyLine, StatusLine, TopLine
from audit_tui.ui.widgets.list.event_list import EventList
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.list.range_table import RangeTable
from audit_tui.ui.widgets.list.row_text import RowText

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

    from audit_tui.core.query import SourceState
    from audit_tui.core.view import View
    from audit_tui.errors import AuditTuiError
    from audit_tui.ui.first_page import Opening
    from audit_tui.ui.keymap import Keymap
    from audit_tui.ui.screens.text_dialog import TextDialog
    from audit_tui.ui.widgets.pane.detail_pane import DetailPane

WIDE_CELLS = 120
"""From this width on the detail pane stands beside the list."""
LOOK_S = 2.0
"""How often to see what became of the source."""
MIDNIGHT_CHECK_S = 30.0
"""How often to see whether a new day has begun, so that Today stays today."""
SAID_S = 4.0
"""How long a word by the way stands in the status line."""


class Body(Container):
    """Holds the list and the pane, which cover it."""

    BLANK = True


class ReviewView(Screen[None]):
    """Shows what was chosen: its parts follow the view and the cursor.

    Args:
        opening: What the review begins with.
        keymap: The keys to name on the screen.
    """

    BLANK = True  # Its parts cover it.

    def __init__(self, opening: Opening, keymap: Keymap) -> None:
        super().__init__()
        self._opening = opening
        self._open_reader = opening.open_reader
        self._view = opening.view
        self._own_zone = self._zone = opening.zone
        self._keymap = keymap
        settings = opening.settings
        self._row_text = RowText(
            opening.zone, settings.columns, settings.date_format, masks_secrets=settings.mask_secrets
        )
        self._pane: DetailPane | None = None
        self._status = StatusLine()
        self._said: Timer | None = None
        self._source_words = opening.notice
        self._day = self.context.today
        self._shown_in: RangeTable | None = None
        self.stillness = Stillness()
        """Knows when the user rests."""
        checker = opening.open_checker
        self.seals = None if checker is None else SealWatch(checker, self, self.stillness)
        """The check of the seals; None where there is none."""
        self._seal_dialog: TextDialog | None = None

    @property
    def context(self) -> TimeContext:
        """This moment, in the zone that is shown."""
        return TimeContext(self._zone, self._opening.clock(), self._opening.settings.first_weekday)

    @property
    def view_in_force(self) -> View:
        """What is shown."""
        return self._view

    @property
    def left(self) -> Left:
        """What is shown and where the cursor stands; also when the screen is gone."""
        table = self._shown_in
        row = None if table is None else table.highlighted
        if table is None or row is None:
            return Left(self._view)
        line = max(0, table.cursor_row - table.scroll_offset.y)
        return Left(self._view, PageKey.of(row, self._view.sort), line)

    @property
    def event_list(self) -> EventList:
        """The list of events."""
        return self.query_one(EventList)

    @property
    def table(self) -> RangeTable:
        """The table in the list."""
        return self.query_one(RangeTable)

    @property
    def pane(self) -> DetailPane | None:
        """The detail pane; None while it is closed."""
        return self._pane if self._pane is not None and self._pane.display else None

    def compose(self) -> ComposeResult:
        yield TopLine(self._opening.store_name)
        with Body(id="body"):
            yield EventList(self._open_reader, self._row_text, self._opening.clock, self.stillness, id="list")
        yield self._status
        yield KeyLine(self._keymap)

    def on_mount(self) -> None:
        self._say_view()
        self._status.say(self._opening.notice)
        opening = self._opening
        if opening.first_page is not None:
            self.event_list.show(opening.first_page, opening.begin_line)
        else:
            self.event_list.begin(self._view.query(self.context), opening.begin_at, opening.begin_line)
        self._shown_in = self.table
        self.table.focus()
        self.set_interval(MIDNIGHT_CHECK_S, self._follow_the_day)
        self.set_interval(LOOK_S, self._look_at_source)
        self.watch(self.table, "cursor_row", self._say_place, init=False)
        self.call_after_refresh(_collect_garbage)
        if self.seals is not None:
            self.set_timer(BEGIN_S, self.seals.run)

    def on_resize(self, event: events.Resize) -> None:
        is_wide = event.size.width >= WIDE_CELLS
        self.set_class(is_wide, "-wide")
        if self._pane is not None:
            self._pane.set_class(is_wide, "-wide")

    # -- what is shown

    def show_view(self, view: View) -> None:
        """Show something else; the cursor stays on the same event, else on the next older one."""
        self._view = view
        self._say_view()
        self.event_list.ask(view.query(self.context))

    def _say_view(self) -> None:
        context, redact = self.context, self._opening.redact
        zone = zone_label(self._zone, context.now)
        self.query_one(TopLine).say(
            filter_count=sum(1 for _ in conditions_in(self._view.filter)),
            range_words=self._view.range_words(context),
            applied=self._view.filter_words(),
            zone=f"redacted · {zone}" if redact is not None and redact.is_on else zone,
        )
        self._status.say_order(sort_words(self._view.sort))

    def _follow_the_day(self) -> None:
        today = self.context.today
        if today != self._day:
            self._day = today
            self.show_view(self._view)

    def _look_at_source(self) -> None:
        self.run_worker(partial(self._look, self.event_list), thread=True, group="look", exclusive=True)

    def _look(self, event_list: EventList) -> None:
        """In a thread: what became of the source is said; nothing is when nothing has changed."""
        state = event_list.look()
        if state is not None:
            self.call_later(self._say_source, state)

    def _say_source(self, state: SourceState) -> None:
        if self.seals is not None:
            self.seals.run_if_newer(state.newest_seq)
        words = self._words_of(state)
        if words != self._source_words:
            self._source_words = words
            if self._said is None:
                self._say_standing()

    def _words_of(self, state: SourceState) -> str:
        reload = self._key("reload")
        match state.standing:
            case Standing.REPLACED:
                return f"The store was replaced: {reload} opens the new one."
            case Standing.DELETED:
                return "The store file was deleted; showing the last state."
            case Standing.DAMAGED:
                return "The store is damaged: showing what can be read."
        upto_seq = self.event_list.query_in_force.upto_seq
        if upto_seq is not None and state.newest_seq > upto_seq:
            return f"Newer events are there: {reload} shows them."
        # Another store may have been opened since.
        return self._opening.notice if state.notice in self._opening.notice else state.notice

    @on(SealWatch.Changed)
    def _say_seals(self, message: SealWatch.Changed) -> None:
        status = message.status
        self._status.say_seal(status.words)
        self.table.mark_wrong(status.wrong)
        if self._pane is not None:
            self._pane.mark_wrong(status.wrong)
        if self._seal_dialog is not None and self._seal_dialog.is_current:
            from audit_tui.ui.screens.seal_dialog import seal_lines

            self._seal_dialog.show(seal_lines(status))
        if status.state is SealState.BROKEN and self._said is None:
            self._say_standing()

    @on(EventList.Counted)
    def _say_count(self) -> None:
        count = self.event_list.count
        self._status.say_place(self.table.cursor_row, count)
        if count.exact and not count.value:
            self.table.show_words(*self._why_empty())

    def _why_empty(self) -> tuple[str, ...]:
        range_words = self._view.range_words(self.context)
        if self._view.filter != EVERYTHING and self._view.time_range is Preset.ALL_TIME:
            return (
                "No event matches the filter.",
                f"Press {self._key('filter')} to change the filter, {self._key('clear-filter')} to clear it.",
            )
        if self._view.filter != EVERYTHING:
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
        if not self.event_list.count.value:
            self.table.show_words(message.error.title, f"Press {self._key('reload')} to try again.")
        self.show_error(message.error)

    def show_error(self, error: AuditTuiError) -> None:
        """Say calmly what happened and what to do; one dialog at a time."""
        from audit_tui.ui.screens.text_dialog import error_dialog

        if self.app.screen is self:
            self.app.push_screen(error_dialog(error))

    def _say_place(self, row: int) -> None:
        # In the frame that shows the cursor there: the message that tells of it comes a frame later.
        self._status.say_place(row, self.event_list.count)

    @on(EventTable.RowHighlighted)
    def _follow_cursor(self, message: EventTable.RowHighlighted) -> None:
        self._say_place(message.cursor_row)
        if self.pane is not None and (message.row is not None or not self.event_list.count.value):
            self.pane.open_event(message.row.seq if message.row else None)

    def open_pane(self, seq: int) -> None:
        """Show the detail pane with an event."""
        if self._pane is None:
            # Not at the start: it costs 30 ms there, and many a look needs no pane.
            from audit_tui.ui.widgets.pane.detail_pane import DetailPane

            self._pane = DetailPane(self._open_reader, self._zone, id="detail")
            self._pane.set_class(self.has_class("-wide"), "-wide")
            if self.seals is not None:
                self._pane.mark_wrong(self.seals.status.wrong)
            self.query_one("#body").mount(self._pane)
        self._pane.display = True
        self.query_one(KeyLine).say_pane(is_open=True)
        self._pane.open_event(seq)

    def close_pane(self) -> None:
        """Hide the detail pane; the list has the focus again."""
        if self._pane is not None:
            self._pane.display = False
            self.query_one(KeyLine).say_pane(is_open=False)
            self._pane.open_event(None)
            self.table.focus()

    def say(self, words: str) -> None:
        """Say something for a moment, at the right of the status line."""
        status = self.query_one(StatusLine)
        status.say(words)
        if self._said is not None:
            self._said.stop()
        self._said = self.set_timer(SAID_S, self._say_standing)

    @on(RangeTable.RangeChanged)
    def _say_range(self, message: RangeTable.RangeChanged) -> None:
        # The end of a selection does not talk over what was done with it.
        if message.count or self._said is None:
            self._say_standing()

    def _say_standing(self) -> None:
        """Say what holds for longer: how many rows are selected, else what is to know of the store."""
        if self._said is not None:
            self._said.stop()
            self._said = None
        words = self._source_words
        if self.seals is not None and self.seals.status.state is SealState.BROKEN:
            words = f"{self.seals.status.words.capitalize()}: {self._key('seal')} explains"
        if self.table.is_selecting:
            words = (
                f"{counted(len(self.table.taken_rows), 'row')} selected: "
                f"{self._key('copy')} copies, {self._key('back')} ends"
            )
        self._status.say(words)

    def interrupt(self) -> bool:
        """End the question under way; False when there is none."""
        return self.event_list.cancel()


def _collect_garbage() -> None:
    """Look for garbage from now on, but not among what the start made, which stays: that took 50 ms a time.

    It is switched off while the program starts (cli.open_).
    """
    gc.freeze()
    gc.enable()
