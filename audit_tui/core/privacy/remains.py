"""Remains of a redacted value: the parts of an event in which it still stands, in any form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from audit_tui.core.privacy.name_finder import NameFinder, PartKind, folded

_PIECE_CHARS = 64 * 1024
_OVERLAP_CHARS = 1_024
_WORD = re.compile(r"[^\W_]+")
_OTHER_FORM = re.compile(r"[%\\&]|[A-Za-z0-9+/_-]{12}|@|\d\.\d")
"""Escapes, what may be in base64 or hexadecimal, and addresses."""
MIN_CHARS = 3
"""A shorter value stands in nearly every text."""


def remains(values: Iterable[str], texts: Mapping[str, str | None]) -> list[str]:
    """Return the names of the texts that still hold one of several values.

    A value counts in any case and encoding, and of a mail address the part before the @: what names a person
    there does so still.
    """
    # Folded or decoded, nothing becomes an eighth as long: to look for 20 MB in a name takes 145 MB.
    most = 8 * max((len(text or "") for text in texts.values()), default=0)
    wanted = [
        value for value in values if len(value) >= MIN_CHARS and (len(value) <= most or "@" in value[:most])
    ]
    finder = NameFinder()
    for value in wanted:
        finder.add(value)
    keys = {folded(value) for value in wanted}
    return [name for name, text in texts.items() if text and _holds(text, keys, finder)]


def values_gone(before: str | None, after: str | None) -> set[str]:
    """Return the texts and numbers in a JSON text that another has no more."""
    return set(_leaves(_read(before))) - set(_leaves(_read(after)))


def _holds(text: str, keys: set[str], finder: NameFinder) -> bool:
    flat = folded(text)
    if any(key in flat or json.dumps(key)[1:-1] in flat for key in keys):
        return True
    words = [word for key in keys for word in _WORD.findall(key) if len(word) >= MIN_CHARS]
    return any(
        part.kind is not PartKind.PLAIN and folded(part.text) in keys
        # In pieces that overlap: looked at as a whole, a text of 20 MB takes 400 MB.
        for first in range(0, len(text), _PIECE_CHARS)
        if _may_hold(piece := text[first : first + _PIECE_CHARS + _OVERLAP_CHARS], words)
        for part in finder.parts(piece) or ()
    )


def _may_hold(piece: str, words: Iterable[str]) -> bool:
    """Tell whether a name may stand in a text in another form: as some of its words, escaped, or packed."""
    flat = folded(piece)
    return any(word in flat for word in words) or _OTHER_FORM.search(piece) is not None


def _read(text: str | None) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None


def _leaves(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str | int | float) and not isinstance(part, bool):
            yield str(part)
