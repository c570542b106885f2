"""A scrolling block of styled lines, laid out for its width and drawn line by line."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from audit_tui.ui.commands import Where
from audit_tui.ui.keymap import bindings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.binding import BindingType


class Role(Enum):
    """What a piece of text is for; the value is its component class."""

    TITLE = "line-view--title"
    LABEL = "line-view--label"
    VALUE = "line-view--value"
    QUIET = "line-view--quiet"
    FAILURE = "line-view--failure"


class Piece(NamedTuple):
    """Text of one role: clean, and without line feeds."""

    text: str
    role: Role = Role.VALUE


Line = tuple[Piece, ...]


class LineView(ScrollView, can_focus=True):
    """Shows lines that are made for the width there is."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.PANE)]

    COMPONENT_CLASSES: ClassVar[set[str]] = {role.value for role in Role}
    """
    | Class | Description |
    | :- | :- |
    | `line-view--title` | The name of what is shown. |
    | `line-view--label` | The name of a value. |
    | `line-view--value` | A value. |
    | `line-view--quiet` | What is said by the way. |
    | `line-view--failure` | What failed. |
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._make: Callable[[int], list[Line]] = lambda _: []
        self._lines: list[Line] = []
        self._made_for = 0

    def show(self, make: Callable[[int], list[Line]], *, keep_place: bool = False) -> None:
        """Show other lines.

        Args:
            make: Makes the lines for a width in cells.
            keep_place: Stay where one has scrolled to; False begins at the top.
        """
        self._make = make
        if not keep_place:
            self.scroll_to(y=0, animate=False)
        self._remake()

    @property
    def plain_text(self) -> str:
        """What is shown, as text."""
        return "\n".join("".join(piece.text for piece in line).rstrip() for line in self._lines)

    def on_resize(self) -> None:
        self._remake()

    def _remake(self) -> None:
        width = self._content_width
        self._made_for = width
        self._lines = self._make(width)
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    @property
    def _content_width(self) -> int:
        """One less for the scrollbar, so that the lines stay as they are when it comes."""
        return max(8, self.size.width - 1)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        if self._made_for != self._content_width:
            # A size that came while the view was being opened is told by no message.
            self._remake()
        index = y + self.scroll_offset.y
        width = self.size.width
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        segments = [
            Segment(piece.text, self.get_component_rich_style(piece.role.value))
            for piece in self._lines[index]
        ]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _scroll_by(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_pane_down(self) -> None:
        self._scroll_by(1)

    def action_pane_up(self) -> None:
        self._scroll_by(-1)

    def action_pane_page_down(self) -> None:
        self._scroll_by(max(1, self.size.height - 1))

    def action_pane_page_up(self) -> None:
        self._scroll_by(-max(1, self.size.height - 1))

    def action_pane_top(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_pane_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False)


def wrap(text: str, width: int) -> Iterator[str]:
    """Break a clean text into lines of at most ``width`` cells, at spaces where there are some."""
    width = max(2, width)
    while cell_len(text) > width if len(text) <= width * 2 else True:
        cut = _fitting(text, width)
        space = text.rfind(" ", width // 3, cut + 1)
        if space > 0:
            yield text[:space]
            text = text[space + 1 :]
        else:
            yield text[:cut]
            text = text[cut:]
    yield text


def _fitting(text: str, width: int) -> int:
    """How many characters fit; at least one, so that a wrap always ends."""
    head = text[:width]
    if head.isascii():
        return width
    cells = count = 0
    for character in text[: 4 * width]:
        cells += cell_len(character)
        if cells > width:
            break
        count += 1
    return max(1, count)
