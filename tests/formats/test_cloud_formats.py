"""Cloud services, from GitHub to Auth0: what fills the columns, and what is detected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.core.event import Outcome
from audit_tui.formats.record import RecordError, Shape
from audit_tui.formats.registry import Formats
from audit_tui.formats.vendors.cloud.gcp import GCP
from tests.formats.cloud_records import (
    TIME,
    auth0,
    azure,
    entra,
    gcp,
    github,
    gitlab,
    m365,
    mapped,
    okta,
    workspace,
)
from tests.formats.vendors import AUTH0, AZURE, ENTRA, GITHUB, GITLAB, M365, OKTA, WORKSPACE

if TYPE_CHECKING:
    from audit_tui.formats.record import Format

CLOUD = (AUTH0, AZURE, ENTRA, GCP, GITHUB, GITLAB, M365, OKTA, WORKSPACE)
S, F, U = Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("log_format", "fields", "outcome", "is_denied", "severity"),
    [
        (GITHUB, github(), U, False, None),
        (GITHUB, github(action="protected_branch.rejected_ref_update"), F, False, None),
        (GITHUB, github(action="org.oauth_app_access_denied"), F, True, None),
        (OKTA, okta("x", outcome={"result": "ALLOW"}, severity="ERROR"), S, False, 4),
        (OKTA, okta("x", outcome={"result": "DENY"}, severity="WARN"), F, True, 3),
        (OKTA, okta("x", outcome={"result": "CHALLENGE"}, severity="DEBUG"), U, False, 1),
        (OKTA, okta("x", outcome=None), U, False, None),
        (GCP, gcp("x"), S, False, None),
        (GCP, gcp("x", status={}), S, False, None),
        (GCP, gcp("x", status={"code": 0}), S, False, None),
        (GCP, gcp("x", status={"code": 5}), F, False, None),
        (GCP, gcp("google.login.LoginService.loginFailure"), F, False, None),
        (GCP, gcp("x", status={"code": 16}), F, True, None),
        (GCP, gcp("x", authorizationInfo=[{"granted": True}, {"granted": False}]), F, True, None),
        (GCP, gcp("x") | {"severity": "EMERGENCY"}, S, False, 6),
        (AZURE, azure("a/b/delete", "Succeeded", level="Warning"), S, False, 3),
        (AZURE, azure("a/b/delete", "Accepted", Level="4"), U, False, 1),
        (AZURE, azure("a/b/delete", "Failed", Level=2), F, False, 4),
        (AZURE, azure("a/b/delete", "Failure", subStatus={"value": "Forbidden"}), F, True, None),
        (ENTRA, entra("x", result="failed"), F, False, None),
        (ENTRA, entra("x", result="timeout"), U, False, None),
        (M365, m365("x", ResultStatus="Succeeded"), S, False, None),
        (M365, m365("x", ResultStatus="PartiallySucceeded"), S, False, None),
        (M365, m365("UserLoginFailed", ResultStatus="Success"), F, False, None),
        (M365, m365("x"), U, False, None),
        (WORKSPACE, workspace("login", "login_failure"), F, False, None),
        (WORKSPACE, workspace("login", "login_success"), S, False, None),
        (WORKSPACE, workspace("drive", "view"), U, False, None),
        (GITLAB, gitlab(failed_login="STANDARD"), F, False, None),
        (GITLAB, gitlab(event_type="deploy_token_creation_failed"), F, False, None),
        (GITLAB, gitlab(change="name", severity="INFO"), U, False, 1),
        (AUTH0, auth0("sapi"), S, False, None),
        (AUTH0, auth0("fapi"), F, False, None),
        (AUTH0, auth0("pwd_leak"), U, False, 3),
        (AUTH0, auth0("limit_wc"), F, True, 3),
        (AUTH0, auth0("depnote"), U, False, 3),
    ],
)
def test_how_it_ended(
    log_format: Format, fields: dict[str, Any], outcome: Outcome, is_denied: bool, severity: int | None
) -> None:
    event = mapped(log_format, fields)
    assert (event.outcome, event.severity) == (outcome, severity)
    assert event.metadata.get("outcome_detail") == ("denied" if is_denied else None)


@pytest.mark.parametrize(
    ("log_format", "fields", "user"),
    [
        (GITHUB, github(actor="", actor_id=7), "7"),
        (GITHUB, github(actor=None, deploy_key_id=3), "deploy_key"),
        (OKTA, okta("x", actor={"alternateId": "unknown", "displayName": "Bob"}), "Bob"),
        (OKTA, okta("x", actor={"alternateId": "unknown", "displayName": "unknown", "id": "unknown"}), None),
        (GCP, gcp("x", authenticationInfo={"principalSubject": "user:bob"}), "user:bob"),
        (GCP, gcp("x", authenticationInfo={}), "(anonymous)"),
        (AZURE, azure("a/b/c", "Start", caller=None, claims={"appid": "app-1"}), "app-1"),
        (ENTRA, entra("x", initiatedBy={"user": None, "app": {"displayName": "Sync"}}), "Sync"),
        (ENTRA, entra("x", initiatedBy='{"user": {"userPrincipalName": "eve"}}'), "eve"),
        (M365, m365("x", UserId="Not Available", UserKey="k-1"), "k-1"),
        (GITLAB, gitlab(change="x", author_id=-3, author_name=None), "deploy key"),
        (GITLAB, gitlab(change="x", author_name=None, **{"meta.user": "eve"}), "eve"),
        (
            AUTH0,
            auth0("sapi", user_name="", details={"request": {"auth": {"user": {"email": "eve"}}}}),
            "eve",
        ),
        (AUTH0, auth0("seccft", user_name=None, client_name="Robot"), "Robot"),
        (WORKSPACE, workspace("drive", "view") | {"actor": {"key": "SYSTEM"}}, "SYSTEM"),
    ],
)
def test_who(log_format: Format, fields: dict[str, Any], user: str | None) -> None:
    assert mapped(log_format, fields).user == user


@pytest.mark.parametrize(
    ("log_format", "fields", "occurred_us"),
    [
        (GITHUB, github(created_at="2026-11-01 14:00:00.500", at_sign_timestamp="x"), 500_000),
        (OKTA, okta("x", published="2026-11-01 14:00:00.496000000"), 496_000),
        (GCP, gcp("x") | {"timestamp": None, "receiveTimestamp": "2026-11-01T14:00:00.123456789Z"}, 123_456),
        (AZURE, azure("a/b/c", "x", time="11/1/2026 2:00:00 PM"), 0),
        (AZURE, azure("a/b/c", "x", time="2026-11-01T14:00:00.1234567Z"), 123_456),
        (M365, m365("x", CreationTime="2026-11-01T14:00:00"), 0),
        (ENTRA, entra("x", activityDateTime="2026-11-01T14:00:00.1234567+00:00"), 123_456),
    ],
)
def test_when(log_format: Format, fields: dict[str, Any], occurred_us: int) -> None:
    assert mapped(log_format, fields).occurred_us == 1_793_541_600_000_000 + occurred_us


@pytest.mark.parametrize(
    ("log_format", "fields", "address"),
    [
        (M365, m365("x", ClientIP="192.0.2.1:10736"), "192.0.2.1"),
        (M365, m365("x", ClientIP="", ClientIPAddress="[2001:DB8:0::0001]:443"), "2001:db8::1"),
        (M365, m365("x", ActorIpAddress="::1"), "::1"),
        (GCP, gcp("x", requestMetadata={"callerIP": "gce-internal-ip"}), "gce-internal-ip"),
        (AZURE, azure("a/b/c", "x", callerIpAddress="192.0.2.1:1"), "192.0.2.1"),
        (OKTA, okta("x", request={"ipChain": [{"ip": "192.0.2.1"}]}), "192.0.2.1"),
        (GITLAB, gitlab(change="x", details={"ip_address": "192.0.2.1"}), "192.0.2.1"),
    ],
)
def test_from_where(log_format: Format, fields: dict[str, Any], address: str) -> None:
    assert mapped(log_format, fields).source_ip == address


@pytest.mark.parametrize(
    ("log_format", "fields", "other", "are_one"),
    [
        # Ids that are shared by records that are not the same, and records that come without an id.
        (GITHUB, github(_document_id="d"), github(_document_id="d", p_row_id="2"), True),
        (GITHUB, github(p_row_id="1"), github(p_row_id="2"), True),
        (GITHUB, github(), github(repo="acme/web"), False),
        (
            GCP,
            gcp("x") | {"insertId": "i", "logName": "a"},
            gcp("x") | {"insertId": "i", "logName": "b"},
            False,
        ),
        (GCP, gcp("x") | {"insertId": "i"}, gcp("x") | {"insertId": "i", "timestamp": "2026-11-01"}, False),
        (
            AZURE,
            azure("a/b/c", "Start", correlationId="c"),
            azure("a/b/c", "Success", correlationId="c"),
            False,
        ),
        (
            AZURE,
            azure("a/b/c", "Start", eventDataId="e"),
            azure("a/b/c", "Start", eventDataId="e", x=1),
            True,
        ),
        (GITLAB, gitlab(id=1, change="x"), gitlab(id=1, change="x", created_at="2026-11-01"), False),
        (GITLAB, gitlab(change="x", correlation_id="c"), gitlab(change="y", correlation_id="c"), False),
        (WORKSPACE, workspace("drive", "view"), workspace("token", "view"), False),
        (AUTH0, auth0("s"), auth0("s", ip="192.0.2.1"), True),
        (M365, m365("x", Id="1"), m365("x", Id="1", CreationTime="2026-11-02"), True),
    ],
)
def test_what_makes_two_records_one(
    log_format: Format, fields: dict[str, Any], other: dict[str, Any], are_one: bool
) -> None:
    assert (mapped(log_format, fields).key == mapped(log_format, other).key) is are_one


def test_each_event_of_a_workspace_activity_has_a_key_of_its_own() -> None:
    fields = workspace("drive", "view")
    fields["events"] *= 3
    assert WORKSPACE.split is not None
    parts = WORKSPACE.split(fields)
    assert len({WORKSPACE.map(part).key for part in parts}) == 3
    assert WORKSPACE.split(fields | {"events": [None, 1]}) == []


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (github(), "github"),
        ({"action": "repo.update", "actor": "a", "programmatic_access_type": "x", "repo": "a/b"}, "github"),
        (okta("x"), "okta"),
        (gcp("x"), "gcp"),
        (azure("a/b/c", "x"), "azure"),
        (
            azure("x", "0", resource="x")
            | {"resourceId": "/tenants/t/providers/Microsoft.aadiam", "category": "Policy"},
            "entra",
        ),
        (entra("x"), "entra"),
        ({"appDisplayName": "Mail", "createdDateTime": TIME, "status": {"errorCode": 0}}, "entra"),
        (m365("x"), "m365"),
        ({"operation": "x", "recordtype": 1, "creationtime": TIME}, "m365"),
        (workspace("drive", "view"), "workspace"),
        (gitlab(), "gitlab"),
        (auth0("s"), "auth0"),
        # What other applications write is left to the usual names.
        ({"action": "login", "actor": "bob", "created_at": TIME, "org": "acme"}, None),
        ({"action": "user.login", "actor": {"email": "bob"}, "created_at": 1_793_541_600}, None),
        ({"operation": "x", "time": TIME, "user": "bob"}, None),
        ({"type": "s", "date": TIME, "user": "bob"}, None),
        ({"id": 5, "name": "x", "time": TIME}, None),
        ({"category": "AuditLogs", "time": TIME, "event": "x"}, None),
        ({"data": {"date": TIME}, "type": "x"}, None),
    ],
)
def test_detection(fields: dict[str, Any], name: str | None) -> None:
    log_format = Formats().recognised(fields, Shape.JSON)
    assert (None if log_format is None else log_format.name) == name


@pytest.mark.parametrize("log_format", CLOUD, ids=lambda log_format: log_format.name)
def test_a_record_of_nothing_says_what_is_missing(log_format: Format) -> None:
    with pytest.raises(RecordError, match="it "):
        log_format.map({})
