"""Sentences out of short patterns, for formats whose events have names that no rule understands."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.words.sentences import Act, act_of, past_tense, singular, told, verb_of_past, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEGMENT = re.compile(r"\[([^\[\]]*)\]")
_PLACE = re.compile(r"\{(\w+)\}")
_CODE = re.compile(r"[A-Z]+(_[A-Z]+)+\Z|([A-Z][a-z]+){2,}\Z")
_SHOWN_CHARS = 200
_BY_THEMSELVES = frozenset({"login", "logoff", "logon", "logout", "signin", "signout", "signup"})
_RESULTS = frozenset({"failed", "failure", "succeeded", "success"})
"""Words at the end that tell how it ended, not what was done."""
_NOMINAL = {"creation": "create", "deletion": "delete", "removal": "remove"}
_DOERS = frozenset({"user", "session", "account"})
"""Who does what is done to nobody: ``user_login``."""
_OF_MANY = frozenset({"enable", "disable", "list", "set", "configure"})
"""What is done to all of a kind at once: alerts are enabled, a hook is created."""


def fill(pattern: str, names: Mapping[str, str | None]) -> str:
    """A pattern with its names put in; a part in brackets falls away when one of its names is not known.

    ``"[member {user}][ to {team}]"`` without a team is "member bob".
    """

    def segment(match: re.Match[str]) -> str:
        wanted = _PLACE.findall(match[1])
        if any(not names.get(name) for name in wanted):
            return ""
        return _PLACE.sub(lambda place: shown(names.get(place[1]) or ""), match[1])

    return _SEGMENT.sub(segment, pattern).strip()


def shown(name: str) -> str:
    """A name as a sentence can hold it: one line, and cut where it is a text of its own."""
    line = " ".join(name.split())
    return f"{line[: _SHOWN_CHARS - 1]}…" if len(line) > _SHOWN_CHARS else line


def plain_reason(reason: str | None) -> str | None:
    """Why something failed, in words where the vendor has a code: ``INVALID_CREDENTIALS``, ``BadName``."""
    if reason is not None and _CODE.match(reason) is not None:
        return " ".join(word.lower() for word in words_of(reason.lower() if reason.isupper() else reason))
    return reason


def narrate(
    who: str | None,
    pattern: str,
    names: Mapping[str, str | None],
    outcome: Outcome,
    *,
    is_denied: bool = False,
) -> str:
    """Who did what: the pattern begins with its verb, as it stands after "to".

    ``"sign in[ to {app}]"`` tells that bob signed in to mail, or failed to sign in to mail.
    """
    verb, _, rest = pattern.partition(" ")
    verb, bracket, more = verb.partition("[")
    rest = fill(f"{bracket}{more} {rest}" if bracket else rest, names)
    return told(shown(who or "someone"), past_tense(verb), verb, rest, outcome, is_denied=is_denied)


def sign_in(
    who: str | None, app: str | None, address: str | None, outcome: Outcome, *, is_denied: bool = False
) -> str:
    """Somebody signed in, failed to, or tried to where the outcome is not told."""
    pattern = "sign in[ to {app}][ from {address}]"
    if outcome is Outcome.UNKNOWN:
        pattern = f"try to {pattern}"
    names = {"app": app, "address": address}
    return narrate(who, pattern, names, outcome, is_denied=is_denied)


class NamedAct(NamedTuple):
    """What a dotted name says: an act, and the thing that the name begins with."""

    act: Act
    holder: tuple[str, ...]
    """The words before the act when the act has a noun of its own: ``repo`` of ``repo.add_member``."""


@lru_cache(maxsize=4_096)
def named_act(name: str) -> NamedAct | None:
    """A dotted name, understood; None when it holds no verb that we know.

    The verb stands first or last after the last dot, as it is or in the past: ``repo.add_member``,
    ``hook.create``, ``org.saml_disabled``, ``user.created``, ``v1.compute.firewalls.insert``.
    """
    head, _, tail = name.rpartition(".")
    words = words_of(tail.lower() if tail.isupper() else tail)
    if len(words) > 1 and words[-1] in _RESULTS:
        words = words[:-1]
    if not words:
        return None
    holder = _holder(head)
    act = _act_in(words)
    if act is None:
        return None
    if act.verb in _BY_THEMSELVES:
        return NamedAct(Act(act.verb, tuple(word for word in act.noun if word not in _DOERS)), ())
    if act.noun and act.noun != ("all",):
        return NamedAct(act, holder)
    if holder and act.verb not in _OF_MANY:
        holder = (*holder[:-1], singular(holder[-1]))
    return NamedAct(Act(act.verb, (*act.noun, *holder)), ())


def _act_in(words: tuple[str, ...]) -> Act | None:
    """The act of words whose verb stands last in the past, first, or last: ``merge request merged``."""
    first, last = words[0], words[-1]
    done = verb_of_past(last)
    if len(words) > 1 and done is not None and done != last:
        return Act(done, words[:-1])
    if len(words) > 1 and last in _NOMINAL:
        return Act(_NOMINAL[last], words[:-1])
    act = act_of(" ".join(words).lower())
    if act is not None:
        return act
    verb = verb_of_past(first)
    if verb is not None:
        return Act(verb, words[1:])
    return Act(last, words[:-1]) if len(words) > 1 and act_of(last) else None


def _holder(head: str) -> tuple[str, ...]:
    return words_of(head.rpartition(".")[2])
