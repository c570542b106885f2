"""The values in an event's metadata, each with the name that leads to it."""

from __future__ import annotations

import json
from typing import Any

MAX_PATH = 500
"""Names longer than this are not told apart: what lies deeper counts as the last that fits."""


def leaves(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """Every value with its dotted name: a text as it is, a number or a boolean as JSON; no value for null.

    The members of a list have the list's name.
    """
    values: list[tuple[str, str]] = []
    waiting: list[tuple[str, Any]] = [("", metadata)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            values.append((path, value))
        elif isinstance(value, dict):
            for name, inner in value.items():
                deeper = deeper_path(path, name)
                if type(inner) is str:
                    values.append((deeper, inner))
                else:
                    waiting.append((deeper, inner))
        elif isinstance(value, list | tuple):
            waiting += [(path, inner) for inner in value]
        elif value is not None:
            values.append((path, json.dumps(value)))
    return values


def deeper_path(path: str, name: str) -> str:
    """The name of what lies in an object: the object's, and its own unless it grows too long.

    Args:
        path: The object's dotted name; empty for the metadata.
        name: Its key in the object.
    """
    whole = f"{path}.{name}" if path else name
    return whole if len(whole) <= MAX_PATH else path


def is_inside(path: str, name: str) -> bool:
    """Tell whether a value's name is this one, or lies in the object that it names."""
    return path == name or path.startswith(f"{name}.")
