"""The text that is copied of the events on the screen: one cell of each, rows, JSON, Markdown, a command."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.command_text import Link, event_options, shell_line, sort_options
from audit_tui.core.event_fields import ListField
from audit_tui.core.event_text import (
    MISSING,
    cell_text,
    json_text,
    markdown_head,
    markdown_row,
    tabbed_row,
    told_time,
)
from audit_tui.core.left import Left
from audit_tui.core.privacy.secrets import SecretAction, SecretFilter, mask_row
from audit_tui.core.query import AtRow
from audit_tui.core.query_line.text import line_of, quoted
from audit_tui.core.record import Record
from audit_tui.core.text import clean_visible, counted
from audit_tui.core.time.dates import bound_texts
from audit_tui.errors import UsageError
from audit_tui.ui.terminal.clipboard import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.core.event import AuditEvent, EventRow
    from audit_tui.core.event_fields import ListField
    from audit_tui.core.query import EventReader, PageKey
    from audit_tui.ui.history import ShownView
    from audit_tui.ui.terminal.clipboard import CopyResult

QUERY = "query"
MAX_COPIED_ROWS = 1_000
"""More is no longer something to paste; an export takes any number."""
MAX_COPIED_CHARS = 8_000_000


class CopyForm(Enum):
    """As what events are copied: the key in the menu, and the name there."""

    CELL = "y", "Cell"
    ROW = "r", "Row"
    JSON = "j", "JSON"
    MARKDOWN = "m", "Markdown"
    QUERY = "q", "Query"
    COMMAND = "c", "Command"
    LINK = "l", "Link"


WITHOUT_ROWS = (CopyForm.QUERY, CopyForm.COMMAND, CopyForm.LINK)


class CopySource(Record):
    """The rows to copy, as they are on the screen at that moment."""

    shown: ShownView
    rows: range
    column: ListField
    keys: tuple[ListField, ...]
    command_words: tuple[str, ...]
    masks_secrets: bool = False
    names: tuple[str, ...] = ()
    store_id: str = ""
    at: PageKey | None = None

    def what(self, form: CopyForm) -> str:
        count = len(self.rows)
        match form:
            case CopyForm.CELL:
                name = self.column.label.lower()
                return f"the {name}" if count == 1 else f"the {name} of {counted(count, 'row')}"
            case CopyForm.ROW:
                return counted(count, "row")
            case CopyForm.JSON:
                return f"{counted(count, 'row')} as JSON"
            case CopyForm.MARKDOWN:
                return f"{counted(count, 'row')} as Markdown"
            case CopyForm.QUERY:
                return "the query line"
            case CopyForm.COMMAND:
                return "the command"
            case CopyForm.LINK:
                return "the link"

    def offer(self, form: CopyForm, cell: str) -> str:
        """Say in the menu what a form gives; ``cell`` is the text under the cursor, from data."""
        several = len(self.rows) > 1
        match form:
            case CopyForm.CELL:
                column = self.column.label
                return f"{column} of each, one a line" if several else f"{column}: {cell}"
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
                    return self.of_view(form)
                except UsageError as error:
                    return error.message

    def command(self) -> str:
        view, order = self.shown.view, []
        if QUERY in self.command_words:
            names = [column.field.value for column in view.columns]
            # Without columns, those of the settings.
            chosen = (
                ["--columns", ",".join(names)] if names and not any("," in each for each in names) else []
            )
            order = sort_options(view.sort) + chosen
        return shell_line([*self.command_words, *event_options(view, self.shown.context), *order])

    def query_line(self) -> str:
        view = self.shown.view
        since, until = bound_texts(view.time_range, self.shown.context)
        bounds = [f"{name}:{quoted(text)}" for name, text in (("since", since), ("until", until)) if text]
        # It may be pasted into a terminal: what would command one is shown, as elsewhere.
        return clean_visible(" ".join(filter(None, (line_of(view.in_force), *bounds))))

    def link(self) -> str:
        shown = self.shown
        left = Left(shown.view, self.at, 0)
        return Link(self.names, self.store_id, left, shown.context.zone).text()

    def of_view(self, form: CopyForm) -> str:
        match form:
            case CopyForm.QUERY:
                line = self.query_line()
                if not line:
                    raise UsageError("The view is everything, at any time: its query line is empty.")
                return line
            case CopyForm.LINK:
                return self.link()
            case _:
                return self.command()

    def text(self, form: CopyForm, reader: EventReader) -> str:
        """The text to copy, without a newline at its end; blocks."""
        if form in WITHOUT_ROWS:
            return self.of_view(form)
        if len(self.rows) > MAX_COPIED_ROWS:
            raise _too_much(f"{counted(len(self.rows), 'row')} are")
        lines: list[str] = []
        chars = 0
        for line in self._lines(form, reader):
            chars += len(line)
            if chars > MAX_COPIED_CHARS:
                raise _too_much("This is")
            lines.append(line)
        return "\n".join(lines)

    def _lines(self, form: CopyForm, reader: EventReader) -> Iterator[str]:
        page = reader.page(self.shown.query, AtRow(self.rows.start), len(self.rows))
        if form is CopyForm.MARKDOWN:
            yield markdown_head(self.keys, self.shown.context).removesuffix("\n")
        for row in map(self.masked, page.rows):
            match form:
                case CopyForm.CELL:
                    yield self._cell(row)
                case CopyForm.ROW:
                    yield tabbed_row(row, self.keys, self.shown.context)
                case CopyForm.MARKDOWN:
                    yield markdown_row(row, self.keys, self.shown.context, clean_visible).removesuffix("\n")
                case CopyForm.JSON if (event := reader.event(row.seq)) is not None:
                    yield json_text(self._event(event))

    def masked(self, row: EventRow) -> EventRow:
        return mask_row(row) if self.masks_secrets else row

    def _event(self, event: AuditEvent) -> AuditEvent:
        return SecretFilter(SecretAction.MASK).event(event) if self.masks_secrets else event

    def _cell(self, row: EventRow) -> str:
        if self.column is Column.TIME:
            return told_time(row.occurred_us, self.shown.context)
        return cell_text(row, self.column, self.shown.context, clean_visible) or MISSING


def where_it_went(what: str, result: CopyResult) -> str:
    """Say where a copied text went, short enough for the status line; empty when that takes more words."""
    match result.place:
        case Place.TMUX_AND_TERMINAL:
            return f"Copied {what} to tmux and clipboard"
        case Place.TMUX:
            return f"Copied {what} to tmux: prefix ] pastes"
        case Place.TERMINAL:
            return f"Sent {what} to the terminal's clipboard"
        case Place.FILE | Place.NOWHERE:
            return ""


def _too_much(what: str) -> UsageError:
    return UsageError(f"{what} too much to copy.", "An export to a file takes any number of events.")
