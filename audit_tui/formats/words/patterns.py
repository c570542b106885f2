"""The one language of sentences with places to fill: ``sign in[ to {app|'somewhere'}][ from {address}]``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from audit_tui.core.event import Outcome
from audit_tui.formats.words.english import past_tense, shown, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\|\||\{[^{}]*\}|[\[\]{}|]|[^\[\]{}|]+")
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<words>.*)(?P=quote)\Z""", re.DOTALL)
_SIGNS = frozenset({"{{", "}}", "[[", "]]", "||"})
_ALONE = {
    "[": "a [ stands inside [...]",
    "]": "a ] has no [ before it",
    "{": "a { stands alone; write {{ for the sign itself",
    "}": "a } stands alone; write }} for the sign itself",
}
_AS_IT_IS = "!"
_VERBS = re.compile(r"(?P<first>[^ \[]+)(?:(?P<joint> (?:and|or) )(?P<second>[^ \[]+))?")


class _Place(NamedTuple):
    """A place that a value fills."""

    fields: tuple[str, ...]
    """The first of these that has one."""
    words: str | None
    """The words where none has; None leaves the place empty."""


class _Choice(NamedTuple):
    """A part in brackets: the first alternative whose places all have a value, or nothing."""

    alternatives: list[list[_Part]]


_Part: TypeAlias = "str | _Place | _Choice"


class Names(Protocol):
    """Gives the texts that fill the places of a pattern."""

    def get(self, name: str, /) -> str | None:
        """Return the text of a name; None when it has none."""
        ...


class PatternError(ValueError):
    """A pattern that cannot be read; the argument says why."""


class Pattern:
    """A sentence, or the end of one, with places to fill.

    ``{a|b.c|'words'}`` is the first of the fields ``a`` and ``b.c`` that has a value, else the words.
    ``[x|y]`` is the first of its alternatives whose places all have a value; without one it is left out.
    ``{{``, ``}}``, ``[[``, ``]]`` and ``||`` are the signs themselves.

    Raises:
        PatternError: If brackets do not match, or a place names nothing.
    """

    def __init__(self, text: str) -> None:
        self._parts = _parsed(text)

    def filled(self, value_of: Callable[[str], str | None]) -> str | None:
        """Return the sentence; None when a place outside of all brackets has no value.

        Args:
            value_of: Gives the text of a field; None when it has none.
        """
        return _filled(self._parts, value_of)


def _parsed(text: str) -> list[_Part]:
    whole: list[_Part] = []
    choice: _Choice | None = None
    for piece in _TOKEN.findall(text):
        parts = whole if choice is None else choice.alternatives[-1]
        if piece == "[" and choice is None:
            choice = _Choice([[]])
        elif piece == "]" and choice is not None:
            whole.append(choice)
            choice = None
        elif piece == "|" and choice is not None:
            choice.alternatives.append([])
        elif piece in _ALONE:
            raise PatternError(_ALONE[piece])
        elif len(piece) > 1 and piece[0] == "{" != piece[1]:
            parts.append(_place(piece[1:-1]))
        else:
            parts.append(piece[0] if piece in _SIGNS else piece)
    if choice is not None:
        raise PatternError("a [ is not closed")
    return whole


def _place(text: str) -> _Place:
    *fields, last = (part.strip() for part in text.split("|"))
    quoted = _QUOTED.match(last)
    if quoted is None:
        fields.append(last)
    if not all(fields) or (not fields and quoted is None):
        raise PatternError(f"{{{text}}} names no field")
    return _Place(tuple(fields), None if quoted is None else quoted["words"])


def _filled(parts: Sequence[_Part], value_of: Callable[[str], str | None]) -> str | None:
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, _Place):
            value = next((value for name in part.fields if (value := value_of(name))), part.words)
            if value is None:
                return None
            texts.append(value)
        else:
            filled = (_filled(alternative, value_of) for alternative in part.alternatives)
            texts.append(next((text for text in filled if text), ""))
    return "".join(texts)


@lru_cache(maxsize=4_096)
def compiled(text: str) -> Pattern:
    """Return a pattern of ours, read once."""
    return Pattern(text)


def fill(text: str, names: Names) -> str:
    """Return a pattern filled with names, each as a sentence can hold it; empty where one is missing."""

    def value_of(name: str) -> str | None:
        value = names.get(name)
        return shown(value) if value else None

    return (compiled(text).filled(value_of) or "").strip()


@lru_cache(maxsize=4_096)
def verb_forms(pattern: str) -> tuple[str, str, str]:
    """Return the verb of a pattern, or two that "or" joins, in the past and after "to"; then the rest."""
    verbs = _VERBS.match(pattern.removeprefix(_AS_IT_IS))
    if verbs is None:
        return "", "", pattern
    first, joint, second = verbs["first"], verbs["joint"] or "", verbs["second"] or ""
    past = past_tense(first) + (f"{joint}{past_tense(second)}" if second else "")
    return past, f"{first}{joint}{second}", verbs.string[verbs.end() :]


def narrate(
    who: str | None,
    pattern: str,
    names: Names,
    outcome: Outcome,
    *,
    is_denied: bool = False,
) -> str:
    """Tell who did what: the pattern begins with its verb, as it stands after "to".

    ``"sign in[ to {app}]"`` tells that bob signed in to mail, or failed to sign in to mail. After a ``!`` it
    is told as it is, however it ended: ``"!be locked out"``.
    """
    if pattern.startswith(_AS_IT_IS):
        outcome, is_denied = Outcome.UNKNOWN, False
    past, plain, rest = verb_forms(pattern)
    return told(shown(who or "someone"), past, plain, fill(rest, names), outcome, is_denied=is_denied)


def sign_in(
    who: str | None, app: str | None, address: str | None, outcome: Outcome, *, is_denied: bool = False
) -> str:
    """Tell that somebody signed in, failed to, or tried to where the outcome is not told."""
    pattern = "sign in[ to {app}][ from {address}]"
    if outcome is Outcome.UNKNOWN:
        pattern = f"try to {pattern}"
    return narrate(who, pattern, {"app": app, "address": address}, outcome, is_denied=is_denied)
