"""Records of cloud services as small as they come, for tests to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.formats.record import Format

TIME = "2026-11-01T14:00:00Z"


def mapped(log_format: Format, fields: dict[str, Any]) -> AuditEvent:
    assert log_format.detect(fields)
    parts = [fields] if log_format.split is None else log_format.split(fields)
    assert len(parts) == 1
    return log_format.map(parts[0])


def github(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "action": "repo.create",
        "actor": "alice",
        "org": "acme",
        "created_at": 1_793_541_600_000,
        **fields,
    }


def okta(event: str, *targets: tuple[str, str], **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "eventType": event,
        "published": TIME,
        "uuid": "u",
        "actor": {"alternateId": "alice@example.com"},
        "target": [{"type": kind, "alternateId": name, "displayName": name} for kind, name in targets],
        "outcome": {"result": "SUCCESS"},
        **fields,
    }


def gcp(method: str, resource: str | None = None, **payload: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "timestamp": TIME,
        "protoPayload": {
            "methodName": method,
            "resourceName": resource,
            "authenticationInfo": {"principalEmail": "alice@example.com"},
            **payload,
        },
    }


def azure(operation: str, status: str, resource: str = "disks/d1", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "operationName": operation,
        "time": TIME,
        "resourceId": f"/subscriptions/s/resourceGroups/web/providers/Microsoft.Compute/{resource}",
        "resultType": status,
        "caller": "alice@example.com",
        **fields,
    }


def entra(activity: str, *targets: dict[str, Any], **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "activityDisplayName": activity,
        "activityDateTime": TIME,
        "result": "success",
        "initiatedBy": {"user": {"userPrincipalName": "alice@example.com"}},
        "targetResources": list(targets),
        **fields,
    }


def m365(operation: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "Operation": operation,
        "RecordType": 1,
        "CreationTime": "2026-11-01T14:00:00",
        "UserId": "bob@example.com",
        **fields,
    }


def workspace(application: str, name: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "id": {"applicationName": application, "time": TIME, "uniqueQualifier": "1"},
        "actor": {"email": "alice@example.com"},
        "events": [
            {"name": name, "parameters": [{"name": key, "value": value} for key, value in parameters.items()]}
        ],
    }


def gitlab(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"author_id": 1, "author_name": "alice", "entity_type": "Project", "created_at": TIME, **fields}


def auth0(kind: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"log_id": "l", "data": {"type": kind, "date": TIME, "log_id": "l", "user_name": "bob", **data}}
