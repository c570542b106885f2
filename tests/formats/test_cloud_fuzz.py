"""Records of cloud services with anything in their fields: an event or a rejection, never an exception."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_tui.core.event import json_text
from audit_tui.formats.record import Format, RecordError
from audit_tui.formats.vendors.cloud.gcp import GCP
from tests.formats.vendors import AUTH0, AZURE, ENTRA, GITHUB, GITLAB, M365, OKTA, WORKSPACE

TIME = "2026-11-01T14:00:00Z"
NAMES: dict[str, str] = {
    # The fields that a mapper looks at, at any depth.
    "auth0": "data type date log_id user_name user_id client_name description details request auth"
    " user email ip path body name",
    "azure": "operationName value eventTimestamp time resourceId category status subStatus level"
    " caller identity claims name properties message statusMessage error httpRequest"
    " clientIpAddress callerIpAddress id",
    "entra": "category properties resourceId operationName activityDisplayName activityDateTime"
    " createdDateTime initiatedBy user app userPrincipalName displayName targetResources"
    " modifiedProperties type newValue status errorCode failureReason result resultType"
    " Level additionalDetails id",
    "gcp": "protoPayload methodName serviceName resourceName authenticationInfo principalEmail"
    " status code message authorizationInfo granted serviceData policyDelta bindingDeltas"
    " role member action timestamp severity insertId logName requestMetadata callerIp"
    " response name textPayload jsonPayload",
    "github": "action actor actor_id created_at org repo team user data _document_id actor_ip name"
    " repository programmatic_access_type",
    "gitlab": "author_id entity_type author_name entity_path details change from to add remove as"
    " with failed_login custom_message action protocol target_details event_type created_at"
    " id ip_address meta.remote_ip meta.user meta",
    "m365": "Operation RecordType CreationTime Workload ResultStatus UserId UserKey ClientIP"
    " ObjectId Parameters ExtendedProperties ModifiedProperties Name Value NewValue Id"
    " LogonError SourceFileName",
    "okta": "eventType published uuid actor alternateId displayName id type outcome result reason"
    " severity client ipAddress request ipChain ip target displayMessage legacyEventType",
    "workspace": "id applicationName time uniqueQualifier actor email key profileId events event name"
    " type parameters value multiValue intValue boolValue ipAddress doc_title setting_name"
    " message_info event_info",
}  # fmt: skip
TEXTS = (
    "Add member to role", "git.push", "repo.add_member", "user.session.start", "v1.compute.disks.insert",
    "SetIamPolicy", "projects/p/zones/z/disks/d", "Microsoft.Compute/disks/write", "/a/b/", "SUCCESS",
    "DENY", "Set-Mailbox", "FileDownloaded", "CHANGE_X_SETTING", "login_failure", "sapi", "f",
    "limit_wc", "AuditLogs", "SignInLogs", "0", "True", "1.2.3.4:5", "[::1]:9", "{", '[{"a": 1}]',
    '{"name": "x"}', "[{x}", "x.", ".", "", " ", "\x00", "\ud800", "unknown", TIME, "INVALID_NAME",
)  # fmt: skip
FORMATS = (AUTH0, AZURE, ENTRA, GCP, GITHUB, GITLAB, M365, OKTA, WORKSPACE)


def near(log_format: Format) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects with the format's own names and texts, in any order and depth."""
    names = st.sampled_from(NAMES[log_format.name].split())
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-5, 10**14)
        | st.floats(allow_nan=False)
        | st.sampled_from(TEXTS)
    )
    inner = st.recursive(
        leaves | st.text(max_size=6),
        lambda value: st.lists(value, max_size=3) | st.dictionaries(names, value, max_size=5),
        max_leaves=12,
    )
    return st.dictionaries(names, inner, max_size=8)


@pytest.mark.parametrize("name", ["\x00", "--", "\u2026"])
@pytest.mark.parametrize("log_format", FORMATS, ids=lambda log_format: log_format.name)
def test_a_name_without_a_word_is_described(log_format: Format, name: str) -> None:
    times = dict.fromkeys(("created_at", "published", "timestamp", "time", "date", "CreationTime"), TIME)
    names = dict.fromkeys(
        ("action", "event", "eventName", "eventType", "type", "Operation", "operation"), name
    )
    try:
        event = log_format.map(times | names)
    except RecordError:
        return
    assert event.description


@pytest.mark.parametrize("log_format", FORMATS, ids=lambda log_format: log_format.name)
def test_anything_is_an_event_or_rejected(log_format: Format) -> None:
    @settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
    @given(near(log_format), st.booleans())
    def check(fields: dict[str, Any], has_time: bool) -> None:
        if has_time:
            fields |= dict.fromkeys(("created_at", "published", "timestamp", "time", "date"), TIME)
            fields |= {"CreationTime": TIME, "eventTimestamp": TIME, "p_event_time": TIME}
        untouched = copy.deepcopy(fields)
        log_format.detect(fields)
        try:
            parts = [fields] if log_format.split is None else log_format.split(fields)
            events = [log_format.map(part) for part in parts]
        except RecordError as error:
            assert error.reason
            events = []
        assert fields == untouched
        for event in events:
            json_text(event.to_json()).encode()
            json.dumps(event.metadata)
            assert event.event
            assert event.description
            assert event.key is not None
            assert event.key.startswith(f"{log_format.name}:")

    check()
