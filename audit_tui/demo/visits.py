"""Visits: somebody is there for a while and does a given number of things, one at a time.

A visit tells when its next event is due, so that any number of visits can be merged in time order while
each holds no more than its own state.
"""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING, Protocol

from audit_tui.core.event import from_us
from audit_tui.demo.account import Actor, tell
from audit_tui.demo.acts import OPENING, WORK, take_idle_model, undeploy
from audit_tui.demo.membership import SCHEDULER, actor_for, invite, remove, wrong_password
from audit_tui.demo.people import ADMIN, SERVICE
from audit_tui.demo.values import HOUR_US, MINUTE_US, TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.event import AuditEvent
    from audit_tui.demo.account import Account
    from audit_tui.demo.people import Person

_FAILURE_SHARE = 0.022
_WRONG_PASSWORD_SHARE = 0.05
_LOGOUT_SHARE = 0.65
_FIRST_STAFF = 3
"""The owner invites the administrator and the security officer before all else: the incident needs them."""
_LEAST_FOR_NEWCOMER = 3
_LUNCH_US = 50 * MINUTE_US


class Visit(Protocol):
    """A source of events, in time order."""

    @property
    def due_us(self) -> int:
        """When its next event happens."""
        ...

    @property
    def left(self) -> int:
        """The number of events that are still to come."""
        ...

    def act(self, account: Account) -> tuple[AuditEvent, Sequence[Visit]]:
        """Do the next thing at ``account.now_us``.

        Returns:
            The event, and the further visits that it gave rise to. ``left`` and ``due_us`` move on.
        """
        ...


class Pace:
    """Moments in order: a number of them spread over a time, in bursts.

    Args:
        start_us: No moment lies before it.
        end_us: No moment lies at or after it; later than the start.
        count: How many moments, at least 1.
        account: Gives the chance.
        lunch_us: When a pause begins during which nothing happens; None for no pause.
    """

    def __init__(
        self, start_us: int, end_us: int, count: int, account: Account, lunch_us: int | None = None
    ) -> None:
        has_lunch = lunch_us is not None and start_us < lunch_us < end_us - _LUNCH_US - HOUR_US
        self._lunch_us = lunch_us if lunch_us is not None and has_lunch else end_us
        self._end_us = end_us - _LUNCH_US if has_lunch else end_us
        self._at_us = start_us
        self._random = account.random
        self.left = count
        self.due_us = start_us
        self._step()

    def advance(self) -> None:
        """Count the moment that is due and go to the next."""
        self.left -= 1
        if self.left:
            self._step()

    def _step(self) -> None:
        # The square makes bursts with quiet between them. A third of the squares' mean times three keeps
        # the mean pace; the factor stays below 1, so the end is never reached. Only sums and products:
        # they give the same result on every machine.
        chance = self._random()
        left = self.left
        share = chance * chance * (left if left < 3 else 3) / (left + 1)
        self._at_us += int((self._end_us - self._at_us) * share)
        self.due_us = self._at_us if self._at_us < self._lunch_us else self._at_us + _LUNCH_US


class WorkVisit(Pace):
    """A person's working day, or part of it: a login, the work, often a logout."""

    def __init__(
        self,
        account: Account,
        actor: Actor,
        start_us: int,
        end_us: int,
        count: int,
        lunch_us: int | None = None,
    ) -> None:
        super().__init__(start_us, end_us, count, account, lunch_us)
        if actor.person is None:
            raise ValueError("work is done by somebody")
        self._person = person = actor.person
        person.open_sessions += 1
        self._actor = actor
        self._has_login = person.job == SERVICE
        self._ends_with_logout = not self._has_login and count > 2 and account.random() < _LOGOUT_SHARE

    def act(self, account: Account) -> tuple[AuditEvent, Sequence[Visit]]:
        """Do the next thing of the day."""
        further: Sequence[Visit] = ()
        if not self._has_login:
            event = self._log_in(account)
        elif self.left == 1 and self._ends_with_logout:
            event = tell(account, self._actor, "log_out")
        elif (
            self._person.job == ADMIN
            and account.to_invite
            and (len(account.members) < _FIRST_STAFF or account.random() < 0.5)
        ):
            event, further = self._invite(account)
        elif self._person.job == ADMIN and account.to_remove and account.random() < 0.3:
            event = self._remove(account)
        else:
            event = work(account, self._actor, self._person)
        self.advance()
        if not self.left:
            self._person.open_sessions -= 1
        return event, further

    def _log_in(self, account: Account) -> AuditEvent:
        if self.left > 2 and account.random() < _WRONG_PASSWORD_SHARE:
            return wrong_password(account, self._actor)
        self._has_login = True
        return tell(account, self._actor, "log_in")

    def _invite(self, account: Account) -> tuple[AuditEvent, Sequence[Visit]]:
        """Invite those who wait; most come at once and take over some of the inviter's events."""
        most = 1 + int(account.random() * 8)
        people = [account.to_invite.popleft()]
        while account.to_invite and len(people) < most and account.to_invite[0].role == people[0].role:
            people.append(account.to_invite.popleft())
        count = len(people)
        event = invite(account, self._actor, people)
        share = (self.left - 1) // (count + 2)
        start_us = account.now_us + 5 * MINUTE_US
        if share < _LEAST_FOR_NEWCOMER or start_us >= self._end_us:
            return event, ()
        self.left -= share * count
        day = from_us(account.now_us).date()
        return event, [
            WorkVisit(account, actor_for(account, person, day), start_us, self._end_us, share)
            for person in people
        ]

    def _remove(self, account: Account) -> AuditEvent:
        gone = [
            person for person in account.to_remove if not person.open_sessions and person is not self._person
        ]
        if not gone:
            return work(account, self._actor, self._person)
        return remove(account, self._actor, gone[:3])


class BackgroundVisit(Pace):
    """The events without a user: guesses at passwords from outside, and the account's own scheduler."""

    def act(self, account: Account) -> tuple[AuditEvent, Sequence[Visit]]:
        """A guess, or something that the scheduler does."""
        idle = take_idle_model(account) if account.random() < 0.3 else None
        if idle is not None:
            event = undeploy(account, SCHEDULER, idle, " by the idle timeout")
        else:
            bot = f"203.0.113.{int(account.random() * 250) + 2}"
            event = tell(account, Actor(None, "an unknown network", bot, "console"), "unknown_account")
        self.advance()
        return event, ()


def work(account: Account, actor: Actor, person: Person) -> AuditEvent:
    """Do one thing of the person's job; now and then it is refused."""
    if account.opening < len(OPENING):
        account.opening += 1
        return OPENING[account.opening - 1](account, actor)
    job = person.job
    if account.random() < _FAILURE_SHARE:
        return tell(account, actor, account.pick(TABLES["refusals"][job]))
    acts, sums = WORK[job]
    return acts[bisect(sums, account.random() * sums[-1])](account, actor)
