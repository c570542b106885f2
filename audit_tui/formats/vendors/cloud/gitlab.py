"""GitLab: what an event did is the key of its details that says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.values import column_text, first_text
from audit_tui.formats.words.english import act_of, past_tense, shown, verb_of_past, words_of
from audit_tui.formats.words.names import name_told, outcome_in_name
from audit_tui.formats.words.patterns import narrate

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_ACTS = ("change", "add", "remove", "with", "failed_login", "custom_message")
"""The act of an event, as the key that says it, where it has no name."""


def refine(telling: Telling) -> None:
    """Find the name, the author and the target, and tell what was done."""
    if telling.event == telling.mapping.name:
        telling.values["event"] = _act_name(telling) or telling.event
    if telling.user is None:
        author = telling.record.text("author_id")
        telling.values["user"] = telling.mapping.tables["authors"].get(author, author)
    event = telling.event
    has_failed = "failed_login" in event or event.startswith("login_failed")
    has_failed = has_failed or telling.at("failed_login") is not None
    if has_failed or outcome_in_name(event) is Outcome.FAILURE:
        telling.verdict = Verdict(Outcome.FAILURE)
    path = telling.record.text("entity_path") or telling.text("entity_path")
    target = _target(telling)
    event_id = telling.record.text("id")
    if event_id is not None:
        telling.values["key"] = f"{event_id}:{telling.values['time']}"
    telling.values["target"] = target or path
    telling.names = {"thing": target or path, "path": path if path != target else None}
    telling.sentence = _sentence(telling, target)


def _act_name(telling: Telling) -> str | None:
    """A name for an event that has none: ``change visibility``, ``add user_access``."""
    for act in _ACTS:
        value = telling.at(act)
        if value is not None and value != "":
            is_named = act in ("change", "add", "remove")
            return column_text(f"{act} {first_text(value) or ''}".strip()) if is_named else act
    return None


def _target(telling: Telling) -> str | None:
    """The thing acted upon; an object is named by its name."""
    for place in (telling.record, telling.inside):
        value = place.get("target_details")
        if isinstance(value, str) and value.startswith("["):
            listed = place.inner("target_details")
            names = [] if listed is None else [listed.text(str(number)) for number in range(3)]
            value = ", ".join(name for name in names if name is not None) or value
        text = first_text(value) or place.text("target_details.name", "target_details.email")
        if text is not None:
            return text
    return telling.text("detail.target_details")


def _sentence(telling: Telling, target: str | None) -> str:
    sentences, user, outcome = telling.mapping.sentences, telling.user, telling.outcome
    for act in ("failed_login", "change", "add", "remove", "with"):
        act_value = telling.text(act)
        if act_value is not None:
            telling.names |= {"what": " ".join(words_of(act_value)) or act_value, "way": act_value.lower()}
            pattern = sentences.get(f"{act} {act_value}") or sentences[act]
            return narrate(user, pattern, telling, outcome)
    action = telling.text("custom_message.action")
    if action is not None:
        names = {"thing": telling.get("path") or target, "protocol": telling.text("custom_message.protocol")}
        verb = telling.mapping.tables["git"].get(action, f"run {action} on")
        return narrate(user, f"{verb}[ {{thing}}][ over {{protocol}}]", names, outcome)
    message = telling.text("custom_message")
    if message is not None:
        return _message(message, target, user)
    return name_told(user, telling.event, telling.target, outcome)


def _message(message: str, target: str | None, user: str | None) -> str:
    """The vendor's own words, made a sentence about who did it."""
    who = shown(user or "someone")
    first, _, rest = message.partition(" ")
    on = "" if target is None or target in message else f" ({shown(target)})"
    if verb_of_past(first.lower()) is not None:
        return f"{who} {first.lower()} {rest}".rstrip() + on
    if act_of(message) is not None or first.lower() == "ask":
        return f"{who} {past_tense(first.lower())} {rest}".rstrip() + on
    by = f", by {shown(user)}" if user else ""
    return f"{message}{on}{by}"
