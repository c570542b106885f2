"""Coming and going in the demo account: logins and logouts, invitations and removals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.demo.account import Account, Actor
from audit_tui.demo.people import SERVICE

if TYPE_CHECKING:
    from datetime import date

    from audit_tui.core.event import AuditEvent
    from audit_tui.demo.people import Person

SCHEDULER = Actor(None, "the scheduler", None, "scheduler")
SYSTEM_ROLE_IDS = {"Owner": "r-owner", "Admin": "r-admin", "Developer": "r-dev", "Analyst": "r-analyst"}
_OTHER_CASE_SHARE = 0.02


def actor_for(account: Account, person: Person, day: date) -> Actor:
    """The person at the place where this day's work is done."""
    if person.job == SERVICE:
        return Actor(person.email, "the pipeline", f"10.0.8.{21 + day.toordinal() % 2}", "api", person)
    place, ip = person.place(day, account.random())
    user = person.email
    # One person's single sign-on sometimes sends the name with a capital.
    if person.rank == 0 and account.random() < _OTHER_CASE_SHARE:
        user = user.capitalize()
    return Actor(user, place, ip, "console", person)


def log_in(account: Account, actor: Actor, severity: int | None = None) -> AuditEvent:
    """Log in."""
    metadata = {"Email ID": actor.user}
    return account.record(
        actor, "Login", f"Logged in from {actor.place}", metadata, actor.user, severity=severity
    )


def log_out(account: Account, actor: Actor) -> AuditEvent:
    """Log out."""
    return account.record(actor, "Logout", "Logged out", {"Email ID": actor.user}, actor.user)


def invite(account: Account, actor: Actor, people: list[Person]) -> AuditEvent:
    """Invite these people, who are members from now on."""
    for person in people:
        person.is_member = True
        account.members.append(person)
    return record_invitation(account, actor, people)


def record_invitation(
    account: Account, actor: Actor, people: list[Person], severity: int | None = None
) -> AuditEvent:
    """Record that these people were invited, with the role of the first."""
    role = people[0].role
    ids = [person.user_id for person in people]
    metadata = {
        "Added User IDs": ids,
        "Role Name": role,
        "Role ID": SYSTEM_ROLE_IDS.get(role, "r-viewer"),
        "Added Users": [person.email for person in people],
    }
    who = people[0].email if len(people) == 1 else f"{people[0].email} and {len(people) - 1} more"
    description = f"Invited {who} as {role}"
    return account.record(actor, "User invited", description, metadata, ", ".join(ids), severity=severity)


def remove(account: Account, actor: Actor, people: list[Person]) -> AuditEvent:
    """Remove these people, who have no visit under way."""
    for person in people:
        person.is_member = False
        account.members.remove(person)
        account.to_remove.remove(person)
    return record_removal(account, actor, people)


def record_removal(account: Account, actor: Actor, people: list[Person]) -> AuditEvent:
    """Record that these people were removed."""
    ids = [person.user_id for person in people]
    metadata = {"Removed User IDs": ids, "Removed Users": [person.email for person in people]}
    who = " and ".join(person.email for person in people)
    return account.record(actor, "User deleted", f"Removed {who}", metadata, ", ".join(ids))
