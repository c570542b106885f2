"""Kubernetes audit: events of the API server (also EKS and other warehouses'), and AdmissionReviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    http_outcome,
    mark_denied,
    outcome_of,
)
from audit_tui.formats.vendors.cloud.kubernetes_request import Request, tell

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "kubernetes"
_TIMES = (
    ("stageTimestamp",),
    ("requestReceivedTimestamp",),
    ("timestamp",),
    ("metadata", "creationTimestamp"),
    ("p_event_time",),
    ("@timestamp",),
)
_DECISION = "authorization.k8s.io/decision"
_REVIEW_VERBS = {"CREATE": "create", "UPDATE": "update", "DELETE": "delete", "CONNECT": "connect"}


def _detect(fields: Fields) -> bool:
    version = fields.get("apiVersion")
    if isinstance(version, str) and version.startswith(("audit.k8s.io/", "admission.k8s.io/")):
        return "kind" in fields and fields.get("kind") not in ("EventList", "Policy")
    if fields.get("kind") == "AdmissionReview":
        return isinstance(fields.get("request"), dict)
    if "auditID" in fields:
        return "stage" in fields or "verb" in fields or "objectRef" in fields
    # The events that `kubectl get events` shows have the same kind, and an involvedObject.
    return fields.get("kind") == "Event" and isinstance(fields.get("verb"), str) and "objectRef" in fields


def _map(fields: Fields) -> AuditEvent:
    if fields.get("kind") == "AdmissionReview":
        return _map_review(fields)
    time_field, occurred_us = _time(fields)
    outcome, is_denied = _outcome(fields)
    request = Request.of(fields)
    stage = column_text(fields.get("stage"))
    audit_id = first_text(fields.get("auditID"))
    user = user_of(fields)
    sentence = tell(
        request,
        user,
        outcome,
        is_denied=is_denied,
        is_asked=stage == "RequestReceived",
        reason=None if outcome is not Outcome.FAILURE else _reason(fields, is_denied=is_denied),
    )
    metadata = fields.copy()
    if is_plain_utc(fields.get(time_field)):
        del metadata[time_field]
    if is_denied:
        mark_denied(metadata)
    key = f"{NAME}:{audit_id}:{stage}" if audit_id and stage else content_key(NAME, fields)
    return _event(request, user, sentence, occurred_us, outcome, key, metadata, fields.get("sourceIPs"))


def _event(
    request: Request,
    user: str | None,
    sentence: str,
    occurred_us: int,
    outcome: Outcome,
    key: str,
    metadata: Fields,
    addresses: object,
) -> AuditEvent:
    return AuditEvent(
        event=column_text(request.event) or "request",
        occurred_us=occurred_us,
        key=key,
        category=column_text(request.category),
        user=user,
        description=column_text(sentence, MAX_SENTENCE_CHARS),
        outcome=outcome,
        source_ip=source_address(addresses),
        target=column_text(request.target),
        source=NAME,
        metadata=metadata,
    )


def _time(fields: Fields) -> tuple[str, int]:
    problem = RecordError("it has no time")
    for path in _TIMES:
        value = dig(fields, path)
        if value is None or value == "":
            continue
        try:
            # Warehouses write nanoseconds without a zone; a stage may carry Go's zero time beside a real one.
            return path[0], parse_time(value)
        except RecordError as error:
            problem = error
    raise problem


def user_of(fields: Fields) -> str | None:
    """Tell who asked, and as whom: ``admin as bob`` when the request impersonates."""
    name = _user_name(fields.get("user"))
    other = _user_name(fields.get("impersonatedUser"))
    return f"{name} as {other}" if name and other else name or other


def _user_name(user: object) -> str | None:
    if isinstance(user, dict):
        return first_text(user.get("username"), user.get("name"), user.get("uid"))
    return first_text(user)


def _outcome(fields: Fields) -> tuple[Outcome, bool]:
    """Return how the request ended, and whether it was refused."""
    status = fields.get("responseStatus")
    code = status.get("code") if isinstance(status, dict) else None
    annotations = fields.get("annotations")
    decision = annotations.get(_DECISION) if isinstance(annotations, dict) else None
    if decision == "forbid" or code == 403:
        return Outcome.FAILURE, True
    if fields.get("stage") == "Panic":
        return Outcome.FAILURE, False
    if isinstance(code, int) and not isinstance(code, bool) and code:
        # 101 switches protocols: an exec or an attach that began.
        return (Outcome.SUCCESS if code == 101 else http_outcome(code)), False
    return outcome_of(dig(status, ("status",))), False


def _reason(fields: Fields, *, is_denied: bool) -> str | None:
    status = fields.get("responseStatus")
    reason = dig(status, ("message",))
    if not isinstance(reason, str) or not reason.strip():
        if fields.get("stage") == "Panic":
            return "the API server panicked"
        reason = dig(status, ("reason",))
        if is_denied or not isinstance(reason, str) or not reason.strip():
            return None
    return reason


def _map_review(fields: Fields) -> AuditEvent:
    """A request that an admission webhook was asked about; the answer stands beside it, or not at all."""
    request = fields.get("request")
    if not isinstance(request, dict):
        raise RecordError("the AdmissionReview has no request")
    occurred_us = _review_time(fields, request)
    allowed = dig(fields, ("response", "allowed"))
    outcome, is_denied = Outcome.UNKNOWN, allowed is False
    if is_denied:
        outcome = Outcome.FAILURE
    elif allowed is True and not request.get("dryRun"):
        outcome = Outcome.SUCCESS
    asked = Request.of_review(request, _REVIEW_VERBS)
    user = _user_name(request.get("userInfo"))
    message = dig(fields, ("response", "status", "message"))
    sentence = tell(
        asked,
        user,
        outcome,
        is_denied=is_denied,
        is_asked=not isinstance(allowed, bool),
        reason=message if is_denied and isinstance(message, str) else None,
    )
    metadata = fields.copy()
    if is_denied:
        mark_denied(metadata)
    uid = first_text(request.get("uid"))
    answered = "answer" if isinstance(fields.get("response"), dict) else "question"
    key = f"{NAME}:{uid}:{answered}" if uid else content_key(NAME, fields)
    return _event(asked, user, sentence, occurred_us, outcome, key, metadata, None)


def _review_time(fields: Fields, request: Fields) -> int:
    """When it was asked: an AdmissionReview says it only through what carried it, or through its object."""
    candidates: list[Any] = [fields.get(name) for name in ("timestamp", "time", "@timestamp", "ts")]
    candidates += [request.get("timestamp"), request.get("requestReceivedTimestamp")]
    thing = request.get("object")
    if request.get("operation") == "CREATE":
        candidates.append(dig(thing, ("metadata", "creationTimestamp")))
    managed = dig(thing, ("metadata", "managedFields"))
    if isinstance(managed, list):
        times = [entry.get("time") for entry in managed if isinstance(entry, dict)]
        candidates += sorted((time for time in times if isinstance(time, str)), reverse=True)[:1]
    for value in candidates:
        if value is not None:
            return parse_time(value)
    raise RecordError("the AdmissionReview has no time")


KUBERNETES = Format(
    NAME,
    "Kubernetes audit",
    frozenset({Shape.JSON}),
    _detect,
    _map,
    marks=frozenset({"auditID", "kind"}),
)
