"""Go on with a source that grows: follow it, say what is new, and how far the reading of logs is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import Column
from audit_tui.core.event import MAX_US
from audit_tui.core.query import NEWEST_FIRST, SourceState, Standing
from audit_tui.ui.screens.review.base import ReviewBase

if TYPE_CHECKING:
    from textual.timer import Timer

    from audit_tui.core.arriving import Arrival
    from audit_tui.core.query import SourceState

FOLLOW_S = 0.5
FULL_FOLLOW_S = 1.0
"""The same when every row on the screen changes each time: nobody reads faster, and it is 2 kB a time."""
LOOK_S = 1.0


class Notice(NamedTuple):
    """Words about the source."""

    words: str
    short: str = ""
    """The words that stay of them after a while; empty when they can go."""


class Following(ReviewBase):
    """The keys that follow a source, and what is said of it."""

    is_following = False
    _is_asked_for = False
    """The key asked to follow; logs that are read are followed without."""
    _followed: Timer | None = None
    _arriving: Timer | None = None
    _arrival: Arrival | None = None
    _newer = 0
    _notice = Notice("")
    _remark = ""
    """The notice of the source while nothing is wrong with it; empty when there is none."""
    _looks = 0

    def on_mount(self) -> None:
        self._remark = self._opening.notice
        self._say_notice(Notice(self._remark))
        self.set_interval(LOOK_S, self._watch_source)
        if self._opening.arrivals is not None:
            self._set_following(is_on=True)
            self._arriving = self.set_interval(FOLLOW_S, self._show_arrival)
            self._show_arrival()

    def action_follow(self) -> None:
        if self.is_following and self._is_at_edge and self._is_asked_for:
            self._set_following(is_on=False)
            self.say("No longer following.")
            return
        self._is_asked_for = True
        self._set_following(is_on=True)
        self._say_notice(self._following_notice)
        if self._is_arriving:
            self.say(self._following_notice.words)
        self._show_newest()

    def _set_following(self, *, is_on: bool) -> None:
        self.is_following = is_on
        if is_on and self._followed is None:
            self._followed = self.set_interval(FOLLOW_S, self._watch_source)
        elif not is_on and self._followed is not None:
            self._followed.stop()
            self._followed, self._is_asked_for = None, False
            self._say_notice(Notice(self._remark))

    @property
    def _is_at_edge(self) -> bool:
        """Tell whether the newest events are in sight, and nobody reads or takes out what stands there."""
        table, sort = self.table, self.view.sort
        if self.pane is not None or table.is_selecting or self.app.screen is not self:
            return False
        if sort.column is not Column.TIME or self.event_list.wanted is not None:
            return False
        if sort.descending:
            return table.cursor_row == 0 and table.scroll_offset.y == 0
        return table.cursor_row >= self.event_list.count.value - 1

    def _show_newest(self) -> None:
        self._looks = 0
        view = self.view
        if view.sort.column is not Column.TIME:
            view = replace(view, sort=NEWEST_FIRST)
        wanted = self._worked_out(view)
        if view.sort.descending:
            self.event_list.ask(wanted, keep_cursor=False)
        else:
            self.event_list.go_to_time(wanted, MAX_US)

    def _watch_source(self) -> None:
        self.run_worker(self._look, thread=True, group="look", exclusive=True)

    def _look(self) -> None:
        """In a thread: look at the source, and let the seals be checked when something was written."""
        if self.seals is not None and not self.is_lost and self.seals.is_due():
            self.call_later(self.seals.run)
        looked = self.event_list.look()
        if looked is not None:
            self.call_later(self._say_source, *looked)

    def _say_source(self, state: SourceState, newer: int) -> None:
        self._newer = newer
        was_lost, self.is_lost = self.is_lost, state.standing is Standing.LOST
        if was_lost and not self.is_lost:
            self.event_list.read_missing()
            if self.pane is not None:
                self.pane.read_missing()
        self._looks += 1
        is_whole = self._newer >= self.table.visible_rows
        if self.is_following and self._newer and state.standing is Standing.IN_PLACE and self._is_at_edge:
            if not is_whole or self._looks * FOLLOW_S >= FULL_FOLLOW_S:
                self._show_newest()
            return
        notice = notice_of(state, self._newer, self._remark, self._keymap.key_of("reload"))
        if self.is_following and state.standing is Standing.IN_PLACE:
            words = f"paused, {self._newer:,} new: {self._keymap.key_of('follow')} goes on"
            notice = Notice(words, words) if self._newer else self._following_notice
        self._say_notice(notice)

    @property
    def _following_notice(self) -> Notice:
        return Notice(f"Following what comes: {self._keymap.key_of('follow')} ends it", "following")

    def _say_notice(self, notice: Notice) -> None:
        if notice != self._notice:
            self._notice = notice
            self._status.show_standing(*notice)

    # -- logs that are still read

    def _show_arrival(self) -> None:
        arrivals = self._opening.arrivals
        arrival = None if arrivals is None else arrivals.look()
        if arrival is None or arrival == self._arrival:
            return
        self._arrival = arrival
        if not arrival.is_done:
            back = self._keymap.key_of("back")
            self._status.progress_words = f"{arrival.words}  {back} ends it"
            return
        self._status.progress_words = ""
        if self._arriving is not None:
            self._arriving.stop()
        if self._is_at_edge:
            self._show_newest()
        elif not self.table.is_selecting:
            # Whoever opened logs wants them all: nothing is new in them once they are read.
            self.event_list.ask(self._worked_out(self.view))
        # A look that is under way says it again: it must not bring back what was said before.
        self._remark = arrival.words
        self._set_following(is_on=False)
        self.say(arrival.words)
        if arrival.title:
            self._top.rename(arrival.title)
        self.end_of_arrivals()

    def end_of_arrivals(self) -> None:
        """Look again at what depends on all events."""

    @property
    def _is_arriving(self) -> bool:
        return self._arrival is not None and not self._arrival.is_done

    def stop_arrivals(self) -> bool:
        """End the reading of logs and keep what was read; False when none are read."""
        if self._opening.arrivals is None or not self._is_arriving:
            return False
        self._opening.arrivals.stop()
        return True


def notice_of(state: SourceState, newer: int, opening: str, reload: str) -> Notice:
    """Say what a look found."""
    match state.standing:
        case Standing.REPLACED:
            return Notice(f"The store was replaced: {reload} opens the new one.", f"replaced: {reload}")
        case Standing.DELETED:
            return Notice("The store file was deleted; showing the last state.", "file deleted")
        case Standing.DAMAGED:
            return Notice("The store is damaged: showing what can be read.", "damaged")
        case Standing.LOST:
            return Notice("The connection is lost: showing what was read, trying again.", "connection lost")
    if newer:
        words = f"{newer:,} new: {reload} shows them"
        return Notice(words, words)
    # Another store may have been opened since.
    return Notice(opening if state.notice in opening else state.notice, state.warning)
