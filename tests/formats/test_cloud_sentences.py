"""GitHub, Okta, Google Cloud, Azure, Entra, Microsoft 365, Workspace, GitLab, Auth0: who did what to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.formats.vendors.cloud.gcp import GCP
from tests.formats.cloud_records import (
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

BOB: dict[str, Any] = {"type": "User", "userPrincipalName": "bob@example.com"}


@pytest.mark.parametrize(
    ("log_format", "fields", "sentence", "target"),
    [
        (GITHUB, github(repo="acme/web"), "alice created repo acme/web", "acme/web"),
        (GITHUB, github(action="git.push", repo="acme/web"), "alice pushed to acme/web", "acme/web"),
        (
            GITHUB,
            github(action="org.invite_member", user="bob"),
            "alice invited member bob to acme",
            "bob",
        ),
        (
            GITHUB,
            github(action="team.add_repository", team="acme/ops", repo="acme/web"),
            "alice added repository acme/web to team acme/ops",
            "acme/ops",
        ),
        (GITHUB, github(action="org.saml_disabled"), "alice disabled SAML for acme", "acme"),
        (
            GITHUB,
            github(action="dependabot_alerts_new_repos.disable"),
            "alice disabled dependabot alerts for new repos for acme",
            "acme",
        ),
        (
            GITHUB,
            github(action="secret_scanning_alert.odd", actor=None, programmatic_access_type="deploy_key"),
            "secret scanning alert odd by deploy_key in acme",
            "acme",
        ),
        (
            OKTA,
            okta("user.account.privilege.grant", ("User", "bob@example.com")),
            "alice@example.com granted an admin role to bob@example.com",
            "bob@example.com",
        ),
        (
            OKTA,
            okta("user.authentication.sso", ("AppInstance", "Mail"), client={"ipAddress": "192.0.2.1"}),
            "alice@example.com signed in to Mail from 192.0.2.1",
            "Mail",
        ),
        (
            OKTA,
            okta("zone.make_blacklist", displayMessage="Mark network zone as blocked", target=None),
            "alice@example.com marked network zone as blocked",
            None,
        ),
        (
            OKTA,
            okta("pki.cert.lifecycle.revoke", ("Cert", "c-1")),
            "alice@example.com revoked cert c-1",
            "c-1",
        ),
        (
            GCP,
            gcp("v1.compute.firewalls.insert", "projects/p/global/firewalls/open"),
            "alice@example.com created firewall open in project p",
            "projects/p/global/firewalls/open",
        ),
        (
            GCP,
            gcp("io.k8s.core.v1.pods.exec.create", "core/v1/namespaces/web/pods/api/exec"),
            "alice@example.com ran a command in pod api",
            "core/v1/namespaces/web/pods/api/exec",
        ),
        (
            GCP,
            gcp("google.iam.admin.v1.CreateServiceAccount", "projects/p", response={"email": "ci@p.example"}),
            "alice@example.com created service account ci@p.example in project p",
            "projects/p",
        ),
        (
            GCP,
            gcp("SetIamPolicy", "projects/p", authenticationInfo=None),
            "someone changed the IAM policy of project p",
            "projects/p",
        ),
        (GCP, gcp("Odd.Method"), "alice@example.com called Odd.Method", None),
        (
            AZURE,
            azure("Microsoft.Compute/disks/write", "Success"),
            "alice@example.com created or updated disk d1 in resource group web",
            "/subscriptions/s/resourceGroups/web/providers/Microsoft.Compute/disks/d1",
        ),
        (
            AZURE,
            azure("MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION", "Succeeded", "storageAccounts/a"),
            "alice@example.com listed the keys of storage account a in resource group web",
            "/subscriptions/s/resourceGroups/web/providers/Microsoft.Compute/storageAccounts/a",
        ),
        (
            ENTRA,
            entra("Update conditional access policy", {"type": "Policy", "displayName": "MFA"}),
            "alice@example.com updated conditional access policy MFA",
            "MFA",
        ),
        (
            ENTRA,
            entra(
                "Add member to role in PIM requested (permanent)", {"type": "Role", "displayName": "A"}, BOB
            ),
            "alice@example.com asked to add member bob@example.com to role A",
            "A",
        ),
        (
            ENTRA,
            entra("User has elevated their access to User Access Administrator"),
            "alice@example.com elevated their access to User Access Administrator",
            None,
        ),
        (
            ENTRA,
            entra("Reset password", BOB),
            "alice@example.com reset the password of bob@example.com",
            "bob@example.com",
        ),
        (
            ENTRA,
            entra("Odd thing", BOB),
            "Odd thing by alice@example.com on bob@example.com",
            "bob@example.com",
        ),
        (
            M365,
            m365("Add member to role.", ObjectId="carol@example.com", Workload="AzureActiveDirectory"),
            "bob@example.com added member carol@example.com to role",
            "carol@example.com",
        ),
        (
            M365,
            m365("AnonymousLinkCreated", ObjectId="https://x.example/Docs/a.docx"),
            "bob@example.com created an anonymous link to a.docx",
            "https://x.example/Docs/a.docx",
        ),
        (
            M365,
            m365(
                "Set-Mailbox",
                Parameters=[
                    {"Name": "Identity", "Value": "carol"},
                    {"Name": "ForwardingSmtpAddress", "Value": "smtp:eve@example.net"},
                ],
            ),
            "bob@example.com changed mailbox carol, forwarding to eve@example.net",
            None,
        ),
        (
            WORKSPACE,
            workspace(
                "drive",
                "change_user_access",
                doc_title="Plan",
                doc_type="document",
                target_user="eve@example.net",
            ),
            "alice@example.com changed access of eve@example.net to document Plan",
            "Plan",
        ),
        (
            WORKSPACE,
            workspace("admin", "CHANGE_GMAIL_SETTING", SETTING_NAME="IMAP", OLD_VALUE="off", NEW_VALUE="on"),
            "alice@example.com changed setting IMAP of Gmail from off to on",
            "IMAP",
        ),
        (WORKSPACE, workspace("login", "odd"), "odd by alice@example.com in login", None),
        (
            GITLAB,
            gitlab(add="user_access", **{"as": "Owner"}, target_details="bob", entity_path="acme/web"),
            "alice gave bob access to acme/web as Owner",
            "bob",
        ),
        (
            GITLAB,
            gitlab(details={"custom_message": "Created deploy token", "target_details": {"name": "ci"}}),
            "alice created deploy token (ci)",
            "ci",
        ),
        (GITLAB, gitlab(details={"with": "two-factor"}), "alice signed in with two-factor", None),
        (
            AUTH0,
            auth0("s", client_name="Shop", ip="192.0.2.1"),
            "bob signed in to Shop from 192.0.2.1",
            "Shop",
        ),
        (AUTH0, auth0("fu"), "bob failed to sign in: there is no such user", None),
        (AUTH0, auth0("gd_send_pn"), "bob was sent a push notification for MFA", None),
        (AUTH0, auth0("zzz", description="Something new"), "Something new", None),
    ],
)
def test_who_did_what_to_what(
    log_format: Format, fields: dict[str, Any], sentence: str, target: str | None
) -> None:
    event = mapped(log_format, fields)
    assert (event.description, event.target) == (sentence, target)
