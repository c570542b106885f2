"""The thing that a CloudTrail event acted upon, and the sentence that tells it."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.tables import table
from audit_tui.formats.values import dig, word_list
from audit_tui.formats.words.english import JOINTS, Act, act_of, singular, told, with_reason, words_of
from audit_tui.formats.words.patterns import narrate

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

_OWN_NAMES = frozenset({"name", "arn", "id"})
"""These name what the event is called after: DeleteTrail with a ``name``."""
_ANY_NAMES = _OWN_NAMES | {"resourcearn", "resourceid", "resource", "target", "resourcename"}
_ID_SUFFIX = re.compile(r"(Name|Names|Id|Ids|ID|Arn|Arns|ARN|Identifier|Set|List)\Z")
_NEW_THINGS = frozenset({"run", "create", "register", "allocate", "copy", "request", "import"})
_JOINING = frozenset({"attach", "associate", "detach", "disassociate"})
_HOLDERS = ("role", "user", "group")
"""The holders of a policy, a key, a profile: more telling than the id of what they hold."""
_ASPECTS = word_list("ing statu status policy config configuration attribute setting version selector")
"""Nouns that are of something that has the name."""
_REFUSED = re.compile(r"on resource: (arn:[^\s,\"']+)")
_ENCODED = re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL)
_SHOWN_NAMES = 3
_EXACT, _PART, _ANY, _SOME = range(4)


@cache
def _word_set(name: str) -> frozenset[str]:
    return frozenset(table("cloudtrail")[name])


class Scene(NamedTuple):
    """The facts of an event before it is told."""

    fields: Fields
    name: str
    """eventName, whole."""
    service: str
    """eventSource without its suffix."""


def short_name(arn: str) -> str:
    """The name at the end of an ARN; what is not an ARN stays as it is."""
    if not arn.startswith("arn:"):
        return arn
    parts = arn.split(":", 5)
    if len(parts) < 6 or not parts[5]:
        return arn
    service, rest = parts[2], parts[5]
    if service == "s3":
        return rest
    if service == "iam":
        return rest.rpartition("/")[2] or rest
    kind = re.match(r"[A-Za-z-]+([:/])", rest)
    if kind is None:
        return rest
    name = rest[kind.end() :]
    return f"/{name}" if service == "ssm" and rest.startswith("parameter/") and "/" in name else name


@lru_cache(maxsize=4_096)
def _stem(key: str) -> str:
    """The kind of thing that a parameter names: ``dBInstanceIdentifier`` names a ``dbinstance``."""
    return singular(_ID_SUFFIX.sub("", key).lower())


@lru_cache(maxsize=4_096)
def _noun_stem(noun: tuple[str, ...]) -> str:
    return singular("".join(noun).lower())


@lru_cache(maxsize=16_384)
def _rank(key: str, noun_stem: str) -> int | None:
    """Rate how well a parameter names what is acted upon; None when it names something else."""
    if key in _word_set("never"):
        return None
    stem = _stem(key)
    has_suffix = stem != singular(key.lower())
    if stem and stem == noun_stem:
        return _EXACT
    if key in _word_set("by_the_way"):
        return None
    if stem and has_suffix and (stem in noun_stem or (noun_stem and noun_stem in stem)):
        return _PART
    if key.lower() in _ANY_NAMES:
        return _ANY
    return _SOME if has_suffix else None


def _names_in(value: object, stem: str) -> str | None:
    """The name or names that a parameter gives: a text, a list of them, an EC2 set of ids."""
    if isinstance(value, str):
        return short_name(value) if value and len(value) <= 512 and not value.isspace() else None
    if isinstance(value, dict):
        value = value.get("items")
    if not isinstance(value, list) or not value:
        return None
    names = [name for name in (_item_name(item, stem) for item in value[:_SHOWN_NAMES]) if name]
    if not names:
        return None
    more = len(value) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def _item_name(item: object, stem: str) -> str | None:
    if isinstance(item, str):
        return short_name(item) or None
    if isinstance(item, dict):
        for key, value in item.items():
            if isinstance(value, str) and value and _stem(key) == stem and key.lower() != stem:
                return value
    return None


def _best(params: object, noun_stem: str) -> tuple[int, str, str] | None:
    """The parameter that names best what is acted upon: its rank, what it names, the name."""
    if not isinstance(params, dict):
        return None
    best: tuple[int, str, str] | None = None
    for key, value in params.items():
        rank = _rank(key, noun_stem)
        if rank is None or (best is not None and rank >= best[0]):
            continue
        stem = _stem(key)
        name = _names_in(value, stem)
        if name is not None:
            best = (rank, stem, name)
            if rank == _EXACT:
                break
    return best


def _resource(scene: Scene, noun_stem: str) -> tuple[int, str, str] | None:
    """The resource that the record lists: the one that the event is called after, else the first."""
    resources = scene.fields.get("resources")
    if not isinstance(resources, list):
        return None
    arns = [
        arn
        for resource in resources[:20]
        if isinstance(resource, dict)
        and isinstance(arn := resource.get("ARN", resource.get("arn")), str)
        and arn
    ]
    for arn in arns:
        if _is_of(arn, noun_stem):
            return _EXACT, "", short_name(arn)
    return (_SOME, "", short_name(arns[0])) if arns else None


def _refused(scene: Scene, noun_stem: str) -> tuple[int, str, str] | None:
    """The resource that the refusal of a request names."""
    message = scene.fields.get("errorMessage")
    match = _REFUSED.search(message) if isinstance(message, str) else None
    if match is None:
        return None
    return (_EXACT if _is_of(match[1], noun_stem) else _SOME), "", short_name(match[1])


def _is_of(arn: str, noun_stem: str) -> bool:
    if noun_stem == "object" and ":s3:::" in arn:
        return "/" in arn  # the only kind of thing that its ARN does not name
    return bool(noun_stem) and f":{noun_stem}" in arn.lower().replace("-", "")


class _Found(NamedTuple):
    """The thing that an event acted upon, and the words that tell it after the verb."""

    name: str
    words: str


def _noun_parts(noun: tuple[str, ...]) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """A noun divided at its joint: (user, to, group) is (user,), "to", (group,)."""
    for place, word in enumerate(noun):
        if word in JOINTS and 0 < place < len(noun) - 1:
            return noun[:place], word, noun[place + 1 :]
    return noun, "", ()


def _find(scene: Scene, act: Act) -> _Found | None:
    params = _params(scene)
    first, joint, second = _noun_parts(act.noun)
    pair = _two_things(params, act, first, joint, second)
    if pair is not None:
        return pair
    stem = _noun_stem(second or first)
    best = _best(params, stem)
    if act.verb in _NEW_THINGS and (best is None or (best[0] > _PART and best[1] not in _HOLDERS)):
        best = _made(scene, stem) or best
    if best is None or best[0] > _PART:
        best = _resource(scene, stem) or best or _refused(scene, stem)
    if best is None:
        best = _best(scene.fields.get("additionalEventData"), stem) or _filtered(params)
    if best is None:
        return None
    rank, named, name = best
    if named == "bucket" and isinstance(key := params.get("key"), str) and key:
        name = f"{name}/{key}"
        rank = _EXACT if stem == "object" else rank
    return _Found(name, _words(act, name, params, is_noun=rank == _EXACT or _names(named, stem)))


def _filtered(params: Fields) -> tuple[int, str, str] | None:
    """The things that a list was asked for by their ids or names."""
    items = dig(params, ("filterSet", "items"))
    for item in items if isinstance(items, list) else ():
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name.endswith(("-id", "-name")):
            values = dig(item, ("valueSet", "items"))
            texts = [dig(value, ("value",)) for value in values] if isinstance(values, list) else []
            names = _names_in([text for text in texts if isinstance(text, str)], "")
            if names is not None:
                return _SOME, "", names
    return None


def _params(scene: Scene) -> Fields:
    """The parameters of the request, which EC2 sometimes wraps once more."""
    params = scene.fields.get("requestParameters")
    if not isinstance(params, dict):
        return {}
    inner = params.get(f"{scene.name}Request")
    return inner if isinstance(inner, dict) else params


def _names(named: str, noun_stem: str) -> bool:
    """Tell whether a parameter that names a ``group`` names the thing itself: a ``securitygroup``."""
    if named in _OWN_NAMES:
        return bool(noun_stem) and not noun_stem.endswith(_ASPECTS)
    return bool(named) and noun_stem.endswith(named)


def _words(act: Act, name: str, params: Fields, *, is_noun: bool) -> str:
    first, joint, second = _noun_parts(act.noun)
    if not first:
        return name
    if joint:
        return f"{Act(act.verb, first).phrase()} {joint} {' '.join(second)} {name}"
    if not is_noun:
        return f"{act.phrase()} {act.preposition} {name}"
    words = f"{' '.join(first)} {name}"
    if act.verb in _JOINING:
        others = {key: value for key, value in params.items() if _stem(key) != _noun_stem(first)}
        other = _best(others, "")
        if other is not None:
            return f"{words} {act.preposition} {other[2]}"
    return words


def _two_things(
    params: Fields, act: Act, first: tuple[str, ...], joint: str, second: tuple[str, ...]
) -> _Found | None:
    """A user added to a group, a policy attached to a role; the group and the role are what changed."""
    if not joint and act.noun[-1:] == ("policy",) and act.noun[0] in _HOLDERS:
        first, second = act.noun[-1:], act.noun[:1]
        joint = "from" if act.verb == "delete" else act.preposition
    if not joint:
        return None
    given, receiver = _best(params, _noun_stem(first)), _best(params, _noun_stem(second))
    if (
        given is None
        or receiver is None
        or given[0] != _EXACT
        or receiver[0] != _EXACT
        or given[1] == receiver[1]
    ):
        return None
    return _Found(receiver[2], f"{' '.join(first)} {given[2]} {joint} {' '.join(second)} {receiver[2]}")


def _made(scene: Scene, noun_stem: str) -> tuple[int, str, str] | None:
    """The id of what a request made, somewhere near the top of the answer."""
    layers = [scene.fields.get("responseElements")]
    for _ in range(3):
        layer = layers.pop()
        best = _best(layer, noun_stem)
        if best is not None and best[0] == _EXACT:
            return best
        if isinstance(layer, dict):
            wanted = (noun_stem, f"{scene.name.lower()}response")
            layers.extend(value for key, value in layer.items() if key.lower() in wanted)
        if not layers:
            return None
    return None


class Told(NamedTuple):
    """The words told of an event."""

    target: str | None
    """The thing it acted upon: what its name speaks of, what it made, or its resource; None when not told."""
    sentence: str


def tell(
    scene: Scene, user: str | None, outcome: Outcome, *, is_denied: bool, target: str | None = None
) -> Told:
    """Tell who did what to what, and why it failed.

    Args:
        scene: The event.
        user: Who did it; None when nobody is named.
        outcome: A failure is told as one.
        is_denied: It failed because it was not allowed.
        target: What it acted upon, where the event itself does not say it.
    """
    who = user or "someone"
    fixed = table("cloudtrail")["sentences"].get(scene.name)
    act = act_of(scene.name)
    acted_upon = _find(scene, act or Act("", ()))
    if acted_upon is not None:
        target = acted_upon.name
    if fixed is not None:
        sentence = narrate(who, fixed, {"target": target}, outcome, is_denied=is_denied)
    elif act is not None:
        if acted_upon is not None:
            rest = acted_upon.words
        elif target is not None:
            rest = f"{act.phrase()} {act.preposition} {target}"
        else:
            rest = f"{act.phrase()} in {_service(scene)}".strip()
        sentence = told(who, act.past, act.plain, rest, outcome, is_denied=is_denied)
    else:
        words = " ".join(words_of(scene.name)) or scene.name
        failed = " failed" if outcome is Outcome.FAILURE else ""
        by = f"for {target}" if target else f"by {who}"
        sentence = f"{words}{failed} {by} in {_service(scene)}"
    return Told(target, with_reason(sentence, _reason(scene.fields)))


def _service(scene: Scene) -> str:
    return table("cloudtrail")["services"].get(scene.service, scene.service) or "AWS"


def _reason(fields: Fields) -> str | None:
    code, message = fields.get("errorCode"), fields.get("errorMessage")
    if isinstance(message, str) and message.strip():
        return _ENCODED.sub("", message) or message
    return code if isinstance(code, str) and code else None
