"""HashiCorp Vault and OpenBao: the request and the response of each call are two rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.times import is_plain_utc, parse_time
from audit_tui.formats.values import (
    MAX_SENTENCE_CHARS,
    column_text,
    content_key,
    dig,
    first_text,
    mark_denied,
)
from audit_tui.formats.words.vault_words import Call, tell

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "vault"
NOBODY = "(unauthenticated)"
"""The user of a call without a token, as FORMATS names it."""
_ERRORS = re.compile(r"\A\d+ errors? occurred:\s*")
_BULLET = re.compile(r"\s*\n\s*\*\s*|\A\*\s*")


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
    user = user_of(fields)
    sentence = tell(call, user, outcome, is_denied=is_denied, is_asked=not is_response, error=error)
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
        category=column_text(call.mount_type) or column_text(path.partition("/")[0]),
        user=user,
        description=column_text(sentence, MAX_SENTENCE_CHARS),
        outcome=outcome,
        source_ip=source_address(request.get("remote_address")),
        target=column_text(path),
        source=NAME,
        metadata=metadata,
    )


def user_of(fields: Fields) -> str:
    """Whose token it was."""
    auth = fields.get("auth")
    if not isinstance(auth, dict):
        return NOBODY
    named = auth.get("metadata")
    inner = [named.get(name) for name in ("username", "role_name", "name")] if isinstance(named, dict) else []
    return first_text(auth.get("display_name"), auth.get("entity_id"), *inner) or NOBODY


def _outcome(fields: Fields, call: Call, *, is_response: bool) -> tuple[Outcome, str | None]:
    """How a call ended, and the error; a request says nothing of its end unless it was refused at once."""
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


VAULT = Format(
    NAME,
    "HashiCorp Vault / OpenBao audit",
    frozenset({Shape.JSON}),
    _detect,
    _map,
    marks=frozenset({"request"}),
)
