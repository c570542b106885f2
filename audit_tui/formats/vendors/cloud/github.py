"""GitHub: to which repo, team, member or organization something was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.words.english import Act, shown, told, words_of
from audit_tui.formats.words.names import named_act
from audit_tui.formats.words.patterns import narrate

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_PEOPLE = frozenset({"member", "user", "admin", "maintainer", "collaborator", "owner", "manager"})
_PLACES = frozenset({"repository", "business", "org", "organization", "enterprise"})
_OF_ORGANIZATIONS = frozenset({"org", "business", "organization_moderators"})
_OF = frozenset({"enable", "disable", "set", "clear"})
_KINDS = {"repo": "repo", "repository": "repo", "team": "team"}
_JOINTS = {"add": "to", "invite": "to", "grant": "in", "remove": "from", "cancel": "in"}


class _Names(NamedTuple):
    """The names of a record; each None when it has none."""

    user: str | None
    """Whom it happened to."""
    team: str | None
    repo: str | None
    org: str | None
    thing: str | None
    """The name of a workflow, a ruleset, an app."""


def refine(telling: Telling) -> None:
    """Find what was acted upon, and tell it by the name of the action."""
    event, get = telling.event, telling.mapping.names
    names = _Names(*(telling.text(*get[name]) for name in _Names._fields))
    telling.names = {**names._asdict(), "place": names.repo or names.org}
    prefix, _, last = event.partition(".")
    telling.values["category"] = prefix
    if telling.user is None:
        has_key = telling.at("deploy_key_id") or telling.at("deploy_key")
        telling.values["user"] = "deploy_key" if has_key else telling.text("programmatic_access_type")
    last = event.rpartition(".")[2]
    if any(word in last for word in ("failed", "rejected", "denied")):
        telling.verdict = Verdict(Outcome.FAILURE, "denied" in last)
    user, pattern = telling.user, telling.mapping.sentences.get(event)
    telling.values["target"] = _target(prefix, user, names)
    named = named_act(event.replace("saml_provider_settings", "SAML_provider_settings"))
    if pattern is not None:
        # "denied" is told as what was done: access of an app was refused.
        outcome = Outcome.UNKNOWN if "denied" in last else telling.outcome
        telling.sentence = narrate(user, pattern, telling.names, outcome)
    elif named is None:
        place = telling.names["place"]
        by, where = f" by {shown(user)}" if user else "", f" in {shown(place)}" if place else ""
        telling.sentence = f"{' '.join(words_of(event)) or shown(event)}{by}{where}"
    else:
        act = named.act
        rest = _rest(_short(act), prefix, names)
        telling.sentence = told(shown(user or "someone"), act.past, act.plain, rest, telling.outcome)


def _short(act: Act) -> Act:
    """An act whose noun does not begin with the place, which is named after it."""
    noun = act.noun[1:] if len(act.noun) > 1 and act.noun[0] in _PLACES else act.noun
    if noun[-2:] == ("new", "repos"):
        noun = (*noun[:-2], "for", "new", "repos")
    return Act(act.verb, noun)


def _target(prefix: str, user: str | None, names: _Names) -> str | None:
    if prefix == "team":
        return names.team or names.user or names.org
    if prefix in _OF_ORGANIZATIONS:
        return names.user or names.org
    other = names.user if names.user != user else None
    return names.repo or names.team or other or names.org or names.user


def _rest(act: Act, prefix: str, names: _Names) -> str:
    """Tell what it was done to and where: ``member bob to repo acme/web``."""
    last = act.noun[-1] if act.noun else ""
    if last in _PEOPLE and names.user:
        return _with_place(f"{' '.join(act.noun)} {shown(names.user)}", act, prefix, names)
    if len(act.noun) == 1 and last in _KINDS:
        name = names.team if _KINDS[last] == "team" else names.repo
        named = f"{last} {shown(name)}" if name else act.phrase()
        return _with_place(named, act, prefix, names, told_name=name)
    if len(act.noun) == 1 and last in ("org", "business") and names.org:
        return f"organization {shown(names.org)}"
    named = f"{' '.join(act.noun)} {shown(names.thing)}" if names.thing else act.phrase()
    return _with_place(named, act, prefix, names)


def _with_place(words: str, act: Act, prefix: str, names: _Names, told_name: str | None = None) -> str:
    kind, place = _place(prefix, names)
    if place is None or place == told_name or (told_name is not None and prefix != "team"):
        return words
    joint = _JOINTS.get(act.verb, "for" if act.verb in _OF else "in")
    return f"{words} {joint} {kind}{shown(place)}"


def _place(prefix: str, names: _Names) -> tuple[str, str | None]:
    if prefix == "team" and names.team:
        return "team ", names.team
    if prefix in _OF_ORGANIZATIONS and names.org:
        return "", names.org
    if names.repo:
        return ("repo " if prefix == "repo" else ""), names.repo
    return "", names.org
