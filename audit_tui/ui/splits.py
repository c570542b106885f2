"""The edge between list and pane, remembered from one run to the next. No Textual here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FIRST_SPLIT = {True: 64, False: 50}
"""Percent that the list gets at first, beside the pane (True) and above it."""
LEAST, MOST = 20, 80
_NAMES = {True: "beside", False: "above"}
_FILE = "layout.json"
_MAX_BYTES = 1_000


def read_splits(folder: Path | None) -> dict[bool, int]:
    """Return what was remembered in a folder; the first values where nothing usable is."""
    values: object = None
    if folder is not None:
        try:
            with (folder / _FILE).open("rb") as file:
                values = json.loads(file.read(_MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            values = None
    splits = dict(FIRST_SPLIT)
    for place, name in _NAMES.items():
        percent = values.get(name) if isinstance(values, dict) else None
        if type(percent) is int and LEAST <= percent <= MOST:
            splits[place] = percent
    return splits


def write_splits(folder: Path | None, splits: dict[bool, int]) -> None:
    """Remember the edge in a folder. Where that cannot be written, the next run begins as ever."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({name: splits[place] for place, name in _NAMES.items()})
        (folder / _FILE).write_text(text, encoding="utf-8")
    except OSError:
        return
