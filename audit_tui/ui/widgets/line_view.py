"""A scrolling block of styled lines, laid out for its width and drawn line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.geometry import Size
from textual.scroll_view import ScrollView

from audit_tui.ui.commands import Where
from audit_tui.ui.keymap import bindings
from audit_tui.ui.widgets.painter import ROLES, Line, paint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.binding import BindingType
    from textual.strip import Strip


class LineView(ScrollView, can_focus=True):
    """Shows lines that are made for the width there is."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.PANE)]

    COMPONENT_CLASSES: ClassVar[set[str]] = ROLES

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._make: Callable[[int], Sequence[Line]] = lambda _: []
        self._lines: Sequence[Line] = ()
        self._made_for = 0

    def show(self, make: Callable[[int], Sequence[Line]], *, keep_place: bool = False) -> None:
        self._make = make
        if not keep_place:
            self.scroll_to(y=0, animate=False)
        self._remake()

    @property
    def plain_text(self) -> str:
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
        if self._made_for != self._content_width:
            # A size that came while the view was being opened is told by no message.
            self._remake()
        index = y + self.scroll_offset.y
        return paint(self, self.line(index) if index < len(self._lines) else (), self.size.width)

    def line(self, index: int) -> Line:
        return self._lines[index]

    def _scroll_by(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_pane(self, by: int) -> None:
        self._scroll_by(by)

    def action_pane_page(self, by: int) -> None:
        self._scroll_by(by * max(1, self.size.height - 1))

    def action_pane_top(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_pane_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False)
