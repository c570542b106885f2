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

_COLOURS = {
    "ground": ("#121212", "#ffffff"),  # 233, 231
    "ink": ("#d6d6d6", "#1c1c1c"),  # 252, 234
    "muted": ("#adadad", "#444444"),  # 248, 238
    "faint": ("#8a8a8a", "#585858"),  # 245, 240
    "bar": ("#262626", "#e0e0e0"),  # 235, 253
    "bar-ink": ("#d6d6d6", "#1c1c1c"),  # 252, 234
    "box": ("#1c1c1c", "#f5f5f5"),  # 234, 255
    "accent": ("#5fafff", "#005faf"),  # 75, 25
    "row": ("#3a3a3a", "#afd7ff"),  # 237, 153
    "row-ink": ("#ffffff", "#000000"),  # 231, 16
    "cell": ("#005faf", "#005faf"),  # 25, 25
    "cell-ink": ("#ffffff", "#ffffff"),  # 231, 231
    "selected": ("#00005f", "#d7ffd7"),  # 17, 194
    "failure": ("#ff8787", "#af0000"),  # 210, 124
    "removal": ("#ffaf5f", "#875f00"),  # 215, 94
    "grant": ("#d7afff", "#5f00af"),  # 183, 55
    "good": ("#87d787", "#005f00"),  # 114, 22
    "warn": ("#ffd75f", "#5f5f00"),  # 221, 58
    "field": ("#303030", "#ebebeb"),  # 236, 254
    "field-focus": ("#3a3a3a", "#e0e0e0"),  # 237, 253
    "thumb": ("#585858", "#8a8a8a"),  # 240, 245
}
"""The dark and the light one of each, and their numbers among the 256."""
DARK: Palette = {name: dark for name, (dark, _) in _COLOURS.items()}
LIGHT: Palette = {name: light for name, (_, light) in _COLOURS.items()}
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
