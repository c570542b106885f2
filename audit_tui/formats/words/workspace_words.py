"""The sentence that tells a Google Workspace event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.words.narrating import fill, named_act, narrate, shown, sign_in
from audit_tui.formats.words.sentences import Act, told, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_tui.formats.loose import Loose

_FIXED = {
    "2sv_disable": "turn off 2-step verification",
    "2sv_enroll": "turn on 2-step verification",
    "access": "open {doc}",
    "account_disabled_generic": "have the account disabled",
    "account_disabled_hijacked": "have the account disabled as hijacked",
    "account_disabled_password_leak": "have the account disabled for a leaked password",
    "account_disabled_spamming": "have the account disabled for spamming",
    "add_application": "add app[ {application_name}]",
    "add_group_member": "add[ {user_email}][ to group {group_email}]",
    "add_mobile_application_to_whitelist": "allow mobile app[ {mobile_app_package_id}]",
    "add_to_folder": "add {doc} to a folder",
    "assign_role": "assign role[ {role_name}][ to {user_email}]",
    "authorize": "authorize app[ {app_name}]",
    "ban_user_with_moderation": "ban a user",
    "change_calendar_acls": "change access[ of {grantee_email}][ to calendar {calendar_id}]",
    "change_document_access_scope": "change who may open {doc}",
    "change_document_access_scope_hierarchy_reconciled": "change who may open {doc} by moving it",
    "change_document_visibility": "change the visibility of {doc}[ to {visibility}]",
    "change_owner": "make[ {new_owner}] the owner of {doc}",
    "change_password": "change the password[ of {user_email}]",
    "change_user_access": "change access[ of {target_user}] to {doc}",
    "change_user_access_hierarchy_reconciled": "change access[ of {target_user}] to {doc} by moving it",
    "customer_takeout_created": "start an export of all data",
    "customer_takeout_succeeded": "finish an export of all data",
    "device_compromised_event": "have a device reported as[ {device_compromised_state}]",
    "device_register_unregister_event": "change the registration of a device",
    "device_sync_event": "sync a device",
    "download": "download {doc}",
    "email_forwarding_out_of_domain": "forward mail[ to {email_forwarding_destination_address}]",
    "failed_password_attempts_event": "enter a wrong password on a device[ {failed_passwd_attempts} times]",
    "gov_attack_warning": "be warned of an attack by a government",
    "login_challenge": "be asked to prove who they are",
    "login_verification": "prove who they are",
    "logout": "sign out",
    "move": "move {doc}",
    "password_edit": "change the password",
    "preview": "preview {doc}",
    "print": "print {doc}",
    "recovery_email_edit": "change the recovery e-mail address",
    "recovery_phone_edit": "change the recovery phone",
    "remove_group_member": "remove[ {user_email}][ from group {group_email}]",
    "request": "request access[ to {app_name}]",
    "revoke": "revoke access of app[ {app_name}]",
    "shared_drive_settings_change": "change the settings of a shared drive",
    "suspicious_activity_event": "have suspicious activity on a device",
    "suspicious_login": "have a suspicious sign-in",
    "suspicious_login_less_secure_app": "have a suspicious sign-in from a less secure app",
    "titanium_enroll": "enroll in Advanced Protection",
    "titanium_unenroll": "unenroll from Advanced Protection",
    "unassign_role": "take role[ {role_name}][ from {user_email}]",
}
"""By the event's name in lower case; begins with the verb as it stands after "to"."""
_TARGETS = (
    "user_email", "affected_email_address", "group_email", "doc_title", "doc_id", "role_name", "app_name",
    "application_name", "calendar_id", "setting_name", "domain_name", "device_id", "mobile_app_package_id",
    "email_forwarding_destination_address", "rule_name", "resource_name",
)  # fmt: skip
"""Parameters that name what was acted upon, the most telling first."""
_DOC_TYPES = {"msexcel": "spreadsheet", "msword": "document", "mspowerpoint": "presentation"}


def target_of(texts: Mapping[str, str]) -> str | None:
    """What an event acted upon.

    Args:
        texts: Its parameters, by their names in lower case.
    """
    return next((texts[name] for name in _TARGETS if name in texts), None)


def tell(
    event: str,
    application: str | None,
    user: str | None,
    texts: Mapping[str, str],
    inner: Loose,
    outcome: Outcome,
    address: str | None,
) -> str:
    """Who did what to which file, user or setting.

    Args:
        event: The event's name.
        application: The application whose log it is.
        user: Who did it; None when nobody is named.
        texts: The parameters, by their names in lower case.
        inner: The event itself, for parameters that are objects.
        outcome: A failure is told as one.
        address: Where a sign-in came from.
    """
    name = event.strip().lower()
    if name in ("login_success", "login_failure"):
        reason = texts.get("login_failure_type")
        app = texts.get("application_name", "Google Workspace")
        sentence = sign_in(user, app, address, outcome)
        return f"{sentence}: {reason}" if reason else sentence
    if application == "gmail" and name == "delivery":
        return _delivery(inner, user, outcome)
    if application == "rules":
        return _rule(user, texts)
    names: dict[str, str | None] = dict(texts)
    names["doc"] = _document(texts)
    if name.endswith("_setting") or "setting_name" in texts:
        return _setting(name, user, texts)
    if name in _FIXED:
        pattern = _FIXED[name].replace("{doc}", "[{doc}]")
        for code in ("visibility", "device_compromised_state"):
            names[code] = texts[code].replace("_", " ").lower() if code in texts else None
        return narrate(user or texts.get("affected_email_address"), pattern, names, outcome)
    return _by_name(name, application, user, texts, outcome)


def _document(texts: Mapping[str, str]) -> str:
    kind = texts.get("doc_type", "file")
    title = texts.get("doc_title") or texts.get("doc_id")
    return fill("[{kind} {title}]", {"kind": _DOC_TYPES.get(kind, kind), "title": title}) or "a file"


def _by_name(
    name: str, application: str | None, user: str | None, texts: Mapping[str, str], outcome: Outcome
) -> str:
    found = named_act(name)
    who = shown(user or "someone")
    if found is None:
        words = " ".join(words_of(name)) or name
        by = f" by {shown(user)}" if user else ""
        return f"{words}{by} in {shown(application or 'Google Workspace')}"
    act = found.act
    if not act.noun and application == "drive":
        return told(who, act.past, act.plain, _document(texts), outcome)
    target = target_of(texts)
    words = f"{' '.join(act.noun)} {shown(target)}".strip() if target else act.phrase()
    if not words:
        words = {"gmail": "a message"}.get(application or "", "")
    return told(who, act.past, act.plain, words, outcome)


def _setting(name: str, user: str | None, texts: Mapping[str, str]) -> str:
    """A setting of an application that was created, changed or deleted."""
    found = named_act(name)
    act = Act("change", ()) if found is None else found.act
    names = {
        "setting": texts.get("setting_name"),
        "own": texts.get("user_defined_setting_name"),
        "app": texts.get("application_name") or _application(name),
        "old": texts.get("old_value"),
        "new": texts.get("new_value"),
    }
    value = "[ from {old}][ to {new}]" if act.verb == "change" else "[ as {new}]"
    what = fill("setting[ {setting}][ ({own})][ of {app}]" + value, names)
    return f"{shown(user or 'someone')} {act.past} {what}"


def _application(name: str) -> str | None:
    """The application in ``change_calendar_setting``."""
    words = name.split("_")
    return words[1].capitalize() if len(words) == 3 and words[1] != "application" else None


def _delivery(inner: Loose, user: str | None, outcome: Outcome) -> str:
    message = inner.inner("parameters")
    names = {
        "subject": None if message is None else message.text("message_info.subject"),
        "sender": None if message is None else message.text("message_info.source.address"),
        "receiver": None if message is None else message.text("message_info.destination.0.address"),
    }
    names["receiver"] = names["receiver"] or user
    verb = "was not delivered" if outcome is Outcome.FAILURE else "was delivered"
    return fill('message[ "{subject}"] ' + verb + "[ from {sender}][ to {receiver}]", names)


def _rule(user: str | None, texts: Mapping[str, str]) -> str:
    names = {"rule": texts.get("rule_name"), "user": user, "source": texts.get("data_source")}
    return fill("rule[ {rule}] was triggered[ by {user}][ in {source}]", names)
