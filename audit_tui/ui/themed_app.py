"""The app in the colours of a theme, as far as the terminal has any."""

from __future__ import annotations

import os
from pathlib import Path

from audit_tui.ui.terminal.terminal_app import TerminalApp
from audit_tui.ui.themes import PALETTE_THEME, our_themes, palette_of, theme_named


class ThemedApp(TerminalApp):
    """An app with our themes, whose styles are made of their colours.

    Raises:
        ConfigError: If there is no such theme.
    """

    CSS_PATH = Path(__file__).with_name("app.tcss")  # by its name alone, it would be sought beside a subclass

    def __init__(self, theme: str | None = None, crash_directory: Path | None = None) -> None:
        no_color = "NO_COLOR" in os.environ
        # Set before the theme, else Textual 8.2.8 draws black on black under NO_COLOR.
        super().__init__(True if no_color else None, crash_directory)
        for ours in our_themes():
            self.register_theme(ours)
        if no_color:
            self.theme = PALETTE_THEME
        elif theme is None and self.console.color_system == "standard":
            # Of 16 colours only the terminal's own are known to go together.
            self.theme = PALETTE_THEME
        else:
            self.theme = theme_named(theme or "dark")
        self.animation_level = "none"

    def get_css_variables(self) -> dict[str, str]:
        colours = palette_of(self.current_theme, has_colours="NO_COLOR" not in os.environ)
        return super().get_css_variables() | colours
