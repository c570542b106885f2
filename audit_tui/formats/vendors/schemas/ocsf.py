"""OCSF: the names that its numbers stand for, refusals, and whom an event is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.values import DENIED, first_text, outcome_of
from audit_tui.formats.words.english import act_of, told, with_reason

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_API_ACTIVITY = 6003
_LOGIN = 3002
_NAMELESS = ("Other", "Unknown")
_DENIED_ID = 2


def refine(telling: Telling) -> None:
    """Name what numbers stand for, and tell an event without a message."""
    class_uid, at = _number(telling.at("class_uid")), telling.at
    classes = telling.mapping.tables["classes"]
    telling.values["event"] = _event_name(telling, class_uid)
    telling.values["category"] = first_text(
        at("class_name"), classes.get(str(class_uid)), at("category_name"), at("class_uid")
    )
    status = first_text(at("status")) or ""
    if status.lower() == DENIED or _DENIED_ID in (_number(at("action_id")), _number(at("disposition_id"))):
        telling.verdict = Verdict(Outcome.FAILURE, True)
    elif telling.outcome is Outcome.UNKNOWN:
        telling.verdict = Verdict(outcome_of(status))
    about = telling.text("user.name", "user.email_addr", "user.uid")
    if class_uid // 1000 == 3 and about is not None and (about != telling.user or class_uid != _LOGIN):
        telling.values["target"] = about
    reason = telling.reason if telling.outcome is Outcome.FAILURE else None
    telling.sentence = with_reason(_sentence(telling, class_uid), reason)


def _number(value: object) -> int:
    if isinstance(value, bool):
        return 0
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) else 0


def _event_name(telling: Telling, class_uid: int) -> str:
    tables, at = telling.mapping.tables, telling.at
    operation, name = at("api.operation"), at("activity_name")
    activities = tables["activities"].get(str(class_uid), [])
    activity_id = _number(at("activity_id"))
    return (
        first_text(
            operation if class_uid == _API_ACTIVITY else None,
            None if name in _NAMELESS else name,
            activities[activity_id - 1] if 1 <= activity_id <= len(activities) else None,
            at("type_name"),
            operation,
            at("type_uid"),
            at("class_name"),
            tables["classes"].get(str(class_uid)),
        )
        or telling.mapping.name
    )


def _sentence(telling: Telling, class_uid: int) -> str:
    who, target, outcome = telling.user or "someone", telling.target, telling.outcome
    is_denied = telling.verdict.is_denied
    last = telling.event.rpartition(": ")[2]
    sentences = telling.mapping.sentences
    telling.pattern = sentences.get(f"{class_uid} {last.lower()}") or sentences.get(last.lower())
    act = act_of(last)
    if telling.pattern is not None:
        return telling.narrated(telling.pattern)
    if act is not None:
        rest = f"{' '.join(act.noun)} {target}".strip() if target else act.phrase() or "something"
        return told(who, act.past, act.plain, rest, outcome, is_denied=is_denied)
    on = f" on {target}" if target else ""
    thing = telling.mapping.tables["classes"].get(str(class_uid), "").lower()
    kind = f" ({thing})" if thing and thing not in telling.event.lower() else ""
    return told(who, "did", "do", f"{telling.event}{kind}{on}", outcome, is_denied=is_denied)
