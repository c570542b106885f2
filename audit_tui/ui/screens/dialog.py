"""The base of all dialogs: one frame, one sheet of styles, one way to leave."""

from __future__ import annotations

from pathlib import Path

from textual.screen import ModalScreen, ScreenResultType

SHEET = Path(__file__).parents[1] / "dialogs.tcss"


class Dialog(ModalScreen[ScreenResultType]):
    """A modal screen whose content stands in a box with the id ``box``.

    Its styles are read when the first dialog is made: at the start they would take 25 ms. Not by
    ``CSS_PATH``, for which Textual 8.2.8 parses all sheets again, its own too (100 ms).
    """

    def __init__(self) -> None:
        super().__init__()
        if not self.app.stylesheet.has_source(str(SHEET)):
            self.app.stylesheet.read(SHEET)

    def leave(self, result: ScreenResultType | None = None) -> None:
        """Close the dialog with a result.

        Keys of a burst may leave it twice; the second time must not close the screen below.
        """
        if self.is_current:
            self.dismiss(result)
