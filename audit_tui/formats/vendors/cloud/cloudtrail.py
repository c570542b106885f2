"""AWS CloudTrail: S3 delivery, LookupEvents, and through logstash."""

from __future__ import annotations

from typing import Any

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.decoding import inner_object
from audit_tui.formats.record import Fields, Format, RecordError, Shape
from audit_tui.formats.times import is_plain_utc, parse_time
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text, content_key, dig, mark_denied, word_list
from audit_tui.formats.vendors.cloud.cloudtrail_target import Scene, tell

NAME = "cloudtrail"
SERVICE_SUFFIX = ".amazonaws.com"
LOOKUP = "LookupEvents"
"""The key of the metadata that holds the frame of a LookupEvents record."""
DENIED_SEVERITY = 3
"""A refused request is a warning; CloudTrail tells no severity else."""

_CALLS = ("AwsApiCall", "AwsConsoleAction", "AwsVpceEvent")
"""Types of events that carry an error when they fail, so that none means success."""
_BESIDE = frozenset({"eventVersion", "userIdentity", "eventID", "awsRegion"})
_ANSWERS = word_list(
    "CheckMfa ConsoleLogin SwitchRole CredentialVerification CredentialChallenge UserAuthentication"
)
"""Results that stand in an event under its own name."""
_MOST_ANSWERS = 8
_OTHERS = (".aliyuncs.com", ".myhuaweicloud.com", ".tencentcloudapi.com")
"""Other clouds whose records have some of the same fields."""
_ANSWERED = ("responseElements", "serviceEventDetails", "additionalEventData")
_DENIED = ("accessdenied", "unauthorized", "notauthorized", "forbidden")


def _detect(fields: Fields) -> bool:
    if "eventSource" in fields:
        if str(fields["eventSource"]).endswith(_OTHERS):
            return False
        return "eventName" in fields and not _BESIDE.isdisjoint(fields)
    if "insightDetails" in fields:
        return isinstance(fields["insightDetails"], dict)
    return isinstance(fields.get("CloudTrailEvent"), str)


def _map(fields: Fields) -> AuditEvent:
    if "CloudTrailEvent" in fields and "eventSource" not in fields:
        return _map_lookup(fields)
    if "insightDetails" in fields and "eventSource" not in fields:
        return _map_insight(fields)
    return _map_event(fields, fields, None)


def _map_insight(fields: Fields) -> AuditEvent:
    """An unusual rate of calls or errors, whose beginning and end are two events."""
    details = fields["insightDetails"]
    name = _text(details, "eventName") or "AwsCloudTrailInsight"
    service = (_text(details, "eventSource") or "").removesuffix(SERVICE_SUFFIX)
    state = _text(details, "state") or ""
    what = "errors" if "Error" in (_text(details, "insightType") or "") else "calls"
    began = {"Start": "began", "End": "ended"}.get(state, "was seen")
    code = _text(details, "errorCode")
    of = f" ({code})" if code is not None else ""
    sentence = f"an unusual rate of {what} of {name} in {service or 'AWS'} {began}{of}"
    if "eventTime" not in fields:
        raise RecordError("it has no eventTime")
    event_id = _text(fields, "eventID")
    key = content_key(NAME, fields) if event_id is None else f"{NAME}:{event_id}"
    return AuditEvent(
        event=column_text(name) or "insight",
        occurred_us=parse_time(fields["eventTime"]),
        key=key,
        category=column_text(service),
        description=column_text(sentence, MAX_SENTENCE_CHARS),
        severity=DENIED_SEVERITY,
        source=NAME,
        metadata=fields.copy(),
    )


def _map_lookup(frame: Fields) -> AuditEvent:
    """The event lies as JSON inside a string; what stands around it is kept beside its metadata."""
    inner = inner_object(frame["CloudTrailEvent"], "CloudTrailEvent")
    return _map_event(inner, frame, {name: frame[name] for name in frame if name != "CloudTrailEvent"})


def _map_event(fields: Fields, whole: Fields, frame: Fields | None) -> AuditEvent:
    name = _text(fields, "eventName")
    event = column_text(name)
    if name is None or event is None:
        raise RecordError("it has no eventName")
    time_field = "eventTime" if "eventTime" in fields else "@timestamp"
    if time_field not in fields:
        raise RecordError("it has no eventTime")
    occurred_us = parse_time(fields[time_field])
    service_source = _text(fields, "eventSource") or ""
    service = service_source.removesuffix(SERVICE_SUFFIX)
    event_id = _text(fields, "eventID")
    address = source_address(fields.get("sourceIPAddress"))
    user = user_of(fields) or column_text(None if frame is None else frame.get("Username"))
    outcome = outcome_of(fields)
    error_code = _text(fields, "errorCode") or ""
    is_denied = bool(error_code) and any(word in error_code.lower() for word in _DENIED)
    scene = Scene(fields, name, service)
    target, sentence = tell(
        scene, user, outcome, is_denied=is_denied, target=None if frame is None else _lookup_target(frame)
    )
    # What the columns give back exactly leaves the metadata (test_cloudtrail puts records together again).
    metadata = fields.copy()
    if event == name:
        del metadata["eventName"]
    if event_id is not None:
        del metadata["eventID"]
    if address is not None and fields["sourceIPAddress"] == address:
        del metadata["sourceIPAddress"]
    if len(service) != len(service_source) and column_text(service) == service:
        del metadata["eventSource"]
    if time_field == "eventTime" and is_plain_utc(fields["eventTime"]) and len(fields["eventTime"]) == 20:
        del metadata["eventTime"]
    if frame is not None:
        metadata[LOOKUP] = frame
    if is_denied:
        mark_denied(metadata)
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=content_key(NAME, whole) if event_id is None else f"{NAME}:{event_id}",
        category=column_text(service),
        user=user,
        description=column_text(sentence, MAX_SENTENCE_CHARS),
        outcome=outcome,
        severity=DENIED_SEVERITY if is_denied else None,
        source_ip=address,
        target=column_text(target),
        source=NAME,
        metadata=metadata,
    )


def _text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None


def outcome_of(fields: Fields) -> Outcome:
    """Return how a request ended; unknown for events that no request made and that tell no result."""
    if fields.get("errorCode") or fields.get("errorMessage"):
        return Outcome.FAILURE
    for place in _ANSWERED:
        answers = fields.get(place)
        if isinstance(answers, dict) and len(answers) <= _MOST_ANSWERS:
            answer = next((answers[name] for name in _ANSWERS if name in answers), None)
            if answer in ("Success", "Failure"):
                return Outcome.SUCCESS if answer == "Success" else Outcome.FAILURE
    # The type of an event came with version 1.02.
    is_call = fields.get("eventType") in _CALLS or (
        "eventType" not in fields and str(fields.get("eventVersion", "")) in ("1.0", "1.00", "1.01")
    )
    return Outcome.SUCCESS if is_call else Outcome.UNKNOWN


def user_of(fields: Fields) -> str | None:
    """The actor: a user's name, a role with its session, root, or the service that acted by itself."""
    identity = fields.get("userIdentity")
    if not isinstance(identity, dict):
        return None
    kind = identity.get("type")
    last = _arn_end(identity.get("arn"))
    issuer = dig(identity, ("sessionContext", "sessionIssuer", "userName"))
    name = identity.get("userName")
    if name is None and isinstance(issuer, str) and issuer and last:
        name = f"{issuer}/{last}"
    if isinstance(name, str) and (text := column_text(name)) is not None:
        return text
    candidates: tuple[Any, ...] = (
        f"{issuer}/{last}" if isinstance(issuer, str) and issuer and last else None,
        last,
        "root" if kind == "Root" else None,
        identity.get("invokedBy"),
        _after_colon(identity.get("principalId")),
        "anonymous" if identity.get("accountId") == "ANONYMOUS_PRINCIPAL" else identity.get("accountId"),
        kind,
    )
    for candidate in candidates:
        if isinstance(candidate, str):
            text = column_text(candidate)
            if text is not None:
                return text
    return None


def _arn_end(arn: object) -> str | None:
    """The last part of an ARN: the name of a user, a role's session, ``root``."""
    if not isinstance(arn, str) or not arn.startswith("arn:"):
        return None
    return arn.rpartition(":")[2].rpartition("/")[2] or None


def _after_colon(principal: object) -> str | None:
    return principal.partition(":")[2] or None if isinstance(principal, str) else None


def _lookup_target(frame: Fields) -> str | None:
    name = dig(frame, ("Resources", "0", "ResourceName"))
    return name if isinstance(name, str) and name else None


CLOUDTRAIL = Format(
    NAME,
    "AWS CloudTrail",
    frozenset({Shape.JSON}),
    _detect,
    _map,
    marks=frozenset({"eventSource", "CloudTrailEvent", "insightDetails"}),
)
