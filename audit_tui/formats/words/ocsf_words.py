"""The names that OCSF's numbers stand for, and the sentence that tells an event without a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.formats.words.sentences import act_of, told, with_reason

if TYPE_CHECKING:
    from audit_tui.core.event import Outcome

CLASSES = {
    1001: "File System Activity", 1002: "Kernel Extension Activity", 1003: "Kernel Activity",
    1004: "Memory Activity", 1005: "Module Activity", 1006: "Scheduled Job Activity",
    1007: "Process Activity",
    2001: "Security Finding", 2002: "Vulnerability Finding", 2003: "Compliance Finding",
    2004: "Detection Finding", 2005: "Incident Finding", 2006: "Data Security Finding",
    3001: "Account Change", 3002: "Authentication", 3003: "Authorize Session", 3004: "Entity Management",
    3005: "User Access Management", 3006: "Group Management",
    4001: "Network Activity", 4002: "HTTP Activity", 4003: "DNS Activity", 4004: "DHCP Activity",
    4005: "RDP Activity", 4006: "SMB Activity", 4007: "SSH Activity", 4008: "FTP Activity",
    4009: "Email Activity", 5001: "Device Inventory Info", 5002: "Device Config State",
    6001: "Web Resources Activity", 6002: "Application Lifecycle", 6003: "API Activity",
    6004: "Web Resource Access Activity", 6005: "Datastore Activity", 6006: "File Hosting Activity",
    6007: "Scan Activity",
}  # fmt: skip
"""Names of the classes that audit logs use; a record may leave the name out."""
_ACTIVITIES = {
    1001: ("Create", "Read", "Update", "Delete", "Rename", "Set Attributes", "Set Security", "Get Attributes",
           "Get Security", "Encrypt", "Decrypt", "Mount", "Unmount", "Open"),
    1007: ("Launch", "Terminate", "Open", "Inject", "Set User ID"),
    3001: ("Create", "Enable", "Password Change", "Password Reset", "Disable", "Delete", "Attach Policy",
           "Detach Policy", "Lock", "MFA Factor Enable", "MFA Factor Disable"),
    3002: ("Logon", "Logoff", "Authentication Ticket", "Service Ticket Request", "Service Ticket Renew"),
    3003: ("Assign Privileges", "Assign Groups"),
    3004: ("Create", "Read", "Update", "Delete"),
    3005: ("Assign Privileges", "Revoke Privileges"),
    3006: ("Assign Privileges", "Revoke Privileges", "Add User", "Remove User", "Delete", "Create"),
    6001: ("Create", "Read", "Update", "Delete", "Search", "Import", "Export", "Share"),
    6003: ("Create", "Read", "Update", "Delete"),
    6005: ("Read", "Update", "Connect", "Query", "Write", "Create", "Delete"),
}  # fmt: skip
_ACTS = {
    # Class and activity, or the activity in any class -> in the past, after "to", the word before the target.
    (3001, "create"): ("created", "create", "account"),
    (3001, "delete"): ("deleted", "delete", "account"),
    (3001, "enable"): ("enabled", "enable", "account"),
    (3001, "disable"): ("disabled", "disable", "account"),
    (3001, "lock"): ("locked", "lock", "account"),
    (3006, "create"): ("created", "create", "group"),
    (3006, "delete"): ("deleted", "delete", "group"),
    (0, "logon"): ("logged in", "log in", "to"),
    (0, "logoff"): ("logged out", "log out", "of"),
    (0, "authentication ticket"): ("requested", "request", "an authentication ticket for"),
    (0, "service ticket request"): ("requested", "request", "a service ticket for"),
    (0, "service ticket renew"): ("renewed", "renew", "a service ticket for"),
    (0, "password change"): ("changed", "change", "the password of"),
    (0, "password reset"): ("reset", "reset", "the password of"),
    (0, "attach policy"): ("attached", "attach", "a policy to"),
    (0, "detach policy"): ("detached", "detach", "a policy from"),
    (0, "mfa factor enable"): ("enabled", "enable", "MFA for"),
    (0, "mfa factor disable"): ("disabled", "disable", "MFA for"),
    (0, "assign privileges"): ("assigned", "assign", "privileges to"),
    (0, "revoke privileges"): ("revoked", "revoke", "privileges from"),
    (0, "assign groups"): ("assigned", "assign", "groups to"),
    (0, "add user"): ("added", "add", "a user to"),
    (0, "remove user"): ("removed", "remove", "a user from"),
    (0, "set attributes"): ("changed", "change", "the attributes of"),
    (0, "set security"): ("changed", "change", "the permissions of"),
    (0, "get attributes"): ("read", "read", "the attributes of"),
    (0, "set user id"): ("changed", "change", "the user of"),
    (0, "launch"): ("launched", "launch", ""),
    (0, "terminate"): ("terminated", "terminate", ""),
    (0, "open"): ("opened", "open", ""),
    (0, "query"): ("queried", "query", ""),
}


def activity_of(class_uid: int, activity_id: int) -> str | None:
    """The name of an activity of a class; None when it has none, or a number for the unknown."""
    names = _ACTIVITIES.get(class_uid, ())
    return names[activity_id - 1] if 1 <= activity_id <= len(names) else None


def tell(
    event: str,
    class_uid: int,
    user: str | None,
    target: str | None,
    outcome: Outcome,
    *,
    is_denied: bool,
    reason: str | None,
) -> str:
    """Who did what to what, and why it failed."""
    who = user or "someone"
    activity = event.rpartition(": ")[2].lower()
    row = _ACTS.get((class_uid, activity)) or _ACTS.get((0, activity))
    act = act_of(event.rpartition(": ")[2])
    if row is not None:
        past, plain, joint = row
        rest = f"{joint} {target}".strip() if target else joint.rpartition(" ")[0]
        sentence = told(who, past, plain, rest, outcome, is_denied=is_denied)
    elif act is not None:
        noun = " ".join(act.noun)
        rest = f"{noun} {target}".strip() if target else act.phrase() or "something"
        sentence = told(who, act.past, act.plain, rest, outcome, is_denied=is_denied)
    else:
        on = f" on {target}" if target else ""
        thing = CLASSES.get(class_uid, "").lower()
        kind = f" ({thing})" if thing and thing not in event.lower() else ""
        sentence = told(who, "did", "do", f"{event}{kind}{on}", outcome, is_denied=is_denied)
    return with_reason(sentence, reason)
