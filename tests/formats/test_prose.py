"""Lines of any program: the time near the beginning, and who, from where and how it ended in the words."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import Outcome
from audit_tui.ingest.events import Reading
from audit_tui.ingest.import_logs import import_logs
from tests.formats.logs import read, write

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.event import AuditEvent

FAILED, DONE, UNSURE = Outcome.FAILURE, Outcome.SUCCESS, Outcome.UNKNOWN

T = "2024-03-04T10:11:12Z"
IP = "203.0.113.7"
LINES = [
    ("[Mon Mar 04 10:11:12 2024] [auth:error] [pid 7] [client IP:51] AH01618: user mia not found: /",
     T, "mia", FAILED),
    ('2024/03/04 10:11:12 [error] 7#0: *1 user "mia": password mismatch, client: IP, server: _',
     T, "mia", FAILED),
    ("2024-03-04T10:11:12Z 4 [Note] Access denied for user 'mia'@'IP' (using password: YES)",
     T, "mia", FAILED),
    ("240304 10:11:12 [Warning] Access denied for user 'mia'@'IP' (using password: NO)", T, "mia", FAILED),
    ("04-Mar-2024 10:11:12.000 client IP#4242: zone transfer 'example.org/AXFR/IN' denied", T, None, FAILED),
    ("@4000000065e59e4a00000000 imap: Info: Login: user=<mia>, rip=IP, lip=192.0.2.1", T, "mia", UNSURE),
    ("2024-03-04 11:11:12 +0100 [conn5] authenticate user: mia from client IP:4242 failed",
     T, "mia", FAILED),
    ("2024-03-04 10:11:12,000 INFO  [net.Auth] - User mia logged in from IP", T, "mia", DONE),
    ('Mon Mar 4 10:11:12 2024 [pid 7] [mia] FAIL LOGIN: Client "IP"', T, "mia", FAILED),
    ("1709547072.000 1 IP TCP_DENIED/403 37 GET http://192.0.2.9/x.php - HIER_NONE/- text/html",
     T, None, FAILED),
    ('[GIN] 2024/03/04 - 10:11:12 | 401 |     5.3µs |     IP | POST     "/client"', T, None, FAILED),
    ("2024-03-04 10:11:12 drop tcp IP:51000 -> 192.0.2.1:22", T, None, FAILED),
    ("04Mar2024 10:11:12 accept 192.0.2.1 >eth0 src: IP; dst: 192.0.2.9; proto: tcp;", T, None, DONE),
    ("2024-03-04T10:11:12Z host dovecot: imap-login: Disconnected (auth failed): user=<mia>, rip=IP",
     T, "mia", FAILED),
    ("2024-03-04T10:11:12Z app vpxd: User VSPHERE\\mia@IP logged in as JAX-WS RI", T, "VSPHERE\\mia", DONE),
    ("2024-03-04T10:11:12Z dev mgd: User 'mia' login, ssh 'IP 51000 192.0.2.1 22'", T, "mia", UNSURE),
    ("2024-03-04T10:11:12Z user 'mia' failed from https(IP): bad password", T, "mia", FAILED),
    ("03/14/24 10:11:12 web[7].ERR [IP] [Could not retrieve user mia]",
     "2024-03-14T10:11:12Z", "mia", FAILED),
]  # fmt: skip


def told(event: AuditEvent) -> tuple[object, ...]:
    return event.user, event.source_ip, event.outcome


@pytest.mark.parametrize(("line", "time", "user", "outcome"), LINES)
def test_a_line_of_any_program_tells_who_and_how_it_ended(
    tmp_path: Path, line: str, time: str, user: str | None, outcome: Outcome
) -> None:
    (event,), rejects = read(write(tmp_path, line.replace("IP", IP) + "\n"))
    assert rejects == []
    assert told(event) == (user, IP, outcome)
    (timed,), _ = read(write(tmp_path, f'{{"time": "{time}", "event": "x"}}'))
    assert event.occurred_us == timed.occurred_us


def test_a_user_that_is_named_like_an_address_gives_no_address(tmp_path: Path) -> None:
    line = "Mar  4 10:11:12 web sshd[1]: Connection closed by authenticating user a 192.0.2.9 port 7"
    (event,), _ = read(write(tmp_path, f"{line} {IP} port 8 [preauth]\n"))
    assert told(event) == ("a 192.0.2.9 port 7", IP, FAILED)


@pytest.mark.parametrize(
    ("line", "address", "user"),
    [
        (
            '*1 user "client: 192.0.2.9": mismatch, client: IP, request: "GET / HTTP/1.1"',
            IP,
            "client: 192.0.2.9",
        ),
        ('*1 user "mia": not found, client: IP, request: "GET /?client: 192.0.2.9 HTTP/1.1"', IP, "mia"),
        ('*1 open() "/srv/client: 192.0.2.9/x" failed, client: IP, request: "GET /x HTTP/1.1"', IP, None),
        ('*1 user "mia": not found, client: IP, server: _, host: "192.0.2.9"', IP, "mia"),
        ('*1 user "192.0.2.9": not found, client: IP, server: _', IP, "192.0.2.9"),
        ('*1 user "eve", client: 192.0.2.9, x": not found, client: IP, server: _', None, "eve"),
        ('login failed for "mia" from IP, agent="curl from 192.0.2.9"', IP, "mia"),
        ('IP - "GET /?user=root&login=failed HTTP/1.1" 200 7', IP, None),
        ("Bad protocol version 'x from 192.0.2.9' from 192.0.2.8' from IP port 7", None, None),
    ],
)
def test_what_strangers_write_gives_no_address_and_no_user(
    line: str, address: str | None, user: str | None, tmp_path: Path
) -> None:
    (event,), _ = read(write(tmp_path, f"2024/03/04 10:11:12 [error] 7#0: {line.replace('IP', IP)}\n"))
    assert (event.source_ip, event.user) == (address, user)


def test_of_several_addresses_none_is_guessed(tmp_path: Path) -> None:
    (event,), _ = read(write(tmp_path, "2024-03-04 10:11:12 backup of 192.0.2.1 and 192.0.2.2, 0 errors\n"))
    assert told(event) == (None, None, UNSURE)


def test_lines_without_a_time_belong_to_the_one_before(tmp_path: Path) -> None:
    log = "2024-03-04 10:11:12 ERROR it broke\n  at A.java:3\n  at B.java:9\n2024-03-04 10:11:13 INFO done\n"
    events, rejects = read(write(tmp_path, log))
    assert rejects == []
    assert [event.metadata["message"] for event in events] == [
        "ERROR it broke\n  at A.java:3\n  at B.java:9",
        "INFO done",
    ]


def test_a_line_before_the_first_time_is_told(tmp_path: Path) -> None:
    events, rejects = read(write(tmp_path, "started\n2024-03-04 10:11:12 INFO done\n"))
    assert [event.metadata["message"] for event in events] == ["INFO done"]
    assert [(reject.line, reject.text) for reject in rejects] == [(1, "started")]


def test_times_without_a_year_are_of_the_year_that_is_said(tmp_path: Path) -> None:
    lines = [f"{time} web app[1]: x" for time in ("Dec 31 23:59:58", "Jan  1 00:00:01", "Dec 31 23:59:59")]
    log = write(tmp_path, "\n".join([*lines, "Feb 29 01:00:00 web app[1]: y"]))
    events, rejects = read(log, Reading(year=2019))
    assert rejects == []
    assert [event.occurred_at.isoformat() for event in events] == [
        "2019-12-31T23:59:58+00:00",
        "2020-01-01T00:00:01+00:00",
        "2019-12-31T23:59:59+00:00",
        "2020-02-29T01:00:00+00:00",
    ]
    tally = import_logs([tmp_path], tmp_path / "s.db", year=2019)
    notes = " ".join(tally.notes)
    assert "were read as of 2019 and 2020" in notes


def test_times_without_a_year_are_before_their_file_was_written(tmp_path: Path) -> None:
    log = write(tmp_path, "Nov 29 10:00:00 web app[1]: x\nJan  3 10:00:00 web app[1]: y\n")
    assert log.path is not None
    written_s = datetime(2019, 5, 5, tzinfo=UTC).timestamp()
    os.utime(log.path, (written_s, written_s))
    events, _ = read(log)
    assert [event.occurred_at.date().isoformat() for event in events] == ["2018-11-29", "2019-01-03"]


def test_a_log_of_the_w3c_has_its_names_in_a_line(tmp_path: Path) -> None:
    log = (
        "#Software: Internet Information Services\n"
        "#Fields: date time cs-method cs-uri-stem cs-username c-ip sc-status\n"
        "2024-03-04 10:11:12 GET /secret mia IP 401\n2024-03-04 10:11:13 GET / - IP 200\n"
    )
    events, rejects = read(write(tmp_path, log.replace("IP", IP)))
    assert rejects == []
    assert [(*told(event), event.event, event.target) for event in events] == [
        ("mia", IP, FAILED, "GET", "/secret"),
        (None, IP, DONE, "GET", "/"),
    ]


def test_flows_have_the_fields_that_their_first_line_names(tmp_path: Path) -> None:
    log = f"action dstaddr srcaddr start\nACCEPT 192.0.2.1 {IP} 1709547072\n"
    (event,), rejects = read(write(tmp_path, log))
    assert rejects == []
    assert (event.source_ip, event.target, event.outcome) == (IP, "192.0.2.1", DONE)


def test_a_message_in_the_passive_is_of_who_did_it(tmp_path: Path) -> None:
    line = '{"timestamp": "2024-03-04T10:11:12Z", "message": "User bob was added to group wheel by mia"}\n'
    (event,), _ = read(write(tmp_path, line))
    assert event.user == "mia"


@pytest.mark.parametrize("name", ["action", "event", "Operation", "event_type"])
def test_a_line_without_a_program_names_its_act(tmp_path: Path, name: str) -> None:
    (event,), _ = read(write(tmp_path, f"{T} [audit] user=mia {name}=delete_bucket result=denied\n"))
    assert (event.event, event.user, event.outcome) == ("delete_bucket", "mia", FAILED)


def test_a_request_is_named_by_its_method(tmp_path: Path) -> None:
    record = '{"time": "%s", "user": "mia", "request": {"method": "%s", "path": "/api/users/7"}}\n'
    (event,), _ = read(write(tmp_path, record % (T, "DELETE")))
    assert (event.event, event.target) == ("DELETE", "/api/users/7")
    (event,), _ = read(write(tmp_path, record % (T, "password")))
    assert event.event == "Message"


@pytest.mark.parametrize(
    "message", ["Failed login (incorrect password)", "Unsuccessful sign-in", "Denied access"]
)
def test_a_description_that_begins_with_a_failure_is_one(tmp_path: Path, message: str) -> None:
    (event,), _ = read(write(tmp_path, f'{{"time": "{T}", "event": "fp", "description": "{message}"}}\n'))
    assert event.outcome is FAILED
