"""JSON decoded so that it can be stored: finite numbers, bounded depth, nothing lost unnoticed.

Usual records are read by msgspec, in a third of the time; each that it might read otherwise than the standard
library goes to the exact decoder. The same holds for writing.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import json_text
from audit_tui.core.json_encoding import compact_encoder, msgspec
from audit_tui.formats.record import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_DEPTH = 200
"""Deeper nesting is rejected: real records stay below 30, and what reads them later must not recurse away."""

TOKEN = re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|[{}\[\]"]')
"""A whole text, a bracket, or a quote that its line does not close."""


_MINUS_ZERO = re.compile(r"-0[,}\] \t\r]")
_STYLE_CHARS = 80
"""The beginning of a record, in which it shows whether a space follows its colons."""
_encode: Any = None if msgspec is None else msgspec.json.Encoder().encode


class Exponents:
    """Notes that the record read last has a number which msgspec writes otherwise: ``1e+16`` as ``1e16``."""

    seen = False


class Decoder:
    """Decodes JSON values, and notices what their Python form does not say."""

    def __init__(self) -> None:
        self.is_lossy = False
        """The value last decoded had a key twice, a number that is none, or digits that were dropped."""
        self.strict = self._decoder(strict=True)
        self.lenient = self._decoder(strict=False)
        """Takes control characters in texts, which sloppy writers leave as they are."""
        self._fast = None if msgspec is None else msgspec.json.Decoder(float_hook=self._number).decode

    def usual(self, text: str) -> dict[str, Any] | None:
        """Return the object that a text is as ``strict`` decodes it; None where only that can tell.

        It must not be nested too deeply either.
        """
        if self._fast is None:
            return None
        self.is_lossy = Exponents.seen = False
        try:
            value = self._fast(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        if type(value) is not dict:
            return None
        if '": ' not in text[:_STYLE_CHARS]:
            # Written again it is the same: no key came twice, and no number says more than it does.
            return value if _encode(value) == text.encode() and not is_too_deep(text) else None
        # Without a space before any colon, its keys can be counted.
        if "\t" in text or "\r" in text or '" ' in text:
            return None
        keys, objects, has_zero = _counted(value)
        if (
            keys != text.count('":')
            or objects >= MAX_DEPTH
            or (has_zero and _MINUS_ZERO.search(text) is not None)
        ):
            return None
        return value

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
        if not 1e-4 <= abs(value) < 1e16 and value:
            Exponents.seen = True
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


def _counted(value: dict[str, Any] | list[Any]) -> tuple[int, int, bool]:
    """Count the keys of all objects in a value, and these, and tell whether a number among them is 0."""
    keys, objects, has_zero = 0, 1, False
    inner: Iterable[Any] = value
    if type(value) is dict:
        keys, inner = len(value), value.values()
    for member in inner:
        kind = type(member)
        if kind is str:
            continue
        if kind is dict or kind is list:
            more_keys, more_objects, has_inner_zero = _counted(member)
            keys += more_keys
            objects += more_objects
            has_zero = has_zero or has_inner_zero
        elif not member and kind is int:
            has_zero = True
    return keys, objects, has_zero


_encode_sorted: Any = None if msgspec is None else msgspec.json.Encoder(order="sorted").encode
_canonical = compact_encoder(sorts_keys=True, is_ascii=True)


def usual_text(value: object) -> str:
    """Write a value that was decoded here as ``json_text`` does."""
    data = _written(value, _encode)
    return json_text(value) if data is None else data.decode()


def usual_canonical(value: object) -> bytes:
    """Write a value that was decoded here with its keys in order, as ASCII."""
    data = _written(value, _encode_sorted)
    # Python escapes DEL, too, where it escapes what is not ASCII.
    if data is None or not data.isascii() or b"\x7f" in data:
        return _canonical(value).encode()
    return data


def _written(value: object, encode: Callable[[object], bytes] | None) -> bytes | None:
    """Return what msgspec writes; None where that may be something else than Python writes."""
    if encode is None or Exponents.seen:
        return None
    try:
        return encode(value)
    except (TypeError, ValueError, RecursionError):
        return None


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
