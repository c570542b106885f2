"""The application: one review screen, and a terminal that is left as it was found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from textual.app import App

from audit_tui.ui.screens.review import ReviewScreen
from audit_tui.ui.terminal.driver import QuietMouseDriver
from audit_tui.ui.terminal.sanitize import Sanitize
from audit_tui.ui.terminal.signals import exit_on_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, tzinfo

    from textual.binding import BindingType
    from textual.filter import LineFilter

    from audit_tui.config import Settings
    from audit_tui.core.query import ReaderFactory
    from audit_tui.core.view import View
    from audit_tui.ui.first_page import FirstPage

DARK_THEME = "textual-dark"
PALETTE_THEME = "ansi-dark"
"""Draws in the terminal's own colours; under NO_COLOR the only one that draws in none."""


class AuditApp(App[None]):
    """Reviews the events of a source.

    Args:
        open_reader: Opens a reader for each thread.
        store_name: What the screen calls the store.
        view: What to show first.
        zone: The zone of days and times.
        clock: Tells the time, aware.
        settings: The user's settings.
        first_page: Rows of ``view`` read while Textual was imported; None reads them in the app.
        notice: What the user should know about the store; empty when nothing.
    """

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    TITLE = "audit-tui"

    def __init__(
        self,
        open_reader: ReaderFactory,
        store_name: str,
        view: View,
        zone: tzinfo,
        clock: Callable[[], datetime],
        settings: Settings,
        first_page: FirstPage | None = None,
        notice: str = "",
    ) -> None:
        no_color = "NO_COLOR" in os.environ
        self._sanitize = Sanitize()
        super().__init__(
            driver_class=QuietMouseDriver,
            # Set before the theme, else Textual 8.2.8 draws black on black under NO_COLOR.
            ansi_color=True if no_color else None,
        )
        self.theme = PALETTE_THEME if no_color else settings.theme or DARK_THEME
        self.animation_level = "none"
        self._review = ReviewScreen(
            open_reader, store_name, view, zone, clock, settings.first_weekday, first_page, notice
        )

    @property
    def review(self) -> ReviewScreen:
        """The review screen."""
        return self._review

    def get_default_screen(self) -> ReviewScreen:
        return self._review

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The filters of every drawn line; the one that guards the terminal comes last."""
        return [*super().get_line_filters(), self._sanitize]

    def on_mount(self) -> None:
        if not self.is_headless:
            exit_on_signals(self)
