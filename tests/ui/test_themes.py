"""Every text can be read in every theme, in all the colours that a terminal may have."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem
from textual.theme import BUILTIN_THEMES

from audit_tui.ui.themes import DARK, LIGHT, MIN_CONTRAST, PAIRS, THEMES, contrast, our_themes, palette_of

ALL = {theme.name: theme for theme in (*our_themes(), *BUILTIN_THEMES.values()) if not theme.ansi}


def in_256(colour: str) -> str:
    """Return what a terminal with 256 colours makes of it."""
    return Color.parse(colour).downgrade(ColorSystem.EIGHT_BIT).get_truecolor().hex


@pytest.mark.parametrize("name", ALL)
def test_every_text_can_be_read(name: str) -> None:
    palette = palette_of(ALL[name])
    low = {
        (ink, ground): ratio
        for ink, ground in PAIRS
        if (ratio := contrast(palette[ink], palette[ground])) < MIN_CONTRAST
    }
    assert low == {}


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_ours_can_be_read_in_256_colours_too(palette: dict[str, str]) -> None:
    low = {
        (ink, ground): ratio
        for ink, ground in PAIRS
        if (ratio := contrast(in_256(palette[ink]), in_256(palette[ground]))) < MIN_CONTRAST
    }
    assert low == {}


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_ours_are_told_apart_in_256_colours(palette: dict[str, str]) -> None:
    for several in (
        ("ground", "bar", "row", "cell", "selected"),
        ("ink", "failure", "removal", "grant", "faint"),
    ):
        assert len({in_256(palette[name]) for name in several}) == len(several)


def test_our_names_stand_for_themes_that_exist() -> None:
    names = {theme.name for theme in our_themes()} | set(BUILTIN_THEMES)
    assert set(THEMES.values()) <= names


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
