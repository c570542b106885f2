"""Auth0: the codes that no table has, and calls of the Management API, which describe themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.words.english import act_of, past_tense, shown, told, with_reason
from audit_tui.formats.words.patterns import narrate

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_WARNING = 3
_LIMIT = "limit_"


def refine(telling: Telling) -> None:
    """Tell what the code says, in Auth0's own words where they say more."""
    event, tables = telling.event, telling.mapping.tables
    telling.values["key"] = telling.record.take("log_id", "_id") or telling.values.get("key")
    families = (family for family, codes in tables["families"].items() if event in codes)
    telling.values["category"] = next(families, None) or _family(telling)
    is_limit = event.startswith(_LIMIT)
    telling.verdict = Verdict(telling.outcome, is_limit and telling.outcome is Outcome.FAILURE)
    if is_limit or event in tables["warnings"]:
        telling.values["severity"] = _WARNING
    person, description = telling.user, telling.text("description")
    if event in ("sapi", "fapi") and description is not None:
        telling.sentence = _api_call(description, telling)
        return
    pattern = telling.mapping.sentences.get(event)
    if pattern is None:
        by = f" by {shown(person)}" if person else ""
        telling.sentence = description or f"{shown(event)}{by}"
        return
    app = telling.text("client_name")
    names = {"app": None if app == person else app, "address": telling.values.get("source_ip")}
    sentence = narrate(person, pattern, names, telling.outcome)
    has_failed = telling.outcome is Outcome.FAILURE and not is_limit
    telling.sentence = with_reason(
        sentence, tables["reasons"].get(event) or (description if has_failed else None)
    )


def _family(telling: Telling) -> str:
    """The kind of a code that is not known, whose first letter tells its end by Auth0's rule."""
    event = telling.event
    if event.startswith(_LIMIT):
        telling.verdict = Verdict(Outcome.FAILURE)
        return "protection"
    if event.startswith("gd_"):
        return "mfa"
    if len(event) <= 8 and event.isalpha():
        ends = {"s": Outcome.SUCCESS, "f": Outcome.FAILURE}
        telling.verdict = Verdict(ends.get(event[:1], Outcome.UNKNOWN))
    return "other"


def _api_call(description: str, telling: Telling) -> str:
    """A call of the Management API: ``Create a role``."""
    person, outcome = telling.user, telling.outcome
    first, _, rest = description.rstrip(".").partition(" ")
    verb = first.lower()
    verb = verb if act_of(verb) is not None else verb.removesuffix("s")
    act = act_of(verb)
    who = shown(person or "someone")
    if act is None:
        by = f" by {shown(person)}" if person else ""
        failed = " failed" if outcome is Outcome.FAILURE else ""
        return f"{description}{failed}{by}"
    name = telling.text("details.request.body.name", "details.request.body.email")
    named = f": {shown(name)}" if name else ""
    also, _, after = rest.removeprefix("or ").partition(" ")
    if rest.startswith("or ") and act_of(also) is not None:
        pasts, plains = f"{act.past} or {past_tense(also)}", f"{act.plain} or {also}"
        return told(who, pasts, plains, f"{after}{named}", outcome)
    return told(who, act.past, act.plain, f"{rest}{named}", outcome)
