"""Google Cloud: audit logs as LogEntry objects, from export, sink or warehouse, and plain log entries."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.loose import Loose, of_warehouse
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.tables import table
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text, severity_of
from audit_tui.formats.words.english import Act, shown, singular, told, with_reason, words_of
from audit_tui.formats.words.names import named_act
from audit_tui.formats.words.patterns import narrate

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "gcp"
ANONYMOUS = "(anonymous)"
_PAYLOAD_KEYS = frozenset({"protoPayload", "protopayload", "proto_payload", "protopayload_auditlog"})
"""The last is that of tables of BigQuery."""
_AUDIT_KEYS = frozenset(
    {"methodName", "serviceName", "authenticationInfo", "authorizationInfo", "@type", "resourceName"}
)
_PLAIN_PAYLOADS = frozenset({"textPayload", "jsonPayload"})
_DENIED_CODES = frozenset({"7", "16"})
"""PERMISSION_DENIED and UNAUTHENTICATED."""
_IAM = frozenset({"SetIamPolicy", "setIamPolicy", "SetIAMPolicy", "setIamPermissions"})
_MADE = frozenset({"create", "add", "generate", "import"})
_ALONE = frozenset({"global", "firewall"})
"""Steps of a path that stand without a name."""
_SHOWN_BINDINGS = 1


def _detect(fields: Fields) -> bool:
    for name in _PAYLOAD_KEYS:
        payload = fields.get(name)
        if isinstance(payload, dict):
            return not _AUDIT_KEYS.isdisjoint(payload) or of_warehouse(fields, "GCP.")
    return "logName" in fields and "insertId" in fields and not _PLAIN_PAYLOADS.isdisjoint(fields)


def _map(fields: Fields) -> AuditEvent:
    record = Loose(fields)
    occurred_us = record.time("timestamp", "receiveTimestamp", "protoPayload.timestamp", "p_event_time")
    payload = record.inner("protoPayload") or record.inner("protopayload_auditlog")
    insert_id = record.text("insertId")
    key = record.content_key(NAME)
    if insert_id is not None:
        key = f"{NAME}:{record.text('logName') or ''}:{occurred_us}:{insert_id}"
    if payload is None:
        return _map_plain(record, occurred_us, key)
    event = payload.text("methodName", "serviceName")
    if event is None:
        raise RecordError("it has no methodName")
    user = payload.text("authenticationInfo.principalEmail", "authenticationInfo.principalSubject")
    outcome, is_denied = _outcome(event, payload)
    scene = GcpScene(event, payload.text("resourceName"), payload)
    sentence = _tell(scene, user, outcome, is_denied=is_denied)
    reason = payload.text("status.message") if outcome is Outcome.FAILURE else None
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=key,
        category=payload.text("serviceName"),
        user=user or ANONYMOUS,
        description=column_text(with_reason(sentence, reason), MAX_SENTENCE_CHARS),
        outcome=outcome,
        severity=severity_of(record.text("severity")),
        source_ip=payload.address("requestMetadata.callerIp"),
        target=scene.resource,
        source=NAME,
        metadata=record.rest(is_denied=is_denied),
    )


def _outcome(event: str, payload: Loose) -> tuple[Outcome, bool]:
    """Return how a call ended, and whether it was refused; without a status it succeeded."""
    code = payload.text("status.code")
    if code is not None and code != "0":
        return Outcome.FAILURE, code in _DENIED_CODES
    grants = payload.get("authorizationInfo")
    for grant in grants if isinstance(grants, list) else ():
        if isinstance(grant, dict) and grant.get("granted") is False:
            return Outcome.FAILURE, True
    if event.endswith("Failure"):  # google.login.LoginService.loginFailure has no status
        return Outcome.FAILURE, False
    return Outcome.SUCCESS, False


def _map_plain(record: Loose, occurred_us: int, key: str) -> AuditEvent:
    """An entry that is not an audit record: its log names the event."""
    log = record.text("logName")
    text = record.text("textPayload", "jsonPayload.message", "jsonPayload.content", "jsonPayload.msg")
    event = None if log is None else column_text(log.rpartition("/logs/")[2])
    if event is None:
        raise RecordError("it has no logName")
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=key,
        category=record.text("resource.type"),
        user=record.text("jsonPayload.actor.user", "jsonPayload.user"),
        description=column_text(text or f"an entry of log {event}", MAX_SENTENCE_CHARS),
        severity=severity_of(record.text("severity")),
        source_ip=record.address("httpRequest.remoteIp"),
        source=NAME,
        metadata=record.rest(),
    )


class Resource(NamedTuple):
    """The last pair of a resource's path."""

    kind: tuple[str, ...]
    """In words, one of them: ``("service", "account")``."""
    name: str
    within: str
    """The holder of the resource, in words: the namespace, bucket or project; empty when that is not told."""

    def __str__(self) -> str:
        return f"{' '.join(self.kind)} {shown(self.name)}".strip()


class GcpScene(NamedTuple):
    """The facts of a call before it is told."""

    event: str
    """methodName."""
    resource: str | None
    """resourceName."""
    payload: Loose


@lru_cache(maxsize=4_096)
def resource_of(path: str) -> Resource:
    """Return what a path of collections and names says: ``projects/p/zones/z/disks/d`` is disk d.

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
            f"{singular(collection)} {holder[collection]}"
            for collection in ("namespaces", "projects", "folders", "organizations")
            if collection in holder
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


def _tell(scene: GcpScene, user: str | None, outcome: Outcome, *, is_denied: bool) -> str:
    """Tell who called what on which resource; the reason of a failure is not told here."""
    who = shown(user or "someone")
    resource = None if scene.resource is None else resource_of(scene.resource)
    tail = scene.event.rpartition(".")[2]
    if tail in _IAM:
        return _iam(scene, who, resource, outcome, is_denied=is_denied)
    for end, pattern in table("gcp")["methods"].items():
        if scene.event.endswith(end):
            if resource is not None and resource.kind == ("job",):
                pattern = pattern.replace("a BigQuery job in", "BigQuery")
            return narrate(who, pattern, {"it": str(resource or "something")}, outcome, is_denied=is_denied)
    named = named_act(scene.event)
    if named is None:
        on = f" on {resource}" if resource is not None and resource.name else ""
        return f"{who} called {shown(scene.event)}{on}"
    act = Act(table("gcp")["verbs"].get(named.act.verb, named.act.verb), named.act.noun)
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
    noun_text, kind_text = "".join(noun).lower(), "".join(kind).lower()
    return bool(kind_text) and (
        singular(noun_text).endswith(kind_text) or kind_text.endswith(singular(noun_text))
    )


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


GCP = Format(
    NAME,
    "Google Cloud audit log",
    frozenset({Shape.JSON}),
    _detect,
    _map,
    marks=_PAYLOAD_KEYS | _PLAIN_PAYLOADS,
)
