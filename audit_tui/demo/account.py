"""The state of the demo account: who is a member, what exists, and the record of what is done to it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.recording import catalogue
from audit_tui.demo.people import make_cast, short_id
from audit_tui.demo.values import TABLES, WORDS

if TYPE_CHECKING:
    from audit_tui.demo.people import Cast, Person
    from audit_tui.demo.values import DemoValues


Thing = TypeVar("Thing")

OPEN_SOURCE, EXTERNAL = "Open-source", "External"

_SEVERITIES = {event: int(severity) for severity, events in TABLES["severities"].items() for event in events}
_UNTOLD_SHARE = 0.012


@dataclass(slots=True, eq=False)
class Model:
    """A deployed open-source model, or an external one that was added."""

    model_id: str
    name: str
    kind: str
    settings: dict[str, Any]
    """The place where it is deployed; empty for an external one."""
    since_us: int
    uses: int = 0
    """The things that depend on it now: a model in use is not taken away."""

    @property
    def metadata(self) -> dict[str, Any]:
        """The three names that most events of a model carry."""
        return {"Model ID": self.model_id, "Model Name": self.name, "Model Type": self.kind}


@dataclass(slots=True, eq=False)
class Named:
    """An agent, experiment, guardrail, integration or custom role."""

    thing_id: str
    name: str
    kind: str = ""
    """An integration's type, a guardrail's hardware."""
    since_us: int = 0
    model: Model | None = None


@dataclass(slots=True)
class Actor:
    """Somebody at a place: what every event of a visit has in common."""

    user: str | None
    """The text of the user column; None for an unknown or the system."""
    place: str
    """In words, for descriptions."""
    ip: str | None
    source: str
    person: Person | None = None
    metadata: dict[str, Any] = field(init=False)
    """The names that every event of the catalogue carries, as far as they are known."""

    @property
    def role(self) -> str:
        """The role of the person; a viewer's where nobody is known."""
        return "Viewer" if self.person is None else self.person.role

    def __post_init__(self) -> None:
        self.metadata = {}
        if self.person is not None:
            self.metadata["User ID"] = self.person.user_id
        if self.ip is not None:
            self.metadata["IP Address"] = self.ip


@dataclass(slots=True)
class Stock:
    """The things that exist, by kind. Bounded, whatever the number of events: see ``acts``."""

    deployed: list[Model] = field(default_factory=list)
    external: list[Model] = field(default_factory=list)
    keys: list[Model] = field(default_factory=list)
    """The model of each API key."""
    agents: list[Named] = field(default_factory=list)
    experiments: list[Named] = field(default_factory=list)
    guardrails: list[Named] = field(default_factory=list)
    integrations: list[Named] = field(default_factory=list)
    roles: list[Named] = field(default_factory=list)
    datasets: deque[str] = field(default_factory=lambda: deque(maxlen=200))
    """The names of those uploaded last."""


class Account:
    """The account at one moment, and the pen that writes its record."""

    def __init__(self, values: DemoValues) -> None:
        self.values = values
        self.random: Callable[[], float] = values.stream("acts").random
        self.cast: Cast = make_cast(values)
        self.stock = Stock()
        self.now_us = values.start_us
        self.members: list[Person] = [self.cast.owner]
        self.cast.owner.is_member = True
        self.to_invite: deque[Person] = deque()
        self.to_remove: list[Person] = []
        self.opening = 0
        """The number of the first things that were done; see ``acts.OPENING``."""
        self._written = 0
        self._things = 0
        self._key_prefix = values.fingerprint
        self._catalogue = {
            entry.event: (entry.category, entry.metadata[2:], _SEVERITIES.get(entry.event))
            for entry in catalogue()
        }

    def pick(self, things: Sequence[Thing]) -> Thing:
        """One of these, each as likely."""
        return things[int(self.random() * len(things))]

    def take(self, things: list[Thing]) -> Thing:
        """One of these, which is then no longer among them."""
        index = int(self.random() * len(things))
        things[index], things[-1] = things[-1], things[index]
        return things.pop()

    def new_id(self, kind: str) -> str:
        """An id that nothing else has."""
        self._things += 1
        return short_id(kind, self._things)

    def record(
        self,
        actor: Actor,
        event: str,
        description: str,
        metadata: dict[str, Any],
        target: str | None,
        outcome: Outcome = Outcome.SUCCESS,
        severity: int | None = None,
    ) -> AuditEvent:
        """The next event of the record, now.

        Without a severity it is what is usual for the event and outcome.
        """
        category, own_names, usual_severity = self._catalogue[event]
        metadata = {**actor.metadata, **metadata}
        if self.random() < _UNTOLD_SHARE:
            metadata.pop(self.pick(own_names), None)
        if severity is None:
            severity = usual_severity
            if outcome is Outcome.FAILURE and severity is not None:
                severity += 1
        self._written += 1
        return AuditEvent(
            event=event,
            occurred_us=self.now_us,
            key=f"{self._key_prefix}-{self._written}",
            category=category,
            user=actor.user,
            description=description,
            outcome=outcome,
            severity=severity,
            source_ip=actor.ip,
            target=target,
            source=actor.source,
            metadata=metadata,
        )


_ALONE = re.compile(r"\{([a-z_.]+)\}\Z")


def tell(
    account: Account,
    actor: Actor,
    name: str,
    /,
    *,
    severity: int | None = None,
    outcome: Outcome = Outcome.SUCCESS,
    **facts: Any,  # noqa: ANN401 - whatever the sentence names
) -> AuditEvent:
    """Record an act.

    Its texts, in ``account.toml``, name the facts; an act that fails there, fails.
    """
    act = TABLES["told"][name]
    draws = act.get("draws", ())
    if draws and draws[0][0] not in facts:
        drawn = draw(account, name)
        if drawn is None:
            return tell(account, actor, act["else"])
        facts |= drawn
    facts |= {"actor": actor, "account": account, "nothing": None}
    metadata: dict[str, Any] = {}
    for label, path, text in _entries(name):
        value: Any = text.format_map(facts) if path is None else _at(path, facts)
        if label:
            metadata[label] = value
        else:
            metadata |= value
    failure = Outcome.FAILURE if "fails" in act else outcome
    target = (
        _at(path, facts) if (path := _path(act["target"])) is not None else act["target"].format_map(facts)
    )
    return account.record(
        actor, act["event"], act["says"].format_map(facts), metadata, target, failure, severity
    )


def draw(account: Account, name: str) -> dict[str, Any] | None:
    """Return what chance decides of an act; None where nothing exists that it could act on."""
    draws = TABLES["told"][name]["draws"]
    sources = [_source(account, kind) for _, kind, *_ in draws]
    if not all(sources):
        return None
    return {
        key: kind + int(account.random() * most[0]) if most else account.pick(source)
        for (key, kind, *most), source in zip(draws, sources, strict=True)
    }


def _source(account: Account, name: str | int) -> Sequence[Any]:
    """The things that one is drawn from; a number stands for itself."""
    stock = account.stock
    if name == "@used":
        return [model for model in stock.deployed if model.uses]
    if isinstance(name, int):
        return (name,)
    things: Sequence[Any] = getattr(stock, name[1:]) if name.startswith("@") else WORDS[name]
    return things


@cache
def _entries(name: str) -> tuple[tuple[str, tuple[str, ...] | None, str], ...]:
    """The metadata of an act: of each the name, empty for all names of what is at the path, and the text."""
    entries = []
    for entry in TABLES["told"][name]["metadata"]:
        label, is_pair, text = entry.partition(" = ")
        text = text if is_pair else f"{{{entry[1:]}}}"
        entries.append((label if is_pair else "", _path(text), text))
    return tuple(entries)


@cache
def _path(text: str) -> tuple[str, ...] | None:
    """The steps of a place that stands alone; None for other texts."""
    alone = _ALONE.match(text)
    return None if alone is None else tuple(alone[1].split("."))


def _at(path: tuple[str, ...], facts: dict[str, Any]) -> Any:  # noqa: ANN401 - as its place has it
    value = facts[path[0]]
    for step in path[1:]:
        value = getattr(value, step)
    return value


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
