"""The acts of people on the demo account: each act changes the account and is recorded as one event.

An act whose thing does not exist yet makes it first, so nothing is used before it is created. Making and
taking away balance round a target number, which keeps the account bounded over any number of events.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.text import counted
from audit_tui.demo.account import EXTERNAL, OPEN_SOURCE, Account, Actor, Model, Named
from audit_tui.demo.people import ADMIN, ANALYST, BUILDER, ENGINEER, SCIENTIST, SECURITY, SERVICE
from audit_tui.demo.values import DAY_US, HOUR_US
from audit_tui.demo.words import (
    AGENT_DUTIES,
    AGENT_SUBJECTS,
    BASE_MODELS,
    CUSTOM_ROLES,
    DATASET_SUBJECTS,
    EXPERIMENT_KINDS,
    EXPERIMENT_SUBJECTS,
    EXTERNAL_MODELS,
    FILE_TYPES,
    GUARDRAILS,
    HARDWARE,
    INTEGRATIONS,
    ODD_NAMES,
    PARTS,
    REGIONS,
    SYSTEM_ROLES,
    TEAMS,
    TRAINING_METHODS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.demo.people import Person

Act: TypeAlias = "Callable[[Account, Actor], AuditEvent]"

_ODD_SHARE = 0.002
_KEYS, _DEPLOYED, _EXTERNAL, _AGENTS, _EXPERIMENTS = 100, 60, 14, 80, 1500
_GUARDRAILS, _INTEGRATIONS, _ROLES = 14, 18, 12
_KEPT = 2
"""So many of each kind are never taken away."""


def experiment(account: Account, actor: Actor) -> AuditEvent:
    """Create an experiment, or delete one."""
    experiments = account.stock.experiments
    if not _makes(account, len(experiments), _EXPERIMENTS):
        return _delete_experiment(account, actor, account.take(experiments))
    model = _any_model(account)
    if model is None:
        return deployment(account, actor)
    number = int(account.random() * 90) + 10
    name = f"{account.pick(EXPERIMENT_SUBJECTS)} {account.pick(EXPERIMENT_KINDS)} {number}"
    if account.random() < _ODD_SHARE:
        name = account.pick(ODD_NAMES)
    made = Named(account.new_id("e"), name, since_us=account.now_us, model=model)
    experiments.append(made)
    metadata = {"Experiment ID": made.thing_id, "Experiment Name": name, "Model Name": model.name}
    return account.record(actor, "Experiment created", f"Created experiment {name}", metadata, name)


def _delete_experiment(account: Account, actor: Actor, gone: Named) -> AuditEvent:
    metadata = {"Experiment ID": gone.thing_id, "Experiment Name": gone.name}
    if gone.model is not None:
        metadata |= gone.model.metadata
    return account.record(actor, "Experiment deleted", f"Deleted experiment {gone.name}", metadata, gone.name)


def api_key(account: Account, actor: Actor) -> AuditEvent:
    """Create an API key for a model, or delete one."""
    keys = account.stock.keys
    if not _makes(account, len(keys), _KEYS):
        model = account.take(keys)
        model.uses -= 1
        return record_key(account, actor, "API Key deleted", model)
    chosen = _any_model(account)
    if chosen is None:
        return deployment(account, actor)
    keys.append(chosen)
    chosen.uses += 1
    return record_key(account, actor, "API Key created", chosen)


def record_key(account: Account, actor: Actor, event: str, model: Model) -> AuditEvent:
    """Record that a key for this model was created or deleted."""
    description = f"{event[8:].capitalize()} a key for {model.name}"
    return account.record(actor, event, description, model.metadata, model.name)


def deployment(account: Account, actor: Actor) -> AuditEvent:
    """Deploy an open-source model, or undeploy one that nothing uses."""
    deployed = account.stock.deployed
    if not _makes(account, len(deployed), _DEPLOYED):
        idle = _take_idle(account, deployed)
        if idle is not None:
            return undeploy(account, actor, idle)
    name = _free_name(account, BASE_MODELS, REGIONS, "-", {model.name for model in deployed})
    model = Model(account.new_id("m"), name, OPEN_SOURCE, account.pick(_SETTINGS), account.now_us)
    deployed.append(model)
    metadata = {**model.metadata, **model.settings}
    hardware = model.settings["Hardware Type"]
    return account.record(actor, "Model deployed", f"Deployed {name} on {hardware}", metadata, name)


def undeploy(account: Account, actor: Actor, model: Model, why: str = "") -> AuditEvent:
    """Undeploy this model, which is no longer among the deployed ones."""
    hours = round((account.now_us - model.since_us) / HOUR_US, 1)
    metadata = {**model.metadata, "Hours of Usage": hours, **model.settings}
    description = f"Undeployed {model.name} after {hours:,} h{why}"
    return account.record(actor, "Model undeployed", description, metadata, model.name)


def fine_tuning(account: Account, actor: Actor) -> AuditEvent:
    """Begin a fine-tuning run on datasets that were uploaded before."""
    stock = account.stock
    if not stock.datasets:
        return upload(account, actor)
    if not stock.deployed:
        return deployment(account, actor)
    model, training, test = (
        account.pick(stock.deployed),
        account.pick(stock.datasets),
        account.pick(stock.datasets),
    )
    method = account.pick(TRAINING_METHODS)
    metadata: dict[str, Any] = {
        **model.metadata,
        "Hardware Type": account.pick(HARDWARE),
        "Training Method": method,
        "No. of Epochs": int(account.random() * 5) + 1,
        "Batch Size": account.pick((4, 8, 16, 32)),
        "Learning Rate": account.pick((1e-5, 2e-5, 5e-5, 1e-4, 2e-4)),
        "Training Dataset": training,
        "Test Dataset": test,
    }
    if account.random() < 0.8:
        metadata["Weights and Biases"] = account.random() < 0.7
    is_queued = account.random() < 0.15
    description = f"{'Queued' if is_queued else 'Started'} {method} fine-tuning of {model.name} on {training}"
    outcome = Outcome.UNKNOWN if is_queued else Outcome.SUCCESS
    return account.record(actor, "Started fine-tuning", description, metadata, model.name, outcome)


def external_model(account: Account, actor: Actor) -> AuditEvent:
    """Add an external model, or delete one that nothing uses."""
    external = account.stock.external
    if not _makes(account, len(external), _EXTERNAL):
        model = _take_idle(account, external)
        if model is not None:
            return account.record(
                actor, "Model deleted", f"Deleted external model {model.name}", model.metadata, model.name
            )
    name = _free_name(account, EXTERNAL_MODELS, REGIONS, "-", {model.name for model in external})
    model = Model(account.new_id("m"), name, EXTERNAL, {}, account.now_us)
    external.append(model)
    return account.record(actor, "Model added", f"Added external model {name}", model.metadata, name)


def agent(account: Account, actor: Actor) -> AuditEvent:
    """Create an agent on a model, or delete one."""
    agents = account.stock.agents
    if not _makes(account, len(agents), _AGENTS):
        gone = account.take(agents)
        if gone.model is not None:
            gone.model.uses -= 1
        return record_agent(account, actor, "Agent deleted", gone)
    model = _any_model(account)
    if model is None:
        return deployment(account, actor)
    name = f"{account.pick(AGENT_SUBJECTS)} {account.pick(AGENT_DUTIES)}"
    if account.random() < _ODD_SHARE:
        name = account.pick(ODD_NAMES)
    made = Named(account.new_id("a"), name, since_us=account.now_us, model=model)
    agents.append(made)
    model.uses += 1
    return record_agent(account, actor, "Agent created", made)


def record_agent(account: Account, actor: Actor, event: str, agent: Named) -> AuditEvent:
    """Record that this agent was created or deleted."""
    metadata = {"Agent ID": agent.thing_id, "Agent Name": agent.name}
    description = f"{event[6:].capitalize()} agent {agent.name}"
    if agent.model is not None:
        metadata |= agent.model.metadata
        if event == "Agent created":
            description += f" on {agent.model.name}"
    return account.record(actor, event, description, metadata, agent.name)


def upload(account: Account, actor: Actor) -> AuditEvent:
    """Upload a dataset."""
    kind = account.pick(FILE_TYPES)
    subject = account.pick(DATASET_SUBJECTS)
    if account.random() < _ODD_SHARE:
        subject = account.pick(ODD_NAMES)
    rows = int(account.random() * account.random() * 400_000) + 40
    return record_upload(account, actor, f"{subject}-{account.new_id('d')[2:6]}.{kind}", kind, rows)


def record_upload(account: Account, actor: Actor, name: str, kind: str, rows: int) -> AuditEvent:
    """Record that a dataset was uploaded; it can be trained on from now on."""
    account.stock.datasets.append(name)
    metadata = {"Dataset Name": name, "File Type": kind, "Rows": rows}
    return account.record(
        actor, "Dataset uploaded", f"Uploaded {name}, {counted(rows, 'row')}", metadata, name
    )


def guardrail(account: Account, actor: Actor) -> AuditEvent:
    """Deploy a guardrail, or undeploy one."""
    guardrails = account.stock.guardrails
    if not _makes(account, len(guardrails), _GUARDRAILS):
        return undeploy_guardrail(account, actor, account.take(guardrails))
    name = _free_name(account, GUARDRAILS, TEAMS, ", ", {each.name for each in guardrails})
    return deploy_guardrail(account, actor, Named(account.new_id("g"), name, account.pick(HARDWARE)))


def deploy_guardrail(account: Account, actor: Actor, made: Named) -> AuditEvent:
    """Deploy this guardrail."""
    made.since_us = account.now_us
    account.stock.guardrails.append(made)
    metadata = {"Guardrail Name": made.name, "Guardrail ID": made.thing_id, "Hardware Type": made.kind}
    description = f"Deployed guardrail {made.name} on {made.kind}"
    return account.record(actor, "Guardrails deployed", description, metadata, made.name)


def undeploy_guardrail(
    account: Account, actor: Actor, gone: Named, severity: int | None = None
) -> AuditEvent:
    """Undeploy this guardrail, which is no longer among the deployed ones."""
    days, rest_us = divmod(account.now_us - gone.since_us, DAY_US)
    usage = f"{days} d {rest_us // HOUR_US} h" if days else f"{rest_us // HOUR_US} h"
    metadata = {
        "Guardrail Name": gone.name,
        "Guardrail ID": gone.thing_id,
        "Hardware Type": gone.kind,
        "Time of Usage": usage,
    }
    description = f"Undeployed guardrail {gone.name} after {usage}"
    return account.record(actor, "Guardrails undeployed", description, metadata, gone.name, severity=severity)


def integration(account: Account, actor: Actor) -> AuditEvent:
    """Add an integration, or delete one."""
    integrations = account.stock.integrations
    makes = _makes(account, len(integrations), _INTEGRATIONS)
    if makes:
        kind, places = account.pick(INTEGRATIONS)
        thing = Named(account.new_id("i"), f"{kind} {account.pick(places)}", kind)
        integrations.append(thing)
        event, description = "Integration added", f"Added integration {thing.name}"
    else:
        thing = account.take(integrations)
        event, description = "Integration deleted", f"Removed integration {thing.name}"
    metadata = {
        "Integration Name": thing.name,
        "Integration ID": thing.thing_id,
        "Integration Type": thing.kind,
    }
    return account.record(actor, event, description, metadata, thing.name)


def custom_role(account: Account, actor: Actor) -> AuditEvent:
    """Create a custom role, or delete one."""
    roles = account.stock.roles
    if not _makes(account, len(roles), _ROLES):
        return delete_role(account, actor, account.take(roles))
    name = _free_name(account, CUSTOM_ROLES, PARTS, ", ", {role.name for role in roles})
    return create_role(account, actor, name, roles)


def create_role(
    account: Account, actor: Actor, name: str, roles: list[Named], severity: int | None = None
) -> AuditEvent:
    """Create a custom role of this name among these roles."""
    made = Named(account.new_id("r"), name)
    roles.append(made)
    rights = int(account.random() * 30) + 3
    metadata = {"Role ID": made.thing_id, "Role Name": name, "Permissions": rights}
    description = f"Created role {name} with {rights} permissions"
    return account.record(actor, "Role created", description, metadata, name, severity=severity)


def delete_role(account: Account, actor: Actor, gone: Named) -> AuditEvent:
    """Delete this role, which is no longer among those of the account."""
    metadata = {"Role ID": gone.thing_id, "Role Name": gone.name}
    return account.record(actor, "Role deleted", f"Deleted role {gone.name}", metadata, gone.name)


def edit_role(account: Account, actor: Actor) -> AuditEvent:
    """Edit a custom role."""
    if not account.stock.roles:
        return custom_role(account, actor)
    role = account.pick(account.stock.roles)
    added, removed = int(account.random() * 4) + 1, int(account.random() * 3)
    metadata = {"Role ID": role.thing_id, "Role Name": role.name, "Added": added, "Removed": removed}
    description = f"Edited role {role.name}: {counted(added, 'permission')} added, {removed} removed"
    return account.record(actor, "Role edited", description, metadata, role.name)


def assign_role(account: Account, actor: Actor) -> AuditEvent:
    """Give a member a custom or system role beside the one held."""
    member, roles = account.pick(account.members), account.stock.roles
    role = account.pick(roles).name if roles and account.random() < 0.7 else account.pick(SYSTEM_ROLES)
    return assign(account, actor, member, role)


def assign(
    account: Account, actor: Actor, member: Person, role: str, severity: int | None = None
) -> AuditEvent:
    """Give this member this role."""
    if severity is None and role == "Admin":
        severity = 3
    metadata = {"Role Name": role, "Assigned To": member.email}
    return account.record(
        actor, "Role assigned", f"Assigned {role} to {member.email}", metadata, role, severity=severity
    )


def change_role(account: Account, actor: Actor) -> AuditEvent:
    """Put a member's role in place of the one held."""
    member = account.pick(account.members)
    if member is account.cast.owner:
        return assign_role(account, actor)
    role = account.pick(SYSTEM_ROLES)
    if role == member.role:
        return assign(account, actor, member, role)
    return change(account, actor, member, role)


def change(account: Account, actor: Actor, member: Person, role: str) -> AuditEvent:
    """Make this the member's role."""
    before, member.role = member.role, role
    metadata = {"Role Name": role, "Previous Role Name": before, "Changed For": member.email}
    description = f"Changed {member.email} from {before} to {role}"
    severity = 3 if role == "Admin" else None
    return account.record(actor, "Role changed", description, metadata, role, severity=severity)


def _makes(account: Account, count: int, target: int) -> bool:
    """Tell whether to make one more rather than take one away: always at first, never at twice the target."""
    return count <= _KEPT or account.random() * 2 * target >= count


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
    return _take_idle(account, deployed) if len(deployed) > _KEPT else None


def _free_name(
    account: Account, firsts: Sequence[str], seconds: Sequence[str], joint: str, taken: set[str]
) -> str:
    name = f"{account.pick(firsts)}{joint}{account.pick(seconds)}"
    free, turn = name, 1
    while free in taken:
        turn += 1
        free = f"{name}-{turn}"
    return free


def _settings() -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "Hardware Type": HARDWARE[number % len(HARDWARE)],
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

_WORK: dict[str, dict[Act, int]] = {
    ADMIN: {
        assign_role: 8, change_role: 6, edit_role: 7, custom_role: 4, integration: 6, api_key: 5,
        guardrail: 3, experiment: 3, upload: 2, deployment: 2, fine_tuning: 1, external_model: 2, agent: 2,
    },
    ENGINEER: {
        deployment: 16, api_key: 15, fine_tuning: 8, upload: 9, experiment: 10, agent: 4, external_model: 3,
        integration: 1,
    },
    SCIENTIST: {experiment: 26, upload: 17, fine_tuning: 9, api_key: 5, agent: 1},
    BUILDER: {agent: 22, api_key: 13, experiment: 11, integration: 2, external_model: 2, upload: 3},
    SECURITY: {guardrail: 14, edit_role: 5, api_key: 10, custom_role: 2, change_role: 2, agent: 1},
    ANALYST: {experiment: 22, upload: 9, agent: 2},
    SERVICE: {api_key: 22, deployment: 24, upload: 30, fine_tuning: 4},
}  # fmt: skip
OPENING: tuple[Act, ...] = (deployment, guardrail, custom_role, guardrail, deployment, integration, guardrail)
"""The acts that are done first in a new account, by whoever is there."""
WORK: dict[str, tuple[tuple[Act, ...], tuple[int, ...]]] = {
    job: (tuple(acts), tuple(accumulate(acts.values()))) for job, acts in _WORK.items()
}
"""The acts of each job, and the running sum of how often."""
