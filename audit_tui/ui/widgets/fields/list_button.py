"""A button that opens a list and takes one of its lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.actions import SkipAction
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from audit_tui.ui.widgets.fields.flat_button import FlatButton
from audit_tui.ui.widgets.fields.popup_list import PopupItem, PopupList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

PAGE_LINES = 8


class ListButton(FlatButton):
    """Shows the chosen line of a list that it shares with other fields.

    Args:
        popup: The list that it opens.
        cells: How wide the words are, so that nothing beside them moves.
        id: The widget's id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", "Open, next", show=False),
        Binding("up", "step(-1)", "Open, previous", show=False),
        Binding("pagedown", f"step({PAGE_LINES})", "Some lines on", show=False),
        Binding("pageup", f"step({-PAGE_LINES})", "Some lines back", show=False),
        Binding("home", "first", "First line", show=False),
        Binding("end", "last", "Last line", show=False),
        Binding("escape", "close", "Close", show=False),
    ]
    """
    | Key(s) | Description |
    | :- | :- |
    | enter, space | Open the list; take the highlighted line. |
    | up, down | Open the list; the line before or after. |
    | pageup, pagedown, home, end | Far in the open list. |
    | escape | Close the list. |
    """

    index: reactive[int] = reactive(0)
    """The chosen line."""

    @dataclass
    class Chosen(Message):
        """A line was taken."""

        button: ListButton
        index: int

        @property
        def control(self) -> ListButton:
            """The button, for ``@on`` with a selector."""
            return self.button

    def __init__(self, popup: PopupList, cells: int, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__("", id=id)
        self._popup = popup
        self._cells = cells
        self._lines: tuple[str, ...] = ()

    def offer(self, lines: Sequence[str], index: int) -> None:
        """Set what can be chosen, and what is.

        Args:
            lines: The list's lines; never from data.
            index: The chosen one.
        """
        self._lines = tuple(lines)
        self.index = index
        self.refresh()

    @property
    def is_open(self) -> bool:
        """Whether its list is open."""
        return self._popup.is_open_for(self)

    def render(self) -> Content:
        """The chosen line, and a sign that there are others."""
        line = self._lines[self.index] if self._lines else ""
        return Content(f"{line:>{self._cells - 2}} ▾")

    def picked(self, index: int) -> None:
        """Take a line; the list calls it for a click."""
        self._popup.close()
        self.post_message(self.Chosen(self, index))

    def list_closed(self) -> None:
        """Nothing was taken."""

    def action_press(self) -> None:
        """Open the list, or take its highlighted line."""
        if self.is_open and self._popup.highlighted is not None:
            self.picked(self._popup.highlighted)
        elif not self.is_open:
            self._open()

    def action_step(self, lines: int) -> None:
        """Move in the open list, or open it."""
        if self.is_open:
            self._popup.move(lines)
        else:
            self._open()

    def action_first(self) -> None:
        """Go to the first line."""
        self._far(-1)

    def action_last(self) -> None:
        """Go to the last line."""
        self._far(1)

    def action_close(self) -> None:
        """Close the list; without one the key is for the dialog."""
        if not self.is_open:
            raise SkipAction
        self._popup.close()

    def take_click(self) -> None:
        """Open or close the list."""
        if self.is_open:
            self._popup.close()
        else:
            self._open()

    def on_blur(self) -> None:
        """Close the list."""
        if self.is_open:
            self._popup.close()

    def _far(self, direction: int) -> None:
        if not self.is_open:
            raise SkipAction
        self._popup.move(direction * len(self._lines))

    def _open(self) -> None:
        items = [PopupItem(line) for line in self._lines]
        self._popup.show_for(self, items, highlighted=self.index)
