"""The sentence that tells a Microsoft 365 operation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.formats.words.entra_words import TargetResource
from audit_tui.formats.words.entra_words import tell as tell_directory
from audit_tui.formats.words.narrating import named_act, narrate, shown, sign_in
from audit_tui.formats.words.sentences import JOINTS, Act, told, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_tui.core.event import Outcome
    from audit_tui.formats.loose import Loose

_FIXED = {
    "AddedToGroup": "add[ {whom}][ to group {thing}]",
    "AddedToSecureLink": "share[ {thing}][ with {whom}]",
    "AnonymousLinkCreated": "create an anonymous link[ to {thing}]",
    "AnonymousLinkUsed": "open[ {thing}] by an anonymous link",
    "CompanyLinkCreated": "create a link for the company[ to {thing}]",
    "BotAddedToTeam": "add a bot[ to team {team}]",
    "FileSyncDownloadedFull": "sync file[ {thing}]",
    "FileSyncUploadedFull": "sync file[ {thing}]",
    "HardDelete": "delete messages for good[ in mailbox {mailbox}]",
    "MailItemsAccessed": "read mail[ in mailbox {mailbox}]",
    "MailboxLogin": "sign in[ to mailbox {mailbox}]",
    "MemberAdded": "add a member[ to team {team}]",
    "MemberRemoved": "remove a member[ from team {team}]",
    "MoveToDeletedItems": "move messages to the deleted items[ of mailbox {mailbox}]",
    "PageViewed": "view page[ {thing}]",
    "SearchQueryPerformed": "search",
    "SecureLinkCreated": "create a secure link[ to {thing}]",
    "Send": "send a message[ from mailbox {mailbox}]",
    "SendAs": "send a message as[ {mailbox}]",
    "SendOnBehalf": "send a message on behalf of[ {mailbox}]",
    "SharingInvitationCreated": "invite[ {whom}][ to {thing}]",
    "SharingRevoked": "stop sharing[ {thing}][ with {whom}]",
    "SharingSet": "share[ {thing}][ with {whom}]",
    "SoftDelete": "delete messages[ in mailbox {mailbox}]",
    "TeamsSessionStarted": "sign in to Teams",
    "UserLoggedOff": "sign out",
}
"""What the name alone does not say well; begins with the verb as it stands after "to"."""
_SIGN_INS = frozenset(
    {"UserLoggedIn", "UserLoginFailed", "ForeignRealmIndexLogonInitialAuthUsingADFSFederatedToken"}
)
_CMDLET = re.compile(r"([A-Z][a-z]+)-([A-Za-z0-9]+)\Z")
_VERBS = {"new": "create", "set": "change", "get": "read", "invoke": "run"}
"""What PowerShell's verbs mean; others mean what they say."""
_SMTP = re.compile(r"smtp:", re.IGNORECASE)
_FORWARDS = ("ForwardingSmtpAddress", "ForwardingAddress", "ForwardTo", "RedirectTo", "ForwardAsAttachmentTo")
_GUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")


class M365Scene(NamedTuple):
    """What is known of an operation before it is told."""

    event: str
    record: Loose
    parameters: Mapping[str, Any]
    target: str | None
    """ObjectId."""
    changes: Mapping[str, Any]
    """ModifiedProperties."""


def tell(scene: M365Scene, user: str | None, address: str | None, outcome: Outcome) -> str:
    """Who did what to which file, mailbox or account; the reason of a failure is not told here."""
    event = scene.event
    if event in _SIGN_INS:
        return sign_in(user, _app(scene), address, outcome)
    cmdlet = _CMDLET.match(event)
    if cmdlet is not None:
        return _cmdlet(scene, cmdlet[1].lower(), cmdlet[2], user, outcome)
    names = _names(scene)
    if event in _FIXED:
        return narrate(user, _FIXED[event], names, outcome)
    if " " in event:  # the directory's own operations: "Add member to role."
        target = TargetResource(_kind_of_target(scene), scene.target, dict(scene.changes))
        return tell_directory(event.rstrip("."), user, [target], outcome)
    found = named_act(event.removesuffix("Extended"))
    thing = names["thing"]
    if found is None:
        words = " ".join(words_of(event)) or event
        by = f" by {shown(user)}" if user else ""
        on = f" on {shown(thing)}" if thing else ""
        return f"{shown(words)}{by}{on}"
    act = found.act
    rest = f"{' '.join(act.noun)} {shown(thing)}".strip() if thing else act.phrase()
    return told(shown(user or "someone"), act.past, act.plain, rest, outcome)


def _app(scene: M365Scene) -> str | None:
    name = scene.record.text("ApplicationDisplayName")
    return name if name is not None else "Microsoft 365"


def _names(scene: M365Scene) -> dict[str, str | None]:
    record = scene.record
    whom = record.text("TargetUserOrGroupName", "Members.0.UPN")
    return {
        "thing": record.text("SourceFileName") or _last(scene.target),
        "whom": None if whom is None else whom.lower(),
        "mailbox": record.text("MailboxOwnerUPN", "SendAsUserSmtp", "SendOnBehalfOfUserSmtp"),
        "team": record.text("TeamName"),
    }


def _kind_of_target(scene: M365Scene) -> str:
    if not JOINTS.isdisjoint(scene.event.rstrip(".").split()):
        return "User"  # Add member to role: whom, and where to is among the changes
    for word in ("User", "Group", "Application", "Role", "Device"):
        if word.lower() in scene.event.lower():
            return word
    return ""


def _last(path: str | None) -> str | None:
    r"""The name at the end of a URL, a distinguished name or ``org\\name``; None for a bare number."""
    if path is None:
        return None
    end = re.split(r"[\\/]", path.rstrip("/\\"))[-1]
    return None if not end or _GUID.match(end) else end


def _cmdlet(scene: M365Scene, verb: str, noun: str, user: str | None, outcome: Outcome) -> str:
    """A command of PowerShell: ``New-InboxRule``."""
    plain = _VERBS.get(verb, verb)
    act = Act(plain, words_of(noun))
    parameters = {name: value for name, value in scene.parameters.items() if isinstance(value, str) and value}
    name = parameters.get("Name") or _last(parameters.get("Identity")) or _last(scene.target)
    rest = f"{' '.join(act.noun)} {shown(name)}" if name else act.phrase()
    mailbox = parameters.get("Mailbox")
    if mailbox and mailbox != name:
        rest = f"{rest} for {shown(mailbox)}"
    effect = _effect(parameters)
    return told(shown(user or "someone"), act.past, act.plain, f"{rest}{effect}", outcome)


def _effect(parameters: Mapping[str, str]) -> str:
    """What a rule or a mailbox does with mail from then on: what an attacker sets up, so it is told."""
    to = next((parameters[name] for name in _FORWARDS if parameters.get(name)), None)
    effects = []
    if to is not None:
        effects.append(f"forwarding to {shown(_SMTP.sub('', to).replace(';', ', '))}")
    if folder := parameters.get("MoveToFolder"):
        effects.append(f"moving mail to {shown(folder)}")
    if parameters.get("DeleteMessage") == "True":
        effects.append("deleting mail")
    return f", {' and '.join(effects)}" if effects else ""
