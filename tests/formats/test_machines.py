"""Kubernetes, Vault, Teleport, the journal, ECS and OCSF: who, what, how it ended, in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.core.event import Outcome
from audit_tui.formats.record import RecordError
from audit_tui.formats.vendors.cloud.kubernetes import KUBERNETES
from audit_tui.formats.vendors.hosts.journald import JOURNALD
from audit_tui.formats.vendors.identity.vault import VAULT
from tests.formats.logs import read, write
from tests.formats.vendors import ECS, OCSF, TELEPORT

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.event import AuditEvent

TIME = "2026-11-01T14:00:00Z"
Fields = dict[str, Any]


def kube(**fields: Any) -> AuditEvent:  # noqa: ANN401 - any JSON
    return KUBERNETES.map(
        {"auditID": "a", "stage": "ResponseComplete", "stageTimestamp": TIME, "user": {"username": "al"}}
        | fields
    )


def ref(resource: str, name: str | None = None, namespace: str | None = None, sub: str = "") -> Fields:
    given = {"resource": resource, "name": name, "namespace": namespace, "subresource": sub}
    return {key: value for key, value in given.items() if value}


class TestKubernetes:
    """Requests to the API server."""

    @pytest.mark.parametrize(
        ("verb", "reference", "code", "sentence"),
        [
            ("get", ref("pods", "web", "prod"), 200, "al read pod web in namespace prod"),
            (
                "list",
                ref("networkpolicies", None, "prod"),
                200,
                "al listed network policies in namespace prod",
            ),
            ("watch", ref("ingresses"), 200, "al watched ingresses"),
            ("create", ref("pods", None, "prod"), 201, "al created a pod in namespace prod"),
            ("patch", ref("configmaps", "c", "prod"), 200, "al changed config map c in namespace prod"),
            ("deletecollection", ref("pods", None, "prod"), 200, "al deleted all pods in namespace prod"),
            ("create", ref("pods", "w", "p", "eviction"), 429, "al failed to evict pod w in namespace p"),
            ("get", ref("pods", "w", "p", "log"), 200, "al read the log of pod w in namespace p"),
            ("update", ref("pods", "w", "p", "status"), 200, "al updated the status of pod w in namespace p"),
            ("create", ref("pods", "w", "p", "exec"), 101, "al ran a command in pod w in namespace p"),
            ("update", ref("widgets", "w", "p", "odd"), 200, "al updated the odd of widget w in namespace p"),
            ("delete", ref("namespaces", "prod", "prod"), 200, "al deleted namespace prod"),
            ("create", ref("selfsubjectaccessreviews"), 201, "al asked whether they may do something"),
            ("get", ref("secrets", "s", "p"), 403, "al was not allowed to read secret s in namespace p"),
            ("get", ref("secrets", "s", "p"), 404, "al failed to read secret s in namespace p"),
            ("approve", ref("widgets", "w"), 200, "al approved widget w"),
        ],
    )
    def test_sentences(self, verb: str, reference: Fields, code: int, sentence: str) -> None:
        event = kube(verb=verb, objectRef=reference, responseStatus={"code": code})
        assert event.description == sentence
        assert event.outcome is (Outcome.SUCCESS if code < 400 else Outcome.FAILURE)
        assert event.event == f"{verb} {reference['resource']}" + (
            f"/{reference['subresource']}" if "subresource" in reference else ""
        )

    def test_a_path_that_is_no_resource(self) -> None:
        event = kube(verb="get", requestURI="/healthz?timeout=5s", responseStatus={"code": 200})
        told = (event.event, event.category, event.target, event.description)
        assert told == ("get", "nonResource", "/healthz", "al read /healthz")

    def test_what_has_only_been_received_has_no_outcome(self) -> None:
        event = kube(verb="delete", objectRef=ref("pods", "w", "p"), stage="RequestReceived")
        assert event.outcome is Outcome.UNKNOWN
        assert event.description == "al asked to delete pod w in namespace p"
        assert event.key != kube(verb="delete").key

    @pytest.mark.parametrize(
        ("fields", "outcome"),
        [
            ({"stage": "Panic"}, Outcome.FAILURE),
            ({"annotations": {"authorization.k8s.io/decision": "forbid"}}, Outcome.FAILURE),
            ({"annotations": {"authorization.k8s.io/decision": "allow"}}, Outcome.UNKNOWN),
            ({"responseStatus": {"status": "Failure"}}, Outcome.FAILURE),
            ({"responseStatus": {"code": 0}}, Outcome.UNKNOWN),
            ({"responseStatus": "odd"}, Outcome.UNKNOWN),
        ],
    )
    def test_outcomes(self, fields: Fields, outcome: Outcome) -> None:
        assert kube(verb="get", **fields).outcome is outcome

    def test_a_new_binding_says_what_it_gives_to_whom(self) -> None:
        sent = {
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [
                {"kind": "User", "name": "bob"},
                {"kind": "Group", "name": "ops"},
                {"kind": "ServiceAccount", "name": "ci", "namespace": "dev"},
                {"kind": "User", "name": "x"},
            ],
        }
        event = kube(verb="create", objectRef=ref("clusterrolebindings", "b"), requestObject=sent)
        assert event.description == (
            "al granted cluster role cluster-admin to user bob, group ops, service account dev/ci and 1 more"
        )
        assert event.target == "b"

    def test_an_admission_review(self) -> None:
        review = {
            "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
            "request": {
                "uid": "u", "operation": "CREATE", "resource": {"resource": "pods"}, "namespace": "prod",
                "name": "web", "userInfo": {"username": "al"},
                "object": {"metadata": {"creationTimestamp": TIME}},
            },
        }  # fmt: skip
        assert KUBERNETES.detect(review)
        asked = KUBERNETES.map(review)
        assert asked.description == "al asked to create pod web in namespace prod"
        refused = KUBERNETES.map(review | {"response": {"allowed": False, "status": {"message": "no root"}}})
        assert refused.description == "al was not allowed to create pod web in namespace prod: no root"
        assert (asked.outcome, refused.outcome) == (Outcome.UNKNOWN, Outcome.FAILURE)
        assert asked.key != refused.key
        with pytest.raises(RecordError, match="no time"):
            KUBERNETES.map({"kind": "AdmissionReview", "request": {"operation": "DELETE"}})

    def test_events_of_kubectl_are_not_taken_for_audit(self) -> None:
        plain = {"kind": "Event", "apiVersion": "v1", "involvedObject": {"name": "x"}, "reason": "Pulled"}
        assert not KUBERNETES.detect(plain)


def vault(path: str, operation: str = "update", mount_type: str = "", **fields: Any) -> AuditEvent:  # noqa: ANN401 - any JSON
    mount = path.partition("/")[0] + "/"
    request = {"operation": operation, "path": path, "mount_type": mount_type, "mount_point": mount}
    return VAULT.map(
        {"time": TIME, "type": "response", "auth": {"display_name": "al"}, "request": request} | fields
    )


class TestVault:
    """Calls to Vault."""

    @pytest.mark.parametrize(
        ("path", "operation", "mount_type", "sentence"),
        [
            ("secret/data/a/b", "delete", "kv", "al deleted secret a/b"),
            ("secret/metadata/", "list", "kv", "al listed the secrets in secret"),
            ("secret/destroy/a", "update", "kv", "al destroyed versions of secret a"),
            ("pki/issue/web", "update", "pki", "al issued a certificate of role web from pki"),
            ("transit/decrypt/k", "update", "transit", "al decrypted data with key k"),
            ("database/creds/ro", "read", "database", "al got database credentials of role ro"),
            ("sys/mounts/kv2", "update", "system", "al mounted a secrets engine at kv2"),
            ("sys/policies/acl/x{y}", "delete", "system", "al deleted policy x{y}"),
            ("sys/seal", "update", "system", "al sealed the vault"),
            ("auth/token/revoke-self", "update", "token", "al revoked their own token"),
            ("auth/userpass/login/bob", "update", "userpass", "bob logged in with userpass"),
            ("auth/approle/login", "update", "approle", "al logged in with approle"),
            ("custom/x", "rollback", "", "al rolled back custom/x"),
        ],
    )
    def test_sentences(self, path: str, operation: str, mount_type: str, sentence: str) -> None:
        event = vault(path, operation, mount_type)
        assert (event.description, event.outcome) == (sentence, Outcome.SUCCESS)

    def test_a_request_says_nothing_of_its_end(self) -> None:
        event = vault("secret/data/a", "read", "kv", type="request")
        assert (event.outcome, event.description) == (Outcome.UNKNOWN, "al asked to read secret a")

    @pytest.mark.parametrize(
        ("fields", "outcome"),
        [
            ({"error": "1 error occurred:\n\t* permission denied\n\n"}, Outcome.FAILURE),
            ({"response": {"data": {"error": "hmac"}}}, Outcome.FAILURE),
            ({"response": {"data": {"error": "hmac", "x": 1}}}, Outcome.SUCCESS),
            ({"error": ""}, Outcome.SUCCESS),
        ],
    )
    def test_errors(self, fields: Fields, outcome: Outcome) -> None:
        event = vault("auth/x/login", mount_type="userpass", **fields)
        assert event.outcome is outcome
        assert event.metadata.get("outcome_detail") == ("denied" if fields.get("error") else None)

    def test_nobody(self) -> None:
        event = vault("sys/health", "read", "system", auth=None)
        assert (event.user, event.description) == (
            "(unauthenticated)",
            "someone without a token read sys/health",
        )


class TestTeleport:
    """Acts of people through Teleport; the samples have most of its events."""

    @pytest.mark.parametrize(
        ("fields", "sentence", "severity"),
        [
            ({"event": "user.login", "code": "T1000W", "user": "al", "error": "bad\npassword"},
             "al failed to log in: bad password", 3),
            ({"event": "sftp", "code": "TS011I", "action": 11, "user": "al", "path": "/x"},
             "al removed /x over SFTP", 1),
            ({"event": "sftp", "code": "TS099I", "action": 99, "user": "al"}, "al used a file over SFTP", 1),
            ({"event": "role.created", "code": "T9000I", "name": "ops", "user": "al"},
             "al created role ops", 1),
            ({"event": "access_request.create", "code": "T5000I", "roles": ["a", "b"], "user": "al"},
             "al requested roles a, b", 1),
            ({"event": "exec", "code": "T3002E", "command": "ls", "user": "al", "impersonator": "bot",
              "exitError": "exit 1"}, "bot as al failed to run ls: exit 1", 4),
            ({"event": "odd", "code": "T9999I"}, "Teleport recorded odd", 1),
        ],
    )  # fmt: skip
    def test_sentences(self, fields: Fields, sentence: str, severity: int) -> None:
        assert TELEPORT.detect(fields)
        event = TELEPORT.map({"time": TIME, **fields})
        assert (event.description, event.severity) == (sentence, severity)

    def test_what_success_says_goes_before_the_code(self) -> None:
        event = TELEPORT.map(
            {"time": TIME, "event": "device", "code": "TV001I", "status": {"success": False}}
        )
        assert event.outcome is Outcome.FAILURE

    def test_dotted_keys_are_no_paths(self) -> None:
        event = TELEPORT.map({"time": TIME, "event": "x", "code": "T1I", "addr.remote": "[::1]:3022"})
        assert event.source_ip == "::1"
        assert not TELEPORT.detect({"event": "x", "code": 7})


def journal(message: object, identifier: str = "app", **fields: Any) -> AuditEvent:  # noqa: ANN401 - any JSON
    return JOURNALD.map(
        {"__REALTIME_TIMESTAMP": "1793541600123456", "MESSAGE": message, "SYSLOG_IDENTIFIER": identifier}
        | fields
    )


class TestJournal:
    """Entries of the systemd journal."""

    @pytest.mark.parametrize(
        ("identifier", "message", "user", "outcome", "address"),
        [
            ("sshd", "Accepted publickey for al from 192.0.2.1 port 22 ssh2: RSA", "al", "success",
             "192.0.2.1"),
            ("sshd", "Invalid user x from 192.0.2.1 port 22", "x", "failure", "192.0.2.1"),
            ("sshd", "Connection closed by 192.0.2.1", None, "unknown", "192.0.2.1"),
            ("sudo", "al : command not allowed ; TTY=a ; PWD=/ ; USER=root ; COMMAND=/bin/x", "al",
             "failure", None),
            ("sudo", "al : TTY=a ; PWD=/ ; USER=root ; COMMAND=/bin/x", "al", "unknown", None),
            ("su", "FAILED SU (to root) al on pts/0", "al", "failure", None),
            ("su", "(to root) al on pts/0", "al", "success", None),
            ("login", "pam_unix(login:session): session opened for user al(uid=1) by x", "al", "unknown",
             None),
            ("gdm", "pam_unix(gdm:auth): authentication failure; logname= uid=0 rhost=192.0.2.1  user=al",
             "al",
             "failure", "192.0.2.1"),
            ("app", "Failed password for al from 192.0.2.1 port 2 ssh2", None, "unknown", None),
        ],
    )  # fmt: skip
    def test_what_a_message_tells(
        self, identifier: str, message: str, user: str | None, outcome: str, address: str | None
    ) -> None:
        event = journal(message, identifier)
        assert (event.user, event.outcome, event.source_ip) == (user, Outcome(outcome), address)
        assert event.metadata["MESSAGE"] == message

    @pytest.mark.parametrize(
        ("message", "description"),
        [
            (
                "pam_unix(sudo:session): session opened for user root(uid=0) by al(uid=1000)",
                "al began a session of sudo as root",
            ),
            ("pam_unix(sshd:session): session closed for user al", "al ended a session of sshd"),
            (
                "pam_unix(cron:session): session opened for user root by (uid=0)",
                "root began a session of cron",
            ),
            (
                "pam_unix(sshd:auth): authentication failure; logname= uid=0 rhost=192.0.2.1  user=al",
                "al failed to authenticate to sshd from 192.0.2.1",
            ),
            ("pam_sss(su:auth): authentication failure; uid=0", "someone failed to authenticate to su"),
            ([104, 105], "hi"),
            ([104, 255], "h\\xff"),
            (["first", "second"], "first"),
            (None, "app wrote a message too long for the export (journalctl --all gives it)"),
            ("", "app wrote an empty message"),
            ("a\n\tb", "a b"),
            (True, "app wrote an empty message"),
        ],
    )
    def test_messages_of_any_type(self, message: object, description: str) -> None:
        assert journal(message).description == description

    def test_a_record_of_the_audit_system_is_read_as_one(self) -> None:
        message = "USER_LOGIN pid=1 uid=0 auid=1000 msg='op=login id=1000 addr=192.0.2.1 res=failed'"
        event = journal(message, "audit", _TRANSPORT="audit", _AUDIT_TYPE_NAME="USER_LOGIN", PRIORITY=4)
        assert (event.event, event.category, event.user) == ("USER_LOGIN", "user-login", "1000")
        assert (event.outcome, event.source, event.severity) == (Outcome.FAILURE, "journald", 3)
        assert event.description == "user 1000 failed to log in from 192.0.2.1"
        assert event.occurred_us == 1793541600123456

    def test_users(self) -> None:
        assert journal("x", _AUDIT_LOGINUID="4294967295", _UID="0").user == "root"
        assert journal("x", _AUDIT_LOGINUID="1000", _UID="0").user == "1000"


class TestEcs:
    """Documents of the Elastic Common Schema."""

    @pytest.mark.parametrize(
        ("fields", "sentence", "outcome"),
        [
            ({"event": {"action": "was-authorized", "outcome": "success"}, "user": {"name": "al"}},
             "al was authorized", "success"),
            ({"event": {"action": "executed"}, "process": {"executable": "/bin/ls"}, "user.name": "al"},
             "al executed /bin/ls", "unknown"),
            ({"event": {"action": "user_login", "outcome": "failure"}, "user": {"name": "al"}},
             "al failed to log in", "failure"),
            ({"event": {"dataset": "x.y"}}, "x.y on this host", "unknown"),
            ({"ecs": {}, "message": "hello", "event": {"outcome": "odd"}}, "hello", "unknown"),
            ({"auditd": {"result": "fail", "data": {"syscall": "open"}},
             "user": {"name_map": {"auid": "al"}}},
             "al failed to open", "failure"),
        ],
    )  # fmt: skip
    def test_sentences(self, fields: Fields, sentence: str, outcome: str) -> None:
        fields = {"@timestamp": TIME, **fields}
        assert ECS.detect(fields)
        event = ECS.map(fields)
        assert (event.description, event.outcome) == (sentence, Outcome(outcome))

    def test_what_only_carries_another_record_is_not_ours(self, tmp_path: Path) -> None:
        inner = '{"event": "user.login", "code": "T1000I", "time": "2026-11-01T14:00:00Z", "user": "al"}'
        fields = {"@timestamp": TIME, "ecs": {"version": "8"}, "message": inner}
        assert not ECS.detect(fields)
        assert not ECS.detect({"@timestamp": TIME, "event": "x"})
        import json

        (event,), _ = read(write(tmp_path, json.dumps(fields)))
        assert event.source == "teleport"


class TestOcsf:
    """Events of the Open Cybersecurity Schema Framework."""

    @pytest.mark.parametrize(
        ("fields", "event", "sentence", "outcome"),
        [
            ({"class_uid": 3001, "activity_id": 3, "actor": {"user": {"name": "al"}}, "user": {"name": "bob"},
              "status": "Success"}, "Password Change", "al changed the password of bob", "success"),
            ({"class_uid": 3002, "activity_id": 2, "user": {"name": "al"}, "status_id": 99}, "Logoff",
             "al logged out", "unknown"),
            ({"class_uid": 6003, "api": {"operation": "PutObject"}, "actor": {"user": {"uid": "u"}},
              "action_id": 2}, "PutObject", "u was not allowed to put the object", "failure"),
            ({"class_uid": 1007, "activity_id": 1, "process": {"name": "sh"}, "status_id": 2,
              "status_code": "13"}, "Launch", "someone failed to launch sh: 13", "failure"),
            ({"class_uid": 4001, "activity_name": "Traffic", "dst_endpoint": {"ip": "192.0.2.1"}}, "Traffic",
             "someone did Traffic (network activity) on 192.0.2.1", "unknown"),
        ],
    )  # fmt: skip
    def test_sentences(self, fields: Fields, event: str, sentence: str, outcome: str) -> None:
        fields = {"metadata": {}, "time": 1793541600123.5, **fields}
        assert OCSF.detect(fields)
        mapped = OCSF.map(fields)
        assert (mapped.event, mapped.description, mapped.outcome) == (event, sentence, Outcome(outcome))
        assert mapped.occurred_us == 1793541600123500

    def test_severities_beyond_our_scale_are_not_told(self) -> None:
        assert (
            OCSF.map({"class_uid": 3002, "activity_id": 1, "time": 1793541600, "severity_id": 99}).severity
            is None
        )
        assert not OCSF.detect({"class_uid": True, "metadata": {}})
