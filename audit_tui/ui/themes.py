"""The themes, and the colours that the styles are made of (``$ground``, ``$ink``, ``$bar`` ...).

Ours are chosen from the 256 colours that a terminal over SSH has, each by the hexadecimal that comes out as
that number; every other theme gets its colours from Textual's, moved until they can be read. Textual itself
is imported only where it is needed: commands know the names without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.text import clean
from audit_tui.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.theme import Theme

THEMES = {"dark": "audit-dark", "light": "audit-light", "terminal": "ansi-dark"}
"""Our names for three themes; those of Textual are understood too."""
PALETTE_THEME = THEMES["terminal"]
MIN_CONTRAST = 4.5
"""Between a text and what it stands on, as WCAG measures it."""

Palette = dict[str, str]

DARK: Palette = {
    "ground": "#121212",  # 233
    "ink": "#d6d6d6",  # 252
    "muted": "#adadad",  # 248
    "faint": "#8a8a8a",  # 245
    "bar": "#262626",  # 235
    "bar-ink": "#d6d6d6",
    "box": "#1c1c1c",  # 234
    "accent": "#5fafff",  # 75
    "row": "#3a3a3a",  # 237
    "row-ink": "#ffffff",
    "cell": "#005faf",  # 25
    "cell-ink": "#ffffff",
    "selected": "#00005f",  # 17
    "failure": "#ff8787",  # 210
    "removal": "#ffaf5f",  # 215
    "grant": "#d7afff",  # 183
    "good": "#87d787",  # 114
    "warn": "#ffd75f",  # 221
    "field": "#303030",  # 236
    "field-focus": "#3a3a3a",
    "thumb": "#585858",  # 240
}
LIGHT: Palette = {
    "ground": "#ffffff",  # 231
    "ink": "#1c1c1c",  # 234
    "muted": "#444444",  # 238
    "faint": "#585858",  # 240
    "bar": "#e0e0e0",  # 253
    "bar-ink": "#1c1c1c",
    "box": "#f5f5f5",  # 255
    "accent": "#005faf",  # 25
    "row": "#afd7ff",  # 153
    "row-ink": "#000000",
    "cell": "#005faf",
    "cell-ink": "#ffffff",
    "selected": "#d7ffd7",  # 194
    "failure": "#af0000",  # 124
    "removal": "#875f00",  # 94
    "grant": "#5f00af",  # 55
    "good": "#005f00",  # 22
    "warn": "#5f5f00",  # 58
    "field": "#ebebeb",  # 254
    "field-focus": "#e0e0e0",  # 253
    "thumb": "#8a8a8a",
}
_PLAIN = "ansi_default"
TERMINAL: Palette = dict.fromkeys(DARK, _PLAIN) | {
    "bar": "ansi_blue",
    "bar-ink": "ansi_bright_white",
    "accent": "ansi_bright_cyan",
    "failure": "ansi_bright_red",
    "removal": "ansi_bright_yellow",
    "grant": "ansi_bright_magenta",
    "good": "ansi_bright_green",
    "warn": "ansi_bright_yellow",
    "thumb": "ansi_white",
}
WITHOUT_COLOURS: Palette = dict.fromkeys(DARK, _PLAIN)

PAIRS = (
    *(
        (ink, ground)
        for ink in ("ink", "muted", "faint", "accent", "failure")
        for ground in ("ground", "box")
    ),
    *((ink, "ground") for ink in ("removal", "grant", "good", "warn")),
    *((ink, "bar") for ink in ("bar-ink", "muted", "accent", "failure", "good")),
    *((ink, ground) for ink in ("ink", "muted") for ground in ("field", "field-focus")),
    ("warn", "field"),
    ("failure", "field"),
    ("row-ink", "row"),
    ("cell-ink", "cell"),
    ("ink", "selected"),
)


def theme_named(name: str) -> str:
    """Return Textual's name of a theme.

    Raises:
        ConfigError: If there is no such theme.
    """
    if name in THEMES:
        return THEMES[name]
    from textual.theme import BUILTIN_THEMES

    if name in BUILTIN_THEMES:
        return name
    names = ", ".join([*THEMES, *sorted(set(BUILTIN_THEMES) - set(THEMES.values()))])
    raise ConfigError(f"There is no theme {clean(name)!r}.", f"Themes are {names}.")


def next_theme(current: str) -> str:
    """Return our name of the theme after this one; after one that has no name of ours, the first."""
    names = list(THEMES)
    place = list(THEMES.values()).index(current) if current in THEMES.values() else -1
    return names[(place + 1) % len(names)]


def our_themes() -> tuple[Theme, ...]:
    """Return the themes that Textual does not have."""
    from textual.theme import Theme

    return tuple(
        Theme(
            name,
            primary=palette["accent"],
            foreground=palette["ink"],
            background=palette["ground"],
            surface=palette["box"],
            panel=palette["bar"],
            error=palette["failure"],
            warning=palette["warn"],
            success=palette["good"],
            accent=palette["accent"],
            dark=palette is DARK,
        )
        for name, palette in (("audit-dark", DARK), ("audit-light", LIGHT))
    )


def palette_of(theme: Theme, *, has_colours: bool = True) -> Palette:
    """Return the colours of a theme, by the names that the styles know."""
    if theme.ansi:
        return TERMINAL if has_colours else WITHOUT_COLOURS
    ours = {"audit-dark": DARK, "audit-light": LIGHT}.get(theme.name)
    return ours or _derived(theme.to_color_system().generate(), DARK if theme.dark else LIGHT)


def _derived(colours: Mapping[str, str], base: Palette) -> Palette:
    """Return a palette with the grounds and hues of a theme of Textual, in inks that can be read."""
    wanted = base | {
        "ground": colours["background"],
        "box": colours["surface"],
        "bar": colours["panel"],
        "row": colours["surface"],
        "field": colours["panel"],
        "field-focus": colours["panel"],
        "cell": colours["primary"],
        "selected": colours["panel"],
        "thumb": colours["primary"],
        "accent": colours["accent"],
        "failure": colours["error"],
        "good": colours["success"],
        "warn": colours["warning"],
        "removal": colours["warning"],
    }
    for ink in dict.fromkeys(ink for ink, _ in PAIRS):
        grounds = [wanted[ground] for other, ground in PAIRS if other == ink]
        wanted[ink] = _readable(wanted[ink], grounds)
    return wanted


def _readable(ink: str, grounds: list[str]) -> str:
    """Return an ink as near to this one as can be read on all the grounds."""
    from textual.color import Color

    colour = Color.parse(ink)
    ends = [Color(255, 255, 255), Color(0, 0, 0)]
    end = max(ends, key=lambda end: min(contrast(end.hex6, ground) for ground in grounds))
    for step in range(21):
        mixed = colour.blend(end, step / 20, 1.0).hex6
        if min(contrast(mixed, ground) for ground in grounds) >= MIN_CONTRAST:
            return mixed
    return end.hex6


def contrast(first: str, other: str) -> float:
    """Return the contrast of two colours (``#rrggbb``) as WCAG measures it: 1 to 21."""
    light, dark = sorted((_luminance(first), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
