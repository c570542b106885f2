"""The sentence that tells an operation on an Azure resource."""

from __future__ import annotations

from audit_tui.core.event import Outcome
from audit_tui.formats.words.narrating import fill, narrate, shown
from audit_tui.formats.words.sentences import act_of, singular, told, words_of

_BEGUN = frozenset({"started", "start", "accepted", "active", "in progress", "inprogress"})
_WITHIN = "resourceGroups"


def resource_in_words(resource: str | None) -> tuple[str, str, str]:
    """Kind, name and resource group of a resource id; each empty when it does not say it."""
    steps = [step for step in (resource or "").split("/") if step]
    pairs = list(zip(steps[::2], steps[1::2], strict=False))
    group = next((name for kind, name in pairs if kind.lower() == _WITHIN.lower()), "")
    if "providers" in (lowered := [step.lower() for step in steps]):
        place = len(lowered) - 1 - lowered[::-1].index("providers")
        inner = steps[place + 2 :]
        pairs = list(zip(inner[::2], inner[1::2], strict=False))
    kind, name = pairs[-1] if pairs else ("", "")
    return _kind(kind), name, "" if kind.lower() == _WITHIN.lower() else group


def tell(
    event: str,
    user: str | None,
    resource: str | None,
    outcome: Outcome,
    status: str | None,
    *,
    is_denied: bool,
) -> str:
    """Who did what to which resource, or began to; the reason of a failure is not told here.

    Args:
        event: The operation, ``Microsoft.Compute/disks/delete`` or in words.
        user: Who did it; None when nobody is named.
        resource: The id of the resource.
        outcome: A failure is told as one.
        status: The vendor's word for how far it is.
        is_denied: It failed because it was not allowed.
    """
    kind, name, group = resource_in_words(resource)
    names = {"kind": kind or None, "name": name or None, "group": group or None}
    steps = event.split("/")
    if len(steps) < 2:
        return _in_words(event, user, names, outcome, is_denied=is_denied)
    is_action = steps[-1].lower() == "action" and len(steps) > 2
    verb, *collection = steps[-2::-1] if is_action else steps[::-1]
    if names["kind"] is None and collection:
        names["kind"] = _kind(collection[0]) or None
    past, plain = _verb(verb)
    what = "[{kind}][ {name}][ in resource group {group}]"
    if outcome is Outcome.UNKNOWN and (status or "").lower() in _BEGUN:
        return narrate(user, f"begin to {plain} {what}", names, outcome)
    return told(shown(user or "someone"), past, plain, fill(what, names), outcome, is_denied=is_denied)


def _verb(name: str) -> tuple[str, str]:
    """What is done, in the past and after "to": ``write``, ``restart``, ``listKeys``."""
    if name.lower() == "write":
        return "created or updated", "create or update"
    if name.lower() == "listkeys":
        return "listed the keys of", "list the keys of"
    act = act_of(name.lower()) or act_of(name)
    if act is None:
        return f"ran {shown(name)} on", f"run {shown(name)} on"
    of = f" {' '.join(act.noun)} of" if act.noun else ""
    return f"{act.past}{of}", f"{act.plain}{of}"


def _in_words(
    event: str, user: str | None, names: dict[str, str | None], outcome: Outcome, *, is_denied: bool
) -> str:
    """An operation that is named for people: ``Create Deployment``."""
    act = act_of(event)
    if act is not None:
        rest = f"{act.phrase()} {fill('[on {kind} {name}]', names)}".strip()
        who = shown(user or "someone")
        return told(who, act.past, act.plain, rest, outcome, is_denied=is_denied)
    on = f" {fill('[on {kind} {name}]', names)}".rstrip()
    by = f" by {shown(user)}" if user else ""
    failed = " failed" if outcome is Outcome.FAILURE else ""
    return f"{shown(event)}{failed}{by}{on}"


def _kind(collection: str) -> str:
    words = words_of(collection)
    return " ".join((*words[:-1], singular(words[-1]))) if words else ""
