"""The failures of the demo account: acts that were tried, changed nothing, and say why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.demo.people import ADMIN, ANALYST, BUILDER, ENGINEER, SCIENTIST, SECURITY, SERVICE
from audit_tui.demo.words import (
    BASE_MODELS,
    DATASET_SUBJECTS,
    EXPERIMENT_SUBJECTS,
    HARDWARE,
    UNKNOWN_ACCOUNTS,
)

if TYPE_CHECKING:
    from audit_tui.demo.account import Account, Actor
    from audit_tui.demo.acts import Act
    from audit_tui.demo.people import Person


def wrong_password(account: Account, actor: Actor, person: Person | None = None) -> AuditEvent:
    """Fail to log in as oneself, or as the person named."""
    who = person or actor.person
    email = who.email if who is not None else account.pick(UNKNOWN_ACCOUNTS)
    reason = "wrong password" if account.random() < 0.8 or person else "the second factor was not confirmed"
    metadata = {"Email ID": email, "Reason": reason}
    return _refuse(account, actor, "Login", f"Failed login from {actor.place}: {reason}", metadata, email)


def unknown_account(account: Account, actor: Actor) -> AuditEvent:
    """Fail to log in with an address that nobody has."""
    email = account.pick(UNKNOWN_ACCOUNTS)
    metadata = {"Email ID": email, "Reason": "no such user"}
    return _refuse(account, actor, "Login", f"Failed login as {email}: no such user", metadata, email)


def owner_is_safe(account: Account, actor: Actor) -> AuditEvent:
    """Fail to change the owner's role."""
    owner = account.cast.owner.email
    metadata = {"Role Name": "Viewer", "Changed For": owner, "Reason": "the owner's role cannot be changed"}
    return _refuse(
        account, actor, "Role changed", f"Denied: changing owner's role ({owner})", metadata, "Viewer"
    )


def no_capacity(account: Account, actor: Actor) -> AuditEvent:
    """Fail to deploy for want of hardware."""
    name, hardware = account.pick(BASE_MODELS), account.pick(HARDWARE)
    metadata = {
        "Model Name": name,
        "Model Type": "Open-source",
        "Hardware Type": hardware,
        "Reason": "no capacity",
    }
    description = f"Could not deploy {name}: no {hardware} is free"
    return _refuse(account, actor, "Model deployed", description, metadata, name)


def model_in_use(account: Account, actor: Actor) -> AuditEvent:
    """Fail to undeploy a model that something depends on."""
    used = [model for model in account.stock.deployed if model.uses]
    if not used:
        return no_capacity(account, actor)
    model = account.pick(used)
    reason = f"{model.uses} keys and agents still use it"
    metadata = {**model.metadata, **model.settings, "Reason": reason}
    return _refuse(
        account,
        actor,
        "Model undeployed",
        f"Denied: undeploying {model.name}, {reason}",
        metadata,
        model.name,
    )


def too_many_keys(account: Account, actor: Actor) -> AuditEvent:
    """Fail to create a key at the limit."""
    if not account.stock.deployed:
        return no_capacity(account, actor)
    model = account.pick(account.stock.deployed)
    metadata = {**model.metadata, "Reason": "key limit reached"}
    return _refuse(
        account, actor, "API Key created", f"Denied: key limit reached for {model.name}", metadata, model.name
    )


def may_not(account: Account, actor: Actor) -> AuditEvent:
    """Fail to create an experiment for want of the right."""
    name = account.pick(EXPERIMENT_SUBJECTS)
    role = actor.person.role if actor.person is not None else "Viewer"
    metadata = {"Experiment Name": name, "Reason": f"{role} may not create experiments"}
    return _refuse(
        account, actor, "Experiment created", f"Denied: {role} may not create experiments", metadata, name
    )


def bad_file(account: Account, actor: Actor) -> AuditEvent:
    """Fail to upload a broken file."""
    name = f"{account.pick(DATASET_SUBJECTS)}.csv"
    row = int(account.random() * 90_000) + 2
    reason = f"row {row:,} has {int(account.random() * 4) + 3} columns, expected 9"
    metadata = {"Dataset Name": name, "File Type": "csv", "Reason": reason}
    return _refuse(account, actor, "Dataset uploaded", f"Could not upload {name}: {reason}", metadata, name)


def empty_test_set(account: Account, actor: Actor) -> AuditEvent:
    """Fail to begin a fine-tuning run."""
    stock = account.stock
    if not stock.deployed or not stock.datasets:
        return bad_file(account, actor)
    model = account.pick(stock.deployed)
    metadata: dict[str, Any] = {
        **model.metadata,
        "Training Dataset": account.pick(stock.datasets),
        "Test Dataset": None,
        "Reason": "the test dataset is empty",
    }
    description = f"Could not fine-tune {model.name}: the test dataset is empty"
    return _refuse(account, actor, "Started fine-tuning", description, metadata, model.name)


def no_seats(account: Account, actor: Actor) -> AuditEvent:
    """Fail to invite at the limit of seats."""
    metadata = {"Role Name": "Viewer", "Reason": "no seats left"}
    return _refuse(account, actor, "User invited", "Could not invite 1 user: no seats left", metadata, None)


def _refuse(
    account: Account, actor: Actor, event: str, description: str, metadata: dict[str, Any], target: str | None
) -> AuditEvent:
    return account.record(actor, event, description, metadata, target, Outcome.FAILURE)


REFUSALS: dict[str, tuple[Act, ...]] = {
    ADMIN: (owner_is_safe, no_seats, too_many_keys),
    ENGINEER: (no_capacity, model_in_use, too_many_keys, empty_test_set),
    SCIENTIST: (bad_file, empty_test_set, may_not),
    BUILDER: (too_many_keys, may_not, bad_file),
    SECURITY: (owner_is_safe, too_many_keys),
    ANALYST: (may_not, bad_file),
    SERVICE: (no_capacity, model_in_use, bad_file),
}
"""The failures of each job."""
