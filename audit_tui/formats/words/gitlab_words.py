"""The sentence that tells a GitLab event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.words.narrating import fill, named_act, narrate, shown
from audit_tui.formats.words.sentences import act_of, past_tense, told, verb_of_past, words_of

if TYPE_CHECKING:
    from audit_tui.formats.loose import Loose

_GIT = {"git-receive-pack": "push to", "git-upload-pack": "fetch from", "git-upload-archive": "download"}
"""The programs that Git runs on the server, and what people call it."""


class GitlabScene(NamedTuple):
    """What is known of an event before it is told."""

    event: str
    details: Loose
    path: str | None
    """The project or group that it belongs to."""
    target: str | None
    """What it acted upon: a project, a person, a token."""


def tell(scene: GitlabScene, user: str | None, outcome: Outcome) -> str:
    """Who changed, added, removed or did what."""
    details = scene.details
    names = {
        "target": scene.target or scene.path,
        "path": scene.path if scene.path != scene.target else None,
        "from": details.text("from"),
        "to": details.text("to"),
        "role": details.text("as"),
    }
    failed = details.text("failed_login")
    if failed is not None:
        return narrate(user, "sign in[ with {way}]", {"way": failed.lower()}, Outcome.FAILURE)
    change = details.text("change")
    if change is not None:
        names["change"] = " ".join(words_of(change)) or change
        return narrate(user, "change[ the {change}][ of {target}][ from {from}][ to {to}]", names, outcome)
    for key, pattern in _ADDED:
        said = details.text(key)
        if said is not None:
            names["what"] = " ".join(words_of(said)) or said
            if said == "user_access":
                pattern = _ACCESS[key]
            return narrate(user, pattern, names, outcome)
    way = details.text("with")
    if way is not None:
        return narrate(user, "sign in[ with {way}]", {"way": way.lower()}, outcome)
    return _by_message(scene, user, outcome)


_ADDED = (
    ("add", "add[ {what}][ {target}][ to {path}][ as {role}]"),
    ("remove", "remove[ {what}][ {target}][ from {path}]"),
)
_ACCESS = {
    "add": "give[ {target}] access[ to {path}][ as {role}]",
    "remove": "take access[ to {path}][ from {target}]",
}


def _by_message(scene: GitlabScene, user: str | None, outcome: Outcome) -> str:
    details = scene.details
    action = details.text("custom_message.action")
    if action is not None:
        names = {"thing": scene.path or scene.target, "protocol": details.text("custom_message.protocol")}
        return narrate(
            user, f"{_GIT.get(action, f'run {action} on')}[ {{thing}}][ over {{protocol}}]", names, outcome
        )
    message = details.text("custom_message")
    if message is not None:
        return _message(message, scene, user)
    found = named_act(scene.event)
    who = shown(user or "someone")
    if found is None:
        by = f" by {shown(user)}" if user else ""
        on = fill("[ on {target}]", {"target": scene.target or scene.path})
        return f"{' '.join(words_of(scene.event)) or shown(scene.event)}{by} {on}".rstrip()
    act = found.act
    target = scene.target or scene.path
    rest = f"{' '.join(act.noun)} {shown(target)}".strip() if target else act.phrase()
    return told(who, act.past, act.plain, rest, outcome)


def _message(message: str, scene: GitlabScene, user: str | None) -> str:
    """The vendor's own words, made a sentence about who did it."""
    who = shown(user or "someone")
    first, _, rest = message.partition(" ")
    on = "" if scene.target is None or scene.target in message else f" ({shown(scene.target)})"
    if verb_of_past(first.lower()) is not None:
        return f"{who} {first.lower()} {rest}".rstrip() + on
    if act_of(message) is not None or first.lower() == "ask":
        return f"{who} {past_tense(first.lower())} {rest}".rstrip() + on
    by = f", by {shown(user)}" if user else ""
    return f"{message}{on}{by}"
