"""The sentence that tells a Google Cloud call."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.formats.words.narrating import named_act, narrate, shown
from audit_tui.formats.words.sentences import Act, singular, told, words_of

if TYPE_CHECKING:
    from audit_tui.core.event import Outcome
    from audit_tui.formats.loose import Loose

_SAID = {"insert": "create", "patch": "update", "get": "read", "set": "change", "bulk": "create"}
"""How people call what the API calls otherwise."""
_FIXED = {
    "pods.attach.create": "attach to [{it}]",
    "pods.exec.create": "run a command in [{it}]",
    "pods.portforward.create": "forward a port to [{it}]",
    "LoginService.loginFailure": "sign in",
    "LoginService.loginSuccess": "sign in",
    "LoginService.logout": "sign out",
    "AuthorizeUser": "be let through by IAP",
    "GenerateAccessToken": "make an access token of [{it}]",
    "GenerateIdToken": "make an identity token of [{it}]",
    "SignBlob": "sign data as [{it}]",
    "SignJwt": "sign a token as [{it}]",
    "Encrypt": "encrypt data with [{it}]",
    "Decrypt": "decrypt data with [{it}]",
    "jobservice.insert": "start a BigQuery job in [{it}]",
    "JobService.InsertJob": "start a BigQuery job in [{it}]",
    "jobservice.jobcompleted": "finish BigQuery [{it}]",
}
"""By the end of the method's name."""
_IAM = frozenset({"SetIamPolicy", "setIamPolicy", "SetIAMPolicy", "setIamPermissions"})
_MADE = frozenset({"create", "add", "generate", "import"})
_ALONE = frozenset({"global", "firewall"})
"""Steps of a path that stand without a name."""
_SHOWN_BINDINGS = 1


class Resource(NamedTuple):
    """The last pair of a resource's path."""

    kind: tuple[str, ...]
    """In words, one of them: ``("service", "account")``."""
    name: str
    within: str
    """What holds it, in words: the namespace, bucket or project; empty when that is not told."""

    def __str__(self) -> str:
        return f"{' '.join(self.kind)} {shown(self.name)}".strip()


class GcpScene(NamedTuple):
    """What is known of a call before it is told."""

    event: str
    """methodName."""
    resource: str | None
    """resourceName."""
    payload: Loose


@lru_cache(maxsize=4_096)
def resource_of(path: str) -> Resource:
    """What a path of collections and names says: ``projects/p/zones/z/disks/d`` is disk d.

    A path that ends in a collection (``projects/p/jobs``) names what holds it.
    """
    steps = [step for step in path.removeprefix("//").split("/") if step]
    if steps and steps[0].endswith(".googleapis.com"):
        steps = steps[1:]
    is_cluster = len(steps) > 2 and steps[1].startswith("v") and steps[1][1:2].isdigit()
    steps = steps[2:] if is_cluster else steps
    if len(steps) > 5 and steps[2] == "buckets" and steps[4] == "objects":
        return Resource(("object",), "/".join(steps[5:]), f"bucket {steps[3]}")
    pairs = _pairs(steps)
    if not pairs:
        return Resource((), path, "")
    kind, name = pairs[-1]
    words = words_of(kind)
    words = (*words[:-1], singular(words[-1])) if words else ()
    holder = dict(pairs[:-1])
    within = next(
        (
            f"{singular(one)} {holder[one]}"
            for one in ("namespaces", "projects", "folders", "organizations")
            if one in holder
        ),
        "",
    )
    return Resource(words, name, "" if within.endswith((" -", " _")) else within)


def _pairs(steps: list[str]) -> list[tuple[str, str]]:
    """Collections, each with the name after it."""
    pairs, rest = [], iter(steps)
    for step in rest:
        if step not in _ALONE and (name := next(rest, None)) is not None:
            pairs.append((step, name))
    return pairs


def tell(scene: GcpScene, user: str | None, outcome: Outcome, *, is_denied: bool) -> str:
    """Who called what on which resource; the reason of a failure is not told here."""
    who = shown(user or "someone")
    resource = None if scene.resource is None else resource_of(scene.resource)
    tail = scene.event.rpartition(".")[2]
    if tail in _IAM:
        return _iam(scene, who, resource, outcome, is_denied=is_denied)
    for end, pattern in _FIXED.items():
        if scene.event.endswith(end):
            if resource is not None and resource.kind == ("job",):
                pattern = pattern.replace("a BigQuery job in", "BigQuery")
            return narrate(who, pattern, {"it": str(resource or "something")}, outcome, is_denied=is_denied)
    found = named_act(scene.event)
    if found is None:
        on = f" on {resource}" if resource is not None and resource.name else ""
        return f"{who} called {shown(scene.event)}{on}"
    act = Act(_SAID.get(found.act.verb, found.act.verb), found.act.noun)
    return told(who, act.past, act.plain, _rest(act, resource, scene.payload), outcome, is_denied=is_denied)


def _rest(act: Act, resource: Resource | None, payload: Loose) -> str:
    if resource is None or not resource.name:
        return act.phrase()
    if not act.noun or _is_of(act.noun, resource.kind):
        within = f" in {shown(resource.within)}" if resource.within and _tells_place(act, resource) else ""
        if act.verb == "list":
            return f"{' '.join(act.noun)} in {resource.within or resource}"
        return f"{resource}{within}"
    if act.verb in _MADE:
        made = payload.text("response.email", "response.name", "request.name")
        name = "" if made is None else made.rpartition("/")[2]
        is_own = bool(name) and name != resource.name and not name.startswith("operation")
        noun = f"{' '.join(act.noun)} {shown(name)}" if is_own else act.phrase()
        return f"{noun} in {resource}"
    joint = "in" if act.verb in ("list", "add", "search") else act.preposition
    return f"{act.phrase()} {joint} {resource}"


def _tells_place(act: Act, resource: Resource) -> bool:
    """The place is told where names are only good in it."""
    return resource.within.startswith(("namespace", "bucket")) or act.verb in _MADE


def _is_of(noun: tuple[str, ...], kind: tuple[str, ...]) -> bool:
    one, other = "".join(noun).lower(), "".join(kind).lower()
    return bool(other) and (singular(one).endswith(other) or other.endswith(singular(one)))


def _iam(scene: GcpScene, who: str, resource: Resource | None, outcome: Outcome, *, is_denied: bool) -> str:
    """A change of who may do what: which role was given to whom, where the record tells it."""
    on = f" on {resource}" if resource is not None else ""
    deltas = scene.payload.at("serviceData.policyDelta.bindingDeltas")
    deltas = deltas if isinstance(deltas, list) else scene.payload.at("metadata.datasetChange.bindingDeltas")
    told_deltas = [delta for delta in deltas if isinstance(delta, dict)] if isinstance(deltas, list) else []
    for delta in told_deltas[:_SHOWN_BINDINGS]:
        role, member = delta.get("role"), delta.get("member")
        if isinstance(role, str) and isinstance(member, str):
            more = f" and {len(told_deltas) - 1:,} more" if len(told_deltas) > 1 else ""
            verb, joint = ("revoke", "from") if delta.get("action") == "REMOVE" else ("grant", "to")
            act = Act(verb, ())
            person = shown(member.partition(":")[2] or member)
            rest = f"{shown(role)} {joint} {person}{on}{more}"
            return told(who, act.past, act.plain, rest, outcome, is_denied=is_denied)
    rest = "the IAM policy" + (f" of {resource}" if resource is not None else "")
    return told(who, "changed", "change", rest, outcome, is_denied=is_denied)
