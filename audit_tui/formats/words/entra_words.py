"""The sentence that tells a change of a Microsoft Entra directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.words.narrating import fill, shown
from audit_tui.formats.words.sentences import JOINTS, Act, act_of, singular, told, verb_of_past, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """What changed of it, by name."""

    def said(self, property_name: str) -> str | None:
        """What a property says, new before old, without the quotes that the directory puts around it."""
        value = self.properties.get(property_name)
        values = (value.get("new"), value.get("old")) if isinstance(value, dict) else (value,)
        for one in values:
            if isinstance(one, str) and one.strip('"') and one != "null":
                return one.strip('"')
        return None


def tell(event: str, user: str | None, targets: Sequence[TargetResource], outcome: Outcome) -> str:
    """Who changed what in the directory; the reason of a failure is not told here.

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
        said = (target.said(f"{kind.capitalize()}.DisplayName") for target in targets)
        other = next((name for name in said if name is not None), None)
    person = next((target.name for target in targets if target.kind in ("User", "ServicePrincipal")), None)
    one = person or next((target.name for target in targets if target.name not in (None, other)), None)
    names = {"first": " ".join(first), "one": one, "second": " ".join(second), "other": other}
    return fill("[{first}][ {one}]" + f" {joint} " + "[{second}][ {other}]", names)
