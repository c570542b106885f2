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

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, from_us
from audit_tui.demo.account import Account, Actor, Model, Named, Visit, tell
from audit_tui.demo.acts import (
    actor_for,
    create_role,
    deploy_guardrail,
    record_invitation,
    record_removal,
    record_upload,
    undeploy_guardrail,
    wrong_password,
)
from audit_tui.demo.people import ANALYST, midnight_us
from audit_tui.demo.values import DAY_US, MINUTE_US, TABLES

if TYPE_CHECKING:
    from audit_tui.demo.values import DemoValues

INTRUDER_IP = "192.0.2.66"
ROLE = "Maintenance"
LEAST_EVENTS = 500
LEAST_DAYS = 3
_WEDNESDAY = 2
_TIME_OF_DAY_US = 107 * MINUTE_US
_STEPS = TABLES["incident"]["steps"]


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
    """The incident as a visit: a script of moments and acts."""

    def __init__(self, account: Account, start_us: int) -> None:
        self._account = account
        self._cast = cast = account.cast
        day = from_us(start_us).date()
        cast.victim.away = (day - timedelta(days=6), day + timedelta(days=5))
        place = "a network not seen before"
        self._actors = {
            "nobody": Actor(None, place, INTRUDER_IP, "console"),
            "victim": Actor(cast.victim.email, place, INTRUDER_IP, "console", cast.victim),
            "intruder": Actor(cast.intruder.email, place, INTRUDER_IP, "console", cast.intruder),
            "cleaner": actor_for(account, cast.security, day),
        }
        self._start_us = start_us
        self._keys: list[Model] = []
        self._guardrails: list[Named] = []
        self._roles: list[Named] = []
        self._agent = Named("", "Log exporter")
        self._done = 0
        self._acts: dict[str, Callable[[Actor, int | None], AuditEvent]] = {
            "guess_owner": lambda actor, _: wrong_password(account, actor, cast.owner),
            "guess_victim": lambda actor, _: wrong_password(account, actor, cast.victim),
            "create_role": lambda actor, bad: create_role(account, actor, ROLE, self._roles, severity=bad),
            "invite": lambda actor, bad: record_invitation(account, actor, [cast.intruder], severity=bad),
            "assign": lambda actor, bad: tell(
                account, actor, "assign", severity=bad, member=cast.intruder, role=ROLE
            ),
            "create_key": self._create_key,
            "undeploy_guardrail": self._undeploy_guardrail,
            "upload": lambda actor, _: record_upload(
                account, actor, "customer-export-all.jsonl", "jsonl", 1_204_331
            ),
            "create_agent": self._create_agent,
            "delete_agent": lambda actor, _: tell(account, actor, "delete_agent", thing=self._agent),
            "demote": self._demote,
            "remove": lambda actor, _: record_removal(account, actor, [cast.intruder]),
            "delete_key": self._delete_key,
            "delete_role": lambda actor, _: tell(account, actor, "delete_role", thing=self._roles.pop()),
            "deploy_guardrail": lambda actor, _: deploy_guardrail(account, actor, self._guardrails.pop()),
        }

    @property
    def left(self) -> int:
        """The number of events that are still to come."""
        return len(_STEPS) - self._done

    @property
    def due_us(self) -> int:
        """When its next event happens."""
        return self._start_us + int(_STEPS[self._done][0] * MINUTE_US)

    def act(self, account: Account) -> tuple[AuditEvent, Sequence[Visit]]:
        """Do the next thing of the script."""
        _, who, what, *bad = _STEPS[self._done]
        self._done += 1
        actor, severity = self._actors[who], bad[0] if bad else None
        if what in self._acts:
            return self._acts[what](actor, severity), ()
        return tell(account, actor, what, severity=severity), ()

    def _create_key(self, actor: Actor, _: int | None) -> AuditEvent:
        model = self._account.pick(self._account.stock.deployed)
        # A use of its own: the model stays, and nobody else finds the key in the stock.
        model.uses += 1
        self._keys.append(model)
        return tell(self._account, actor, "create_key", model=model)

    def _delete_key(self, actor: Actor, _: int | None) -> AuditEvent:
        model = self._keys.pop()
        model.uses -= 1
        return tell(self._account, actor, "delete_key", model=model)

    def _undeploy_guardrail(self, actor: Actor, severity: int | None) -> AuditEvent:
        guardrails = self._account.stock.guardrails
        gone = min(guardrails, key=lambda guardrail: guardrail.since_us)
        guardrails.remove(gone)
        self._guardrails.append(gone)
        return undeploy_guardrail(self._account, actor, gone, severity)

    def _create_agent(self, actor: Actor, _: int | None) -> AuditEvent:
        self._agent = Named(self._account.new_id("a"), "Log exporter", model=self._keys[-1])
        return tell(self._account, actor, "create_agent", thing=self._agent)

    def _demote(self, actor: Actor, _: int | None) -> AuditEvent:
        victim = self._cast.victim
        victim.job = ANALYST
        before, victim.role = victim.role, "Viewer"
        return tell(self._account, actor, "change", member=victim, role="Viewer", before=before)
