"""The application: one review screen, and a terminal that is left as it was found."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events

from audit_tui.errors import EXIT_INTERRUPTED
from audit_tui.ui.commands import Where
from audit_tui.ui.keymap import Keymap, bindings
from audit_tui.ui.screens.review.screen import ReviewScreen
from audit_tui.ui.terminal.clipboard import Clipboard
from audit_tui.ui.terminal.terminal_app import TerminalApp
from audit_tui.ui.themes import PALETTE_THEME, THEMES, next_theme, our_themes, palette_of, theme_named

if TYPE_CHECKING:
    from textual.binding import BindingType

    from audit_tui.ui.first_page import Opening

INTERRUPT_TWICE_S = 2.0


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


class AuditApp(ThemedApp, inherit_bindings=False):
    """Reviews the events of a source.

    Raises:
        ConfigError: If the settings name a theme, a keymap or a command that does not exist.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.APP)]
    ENABLE_COMMAND_PALETTE = False
    TITLE = "audit-tui"

    def __init__(self, opening: Opening) -> None:
        settings = opening.settings
        super().__init__(settings.theme, opening.state_directory)
        self._interrupted_at = -INTERRUPT_TWICE_S
        keymap = Keymap(settings.keymap, settings.keys)
        self.set_keymap(keymap.for_textual())
        files = opening.state_directory or Path(tempfile.gettempdir())
        self.review = ReviewScreen(opening, keymap, Clipboard(self._write_sequence, files))

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self.review.stillness.note_input()
        await super().on_event(event)

    def _write_sequence(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()

    def get_default_screen(self) -> ReviewScreen:
        return self.review

    def action_suspend(self) -> None:
        self.action_suspend_process()

    def action_mouse(self) -> None:
        self.set_mouse(not self.has_mouse)
        if self.has_mouse:
            self.review.say("The mouse is on: it clicks, drags and scrolls here.")
        else:
            self.review.say("The mouse is off: it selects text, as the terminal does.")

    def action_theme(self) -> None:
        if self.no_color:
            self.review.say("NO_COLOR is set: there is one theme without colours.")
            return
        name = next_theme(self.theme)
        self.theme = THEMES[name]
        self.action_redraw()
        self.review.say(f'The theme is {name}. To keep it: theme = "{name}" in the settings.')

    def action_quit_now(self) -> None:
        self.exit()

    def action_interrupt(self) -> None:
        """Copy a selection, else end what runs; the second time within two seconds, quit."""
        from textual.widgets import Input

        now = asyncio.get_running_loop().time()
        if now - self._interrupted_at < INTERRUPT_TWICE_S:
            self.exit(return_code=EXIT_INTERRUPTED)
            return
        self._interrupted_at = now
        if isinstance(self.focused, Input) and not self.focused.selection.is_empty:
            self.focused.action_copy()
        elif self.review.interrupt():
            self.review.say("Cancelled. Press ^C again to quit.")
        else:
            self.review.say("Press ^C again to quit.")
