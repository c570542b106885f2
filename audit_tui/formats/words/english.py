"""Sentences that a person would write, out of names like ``DeleteBucket`` and ``user.created``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.tables import table

MAX_REASON_CHARS = 200
_SHOWN_CHARS = 200
_CODE = re.compile(r"[A-Z]+(_[A-Z]+)+\Z|([A-Z][a-z]+){2,}\Z")

_WORD = re.compile(r"OAuth|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*|[A-Z]+\d*|\d+|[^\W\d_]+")
_API_VERSION = re.compile(r"20\d{6}(v\d+)?\Z|_?v\d\Z", re.IGNORECASE)
_WORDS = table("english")
_ACRONYMS: dict[str, str] = {word.lower(): word for word in _WORDS["acronyms"].split()}
_PAST: dict[str, str] = _WORDS["past"]
_PLAIN: dict[str, str] = _WORDS["plain"]
_UNCOUNTED = tuple(_WORDS["uncounted"])
_DOUBLED = frozenset(_WORDS["doubled"].split())
_VERBS = frozenset(_WORDS["verbs"].split()) | _DOUBLED | _PAST.keys()
_MAKERS = frozenset(_WORDS["makers"].split())
_PREPOSITIONS: dict[str, str] = {
    verb: word for word, verbs in _WORDS["prepositions"].items() for verb in verbs.split()
}
JOINTS = frozenset({"to", "from", "for", "with", "by"})
"""Words inside a name that divide it: AddUserToGroup."""


class Act(NamedTuple):
    """Return what a name says: a verb and the words of what it is done to."""

    verb: str
    noun: tuple[str, ...]
    """In lower case but for acronyms; empty when the verb says it all."""

    @property
    def past(self) -> str:
        """The verb as it is told of the past."""
        return past_tense(self.verb)

    @property
    def plain(self) -> str:
        """The verb after "to"."""
        return _PLAIN.get(self.verb, self.verb)

    @property
    def preposition(self) -> str:
        """The word between what is done and whom it is done to."""
        return _PREPOSITIONS.get(self.verb, "of")

    def phrase(self) -> str:
        """The noun with its article."""
        if not self.noun:
            return ""
        noun = " ".join(self.noun)
        is_plural = noun.lower().endswith("s") and not noun.endswith(("ss", "us", "is"))
        if is_plural or noun.endswith(_UNCOUNTED):
            return noun
        if self.verb not in _MAKERS:
            return f"the {noun}"
        sounds_open = noun[0] in "aeioAEIO" or noun[:2] in ("SS", "MF", "HT")
        return f"an {noun}" if sounds_open else f"a {noun}"


_CASE = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")
_ANY_WORD = re.compile(r"[^\W_]+")


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in any spelling, in lower case but for acronyms."""
    if name.isascii():
        words = _WORD.findall(_API_VERSION.sub("", name))
    else:
        words = _ANY_WORD.findall(_CASE.sub(" ", name))  # whole, whatever letters they have
    return tuple(
        _ACRONYMS.get(word.lower(), word if word.isupper() and len(word) > 1 else word.lower())
        for word in words
    )


@lru_cache(maxsize=4_096)
def act_of(name: str) -> Act | None:
    """A name that begins with a verb (``DeleteBucket``, ``delete_bucket``), understood; else None."""
    words = tuple(spoken(name))
    if len(words) > 2 and words[0] in ("batch", "admin"):
        words = words[1:]
    if len(words) > 1 and words[0] + words[1] in _PLAIN:
        words = (words[0] + words[1], *words[2:])  # "sign in" is one verb, as "login" is
    if not words or words[0] not in _VERBS or words[-1] in ("attempt", "attempts", "attempted"):
        return None
    if words[0] in _PLAIN and words[-1] in ("activity", "event", "events", "history"):
        return None
    return Act(words[0], words[1:])


def spoken(name: str) -> tuple[str, ...]:
    """Return the words of a name that may be written in capitals."""
    # An ALL_CAPS name shouts: it holds no acronyms that could be told apart.
    return words_of(name.lower() if name.isupper() else name)


def past_tense(verb: str) -> str:
    """The past of a verb: the irregular ones of audit logs, and the rule."""
    if verb in _PAST:
        return _PAST[verb]
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ed"
    if verb.endswith("e"):
        return f"{verb}d"
    if verb.endswith("y") and verb[-2:-1] not in tuple("aeou"):
        return f"{verb[:-1]}ied"
    return f"{verb}ed"


IRREGULAR_PASTS = frozenset(_PAST.values())
_VERB_OF_PAST = {past_tense(verb): verb for verb in sorted(_VERBS)}


def verb_of_past(word: str) -> str | None:
    """The verb that a word is the past of: ``create`` for ``created``; None when we know none."""
    return _VERB_OF_PAST.get(word)


def plain_of(past: str) -> str | None:
    """Return the verb whose past this is: ``opened`` gives ``open``; None when no known verb has it."""
    verb = _VERB_OF_PAST.get(past)
    return None if verb is None else _PLAIN.get(verb, verb)


def singular(word: str) -> str:
    """One of several things, roughly: policies, addresses, buckets."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def shown(name: str) -> str:
    """Return a name as a sentence can hold it: one line, and cut where it is a text of its own."""
    line = " ".join(name.split())
    return f"{line[: _SHOWN_CHARS - 1]}…" if len(line) > _SHOWN_CHARS else line


def plain_reason(reason: str | None) -> str | None:
    """Return why something failed, in words where it is a code, ``INVALID_CREDENTIALS``."""
    if reason is not None and _CODE.match(reason) is not None:
        return " ".join(word.lower() for word in words_of(reason.lower() if reason.isupper() else reason))
    return reason


def told(who: str, past: str, plain: str, rest: str, outcome: Outcome, *, is_denied: bool = False) -> str:
    """Somebody did, failed to do, or was not allowed to do something."""
    what = f" {rest}" if rest else ""
    if is_denied:
        return f"{who} was not allowed to {plain}{what}"
    if outcome is Outcome.FAILURE:
        return f"{who} failed to {plain}{what}"
    return f"{who} {past}{what}"


def with_reason(sentence: str, reason: str | None) -> str:
    """A sentence with why it ended so, cut where it becomes a dump."""
    if not reason:
        return sentence
    text = " ".join(reason.split())
    if len(text) > MAX_REASON_CHARS:
        text = f"{text[: MAX_REASON_CHARS - 1].rstrip()}…"
    return f"{sentence}: {text}"
