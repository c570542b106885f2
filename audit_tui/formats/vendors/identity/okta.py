"""Okta: whom and what an event names among its targets, sign-ins, policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.words.english import act_of, plain_reason, shown, told, with_reason
from audit_tui.formats.words.names import named_act
from audit_tui.formats.words.patterns import fill, narrate, sign_in

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_KINDS = {"User": "user", "AppUser": "user", "AppInstance": "app", "UserGroup": "group", "Token": "token"}
_DULL = frozenset({"lifecycle", "account", "system", "user"})
_POLICIES = {
    "deny": "!be refused by the sign-on policy[ of {app}]",
    "challenge": "!be asked for another factor by the sign-on policy[ of {app}]",
    "allow": "!be allowed by the sign-on policy[ of {app}]",
}


def refine(telling: Telling) -> None:
    """Find the targets, and tell sign-ins and policies."""
    event, outcome, is_denied = telling.event, telling.outcome, telling.verdict.is_denied
    telling.values["category"] = ".".join(event.split(".")[:2])
    targets = _targets(telling)
    telling.maps["target"] = dict(reversed(targets))
    names: dict[str, str | None] = dict.fromkeys(_KINDS.values())
    names |= {_KINDS.get(kind, ""): name for kind, name in reversed(targets)}
    names["message"] = telling.text("displayMessage")
    telling.names = names
    kinds = ("app", "user") if event.startswith(("app", "policy")) else ("group", "user", "app")
    named = [name for kind in kinds if (name := names[kind]) is not None]
    telling.values["target"] = named[0] if named else (targets[0][1] if targets else None)
    sign_ins = telling.mapping.tables["sign_ins"]
    if event in sign_ins:
        app: str | None = sign_ins[event] or names["app"]
        sentence = sign_in(telling.user, app, telling.get("address"), outcome, is_denied=is_denied)
    elif event.startswith("policy.evaluate_sign_on"):
        pattern = _POLICIES.get(telling.result, "!be checked by the sign-on policy[ of {app}]")
        sentence = narrate(telling.user, pattern, names, outcome)
    elif event in telling.mapping.sentences:
        pattern = telling.mapping.sentences[event]
        sentence = narrate(telling.user, pattern, telling, outcome, is_denied=is_denied)
    else:
        sentence = _by_name(telling)
    reason = plain_reason(telling.reason)
    if reason is not None and (reason == "locked out" or "resulted in" in reason):
        reason = None  # it says the event and its result once more
    telling.sentence = with_reason(sentence, reason)


def _targets(telling: Telling) -> list[tuple[str, str]]:
    """The type and the name of each target that has one."""
    place = telling.record.inner("target")
    targets = []
    for number in range(20):
        target = None if place is None else place.inner(str(number))
        if target is None:
            break
        kind = target.text("type") or ""
        paths = ("alternateId", "displayName") if kind == "User" else ("displayName", "alternateId")
        nobody = telling.mapping.nobody
        names = [name for name in map(target.text, paths) if name and name.lower() not in nobody]
        name = names[0] if names else target.text("id")
        if name is not None:
            targets.append((kind, name))
    return targets


def _by_name(telling: Telling) -> str:
    """Tell an event that is in no table: the vendor's own words, else what its name says."""
    who, target = shown(telling.user or "someone"), telling.target
    message = shown(telling.names["message"] or "")
    is_denied = telling.verdict.is_denied
    act = act_of(message)
    if act is not None:
        rest = message.partition(" ")[2]
        on = "" if target is None or target in message else f" ({shown(target)})"
        return told(who, act.past, act.plain, f"{rest}{on}".strip(), telling.outcome, is_denied=is_denied)
    event = telling.event
    named = None
    if not message:
        named = named_act(".".join(word for word in event.split(".") if word not in _DULL))
    if named is None:
        words = message or " ".join(event.split("."))
        sentence = fill("[{words}][ for {who}]", {"words": words, "who": telling.user})
        failed = telling.outcome is Outcome.FAILURE and "fail" not in sentence.lower()
        return f"{sentence} failed" if failed else sentence
    act = named.act
    rest = f"{' '.join(act.noun)} {shown(target)}".strip() if target else act.phrase()
    return told(who, act.past, act.plain, rest, telling.outcome, is_denied=is_denied)
