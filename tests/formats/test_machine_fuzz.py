"""Logs of machines with anything in them: an event or a rejection, never an exception."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_tui.core.event import AuditEvent, json_text
from audit_tui.formats.record import Format, RecordError
from audit_tui.formats.vendors.cloud.kubernetes import KUBERNETES
from audit_tui.formats.vendors.hosts.auditd import AUDITD
from audit_tui.formats.vendors.hosts.auditd_records import decoded, parse_fields
from audit_tui.formats.vendors.hosts.journald import JOURNALD
from audit_tui.formats.vendors.identity.vault import VAULT
from audit_tui.ingest.events import Reading
from tests.formats.logs import read, write
from tests.formats.vendors import ECS, OCSF, TELEPORT

TIME = "2026-11-01T14:00:00Z"
NAMES: dict[str, str] = {
    # The fields that a mapper looks at, at any depth.
    "kubernetes": """
kind apiVersion auditID stage verb requestURI user username uid impersonatedUser objectRef resource
subresource name namespace responseStatus code status message reason annotations sourceIPs
stageTimestamp metadata creationTimestamp requestObject responseObject roleRef subjects command
request operation userInfo response allowed object managedFields time
""",
    "vault": """
type time request response auth operation path mount_type mount_point id remote_address error data
display_name entity_id metadata username policy_results allowed
""",
    "teleport": """
event code time uid ei user login identity success status error message name path action argv
db_query db_service server_hostname server_id method roles device asset_tag addr.remote impersonator
instance_id attributes email
""",
    "journald": """
__REALTIME_TIMESTAMP _SOURCE_REALTIME_TIMESTAMP __CURSOR MESSAGE PRIORITY SYSLOG_IDENTIFIER
_SYSTEMD_UNIT _TRANSPORT _UID _AUDIT_LOGINUID _COMM _AUDIT_TYPE_NAME _AUDIT_FIELD_RES
_AUDIT_FIELD_ADDR
""",
    "ecs": """
@timestamp ecs event action category outcome id severity type module dataset auditd summary actor
object primary how result sequence data syscall message user name audit name_map auid source ip
client log level host file path event.action user.name
""",
    "ocsf": """
class_uid class_name category_name activity_id activity_name type_uid type_name time time_dt status
status_id status_detail severity_id action_id disposition_id message api operation response error
actor user name email_addr uid resources entity src_endpoint dst_endpoint ip hostname metadata
invoked_by
""",
    "auditd": """
time serial node prefix SYSCALL EXECVE PATH CWD PROCTITLE SOCKADDR KERN_MODULE OBJ_PID LOGIN AVC
USER_LOGIN USER_ERR TTY CONFIG_CHANGE MAC_IPSEC_EVENT CRYPTO_KEY_USER ADD_USER UNKNOWN success exit
res syscall arch exe comm key auid uid AUID UID acct id ID a0 a1 a99999999 name cwd nametype
proctitle saddr opid ocomm op text tclass permissive apparmor operation data addr hostname terminal
ses old audit_enabled
""",
}
TEXTS = (
    "get", "create", "delete", "pods", "exec", "secrets", "rolebindings", "RequestReceived", "Panic",
    "ResponseComplete", "forbid", "CREATE", "/api/v1?command=a&command=b%20c", "audit.k8s.io/v1",
    "AdmissionReview", "request", "response", "update", "auth/userpass/login/bob", "secret/data/a", "kv",
    "pki",
    "transit/encrypt/{k}", "user.login", "sftp", "device", "TS001I", "TV001W", "session.start",
    "db.session.mysql.statements.execute", "github.created", "sshd", "sudo", "su", "audit",
    "Failed password for root from ::1 port 1 ssh2", "a : TTY=x ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
    "opened-file", "was-authorized", "execve", "59", "c000003e", "yes", "no", "failed", "1", "-13",
    "4294967295", "unset", "root", "0", "02000050A9FEA9FE0000000000000000", "0A00",
    "0A000016000000000000000000000000000000000000000000000001", "2F746D70", "avc:  denied  { read } for",
    "PARENT", "DENIED", "Logon", "Success", "3002", "1793541600123456", "1793541600.5", "1.2.3.4:5", "{", "}",
    "{0}", "", " ", "\x00", "\ud800", "?", "(null)", TIME,
)  # fmt: skip
FORMATS = (AUDITD, ECS, JOURNALD, KUBERNETES, OCSF, TELEPORT, VAULT)
TIMES = {
    "time": TIME,
    "stageTimestamp": TIME,
    "@timestamp": TIME,
    "__REALTIME_TIMESTAMP": "1793541600123456",
}


def near(log_format: Format) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects with the format's own names and texts, in any order and depth."""
    names = st.sampled_from(NAMES[log_format.name].split())
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-5, 10**14)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.sampled_from(TEXTS)
    )
    inner = st.recursive(
        leaves | st.text(max_size=6),
        lambda value: st.lists(value, max_size=3) | st.dictionaries(names, value, max_size=6),
        max_leaves=12,
    )
    return st.dictionaries(names, inner, max_size=8)


def assert_storable(event: AuditEvent) -> None:
    json_text(event.to_json()).encode()
    json.dumps(event.metadata, allow_nan=False)
    assert event.event
    assert event.description
    assert event.key
    for text in (event.event, event.category, event.user, event.description, event.target, event.key):
        assert text is None or "\x00" not in text.encode().decode()


@pytest.mark.parametrize("log_format", FORMATS, ids=lambda log_format: log_format.name)
def test_any_fields_are_an_event_or_rejected(log_format: Format) -> None:
    @settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
    @given(near(log_format), st.booleans())
    def check(fields: dict[str, Any], has_time: bool) -> None:
        if has_time:
            fields |= TIMES
            fields.setdefault("event", "user.login")
            if log_format is AUDITD:
                fields["time"] = "1793541600.123"
        untouched = copy.deepcopy(fields)
        log_format.detect(fields)
        try:
            event = log_format.map(fields)
        except RecordError as error:
            assert error.reason
        else:
            assert_storable(event)
            assert event.key is not None
            assert event.key.startswith(f"{log_format.name}:")
        assert fields == untouched

    check()


PIECES = (
    "type=", "SYSCALL", "EXECVE", "PATH", "USER_LOGIN", "EOE", " ", "  ", "msg=audit(1793541600.123:5): ",
    "msg=audit(1793541600.124:6):", "msg=audit(9999999999999:6):", "node=a ", "msg='", "'", '"', "=", "a0=",
    'a1[0]="x"', "a1[1]=C3", "a1[1]=A9", "argc=2", "key=", "key=610162", "2F746D70", "(null)", "?", "\x1d",
    'AUID="bob"', "\r", "\n", "\x00", "\x85", "\u2028", "\udcff", "{ ", "}", "saddr=0200", "old auid=1",
    "res=failed", "success=no", "exit=-13", "proctitle=610062", "data=0D",
    "audit: type=1400 audit(1793541600.5:7): ",
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=40))
def test_any_lines_are_events_or_rejects(pieces: list[str]) -> None:
    data = "".join(pieces).encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as folder:
        log = write(Path(folder), b"type=SYSCALL msg=audit(1.1:1): a=1\n" + data)
        events, rejects = read(log, Reading("auditd"))
    for event in events:
        assert_storable(event)
    assert all(reject.reason and reject.line >= 1 for reject in rejects)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        events, _ = read(
            write(Path(folder), b"type=SYSCALL msg=audit(1793541600.1:1): " + data), Reading("auditd")
        )
    assert len({event.key for event in events}) == len(events)


# No hexadecimal pairs, 00 or ABCD: without quotes they are what some fields, as exe, are encoded in.
plain = st.text(alphabet="abcXYZ019_-./:", max_size=6).filter(lambda text: decoded(text) == text)
names = st.text(alphabet="abcdexyz", min_size=2, max_size=4)


@settings(max_examples=200)
@given(st.dictionaries(names, st.tuples(plain, st.booleans()), min_size=1, max_size=12), st.booleans())
def test_the_fast_way_and_the_slow_way_say_the_same(pairs: dict[str, tuple[str, bool]], nested: bool) -> None:
    written = [
        f'{name}="{value}"' if quoted else f"{name}={value}" for name, (value, quoted) in pairs.items()
    ]
    body = " ".join(written)
    if nested:
        body = f"pid=1 msg='{body}'"
    expected = {name: value for name, (value, _) in pairs.items()}
    expected = {"pid": "1", **expected} if nested else expected
    fast = parse_fields(body, "OTHER")
    slow = parse_fields(f"{body} word", "OTHER") if not nested else parse_fields(f"word {body}", "OTHER")
    assert fast == expected
    assert slow == {**expected, "text": "word"}
