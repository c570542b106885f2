"""Elastic Common Schema: sentences of the shape of auditbeat's own summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.formats.words.english import act_of, plain_of, told
from audit_tui.formats.words.names import act_sentence

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling


def refine(telling: Telling) -> None:
    """Give an event without an id a key of its host's, and tell it where it has no message."""
    if telling.event == telling.mapping.name:
        telling.values["event"] = "message"
    sequence = telling.text("auditd.sequence")
    if telling.values.get("key") is None and sequence is not None:
        # The kernel's numbers are each host's own, and begin again with each boot.
        host = telling.text("host.id", "host.name", "agent.id") or ""
        telling.values["key"] = f"{host}:{telling.at('@timestamp')}:{sequence}"
    telling.sentence = _sentence(telling)
    telling.values["target"] = telling.target or telling.text("host.name")


def _sentence(telling: Telling) -> str:
    """Tell that somebody executed something using something."""
    event, target, outcome = telling.event, telling.target, telling.outcome
    actor = telling.text("auditd.summary.actor.primary")
    who = telling.user or (actor if actor not in telling.mapping.nobody else None) or "someone"
    how = telling.text("auditd.summary.how")
    using = f"using {how}" if how is not None and how != target else ""
    words = event.replace("-", " ").replace("_", " ")
    act = act_of(event)
    if act is not None:
        thing = " ".join(part for part in (act.phrase(), target or "", using) if part)
        return told(who, act.past, act.plain, thing, outcome)
    verb, _, noun = words.partition(" ")
    plain = "be" if verb == "was" else plain_of(verb)
    if plain is not None or verb.endswith("ed"):
        thing = " ".join(part for part in (noun, target or "", using) if part)
        return told(who, verb, plain or f"have {verb}", thing, outcome)
    noun, _, verb = words.rpartition(" ")
    act = act_of(verb) if noun else None
    if act is not None:
        thing = " ".join(part for part in ("" if noun == "user" else noun, target or "", using) if part)
        return told(who, act.past, act.plain, thing, outcome)
    return act_sentence(telling.user, event, target, outcome) or f"{words} on {target or 'this host'}"
