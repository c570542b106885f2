"""Microsoft Entra ID: directory audits and sign-ins, from Azure Monitor, Graph and Sentinel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.loose import Loose, named_values
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text
from audit_tui.formats.vendors.azure import OUTCOMES, level_of
from audit_tui.formats.words.entra_words import TargetResource, tell
from audit_tui.formats.words.narrating import sign_in
from audit_tui.formats.words.sentences import with_reason

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

NAME = "entra"
_CATEGORIES = frozenset(
    {
        "AuditLogs", "SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs",
        "ManagedIdentitySignInLogs", "ADFSSignInLogs", "MicrosoftServicePrincipalSignInLogs",
        "ProvisioningLogs",
    }
)  # fmt: skip
_RESOURCES = ("resourceId", "resourceid", "resource_id", "ResourceId")
_PROVIDER = "microsoft.aadiam"
_MARKS = frozenset({"category", "Category", "activityDisplayName", "appDisplayName", "AppDisplayName"})
_BLOCKED_CODES = frozenset({"53003", "53000", "53001", "530032", "50105", "50053"})
"""Refused by conditional access, an assignment, the lock of an account: the credentials may be right."""
_REASONS = {
    "50053": "the account is locked", "50055": "the password is expired", "50057": "the account is disabled",
    "50074": "MFA is required", "50076": "MFA is required", "50105": "the user is not assigned to the app",
    "50126": "wrong user name or password", "53003": "blocked by conditional access",
    "700016": "the app is not in the directory", "7000215": "wrong client secret",
    "7000222": "the client secret is expired",
}  # fmt: skip
"""Codes that are common and often come without their text."""


def _detect(fields: Fields) -> bool:
    category = fields.get("category", fields.get("Category"))
    if isinstance(category, str):
        resource = next((value for key in _RESOURCES if isinstance(value := fields.get(key), str)), "")
        if category in _CATEGORIES and ("properties" in fields or "TimeGenerated" in fields or resource):
            return True
        if _PROVIDER in resource.lower():
            return True
    if "activityDisplayName" in fields and "activityDateTime" in fields:
        return True
    return "appDisplayName" in fields and "createdDateTime" in fields and "status" in fields


class _Entra:
    """One record: what lies in its properties, or in itself where Graph leaves them out."""

    def __init__(self, fields: Fields) -> None:
        self.record = Loose(fields)
        self.inner = self.record.inner("properties") or self.record

    def text(self, *paths: str) -> str | None:
        """The first of several paths, each looked for in the properties before the frame."""
        for path in paths:
            text = self.inner.text(path) or self.record.text(path)
            if text is not None:
                return text
        return None

    @property
    def is_sign_in(self) -> bool:
        """It tells a sign-in, not a change of the directory."""
        category = self.record.text("category") or ""
        if "SignIn" in category:
            return True
        has_code = self.inner.at("status.errorCode") is not None
        return self.inner.get("activityDisplayName") is None and has_code


def _map(fields: Fields) -> AuditEvent:
    entra = _Entra(fields)
    record = entra.record
    event = entra.text("activityDisplayName", "operationName")
    if event is None:
        if not entra.is_sign_in:
            raise RecordError("it has no activityDisplayName or operationName")
        event = "Sign-in activity"
    record.taken("operationName", event)
    record.taken("activityDisplayName", event)
    inside = "properties." if entra.inner is not record else ""
    occurred_us = record.time(
        f"{inside}activityDateTime", "time", f"{inside}createdDateTime", "TimeGenerated", "p_event_time"
    )
    user = _user(entra)
    code = entra.text("status.errorCode", "errorCode")
    outcome = _outcome(entra, code)
    address = record.address("callerIpAddress", f"{inside}ipAddress", f"{inside}initiatedBy.user.ipAddress")
    targets = [] if entra.is_sign_in else _targets(entra.inner)
    is_denied = entra.is_sign_in and outcome is Outcome.FAILURE and code in _BLOCKED_CODES
    if entra.is_sign_in:
        target = entra.text("appDisplayName", "resourceDisplayName")
        sentence = sign_in(user, target, address, outcome)
    else:
        target = targets[0].name if targets else None
        sentence = tell(event, user, targets, outcome)
    reason = _reason(entra, code) if outcome is Outcome.FAILURE else None
    event_id = entra.text("id")
    record.taken("id", event_id)
    return AuditEvent(
        event=event,
        occurred_us=occurred_us,
        key=record.content_key(NAME) if event_id is None else f"{NAME}:{event_id}",
        category=record.take("category") or record.text(f"{inside}category"),
        user=user,
        description=column_text(with_reason(sentence, reason), MAX_SENTENCE_CHARS),
        outcome=outcome,
        severity=level_of(record.text("Level")),
        source_ip=address,
        target=column_text(target),
        source=NAME,
        metadata=record.rest(is_denied=is_denied, by_name=_by_name(entra.inner, targets)),
    )


def _reason(entra: _Entra, code: str | None) -> str | None:
    if entra.is_sign_in:
        return entra.text("status.failureReason", "resultDescription") or _REASONS.get(code or "")
    return entra.text("resultReason", "resultDescription")


def _user(entra: _Entra) -> str | None:
    paths = (
        "initiatedBy.user.userPrincipalName", "initiatedBy.app.displayName", "userPrincipalName",
        "initiatedBy.user.displayName", "initiatedBy.user.id", "servicePrincipalName", "identity",
        "initiatedBy.app.servicePrincipalId", "userId", "servicePrincipalId",
    )  # fmt: skip
    return entra.text(*paths)


def _outcome(entra: _Entra, code: str | None) -> Outcome:
    if entra.is_sign_in and code is not None:
        return Outcome.SUCCESS if code == "0" else Outcome.FAILURE
    result = (entra.text("result", "resultType") or "").lower()
    if result.isdecimal() and result != "0":
        return Outcome.FAILURE
    return OUTCOMES.get(result, Outcome.UNKNOWN)


def _targets(inner: Loose) -> list[TargetResource]:
    place = inner.inner("targetResources")
    found = []
    for number in range(20):
        one = None if place is None else place.inner(str(number))
        if one is None:
            break
        name = one.text("userPrincipalName", "displayName", "id")
        properties = named_values(one.get("modifiedProperties"))
        found.append(TargetResource(one.text("type") or "", name, properties))
    return [target for target in found if target.name is not None or target.properties]


def _by_name(inner: Loose, targets: list[TargetResource]) -> Fields:
    changes: Fields = {}
    for target in targets:
        for name, value in target.properties.items():
            changes.setdefault(name, value)
    return {"additionalDetails": named_values(inner.get("additionalDetails")), "modifiedProperties": changes}


ENTRA = Format(NAME, "Microsoft Entra ID", frozenset({Shape.JSON}), _detect, _map, marks=_MARKS)
