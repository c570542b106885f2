"""HashiCorp Vault and OpenBao: the request and the response of a call are one event."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from audit_tui.core.event import AuditEvent, Outcome, iso_utc
from audit_tui.formats.addresses import source_address
from audit_tui.formats.record import Format, Halves, RecordError, Shape
from audit_tui.formats.tables import table
from audit_tui.formats.times import is_plain_utc, parse_time
from audit_tui.formats.values import (
    MAX_SENTENCE_CHARS,
    column_text,
    content_key,
    dig,
    first_text,
    mark_denied,
)
from audit_tui.formats.words.english import told, with_reason
from audit_tui.formats.words.patterns import verb_forms

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "vault"
NOBODY = "(unauthenticated)"
"""The user of a call without a token, as FORMATS names it."""
_ERRORS = re.compile(r"\A\d+ errors? occurred:\s*")
_BULLET = re.compile(r"\s*\n\s*\*\s*|\A\*\s*")
_OPERATIONS = {
    "r": frozenset({"read"}),
    "w": frozenset({"create", "update", "patch"}),
    "d": frozenset({"delete"}),
    "l": frozenset({"list"}),
}
_WHO = {
    "(unauthenticated)": "someone without a token",
    "(bad token)": "someone with a token that is not valid",
    "token": "a token without a name",
    "root": "root",
}
"""The word that stands for a name in the sentence where nobody has one."""
_LOGIN = re.compile(r"auth/(?P<mount>.+?)/(?:oidc/)?(?:login|callback)(?:/(?P<name>.+))?\Z")


def _detect(fields: Fields) -> bool:
    request = fields.get("request")
    if fields.get("type") not in ("request", "response") or not isinstance(request, dict):
        return False
    return "operation" in request or "path" in request


def _map(fields: Fields) -> AuditEvent:
    request = fields.get("request")
    if not isinstance(request, dict):
        raise RecordError("it has no request")
    if "time" not in fields:
        raise RecordError("it has no time")
    occurred_us = parse_time(fields["time"])
    operation = first_text(request.get("operation")) or "request"
    path = first_text(request.get("path")) or ""
    mount = first_text(request.get("mount_point")) or ""
    call = Call(operation, path, first_text(request.get("mount_type")) or "", mount.rstrip("/"))
    is_response = fields.get("type") == "response"
    outcome, error = _outcome(fields, call, is_response=is_response)
    is_denied = dig(fields, ("auth", "policy_results", "allowed")) is False
    is_denied = outcome is Outcome.FAILURE and (is_denied or "permission denied" in (error or ""))
    user = who = user_of(fields)
    if user == NOBODY and (login := call.login) and login["name"]:
        # Nobody has a token before a login; it is about who was tried.
        user = login["name"]
    elif user == NOBODY and isinstance(request.get("client_token"), str) and outcome is Outcome.FAILURE:
        who = "(bad token)"
    sentence = _tell(call, who, outcome, is_denied=is_denied, is_asked=not is_response, error=error)
    metadata = fields.copy()
    if is_plain_utc(fields["time"]):
        del metadata["time"]
    if is_denied:
        mark_denied(metadata)
    request_id = first_text(request.get("id"))
    # The two rows of a call share the request's id.
    key = f"{NAME}:{request_id}:{fields.get('type')}" if request_id else content_key(NAME, fields)
    return AuditEvent(
        event=column_text(f"{operation} {path}".strip()) or operation,
        occurred_us=occurred_us,
        key=key,
        category=column_text(call.mount or _first_parts(path)),
        user=user,
        description=column_text(sentence, MAX_SENTENCE_CHARS),
        outcome=outcome,
        source_ip=source_address(request.get("remote_address")),
        target=column_text(path),
        source=NAME,
        metadata=metadata,
    )


def _first_parts(path: str) -> str:
    """The mount of a call that names none, as its path tells it."""
    return "/".join(path.split("/")[: 2 if path.startswith("auth/") else 1])


def user_of(fields: Fields) -> str:
    """The owner of the token."""
    auth = fields.get("auth")
    if not isinstance(auth, dict):
        return NOBODY
    named = auth.get("metadata")
    inner = [named.get(name) for name in ("username", "role_name", "name")] if isinstance(named, dict) else []
    return first_text(auth.get("display_name"), auth.get("entity_id"), *inner) or NOBODY


def _outcome(fields: Fields, call: Call, *, is_response: bool) -> tuple[Outcome, str | None]:
    """The end of a call, and the error; a request says nothing of its end unless it was refused at once."""
    error = fields.get("error")
    if isinstance(error, str) and error.strip():
        return Outcome.FAILURE, _plain_error(error)
    if not is_response:
        return Outcome.UNKNOWN, None
    data = dig(fields, ("response", "data"))
    # Older servers answer an error as data, hashed; a secret of the kv engine may have such a field too.
    if isinstance(data, dict) and data.keys() == {"error"} and call.mount_type != "kv":
        return Outcome.FAILURE, None
    return Outcome.SUCCESS, None


def _plain_error(error: str) -> str:
    """``1 error occurred: * permission denied`` without the counting."""
    return _BULLET.sub("; ", _ERRORS.sub("", error).strip()).removeprefix("; ").strip()


class Call(NamedTuple):
    """A call to Vault."""

    operation: str
    path: str
    mount_type: str
    """The type of the engine; empty when not told."""
    mount: str
    """The path at which the engine is mounted, without the last slash; empty when not told."""

    @property
    def login(self) -> re.Match[str] | None:
        """The parts of the path of a login; None for any other call."""
        return _LOGIN.match(self.path) if self.operation in _OPERATIONS["w"] else None


def _tell(
    call: Call, user: str, outcome: Outcome, *, is_denied: bool, is_asked: bool, error: str | None
) -> str:
    """Tell who did what to what, and why it failed.

    Args:
        call: What was called.
        user: Whose token it was.
        outcome: How it ended.
        is_denied: It failed because no policy allows it.
        is_asked: The row is of the request, whose end another row tells.
        error: Why it failed, in the server's words.
    """
    who = _WHO.get(user, user)
    if login := call.login:
        return _tell_login(login, who, outcome, is_asked=is_asked, error=error)
    past, plain, rest = _act(call)
    if is_asked and outcome is Outcome.UNKNOWN:
        return f"{who} asked to {plain} {rest}".rstrip()
    sentence = told(who, past, plain, rest, outcome, is_denied=is_denied)
    return with_reason(sentence, None if is_denied and error == "permission denied" else error)


def _tell_login(
    login: re.Match[str], who: str, outcome: Outcome, *, is_asked: bool, error: str | None
) -> str:
    name, mount = login["name"], login["mount"]
    someone = name or ("someone" if who == _WHO["(unauthenticated)"] else who)
    if is_asked and outcome is Outcome.UNKNOWN:
        return f"{someone} asked to log in with {mount}"
    return with_reason(told(someone, "logged in", "log in", f"with {mount}", outcome), error)


def _act(call: Call) -> tuple[str, str, str]:
    """The act, in the past and after "to", and to what."""
    tables = _tables()
    inside = call.path.removeprefix(f"{call.mount}/") if call.mount else call.path.partition("/")[2]
    places = ((tables.paths, call.path), (tables.engines.get(call.mount_type, ()), inside))
    for rows, path in places:
        for operations, regex, pattern in rows:
            if call.operation in operations and (match := regex.match(path)):
                return _forms(pattern, {"mount": call.mount or call.mount_type, **match.groupdict()})
    return _forms(tables.verbs.get(call.operation, call.operation), {}, call.path or "something")


def _forms(pattern: str, names: dict[str, str], thing: str = "") -> tuple[str, str, str]:
    past, plain, rest = verb_forms(pattern)
    return past, plain, f"{rest.format(**names)} {thing}".strip()


_Row: TypeAlias = "tuple[frozenset[str], re.Pattern[str], str]"


class _Tables(NamedTuple):
    """The entries of ``words/vault.toml`` for calls: operations, the path, a pattern."""

    paths: list[_Row]
    engines: dict[str, list[_Row]]
    verbs: dict[str, str]


@cache
def _tables() -> _Tables:
    words = table("vault")
    engines = {engine: _rows(rows) for engine, rows in words["engines"].items()}
    return _Tables(_rows(words["paths"]), engines, words["verbs"])


def _rows(rows: list[list[str]]) -> list[_Row]:
    return [
        (frozenset().union(*(_OPERATIONS[letter] for letter in letters)), re.compile(path), pattern)
        for letters, path, pattern in rows
    ]


def _joined(request: AuditEvent, response: AuditEvent) -> AuditEvent:
    """The response, which repeats what was asked; under ``asked`` what the request alone says."""
    request_fields = {**request.metadata, "time": request.metadata.get("time", iso_utc(request.occurred_us))}
    asked = {name: value for name, value in request_fields.items() if response.metadata.get(name) != value}
    del asked["type"]
    return replace(response, metadata={**response.metadata, "asked": asked})


VAULT = Format(
    NAME,
    "HashiCorp Vault / OpenBao audit",
    frozenset({Shape.JSON}),
    _detect,
    _map,
    marks=frozenset({"request"}),
    halves=Halves(":request", ":response", _joined),
)
