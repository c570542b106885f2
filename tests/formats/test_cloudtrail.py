"""CloudTrail: who, what, on what, in which words; and that nothing of a record is lost."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_tui.core.event import AuditEvent, Outcome, iso_utc
from audit_tui.formats.record import Record, RecordError
from audit_tui.formats.vendors.cloud.cloudtrail import CLOUDTRAIL, LOOKUP, SERVICE_SUFFIX
from audit_tui.ingest.find import LogFile
from audit_tui.ingest.json_records import json_records
from tests.formats.logs import FIXTURES, open_log

ALICE = {"type": "IAMUser", "userName": "alice"}


def record(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "eventVersion": "1.08",
        "eventID": "id-1",
        "eventTime": "2026-11-01T14:00:00Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "ListUsers",
        "eventType": "AwsApiCall",
        "userIdentity": ALICE,
        **fields,
    }


def restored(event: AuditEvent) -> dict[str, Any]:
    """The record again, from columns and metadata alone."""
    fields = dict(event.metadata)
    frame = fields.pop(LOOKUP, None)
    fields.pop("outcome_detail", None)  # no CloudTrail record has one
    fields.setdefault("eventName", event.event)
    if event.key is not None and event.key.startswith("cloudtrail:"):
        fields.setdefault("eventID", event.key.removeprefix("cloudtrail:"))
    if event.source_ip is not None:
        fields.setdefault("sourceIPAddress", event.source_ip)
    if event.category is not None:
        fields.setdefault("eventSource", f"{event.category}{SERVICE_SUFFIX}")
    if "@timestamp" not in fields:
        fields.setdefault("eventTime", f"{iso_utc(event.occurred_us)[:19]}Z")
    return fields if frame is None else {**frame, "CloudTrailEvent": fields}


def assert_given_back(log: LogFile) -> int:
    """Check that each record can be made again from its event, and return their number."""
    records = 0
    with open_log(log) as text:
        for record in json_records(text):
            assert isinstance(record, Record)
            event = CLOUDTRAIL.map(record.fields)
            expected = copy.deepcopy(record.fields)
            if "CloudTrailEvent" in expected:
                expected["CloudTrailEvent"] = json.loads(expected["CloudTrailEvent"])
            assert restored(event) == expected
            assert CLOUDTRAIL.detect(record.fields)
            assert event.user
            assert event.description
            records += 1
    return records


@pytest.mark.parametrize(("name", "count"), [("cloudtrail.json", 2), ("lookup_events.jsonl", 1)])
def test_every_record_can_be_given_back(name: str, count: int) -> None:
    assert assert_given_back(LogFile(name, FIXTURES / name, 0)) == count


@pytest.mark.parametrize(
    "fields",
    [
        {"eventTime": "2026-11-01T14:00:00.5Z"},
        {"eventTime": "2026-11-01T16:00:00+02:00"},
        {"sourceIPAddress": "192.0.2.1:443"},
        {"sourceIPAddress": None},
        {"eventSource": "partner.example"},
        {"eventSource": SERVICE_SUFFIX},
        {"eventSource": ""},
        {"eventName": "a\x00b"},
        {"eventID": "\ud800"},
        {"eventName": "x" * 2_000},
        {"eventID": 7},
    ],
)
def test_what_a_column_holds_otherwise_stays_in_the_metadata(fields: dict[str, Any]) -> None:
    given_record = record(**fields)
    untouched = copy.deepcopy(given_record)
    event = CLOUDTRAIL.map(given_record)
    back = restored(event)
    assert {**back, **fields} == {**untouched, **fields}
    assert given_record == untouched
    for name, value in fields.items():
        assert back.get(name) == value


@pytest.mark.parametrize(
    ("identity", "user"),
    [
        (ALICE, "alice"),
        ({"type": "Root", "arn": "arn:aws:iam::111122223333:root"}, "root"),
        ({"type": "Root"}, "root"),
        (
            {
                "type": "AssumedRole",
                "arn": "arn:aws:sts::1:assumed-role/ops/bob",
                "sessionContext": {"sessionIssuer": {"userName": "ops"}},
            },
            "ops/bob",
        ),
        ({"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/ops/bob"}, "bob"),
        ({"type": "AWSService", "invokedBy": "rds.amazonaws.com"}, "rds.amazonaws.com"),
        (
            {"accountId": "111122223333", "invokedBy": "secretsmanager.amazonaws.com"},
            "secretsmanager.amazonaws.com",
        ),
        ({"type": "AWSAccount", "principalId": "AROAX:bob", "accountId": "1"}, "bob"),
        ({"type": "AWSAccount", "principalId": "", "accountId": "111122223333"}, "111122223333"),
        ({"type": "AWSAccount", "accountId": "ANONYMOUS_PRINCIPAL"}, "anonymous"),
        ({"type": "Unknown"}, "Unknown"),
        ({}, None),
        (None, None),
        ("odd", None),
        ({"userName": ["odd"], "type": 7}, None),
    ],
)
def test_who(identity: object, user: str | None) -> None:
    assert CLOUDTRAIL.map(record(userIdentity=identity)).user == user


@pytest.mark.parametrize(
    ("fields", "outcome", "severity"),
    [
        ({}, Outcome.SUCCESS, None),
        ({"errorCode": "NoSuchBucket"}, Outcome.FAILURE, None),
        ({"errorMessage": "No"}, Outcome.FAILURE, None),
        ({"errorCode": "Client.UnauthorizedOperation"}, Outcome.FAILURE, 3),
        ({"errorCode": "AccessDeniedException"}, Outcome.FAILURE, 3),
        ({"eventType": "AwsServiceEvent"}, Outcome.UNKNOWN, None),
        ({"eventType": None}, Outcome.UNKNOWN, None),
        (
            {"eventType": "AwsConsoleSignIn", "responseElements": {"ConsoleLogin": "Success"}},
            Outcome.SUCCESS,
            None,
        ),
        (
            {"eventType": "AwsConsoleSignIn", "responseElements": {"ConsoleLogin": "Failure"}},
            Outcome.FAILURE,
            None,
        ),
    ],
)
def test_how_it_ended(fields: dict[str, Any], outcome: Outcome, severity: int | None) -> None:
    event = CLOUDTRAIL.map(record(**fields))
    assert (event.outcome, event.severity) == (outcome, severity)
    assert event.metadata.get("outcome_detail") == ("denied" if severity else None)


EC2 = {"eventSource": "ec2.amazonaws.com"}


@pytest.mark.parametrize(
    ("fields", "sentence", "target"),
    [
        ({}, "alice listed users in IAM", None),
        (
            {
                "eventName": "CreateAccessKey",
                "requestParameters": {"userName": "bob"},
                "responseElements": {"accessKey": {"accessKeyId": "AKIA", "userName": "bob"}},
            },
            "alice created an access key for bob",
            "bob",
        ),
        (
            {"eventName": "AddUserToGroup", "requestParameters": {"userName": "bob", "groupName": "admins"}},
            "alice added user bob to group admins",
            "admins",
        ),
        (
            {"eventName": "PutRolePolicy", "requestParameters": {"roleName": "r", "policyName": "p"}},
            "alice put policy p on role r",
            "r",
        ),
        (
            {"eventName": "DeleteRolePolicy", "requestParameters": {"roleName": "r", "policyName": "p"}},
            "alice deleted policy p from role r",
            "r",
        ),
        (
            {
                "eventName": "RunInstances",
                **EC2,
                "requestParameters": {
                    "instancesSet": {"items": [{"imageId": "ami-1"}]},
                    "subnetId": "subnet-1",
                },
                "responseElements": {
                    "instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}
                },
            },
            "alice ran instances i-1, i-2",
            "i-1, i-2",
        ),
        (
            {
                "eventName": "TerminateInstances",
                **EC2,
                "requestParameters": {
                    "instancesSet": {"items": [{"instanceId": f"i-{n}"} for n in range(5)]}
                },
            },
            "alice terminated instances i-0, i-1, i-2 and 2 more",
            "i-0, i-1, i-2 and 2 more",
        ),
        (
            {
                "eventName": "AttachInternetGateway",
                **EC2,
                "requestParameters": {"internetGatewayId": "igw-1", "vpcId": "vpc-1"},
            },
            "alice attached internet gateway igw-1 to vpc-1",
            "igw-1",
        ),
        (
            {
                "eventName": "GetObject",
                "requestParameters": {"bucketName": "b", "key": "a/b.txt"},
                "eventSource": "s3.amazonaws.com",
            },
            "alice got object b/a/b.txt",
            "b/a/b.txt",
        ),
        (
            {
                "eventName": "GetBucketAcl",
                "requestParameters": {"bucketName": "b"},
                "eventSource": "s3.amazonaws.com",
            },
            "alice got the bucket ACL of b",
            "b",
        ),
        (
            {"eventName": "StopLogging", "requestParameters": {"name": "arn:aws:cloudtrail:x:1:trail/t"}},
            "alice stopped logging on t",
            "t",
        ),
        (
            {"eventName": "GetObject", "resources": [{"ARN": "arn:aws:s3:::b"}, {"ARN": "arn:aws:s3:::b/k"}]},
            "alice got object b/k",
            "b/k",
        ),
        (
            {"eventName": "Decrypt", "resources": [{"ARN": "arn:aws:kms:x:1:key/k-1"}]},
            "alice decrypted data with key k-1",
            "k-1",
        ),
        (
            {"eventName": "ConsoleLogin", "errorMessage": "Failed authentication"},
            "alice failed to log in to the console: Failed authentication",
            None,
        ),
        (
            {
                "eventName": "AssumeRole",
                "errorCode": "AccessDenied",
                "errorMessage": "not on resource: arn:aws:iam::1:role/admin",
            },
            "alice was not allowed to assume role admin: not on resource: arn:aws:iam::1:role/admin",
            "admin",
        ),
        (
            {
                "eventName": "RunInstances",
                **EC2,
                "errorCode": "Client.UnauthorizedOperation",
                "errorMessage": "You are not authorized. Encoded authorization failure message: abc",
            },
            "alice was not allowed to run instances in EC2: You are not authorized.",
            None,
        ),
        (
            {"eventName": "SharedSnapshotVolumeCreated", **EC2},
            "shared snapshot volume created by alice in EC2",
            None,
        ),
        ({"userIdentity": None}, "someone listed users in IAM", None),
        (
            {"errorCode": "X", "errorMessage": "y" * 500},
            f"alice failed to list users in IAM: {'y' * 199}…",
            None,
        ),
    ],
)
def test_what_it_did_to_what(fields: dict[str, Any], sentence: str, target: str | None) -> None:
    event = CLOUDTRAIL.map(record(**fields))
    assert (event.description, event.target) == (sentence, target)


def test_a_record_without_an_id_gets_a_key_of_its_content() -> None:
    fields = record()
    del fields["eventID"]
    other = {**fields, "awsRegion": "x"}
    keys = [CLOUDTRAIL.map(each).key for each in (fields, dict(reversed(fields.items())), other)]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0] is not None
    assert keys[0].startswith("cloudtrail:")


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        "eventName",
        "eventSource",
        "eventID",
        "eventTime",
        "eventType",
        "userIdentity",
        "requestParameters",
        "resources",
        "responseElements",
        "errorCode",
        "errorMessage",
        "sourceIPAddress",
        "additionalEventData",
        "CloudTrailEvent",
    ]
)
nested = st.dictionaries(
    st.sampled_from(
        ["name", "items", "bucketName", "key", "roleName", "instancesSet", "arn", "sessionContext", "ARN"]
    ),
    any_json,
    max_size=4,
)


@settings(max_examples=60)
@given(st.dictionaries(names, any_json | nested | st.lists(nested, max_size=2), max_size=6))
def test_fields_of_any_kind_are_an_event_or_rejected(fields: dict[str, Any]) -> None:
    for whole in (record(**fields), fields):
        CLOUDTRAIL.detect(whole)
        try:
            event = CLOUDTRAIL.map(whole)
        except RecordError:
            continue
        json.dumps(event.to_json())
