"""A dialog that shows lines to read: the raw JSON of an event, the help."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from audit_tui.core.text import clean
from audit_tui.ui.widgets.line_view import Line, LineView

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult


class TextDialog(ModalScreen[None]):
    """Shows lines in one border with one title.

    Args:
        title: What is shown; from data or not.
        make: Makes the lines for a width in cells.
    """

    DEFAULT_CSS = """
    TextDialog { align: center middle; }
    TextDialog > Vertical {
        width: 90%; max-width: 110; height: auto; max-height: 90%;
        border: round $primary; background: $surface; padding: 0 1;
    }
    TextDialog LineView { height: auto; max-height: 100%; min-height: 3; background: $surface; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "Close", show=False),
    ]

    def __init__(self, title: str, make: Callable[[int], list[Line]]) -> None:
        super().__init__()
        self._heading = title
        self._make = make

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(clean(self._heading)).markup
            box.border_subtitle = "Esc closes"
            yield LineView()

    def on_mount(self) -> None:
        view = self.query_one(LineView)
        view.show(self._make)
        view.focus()

    def action_close(self) -> None:
        self.dismiss(None)
