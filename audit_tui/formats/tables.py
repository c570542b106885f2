"""Tables of words that code looks up, ``words/NAME.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "words"


@cache
def table(name: str) -> dict[str, Any]:
    """Return the tables of a file, which nobody changes."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def scores(groups: dict[str, str]) -> dict[str, int]:
    """Return the score of each word, out of the words of each score."""
    return {word: int(score) for score, words in groups.items() for word in words.split()}
