"""The acts of people on the demo account: each act changes the account and is recorded as one event.

An act whose thing does not exist yet makes it first, so nothing is used before it is created. Making and
taking away balance round a target number, which keeps the account bounded over any number of events.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.text import counted
from audit_tui.demo.account import EXTERNAL, OPEN_SOURCE, Account, Actor, Model, Named, draw, tell
from audit_tui.demo.people import SERVICE
from audit_tui.demo.values import DAY_US, HOUR_US, TABLES, WORDS

if TYPE_CHECKING:
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


Act: TypeAlias = "Callable[[Account, Actor], AuditEvent]"

_ODD_SHARE = 0.002
_LEAST = 2
"""The number of each kind that is never taken away."""


def _experiment(account: Account, actor: Actor) -> AuditEvent:
    things = account.stock.experiments
    if not _makes(account, len(things), 1500):
        return tell(account, actor, "delete_experiment", thing=account.take(things))
    if (model := _any_model(account)) is None:
        return _deployment(account, actor)
    number = int(account.random() * 90) + 10
    name = f"{_word(account, 'experiment_subjects')} {_word(account, 'experiment_kinds')} {number}"
    things.append(thing := _named(account, "e", _perhaps_odd(account, name), model=model))
    return tell(account, actor, "create_experiment", thing=thing)


def _api_key(account: Account, actor: Actor) -> AuditEvent:
    keys = account.stock.keys
    if not _makes(account, len(keys), 100):
        model = account.take(keys)
        model.uses -= 1
        return tell(account, actor, "delete_key", model=model)
    if (chosen := _any_model(account)) is None:
        return _deployment(account, actor)
    keys.append(chosen)
    chosen.uses += 1
    return tell(account, actor, "create_key", model=chosen)


def _deployment(account: Account, actor: Actor) -> AuditEvent:
    deployed = account.stock.deployed
    if not _makes(account, len(deployed), 60) and (idle := _take_idle(account, deployed)) is not None:
        return undeploy(account, actor, idle)
    name = _free_name(account, "base_models", "regions", "-", {model.name for model in deployed})
    model = Model(account.new_id("m"), name, OPEN_SOURCE, account.pick(_SETTINGS), account.now_us)
    deployed.append(model)
    return tell(account, actor, "deploy", model=model, hardware=model.settings["Hardware Type"])


def undeploy(account: Account, actor: Actor, model: Model, why: str = "") -> AuditEvent:
    """Undeploy this model, which is no longer among the deployed ones."""
    hours = round((account.now_us - model.since_us) / HOUR_US, 1)
    return tell(account, actor, "undeploy", model=model, hours=hours, why=why)


def _fine_tuning(account: Account, actor: Actor) -> AuditEvent:
    if not account.stock.datasets:
        return _upload(account, actor)
    if not account.stock.deployed:
        return _deployment(account, actor)
    drawn = draw(account, "fine_tune") or {}
    drawn["tracking"] = {"Weights and Biases": account.random() < 0.7} if account.random() < 0.8 else {}
    is_queued = account.random() < 0.15
    outcome = Outcome.UNKNOWN if is_queued else Outcome.SUCCESS
    began = "Queued" if is_queued else "Started"
    return tell(account, actor, "fine_tune", outcome=outcome, began=began, **drawn)


def _external_model(account: Account, actor: Actor) -> AuditEvent:
    external = account.stock.external
    if not _makes(account, len(external), 14) and (model := _take_idle(account, external)) is not None:
        return tell(account, actor, "delete_model", model=model)
    name = _free_name(account, "external_models", "regions", "-", {model.name for model in external})
    external.append(model := Model(account.new_id("m"), name, EXTERNAL, {}, account.now_us))
    return tell(account, actor, "add_model", model=model)


def _agent(account: Account, actor: Actor) -> AuditEvent:
    agents = account.stock.agents
    if not _makes(account, len(agents), 80):
        gone = account.take(agents)
        if gone.model is not None:
            gone.model.uses -= 1
        return tell(account, actor, "delete_agent", thing=gone)
    if (model := _any_model(account)) is None:
        return _deployment(account, actor)
    name = _perhaps_odd(account, f"{_word(account, 'agent_subjects')} {_word(account, 'agent_duties')}")
    agents.append(thing := _named(account, "a", name, model=model))
    model.uses += 1
    return tell(account, actor, "create_agent", thing=thing)


def _upload(account: Account, actor: Actor) -> AuditEvent:
    kind = _word(account, "file_types")
    subject = _perhaps_odd(account, _word(account, "dataset_subjects"))
    rows = int(account.random() * account.random() * 400_000) + 40
    return record_upload(account, actor, f"{subject}-{account.new_id('d')[2:6]}.{kind}", kind, rows)


def record_upload(account: Account, actor: Actor, name: str, kind: str, rows: int) -> AuditEvent:
    """Record that a dataset was uploaded; it can be trained on from now on."""
    account.stock.datasets.append(name)
    return tell(account, actor, "upload", name=name, kind=kind, rows=rows, counted=counted(rows, "row"))


def _guardrail(account: Account, actor: Actor) -> AuditEvent:
    guardrails = account.stock.guardrails
    if not _makes(account, len(guardrails), 14):
        return undeploy_guardrail(account, actor, account.take(guardrails))
    name = _free_name(account, "guardrails", "teams", ", ", {each.name for each in guardrails})
    return deploy_guardrail(account, actor, Named(account.new_id("g"), name, _word(account, "hardware")))


def deploy_guardrail(account: Account, actor: Actor, thing: Named) -> AuditEvent:
    """Deploy this guardrail."""
    thing.since_us = account.now_us
    account.stock.guardrails.append(thing)
    return tell(account, actor, "deploy_guardrail", thing=thing)


def undeploy_guardrail(
    account: Account, actor: Actor, thing: Named, severity: int | None = None
) -> AuditEvent:
    """Undeploy this guardrail, which is no longer among the deployed ones."""
    days, rest_us = divmod(account.now_us - thing.since_us, DAY_US)
    usage = f"{days} d {rest_us // HOUR_US} h" if days else f"{rest_us // HOUR_US} h"
    return tell(account, actor, "undeploy_guardrail", severity=severity, thing=thing, usage=usage)


def _integration(account: Account, actor: Actor) -> AuditEvent:
    things = account.stock.integrations
    if not _makes(account, len(things), 18):
        return tell(account, actor, "delete_integration", thing=account.take(things))
    kind, places = account.pick(WORDS["integrations"])
    thing = Named(account.new_id("i"), f"{kind} {account.pick(places)}", kind)
    things.append(thing)
    return tell(account, actor, "add_integration", thing=thing)


def _custom_role(account: Account, actor: Actor) -> AuditEvent:
    roles = account.stock.roles
    if not _makes(account, len(roles), 12):
        return tell(account, actor, "delete_role", thing=account.take(roles))
    name = _free_name(account, "custom_roles", "parts", ", ", {role.name for role in roles})
    return create_role(account, actor, name, roles)


def create_role(
    account: Account, actor: Actor, name: str, roles: list[Named], severity: int | None = None
) -> AuditEvent:
    """Create a custom role of this name among these roles."""
    roles.append(thing := Named(account.new_id("r"), name))
    return tell(account, actor, "create_role", severity=severity, thing=thing)


def _edit_role(account: Account, actor: Actor) -> AuditEvent:
    if not account.stock.roles:
        return _custom_role(account, actor)
    role = account.pick(account.stock.roles)
    added, removed = int(account.random() * 4) + 1, int(account.random() * 3)
    permissions = counted(added, "permission")
    return tell(
        account, actor, "edit_role", thing=role, added=added, removed=removed, permissions=permissions
    )


def _assign_role(account: Account, actor: Actor) -> AuditEvent:
    member, roles = account.pick(account.members), account.stock.roles
    has_custom = bool(roles) and account.random() < 0.7
    role = account.pick(roles).name if has_custom else _word(account, "system_roles")
    return tell(account, actor, "assign", severity=_severity(role), member=member, role=role)


def _change_role(account: Account, actor: Actor) -> AuditEvent:
    member = account.pick(account.members)
    if member is account.cast.owner:
        return _assign_role(account, actor)
    role, before = _word(account, "system_roles"), member.role
    act = "assign" if role == before else "change"
    member.role = role
    return tell(account, actor, act, severity=_severity(role), member=member, role=role, before=before)


def _severity(role: str) -> int | None:
    return 3 if role == "Admin" else None


def _makes(account: Account, count: int, target: int) -> bool:
    """Tell whether to make one more rather than take one away: always at first, never at twice the target."""
    return count <= _LEAST or account.random() * 2 * target >= count


def _any_model(account: Account) -> Model | None:
    stock = account.stock
    models = stock.external if stock.external and account.random() < 0.25 else stock.deployed
    return account.pick(models) if models else None


def _take_idle(account: Account, models: list[Model]) -> Model | None:
    for _ in range(6):
        index = int(account.random() * len(models))
        if models[index].uses == 0:
            models[index], models[-1] = models[-1], models[index]
            return models.pop()
    return None


def take_idle_model(account: Account) -> Model | None:
    """A deployed model that nothing uses, no longer among the deployed ones; None if none is found."""
    deployed = account.stock.deployed
    return _take_idle(account, deployed) if len(deployed) > _LEAST else None


def _word(account: Account, words: str) -> str:
    word: str = account.pick(WORDS[words])
    return word


def _perhaps_odd(account: Account, name: str) -> str:
    return _word(account, "odd_names") if account.random() < _ODD_SHARE else name


def _named(account: Account, kind: str, name: str, model: Model) -> Named:
    return Named(account.new_id(kind), name, since_us=account.now_us, model=model)


def _free_name(account: Account, firsts: str, seconds: str, joint: str, taken: set[str]) -> str:
    name = f"{_word(account, firsts)}{joint}{_word(account, seconds)}"
    free, turn = name, 1
    while free in taken:
        turn += 1
        free = f"{name}-{turn}"
    return free


def _settings() -> tuple[dict[str, Any], ...]:
    hardware = WORDS["hardware"]
    return tuple(
        {
            "Hardware Type": hardware[number % len(hardware)],
            "Temperature": (0.2, 0.7, 1.0)[number % 3],
            "Max Length": (1024, 2048, 4096, 8192)[number % 4],
            "Top P": (0.9, 0.95, 1.0)[number // 2 % 3],
            "Top K": (40, 50)[number % 2],
            "Stop Sequence": ("</s>", "<|eot_id|>", "###")[number // 3 % 3],
            "Inference Batch Size": (1, 4, 8, 16)[number // 2 % 4],
            "Min Replicas": number % 3,
            "Max Replicas": (2, 4, 8)[number % 3],
            "Scale Up Delay": f"{(30, 60, 120)[number // 5 % 3]} s",
            "Scale Down Delay": f"{(300, 600, 900)[number // 7 % 3]} s",
        }
        for number in range(60)
    )


_SETTINGS = _settings()
_ACTS: dict[str, Act] = {
    name.removeprefix("_"): act
    for name, act in globals().items()
    if name in {f"_{work}" for works in TABLES["work"].values() for work in works}
}
OPENING = tuple(_ACTS[name] for name in TABLES["opening"])
"""The acts that are done first in a new account, by whoever is there."""
WORK: dict[str, tuple[tuple[Act, ...], tuple[int, ...]]] = {
    job: (tuple(map(_ACTS.__getitem__, works)), tuple(accumulate(works.values())))
    for job, works in TABLES["work"].items()
}
"""The acts of each job, and the running sum of how often."""
