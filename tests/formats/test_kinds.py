"""Kinds of inputs that people have, told as they are: each a small case of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.formats.logs import read, write

if TYPE_CHECKING:
    from pathlib import Path

T = "2026-11-01T14:00:00Z"
NS = '{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","verb":"get",'
K8S = (
    NS + '"user":{"username":"ann"},"objectRef":{"resource":"pods"},"responseStatus":{"code":403},'
    f'"stageTimestamp":"{T}"}}'
)


def lines(*records: object) -> str:
    return "\n".join(record if isinstance(record, str) else json.dumps(record) for record in records) + "\n"


def audit(kind: str, serial: int, fields: str) -> str:
    return f"type={kind} msg=audit(1793541600.000:{serial}): {fields}"


def told(folder: Path, data: str, name: str = "a.log") -> list[dict[str, Any]]:
    events, rejects = read(write(folder, data, name))
    assert rejects == []
    return [event.to_json() for event in events]


@pytest.mark.parametrize(
    ("auid", "account", "user", "target"),
    [
        ("1001", "postgres", "1001", "postgres"),
        ("4294967295", "ann", "ann", "ann"),
        ("-1", "ann", "ann", "ann"),
        ("unset", "ann", "ann", "ann"),
    ],
)
def test_who_had_logged_in_did_it_and_the_account_is_the_target(
    tmp_path: Path, auid: str, account: str, user: str, target: str
) -> None:
    inner = f'op=PAM:authentication acct="{account}" exe="/usr/bin/su" res=failed'
    fields = f"pid=1 uid=0 auid={auid} ses=1 msg='{inner}'"
    (event,) = told(tmp_path, audit("USER_AUTH", 1, fields) + "\n")
    assert (event["user"], event["target"], event["outcome"]) == (user, target, "failure")


@pytest.mark.parametrize(
    ("fields", "outcome", "sentence"),
    [
        (
            {"event": "CreateUser", "errorCode": "AccessDenied"},
            "failure",
            "ann was not allowed to create a user",
        ),
        ({"event": "delete_file", "error": {"code": 5}}, "failure", "ann failed to delete the file"),
        ({"event": "logout", "error": None, "error_code": 0}, "unknown", "ann logged out"),
        ({"event": "login", "success": "N"}, "failure", "ann failed to log in"),
        ({"event": "login", "status": "denied"}, "failure", "ann was not allowed to log in"),
        ({"event": "login", "result": "not successful"}, "failure", "ann failed to log in"),
        ({"event": "login", "status": "somehow"}, "unknown", "login by ann"),
        ({"event": "login", "status": 1}, "unknown", "login by ann"),
        (
            {"event": "update_role", "response": {"statusCode": 500}},
            "failure",
            "ann failed to update the role",
        ),
        ({"event": "get_key", "grpc.code": "PERMISSION_DENIED"}, "failure", None),
        ({"event": "read_key", "grpc_code": 7}, "failure", "ann failed to read the key"),
        ({"event": "read_key", "http_status": 204}, "success", "ann read the key"),
        ({"event": "LOGOUT_ERROR"}, "failure", "ann failed to log out"),
        ({"event": "login_failed", "status": 200}, "failure", "ann failed to log in"),
        ({"event": "Password reset refused for guest"}, "failure", "Password reset refused for guest by ann"),
        ({"event": "ListFailedLogins"}, "unknown", "ann listed failed logins"),
        ({"event": "create_Überweisung"}, "unknown", "ann created a überweisung"),
    ],
)
def test_nothing_is_told_as_done_that_was_not(
    tmp_path: Path, fields: dict[str, Any], outcome: str, sentence: str | None
) -> None:
    (event,) = told(tmp_path, lines({"time": T, "user": "ann", **fields}))
    assert event["outcome"] == outcome
    if sentence is not None:
        assert event["description"] == sentence


AZURE = {"time": T, "resourceId": "/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.X/VAULTS/V1"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {**AZURE, "operationName": "diag/Read", "category": "kube-audit", "properties": {"log": K8S}},
            {"event": "get pods", "user": "ann", "outcome": "failure", "source": "kubernetes"},
        ),
        (
            {
                **AZURE,
                "operationName": "KeyGet",
                "resultType": "Success",
                "properties": {"httpStatusCode": 401},
                "identity": {"claim": {"appid": "app-1"}},
            },
            {"event": "KeyGet", "user": "app-1", "outcome": "failure"},
        ),
        (
            {
                **AZURE,
                "operationName": "AuditEvent",
                "category": "SQLSecurityAuditEvents",
                "properties": {
                    "action_name": "BATCH COMPLETED",
                    "server_principal_name": "ann",
                    "client_ip": "192.0.2.1",
                    "succeeded": "true",
                },
            },
            {"event": "BATCH COMPLETED", "user": "ann", "source_ip": "192.0.2.1", "outcome": "success"},
        ),
    ],
)
def test_what_azure_wraps_is_told(tmp_path: Path, record: dict[str, Any], expected: dict[str, Any]) -> None:
    (event,) = told(tmp_path, lines(record))
    assert {name: event[name] for name in expected} == expected


PAGE = [{"time": T, "event": "Login", "user": "ann"}, {"time": T, "event": "Logout", "user": "ann"}]


@pytest.mark.parametrize(
    "page",
    [
        {"entries": PAGE, "next": None},
        {"data": PAGE, "meta": {"total": 2}, "links": {"next": "x"}},
        {"result": PAGE, "success": True},
        {"logs": PAGE, "cursor": "c"},
        {"hits": {"total": 2, "hits": [{"_source": record} for record in PAGE]}, "took": 3},
        {"response": {"items": PAGE}, "status": 200},
        {
            "tables": [
                {
                    "columns": [{"name": name} for name in ("time", "event", "user")],
                    "rows": [[record["time"], record["event"], record["user"]] for record in PAGE],
                }
            ]
        },
        {"QueryResultRows": [[{name: value} for name, value in record.items()] for record in PAGE]},
    ],
)
def test_a_page_of_an_api_is_its_records(tmp_path: Path, page: dict[str, Any]) -> None:
    assert [event["event"] for event in told(tmp_path, json.dumps(page))] == ["Login", "Logout"]


@pytest.mark.parametrize(
    ("prefix", "time"),
    [
        ("Nov  1 15:00:00 web app[7]: ", None),
        ("<134>1 2026-11-01T15:00:00Z web app 7 - - ", "2026-11-01T15:00:00.000000Z"),
        ("2026-11-01T15:00:00.5Z stdout F ", "2026-11-01T15:00:00.500000Z"),
        ("[2026-11-01 15:00:00+01:00] INFO ", "2026-11-01T14:00:00.000000Z"),
        ("2026-11-01T15:00:00.000Z\t0b1c\tINFO\t", "2026-11-01T15:00:00.000000Z"),
        ("@cee:", None),
    ],
)
def test_text_before_json_is_peeled_and_kept(tmp_path: Path, prefix: str, time: str | None) -> None:
    (event,) = told(tmp_path, f'{prefix}{{"time":"{T}","event":"x","user":"ann"}}\n')
    assert (event["event"], event["time"]) == ("x", "2026-11-01T14:00:00.000000Z")
    assert event["metadata"]["prefix"] == prefix.strip()
    if time is not None:
        (event,) = told(tmp_path, f'{prefix}{{"event":"x","user":"ann"}}\n')
        assert event["time"] == time


@pytest.mark.parametrize(
    "table",
    [
        "sep=;\nTime;User;Event;IP\n2026-11-01 14:00:00Z;ann;Login;192.0.2.1\n",
        '#TYPE System.Object\n"Time","User","Event","IP"\n"2026-11-01 14:00:00Z","ann","Login","192.0.2.1"\n',
        "Sign-ins of November\n\nTime (UTC),User,Event,IP\n2026-11-01 14:00:00,ann,Login,192.0.2.1\n",
        "Date,Time,User,Event,IP\n2026-11-01,14:00:00,ann,Login,192.0.2.1\n",
        "Date [UTC]\tUser name\tActivity\tIP address\n2026-11-01 14:00:00\tann\tLogin\t192.0.2.1\n",
        "date,time,timezone,MACB,user,event,ip\n11/01/2026,14:00:00,UTC,M...,ann,Login,192.0.2.1\n",
    ],
)
def test_a_table_is_read_as_people_have_it(tmp_path: Path, table: str) -> None:
    (event,) = told(tmp_path, table, "a.csv")
    assert (event["time"], event["user"], event["source_ip"]) == (
        "2026-11-01T14:00:00.000000Z",
        "ann",
        "192.0.2.1",
    )


def test_a_title_that_is_no_table_does_not_make_one(tmp_path: Path) -> None:
    text = "These notes were taken at some time, and on a date.\nNothing else is in here.\n"
    with pytest.raises(Exception, match="is not a log that is known"):
        read(write(tmp_path, text, "a.txt"))


def test_ausearch_says_it_in_three_ways(tmp_path: Path) -> None:
    raw = audit(
        "SYSCALL", 9, 'arch=c000003e syscall=59 success=yes exit=0 auid=1000 uid=0 exe="/usr/bin/id" key="k"'
    )
    text = (
        "type=SYSCALL msg=audit(11/01/2026 14:00:00.000:9) : arch=x86_64 syscall=execve success=no"
        " exit=EACCES(Permission denied) auid=ann uid=root exe=/usr/bin/id key=k \n"
    )
    (event,) = told(tmp_path, f"----\ntime->Sun Nov  1 14:00:00 2026\n{raw}\n")
    assert (event["event"], event["user"], event["outcome"]) == ("k", "1000", "success")
    (event,) = told(tmp_path, f"----\n{text}")
    assert (event["event"], event["user"], event["time"]) == ("k", "ann", "2026-11-01T14:00:00.000000Z")
    assert event["metadata"]["outcome_detail"] == "denied"
    path = 'type=PATH msg=audit(1793541600.000:9): name="/tmp/x type=EXECVE msg=audit(1:1)"'
    (event,) = told(tmp_path, f"{raw} {path}\n")
    assert [name for name in event["metadata"] if name.isupper()] == ["SYSCALL", "PATH"]


def test_a_record_without_a_name_is_kept_whole(tmp_path: Path) -> None:
    record = {"when": T, "blob": {"x": [1, 2]}, "n": 3}
    (event,) = told(tmp_path, lines(record))
    assert event["event"] == "Message"
    assert event["metadata"] == {"blob": {"x": [1, 2]}, "n": 3}


@pytest.mark.parametrize(
    ("fields", "user", "address"),
    [
        ({"actor": {"details": 1, "email": "ann@example.com"}}, "ann@example.com", None),
        ({"session": {"user": "ann", "ip": "192.0.2.1"}}, "ann", "192.0.2.1"),
        ({"login": {"user": "ann", "ip": "192.0.2.1"}}, "ann", "192.0.2.1"),
        ({"data": {"srcip": "192.0.2.1", "srcuser": "ann"}}, "ann", "192.0.2.1"),
        ({"user": "-", "request": {"remote_addr": "192.0.2.1"}}, None, "192.0.2.1"),
        ({"client": {"name": "firefox"}, "location": {"address": "Main Street 1"}}, None, None),
    ],
)
def test_actors_and_addresses_are_found_one_level_down(
    tmp_path: Path, fields: dict[str, Any], user: str | None, address: str | None
) -> None:
    (event,) = told(tmp_path, lines({"time": T, "event": "x", **fields}))
    assert (event["user"], event["source_ip"]) == (user, address)


VENDORS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {
            "rule": "Shell",
            "output": "A shell",
            "priority": "Critical",
            "time": T,
            "output_fields": {"user.name": "ann"},
        },
        {"source": "falco", "event": "Shell", "severity": 5, "user": "ann", "description": "A shell"},
    ),
    (
        {
            "process_exec": {
                "process": {
                    "uid": 0,
                    "auid": 4294967295,
                    "binary": "/bin/id",
                    "arguments": "-u",
                    "pod": {"namespace": "web", "name": "p1"},
                }
            },
            "time": T,
            "node_name": "n1",
        },
        {
            "source": "tetragon",
            "event": "process_exec",
            "user": "root",
            "description": "root ran /bin/id -u in pod web/p1",
        },
    ),
    (
        {
            "name": "logged_in",
            "hostIdentifier": "h",
            "unixTime": 1793541600,
            "action": "removed",
            "columns": {},
        },
        {
            "source": "osquery",
            "event": "logged_in",
            "description": "osquery on h: logged_in removed",
        },
    ),
    (
        {
            "timestamp": T,
            "rule": {"level": 10, "description": "sshd: brute force", "groups": ["authentication_failures"]},
            "agent": {"name": "h"},
            "data": {"srcip": "192.0.2.1"},
        },
        {"source": "wazuh", "severity": 4, "outcome": "failure", "source_ip": "192.0.2.1"},
    ),
    (
        {
            "atype": "createUser",
            "ts": {"$date": T},
            "remote": {"ip": "192.0.2.1"},
            "users": [{"user": "ann"}],
            "param": {"user": "bob"},
            "result": 0,
        },
        {"source": "mongodb", "user": "ann", "outcome": "success", "description": "ann created user bob"},
    ),
    (
        {"ActionType": "login", "ActionResult": True, "ActorEmail": "ann@x.io", "When": T, "ID": "1"},
        {
            "source": "cloudflare",
            "outcome": "success",
            "description": "ann@x.io logged in",
            "key": "cloudflare:1",
        },
    ),
    (
        {
            "uuid": "1",
            "timestamp": T,
            "category": "credentials_failed",
            "type": "password_secret_bad",
            "session_uuid": "s",
            "target_user": {"email": "ann@x.io"},
            "client": {"ip_address": "192.0.2.1"},
        },
        {
            "source": "onepassword",
            "outcome": "failure",
            "description": "ann@x.io failed to sign in to 1Password from 192.0.2.1",
        },
    ),
    (
        {
            "timestamp": "2026-11-01 14:00:00",
            "class": "connection",
            "event": "connect",
            "connection_id": 1,
            "login": {"user": "ann", "ip": "192.0.2.1"},
            "connection_data": {"status": 0, "db": "shop"},
        },
        {"source": "mysql", "outcome": "success", "description": "ann connected to shop from 192.0.2.1"},
    ),
    (
        {
            "time": 1793541600000,
            "type": "LOGOUT",
            "realmId": "r",
            "clientId": "shop",
            "userId": "u",
            "ipAddress": "192.0.2.1",
        },
        {"source": "keycloak", "outcome": "success", "description": "u logged out of shop"},
    ),
    (
        {
            "timestamp": T,
            "node.id": "n",
            "event.type": "transport",
            "event.action": "access_denied",
            "user.name": "ann",
            "origin.address": "192.0.2.1:9300",
            "action": "indices:admin/delete",
            "indices": ["logs"],
        },
        {"source": "elasticsearch", "outcome": "failure", "target": "logs", "source_ip": "192.0.2.1"},
    ),
    (
        {
            "category": "AdvancedHunting-DeviceProcessEvents",
            "time": "2026-11-02T00:00:00Z",
            "operationName": "Publish",
            "properties": {
                "Timestamp": T,
                "ActionType": "ProcessCreated",
                "AccountName": "ann",
                "DeviceName": "pc",
                "ProcessCommandLine": "cmd /c x",
            },
        },
        {
            "source": "defender",
            "category": "DeviceProcessEvents",
            "time": "2026-11-01T14:00:00.000000Z",
            "description": "ann started cmd /c x on pc",
        },
    ),
    (
        {
            "EVENT_TYPE": "Login",
            "TIMESTAMP": "20261101140000.000",
            "ORGANIZATION_ID": "o",
            "USER_NAME": "ann",
            "LOGIN_STATUS": "LOGIN_NO_ERROR",
        },
        {"source": "salesforce", "outcome": "success", "time": "2026-11-01T14:00:00.000000Z"},
    ),
]


@pytest.mark.parametrize(("record", "expected"), VENDORS, ids=[str(case[1]["source"]) for case in VENDORS])
def test_a_vendor_that_is_a_file_of_data(
    tmp_path: Path, record: dict[str, Any], expected: dict[str, Any]
) -> None:
    (event,) = told(tmp_path, lines(record))
    assert {name: event[name] for name in expected} == expected


def test_a_row_of_an_export_whose_record_is_cut_off_says_so(tmp_path: Path) -> None:
    rows = (
        "CreationDate,UserIds,Operations,AuditData\n"
        '2026-11-01T14:00:00Z,ann,FileDeleted,"{""Id"": ""u"", ""Oper"\n'
    )
    (event,) = told(tmp_path, rows, "a.csv")
    assert (event["source"], event["event"], event["user"]) == ("m365", "FileDeleted", "ann")
    assert event["description"].endswith("(its AuditData is cut off)")


WINDOWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {
            "Event": {
                "System": {
                    "Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing"}},
                    "EventID": {"#text": 4625, "#attributes": {"Qualifiers": ""}},
                    "Keywords": "0x8010000000000000",
                    "TimeCreated": {"#attributes": {"SystemTime": "2026-11-01T14:00:00.123456Z"}},
                    "EventRecordID": 77,
                    "Channel": "Security",
                    "Computer": "dc1",
                },
                "EventData": {
                    "SubjectUserName": "-",
                    "TargetUserName": "ann",
                    "SubStatus": "0xC000006A",
                    "IpAddress": "192.0.2.1",
                },
            }
        },
        {
            "event": "4625 logon failed",
            "user": "ann",
            "outcome": "failure",
            "source_ip": "192.0.2.1",
            "description": "ann failed to log on to dc1 from 192.0.2.1: wrong password",
            "key": "windows:dc1:Security:77:1793541600123456",
        },
    ),
    (
        {
            "@timestamp": T,
            "winlog": {
                "event_id": "4732",
                "channel": "Security",
                "computer_name": "dc1",
                "provider_name": "Microsoft-Windows-Security-Auditing",
                "event_data": {
                    "SubjectUserName": "adm",
                    "TargetUserName": "Administrators",
                    "MemberSid": "S-1-5-21-1",
                },
                "keywords": ["Audit Success"],
            },
            "event": {"code": "4732"},
        },
        {
            "user": "adm",
            "target": "Administrators",
            "outcome": "success",
            "description": "adm added S-1-5-21-1 to local group Administrators",
        },
    ),
    (
        {
            "EventTime": "2026-11-01 14:00:00Z",
            "Hostname": "pc",
            "EventID": 1,
            "SourceName": "Microsoft-Windows-Sysmon",
            "User": "ACME\\ann",
            "Image": "C:\\cmd.exe",
            "CommandLine": "cmd /c whoami",
        },
        {
            "event": "Sysmon 1 process created",
            "user": "ann",
            "target": "C:\\cmd.exe",
            "description": "ann started cmd /c whoami",
        },
    ),
    (
        {
            "EventTime": T,
            "Hostname": "pc",
            "EventID": 6005,
            "SourceName": "EventLog",
            "Message": "It began.\nx",
        },
        {"event": "6005 EventLog", "description": "It began.", "outcome": "unknown"},
    ),
]


@pytest.mark.parametrize(("record", "expected"), WINDOWS)
def test_windows_events_are_called_as_experts_call_them(
    tmp_path: Path, record: dict[str, Any], expected: dict[str, Any]
) -> None:
    (event,) = told(tmp_path, lines(record))
    assert event["source"] == "windows"
    assert {name: event[name] for name in expected} == expected


CEF = "Nov  1 14:00:00 fw CEF:0|Acme|Fire\\|wall|1.0|100|login failed|8|"
PG = (
    '2026-11-01 14:00:00.123 UTC,"ann","shop",42,"192.0.2.1:5432",65f.1,1,"INSERT",2026-11-01 13:59:59 UTC,'
    "3/4,0,"
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            f"{CEF}rt=1793541600000 suser=ann lee src=192.0.2.1 outcome=failure fname=a\\=b",
            {
                "event": "login failed",
                "category": "Fire|wall",
                "user": "ann lee",
                "outcome": "failure",
                "severity": 4,
            },
        ),
        (
            "LEEF:2.0|Acme|IDS|1|login|^|devTime=2026-11-01T14:00:00Z^usrName=ann^src=192.0.2.1^sev=9",
            {"event": "login", "user": "ann", "source_ip": "192.0.2.1", "severity": 5},
        ),
        (
            "LEEF:1.0|Acme|IDS|1|logout|devTime=2026-11-01T14:00:00Z\tusrName=ann\tsrc=192.0.2.1",
            {"event": "logout", "user": "ann", "source_ip": "192.0.2.1"},
        ),
        (
            PG + 'LOG,00000,"connection authorized: user=ann database=shop",,,,,,,,,"psql","client backend"',
            {
                "event": "connection authorized",
                "outcome": "success",
                "source_ip": "192.0.2.1",
                "key": "postgres:65f.1:1",
            },
        ),
        (
            PG + 'LOG,00000,"AUDIT: SESSION,1,1,WRITE,INSERT,TABLE,public.t,""insert into\nt"",<none>"'
            ',,,,,,,,,"psql","client backend"',
            {"event": "insert", "target": "public.t", "outcome": "unknown", "category": "write"},
        ),
        (
            PG + 'ERROR,42501,"permission denied for table t",,,,,,"select 1",,,"psql","client backend"',
            {
                "outcome": "failure",
                "description": "ann was not allowed to run select 1: permission denied for table t",
            },
        ),
        (
            "20261101 14:00:00,db1,ann,192.0.2.1,4,7,QUERY,shop,'select 1, 2',0",
            {"description": "ann ran select 1, 2 on shop", "outcome": "success", "source": "mariadb"},
        ),
        (
            "20261101 14:00:00,db1,bob,192.0.2.1,5,0,FAILED_CONNECT,,,1045",
            {"description": "bob failed to connect from 192.0.2.1", "outcome": "failure"},
        ),
    ],
)
def test_lines_of_their_own_kind(tmp_path: Path, line: str, expected: dict[str, Any]) -> None:
    (event,) = told(tmp_path, f"{line}\n")
    assert {name: event[name] for name in expected} == expected


@pytest.mark.parametrize("begin", ["CEF:0|a|b|c|d|e|f|", "20261101 14:00:00,db1,", PG])
def test_lines_that_are_broken_cost_themselves(tmp_path: Path, begin: str) -> None:
    good = {"C": f"{CEF}rt=1793541600000", "2": "20261101 14:00:00,db,a,h,1,2,QUERY,s,'x',0"}[begin[0]]
    good = PG + 'LOG,00000,"x",,,,,,,,,"psql"' if begin is PG else good
    broken = f"{begin}{' a' * 50_000}" if begin is not PG else "x,y"
    events, rejects = read(
        write(tmp_path, f"{good}\n{broken}\n{good.replace('1793541600000', '1793541601000')}\n")
    )
    assert len(events) + len(rejects) == 3
    assert len(events) >= 2
