"""A screen that is drawn behind a dialog no more often than it changes."""

from __future__ import annotations

from textual.screen import Screen, ScreenResultType


class Behind(Screen[ScreenResultType]):
    """Mends Textual 8.2.8, where a screen that changed once behind a dialog draws the dialog for ever.

    Each message that it handles would draw all of the dialog again, itself behind it: 20 ms of a key.
    """

    def _compositor_refresh(self) -> None:
        super()._compositor_refresh()
        if self is not self.app.screen:
            # Whoever takes the dialog away draws everything.
            self._repaint_required = False
