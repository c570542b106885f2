"""The characters of a query line: words, values in and out of quotes, and errors that point at a place."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from audit_tui.core.query_line.text import WORD, quoted
from audit_tui.core.text import cells_of, clean
from audit_tui.errors import FilterError

MAX_VALUES = 900
_SPACE = re.compile(r"\s*")
_OPENING = frozenset('"(')
_SHOWN_BEFORE = 50
_SHOWN_CHARS = 72
WORD_BEGINS = frozenset("aonAON")
_PLAIN = re.compile(r'(?:[^\s()"\\]|\\[ ()",]|\\)+')
_PLAIN_IN_LIST = re.compile(r'(?:[^\s()",\\]|\\[ ()",]|\\)+')
_UP_TO_SPACE = re.compile(r"\S*")
_ESCAPED = re.compile(r'\\([ ()",])')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED_IN_QUOTES = re.compile(r'\\(["\\])')


class QueryError(FilterError):
    """A query line cannot be read.

    ``start`` is the 0-based place of the first wrong character, ``end`` that behind the last one; ``mended``
    is the whole line as it was probably meant, empty when nobody can tell.
    """

    def __init__(self, message: str, hint: str, start: int, end: int, mended: str = "") -> None:
        super().__init__(message, hint)
        self.start = start
        self.end = max(end, start + 1)
        self.mended = mended

    def pointed(self, line: str) -> str:
        """Return the line, cleaned and cut to a window, with a caret below the wrong characters."""
        first = max(0, min(self.start - _SHOWN_BEFORE, len(line) - _SHOWN_CHARS))
        window = slice(first, first + _SHOWN_CHARS)
        before, wrong = clean(line[first : self.start]), clean(line[self.start : self.end][:_SHOWN_CHARS])
        lead, tail = "…" if first else "", "…" if len(line) > window.stop else ""
        caret = " " * cells_of(lead + before) + "^" * max(1, cells_of(wrong))
        return f"{lead}{clean(line[window])}{tail}\n{caret}"


class Value(NamedTuple):
    """A value as it stands in a line."""

    text: str
    start: int
    is_quoted: bool


class Scanner:
    """A place in a line that moves on over what is read."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.at = 0
        """The place of the next character."""
        self._values = 0

    @property
    def next(self) -> str:
        """The next character; empty at the end of the line."""
        return self.line[self.at : self.at + 1]

    def skip(self) -> str:
        """Move over spaces, and return the next character."""
        at = self.at
        following = self.line[at : at + 1]
        if following == " ":
            # One space is what nearly always stands between two terms.
            self.at = at + 1
            following = self.line[at + 1 : at + 2]
        if not following.isspace():
            return following
        match = _SPACE.match(self.line, self.at)
        self.at = match.end() if match else self.at
        return self.line[self.at : self.at + 1]

    def word(self) -> str:
        """Move over spaces; return "and", "or" or "not" where one of them is next, else nothing."""
        if self.skip() not in WORD_BEGINS:
            return ""
        match = WORD.match(self.line, self.at)
        return match[0].lower() if match else ""

    def value(self, symbol: str = "", *, is_in_list: bool = False) -> Value:
        """Read a value; a comma ends it in a list."""
        start, line = self.at, self.line
        self._values += 1
        if self._values > MAX_VALUES:
            self.fail(
                f"A query has up to {MAX_VALUES} values.", "Put many values in a file: user:@FILE.", start
            )
        if line[start : start + 1] == '"':
            match = _QUOTED.match(line, start)
            if match is None:
                self.fail("This quote is never closed.", 'Add " at its end.', start, mended=f'{self.line}"')
            self.at = match.end()
            self.end_term(is_in_list=is_in_list)
            return Value(unescaped(match[1]), start, True)
        match = (_PLAIN_IN_LIST if is_in_list else _PLAIN).match(line, start)
        if match is None:
            self.fail(
                "A value is missing here.", f'Write one behind "{symbol or line[start - 1 : start]}".', start
            )
        self.at = end = match.end()
        if line[end : end + 1] in _OPENING:
            self._fail_in_value(start)
        text = match[0]
        return Value(_ESCAPED.sub(r"\1", text) if "\\" in text else text, start, False)

    def end_term(self, *, is_in_list: bool = False) -> None:
        """Refuse what follows a quote or a list without a space."""
        behind = self.next
        if behind and not behind.isspace() and behind != ")" and not (is_in_list and behind == ","):
            self.fail("A space must stand between two terms.", "Add one.", self.at, 0, mend=" ")

    def rest(self, start: int) -> str:
        """Return the line from a place to the next space."""
        match = _UP_TO_SPACE.match(self.line, start)
        return match[0] if match else ""

    def mended(self, start: int, length: int, text: str) -> str:
        """Return the line with a text in the place of some characters."""
        return f"{self.line[:start]}{text}{self.line[start + length :]}".strip()

    def fail(
        self,
        message: str,
        hint: str,
        start: int,
        length: int = 1,
        *,
        mend: str | None = None,
        mended: str = "",
    ) -> NoReturn:
        """Raise the error.

        ``mend`` is the text to put in the place of the wrong characters, None when nobody can tell;
        ``mended`` the whole line, instead.
        """
        if mend is not None:
            mended = self.mended(start, length, mend)
        raise QueryError(message, hint, start, start + length, "" if mended == self.line else mended)

    def _fail_in_value(self, start: int) -> NoReturn:
        whole = self.rest(start)
        what = "quote" if self.next == '"' else "parenthesis"
        self.fail(
            f"A {what} stands in the middle of a value.",
            f"Put the whole value in quotes: {quoted(whole)}",
            self.at,
            mended=self.mended(start, len(whole), quoted(whole)),
        )


def unescaped(text: str) -> str:
    """Return what a text between quotes means."""
    return _ESCAPED_IN_QUOTES.sub(r"\1", text) if "\\" in text else text
