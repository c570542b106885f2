"""Google Workspace: outcomes in names, files, settings, deliveries and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.values import column_text, first_text
from audit_tui.formats.vendor import PART, PART_NUMBER
from audit_tui.formats.words.english import Act, shown, told, words_of
from audit_tui.formats.words.names import named_act
from audit_tui.formats.words.patterns import fill, narrate, sign_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_tui.formats.mapping import Telling

_FAILED = ("_failure", "_failed")
_SUCCEEDED = ("_success", "_succeeded")
_CODES = ("visibility", "device_compromised_state")


def refine(telling: Telling) -> None:
    """Tell which file, user or setting it was about, and how it ended, which only names say."""
    event = telling.event
    parameters = telling.maps["parameters"]
    pairs = ((name.lower(), _text(value)) for name, value in parameters.items())
    texts = {name: text for name, text in pairs if text is not None}
    is_part = telling.record.inner(PART) is not None
    if not is_part:
        telling.maps = {}
    qualifier, number = telling.text("id.uniqueQualifier"), telling.record.get(PART_NUMBER)
    if is_part and qualifier is not None:
        application = telling.values.get("category")
        telling.values["key"] = f"{application}:{qualifier}:{telling.values['time']}:{number}"
    telling.verdict = Verdict(_outcome(event.lower(), telling))
    targets = telling.mapping.tables["targets"]
    telling.values["target"] = column_text(next((texts[name] for name in targets if name in texts), None))
    telling.sentence = _sentence(telling, event.strip().lower(), texts)


def _text(value: object) -> str | None:
    """A parameter as a text; several values as a list of them."""
    if isinstance(value, list):
        texts = [text for item in value[:3] if (text := first_text(item)) is not None]
        return ", ".join(texts) or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return first_text(value)


def _outcome(name: str, telling: Telling) -> Outcome:
    """Return the end that the event's name tells, or a delivery of its own; nothing else tells it."""
    if name.endswith(_FAILED):
        return Outcome.FAILURE
    if name.endswith(_SUCCEEDED):
        return Outcome.SUCCESS
    delivered = telling.inside.at("parameters.event_info.success")
    if isinstance(delivered, bool):
        return Outcome.SUCCESS if delivered else Outcome.FAILURE
    return Outcome.UNKNOWN


def _sentence(telling: Telling, name: str, texts: Mapping[str, str]) -> str:
    user, outcome = telling.user, telling.outcome
    application = telling.values.get("category")
    if name in ("login_success", "login_failure"):
        reason = texts.get("login_failure_type")
        app = texts.get("application_name", "Google Workspace")
        sentence = sign_in(user, app, telling.values.get("source_ip"), outcome)
        return f"{sentence}: {reason}" if reason else sentence
    if application == "gmail" and name == "delivery":
        return _delivery(telling)
    if application == "rules":
        names = {"rule": texts.get("rule_name"), "user": user, "source": texts.get("data_source")}
        return fill("rule[ {rule}] was triggered[ by {user}][ in {source}]", names)
    if name.endswith("_setting") or "setting_name" in texts:
        return _setting(name, user, texts)
    document = _document(texts, telling.mapping.tables["documents"])
    pattern = telling.mapping.sentences.get(name)
    if pattern is not None:
        codes = {code: texts[code].replace("_", " ").lower() for code in _CODES if code in texts}
        who = user or texts.get("affected_email_address")
        return narrate(who, pattern, {**texts, **codes, "doc": document}, outcome)
    return _by_name(telling, name, document)


def _document(texts: Mapping[str, str], kinds: Mapping[str, str]) -> str:
    kind = texts.get("doc_type", "file")
    title = texts.get("doc_title") or texts.get("doc_id")
    return fill("[{kind} {title}]", {"kind": kinds.get(kind, kind), "title": title}) or "a file"


def _by_name(telling: Telling, name: str, document: str) -> str:
    named = named_act(name)
    application: str = telling.values.get("category") or ""
    who = shown(telling.user or "someone")
    if named is None:
        words = " ".join(words_of(name)) or name
        by = f" by {who}" if telling.user else ""
        return f"{words}{by} in {shown(application or 'Google Workspace')}"
    act, target = named.act, telling.target
    if not act.noun and application == "drive":
        return told(who, act.past, act.plain, document, telling.outcome)
    words = f"{' '.join(act.noun)} {shown(target)}".strip() if target else act.phrase()
    words = words or ("a message" if application == "gmail" else "")
    return told(who, act.past, act.plain, words, telling.outcome)


def _setting(name: str, user: str | None, texts: Mapping[str, str]) -> str:
    """A setting of an application that was created, changed or deleted."""
    named = named_act(name)
    act = Act("change", ()) if named is None else named.act
    words = name.split("_")
    is_of_app = len(words) == 3 and words[1] != "application"  # change_calendar_setting
    names = {
        "setting": texts.get("setting_name"),
        "label": texts.get("user_defined_setting_name"),
        "app": texts.get("application_name") or (words[1].capitalize() if is_of_app else None),
        "old": texts.get("old_value"),
        "new": texts.get("new_value"),
    }
    value = "[ from {old}][ to {new}]" if act.verb == "change" else "[ as {new}]"
    what = fill("setting[ {setting}][ ({label})][ of {app}]" + value, names)
    return f"{shown(user or 'someone')} {act.past} {what}"


def _delivery(telling: Telling) -> str:
    message = telling.inside.inner("parameters")
    text = telling.inside.text if message is None else message.text
    names = {
        "subject": text("message_info.subject"),
        "sender": text("message_info.source.address"),
        "receiver": text("message_info.destination.0.address") or telling.user,
    }
    verb = "was not delivered" if telling.outcome is Outcome.FAILURE else "was delivered"
    return fill('message[ "{subject}"] ' + verb + "[ from {sender}][ to {receiver}]", names)
