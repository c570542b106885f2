"""Actor, act, address and time of a record that says them in places of its own, by the words of its keys."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.formats.addresses import parsed_address
from audit_tui.formats.loose import written_out
from audit_tui.formats.outcomes import kind_of_field
from audit_tui.formats.tables import scores, table
from audit_tui.formats.values import NO_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.record import Fields

MAX_DEPTH = 5
MAX_LEAVES = 400
"""A record that has more is looked at no further."""
_LIST_ITEMS = 3
_MAX_NAME_CHARS = 200
_USUAL_CHARS = 64

_ADDRESS = re.compile(
    r"\[?(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f.]{0,15}){2,8})\]?"
    r"(?:(?::|#|p| port )\d+)?\Z"
)
_OF_DOERS = ("user", "actor", "author", "principal")
_WORDS = table("fields")
_FIELDS = {name: tuple(words.split()) for name, words in _WORDS["fields"].items()}
_OF_PEOPLE = frozenset(_FIELDS["people"])
_NOT_DOERS = _FIELDS["not_doers"]
_CONTENTS = frozenset(_FIELDS["contents"])
_DOERS = _FIELDS["doers"]
_DOERS_THEMSELVES = _FIELDS["doers_themselves"]
_PERSONS_NAMES = scores(_WORDS["persons_names"])
_EVENTS = scores(_WORDS["events"])
_ACTS = frozenset(_FIELDS["acts"])
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})
_OF_METHODS = 20
"""The score of fields that name an event only where they hold a method of HTTP."""
_THINGS = frozenset(_FIELDS["things"])
_THINGS_NAMES = scores(_WORDS["things_names"])
_HOSTS = frozenset(_FIELDS["hosts"])
_APPS = frozenset(_FIELDS["apps"])
_ENDS_IN = frozenset(_FIELDS["ends_in"])
_OF_THINGS = re.compile(
    r"(?:target|object|resource|item|entity|affected)\w*(?:name|label|path|user|email|id|key|repr)\Z"
    r"|(?:table|bucket|file|repo|repository|project|database|topic|policy|safe|queue)(?:name|path)\Z"
    r"|(?:source|entity)label\Z|dest(?:ination)?ip\Z|dstip\Z|resph\Z|dest(?:ination)?host\Z"
)
_FORWARDED = re.compile(
    r"(?:x-?forwarded-?for|x-?real-?ip|true-?client-?ip|(?:client|source|remote|actor|user)[-_ ]?ip\w*)\Z",
    re.IGNORECASE,
)
"""Names of values in lists of names and values that are addresses of who did it."""
_ALONE = {"name": 24, "subject": 15}
_PLAIN_PATHS = frozenset({"path", "uri", "url"})
_NAMED_KEYS = 4
_TIME = re.compile(
    r"(?:event|creat|occur|record|action|log|request|audit|generat|start|publish)?[a-z]{0,5}"
    r"(?:time(?:stamp)?|date(?:time)?|at|on)(?:utc|gmt|iso8601|derived|us|ms)?\Z"
    r"|utctime(?:stamp)?\Z|\w*(?:time|timestamp|datetime)(?:utc|iso8601)?\Z|\w*created(?:at|on|date)?\Z|epochseconds?\Z"
)
_NO_TIME = re.compile(
    r"expir|updat|modif|ingest|receiv|deliver|process|index|export|duration|elapsed|last|next|end|deferr|uptime|issue"
)


class Roles(NamedTuple):
    """The columns that the value at a path may fill: of each a score, 0 for none."""

    user: int
    source_ip: int
    event: int
    target: int
    time: int
    ending: str | None
    """The way in which it tells an end; None when it tells none."""


class Findings:
    """The columns of a record, each from the place that says it best."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.scores: dict[str, int] = {}
        self.endings: list[tuple[str, object]] = []
        self.times: list[tuple[int, object]] = []

    def offer(self, column: str, score: int, value: object) -> None:
        """Take a value when it is the best one up to now."""
        if score > self.scores.get(column, 0):
            self.scores[column], self.values[column] = score, value


def find(fields: Fields) -> Findings:
    """Look through a record, its objects and the first of each list."""
    findings = Findings()
    for path, value in _leaves(fields):
        roles = _roles_of(path)
        if roles.ending is not None:
            findings.endings.append((roles.ending, value))
        if roles.time and not isinstance(value, bool):
            findings.times.append((roles.time, value))
        if isinstance(value, bool) or value is None:
            continue
        text = str(value)
        if isinstance(value, str):
            text = text.partition(",")[0] if roles.source_ip else text
            if roles.source_ip and is_address(text):
                findings.offer("source_ip", roles.source_ip, text)
                continue
            is_act = roles.event > _OF_METHODS or text in METHODS
            if roles.event and is_act and 0 < len(text) <= _MAX_NAME_CHARS and not text[0].isdigit():
                findings.offer("event", roles.event, text)
        if (roles.user or roles.target) and _is_name(text):
            if roles.user and not is_address(text) and "://" not in text and "=" not in text:
                findings.offer("user", roles.user, text)
            findings.offer("target", roles.target, text)
    findings.times.sort(key=lambda entry: -entry[0])
    return findings


def is_address(text: str) -> bool:
    """Tell whether a text is an address of the internet, perhaps with a port, and not a clock or a card's."""
    return _ADDRESS.match(text) is not None and parsed_address(text) is not None


def _is_name(text: str) -> bool:
    return (
        0 < len(text) <= _MAX_NAME_CHARS
        and "\n" not in text
        and text[0] not in "{["
        and text.lower() not in NO_NAMES
    )


def _leaves(fields: Fields) -> Iterator[tuple[tuple[str, ...], object]]:
    waiting: list[tuple[tuple[str, ...], Any]] = [((), fields)]
    seen = 0
    for path, value in waiting:
        kind = type(value)
        if kind is str and value[:1] == "{":
            inner = written_out(value)
            kind, value = (kind, value) if inner is None else (dict, inner)
        if kind is dict:
            if len(path) < MAX_DEPTH and (named := _named_value(value)) is not None:
                waiting.append(((*path, named[0]), named[1]))
            elif len(path) < MAX_DEPTH:
                waiting.extend(((*path, key), inner) for key, inner in value.items())
        elif kind is list:
            waiting.extend((path, item) for item in value[:_LIST_ITEMS])
        else:
            seen += 1
            yield path, value
        if seen >= MAX_LEAVES or len(waiting) > 4 * MAX_LEAVES:
            return


def _named_value(item: Fields) -> tuple[str, object] | None:
    """The name and the value of an item that says both: ``{"key": "X-Forwarded-For", "value": "..."}``."""
    if "value" not in item or len(item) > _NAMED_KEYS or isinstance(item["value"], dict | list):
        return None
    name = next((item[key] for key in ("key", "name", "Name", "field") if key in item), None)
    return (name, item["value"]) if isinstance(name, str) and _FORWARDED.match(name) else None


def squash(name: str) -> str:
    """A field's name as names are compared: ``Event Name`` and ``event_name`` are ``eventname``."""
    return "".join(character for character in name.casefold() if character.isalnum())


def may_fill(name: str) -> list[str]:
    """Return the columns that a field of the record itself may fill."""
    roles = _roles_of((name,))
    return [column for column, score in zip(Roles._fields[:4], roles[:4], strict=True) if score]


def _roles_of(path: tuple[str, ...]) -> Roles:
    return _usual_roles(path) if sum(map(len, path)) <= _USUAL_CHARS * 2 else _NO_ROLES


_NO_ROLES = Roles(0, 0, 0, 0, 0, None)


@lru_cache(maxsize=16_384)
def _usual_roles(path: tuple[str, ...]) -> Roles:
    # Tables have the path to a value as the name of its column: actor.email.
    steps = tuple(squash(step) for key in path for step in key.split(".") if step) or ("",)
    if any("enrich" in step for step in steps):
        return _NO_ROLES  # what others know of an address or a name, not what happened
    leaf, parents = steps[-1], steps[:-1]
    depth = len(parents)
    return Roles(
        max(0, _user(leaf, parents) - 2 * depth),
        max(0, _source(leaf, parents) - 2 * depth),
        max(0, _event(leaf, parents) - 3 * depth),
        max(0, _target(leaf, parents) - 2 * depth),
        max(0, _time(leaf) - 5 * depth),
        kind_of_field(leaf) if all(map(_tells_end, parents)) else None,
    )


def _tells_end(step: str) -> bool:
    return step in _ENDS_IN or step.endswith(("auth", "event", "result", "response"))


def _user(leaf: str, parents: tuple[str, ...]) -> int:
    holder = parents[-1] if parents else ""
    is_actor = bool(parents) and (parents[0] in ("actor", "initiator") or parents == ("member",))
    if not is_actor and any(
        part in step for step in parents if step not in _OF_PEOPLE for part in _NOT_DOERS
    ):
        return 0
    score = 0
    if holder in _OF_PEOPLE or parents == ("member",) or holder.endswith(_OF_DOERS):
        score = _PERSONS_NAMES.get(leaf, 0)
    plain = leaf.replace("identity", "")  # no entity
    if any(part in plain for part in _NOT_DOERS):
        return score
    if leaf.endswith(_DOERS):
        score = max(score, 90)
    elif leaf == "issuer" and not parents:
        score = max(score, 35)
    elif leaf in ("email", "login", "uname") or leaf.endswith((*_DOERS_THEMSELVES, "upn")):
        score = max(score, 80)
    elif leaf.endswith(("userid", "actorid", "authorid", "authoraccountid", "identityid")):
        score = max(score, 40)
    elif leaf.endswith(("account", "accountname")) or leaf in ("authorkey", "accesskey", "auth"):
        score = max(score, 42 if leaf == "authorkey" else 30)
    doer = any(
        step.startswith(("actor", "initiat", "auth", "caller", "acting", "admin", "createdby", "performedby"))
        for step in (*parents, leaf)
    )
    if not _CONTENTS.isdisjoint(parents):
        score = max(1, score - 25) if score else 0  # what was written or asked for, rather than who did it
    return score + (8 if doer and score else 0)


def _source(leaf: str, parents: tuple[str, ...]) -> int:
    if leaf in _FIELDS["destinations"] or any(
        step.startswith(part) or step.endswith(part + "ip")
        for step in (leaf, *parents)
        for part in _FIELDS["not_sources"]
    ):
        return 0
    if leaf.endswith(("ip", "ips", "ipaddress", "address", "addr", "ipaddr", "forwardedfor", "v4", "v6")):
        score = 50
    elif leaf in _HOSTS:
        score = 30
    else:
        return 0
    names_source = any(part in step for step in (leaf, *parents) for part in _FIELDS["sources"])
    return score + (20 if names_source else 0) - (15 if "authdevice" in parents or "agent" in leaf else 0)


def _event(leaf: str, parents: tuple[str, ...]) -> int:
    holder = parents[-1] if parents else ""
    if holder in _ACTS and leaf in ("type", "name", "tag", "code"):
        return 62 if holder == "request" else 82
    if any(step in _OF_PEOPLE or step in _THINGS for step in parents) and holder != "resource":
        return 0
    return _EVENTS.get(leaf) or (
        70
        if leaf.endswith(("auditcategory", "auditaction", "eventaction", "actiontype", "operationtype"))
        else 0
    )


def _target(leaf: str, parents: tuple[str, ...]) -> int:
    if any(step in _OF_PEOPLE for step in parents[:1]):
        return 0
    if any(step in _THINGS or step.endswith("resource") for step in parents):
        return _THINGS_NAMES.get(leaf, 0)
    if parents and parents[-1] == "source" and leaf in ("itemname", "foldername", "filename"):
        return 60
    if leaf in ("object", "target", "resource") and parents:
        return 60
    if not parents and leaf in _ALONE:
        return _ALONE[leaf]
    if leaf == "devicename" or (leaf == "name" and parents[-1:] == ("device",)):
        return 22
    if leaf in _FIELDS["paths"] and (leaf not in _PLAIN_PATHS or "request" in "".join(parents)):
        return 21
    if leaf in ("name", "email", "id") and not _CONTENTS.isdisjoint(parents):
        return 20 if leaf == "id" else 23
    if leaf in _APPS or (
        parents and parents[-1] in ("application", "app") and leaf in ("name", "label", "displaylabel")
    ):
        return 30
    return 50 if _OF_THINGS.match(leaf) and not leaf.endswith("id") else 25 if _OF_THINGS.match(leaf) else 0


def _time(leaf: str) -> int:
    if leaf == "start":
        return 30
    if _NO_TIME.search(leaf) is not None or _TIME.match(leaf) is None:
        return 0
    return 90 if leaf.startswith(("event", "occur", "action")) else 80
