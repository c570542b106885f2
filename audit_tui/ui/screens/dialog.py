"""The base of all dialogs: one frame, one sheet of styles, one way to leave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import OptionList

from audit_tui.core.text import clean
from audit_tui.ui.keymap import hidden

if TYPE_CHECKING:
    from textual.binding import BindingType

SHEET = Path(__file__).parents[1] / "dialogs.tcss"


class Dialog(ModalScreen[ScreenResultType]):
    """A modal screen whose content stands in a box with the id ``box``.

    Its styles are read when the first dialog is made: at the start they would take 25 ms. Not by
    ``CSS_PATH``, for which Textual 8.2.8 parses all sheets again, its own too (100 ms).
    """

    BINDINGS: ClassVar[list[BindingType]] = hidden("escape=cancel")

    def __init__(self) -> None:
        super().__init__()
        if not self.app.stylesheet.has_source(str(SHEET)):
            self.app.stylesheet.read(SHEET)

    def box(self, title: str, hint: str = "") -> Vertical:
        """Make the frame."""
        box = Vertical(id="box")
        box.border_title, box.border_subtitle = Content(clean(title)).markup, hint
        return box

    def fit_list(self, lines: int) -> None:
        """Make the list as high as its lines, and not half as high as the screen.

        Textual takes a list that sizes itself for as long as all its lines: the box would be too high.
        """
        self.query_one(OptionList).styles.height = max(1, min(lines, self.app.size.height * 45 // 100))

    def leave(self, result: ScreenResultType | None = None) -> None:
        """Close the dialog with a result.

        Keys of a burst may leave it twice; the second time must not close the screen below.
        """
        if self.is_current:
            self.dismiss(result)

    def action_cancel(self) -> None:
        self.leave()
