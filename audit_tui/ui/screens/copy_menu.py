"""The menu that asks as what to copy: one key each, or arrows and Enter, or a click."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from audit_tui.core.text import clean, counted
from audit_tui.errors import AuditTuiError, UsageError
from audit_tui.ui.screens.copy_source import WITHOUT_ROWS, CopyForm, where_it_went
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.terminal.terminal_app import TerminalApp
from audit_tui.ui.widgets.fields.button import Button

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from audit_tui.core.query import ReaderFactory
    from audit_tui.ui.screens.copy_source import CopySource
    from audit_tui.ui.terminal.clipboard import Clipboard, CopyResult

_TITLES = {
    CopyForm.CELL: "Cell",
    CopyForm.ROW: "Row",
    CopyForm.JSON: "JSON",
    CopyForm.MARKDOWN: "Markdown",
    CopyForm.QUERY: "Query",
    CopyForm.COMMAND: "Command",
    CopyForm.LINK: "Link",
}
_TITLE_CELLS = 11
_MAX_CHARS = 400


class Copied(NamedTuple):
    """A copy that was made."""

    words: str
    """The place that it went to, for the status line; empty when that takes more words."""
    result: CopyResult


class CopyMenu(Dialog["Copied | AuditTuiError | None"]):
    """Asks as what to copy, and copies; gives back what became of it, or None when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("up,k", "app.focus_previous", "Up", show=False),
        Binding("down", "app.focus_next", "Down", show=False),
        *(Binding(form.value, f"take({form.name!r})", _TITLES[form], show=False) for form in CopyForm),
    ]

    def __init__(
        self, source: CopySource, cell: str, open_reader: ReaderFactory, clipboard: Clipboard
    ) -> None:
        super().__init__()
        self._open_reader = open_reader
        self._clipboard = clipboard
        self._source = source
        self._forms = [form for form in CopyForm if source.rows or form in WITHOUT_ROWS]
        self._cell = cell
        self._release: Callable[[], None] | None = None

    def compose(self) -> ComposeResult:
        count = len(self._source.rows)
        with Vertical(id="box") as box:
            box.border_title = f"Copy {counted(count, 'event')}" if count > 1 else "Copy"
            box.border_subtitle = "⏎ copy   Esc cancel"
            for form in self._forms:
                head = Content.assemble((form.value, "bold"), f"  {_TITLES[form]:<{_TITLE_CELLS}}")
                words = clean(self._words(form)[:_MAX_CHARS])
                yield Button(head + Content(words), id=form.name.lower())

    def _words(self, form: CopyForm) -> str:
        several = len(self._source.rows) > 1
        column = self._source.column.label
        match form:
            case CopyForm.CELL:
                return f"{column} of each, one a line" if several else f"{column}: {self._cell}"
            case CopyForm.ROW:
                return "the columns of the list, between tabs"
            case CopyForm.JSON:
                return "all that is known, one event a line" if several else "all that is known, on one line"
            case CopyForm.MARKDOWN:
                return "a table of the columns of the list"
            case CopyForm.LINK:
                return "audit-tui open LINK shows this view again, on this event"
            case _:
                try:
                    return self._source.of_view(form)
                except UsageError as error:
                    return error.message

    @on(Button.Pressed)
    def _take_pressed(self, message: Button.Pressed) -> None:
        self.action_take((message.button.id or "").upper())

    def action_take(self, name: str) -> None:
        form = CopyForm[name]
        if form in self._forms:
            # What is typed ahead is for the screen below.
            self._release = self.app.hold_keys() if isinstance(self.app, TerminalApp) else None
            self.run_worker(partial(self._copy, form), thread=True, group="copy", exclusive=True)

    def _copy(self, form: CopyForm) -> None:
        outcome: Copied | AuditTuiError
        try:
            with closing(self._open_reader()) as reader:
                text = self._source.text(form, reader)
        except AuditTuiError as error:
            outcome = error
        else:
            result = self._clipboard.copy(text)
            outcome = Copied(where_it_went(self._source.what(form), result), result)
        self.app.call_from_thread(self._end, outcome)

    def _end(self, outcome: Copied | AuditTuiError) -> None:
        # In one go: a thread of a screen that is gone gets no further.
        self.leave(outcome)
        if self._release is not None:
            self._release()

    def action_cancel(self) -> None:
        self.leave()
