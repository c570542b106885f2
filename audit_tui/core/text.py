"""Making text from data harmless to a terminal and to the eye.

A character filter, never a parser of escape sequences: an unterminated sequence defeats a parser
(CVE-2022-46663). Every text that comes from data passes one of these on its way out; a filter over all
widgets (``ui.terminal.sanitize``) stands behind them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast


class _LazyPattern:
    def __init__(self, text: str, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the pattern has it
        # It stays here, so that the next question goes to the pattern at once.
        value = self.__dict__[name] = getattr(re.compile(self._text, self._flags), name)
        return value


def lazy_pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return what ``re.compile`` returns, compiled when first asked: 0.2 ms each, 5 ms of every start."""
    return cast("re.Pattern[str]", _LazyPattern(text, flags))


MAX_NAME_CHARS = 100
"""Of a longer name the beginning is compared."""
MAX_CLEAN_CHARS = 65_536
"""A longer text is cut before it is cleaned: 1 MB of escapes would take 0.7 s."""

# General categories Cc, Cf, Cs, Zl and Zp of Unicode 16, and characters that draw nothing though they
# are letters or marks (Hangul fillers, grapheme joiner, variation selectors). Written out, because asking
# unicodedata for all 1.1 million code points takes 0.1 s of the start.
UNSAFE_CLASS = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSAFE = lazy_pattern(f"[{UNSAFE_CLASS}]")
_UNSAFE_RUN = lazy_pattern(f"[{UNSAFE_CLASS}]+")
_EMOJI_STYLE = "\ufe0e\ufe0f"


def clean(text: str) -> str:
    """A text for one line of a list: each unsafe character becomes one visible cell.

    C0 becomes its control picture (``␛``), DEL ``␡``, all else ``�``. Emoji style selectors are dropped:
    they only choose between two pictures, and terminals disagree about the width.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_picture, text[:MAX_CLEAN_CHARS])


def clean_visible(text: str, *, keep_newlines: bool = False) -> str:
    r"""A text for a pane or plain output: each unsafe character becomes an escape, ``\x9b``, ``\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    cut = text[:MAX_CLEAN_CHARS]
    if keep_newlines:
        return "\n".join(_UNSAFE_RUN.sub(_escaped_run, line) for line in cut.split("\n"))
    return _UNSAFE_RUN.sub(_escaped_run, cut)


def _picture(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "" if character in _EMOJI_STYLE else "\ufffd"


def _escaped_run(match: re.Match[str]) -> str:
    return match[0].translate(_ESCAPES)


class _Escapes(dict[int, str]):
    """The escapes of unsafe characters, each made once: 65,536 of them take 3 ms, not 60."""

    def __missing__(self, code: int) -> str:
        form = "\\x{:02x}" if code < 0x100 else "\\u{:04x}" if code < 0x10000 else "\\U{:08x}"
        text = self[code] = form.format(code)
        return text


_ESCAPES = _Escapes({10: "\\n", 13: "\\r", 9: "\\t", **dict.fromkeys(map(ord, _EMOJI_STYLE), "")})


def closest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the name that is like one that was typed, whatever the case of that; empty if none is."""
    # Imported where it is wanted: 10 ms of the start of every command.
    from difflib import get_close_matches

    return next(iter(get_close_matches(name[:MAX_NAME_CHARS].lower(), names, n=1, cutoff=cutoff)), "")


def thousands(number: int) -> str:
    """A whole number as it is written for people: ``1,204``."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 event``, ``1,204 events``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def cells_of(text: str) -> int:
    """Return how many cells of a terminal a cleaned text takes."""
    return len(text) if text.isascii() else sum(map(_cells_of_character, text))


def _cells_of_character(character: str) -> int:
    if character.isascii():
        return 1
    # Imported where it is wanted: most texts are ASCII.
    from unicodedata import category, east_asian_width

    if category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1


def cut(text: str, width_cells: int) -> str:
    """Return a cleaned text in up to this many cells; ``…`` ends one that is cut."""
    if cells_of(text) <= width_cells:
        return text
    characters, room = [], width_cells - 1
    for character in text:
        room -= _cells_of_character(character)
        if room < 0:
            break
        characters.append(character)
    return "".join(characters) + "…" if width_cells > 0 else ""
