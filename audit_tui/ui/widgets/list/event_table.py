"""The list of events: looks and behaves as Textual's DataTable, over any number of rows.

DataTable holds and measures every row (100,000 take 30 s); this draws the lines on the screen from a
window of rows, through Textual's Line API, and asks for the rows that are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar

from audit_tui.core.columns import LIST_COLUMNS
from audit_tui.core.query import NEWEST_FIRST
from audit_tui.core.text import clean
from audit_tui.core.window import PageRequest, RowWindow
from audit_tui.ui.commands import Where
from audit_tui.ui.keymap import bindings
from audit_tui.ui.terminal.drawing import thumb_cell
from audit_tui.ui.widgets.list.row_strips import ADDITIONS, STYLE_CLASSES, Frame, RowStrips, RowStyles
from audit_tui.ui.widgets.painter import wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.binding import BindingType
    from textual.strip import Strip

    from audit_tui.core.event import EventRow
    from audit_tui.core.event_fields import ListField
    from audit_tui.core.evidence.sealed import WrongEvents
    from audit_tui.ui.widgets.list.row_strips import Remark
    from audit_tui.ui.widgets.list.row_text import RowText

RIGHT_BUTTON = 3
MEASURED_ROWS = 100


class EventTable(ScrollView, can_focus=True):
    """A table of events with a row and a column cursor; only its visible lines exist."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.TABLE)]

    COMPONENT_CLASSES: ClassVar[set[str]] = set(STYLE_CLASSES.values())
    cursor_row: reactive[int] = reactive(0, repaint=False)
    cursor_column: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class RowHighlighted(Message):
        """The cursor stands on another event, or what it stands on has been read."""

        cursor_row: int
        row: EventRow | None

    class CellPressed(Message):
        """The right button was pressed on the cell that is now under the cursor."""

    @dataclass
    class RowSelected(Message):
        """The event under the cursor was clicked again."""

        cursor_row: int

    @dataclass
    class HeaderSelected(Message):
        """A heading was clicked."""

        column: ListField

    @dataclass
    class PageNeeded(Message):
        """Rows on the screen, or next to it, are not in memory."""

        request: PageRequest

        def can_replace(self, message: Message) -> bool:
            """Only the newest place on the screen matters."""
            return isinstance(message, EventTable.PageNeeded)

    def __init__(self, row_text: RowText, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._row_text = row_text
        self._window = RowWindow(NEWEST_FIRST)
        self._end = ""
        self._told: tuple[Sequence[str], Sequence[str]] = (), ()
        self._words: tuple[str, ...] = ()
        self._choices = range(0)
        self.choice: int | None = None
        self._strips = RowStrips(row_text)
        self._styles: RowStyles | None = None
        self._asked: PageRequest | None = None
        self._has_result = False
        self._laid_out_cells = 0

    # -- what is shown

    def show(self, window: RowWindow, cursor_row: int = 0, top_row: int = 0) -> None:
        self._has_result = True
        self._window = window
        self._told = (), ()
        self._lay_words()
        self.choice = None
        self._asked = None
        self._measure(top_row)
        self._resize_rows()
        self._show_from(top_row)
        self.set_reactive(EventTable.cursor_row, self._clamped(cursor_row))
        self._scroll_to_cursor()
        self._redraw()
        self._announce()
        self.ask_for_rows()

    def show_words(self, *words: str, choices: Sequence[str] = ()) -> None:
        self._told = words, choices
        self._lay_words()
        self.choice = 0 if choices else None
        self._redraw()

    def _lay_words(self) -> None:
        words, choices = self._told
        lines = [line for text in words for line in wrap(clean(text), self.size.width - 2)]
        self._words = (*lines, *choices)
        self._choices = range(len(lines), len(self._words))

    def _choose(self, choice: int) -> None:
        self.choice = max(0, min(choice, len(self._choices) - 1))
        self._redraw()

    def rows_came(self) -> None:
        self._asked = None
        if not self._row_text.is_measured:
            self._measure(self.scroll_offset.y)
        self._resize_rows()
        self.refresh()
        self._announce()
        self.ask_for_rows()

    @property
    def highlighted(self) -> EventRow | None:
        """The event under the cursor; None when there is none, or it is not read yet."""
        return self._window.row(self.cursor_row)

    @property
    def column(self) -> ListField:
        columns = [box.column for box in self._row_text.boxes] or list(LIST_COLUMNS)
        return columns[min(self.cursor_column, len(columns) - 1)]

    @property
    def visible_rows(self) -> int:
        return max(1, self.size.height - 1)

    @property
    def rows_in_sight(self) -> list[EventRow]:
        top = self.scroll_offset.y
        rows = (self._window.row(index) for index in range(top, top + self.visible_rows))
        return [row for row in rows if row is not None]

    # -- geometry

    def _measure(self, top_row: int) -> None:
        """Size the columns from the rows on the screen, so that they stay as they are while scrolling."""
        top_row = max(0, min(top_row, self._window.count.value - self.visible_rows))
        shown = (self._window.row(index) for index in range(top_row, top_row + MEASURED_ROWS))
        self._row_text.measure([row for row in shown if row is not None])
        self._lay_out()

    def _lay_out(self) -> None:
        self._laid_out_cells = self._width
        self._row_text.lay_out(self._width)
        self._strips.forget()

    @property
    def _width(self) -> int:
        return max(1, self.size.width - self.scrollbar_size_vertical)

    def _resize_rows(self) -> None:
        self.virtual_size = Size(self._width, self._window.count.value + 1 + bool(self._end))

    def on_resize(self) -> None:
        self._lay_words()
        self._lay_out()
        self._resize_rows()
        self._scroll_to_cursor()
        self.ask_for_rows()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = None

    def _redraw(self) -> None:
        self._strips.forget()
        self.refresh()

    # -- drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines of the screen.

        Not by Textual's cache of styled lines, which draws all of them again when the list scrolls (4 ms of
        20): there are no borders here, and ``RowStrips`` keeps what it drew.
        """
        if self._laid_out_cells != self._width:
            # The first frame is drawn before the message about the size is handled.
            self._lay_out()
        if self._styles is None:
            self._styles = self._styles_now()
        width, filters, background = self.size.width, self.get_line_filters(), self.background_colors[1]
        frame = Frame(width, self._width, self._styles, tuple(filters), background)
        self._strips.begin(frame, self._column_number)
        strips = [self.render_line(y) for y in crop.line_range]
        is_whole = crop.column_span == (0, width)
        return strips if is_whole else [strip.crop(*crop.column_span) for strip in strips]

    def render_line(self, y: int) -> Strip:
        if y == 0:
            return self._strips.header()
        if self._words:
            number = y - self._words_top
            if not 0 <= number < len(self._words):
                return self._strips.blank()
            is_cursor = self.choice is not None and number == self._choices.start + self.choice
            return self._strips.words(self._words[number], is_cursor=is_cursor)
        index = self.index_at(y - 1)
        if index >= (count := self._window.count.value):
            return self._strips.words(self._end) if self._end and index == count else self._strips.blank()
        row = self._window.row(index)
        if row is None:
            return self._strips.missing()
        above = self._window.row(self.index_at(y - 2)) if y > 1 else None
        is_selected = self.is_selected(index)
        return self._strips.row(
            row,
            above,
            is_cursor=self.is_at_cursor(index),
            is_selected=is_selected,
            words=self.words_of(index),
        )

    @property
    def _words_top(self) -> int:
        return max(2, (self.size.height - len(self._words)) // 2)

    def mark_wrong(self, wrong: Sequence[WrongEvents]) -> None:
        self._strips.mark_wrong(wrong)
        self.refresh()

    def end_with(self, words: str) -> None:
        if words != self._end:
            self._end = words
            self._resize_rows()
            self.refresh()

    def remark(self, remarks: Mapping[int, Remark]) -> None:
        self._strips.remark(remarks)
        self.refresh()

    def search_for(self, text: str) -> None:
        self._strips.search_for(text)
        self.refresh()

    # -- lines of the screen: each shows a row here

    def moved(self, index: int, lines: int) -> int:
        return index + lines

    def line_of(self, index: int) -> int:
        return index - self.scroll_offset.y

    def index_at(self, line: int) -> int:
        return self.scroll_offset.y + line

    def words_of(self, index: int) -> str:
        return ""

    def is_at_cursor(self, index: int) -> bool:
        return index == self.cursor_row

    def is_selected(self, index: int) -> bool:
        return False

    def _styles_now(self) -> RowStyles:
        styles = {
            name: self.get_component_styles(css).partial_rich_style
            if name in ADDITIONS
            else self.get_component_rich_style(css)
            for name, css in STYLE_CLASSES.items()
        }
        return RowStyles(row=self.rich_style, **styles)

    @property
    def _column_number(self) -> int:
        return min(self.cursor_column, max(0, len(self._row_text.boxes) - 1))

    # -- the cursor

    @property
    def cursor_offset(self) -> Offset:
        """The cell under the cursor, for the terminal's own cursor (``ui.terminal.cursor``)."""
        box = self._row_text.boxes[self._column_number] if self._row_text.boxes else None
        return Offset(box.start if box else 0, self.line_of(self.cursor_row) + 1)

    def validate_cursor_row(self, value: int) -> int:
        return self._clamped(value)

    def validate_cursor_column(self, value: int) -> int:
        return max(0, min(value, max(0, len(self._row_text.boxes) - 1)))

    def _clamped(self, row: int) -> int:
        return max(0, min(row, self._window.count.value - 1))

    def watch_cursor_row(self, old: int, new: int) -> None:
        if old == new:
            return
        self._refresh_row(old)
        self._refresh_row(new)
        self._scroll_to_cursor()
        self._announce()

    def watch_cursor_column(self) -> None:
        self._refresh_row(self.cursor_row)
        self.refresh(Region(0, 0, self.size.width, 1))

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self._styles = None
        self._refresh_row(self.cursor_row)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        bar = self.vertical_scrollbar
        if thumb_cell(bar, old_value) == thumb_cell(bar, new_value):
            bar.set_reactive(ScrollBar.position, new_value)  # Not drawn again: a fifth of the time of a page.
        super().watch_scroll_y(old_value, new_value)
        self.ask_for_rows()

    def ask_for_rows(self) -> None:
        """Post what is missing on the screen, or within a screen of it."""
        if not self._has_result:
            return
        top, height = self.index_at(0), self.visible_rows
        end = self.index_at(height)
        request = self._window.request(top, end) or self._window.request(top - height, end + height)
        if request is not None and request != self._asked:
            self._asked = request
            self.call_next(lambda: self.post_message(self.PageNeeded(request)))

    def _announce(self) -> None:
        # Not at once: Textual 8.2.8 hands no message to the parent in whose handler it was made, and the
        # list around the table calls this from its own.
        self.call_next(lambda: self.post_message(self.RowHighlighted(self.cursor_row, self.highlighted)))

    def _refresh_row(self, index: int) -> None:
        y = self.line_of(index) + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _scroll_to_cursor(self) -> None:
        if not self.size.height:
            return  # Not laid out yet; the first size brings it here again.
        line, height = self.line_of(self.cursor_row), self.visible_rows
        is_last = self.cursor_row + 1 == self._window.count.value
        below = 1 if is_last and self._end and height > 1 else 0
        if line < 0:
            self._show_from(self.moved(self.cursor_row, 0))
        elif line + below >= height:
            self._show_from(self.moved(self.cursor_row, 1 - height + below))

    def _show_from(self, top_row: int) -> None:
        # Forced: a list that was short until now has no scrollbar yet, and Textual would not scroll it.
        self.scroll_to(y=top_row, animate=False, force=True)

    def move_cursor(self, row: int) -> None:
        """Put the cursor on a row, and show it; a place outside the list is its first or last row."""
        self.cursor_row = row
        self._scroll_to_cursor()  # The scrollbar may have left it behind.

    def jump_to(self, row: int) -> None:
        """Put the cursor on a row; one that is not on the screen comes to its middle."""
        row = self._clamped(row)
        if not 0 <= self.line_of(row) < self.visible_rows:
            self._show_from(self.moved(row, -(self.visible_rows // 2)))
        self.move_cursor(row)

    # -- keys and mouse

    def action_cursor(self, by: int) -> None:
        if self.choice is not None:
            self._choose(self.choice + by)
        else:
            self.move_cursor(self.moved(self.cursor_row, by))

    def action_page(self, by: int) -> None:
        self._move_lines(by * self.visible_rows)

    def action_half_page(self, by: int) -> None:
        self._move_lines(by * max(1, self.visible_rows // 2))

    def _move_lines(self, lines: int) -> None:
        self._show_from(self.moved(self.index_at(0), lines))
        self.cursor_row = self.moved(self.cursor_row, lines)

    def action_first_row(self) -> None:
        self.move_cursor(0)

    def action_last_row(self) -> None:
        self.move_cursor(self._window.count.value - 1)

    def action_column(self, by: int) -> None:
        self.cursor_column += by

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        boxes = self._row_text.boxes
        number = next((n for n in reversed(range(len(boxes))) if boxes[n].start <= offset.x), 0)
        if offset.y == 0:
            self.post_message(self.HeaderSelected(self._row_text.boxes[number].column))
            return
        if self.choice is not None and offset.y - self._words_top in self._choices:
            self._choose(offset.y - self._words_top - self._choices.start)
            self.post_message(self.RowSelected(0))
            return
        index = self.index_at(offset.y - 1)
        if index >= self._window.count.value:
            return
        again = self.is_at_cursor(index)
        self.cursor_row, self.cursor_column = index, number
        if event.button == RIGHT_BUTTON:
            self.post_message(self.CellPressed())
        elif again:
            self.post_message(self.RowSelected(index))
