"""Logs made up by program, as big as a benchmark wants them: the same for the same number."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import from_us, to_us
from audit_tui.demo.generate import demo_events
from audit_tui.demo.values import DemoValues

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN_US = to_us(datetime(2026, 1, 1, tzinfo=UTC))
_STEP_US = 1_700_000
_CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("ec2", "DescribeInstances", {"instancesSet": {"items": [{"instanceId": "i-0123456789abcdef0"}]}}),
    ("s3", "GetObject", {"bucketName": "reports", "Host": "s3.amazonaws.com", "key": "2026/11/a.csv"}),
    ("iam", "AttachRolePolicy", {"roleName": "deployer", "policyArn": "arn:aws:iam::aws:policy/ReadOnly"}),
    ("sts", "AssumeRole", {"roleArn": "arn:aws:iam::123456789012:role/deployer", "roleSessionName": "ci"}),
    ("kms", "Decrypt", {"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::reports"}}),
    ("ssm", "GetParameter", {"name": "/app/database", "withDecryption": True}),
)
_AGENT = "aws-cli/2.15.30 Python/3.11.8 Linux/6.1.0 exe/x86_64.debian.12 prompt/off command/ec2.describe"


def jsonl_lines(events: int) -> Iterator[str]:
    """An application's own JSON lines, about 450 bytes each."""
    values = DemoValues(until=datetime(2026, 11, 1, tzinfo=UTC), events=events, days=400, users=500)
    for number, event in enumerate(demo_events(values)):
        record = {
            "id": f"{number:08x}-5f0e-4c77-9d51-{number * 7919 % 16**12:012x}",
            "timestamp": from_us(event.occurred_us).isoformat().replace("+00:00", "Z"),
            "action": event.event,
            "module": event.category,
            "actor": event.user,
            "message": event.description,
            "result": event.outcome.value,
            "client_ip": event.source_ip,
            "resource": event.target,
            **event.metadata,
        }
        yield json.dumps(record, ensure_ascii=False) + "\n"


def cloudtrail_records(events: int) -> Iterator[dict[str, Any]]:
    """CloudTrail records, about 1,300 bytes each."""
    chance = random.Random(1)
    for number in range(events):
        service, name, parameters = chance.choice(_CALLS)
        person = f"user{chance.randrange(300)}"
        is_refused = chance.random() < 0.05
        moment = from_us(_BEGIN_US + number * _STEP_US).isoformat()[:19] + "Z"
        principal = "AROA1234567890EXAMPLE"
        yield {
            "eventVersion": "1.09",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": f"{principal}:{person}",
                "arn": f"arn:aws:sts::123456789012:assumed-role/deployer/{person}",
                "accountId": "123456789012",
                "accessKeyId": "ASIA1234567890EXAMPL",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": principal,
                        "arn": "arn:aws:iam::123456789012:role/deployer",
                        "accountId": "123456789012",
                        "userName": "deployer",
                    },
                    "attributes": {"creationDate": moment, "mfaAuthenticated": "false"},
                },
            },
            "eventTime": moment,
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": "eu-central-1",
            "sourceIPAddress": f"198.51.100.{chance.randrange(1, 255)}",
            "userAgent": _AGENT,
            **(
                {"errorCode": "AccessDenied", "errorMessage": f"{person} is not authorized to perform it"}
                if is_refused
                else {}
            ),
            "requestParameters": parameters,
            "responseElements": None,
            "requestID": f"{number:08x}-0000-4000-8000-{chance.getrandbits(48):012x}",
            "eventID": f"{chance.getrandbits(32):08x}-0000-4000-8000-{number:012x}",
            "readOnly": name.startswith(("Describe", "Get")),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": "123456789012",
            "eventCategory": "Management",
            "tlsDetails": {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": f"{service}.eu-central-1.amazonaws.com",
            },
        }


def auditd_lines(events: int) -> Iterator[str]:
    """Lines of auditd: two of three events are a program that was run, in six lines; one is a login."""
    chance = random.Random(1)
    for number in range(events):
        stamp = f"audit({(_BEGIN_US + number * _STEP_US) / 1e6:.3f}:{number + 1})"
        person = 1000 + chance.randrange(50)
        if number % 3 == 2:
            yield (
                f"type=USER_LOGIN msg={stamp}: pid={2000 + number % 30000} uid=0 auid={person} ses=7"
                f' msg=\'op=login id={person} exe="/usr/sbin/sshd" hostname=192.0.2.{person % 200}'
                f" addr=192.0.2.{person % 200} terminal=/dev/pts/1"
                f" res={'success' if number % 5 else 'failed'}'\n"
            )
            continue
        program = chance.choice(("ls", "cat", "grep", "sudo", "python3", "systemctl"))
        title = f"{program}\0/etc/hosts".encode().hex().upper()
        yield (
            f"type=SYSCALL msg={stamp}: arch=c000003e syscall=59 success=yes exit=0 a0=55d0c8 a1=55d0d8"
            f" a2=55d0e8 a3=8 items=2 ppid={1000 + number % 9000} pid={2000 + number % 30000} auid={person}"
            f' uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts1 ses=7 comm="{program}"'
            f' exe="/usr/bin/{program}" subj=unconfined key="exec"\n'
            f'type=EXECVE msg={stamp}: argc=2 a0="{program}" a1="/etc/hosts"\n'
            f'type=CWD msg={stamp}: cwd="/home/user{person}"\n'
            f'type=PATH msg={stamp}: item=0 name="/usr/bin/{program}" inode=1835 dev=08:01 mode=0100755'
            " ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0\n"
            f'type=PATH msg={stamp}: item=1 name="/lib64/ld-linux-x86-64.so.2" inode=2097 dev=08:01'
            " mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0\n"
            f"type=PROCTITLE msg={stamp}: proctitle={title}\n"
        )
