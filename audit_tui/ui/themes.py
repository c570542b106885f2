"""The themes: three names of ours, and those of Textual, which is imported only for its own names."""

from __future__ import annotations

from audit_tui.core.text import clean
from audit_tui.errors import ConfigError

THEMES = {"dark": "textual-dark", "light": "textual-light", "terminal": "ansi-dark"}
"""Our names for three themes of Textual; its own names are understood too."""
PALETTE_THEME = THEMES["terminal"]
"""Draws in the terminal's own colours; under NO_COLOR the only one that draws in none."""


def theme_named(name: str) -> str:
    """Textual's name of a theme.

    Raises:
        ConfigError: If there is no such theme.
    """
    if name in THEMES:
        return THEMES[name]
    from textual.theme import BUILTIN_THEMES

    if name in BUILTIN_THEMES:
        return name
    known = ", ".join([*THEMES, *sorted(set(BUILTIN_THEMES) - set(THEMES.values()))])
    raise ConfigError(f"There is no theme {clean(name)!r}.", f"Themes are {known}.")


def next_theme(current: str) -> str:
    """Our name of the theme after this one of Textual's; after one that has no name of ours, the first."""
    names = list(THEMES)
    place = list(THEMES.values()).index(current) if current in THEMES.values() else -1
    return names[(place + 1) % len(names)]
