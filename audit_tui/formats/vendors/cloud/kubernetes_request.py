"""The thing that a Kubernetes request asked for, and the sentence that tells it."""

from __future__ import annotations

import shlex
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import parse_qs

from audit_tui.formats.tables import table
from audit_tui.formats.values import dig, first_text
from audit_tui.formats.words.english import singular, told, with_reason
from audit_tui.formats.words.patterns import verb_forms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_tui.core.event import Outcome
    from audit_tui.formats.record import Fields

NO_RESOURCE = "nonResource"
CORE_GROUP = "core"
_MAX_COMMAND_CHARS = 300

_MANY = frozenset({"list", "watch", "deletecollection"})
_READS = frozenset({"get", "list", "watch", "head"})


class Request(NamedTuple):
    """The request to the API server."""

    verb: str
    """Empty when not told."""
    resource: str
    """In the plural, as the API has it; empty when the request was for a path."""
    subresource: str
    group: str
    """The API group of the resource; empty for the core one."""
    name: str | None
    namespace: str | None
    uri: str
    """The path with its query; empty when not told."""
    sent: Any
    """The object that came with the request; None when not told."""

    @classmethod
    def of(cls, fields: Fields) -> Self:
        """The request of an audit event."""
        reference = fields.get("objectRef")
        reference = reference if isinstance(reference, dict) else {}
        sent = fields.get("requestObject")
        made = fields.get("responseObject")
        resource = _word(reference.get("resource"))
        name = first_text(
            reference.get("name"), dig(made, ("metadata", "name")), dig(sent, ("metadata", "name"))
        )
        return cls(
            _word(fields.get("verb")),
            resource,
            _word(reference.get("subresource")),
            _word(reference.get("apiGroup")) or _word(reference.get("apiVersion")).rpartition("/")[0],
            name if resource else None,
            first_text(reference.get("namespace")),
            _word(fields.get("requestURI")),
            sent,
        )

    @classmethod
    def of_review(cls, request: Fields, verbs: Mapping[str, str]) -> Self:
        """The request that an AdmissionReview is about."""
        sent = request.get("object")
        operation = _word(request.get("operation"))
        return cls(
            verbs.get(operation, operation.lower()),
            _word(dig(request, ("resource", "resource"))),
            _word(request.get("subResource")),
            _word(dig(request, ("resource", "group"))),
            first_text(request.get("name"), dig(sent, ("metadata", "name"))),
            first_text(request.get("namespace")),
            "",
            sent,
        )

    @property
    def event(self) -> str:
        """The verb and the kind of what it is asked of: ``delete secrets``, ``create pods/exec``.

        Of a path the verb alone, because paths are without number: ``get``.
        """
        verb = self.verb or "request"
        if not self.resource:
            return verb
        return f"{verb} {self.resource}/{self.subresource}" if self.subresource else f"{verb} {self.resource}"

    @property
    def category(self) -> str:
        """The API group, which counts with few values; what is not a resource is named as RBAC does."""
        if not self.resource:
            return NO_RESOURCE
        return self.group or CORE_GROUP

    @property
    def path(self) -> str:
        """The path without its query."""
        return self.uri.partition("?")[0]

    @property
    def target(self) -> str | None:
        """The name of what was acted upon, after its namespace; the path when it is not a resource."""
        if not self.resource:
            return self.path or None
        if self.name is None:
            return self.namespace
        is_namespace = self.resource == "namespaces" or self.namespace is None
        return self.name if is_namespace else f"{self.namespace}/{self.name}"


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


@lru_cache(maxsize=1_024)
def _noun(resource: str, *, is_many: bool) -> str:
    noun: str | None = table("kubernetes")["nouns"].get(resource)
    if noun is None:
        return resource if is_many else singular(resource)
    if not is_many or noun.endswith("s"):
        return noun
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("ss") else f"{noun}s"


def _thing(request: Request, *, is_many: bool) -> str:
    """The object with its kind and namespace: ``secret db-pass in namespace prod``."""
    has_name = request.name is not None and not is_many
    if has_name or is_many:
        words = _noun(request.resource, is_many=is_many)
    else:
        words = _with_article(_noun(request.resource, is_many=False))
    if request.name is not None:
        words = f"{words} {request.name}" if has_name else f"{words} named {request.name}"
    if request.namespace and request.resource != "namespaces":
        return f"{words} in namespace {request.namespace}"
    return words


def _with_article(noun: str) -> str:
    return noun if noun.endswith("points") else f"{'an' if noun[:1] in 'aeiouA' else 'a'} {noun}"


def tell(
    request: Request,
    user: str | None,
    outcome: Outcome,
    *,
    is_denied: bool,
    is_asked: bool,
    reason: str | None,
) -> str:
    """Tell who did what to what, and why it failed.

    Args:
        request: What was asked.
        user: Who asked; None when nobody is named.
        outcome: How it ended.
        is_denied: It failed because it was not allowed.
        is_asked: Nothing is known of the end yet, because the request has only been received.
        reason: Why it failed, in the server's words.
    """
    who = user or "someone"
    past, plain, rest = _act(request)
    if is_asked and not is_denied:
        return f"{who} asked to {plain} {rest}".rstrip()
    return with_reason(told(who, past, plain, rest, outcome, is_denied=is_denied), reason)


def _act(request: Request) -> tuple[str, str, str]:
    """The act, in the past and after "to", and to what."""
    verb, tables = request.verb.lower(), table("kubernetes")
    if not request.resource:
        return _forms(tables["verbs"].get(verb, "request"), request.path or "something")
    if verb == "create" and request.resource in tables["questions"]:
        return _forms(tables["questions"][request.resource], "")
    if request.subresource == "exec":
        return _exec(request)
    done = tables["reads" if verb in _READS else "changes"].get(request.subresource)
    if done is not None:
        return _forms(done, _thing(request, is_many=False))
    granted = _granted(request) if verb == "create" else None
    if granted is not None:
        return _forms("grant", granted)
    thing = _thing(request, is_many=verb in _MANY)
    if request.subresource and not (verb == "create" and request.name is None):
        thing = f"the {request.subresource} of {thing}"
    return _forms(tables["verbs"].get(verb) or verb or "request", thing)


def _forms(pattern: str, thing: str) -> tuple[str, str, str]:
    past, plain, more = verb_forms(pattern)
    return f"{past}{more}", f"{plain}{more}", thing


def _exec(request: Request) -> tuple[str, str, str]:
    command = parse_qs(request.uri.partition("?")[2]).get("command") or []
    sent = dig(request.sent, ("command",))
    if not command and isinstance(sent, list):
        command = [word for word in sent if isinstance(word, str)]
    thing = _thing(request, is_many=False)
    if not command:
        return "ran a command in", "run a command in", thing
    line = shlex.join(command)
    if len(line) > _MAX_COMMAND_CHARS:
        line = f"{line[: _MAX_COMMAND_CHARS - 1]}…"
    return f"ran {line} in", f"run {line} in", thing


def _granted(request: Request) -> str | None:
    """Tell what a new role binding gives to whom, when the event holds the binding."""
    if request.resource not in ("rolebindings", "clusterrolebindings"):
        return None
    role = first_text(dig(request.sent, ("roleRef", "name")))
    subjects = dig(request.sent, ("subjects",))
    if role is None or not isinstance(subjects, list) or not subjects:
        return None
    names = [name for name in map(_subject, subjects[:3]) if name]
    if not names:
        return None
    more = f" and {len(subjects) - len(names):,} more" if len(subjects) > len(names) else ""
    kind = "role" if dig(request.sent, ("roleRef", "kind")) == "Role" else "cluster role"
    where = f" in namespace {request.namespace}" if request.namespace else ""
    return f"{kind} {role} to {', '.join(names)}{more}{where}"


def _subject(subject: object) -> str | None:
    name = first_text(dig(subject, ("name",)))
    if name is None:
        return None
    kind = dig(subject, ("kind",))
    namespace = first_text(dig(subject, ("namespace",)))
    if kind == "ServiceAccount":
        return f"service account {namespace}/{name}" if namespace else f"service account {name}"
    return f"{'group' if kind == 'Group' else 'user'} {name}"
