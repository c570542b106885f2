"""Metadata of the same shape: the same names in the same order, and other values in the same places.

Most events have metadata of a few shapes. Their texts, put into a shape, give what is stored, to the byte:
that proves them in a third of the time of decoding.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.filter.matching import deeper_path
from audit_tui.store.index.text_fields import META
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLACE = "\0"
"""Stands for a value: JSON has it as an escape only."""
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_BARE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false")
_ALL_BARE = re.compile(f"(?:(?:{_BARE.pattern})\0)*+")
_quoted = json.encoder.encode_basestring


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


class Shape(NamedTuple):
    """The text around the values of some metadata."""

    around: list[str]
    """One more than there are values."""
    places: list[tuple[str, bool]]
    """Of each value the field, and whether it stands in quotes."""


def shape_of(stored: str) -> Shape | None:
    """Return the shape of metadata; None where a field has several values, or they are not JSON."""
    places: list[tuple[str, bool]] = []
    try:
        metadata = json.loads(stored, parse_int=_Number, parse_float=_Number)
        around = _around("", metadata, places).split(_PLACE)
    except (ValueError, RecursionError):
        return None
    if not isinstance(metadata, dict) or len({field for field, _ in places}) != len(places):
        return None
    return Shape(around, places)


def _around(path: str, value: Any, places: list[tuple[str, bool]]) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        inner = (
            f"{_quoted(name)}:{_around(deeper_path(path, name), member, places)}"
            for name, member in value.items()
        )
        return f"{{{','.join(inner)}}}"
    if isinstance(value, list):
        return f"[{','.join(_around(path, member, places) for member in value)}]"
    if value is None:
        return "null"
    if isinstance(value, float):  # NaN and its like, which nobody stores
        raise ValueError(value)
    is_quoted = isinstance(value, str) and not isinstance(value, _Number)
    places.append((META + stored_text(path), is_quoted))
    return f'"{_PLACE}"' if is_quoted else _PLACE


def as_written(texts: Iterable[str], *, is_quoted: bool) -> dict[str | None, str | None]:
    """Return those texts that are written otherwise in metadata, and how; None of one that cannot be."""
    texts = list(texts)
    if is_quoted:
        if _ESCAPED.search("".join(texts)) is None:
            return {}
        return {text: _quoted(text)[1:-1] for text in texts if _ESCAPED.search(text)}
    joined = "\0".join([*texts, ""])
    if joined.count("\0") == len(texts) and _ALL_BARE.fullmatch(joined):
        return {}
    return {text: None for text in texts if not _BARE.fullmatch(text)}
