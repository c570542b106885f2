"""Taking values out of decoded records: paths, texts for columns, stable keys."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import MAX_SEVERITY, Outcome
from audit_tui.formats.keys import content_key as content_key
from audit_tui.formats.tables import scores, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audit_tui.formats.record import Fields

MAX_COLUMN_CHARS = 1_000
"""A longer event name, category, user ... is cut in its column and stays whole in the metadata."""
MAX_SENTENCE_CHARS = 4_000
"""The same for descriptions, which may be a paragraph."""

# SQLite ends a text at NUL for its own functions, so a search would miss what follows (RELIABILITY 6.2);
# lone surrogates cannot be stored as UTF-8 at all.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def word_list(words: str) -> tuple[str, ...]:
    """Return the words of a text, for tables that are easier to read in one piece."""
    return tuple(words.split())


def word_set(words: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(words.split())


def dig(fields: object, path: Iterable[str]) -> Any:  # noqa: ANN401 - a JSON value has no narrower type
    """The value at a path of keys (and list places), or None when a step is missing."""
    value: Any = fields
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step[:9]) < len(value):
            value = value[int(step[:9])]
        else:
            return None
    return value


def lookup(fields: Mapping[str, Any], field: str) -> Any:  # noqa: ANN401 - a JSON value
    """The value of a field that a user named: the key as it stands, else a dotted path."""
    if field in fields:
        return fields[field]
    return dig(fields, field.split(".")) if "." in field else None


def column_text(value: object, limit: int = MAX_COLUMN_CHARS) -> str | None:
    r"""A value as the text of a column; None when there is nothing to show.

    NUL becomes its control picture, what is not Unicode an escape (``\xff``); longer texts end in "…".
    """
    if isinstance(value, str):
        if value.isascii() and value.isprintable() and len(value) <= limit:
            return None if value.isspace() else value or None
        text = value
    elif value is None:
        return None
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int | float):
        text = str(value)
    else:
        text = json.dumps(value, ensure_ascii=False)
    if not text.isascii() or "\x00" in text:
        text = _UNSTORABLE.sub(_escape, text)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text if text and not text.isspace() else None


NOTHING = word_set("- -- ? null <null> (null) [null] (none) <none> none <nil> n/a undefined") | {"unknown ip"}
"""Texts, in lower case, that programs write where there is no value."""


def first_text(*values: object) -> str | None:
    """The first of several values that is a text or a number and shows something, as the text of a column."""
    for value in values:
        if isinstance(value, str | int) and not isinstance(value, bool):
            text = column_text(value)
            if text is not None and text.lower() not in NO_NAMES:
                return text
    return None


NO_NAMES = NOTHING - {"null"}
"""The same for names: somebody may be called null."""


def rest_of(fields: Fields, **given: str | None) -> Fields:
    """The metadata of a record: its fields without those that a column gives back exactly.

    Args:
        fields: The record.
        given: The column's text under the name of the field that it was read from.
    """
    metadata = fields.copy()
    for name, text in given.items():
        if text is not None and metadata.get(name) == text:
            del metadata[name]
    return metadata


OUTCOME_DETAIL = "outcome_detail"
DENIED = "denied"


def mark_denied(metadata: Fields) -> None:
    """Say in the metadata that a failure was a refusal; a field of that name that is there already stays."""
    metadata.setdefault(OUTCOME_DETAIL, DENIED)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code == 0:
        return "\u2400"
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


_WORDS = table("english")
_GOOD, _BAD = (frozenset(_WORDS["outcomes"][end].split()) for end in ("good", "bad"))
_EXACT = {
    **dict.fromkeys(("true", "yes", "1", "y"), Outcome.SUCCESS),
    **dict.fromkeys(
        ("false", "no", "0", "n", "internal", "not_found", "notfound", "already_exists"), Outcome.FAILURE
    ),
    **dict.fromkeys(("no error", "noerror", "no errors", "no_error"), Outcome.SUCCESS),
}
_TOKENS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_MAX_WORDS_CHARS = 80
_NEGATIONS = word_set("not no non never cannot without")


def outcome_of(value: object) -> Outcome:
    """Return what a field named outcome, result, status or success says; unknown unless it says it plainly.

    Numbers of three digits are read as HTTP status codes.
    """
    if isinstance(value, bool):
        return Outcome.SUCCESS if value else Outcome.FAILURE
    word = str(value).strip() if isinstance(value, str | int) else ""
    if len(word) == 3 and word.isdecimal():
        return http_outcome(int(word))
    return _outcome_in(word) if 0 < len(word) <= _MAX_WORDS_CHARS else Outcome.UNKNOWN


@lru_cache(maxsize=2_048)
def _outcome_in(words: str) -> Outcome:
    """The outcome in words: ``LOGIN_ERROR_INVALID_PASSWORD``, ``PartiallySucceeded``, ``not successful``."""
    exact = _EXACT.get(words.lower())
    if exact is not None:
        return exact
    tokens = [token.lower() for token in _TOKENS.findall(words)]
    is_negated = not _NEGATIONS.isdisjoint(tokens)
    if not _BAD.isdisjoint(tokens):
        return Outcome.UNKNOWN if is_negated else Outcome.FAILURE
    if not _GOOD.isdisjoint(tokens):
        return Outcome.FAILURE if is_negated else Outcome.SUCCESS
    return Outcome.UNKNOWN


def http_outcome(code: int) -> Outcome:
    """The outcome that an HTTP status code tells of a request: below 400 is success."""
    if 200 <= code < 400:
        return Outcome.SUCCESS
    return Outcome.FAILURE if 400 <= code < 600 else Outcome.UNKNOWN


def http_verdict_of(value: object) -> tuple[Outcome, bool] | None:
    """Return what an HTTP status says: how it ended, and whether it was refused; None for other values."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if len(text) != 3 or not text.isdecimal() or not "100" <= text < "600":
        return None
    return http_outcome(int(text)), text in ("401", "403", "407")


_SEVERITIES = scores(_WORDS["severities"])


def severity_of(value: object) -> int | None:
    """A severity in words as our 0 to 6 (OCSF severity_id); a number only when it is one of those.

    None when it says nothing that we know: scales of numbers run both ways.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value <= MAX_SEVERITY else None
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    if len(word) == 1 and word.isdecimal():
        return severity_of(int(word))
    return _SEVERITIES.get(word)
