"""An incident in an account, written by hand: 300 events as CloudTrail has them, with questions to answer.

A robot deploys every few minutes, people work, and one morning somebody uses a stolen key of the robot for
backups: looks around, is refused often, makes a key for a forgotten user, turns the trail off and leaves. The
constants are the answers; ``tests/ui/test_incident.py`` holds them against the events.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.view import View

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
"""The first event; all are within the 27 hours before the ``NOW`` of ``review_app``."""
LOUDEST_USER = "ci-runner"
THIEF = "svc-backup"
"""The user whose key was stolen."""
THIEF_IP = "198.51.100.23"
STOLEN_KEY = "AKIAI44QH8DHBEXAMPLE"
OFFICE_IP = "10.0.1.15"
KEY_MAKERS = {THIEF_IP: 2, OFFICE_IP: 1, "203.0.113.80": 1}
"""The addresses that created access keys, with how many."""
MOST_FAILED = "GetSecretValue"
MOST_FAILURES = 14
ONCE = ("DeleteTrail", "PutBucketPolicy", "StopLogging", "UpdateAssumeRolePolicy")
"""The events that occur once."""
BEFORE_STOPPING, AFTER_STOPPING = "AttachUserPolicy", "DeleteTrail"
"""The events right before and right after the logging was stopped."""
FIRST_THEFT = BEGIN + timedelta(hours=20, minutes=31)
THEFTS = 38
"""The events of the stolen key from that address, all within 30 minutes from ``FIRST_THEFT`` on."""
STOLEN_KEY_EVENTS = 42
"""All events with the stolen key: the backup itself used it before."""

_SERVICE = {
    "ListBuckets": "s3",
    "GetObject": "s3",
    "PutObject": "s3",
    "PutBucketPolicy": "s3",
    "GetSecretValue": "secretsmanager",
    "ConsoleLogin": "signin",
    "AssumeRole": "sts",
    "GetCallerIdentity": "sts",
    "DescribeInstances": "ec2",
    "RunInstances": "ec2",
    "StopLogging": "cloudtrail",
    "DeleteTrail": "cloudtrail",
}
_DENIED = "AccessDenied"
_THEFT: tuple[tuple[int, str, str, str], ...] = (
    (0, "GetCallerIdentity", "", ""),
    (20, "ListBuckets", "", _DENIED),
    (35, "ListUsers", "", ""),
    (60, "DescribeInstances", "", ""),
    *((75 + 11 * number, MOST_FAILED, f"prod/db-{number}", _DENIED) for number in range(12)),
    (260, "ListBuckets", "", ""),
    *((280 + 30 * number, "GetObject", f"customer-exports/part-{number}", "") for number in range(12)),
    (700, "CreateAccessKey", "old-intern", _DENIED),
    (760, "CreateAccessKey", "old-intern", ""),
    (800, "AttachUserPolicy", "old-intern", ""),
    (830, "UpdateAssumeRolePolicy", "ops-admin", ""),
    (900, "PutBucketPolicy", "customer-exports", ""),
    (960, "AttachUserPolicy", "old-intern", ""),
    (1_000, "StopLogging", "main-trail", ""),
    (1_030, "DeleteTrail", "main-trail", ""),
    (1_090, "GetCallerIdentity", "", ""),
)
"""The theft: seconds since it began, event, target, error."""


def _event(
    occurred_at: datetime, name: str, user: str, source_ip: str, key: str, target: str = "", error: str = ""
) -> AuditEvent:
    on_what = f" {target}" if target else ""
    words = f"{user} was refused {name}{on_what}" if error else f"{user} called {name}{on_what}"
    return AuditEvent(
        event=name,
        category=_SERVICE.get(name, "iam"),
        user=user,
        occurred_us=to_us(occurred_at),
        description=words,
        outcome=Outcome.FAILURE if error else Outcome.SUCCESS,
        source_ip=source_ip,
        target=target or None,
        source="cloudtrail",
        metadata={
            "userIdentity": {"type": "IAMUser", "userName": user, "accessKeyId": key},
            "awsRegion": "eu-central-1",
            "userAgent": "aws-cli/2.15" if key == STOLEN_KEY else "console.amazonaws.com",
            "requestParameters": {"name": target} if target else None,
            **({"errorCode": error} if error else {}),
        },
    )


def incident() -> list[AuditEvent]:
    """Return the events, the oldest first."""
    minutes = [*range(0, 1_440, 9)]
    robot = ("AssumeRole", "PutObject", "RunInstances", "AssumeRole", "GetObject")
    events = [
        _event(
            BEGIN + timedelta(minutes=minute), robot[n % 5], LOUDEST_USER, "10.0.9.9", "AKIAROBOT", "deploys"
        )
        for n, minute in enumerate(minutes)
    ]
    people = (("alice", OFFICE_IP), ("bob", "10.0.1.16"), ("carol", "203.0.113.80"))
    work = ("ConsoleLogin", "ListUsers", "DescribeInstances", "GetObject", "ListBuckets", "PutObject")
    for number in range(94):
        user, address = people[number % 3]
        occurred_at = BEGIN + timedelta(minutes=4 + 15 * number, seconds=number)
        error = "Failed authentication" if number in (12, 48) else ""
        events.append(_event(occurred_at, work[number % 6], user, address, f"ASIA{user.upper()}", "", error))
    for hour in (2, 8, 14, 23):
        events.append(
            _event(BEGIN + timedelta(hours=hour), "PutObject", THIEF, "10.0.9.4", STOLEN_KEY, "vault")
        )
    for minutes_later, user, address in ((130, "alice", OFFICE_IP), (871, "carol", "203.0.113.80")):
        occurred_at = BEGIN + timedelta(minutes=minutes_later)
        events.append(_event(occurred_at, "CreateAccessKey", user, address, f"ASIA{user.upper()}", user))
    for number in range(2):
        occurred_at = BEGIN + timedelta(hours=5, minutes=number)
        events.append(_event(occurred_at, MOST_FAILED, "bob", "10.0.1.16", "ASIABOB", "test/db", _DENIED))
    for seconds, name, target, error in _THEFT:
        occurred_at = FIRST_THEFT + timedelta(seconds=seconds)
        events.append(_event(occurred_at, name, THIEF, THIEF_IP, STOLEN_KEY, target, error))
    return sorted(events, key=lambda event: event.occurred_us)


def only(column_query: str) -> View:
    """Return the view of a query line over the range that the screen opens with."""
    from audit_tui.core.query_line.parse import parse
    from audit_tui.core.time.dates import TimeContext

    context = TimeContext(UTC, BEGIN + timedelta(hours=27))
    return View(parse(column_query, context).filter)


def write_store(path: Path) -> None:
    """Write the events into a store."""
    from audit_tui.store.write.writer import StoreWriter

    with StoreWriter(path) as writer:
        writer.append(incident())
