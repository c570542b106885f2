"""Azure: who did what to which resource, and what the resource logs of services say of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.values import column_text, http_verdict_of
from audit_tui.formats.words.english import act_of, plain_reason, shown, singular, told, with_reason, words_of
from audit_tui.formats.words.patterns import fill, narrate

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_WITHIN = "resourcegroups"
_DIAGNOSTIC = "/diagnosticLogs/"
_NAMED_USER = re.compile(r"""user[= ]"?([\w.@-]+)""")


def refine(telling: Telling) -> None:
    """Find out who called, how it ended, and what was done where the operation does not say it."""
    event, tables = telling.event, telling.mapping.tables
    if event in tables["hollow"] or _DIAGNOSTIC in event:
        telling.values["event"] = telling.text(*tables["acts"]) or event
    if telling.user is None:
        telling.values["user"] = _claimed(telling)
    if (user := telling.user) is not None and "[" in user and user.endswith("]"):
        # MySQL writes name[name] @ host [address].
        telling.values["user"] = user.partition("[")[0].strip() or user
    telling.verdict, detail = _verdict(telling)
    telling.sentence = _sentence(telling, detail)
    text = telling.text("properties.msg", "properties.message", "properties.Msg", "properties.Message")
    if (text is not None and telling.event in tables["hollow"]) or event.endswith("Log"):
        telling.sentence = text or telling.sentence
        if telling.user is None and (match := _NAMED_USER.search(text or "")) is not None:
            telling.values["user"] = match[1]


def _claimed(telling: Telling) -> str | None:
    """The name in the claims of a token, whose names hold dots: they are keys, not paths."""
    for place in (telling.record.inner("identity"), telling.record):
        claims = None if place is None else place.inner("claims") or place.inner("claim")
        for name in telling.mapping.tables["claims"] if claims is not None else ():
            value = None if claims is None else claims.get(name)
            if isinstance(value, str) and (text := column_text(value)) is not None:
                return text
    return None


def _verdict(telling: Telling) -> tuple[Verdict, str]:
    """The end, and the vendor's word for why: the status of the answer says more than "Success"."""
    detail = telling.text("subStatus.value", "resultSignature", "statusCode") or ""
    is_denied = any(word in detail.lower() for word in telling.mapping.tables["denied"])
    status = http_verdict_of(telling.text("httpStatusCode", "statusCode", "status_code", "status"))
    has_failed = telling.outcome is Outcome.FAILURE or (status or (None,))[0] is Outcome.FAILURE
    if has_failed or is_denied:
        return Verdict(Outcome.FAILURE, is_denied or (status is not None and status[1])), detail
    succeeded = telling.text("succeeded") or telling.at("succeeded")
    if telling.outcome is Outcome.UNKNOWN and succeeded is not None:
        word = str(succeeded).lower()
        ends = {"true": Outcome.SUCCESS, "false": Outcome.FAILURE}
        return Verdict(ends.get(word, Outcome.UNKNOWN)), detail
    if telling.outcome is Outcome.UNKNOWN and status is not None:
        return Verdict(status[0]), detail
    return telling.verdict, detail


def resource_in_words(resource: str | None) -> tuple[str, str, str]:
    """Return the kind, the name and the resource group of a resource id; empty where it says none."""
    steps = [step for step in (resource or "").split("/") if step]
    pairs = list(zip(steps[::2], steps[1::2], strict=False))
    group = next((name for kind, name in pairs if kind.lower() == _WITHIN), "")
    if "providers" in (lowered := [step.lower() for step in steps]):
        place = len(lowered) - 1 - lowered[::-1].index("providers")
        inner = steps[place + 2 :]
        pairs = list(zip(inner[::2], inner[1::2], strict=False))
    kind, name = pairs[-1] if pairs else ("", "")
    return _kind(kind), name, "" if kind.lower() == _WITHIN else group


def _kind(collection: str) -> str:
    words = words_of(collection)
    return " ".join((*words[:-1], singular(words[-1]))) if words else ""


def _sentence(telling: Telling, detail: str) -> str:
    event, user, outcome = telling.event, telling.user, telling.outcome
    is_denied = telling.verdict.is_denied
    kind, name, group = resource_in_words(telling.target)
    names = {"kind": kind or None, "name": name or None, "group": group or None}
    steps = event.split("/")
    if len(steps) < 2:
        sentence = _in_words(event, user, names, outcome, is_denied=is_denied)
    else:
        is_action = steps[-1].lower() == "action" and len(steps) > 2
        verb, *collection = steps[-2::-1] if is_action else steps[::-1]
        if names["kind"] is None and collection:
            names["kind"] = _kind(collection[0]) or None
        past, plain = _verb(verb)
        what = "[{kind}][ {name}][ in resource group {group}]"
        if outcome is Outcome.UNKNOWN and telling.result in telling.mapping.tables["begun"]:
            sentence = narrate(user, f"begin to {plain} {what}", names, outcome)
        else:
            who = shown(user or "someone")
            sentence = told(who, past, plain, fill(what, names), outcome, is_denied=is_denied)
    if outcome is Outcome.FAILURE and telling.reason != event:
        sentence = with_reason(sentence, telling.reason or plain_reason(detail.rpartition(".")[2]))
    return sentence


def _verb(name: str) -> tuple[str, str]:
    """The act, in the past and after "to": ``write``, ``restart``, ``listKeys``."""
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
    """An operation that is named for people: ``Create Deployment``, ``SecretGet``."""
    act = act_of(event)
    where = fill("[on {kind} {name}]", names)
    if act is not None:
        rest = f"{act.phrase()} {where}".strip()
        return told(shown(user or "someone"), act.past, act.plain, rest, outcome, is_denied=is_denied)
    by = f" by {shown(user)}" if user else ""
    failed = " failed" if outcome is Outcome.FAILURE else ""
    return f"{shown(event)}{failed}{by} {where}".rstrip()
