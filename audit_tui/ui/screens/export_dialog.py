"""The *Export* dialog: what is shown, all of it, in a file."""

from __future__ import annotations

import re
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from audit_tui.config import user_path
from audit_tui.core.cancel import CancelToken
from audit_tui.core.columns import COLUMNS
from audit_tui.core.export import FILE_FORMATS, ExportJob, Format, Writing, format_of
from audit_tui.core.record import Record
from audit_tui.core.text import clean_visible, counted, thousands
from audit_tui.core.view import sort_words
from audit_tui.errors import AuditTuiError, FileExists, QueryCancelled
from audit_tui.ui.keymap import hidden
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.button import Button
from audit_tui.ui.widgets.fields.dropdown import Alternative, PickLine
from audit_tui.ui.widgets.fields.line_input import LineInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from audit_tui.core.event_fields import ListField
    from audit_tui.core.export import Exporter, ExportResult
    from audit_tui.core.query import EventQuery, RowCount
    from audit_tui.ui.history import ShownView

PROGRESS_S = 0.5
_ENDINGS = "|".join(form.value for form in FILE_FORMATS)
_TWO_ENDINGS = re.compile(rf"(.*\.(?:{_ENDINGS}))\.(?:{_ENDINGS})", re.IGNORECASE)
SHORT_LINES = 14
"""Below, no line is left blank."""
NARROW_CELLS = 50
EDIT_HINT = "⏎ export   Tab next   ← → change   Esc cancel"
RUN_HINT = "Esc cancels; nothing is left behind"
DONE_HINT = "⏎ close"


class Rows(Record):
    """Rows that can be exported."""

    words: str
    query: EventQuery
    count: RowCount
    sentence: str


class Exported(Record):
    """The events to export."""

    shown: ShownView
    count: RowCount
    keys: tuple[ListField, ...]
    others: tuple[Rows, ...] = ()
    """Rows that may be exported instead of all; the first of them is chosen at first if it is selected."""
    begins_with_others: bool = False

    @property
    def rows(self) -> tuple[Rows, ...]:
        count, order = self.count, sort_words(self.shown.view.sort)
        if count.exact:
            sentence = f"All {counted(count.value, 'event')} of the view, {order}."
        else:
            sentence = f"All events of the view, at least {thousands(count.value)}, {order}."
        whole = Rows("all of the view", self.shown.query, count, sentence)
        if self.begins_with_others:
            return (self.others[0], whole, *self.others[1:])
        return (whole, *self.others)


class ExportDialog(Dialog[None]):
    """Asks for a name and writes the file, while it says how far it is."""

    AUTO_FOCUS = "#name"
    BINDINGS: ClassVar[list[BindingType]] = hidden("q=cancel down=app.focus_next up=app.focus_previous")

    def __init__(
        self,
        exporter: Exporter,
        exported: Exported,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._exporter = exporter
        self._exported = exported
        self._folder = folder
        self._clock = clock
        self._cancel: CancelToken | None = None
        self._in_the_way: Path | None = None
        self._is_done = False

    def compose(self) -> ComposeResult:
        name = LineInput(f"events-{self._exported.shown.context.today}.csv", id="name")
        formats = [Alternative(form.label, form.value) for form in FILE_FORMATS]
        visible = len(self._exported.keys)
        columns = (
            Alternative(f"all {len(COLUMNS)}", "all"),
            Alternative(f"the {visible} of the list", "visible"),
        )
        with self.box("Export"):
            with Horizontal(classes="field"):
                yield Static("File", classes="label")
                yield name
            if self._exported.others:
                with Horizontal(classes="field"):
                    yield Static("Rows", classes="label")
                    alternatives = [Alternative(rows.words, rows.words) for rows in self._exported.rows]
                    yield PickLine(alternatives, id="rows")
            with Horizontal(classes="field"):
                yield Static("Format", classes="label")
                yield PickLine(formats, id="format")
            with Horizontal(classes="field"):
                yield Static("Columns", classes="label")
                yield PickLine(columns, id="columns")
            yield Static("", id="message", markup=False)
            with Horizontal(id="foot"):
                yield Static(EDIT_HINT, id="hint", markup=False)
                yield Button("Cancel", id="cancel", action="cancel")
                yield Button("Export", id="export", classes="-primary")

    def on_mount(self) -> None:
        field = self._field
        # One types over the name and leaves the ending.
        field.selection = Selection(0, len(field.value) - len(".csv"))
        self._tell_rows()

    @on(PickLine.Changed, "#rows")
    def _tell_rows(self) -> None:
        self._say(f"{self._rows.sentence}\nIn {self._folder}, readable by you alone.")

    @property
    def _rows(self) -> Rows:
        index = self.query_one("#rows", PickLine).index if self._exported.others else 0
        return self._exported.rows[index]

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < SHORT_LINES, "-short")
        self.set_class(event.size.width < NARROW_CELLS, "-narrow")

    @property
    def _field(self) -> Input:
        return self.query_one("#name", Input)

    @property
    def _format(self) -> Format:
        return FILE_FORMATS[self.query_one("#format", PickLine).index]

    # -- what is chosen

    @on(PickLine.Changed, "#format")
    def _follow_format(self) -> None:
        field = self._field
        stem = field.value
        if format_of(stem) is not None:
            stem = stem[: stem.rindex(".")]
        with self.prevent(Input.Changed):
            field.value = f"{stem}.{self._format.value}"
        field.cursor_position = len(stem)

    @on(Input.Changed)
    def _follow_ending(self, message: Input.Changed) -> None:
        if (doubled := _TWO_ENDINGS.fullmatch(message.value)) is not None:
            # An ending was typed before the one that stood there.
            self._field.value = doubled[1]
            self._field.cursor_position = len(doubled[1])
            return
        form = format_of(message.value)
        if form is not None:
            self.query_one("#format", PickLine).index = FILE_FORMATS.index(form)

    # -- writing

    @on(Input.Submitted)
    @on(PickLine.Entered)
    @on(Button.Pressed, "#export")
    def _begin(self) -> None:
        if self._is_done:
            self.leave()
        if self._is_done or self._cancel is not None:
            return
        typed = self._field.value.strip()
        if not typed:
            self._say("Give the file a name.", is_error=True)
            return
        try:
            path = self._folder / user_path(typed)
        except RuntimeError:
            self._say("There is no such home directory.", is_error=True)
            return
        is_all = self.query_one("#columns", PickLine).index == 0
        keys = COLUMNS if is_all else self._exported.keys
        writing = Writing(self._format, self._exported.shown.context, keys)
        job = ExportJob(path, self._rows.query, writing, may_replace=path == self._in_the_way)
        self._cancel = CancelToken()
        self._set_running(True)
        self._say(self._progress_words(0))
        self.run_worker(partial(self._write, job, self._cancel), thread=True, group="export")

    def _write(self, job: ExportJob, cancel: CancelToken) -> None:
        next_s = self._clock() + PROGRESS_S

        def on_progress(events: int) -> None:
            nonlocal next_s
            if self._clock() >= next_s:
                next_s = self._clock() + PROGRESS_S
                self.call_later(self._show_progress, events)

        outcome: ExportResult | AuditTuiError
        try:
            outcome = self._exporter(job, on_progress, cancel)
        except AuditTuiError as error:
            outcome = error
        self.call_later(self._show_end, job.path, outcome)

    def _show_progress(self, events: int) -> None:
        if self._cancel is not None:
            self._say(self._progress_words(events))

    def _show_end(self, path: Path, outcome: ExportResult | AuditTuiError) -> None:
        self._cancel = None
        self._set_running(False)
        if isinstance(outcome, QueryCancelled):
            self._say("Cancelled; nothing was written.")
        elif isinstance(outcome, FileExists):
            self._in_the_way = path
            self._say(f"{outcome.message} ⏎ again replaces it.", is_error=True)
        elif isinstance(outcome, AuditTuiError):
            self._say(str(outcome), is_error=True)
        else:
            self._finish(outcome)

    def _finish(self, result: ExportResult) -> None:
        self._is_done = True
        self.add_class("-done")
        for part in self.query(".field, #cancel"):
            part.display = False
        button = self.query_one("#export", Button)
        button.words = "Close"
        button.focus()
        seals = f" Seals: {result.seal_words}." if result.seal_words else ""
        self._say(f"Exported {counted(result.events, 'event')} to {result.path}.{seals}")
        self._hint(DONE_HINT)

    def _progress_words(self, events: int) -> str:
        count = self._rows.count
        total = f" of {thousands(count.value)}" if count.exact else ""
        return f"Writing: {thousands(events)}{total}"

    def _set_running(self, is_running: bool) -> None:
        focused = self.focused
        for part in (self._field, *self.query(PickLine), self.query_one("#export")):
            part.disabled = is_running
        if is_running:
            self.query_one("#cancel").focus()
        elif focused is self.query_one("#cancel"):
            self._field.focus()
        self._hint(RUN_HINT if is_running else EDIT_HINT)

    # -- leaving

    def action_cancel(self) -> None:
        if not self.cancel():
            self.leave()

    def cancel(self) -> bool:
        """End the writing; False when nothing is written."""
        if self._cancel is None:
            return False
        self._cancel.cancel()
        return True

    def on_unmount(self) -> None:
        self.cancel()

    def _say(self, words: str, *, is_error: bool = False) -> None:
        message_field = self.query_one("#message", Static)
        message_field.set_class(is_error, "-error")
        message_field.update(Content(clean_visible(f"✗ {words}" if is_error else words, keep_newlines=True)))

    def _hint(self, words: str) -> None:
        self.query_one("#hint", Static).update(words)


def working_folder() -> Path:
    """Return where the program was started; the home directory if that is gone."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path.home()
