"""Microsoft 365: sign-ins, commands of PowerShell, operations of the directory, files and mailboxes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.vendors.identity.entra import TargetResource, tell_change
from audit_tui.formats.words.english import JOINTS, Act, plain_reason, shown, told, with_reason, words_of
from audit_tui.formats.words.names import name_told
from audit_tui.formats.words.patterns import narrate, sign_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_tui.formats.mapping import Telling

_SIGN_INS = frozenset(
    {"UserLoggedIn", "UserLoginFailed", "ForeignRealmIndexLogonInitialAuthUsingADFSFederatedToken"}
)
_CMDLET = re.compile(r"([A-Z][a-z]+)-([A-Za-z0-9]+)\Z")
_VERBS = {"new": "create", "set": "change", "get": "read", "invoke": "run"}
"""The meanings of PowerShell's verbs; others mean what they say."""
_SMTP = re.compile(r"smtp:", re.IGNORECASE)
_FORWARDS = ("ForwardingSmtpAddress", "ForwardingAddress", "ForwardTo", "RedirectTo", "ForwardAsAttachmentTo")
_GUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")


def refine(telling: Telling) -> None:
    """Tell who did what to which file, mailbox or account."""
    if telling.event.endswith("Failed"):
        telling.verdict = Verdict(Outcome.FAILURE)
    reason = plain_reason(telling.reason) if telling.outcome is Outcome.FAILURE else None
    telling.sentence = with_reason(_sentence(telling), reason)
    if telling.text("AuditData") is not None:
        telling.sentence += " (its AuditData is cut off)"


def _sentence(telling: Telling) -> str:
    event, user, outcome = telling.event, telling.user, telling.outcome
    if event in _SIGN_INS:
        app = telling.text("ApplicationDisplayName") or "Microsoft 365"
        return sign_in(user, app, telling.values.get("source_ip"), outcome)
    cmdlet = _CMDLET.match(event)
    if cmdlet is not None:
        return _cmdlet(telling, cmdlet[1].lower(), cmdlet[2])
    thing = telling.text("SourceFileName") or _last(telling.target)
    whom = telling.text("TargetUserOrGroupName", "Members.0.UPN")
    telling.names = {"thing": thing, "whom": None if whom is None else whom.lower()}
    pattern = telling.mapping.sentences.get(event)
    if pattern is not None:
        return narrate(user, pattern, telling, outcome)
    if " " in event:  # the directory's own operations: "Add member to role."
        changes: dict[str, Any] = dict(telling.maps["ModifiedProperties"])
        target = TargetResource(_kind_of_target(event), telling.target, changes)
        return tell_change(event.rstrip("."), user, [target], outcome)
    return name_told(user, event.removesuffix("Extended"), thing, outcome)


def _kind_of_target(event: str) -> str:
    if not JOINTS.isdisjoint(event.rstrip(".").split()):
        return "User"  # Add member to role: whom, and where to is among the changes
    for word in ("User", "Group", "Application", "Role", "Device"):
        if word.lower() in event.lower():
            return word
    return ""


def _last(path: str | None) -> str | None:
    r"""The name at the end of a URL, a distinguished name or ``org\\name``; None for a bare number."""
    if path is None:
        return None
    end = re.split(r"[\\/]", path.rstrip("/\\"))[-1]
    return None if not end or _GUID.match(end) else end


def _cmdlet(telling: Telling, verb: str, noun: str) -> str:
    """A command of PowerShell: ``New-InboxRule``."""
    act = Act(_VERBS.get(verb, verb), words_of(noun))
    given = telling.maps["Parameters"].items()
    parameters = {name: value for name, value in given if isinstance(value, str) and value}
    name = parameters.get("Name") or _last(parameters.get("Identity")) or _last(telling.target)
    rest = f"{' '.join(act.noun)} {shown(name)}" if name else act.phrase()
    mailbox = parameters.get("Mailbox")
    if mailbox and mailbox != name:
        rest = f"{rest} for {shown(mailbox)}"
    who = shown(telling.user or "someone")
    return told(who, act.past, act.plain, f"{rest}{_effect(parameters)}", telling.outcome)


def _effect(parameters: Mapping[str, str]) -> str:
    """Tell what a rule or a mailbox does with mail from then on: what an attacker sets up, so it is told."""
    to = next((parameters[name] for name in _FORWARDS if parameters.get(name)), None)
    effects = []
    if to is not None:
        effects.append(f"forwarding to {shown(_SMTP.sub('', to).replace(';', ', '))}")
    if folder := parameters.get("MoveToFolder"):
        effects.append(f"moving mail to {shown(folder)}")
    if parameters.get("DeleteMessage") == "True":
        effects.append("deleting mail")
    return f", {' and '.join(effects)}" if effects else ""
