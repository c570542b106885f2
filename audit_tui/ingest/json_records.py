"""Records out of JSON of any layout, in constant memory.

JSON lines, one object, arrays, wrappers, objects one after another, pretty-printed or not: one reader,
because files mix them. What is broken costs itself and nothing after it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.formats.decoding import MAX_DEPTH, TOKEN, Decoder, Exponents, is_too_deep
from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject
from audit_tui.ingest.wrappers import list_key, may_be_list_key

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from audit_tui.ingest.open import OpenLog

_WHOLE_CHARS = 1024 * 1024
"""An object that is longer may be a wrapper with a list of millions: then its list is read piece by piece."""

_BETWEEN = re.compile(r"[ \t\r\n,\x1e\ufeff]*")
_RECORDS = re.compile(r'\{[ \t\r\n]*"Records"[ \t\r\n]*:[ \t\r\n]*\[')
_PREFIXED = re.compile(r"[^\n]{1,4096}?(?=\{[ \t]*[\"}])")
"""The text before the first object of a line."""
_ARRAY = re.compile(r"\[[ \t\r\n]*(?:[\[{\]\"]|\Z)")
_LIST_OF_RECORDS = re.compile(r"\[[ \t\r\n]*(?:[\[{\]]|\Z)")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")
_MARK = re.compile(r'\\.|["{}\[\]\n]')
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_NOT_JSON = "it is not JSON"
_TOO_LONG = "the record is longer than 16 MiB"
_LEAST_CHARS = 4 * 1024
"""The end of a broken object is looked for at least so far."""
_LONGEST_INDENT = 256
_MOST_UNUSUAL = 20
"""With more records one after another that only the exact decoder can tell, it is given all others."""
_PREFIX_LINES = 20
_LONGEST_LITERAL_CHARS = len("-Infinity") + len("\\ud83d\\ude00")


class _Broken(NamedTuple):
    reason: str
    may_end_later: bool
    """More text could mend it."""


class _List:
    """The list that is being read: which record comes next, and whether an object wraps it."""

    def __init__(self, line: int, *, is_wrapped: bool) -> None:
        self.line = line
        self.is_wrapped = is_wrapped
        self.records = 0


class JsonReader:
    """Reads one log; iterate over it once."""

    def __init__(self, text: OpenLog) -> None:
        self._text = text
        self._buffer = ""
        self._at = 0
        self._line = 1
        self._at_end = False
        self._ends_inside = False
        self._decoder = Decoder()
        self._list: _List | None = None
        self._prefix = ""
        """The text before the object that is read, in its line."""
        self._is_by_line: bool | None = None
        """The records end with their lines; None until one was read."""
        self._search_chars = _WHOLE_CHARS
        """The end of a broken object is looked for so far; halved when that was in vain: 70 kB took 2.5 s."""
        self._unusual = 0
        """Records one after another that were tried the fast way in vain."""

    def __iter__(self) -> Iterator[Record | Reject]:
        while character := self._next_character():
            if self._list is None:
                if self._is_by_line and (yield from self._usual_lines()):
                    continue
                if self._take_prefix(character):
                    character = "{"
                elif character == "[":
                    self._enter_list(self._at + 1, is_wrapped=False)
                    continue
                if _RECORDS.match(self._buffer, self._at) and self._enter_wrapper():
                    continue
            elif character == "]":
                self._leave_list()
                continue
            result = self._read_value(character)
            if result is not None:
                yield result
        if self._list is not None and not self._ends_inside:
            yield self._reject(
                "the list of records does not end: the file may be cut off", "", self._list.line
            )

    def _usual_lines(self) -> Generator[Record, None, bool]:
        """Yield records that fill a line each, up to one that only the exact decoder can tell.

        Returns:
            Whether there was any.
        """
        if self._unusual > _MOST_UNUSUAL:
            return False
        buffer, at, line = self._buffer, self._at, self._line
        begin = line
        usual = self._decoder.usual
        while (end := buffer.find("\n", at)) >= 0 and end - at <= MAX_RECORD_CHARS:
            text = buffer[at:end]
            fields = usual(text) if text[:1] == "{" and text[-1:] == "}" else None
            if fields is None or list_key(fields):
                self._unusual += 1
                break
            at = self._at = end + 1
            self._line = line + 1
            yield Record(fields, line, None, text, self._decoder.is_lossy)
            line += 1
        if line == begin:
            return False
        self._unusual = 0
        return True

    # --- the buffer

    def _fill(self) -> bool:
        """Read on; False when there is no more."""
        piece = self._text.read()
        if not piece:
            self._at_end = True
            return False
        # Pieces double with what is kept, so that a long record is copied and parsed twice, not n times.
        pieces, wanted = [piece], len(self._buffer) - self._at
        size = len(piece)
        while size < wanted and (piece := self._text.read(waits=False)):
            pieces.append(piece)
            size += len(piece)
        # The beginning of the line is kept: its indentation tells where a broken record ends.
        kept_from = self._buffer.rfind("\n", max(self._at - _LONGEST_INDENT, 0), self._at)
        kept_from = self._at if kept_from < 0 else kept_from
        self._buffer = "".join([self._buffer[kept_from:], *pieces])
        self._at -= kept_from
        return True

    def _advance(self, to: int) -> None:
        self._line += self._buffer.count("\n", self._at, to)
        self._at = to

    def _next_character(self) -> str:
        while True:
            match = _BETWEEN.match(self._buffer, self._at)
            if match is not None:
                self._advance(match.end())
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._fill():
                return ""

    def _take_prefix(self, character: str) -> bool:
        """Go over text before an object in its line; False when there is none, or no object."""
        self._prefix = ""
        if character == "{" or (character == "[" and _ARRAY.match(self._buffer, self._at)):
            return False
        while (end := self._buffer.find("\n", self._at)) < 0 and len(self._buffer) - self._at < _WHOLE_CHARS:
            if not self._fill():
                break
        prefix = _PREFIXED.match(self._buffer, self._at, len(self._buffer) if end < 0 else end)
        if prefix is None:
            return False
        self._prefix = prefix[0].strip()
        self._advance(prefix.end())
        return True

    # --- lists and wrappers

    def _enter_list(self, after_bracket: int, *, is_wrapped: bool) -> None:
        self._list = _List(self._line, is_wrapped=is_wrapped)
        self._advance(after_bracket)

    def _leave_list(self) -> None:
        was_wrapped = self._list is not None and self._list.is_wrapped
        self._list = None
        self._advance(self._at + 1)
        if was_wrapped:
            self._next_character()
            self._walk_object(self._at)

    def _enter_wrapper(self) -> bool:
        """Go into the list of the object that begins here; False when there is none."""
        return self._walk_object(self._at + 1)

    def _walk_object(self, at: int) -> bool:
        """Go from a place between two pairs of an object to the next list of records in it."""
        while True:
            match = _BETWEEN.match(self._buffer, at)
            at = at if match is None else match.end()
            if self._buffer[at : at + 1] == "}":
                self._advance(at + 1)
                return False
            try:
                key, after_key = self._decoder.strict.raw_decode(self._buffer, at)
                colon = _COLON.match(self._buffer, after_key)
                if not isinstance(key, str) or colon is None:
                    return False
                if may_be_list_key(key) and _LIST_OF_RECORDS.match(self._buffer, colon.end()) is not None:
                    self._enter_list(colon.end() + 1, is_wrapped=True)
                    return True
                _, at = self._decoder.strict.raw_decode(self._buffer, colon.end())
            except (ValueError, RecursionError):
                return False

    # --- values

    def _read_value(self, character: str) -> Record | Reject | None:
        """The record or reject that begins here; None when it was a wrapper, whose list is now entered."""
        tried_wrapper = False
        while True:
            decoded = self._decode()
            if not isinstance(decoded, _Broken):
                break
            size = len(self._buffer) - self._at
            if not tried_wrapper and self._list is None and character == "{" and size > _WHOLE_CHARS:
                tried_wrapper = True
                if self._enter_wrapper():
                    return None
            if not decoded.may_end_later:
                return self._skip(decoded.reason)
            if size > MAX_RECORD_CHARS:
                return self._skip(_TOO_LONG, is_giant=True)
            self._fill()  # at the end of the file the next decoding says that it is final
        value, end = decoded
        if self._list is None and isinstance(value, dict) and list_key(value) and self._enter_wrapper():
            return None
        return self._result(value, end)

    def _decode(self) -> tuple[Any, int] | _Broken:
        buffer, at = self._buffer, self._at
        self._decoder.is_lossy = Exponents.seen = False
        try:
            value, end = self._decoder.strict.raw_decode(buffer, at)
        except json.JSONDecodeError as error:
            return self._leniently() if error.msg.startswith("Invalid control") else self._broken(error)
        except RecursionError:
            return _Broken("it is nested too deeply", may_end_later=False)
        except ValueError:
            return _Broken("a number in it has too many digits", may_end_later=False)
        if end == len(buffer) and not self._at_end and not isinstance(value, dict | list | str):
            return _Broken("", may_end_later=True)
        return value, end

    def _leniently(self) -> tuple[Any, int] | _Broken:
        try:
            value, end = self._decoder.lenient.raw_decode(self._buffer, self._at)
        except json.JSONDecodeError as error:
            if "\n" in self._buffer[self._at : error.pos]:
                return _Broken(f"{_NOT_JSON}: a text in it does not end with its line", may_end_later=False)
            return self._broken(error)
        except (RecursionError, ValueError):
            return _Broken(f"{_NOT_JSON}: it holds control characters", may_end_later=False)
        if "\n" in self._buffer[self._at : end]:
            return _Broken(f"{_NOT_JSON}: a text in it does not end with its line", may_end_later=False)
        return value, end

    def _broken(self, error: json.JSONDecodeError) -> _Broken:
        is_open_text = error.msg.startswith("Unterminated string")
        if not self._at_end:
            near_end = error.pos >= len(self._buffer) - _LONGEST_LITERAL_CHARS
            # A line that has ended cuts nothing: who follows the log is told now, not with the next record.
            near_end = near_end and "\n" not in self._buffer[error.pos :]
            return _Broken(_json_reason(error, self._at), is_open_text or near_end)
        if is_open_text or error.pos >= len(self._buffer.rstrip()):
            self._ends_inside = True
            return _Broken("the file ends in the middle of this record", may_end_later=False)
        return _Broken(_json_reason(error, self._at), may_end_later=False)

    def _result(self, value: object, end: int) -> Record | Reject:
        text = self._buffer[self._at : end]
        line = self._line
        if not isinstance(value, dict):
            result: Record | Reject = self._reject("it is not a JSON object", text, line)
        elif len(text) > MAX_RECORD_CHARS:
            result = self._reject(_TOO_LONG, text[:MAX_RECORD_CHARS], line)
        elif is_too_deep(text):
            result = self._reject(f"it is nested deeper than {MAX_DEPTH} levels", text, line)
        else:
            is_lossy = self._decoder.is_lossy or (not text.isascii() and _NOT_UTF8.search(text) is not None)
            result = Record(value, line, self._number(), text, is_lossy, self._prefix)
        self._advance(end)
        if self._is_by_line is None and self._list is None:
            self._is_by_line = self._line == line
        return result

    def _number(self) -> int | None:
        if self._list is None:
            return None
        self._list.records += 1
        return self._list.records

    def _reject(self, reason: str, text: str, line: int) -> Reject:
        return Reject(self._text.name, line, self._number(), reason, text)

    # --- getting over what is broken

    def _skip(self, reason: str, *, is_giant: bool = False) -> Reject:
        line = self._line
        if self._list is None and (self._is_by_line or not self._buffer.startswith(("{", "["), self._at)):
            return self._reject(reason, self._skip_line(), line)
        if is_giant:
            return self._reject(reason, self._skip_giant(), line)
        end = self._end_of_broken()
        text = self._buffer[self._at : end]
        self._advance(end)
        return self._reject(reason, text, line)

    def _skip_line(self) -> str:
        parts: list[str] = []
        kept_chars = 0
        while True:
            end = self._buffer.find("\n", self._at)
            piece = self._buffer[self._at : None if end < 0 else end]
            if kept_chars < MAX_RECORD_CHARS:
                parts.append(piece)
                kept_chars += len(piece)
            self._advance(self._at + len(piece))
            if end >= 0 or not self._fill():
                return "".join(parts)

    def _skip_giant(self) -> str:
        """Read over an object that is too big to keep, to the bracket that closes it."""
        beginning = self._buffer[self._at : self._at + MAX_RECORD_CHARS]
        depth, in_text = 0, False
        while True:
            seen = self._at
            for mark in _MARK.finditer(self._buffer, self._at):
                character, seen = mark[0], mark.end()
                if character == '"':
                    in_text = not in_text
                elif character == "\n" and in_text:
                    self._advance(mark.start())
                    return beginning
                elif not in_text and character in "{[":
                    depth += 1
                elif not in_text and character in "}]":
                    depth -= 1
                    if depth <= 0:
                        self._advance(mark.end())
                        return beginning
            # An escape that the end of the buffer cuts is looked at again.
            is_cut = seen < len(self._buffer) and self._buffer.endswith("\\")
            self._advance(len(self._buffer) - is_cut)
            if not self._fill():
                self._advance(len(self._buffer))
                return beginning

    def _end_of_broken(self) -> int:
        """Return where a broken object of several lines, or of a list, ends.

        At the bracket that closes it, if its brackets and quotes are whole; else at the next line that
        is indented as its own first line and opens an object; else at the end of its line.
        """
        while not self._at_end and len(self._buffer) - self._at < _WHOLE_CHARS and self._fill():
            pass
        before = self._buffer.rfind("\n", 0, self._at) + 1
        indent = self._buffer[before : self._at]
        search_end = min(self._at + self._search_chars, len(self._buffer))
        sibling = None
        if not indent.strip():
            sibling = re.compile(rf"\n{re.escape(indent)}(?=\{{)").search(self._buffer, self._at, search_end)
        limit = search_end if sibling is None else sibling.end()
        closed = _balanced_end(self._buffer, self._at, limit)
        if closed is not None:
            return closed
        if sibling is not None:
            return sibling.end()
        self._search_chars = max(self._search_chars // 2, _LEAST_CHARS)
        end = self._buffer.find("\n", self._at)
        if end >= 0:
            return end
        apart = re.compile(r"\}\s*,\s*(?=\{\s*\")").search(self._buffer, self._at)
        return len(self._buffer) if apart is None else apart.end()


def _balanced_end(text: str, start: int, limit: int) -> int | None:
    depth = 0
    for token in TOKEN.finditer(text, start, limit):
        character = token[0]
        if character in "{[":
            depth += 1
        elif character in "}]":
            depth -= 1
            if depth <= 0:
                return token.end()
        elif len(character) == 1:
            return None  # a quote that its line does not close
    return None


def _json_reason(error: json.JSONDecodeError, start: int) -> str:
    message = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
    return f"{_NOT_JSON}: {message} at character {error.pos - start + 1}"


def begins_prefixed(head: str) -> bool:
    """Tell whether the first line that holds an object of JSON has text before it: ``@cee: {...}``."""
    for line in head.split("\n")[:_PREFIX_LINES]:
        prefix = _PREFIXED.match(line)
        if prefix is not None:
            try:
                value, end = json.JSONDecoder(strict=False).raw_decode(line, prefix.end())
            except (ValueError, RecursionError):
                return False
            return isinstance(value, dict) and bool(value) and not line[end:].strip(" \t\r'\"")
    return False


def json_records(text: OpenLog) -> Iterator[Record | Reject]:
    """The records of a JSON log, and what in it could not be read.

    Raises:
        FileError: If the file cannot be read on.
    """
    return iter(JsonReader(text))
