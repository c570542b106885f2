"""Microsoft Entra ID: sign-ins, and changes of the directory with their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.loose import named_values
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.values import column_text, http_verdict_of
from audit_tui.formats.words.english import (
    JOINTS,
    Act,
    act_of,
    shown,
    singular,
    told,
    verb_of_past,
    with_reason,
    words_of,
)
from audit_tui.formats.words.patterns import fill, sign_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.formats.mapping import Telling

_WHOLE = frozenset(
    {"user", "group", "application", "policy", "device", "domain", "role", "principal", "unit"}
)
"""Nouns that are the target itself; others are something of it."""
_OF_THE_USER = "User has "
"""Sentences of the vendor's own: ``User has elevated their access``."""
_STAGES = frozenset({"completed", "requested"})
_DULL = frozenset({"in", "PIM"})


class TargetResource(NamedTuple):
    """One thing that a change was made to."""

    kind: str
    """``User``, ``Group``, ``Role``, ...; empty when not told."""
    name: str | None
    properties: dict[str, Any]
    """The changed properties, by name."""

    def text(self, property_name: str) -> str | None:
        """Return a property, new before old, without the quotes that the directory puts around it."""
        value = self.properties.get(property_name)
        values = (value.get("new"), value.get("old")) if isinstance(value, dict) else (value,)
        for text in values:
            if isinstance(text, str) and text.strip('"') and text != "null":
                return text.strip('"')
        return None


def refine(telling: Telling) -> None:
    """Tell a sign-in, or a change of the directory."""
    is_sign_in = _is_sign_in(telling)
    telling.values["category"] = telling.record.take("category") or telling.values.get("category")
    if telling.event == telling.mapping.name and is_sign_in:
        telling.values["event"] = "Sign-in activity"
    code = telling.text("status.errorCode", "errorCode", "Sign-in error code")
    status = http_verdict_of(telling.text("responseStatusCode"))
    if status is not None:
        telling.verdict = Verdict(*status)
    if is_sign_in and code is not None:
        blocked = telling.mapping.tables["blocked"]
        has_failed = code != "0"
        outcome = Outcome.FAILURE if has_failed else Outcome.SUCCESS
        telling.verdict = Verdict(outcome, has_failed and code in blocked)
    if is_sign_in:
        telling.values["target"] = telling.text("appDisplayName", "resourceDisplayName", "Application")
        address = telling.values.get("source_ip")
        sentence = sign_in(telling.user, telling.target, address, telling.outcome)
        reason = telling.text("status.failureReason", "resultDescription", "Failure reason")
        reason = reason or telling.mapping.tables["reasons"].get(code or "")
    else:
        targets = _targets(telling)
        telling.maps["modifiedProperties"] = _changes(targets)
        telling.values["target"] = column_text(targets[0].name if targets else telling.target)
        targets = targets or [TargetResource("", telling.target, {})]
        sentence = tell_change(telling.event, telling.user, targets, telling.outcome)
        reason = telling.text("resultReason", "resultDescription")
    telling.maps["additionalDetails"] = named_values(telling.at("additionalDetails"))
    telling.sentence = with_reason(sentence, reason if telling.outcome is Outcome.FAILURE else None)


def _is_sign_in(telling: Telling) -> bool:
    if "SignIn" in (telling.record.text("category") or "") or telling.record.key("Sign-in error code"):
        return True
    return telling.inside.get("activityDisplayName") is None and telling.at("status.errorCode") is not None


def _targets(telling: Telling) -> list[TargetResource]:
    place = telling.inside.inner("targetResources")
    targets = []
    for number in range(20):
        target = None if place is None else place.inner(str(number))
        if target is None:
            break
        name = target.text("userPrincipalName", "displayName", "id")
        properties = named_values(target.get("modifiedProperties"))
        targets.append(TargetResource(target.text("type") or "", name, properties))
    return [target for target in targets if target.name is not None or target.properties]


def _changes(targets: list[TargetResource]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for target in targets:
        for name, value in target.properties.items():
            changes.setdefault(name, value)
    return changes


def tell_change(event: str, user: str | None, targets: Sequence[TargetResource], outcome: Outcome) -> str:
    """Tell who changed what in the directory, but not why it failed.

    Args:
        event: The activity in the vendor's words, ``Add member to role``.
        user: Who did it; None when nobody is named.
        targets: What it was done to, the most important first.
        outcome: A failure is told as one.
    """
    who = shown(user or "someone")
    if event.startswith(_OF_THE_USER):
        return f"{who} {shown(event.removeprefix(_OF_THE_USER))}"
    words = [word for word in event.partition("(")[0].split() if word not in _DULL]
    is_asked = bool(words) and words[-1] == "requested"
    act = _act(" ".join(words[:-1] if words and words[-1] in _STAGES else words))
    name = next((target.name for target in targets if target.name is not None), None)
    if act is None:
        failed = " failed" if outcome is Outcome.FAILURE else ""
        names = {"user": user, "name": name}
        return f"{shown(event)}{failed} {fill('[by {user}][ on {name}]', names)}".rstrip()
    rest = _rest(event, act, targets, name)
    if is_asked:
        return told(who, f"asked to {act.plain}", f"ask to {act.plain}", rest, outcome)
    return told(who, act.past, act.plain, rest, outcome)


def _act(words: str) -> Act | None:
    first, *others = words_of(words) or ("",)
    verb = verb_of_past(first)
    return act_of(words) or (None if verb is None else Act(verb, tuple(others)))


def _rest(event: str, act: Act, targets: Sequence[TargetResource], name: str | None) -> str:
    for place, word in enumerate(act.noun):
        # Not the "From" of ValidFrom.
        if word in JOINTS and f" {word} " in event and 0 < place < len(act.noun) - 1:
            return _two_things(act.noun[:place], word, act.noun[place + 1 :], targets)
    if name is None:
        return act.phrase()
    if act.noun and singular(act.noun[-1]) in _WHOLE:
        return f"{' '.join(act.noun)} {shown(name)}"
    if not act.noun:
        return shown(name)
    return f"{act.phrase()} of {shown(name)}"


def _two_things(
    first: tuple[str, ...], joint: str, second: tuple[str, ...], targets: Sequence[TargetResource]
) -> str:
    """A member added to a role, an owner to a group."""
    kind = second[0]
    other = next((target.name for target in targets if target.kind.lower() == kind.lower()), None)
    if other is None:
        names = (target.text(f"{kind.capitalize()}.DisplayName") for target in targets)
        other = next((name for name in names if name is not None), None)
    person = next((target.name for target in targets if target.kind in ("User", "ServicePrincipal")), None)
    thing = person or next((target.name for target in targets if target.name not in (None, other)), None)
    texts = {"first": " ".join(first), "thing": thing, "second": " ".join(second), "other": other}
    return fill("[{first}][ {thing}]" + f" {joint} " + "[{second}][ {other}]", texts)
