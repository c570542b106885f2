"""Sentences with places to fill: ``{user} logged in[ from {ip|host}]``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{[^{}]*\}|[\[\]{}]|[^\[\]{}]+")
_WORD = re.compile(r"""(?P<quote>['"])(?P<words>.*)(?P=quote)\Z""", re.DOTALL)


class _Place(NamedTuple):
    """Where a value comes."""

    fields: tuple[str, ...]
    """The first of these that has one."""
    words: str | None
    """What stands there when none has; None leaves the place empty."""


_Part: TypeAlias = "str | _Place | list[_Part]"


class TemplateError(ValueError):
    """A template that cannot be read; the argument says why."""


class Template:
    """A sentence with places to fill.

    ``{a|b.c|'words'}`` is the first of the fields ``a`` and ``b.c`` that has a value, else the words. What
    stands in ``[...]`` is left out where a place in it has no value. ``{{``, ``}}``, ``[[`` and ``]]`` are
    the brackets themselves.

    Raises:
        TemplateError: If brackets do not match, or a place names nothing.
    """

    def __init__(self, text: str) -> None:
        self._parts = _parsed(text)

    def filled(self, value_of: Callable[[str], str | None]) -> str | None:
        """The sentence; None when a place outside of all ``[...]`` has no value.

        Args:
            value_of: The text of a field; None when it has none.
        """
        return _filled(self._parts, value_of)


def _parsed(text: str) -> list[_Part]:
    whole: list[_Part] = []
    inner: list[_Part] | None = None
    for piece in _TOKEN.findall(text):
        parts = whole if inner is None else inner
        if piece in ("{{", "}}", "[[", "]]"):
            parts.append(piece[0])
        elif piece == "[":
            if inner is not None:
                raise TemplateError("a [ stands inside [...]")
            inner = []
        elif piece == "]":
            if inner is None:
                raise TemplateError("a ] has no [ before it")
            whole.append(inner)
            inner = None
        elif piece in ("{", "}"):
            raise TemplateError(f"a {piece} stands alone; write {piece * 2} for the sign itself")
        elif piece.startswith("{"):
            parts.append(_place(piece[1:-1]))
        else:
            parts.append(piece)
    if inner is not None:
        raise TemplateError("a [ is not closed")
    return whole


def _place(text: str) -> _Place:
    *fields, last = (part.strip() for part in text.split("|"))
    words = _WORD.match(last)
    if words is None:
        fields.append(last)
    if not all(fields) or (not fields and words is None):
        raise TemplateError(f"{{{text}}} names no field")
    return _Place(tuple(fields), None if words is None else words["words"])


def _filled(parts: Sequence[_Part], value_of: Callable[[str], str | None]) -> str | None:
    said: list[str] = []
    for part in parts:
        if isinstance(part, str):
            said.append(part)
        elif isinstance(part, _Place):
            value = next((value for name in part.fields if (value := value_of(name))), part.words)
            if value is None:
                return None
            said.append(value)
        else:
            said.append(_filled(part, value_of) or "")
    return "".join(said)
