"""Decoding the bytes of a log piece by piece, in the encoding that it has."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from audit_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WINDOWS = "cp1252"
_WINDOWS_NOTE = "is not UTF-8 and was read as Windows-1252 (--encoding names another)"
_HIGH = re.compile(rb"[\x80-\xff]")
_IN_WORDS = re.compile(
    rb"(?<=[A-Za-z ,;\t\"])[\xc0-\xd6\xd8-\xf6\xf8-\xff](?=[A-Za-z ,;\t\".:\r\n]|\Z)"
    rb"|[\x80\x85\x91-\x97\xa0-\xbf]"
)
"""Letters with accents as words have them, and the signs of prose: what Windows-1252 is used for."""


def checked_encoding(name: str) -> str:
    """Return the name of an encoding as Python has it.

    Raises:
        UsageError: If it does not exist.
    """
    try:
        b"a".decode(name.strip(), "replace")  # refuses what is not an encoding of texts
        return codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        raise UsageError(f"There is no encoding {name!r}.", "Write it as utf-8, cp1252 or utf-16.") from None


class Decoding:
    """Decodes one log: UTF-8 unless its bytes say otherwise.

    Bytes that are not UTF-8 become lone surrogates, so that a record's own bytes can be given back. A table
    whose first letters beyond ASCII are those of Windows-1252 is read as that, from the first of them.

    Args:
        first: The first bytes.
        encoding: What the user says; None tells it by the bytes.
    """

    def __init__(self, first: bytes, encoding: str | None = None) -> None:
        self._name, errors = encoding or "utf-8-sig", "surrogateescape"
        if encoding is None:
            guessed = _utf16(first)
            self._name, errors = (guessed, "replace") if guessed is not None else (self._name, errors)
        elif not codecs.lookup(encoding).name.startswith("utf-8"):
            errors = "replace"
        self.note: str | None = None
        """Words on how it was read: the end of a sentence that begins with its name."""
        self._may_be_windows = (
            encoding is None and self._name == "utf-8-sig" and first.lstrip()[:1] not in (b"{", b"[")
        )
        self._decode: Callable[[bytes, bool], str] = codecs.getincrementaldecoder(self._name)(errors).decode

    def decode(self, data: bytes, *, is_final: bool) -> str:
        """Return the text of the next bytes."""
        if self._may_be_windows and not data.isascii():
            self._may_be_windows = False
            if _is_windows(data):
                self.note, self._name = _WINDOWS_NOTE, _WINDOWS
                self._decode = codecs.getincrementaldecoder(_WINDOWS)("surrogateescape").decode
        return self._decode(data, is_final)

    def encode(self, text: str) -> bytes:
        """Return the bytes that a part of the text was; of UTF-16 and what was replaced the UTF-8 of it."""
        if self._name == _WINDOWS:
            return text.encode(_WINDOWS, "surrogateescape")
        return text.encode("utf-8", "surrogateescape")


def _utf16(first: bytes) -> str | None:
    if first.startswith(UTF16_MARKS):
        return "utf-16"
    if len(first) >= 4 and first[0] and first[2] and not first[1] and not first[3]:
        return "utf-16-le"
    if len(first) >= 4 and first[1] and first[3] and not first[0] and not first[2]:
        return "utf-16-be"
    return None


def _is_windows(data: bytes) -> bool:
    """Tell whether bytes with some beyond ASCII are words in Windows-1252 and cannot be UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        high = len(_HIGH.findall(data))
        return 2 * len(_IN_WORDS.findall(data)) > high
    return False
