"""Coming and going in the demo account: logins and logouts, invitations and removals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_tui.demo.account import Account, Actor, tell
from audit_tui.demo.people import SERVICE
from audit_tui.demo.values import WORDS

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


def wrong_password(account: Account, actor: Actor, person: Person | None = None) -> AuditEvent:
    """Fail to log in as oneself, or as the person named."""
    who = person or actor.person
    email = who.email if who is not None else account.pick(WORDS["unknown_accounts"])
    reason = "wrong password" if account.random() < 0.8 or person else "the second factor was not confirmed"
    return tell(account, actor, "wrong_password", email=email, reason=reason)


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
    role, emails = people[0].role, [person.email for person in people]
    who = emails[0] if len(emails) == 1 else f"{emails[0]} and {len(emails) - 1} more"
    facts = {"role": role, "role_id": SYSTEM_ROLE_IDS.get(role, "r-viewer"), "who": who, "emails": emails}
    return _of_people(account, actor, "invite", people, facts, severity)


def remove(account: Account, actor: Actor, people: list[Person]) -> AuditEvent:
    """Remove these people, who have no visit under way."""
    for person in people:
        person.is_member = False
        account.members.remove(person)
        account.to_remove.remove(person)
    return record_removal(account, actor, people)


def record_removal(account: Account, actor: Actor, people: list[Person]) -> AuditEvent:
    """Record that these people were removed."""
    emails = [person.email for person in people]
    return _of_people(account, actor, "remove", people, {"who": " and ".join(emails), "emails": emails})


def _of_people(
    account: Account,
    actor: Actor,
    act: str,
    people: list[Person],
    facts: dict[str, Any],
    severity: int | None = None,
) -> AuditEvent:
    ids = [person.user_id for person in people]
    return tell(account, actor, act, severity=severity, ids=ids, target=", ".join(ids), **facts)
