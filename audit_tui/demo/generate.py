"""The events of a demo account, one after the other in time order.

Each day gets its number of events, the people who work that day share them out as visits, and the visits
are merged by the time of their next event. What is held is the people, what exists in the account (which
is bounded) and the visits of two days; never the events.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from heapq import heappop, heappush, heapreplace
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import from_us
from audit_tui.demo.account import Account, Actor, Visit, tell
from audit_tui.demo.acts import (
    OPENING,
    SCHEDULER,
    WORK,
    actor_for,
    invite,
    remove,
    take_idle_model,
    undeploy,
    wrong_password,
)
from audit_tui.demo.incident import Incident, incident_us
from audit_tui.demo.people import ADMIN, SATURDAY, SERVICE, day_plans, midnight_us
from audit_tui.demo.values import DAY_US, HOUR_US, MINUTE_US, TABLES

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.demo.people import DayPlan, Person
    from audit_tui.demo.values import DemoValues


_FAILURE_SHARE = 0.022
_WRONG_PASSWORD_SHARE = 0.05
_LOGOUT_SHARE = 0.65
_FIRST_STAFF = 3
"""The owner invites the administrator and the security officer before all else: the incident needs them."""
_LEAST_FOR_NEWCOMER = 3
_LUNCH_US = 50 * MINUTE_US


class Pace:
    """Moments in order: a number of them spread over a time, in bursts.

    No moment lies before the start, or at or after the end; nothing happens during a lunch.
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


_EARLIEST_US = 14 * HOUR_US
"""The earliest that a working day begins before midnight UTC: the site farthest east, an early riser."""
_USUAL_VISIT = 6.0
_TRIES = 8
"""The number of tries to find somebody on a day when chance brings nobody."""
_SHORTEST_US = 10 * MINUTE_US
_SERVICE_SHARE = 0.07
_BACKGROUND_SHARE = 0.012


def demo_events(values: DemoValues) -> Iterator[AuditEvent]:
    """Exactly ``values.events`` events in time order, the same for the same values, in constant memory."""
    account = Account(values)
    merger = _Merger(account)
    count = values.events
    start_us = incident_us(values)
    if start_us is not None:
        incident = Incident(account, start_us)
        count -= incident.left
        merger.add(incident)
    waiting = list(reversed(account.cast.invitees))
    for plan in day_plans(values, count):
        while waiting and waiting[-1].join_day <= plan.index:
            account.to_invite.append(waiting.pop())
        for visit in _visits_of(account, plan):
            merger.add(visit)
        # The next day is planned before anybody begins it; the second day only once there is somebody.
        early_us = _EARLIEST_US if len(account.members) > 1 else 0
        yield from merger.events_before(midnight_us(plan.day + timedelta(days=1)) - early_us)
    yield from merger.events_before(values.end_us)


class _Merger:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._added = 0
        self._heap: list[tuple[int, int, Visit]] = []

    def add(self, visit: Visit) -> None:
        # The running number decides between two of one time; visits themselves have no order.
        self._added += 1
        heappush(self._heap, (visit.due_us, self._added, visit))

    def events_before(self, end_us: int) -> Iterator[AuditEvent]:
        account, heap = self._account, self._heap
        while heap and heap[0][0] < end_us:
            due_us, number, visit = heap[0]
            account.now_us = due_us
            event, further = visit.act(account)
            if visit.left:
                heapreplace(heap, (visit.due_us, number, visit))
            else:
                heappop(heap)
            for each in further:
                self.add(each)
            yield event


def _visits_of(account: Account, plan: DayPlan) -> Iterator[Visit]:
    account.to_remove += [person for person in account.members if person.leave_day == plan.index]
    if plan.events == 0:
        return
    random, service = account.random, account.cast.service
    background = int(plan.events * _BACKGROUND_SHARE + random()) if service.is_member else 0
    steady = int(plan.events * _SERVICE_SHARE + random()) if service.is_member else 0
    steady = min(steady, plan.events - background)
    spells = _spells(account, plan, plan.events - background - steady)
    if not spells:
        steady = plan.events - background
    start_us = max(account.now_us, midnight_us(plan.day))
    end_us = min(account.values.end_us, midnight_us(plan.day) + DAY_US)
    if background:
        yield BackgroundVisit(start_us, end_us, background, account)
    if steady:
        # Whatever nobody else does, the service account does; before there is one, the owner.
        person = service if service.is_member else account.cast.owner
        yield WorkVisit(account, actor_for(account, person, plan.day), start_us, end_us, steady)
    for spell, count in _in_whole_numbers(spells, plan.events - background - steady):
        actor = actor_for(account, spell.person, plan.day)
        yield WorkVisit(account, actor, spell.start_us, spell.end_us, count, spell.lunch_us)


class _Spell(NamedTuple):
    person: Person
    start_us: int
    end_us: int
    lunch_us: int
    events: float


def _spells(account: Account, plan: DayPlan, events: int) -> list[_Spell]:
    index, day, random = plan.index, plan.day, account.random
    is_weekend = day.weekday() >= SATURDAY
    efforts = [
        (person, person.weekend_weight if is_weekend else person.weight)
        for person in account.members
        if person.job != SERVICE and (person.leave_day is None or index < person.leave_day)
    ]
    spells = []
    # Not sum(): since Python 3.12 it rounds otherwise.
    whole = fsum(effort for _, effort in efforts)
    for person, effort in efforts:
        # Who has little to do comes on some days and does a handful of things, rather than one each day.
        share = events * effort / whole
        if share >= _USUAL_VISIT:
            spell = _spell(account, person, day, share * (0.6 + 0.8 * random()))
        elif random() * _USUAL_VISIT < share:
            spell = _spell(account, person, day, _USUAL_VISIT * (0.4 + 1.2 * random()))
        else:
            continue
        if spell is not None:
            spells.append(spell)
    for _ in range(_TRIES if events and not spells else 0):
        person = account.pick(efforts)[0]
        spell = _spell(account, person, day, events)
        if spell is not None:
            return [spell]
    return spells


def _spell(account: Account, person: Person, day: date, events: float) -> _Spell | None:
    """The person's working time on this day, as far as it lies in the record; None if none of it does."""
    if person.is_off(day):
        return None
    midnight = person.site.midnight_us(day)
    start_us = midnight + person.start_minute * MINUTE_US + int(account.random() * 25 * MINUTE_US)
    end_us = start_us + person.work_minutes * MINUTE_US
    inside_start_us = max(start_us, account.now_us)
    inside_end_us = min(end_us, account.values.end_us)
    if inside_end_us - inside_start_us < _SHORTEST_US:
        return None
    lunch_us = midnight + 12 * HOUR_US + person.rank % 5 * 10 * MINUTE_US
    events *= (inside_end_us - inside_start_us) / (end_us - start_us)
    return _Spell(person, inside_start_us, inside_end_us, lunch_us, events)


def _in_whole_numbers(spells: list[_Spell], total: int) -> Iterator[tuple[_Spell, int]]:
    """The spells with whole numbers of events that add up to the total; those with none left out."""
    whole = 0.0
    for spell in spells:
        whole += spell.events
    passed, handed_out = 0.0, 0
    for spell in spells:
        passed += spell.events
        due = int(total * (passed / whole))
        if due > handed_out:
            yield spell, due - handed_out
        handed_out = due
