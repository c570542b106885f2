"""The pane with everything that is known of the event under the cursor, and a cursor on its values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from textual.message import Message

from audit_tui.core.event import number_text
from audit_tui.core.filter.filters import MetaField
from audit_tui.core.recording import catalogue
from audit_tui.core.text import clean_visible
from audit_tui.ui.lane import Lane
from audit_tui.ui.widgets.line_view import LineView
from audit_tui.ui.widgets.painter import Line, Piece, Role, wrap
from audit_tui.ui.widgets.pane.detail_lines import Spot, Target, detail_lines, marked_lines, spots_in

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import tzinfo

    from textual import events

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.evidence.sealed import WrongEvents
    from audit_tui.core.filter.filters import FilterField
    from audit_tui.core.query import ReaderFactory

_TELLING = re.compile(r"access.?key|session|token|credential|principal", re.IGNORECASE)
"""Names of what one follows most: the key, the session. The cursor begins there."""


class EventRemarks(Protocol):
    """Knows more of an event than its record says."""

    def remarks_of(self, event: AuditEvent) -> Sequence[str]:
        """Return what stands above it."""

    def fields_of(self, event: AuditEvent) -> Collection[FilterField]:
        """Return the fields whose values stand out."""


class DetailPane(LineView):
    """Reads an event in a thread and shows it; while it has the focus, one of its values is marked."""

    @dataclass
    class Chosen(Message):
        """Enter or a click asks what can be done with a value."""

        target: Target

    @dataclass
    class Copied(Message):
        """A value is to be copied."""

        target: Target

    def __init__(
        self,
        open_reader: ReaderFactory,
        zone: tzinfo,
        remarks: EventRemarks,
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._lane = Lane(open_reader)
        self._zone = zone
        self._seq: int | None = None
        self.event: AuditEvent | None = None
        self._wrong: tuple[WrongEvents, ...] = ()
        self._remarks = remarks
        self._spots: Sequence[Spot] = ()
        self._current = 0
        self._pressed = False
        self._field: FilterField | None = None
        """The field that the cursor was put on, where it stays from event to event; None for nowhere yet."""

    @property
    def target(self) -> Target | None:
        return self._spots[self._current].target if self._spots else None

    def open_event(self, seq: int | None) -> None:
        """Show the event of this number; None shows nothing."""
        if seq == self._seq:
            return
        self._seq = seq
        self.event = None
        if seq is None:
            self._lane.cancel()
            self.show(lambda _: [])
        else:
            self._lane.put(self, "detail", lambda reader, _: reader.event(seq), self._take_event, self._tell)

    def read_missing(self) -> None:
        if self.event is None:
            self._reopen()

    def set_zone(self, zone: tzinfo) -> None:
        self._zone = zone
        self.show_remarks()

    def mark_wrong(self, wrong: Sequence[WrongEvents]) -> None:
        self._wrong = tuple(wrong)
        self.show_remarks()

    def show_remarks(self) -> None:
        """Show again what is said of the event beside its values."""
        if self.event is not None:
            self._show_event(self.event, keep_place=True)

    def renew(self) -> None:
        self._lane.renew()
        self._reopen()

    def _reopen(self) -> None:
        seq, self._seq = self._seq, None
        self.open_event(seq)

    def on_unmount(self) -> None:
        self._lane.close()

    def _take_event(self, event: AuditEvent | None) -> None:
        self.event = event
        if event is not None:
            self._show_event(event)
        else:
            self._tell(f"Event {number_text(self._seq or 0)} is not in the store any more.")

    def _tell(self, words: object) -> None:
        self.show(partial(_words, str(words)))

    def _show_event(self, event: AuditEvent, *, keep_place: bool = False) -> None:
        entry = catalogue().find(event.event)
        warnings = [
            f"! The seals of events {number_text(run.first_seq)} to {number_text(run.last_seq)}:"
            f" {run.wrong.words}."
            if run.events > 1
            else f"! The seal of this event: {run.wrong.words}."
            for run in self._wrong
            if event.seq is not None and run.first_seq <= event.seq <= run.last_seq
        ]
        remarks, fields = self._remarks.remarks_of(event), self._remarks.fields_of(event)
        self.show(
            lambda width: marked_lines(
                detail_lines(event, entry, self._zone, width, warnings, remarks), fields
            ),
            keep_place=keep_place,
        )

    # -- the cursor

    def _remake(self) -> None:
        super()._remake()
        self._spots = spots_in(self._lines)
        fields = [spot.target.field for spot in self._spots]
        self._current = fields.index(self._field) if self._field in fields else _first_spot(self._spots)
        if self.has_focus:
            self.call_after_refresh(self.show_cursor)

    def line(self, index: int) -> Line:
        line = self._lines[index]
        if not self.has_focus:
            return line
        current = self.target
        return tuple(
            piece._replace(role=Role.CURSOR) if current is not None and piece.target is current else piece
            for piece in line
        )

    def on_focus(self) -> None:
        # It does not scroll: the lines stay where a press of the mouse that brought the focus found them.
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def _go_to(self, index: int) -> None:
        if self._spots:
            self._put(max(0, min(index, len(self._spots) - 1)))
            self.show_cursor()

    def _put(self, index: int) -> None:
        self._current, self._field = index, self._spots[index].target.field

    def show_cursor(self) -> None:
        if self._spots:
            spot, top, height = self._spots[self._current], self.scroll_offset.y, self.size.height
            if spot.first_line < top:
                self.scroll_to(y=spot.first_line, animate=False)
            elif spot.last_line >= top + height:
                self.scroll_to(y=min(spot.first_line, spot.last_line - height + 1), animate=False)
        self.refresh()

    def action_pane(self, by: int) -> None:
        """Go to the next value; where that is out of sight, scroll, so that nothing is passed over."""
        goal = self._current + by
        top, height = self.scroll_offset.y, self.size.height
        if 0 <= goal < len(self._spots) and top - 1 <= self._spots[goal].first_line <= top + height:
            self._go_to(goal)
        else:
            self._scroll_by(by)

    def action_pane_page(self, by: int) -> None:
        """Scroll by a page, and take the cursor along."""
        lines = by * max(1, self.size.height - 1)
        self._scroll_by(lines)
        top = max(0, min(self.scroll_offset.y + lines, self.max_scroll_y)) if self.is_attached else 0
        in_sight = [
            n for n, spot in enumerate(self._spots) if top <= spot.first_line < top + self.size.height
        ]
        if in_sight:
            self._put(in_sight[0 if lines < 0 or top < self.max_scroll_y else -1])
            self.refresh()

    def action_pane_top(self) -> None:
        self._go_to(0)
        super().action_pane_top()

    def action_pane_end(self) -> None:
        self._go_to(len(self._spots) - 1)
        super().action_pane_end()

    def action_pane_choose(self) -> None:
        if self.target is not None:
            self.post_message(self.Chosen(self.target))

    def action_pane_copy(self) -> None:
        if self.target is not None:
            self.post_message(self.Copied(self.target))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        place = event.get_content_offset(self)
        self._pressed = False
        if place is None:
            return
        line = place.y + self.scroll_offset.y
        here = [n for n, spot in enumerate(self._spots) if spot.first_line <= line <= spot.last_line]
        # The last one that does not begin behind the mouse; the first, where its label is.
        before = [n for n in here if self._spots[n].start <= place.x]
        if here:
            self._pressed = True
            self._go_to(before[-1] if before else here[0])

    def on_click(self) -> None:
        if self._pressed:
            self.action_pane_choose()


def _first_spot(spots: Sequence[Spot]) -> int:
    """Return the value to begin at: a telling one, else the first of the metadata, which no column shows."""
    fields = [spot.target.field for spot in spots]
    inner = [n for n, field in enumerate(fields) if isinstance(field, MetaField)]
    telling = (n for n in inner if _TELLING.search(spots[n].target.field.label.rpartition(".")[2]))
    return next(telling, inner[0] if inner else 0)


def _words(words: str, width: int) -> list[Line]:
    lines = clean_visible(words, keep_newlines=True).split("\n")
    return [(Piece(part, Role.QUIET),) for line in lines for part in wrap(line, width)]
