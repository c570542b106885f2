"""JSON decoded so that it can be stored: finite numbers, bounded depth, nothing lost unnoticed."""

from __future__ import annotations

import json
import re
from typing import Any

from audit_tui.formats.record import RecordError

MAX_DEPTH = 200
"""Deeper nesting is rejected: real records stay below 30, and what reads them later must not recurse away."""

TOKEN = re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|[{}\[\]"]')
"""A whole text, a bracket, or a quote that its line does not close."""


class Decoder:
    """Decodes JSON values, and notices what their Python form does not say."""

    def __init__(self) -> None:
        self.is_lossy = False
        """The value last decoded had a key twice, a number that is none, or digits that were dropped."""
        self.strict = self._decoder(strict=True)
        self.lenient = self._decoder(strict=False)
        """Takes control characters in texts, which sloppy writers leave as they are."""

    def _decoder(self, *, strict: bool) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_float=self._number,
            parse_int=self._integer,
            parse_constant=self._constant,
            strict=strict,
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            self.is_lossy = True
        return fields

    def _number(self, text: str) -> float | str:
        value = float(text)
        if value - value != 0:  # infinite: JSON has no such number, SQLite refuses it
            self.is_lossy = True
            return text
        # 1e-400 is 0 as a float.
        if (len(text) > 17 and repr(value) != text) or (not value and text.strip("-0.")):
            self.is_lossy = True
        return value

    def _integer(self, text: str) -> int:
        if text == "-0":
            self.is_lossy = True
        return int(text)

    def _constant(self, text: str) -> str:
        self.is_lossy = True
        return text


def is_too_deep(text: str) -> bool:
    """Tell whether JSON text is nested deeper than what reads it later should meet."""
    if len(text) <= MAX_DEPTH or text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for token in TOKEN.finditer(text):
        if token[0] in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0] in "}]":
            depth -= 1
    return False


def inner_object(text: object, name: str) -> dict[str, Any]:
    """The object that a field holds as JSON in a text.

    Args:
        text: The field's value.
        name: The field, for the reason of a reject.

    Raises:
        RecordError: If it is none.
    """
    if not isinstance(text, str):
        raise RecordError(f"{name} is not a JSON object")
    if is_too_deep(text):
        raise RecordError(f"{name} is nested deeper than {MAX_DEPTH} levels")
    try:
        value = Decoder().strict.decode(text)
    except (ValueError, RecursionError):
        raise RecordError(f"{name} is not JSON") from None
    if not isinstance(value, dict):
        raise RecordError(f"{name} is not a JSON object")
    return value


def inner_json(text: object) -> tuple[dict[str, Any], bool] | None:
    """The object that a value holds as JSON in a text, and whether it does not say all that the text says.

    None when it is something else, or nested too deeply.
    """
    if not isinstance(text, str) or text.lstrip()[:1] != "{" or is_too_deep(text):
        return None
    decoder = Decoder()
    try:
        value = decoder.strict.decode(text)
    except (ValueError, RecursionError):
        return None
    return (value, decoder.is_lossy) if isinstance(value, dict) else None
