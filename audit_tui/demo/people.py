"""The people of the demo account: who they are, where they sit, and their working days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import fsum
from typing import TYPE_CHECKING

from audit_tui.core.event import from_us, to_us
from audit_tui.demo.values import DAY_US, MINUTE_US, TABLES, WORDS

if TYPE_CHECKING:
    from audit_tui.demo.values import DemoValues


SATURDAY = 5
EU, US = "eu", "us"


@dataclass(frozen=True, slots=True)
class Site:
    """A place where people work."""

    name: str
    network: str
    """The first two numbers of its addresses."""
    offset_minutes: int
    """East of UTC, in winter."""
    summer_time: str
    share: float
    """The share of the staff that works there; the shares of all sites make 1."""

    def midnight_us(self, day: date) -> int:
        """When the day begins there.

        The summer time rules are written out (one switch a day early or late does no harm), so that the
        events do not depend on the machine's zone data.
        """
        offset = self.offset_minutes + 60 * _is_summer(self.summer_time, day)
        return midnight_us(day) - offset * MINUTE_US


SITES = tuple(Site(*row) for row in TABLES["people"]["sites"])


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A day and how many events fall on it."""

    index: int
    """0 for the first day of the record."""
    day: date
    events: int


def midnight_us(day: date) -> int:
    """The beginning of the day in UTC."""
    return to_us(datetime(day.year, day.month, day.day, tzinfo=UTC))


def last_afternoon(now: datetime) -> datetime:
    """Return the latest moment at which people of several sites worked: now, or the end of an afternoon.

    At night, and on days off, the newest events are those of a robot, which show nothing of an account.
    """
    moment = now.astimezone(UTC)
    first, last = (moment.replace(hour=hour, minute=30, second=0, microsecond=0) for hour in _AFTERNOON)
    while moment < first or _habit(moment.date()) < _LEAST_HABIT:
        first, last = first - timedelta(days=1), last - timedelta(days=1)
        moment = last
    return min(moment, last)


_AFTERNOON = (13, 16)
"""The hours of UTC in which Berlin, London and New York work."""
_LEAST_HABIT = 0.5


def day_plans(values: DemoValues, events: int) -> Iterator[DayPlan]:
    """The days of the record in order, their events adding up exactly.

    A thin record leaves days out rather than spread single events: what cannot fill a visit is kept for
    a later day.
    """
    # Not sum(): since Python 3.12 it rounds otherwise.
    total = fsum(weight for _, weight in _weighted_days(values))
    passed = 0.0
    handed_out = 0
    last = from_us(values.end_us - 1).date()
    for index, (day, weight) in enumerate(_weighted_days(values)):
        passed += weight
        due = events if day == last else min(events, int(events * (passed / total)))
        if due - handed_out >= _LEAST_A_DAY or day == last:
            yield DayPlan(index, day, due - handed_out)
            handed_out = due
        else:
            yield DayPlan(index, day, 0)


_LEAST_A_DAY = 4


def _weighted_days(values: DemoValues) -> Iterator[tuple[date, float]]:
    random = values.stream("days").random
    day = from_us(values.start_us).date()
    last = from_us(values.end_us - 1).date()
    start_us, end_us = values.start_us, values.end_us
    while day <= last:
        begins_us = midnight_us(day)
        inside_us = min(end_us, begins_us + DAY_US) - max(start_us, begins_us)
        age = (begins_us - start_us) / (end_us - start_us)
        growth = 0.6 + 0.4 * max(age, 0.0)
        yield day, _habit(day) * growth * (0.85 + 0.3 * random()) * (inside_us / DAY_US)
        day += timedelta(days=1)


def _habit(day: date) -> float:
    """The load of such a day, against a plain weekday."""
    weekday = day.weekday()
    busy = (
        0.13 if weekday == SATURDAY else 0.1 if weekday > SATURDAY else (0.95, 1.05, 1.1, 1.0, 0.85)[weekday]
    )
    if (day.month, day.day) >= (12, 24) or (day.month, day.day) in ((1, 1), (5, 1)):
        return busy * 0.3
    return busy * 0.8 if day.month == 8 else busy


def _is_summer(rule: str, day: date) -> bool:
    if rule == EU:
        return _last_sunday(day.year, 3) <= day < _last_sunday(day.year, 10)
    if rule == US:
        return _first_sunday(day.year, 3) + timedelta(days=7) <= day < _first_sunday(day.year, 11)
    return False


def _first_sunday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=6 - first.weekday())


def _last_sunday(year: int, month: int) -> date:
    """Of a month of 31 days."""
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


SERVICE_USER = "svc-deploy@acme.io"
"""The service account: one of the busiest users, and it never logs in, because it holds a token."""
NEVER_TOGETHER = ("Login", SERVICE_USER)
"""An event and a user that are both common and never occur together."""
INTRUDER_USER = "it-support@acme-help.example"
"""Whom the intruder invites; see ``incident``."""

ADMIN, SECURITY, ANALYST, SERVICE = "admin", "security", "analyst", "service"
_FIRST_NAMES, _LAST_NAMES, _CITIES = WORDS["first_names"], WORDS["last_names"], WORDS["cities"]
_JOBS: list[str] = TABLES["people"]["jobs"]
_FIRST_ROLES: dict[str, str] = TABLES["people"]["first_roles"]


@dataclass(slots=True, eq=False)
class Person:
    """A member of the account, or one who may become it."""

    rank: int
    """0 is the busiest; what is drawn follows Zipf's law over it."""
    email: str
    user_id: str
    job: str
    role: str
    site: Site
    join_day: int
    """The day of the record from which the person may be invited."""
    leave_day: int | None
    """The day from which the person comes no more and may be removed; None for those who stay."""
    start_minute: int
    """When the work begins, after midnight at the site."""
    work_minutes: int
    weekend_share: float
    """The share of a weekday's work that is done on a day of the weekend."""
    home_share: float
    """The share of the work that is done at home."""
    away: tuple[date, date] | None = None
    """A time without any work: the first day, and the day after the last."""
    is_member: bool = False
    open_sessions: int = 0
    """Visits that are planned or under way; whoever has one is not removed."""

    weight: float = field(init=False)
    """The share of the work on a weekday, against others."""
    weekend_weight: float = field(init=False)
    """The same on a day of the weekend."""

    def __post_init__(self) -> None:
        self.weight = 1.0 / (self.rank + 3)
        self.weekend_weight = self.weight * self.weekend_share

    def is_off(self, day: date) -> bool:
        """Tell whether this is a day without any work."""
        if self.away is not None and self.away[0] <= day < self.away[1]:
            return True
        # Holidays: about one block of ten days in thirteen, at times of one's own. The busiest takes none.
        return bool(self.rank) and scramble((day.toordinal() + self.rank * 7) // 10, self.rank) % 13 == 0

    def place(self, day: date, chance: float) -> tuple[str, str]:
        """The place from which the person works on this day: words, and the address.

        ``chance`` is a random number in [0, 1).
        """
        ordinal = day.toordinal()
        trip = scramble((ordinal + self.rank * 3) // 4, self.rank + 7919)
        if trip % 41 == 0:
            return _CITIES[trip // 41 % len(_CITIES)], f"198.18.{trip % 251}.{2 + trip // 251 % 250}"
        mark = scramble(self.rank, 104_729)
        if chance < self.home_share:
            if mark % 7 == 0:
                return "home", f"2001:db8:{mark >> 16:x}:{mark & 0xFFFF:x}::{2 + mark % 9:x}"
            return "home", f"100.{64 + mark % 64}.{mark // 64 % 256}.{2 + mark // 16_384 % 250}"
        if chance < self.home_share + 0.08:
            return "VPN", f"10.99.{mark % 16}.{2 + ordinal * 31 % 250}"
        return f"the {self.site.name} office", f"{self.site.network}.{mark % 8}.{2 + self.rank % 250}"


def scramble(first: int, second: int) -> int:
    """A number that looks random and is always the same for the same two (murmur3's finisher)."""
    mixed = (first * 0x9E3779B1 + second * 0x85EBCA77) & 0xFFFFFFFF
    mixed = ((mixed ^ mixed >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    mixed = ((mixed ^ mixed >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    return mixed ^ mixed >> 16


def short_id(kind: str, number: int) -> str:
    """An id such as ``m-4f19c2`` that no other number of the kind has."""
    if number < 1 << 24:
        return f"{kind}-{number * 0x9E3779 & 0xFFFFFF:06x}"
    return f"{kind}-{number * 0x9E3779B1 & 0xFFFFFFFF:08x}"


@dataclass(frozen=True, slots=True)
class Cast:
    """Everyone of the account; the named ones have parts to play."""

    owner: Person
    """There from the first event on; invites the others."""
    service: Person
    victim: Person
    """An administrator whose account is taken over."""
    security: Person
    """The person who clears up."""
    intruder: Person
    others: tuple[Person, ...]

    @property
    def invitees(self) -> tuple[Person, ...]:
        """The people who will be invited by an administrator, in order of joining."""
        people = (self.victim, self.security, self.service, *self.others)
        return tuple(sorted(people, key=lambda person: person.join_day))


def make_cast(values: DemoValues) -> Cast:
    """The people for these values."""
    random = values.stream("people").random
    count = values.users
    others = [_colleague(number, values.days, random) for number in range(count - 5)]
    return Cast(
        owner=_named("olivia@acme.io", 1, 9, ADMIN, random, role="Owner"),
        service=_named(SERVICE_USER, 2, 1, SERVICE, random),
        victim=_named("paula@acme.io", 3, 6, ADMIN, random),
        security=_named("sam@acme.io", 4, 11, SECURITY, random),
        intruder=_named(INTRUDER_USER, 5, 50, ADMIN, random),
        others=tuple(others),
    )


def email_of(number: int) -> str:
    """The address of the n-th colleague: first names, then full names, then full names with a number."""
    if number < len(_FIRST_NAMES):
        return f"{_FIRST_NAMES[number]}@acme.io"
    number -= len(_FIRST_NAMES)
    first = _FIRST_NAMES[number % len(_FIRST_NAMES)]
    # Stepping through the last names in step with the rounds pairs each first name with each of them once.
    turn, number_of_names = number // len(_FIRST_NAMES), len(_LAST_NAMES)
    last = _LAST_NAMES[(number % len(_FIRST_NAMES) * 7 + turn) % number_of_names]
    again = turn // number_of_names
    return f"{first}.{last}{again + 1 if again else ''}@acme.io"


def _named(
    email: str, number: int, rank: int, job: str, random: Callable[[], float], role: str | None = None
) -> Person:
    return Person(
        rank=rank,
        email=email,
        user_id=short_id("u", number),
        job=job,
        role=role or _FIRST_ROLES[job],
        site=SITES[0],
        join_day=0,
        leave_day=None,
        start_minute=8 * 60 + int(random() * 60),
        work_minutes=480,
        weekend_share=0.06,
        home_share=0.2,
    )


def _colleague(number: int, days: int, random: Callable[[], float]) -> Person:
    job = ADMIN if number % 17 == 16 else _JOBS[number % len(_JOBS)]
    # Half of the staff comes when the account is opened, the others one by one.
    early, moment = random(), random()
    join_day = int(days * moment * (0.03 if early < 0.45 or number < 12 else 0.95))
    is_owl = random() < 0.06 and job != SECURITY
    return Person(
        rank=number + 2 * (number > 0),
        email=email_of(number),
        user_id=short_id("u", number + 6),
        job=job,
        role=_FIRST_ROLES[job],
        site=_site(random()),
        join_day=join_day,
        leave_day=_leave_day(number, join_day, days, random),
        start_minute=(20 if is_owl else 8) * 60 + int(random() * 110),
        work_minutes=(300 if is_owl else 470) + int(random() * 70),
        weekend_share=0.7 if random() < 0.08 else 0.06,
        home_share=0.1 + 0.35 * random(),
    )


def _leave_day(number: int, join_day: int, days: int, random: Callable[[], float]) -> int | None:
    """One in eight leaves again, after three weeks at the earliest; the first ten stay."""
    leaving, moment = random(), random()
    earliest, latest = join_day + 20, days - 2
    if leaving > 0.12 or number < 10 or earliest >= latest:
        return None
    return earliest + int(moment * (latest - earliest))


def _site(chance: float) -> Site:
    for site in SITES:
        chance -= site.share
        if chance < 0:
            return site
    return SITES[0]
