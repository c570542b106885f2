"""The end of something, in the words, flags and numbers of any log."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.tables import table
from audit_tui.formats.values import http_outcome, http_verdict_of, outcome_of, word_list, word_set

if TYPE_CHECKING:
    from collections.abc import Iterable

_KINDS: dict[str, str] = {
    name: kind for kind, names in table("fields")["endings"].items() for name in names.split()
}
VERDICTS = {
    word: end
    for end in (Outcome.SUCCESS, Outcome.FAILURE)
    for word in table("fields")["verdicts"][end.value].split()
}
"""Decisions of firewalls, which are a name of an event or stand in a field of their own."""
_NOTHING = word_set("- 0 0x0 none null nil n/a noerror ok success false no no_error {} [] undefined") | {
    "",
    "no error",
}
_INNER = word_list("status outcome result success error errorCode error_code statusCode status_code code")
_DENIED = re.compile(
    r"(?:^|[^a-z])(?:denied|deny|forbidden|unauthori[sz]ed|accessdenied|not[ _-]?authori[sz]ed)"
    r"|not[ _-]?allowed|not[ _-]?permitted"
    r"|access[ _-]?denied|permission[ _-]?denied|notauthorized",
    re.IGNORECASE,
)


class Ending(NamedTuple):
    """The ways in which a record says that something ended."""

    outcome: Outcome
    is_denied: bool
    """It failed because it was not allowed."""
    is_unsure: bool
    """Something in it tells the end in a way that is not understood."""


NOT_TOLD = Ending(Outcome.UNKNOWN, False, False)


@lru_cache(maxsize=4_096)
def kind_of_field(squashed: str) -> str | None:
    """Return in which way a field tells an end, by its squashed name; None when it tells none."""
    kind = _KINDS.get(squashed)
    if kind is not None:
        return kind
    if squashed in ("isfailure", "isfailed", "hasfailed"):
        return "failure"
    if squashed.startswith(("iserror", "isfail", "haserror", "hasfail")):
        return "negative"
    if squashed.endswith(("successful", "succeeded", "success")):
        return "flag"
    return (
        "hint"
        if squashed.endswith(("status", "statusvalue", "result", "outcome")) and len(squashed) > 6
        else None
    )


def ending_of(values: Iterable[tuple[str, object]]) -> Ending:
    """Return how it ended by all fields that tell it: one that says it failed is believed.

    Args:
        values: The kind of each field (``kind_of_field``), and its value.
    """
    told = tuple(values)
    for _, value in told:
        if type(value) is not str or len(value) >= _REMEMBERED_CHARS:
            return _ending_of(told)
    return _remembered_ending_of(told)


def _ending_of(told: tuple[tuple[str, object], ...]) -> Ending:
    outcomes, is_denied, is_unsure = set(), False, False
    for kind, value in told:
        if value is None or value == "":
            continue
        outcome, denied = _ending(kind, value)
        outcomes.add(outcome)
        is_denied = is_denied or denied
        is_unsure = is_unsure or (outcome is Outcome.UNKNOWN and kind in ("flag", "word"))
    if Outcome.FAILURE in outcomes:
        return Ending(Outcome.FAILURE, is_denied, False)
    if Outcome.SUCCESS in outcomes:
        return Ending(Outcome.SUCCESS, False, False)
    return Ending(Outcome.UNKNOWN, False, is_unsure)


_remembered_ending_of = lru_cache(maxsize=2_048)(_ending_of)


def _ending(kind: str, value: object) -> tuple[Outcome, bool]:
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None if not value else str(value)
    if isinstance(value, dict):
        return _ending_inside(kind, value)
    if kind == "nested":
        return http_verdict_of(value) or (Outcome.UNKNOWN, False)
    is_short = isinstance(value, bool) or (isinstance(value, str) and len(value) < _REMEMBERED_CHARS)
    return _remembered(kind, value) if is_short else _plain_ending(kind, value)


_REMEMBERED_CHARS = 40


@lru_cache(maxsize=2_048, typed=True)
def _remembered(kind: str, value: object) -> tuple[Outcome, bool]:
    return _plain_ending(kind, value)


def _plain_ending(kind: str, value: object) -> tuple[Outcome, bool]:
    text = str(value).strip() if not isinstance(value, bool) else ""
    is_denied = bool(text) and len(text) < 200 and _DENIED.search(text) is not None
    if kind == "error":
        return _error(value, text), is_denied
    if kind == "verdict":
        decided = VERDICTS.get(text.lower(), Outcome.UNKNOWN)
        return decided, decided is Outcome.FAILURE
    if kind == "http":
        verdict = http_verdict_of(value)
        return verdict if verdict is not None else (Outcome.UNKNOWN, False)
    if kind == "exit":
        return _exit(text), is_denied
    if kind in ("negative", "failure"):
        has_failed = value is True or text.lower() in ("true", "yes", "y", "1")
        is_plain = kind == "failure" and value is False
        return (Outcome.FAILURE if has_failed else Outcome.SUCCESS if is_plain else Outcome.UNKNOWN), False
    if kind == "flag" and text.lower() in ("y", "t", "n", "f"):
        return (Outcome.SUCCESS if text.lower() in "yt" else Outcome.FAILURE), False
    if kind in ("word", "hint") and text in ("0", "1"):
        return Outcome.UNKNOWN, False  # success in one program, failure in the next
    verdict = http_verdict_of(value)
    if verdict is not None:
        return verdict
    return outcome_of(value), is_denied


def _ending_inside(kind: str, value: dict[str, object]) -> tuple[Outcome, bool]:
    """An end that is told one level down: ``"response": {"statusCode": 403}``."""
    if kind == "error":
        return (Outcome.FAILURE if any(value.values()) else Outcome.UNKNOWN), _DENIED.search(
            str(value)[:500]
        ) is not None
    inner = [
        (kind_of_field(name.replace("_", "").lower()) or ("exit" if name == "code" else "word"), value[name])
        for name in _INNER
        if name in value and not isinstance(value[name], dict)
    ]
    ending = ending_of(inner)
    return ending.outcome, ending.is_denied


def _error(value: object, text: str) -> Outcome:
    if isinstance(value, bool):
        return Outcome.FAILURE if value else Outcome.UNKNOWN
    return Outcome.UNKNOWN if text.lower() in _NOTHING else Outcome.FAILURE


def _exit(text: str) -> Outcome:
    if text.lstrip("-").isdecimal() and len(text) < 19:
        number = int(text)
        if 100 <= number < 600:
            return http_outcome(number)
        return Outcome.FAILURE if number else Outcome.SUCCESS
    return outcome_of(text)
