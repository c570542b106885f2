"""The pane with everything that is known of the event under the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message

from audit_tui.core.catalogue import catalogue
from audit_tui.core.event import number_text
from audit_tui.core.text import clean_visible
from audit_tui.errors import AuditTuiError, QueryCancelled
from audit_tui.ui.lane import Lane
from audit_tui.ui.widgets.line_view import LineView
from audit_tui.ui.widgets.painter import Line, Piece, Role, wrap
from audit_tui.ui.widgets.pane.detail_lines import detail_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.evidence.sealed import WrongEvents
    from audit_tui.core.query import ReaderFactory


class DetailPane(LineView):
    """Reads an event in a thread and shows it.

    Args:
        open_reader: Opens its reader.
        zone: The zone of the date.
    """

    @dataclass
    class _EventRead(Message):
        seq: int
        event: AuditEvent | None
        error: AuditTuiError | None = None

    def __init__(self, open_reader: ReaderFactory, zone: tzinfo, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._lane = Lane(open_reader)
        self._zone = zone
        self._seq: int | None = None
        self._event: AuditEvent | None = None
        self._wrong: tuple[WrongEvents, ...] = ()
        self._remarks_of: Callable[[AuditEvent], Sequence[str]] = lambda _: ()

    @property
    def event(self) -> AuditEvent | None:
        """The event that is shown; None while it is read."""
        return self._event

    def open_event(self, seq: int | None) -> None:
        """Show the event of this number; None shows nothing."""
        if seq == self._seq:
            return
        self._seq = seq
        self._event = None
        if seq is None:
            self.show(lambda _: [])
            return
        work = partial(self._read_event, seq, self._lane.begin())
        self.run_worker(work, group="detail", thread=True, exclusive=True)

    def set_zone(self, zone: tzinfo) -> None:
        """Show the date in another zone."""
        self._zone = zone
        if self._event is not None:
            self._show_event(self._event, keep_place=True)

    def mark_wrong(self, wrong: Sequence[WrongEvents]) -> None:
        """Say of these events that they are not what was sealed."""
        self._wrong = tuple(wrong)
        if self._event is not None:
            self._show_event(self._event, keep_place=True)

    def remark(self, remarks_of: Callable[[AuditEvent], Sequence[str]]) -> None:
        """Show above an event what this says of it."""
        self._remarks_of = remarks_of
        if self._event is not None:
            self._show_event(self._event, keep_place=True)

    def renew(self) -> None:
        """Read from the source again, the event that is shown too: it may have been replaced."""
        self._lane.renew()
        seq, self._seq = self._seq, None
        self.open_event(seq)

    def on_unmount(self) -> None:
        self._lane.close()

    def _read_event(self, seq: int, token: CancelToken) -> None:
        try:
            event = self._lane.ask(lambda reader, _: reader.event(seq), token)
        except QueryCancelled:
            return
        except AuditTuiError as error:
            self.post_message(self._EventRead(seq, None, error))
        else:
            self.post_message(self._EventRead(seq, event))

    @on(_EventRead)
    def _take_event(self, message: _EventRead) -> None:
        message.stop()
        if message.seq != self._seq:
            return
        self._event = message.event
        if message.event is not None:
            self._show_event(message.event)
        else:
            words = str(message.error or f"Event {number_text(message.seq)} is not in the store any more.")
            self.show(partial(_words, words))

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
        remarks = self._remarks_of(event)
        self.show(
            lambda width: detail_lines(event, entry, self._zone, width, warnings, remarks),
            keep_place=keep_place,
        )


def _words(words: str, width: int) -> list[Line]:
    lines = clean_visible(words, keep_newlines=True).split("\n")
    return [(Piece(part, Role.QUIET),) for line in lines for part in wrap(line, width)]
