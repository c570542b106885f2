"""The incident of the demo account.

About two and a half weeks before the end of the record, on a Wednesday at 01:47 UTC, somebody at
192.0.2.66 (an address that occurs nowhere else) guesses passwords, the last ones for Paula, an
administrator who is on holiday that week. Then, within an hour and a quarter:

1. a login as paula@acme.io,
2. a new role, Maintenance, with every permission,
3. it-support@acme-help.example is invited, logs in, and is given that role,
4. it creates three API keys, undeploys the two guardrails that stood longest, uploads a dataset and
   creates an agent,
5. it tries to change the owner's role, and is denied,
6. it deletes the agent again; both log out.

Six hours later sam@acme.io takes it back: keys, user and role are deleted, the guardrails deployed again,
and Paula is a viewer from then on. ``User is it-support@acme-help.example`` finds the middle of it,
``Event is Role created`` or ``Event is User invited`` its beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.event import AuditEvent, from_us
from audit_tui.demo.account import Account, Actor, Model, Named
from audit_tui.demo.acts import (
    assign,
    change,
    create_role,
    delete_role,
    deploy_guardrail,
    record_agent,
    record_key,
    record_upload,
    undeploy_guardrail,
)
from audit_tui.demo.days import midnight_us
from audit_tui.demo.membership import (
    actor_for,
    log_in,
    log_out,
    record_invitation,
    record_removal,
)
from audit_tui.demo.people import ANALYST
from audit_tui.demo.refusals import owner_is_safe, unknown_account, wrong_password
from audit_tui.demo.values import DAY_US, MINUTE_US

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.demo.values import DemoValues
    from audit_tui.demo.visits import Visit

INTRUDER_IP = "192.0.2.66"
ROLE = "Maintenance"
LEAST_EVENTS = 500
LEAST_DAYS = 3
_WEDNESDAY = 2
_TIME_OF_DAY_US = 107 * MINUTE_US
_Step: TypeAlias = tuple[float, Callable[[Account], AuditEvent]]
"""Minutes after the beginning, and what is done then."""


def incident_us(values: DemoValues) -> int | None:
    """When the incident begins; None when the record is too small to hold one."""
    if values.events < LEAST_EVENTS or values.days < LEAST_DAYS:
        return None
    if values.days < 24:
        middle_us = values.end_us - values.days * DAY_US // 2 - _TIME_OF_DAY_US
        return midnight_us(from_us(middle_us).date()) + _TIME_OF_DAY_US
    day = from_us(values.end_us).date() - timedelta(days=20)
    day += timedelta(days=(_WEDNESDAY - day.weekday()) % 7)
    return midnight_us(day) + _TIME_OF_DAY_US


class Incident:
    """The incident as a visit: a script of moments and acts.

    Args:
        account: Where it happens.
        start_us: When it begins.
    """

    def __init__(self, account: Account, start_us: int) -> None:
        self._cast = cast = account.cast
        day = from_us(start_us).date()
        cast.victim.away = (day - timedelta(days=6), day + timedelta(days=5))
        place = "a network not seen before"
        self._nobody = Actor(None, place, INTRUDER_IP, "console")
        self._victim = Actor(cast.victim.email, place, INTRUDER_IP, "console", cast.victim)
        self._intruder = Actor(cast.intruder.email, place, INTRUDER_IP, "console", cast.intruder)
        self._cleaner = actor_for(account, cast.security, day)
        self._start_us = start_us
        self._keys: list[Model] = []
        self._guardrails: list[Named] = []
        self._roles: list[Named] = []
        self._agent = Named("", "Log exporter")
        self._script = (*self._break_in(), *self._damage(), *self._clear_up())
        self._done = 0

    @property
    def left(self) -> int:
        """The number of events that are still to come."""
        return len(self._script) - self._done

    @property
    def due_us(self) -> int:
        """When its next event happens."""
        return self._start_us + int(self._script[self._done][0] * MINUTE_US)

    def act(self, account: Account) -> tuple[AuditEvent, Sequence[Visit]]:
        """Do the next thing of the script."""
        step = self._script[self._done][1]
        self._done += 1
        return step(account), ()

    def _break_in(self) -> tuple[_Step, ...]:
        victim, owner = self._cast.victim, self._cast.owner
        return (
            (0.0, lambda account: unknown_account(account, self._nobody)),
            (0.4, lambda account: wrong_password(account, self._nobody, owner)),
            (1.1, lambda account: wrong_password(account, self._nobody, victim)),
            (1.3, lambda account: wrong_password(account, self._nobody, victim)),
            (1.6, lambda account: wrong_password(account, self._nobody, victim)),
            (4.2, lambda account: wrong_password(account, self._nobody, victim)),
            (6.0, lambda account: log_in(account, self._victim, severity=3)),
            (9.5, lambda account: create_role(account, self._victim, ROLE, self._roles, severity=4)),
            (
                12.1,
                lambda account: record_invitation(account, self._victim, [self._cast.intruder], severity=4),
            ),
            (15.0, lambda account: log_in(account, self._intruder, severity=3)),
            (17.2, lambda account: assign(account, self._victim, self._cast.intruder, ROLE, severity=4)),
        )

    def _damage(self) -> tuple[_Step, ...]:
        return (
            (21.4, self._create_key),
            (21.9, self._create_key),
            (22.5, self._create_key),
            (31.0, self._undeploy_guardrail),
            (31.6, self._undeploy_guardrail),
            (36.3, self._upload),
            (41.8, self._create_agent),
            (52.7, lambda account: owner_is_safe(account, self._intruder)),
            (63.5, self._delete_agent),
            (66.0, lambda account: log_out(account, self._intruder)),
            (68.2, lambda account: log_out(account, self._victim)),
        )

    def _clear_up(self) -> tuple[_Step, ...]:
        return (
            (365.0, self._demote_victim),
            (366.2, lambda account: record_removal(account, self._cleaner, [self._cast.intruder])),
            (368.0, self._delete_key),
            (368.3, self._delete_key),
            (368.7, self._delete_key),
            (371.4, lambda account: delete_role(account, self._cleaner, self._roles.pop())),
            (374.0, self._deploy_guardrail),
            (374.8, self._deploy_guardrail),
        )

    def _create_key(self, account: Account) -> AuditEvent:
        model = account.pick(account.stock.deployed)
        # A use of its own: the model stays, and nobody else finds the key in the stock.
        model.uses += 1
        self._keys.append(model)
        return record_key(account, self._intruder, "API Key created", model)

    def _delete_key(self, account: Account) -> AuditEvent:
        model = self._keys.pop()
        model.uses -= 1
        return record_key(account, self._cleaner, "API Key deleted", model)

    def _undeploy_guardrail(self, account: Account) -> AuditEvent:
        gone = min(account.stock.guardrails, key=lambda guardrail: guardrail.since_us)
        account.stock.guardrails.remove(gone)
        self._guardrails.append(gone)
        return undeploy_guardrail(account, self._intruder, gone, severity=4)

    def _deploy_guardrail(self, account: Account) -> AuditEvent:
        return deploy_guardrail(account, self._cleaner, self._guardrails.pop())

    def _upload(self, account: Account) -> AuditEvent:
        return record_upload(account, self._intruder, "customer-export-all.jsonl", "jsonl", 1_204_331)

    def _create_agent(self, account: Account) -> AuditEvent:
        self._agent = Named(account.new_id("a"), "Log exporter", model=self._keys[-1])
        return record_agent(account, self._intruder, "Agent created", self._agent)

    def _delete_agent(self, account: Account) -> AuditEvent:
        return record_agent(account, self._intruder, "Agent deleted", self._agent)

    def _demote_victim(self, account: Account) -> AuditEvent:
        victim = self._cast.victim
        victim.job = ANALYST
        return change(account, self._cleaner, victim, "Viewer")
