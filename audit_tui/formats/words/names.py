"""The facts in the name of an event besides the act: how it ended, and what kind of thing it is about."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.tables import table
from audit_tui.formats.values import dig, first_text
from audit_tui.formats.words.english import (
    IRREGULAR_PASTS,
    Act,
    act_of,
    shown,
    singular,
    spoken,
    told,
    verb_of_past,
    words_of,
)

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

_ENDS = {name: frozenset(words.split()) for name, words in table("english")["ends"].items()}
_GOOD, _BAD = _ENDS["good"], _ENDS["bad"]
_NEGATED = re.compile(
    r"\b(?:not|never|cannot|couldn't|can't|didn't|wasn't|unable)\b|\bun(?:successful|able)",
    re.IGNORECASE,
)
_LAST_WORD = re.compile(r"[\W_]*(?:[A-Z]+|[A-Z]?[a-z]+)\W*\Z")
_DOTTED = re.compile(r"(?P<family>[a-z][a-z0-9_-]*)(\.[a-z][a-z0-9_-]*)+\Z")
_RESULTS = frozenset({"failed", "failure", "succeeded", "success"})
"""Words at the end that tell how it ended, not what was done."""
_NOMINAL = {"creation": "create", "deletion": "delete", "removal": "remove"}
_DOERS = frozenset({"user", "session", "account"})
"""The actors of what is done to nobody: ``user_login``."""
_OF_MANY = frozenset({"enable", "disable", "list", "set", "configure"})
"""The acts done to all of a kind at once: alerts are enabled, a hook is created."""
_OF_THINGS = ("name", "email", "id")
_OBJECT_PATHS = (("name",), ("email",), ("id",))


class NamedEnd(NamedTuple):
    """Return what a name says of the end."""

    outcome: Outcome
    stem: str | None
    """The name without it, where it stands last; None where it stands elsewhere: ``denied by policy``."""


@lru_cache(maxsize=4_096)
def end_in_name(event: str) -> NamedEnd:
    """Return what a name says of the end: ``login.failed``, ``LOGIN_ERROR``, ``login denied by policy``.

    A word of failure that only says of what kind a thing is does not count: ``ListFailedLogins``.
    """
    words = [word.lower() for word in spoken(event)]
    for place, word in enumerate(words):
        is_last = place == len(words) - 1
        following = None if is_last else words[place + 1]
        ends = word in _BAD and (is_last or place == 0 or following in _ENDS["after_an_end"])
        if (ends or (word in _ENDS["bad_at_end"] and is_last)) and len(words) > 1:
            return NamedEnd(Outcome.FAILURE, _without_last(event) if is_last else None)
    if len(words) == 1 and words[0] in _ENDS["bad_alone"]:
        return NamedEnd(Outcome.FAILURE, None)
    if _NEGATED.search(event) is not None:
        return NamedEnd(Outcome.FAILURE, None)
    if len(words) > 1 and words[-1] in _GOOD:
        return NamedEnd(Outcome.SUCCESS, _without_last(event))
    return NamedEnd(Outcome.UNKNOWN, event)


def outcome_in_name(event: str) -> Outcome:
    """Return what a name says of the end; unknown for names that say nothing of it."""
    return end_in_name(event).outcome


def _without_last(event: str) -> str:
    """A name without its last word, in any spelling of names."""
    return _LAST_WORD.sub("", event)


@lru_cache(maxsize=4_096)
def family_in_name(event: str) -> str | None:
    """The first word of a name in dotted words, ``api_key`` of ``api_key.created``; None for other names."""
    match = _DOTTED.match(event)
    return None if match is None else match["family"]


def object_in_name(fields: Fields, event: str) -> str | None:
    """The thing that an event acted upon, where a record has an object under the event's own name.

    ``{"type": "api_key.created", "api_key.created": {"id": "key_1"}}`` acted upon key_1.
    """
    if "." not in event:
        return None
    for key in (event, event.replace(".", "_"), event.partition(".")[0]):
        inside = fields.get(key)
        if isinstance(inside, dict):
            about = inside.get("target")
            inner = about if isinstance(about, dict) else {}
            things = (value for key, value in inner.items() if key.endswith(_OF_THINGS))
            text = first_text(*(dig(inside, path) for path in _OBJECT_PATHS), *things)
            if text is not None:
                return text
    return None


_FEWEST_CHARS = 4
_MOST_CHARS = 300
_MOST_KEYS_CHARS = 2_000
"""Keys with more are not remembered: a hostile log could fill the memory with them."""
_NOT_THINGS = frozenset(table("english")["not_things"].split())
"""Words of events whose fields tell who did it or where, or what kind of record it is."""


def thing_in_name(fields: Fields, event: str) -> str | None:
    """The thing that an event acted upon, where a field is named like it.

    ``api_key_id`` of ``api_key_created``. The field with the most of the event's name counts.
    """
    if len(event) + sum(map(len, fields)) > _MOST_KEYS_CHARS:
        return None
    for key in _keys_like(tuple(fields), event):
        value = fields[key]
        if isinstance(value, str) and len(value) <= _MOST_CHARS and not value.startswith(("{", "[")):
            text = first_text(value)
            if text is not None:
                return text
    return None


@lru_cache(maxsize=2_048)
def _keys_like(keys: tuple[str, ...], event: str) -> tuple[str, ...]:
    """The keys that are named like a thing in an event's name, the longest first."""
    squashed = "".join(filter(str.isalnum, event)).lower()
    stems: dict[str, int] = {}
    for key in keys:
        name = "".join(filter(str.isalnum, key)).lower()
        stem = name.removesuffix("uuid").removesuffix("name").removesuffix("id")
        if len(stem) >= _FEWEST_CHARS and stem != name and stem in squashed and stem not in _NOT_THINGS:
            stems[key] = len(stem)
    return tuple(sorted(stems, key=lambda key: -stems[key]))


class NamedAct(NamedTuple):
    """Return what a dotted name says: an act, and the thing that the name begins with."""

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
    if act.verb in _ENDS["by_themselves"]:
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


@lru_cache(maxsize=4_096)
def _participle_of(name: str) -> tuple[str, tuple[str, ...]] | None:
    """``user.created`` as ("created", ("user",)); None when it does not end so."""
    words = spoken(name)
    if len(words) < 2 or not (words[-1].endswith("ed") or words[-1] in IRREGULAR_PASTS):
        return None
    return words[-1], words[:-1]


def _act_of_dotted(name: str) -> Act | None:
    """The act of ``issue.delete``, whose first word is a thing, although it is also a verb."""
    if _DOTTED.match(name) is None or act_of(name.rpartition(".")[2]) is None:
        return None
    named = named_act(name)
    return None if named is None else named.act


def act_sentence(
    user: str | None,
    event: str,
    target: str | None,
    outcome: Outcome,
    *,
    is_denied: bool = False,
    is_unsure: bool = False,
) -> str | None:
    """Return a description for a record that has none, from its other columns.

    None when there is nothing to add to the event's name.

    Args:
        user: Who did it; None when nobody is named.
        event: The name.
        target: What was acted upon; None when nothing is named.
        outcome: A failure is told as one.
        is_denied: It was not allowed.
        is_unsure: The record tells its end in a way that is not understood: the name stays as it is.
    """
    who = user or "someone"
    end = end_in_name(event)
    stem = None if is_unsure else end.stem
    if end.outcome is Outcome.FAILURE:
        outcome = Outcome.FAILURE
    act = None if stem is None else _act_of_dotted(stem) or act_of(stem)
    if act is not None:
        rest = act.phrase()
        if target is not None:
            rest = f"{' '.join(act.noun)} {target}".strip()
        return told(who, act.past, act.plain, rest, outcome, is_denied=is_denied)
    if user is None and target is None:
        return None
    done = None if stem is None or outcome is Outcome.FAILURE else _participle_of(event)
    if done is not None:
        past, noun = done
        if target is None:
            return f"{who} {past} {Act(verb_of_past(past) or past, noun).phrase()}"
        joint = " on" if noun[-1].endswith("s") else ""
        return f"{who} {past} {' '.join(noun)}{joint} {target}"
    on = f" on {target}" if target else ""
    failed = " failed" if outcome is Outcome.FAILURE and end.outcome is not Outcome.FAILURE else ""
    by = f" by {user}" if user else ""
    return f"{event}{by}{on}{failed}"


def name_told(
    user: str | None, event: str, target: str | None, outcome: Outcome, *, is_denied: bool = False
) -> str:
    """Tell an event by its name alone: the act in it, else its words, who did it, and on what."""
    named = named_act(event)
    if named is None:
        words = " ".join(words_of(event)) or shown(event)
        failed = " failed" if outcome is Outcome.FAILURE else ""
        by = f" by {shown(user)}" if user else ""
        on = f" on {shown(target)}" if target else ""
        return f"{words}{failed}{by}{on}"
    act = named.act
    rest = f"{' '.join(act.noun)} {shown(target)}".strip() if target else act.phrase()
    return told(shown(user or "someone"), act.past, act.plain, rest, outcome, is_denied=is_denied)
