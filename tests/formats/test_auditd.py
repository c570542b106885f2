"""Linux audit logs: which records are one event, what their values are, who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.record import Record
from audit_tui.formats.vendors.hosts.auditd import user_of
from audit_tui.formats.vendors.hosts.auditd_records import (
    WAITING_EVENTS,
    auditd_records,
    begins,
    command_line,
    decoded,
    parse_fields,
)
from audit_tui.formats.vendors.hosts.auditd_sentence import socket_address
from audit_tui.formats.vendors.hosts.auditd_tables import kind_of, syscall_name, type_name
from audit_tui.ingest.open import OpenLog
from tests.formats.logs import read, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = "msg=audit(1793541600.123:5):"
HEX_PATH = "2F746D702F6D792066696C65"
SYSCALL = f'type=SYSCALL {AT} arch=c000003e syscall=59 success=yes exit=0 auid=1000 uid=1000 exe="/bin/cat"'


def line(kind: str, serial: int, body: str = "", time: str = "1793541600.123", node: str = "") -> str:
    return f"{node}type={kind} msg=audit({time}:{serial}): {body}"


def events_of(folder: Path, *lines: str, end: str = "\n") -> list[AuditEvent]:
    events, rejects = read(write(folder, end.join(lines)))
    assert rejects == []
    return events


def event_of(folder: Path, *lines: str) -> AuditEvent:
    (event,) = events_of(folder, *lines)
    return event


class TestGrouping:
    """Records of one node, time and serial number are one event, wherever they stand."""

    def test_out_of_order_and_without_an_end(self, tmp_path: Path) -> None:
        events = events_of(
            tmp_path,
            line("PATH", 2, 'item=0 name="/b"'),
            line("SYSCALL", 1, "syscall=2 success=yes"),
            line("SYSCALL", 2, "syscall=2 success=no exit=-2"),
            line("PATH", 1, 'item=0 name="/a"'),
            line("EOE", 1),
        )
        assert [event.target for event in events] == ["/b", "/a"]
        assert [event.outcome for event in events] == [Outcome.FAILURE, Outcome.SUCCESS]

    def test_node_time_and_serial_tell_events_apart(self, tmp_path: Path) -> None:
        events = events_of(
            tmp_path,
            line("LOGIN", 1, "uid=0"),
            line("LOGIN", 1, "uid=0", node="node=a "),
            line("LOGIN", 1, "uid=0", time="1793541600.124"),
            line("LOGIN", 4294967295, "uid=0"),
            line("LOGIN", 0, "uid=0"),
        )
        assert len({event.key for event in events}) == 5
        assert [event.metadata.get("node") for event in events] == [None, "a", None, None, None]

    def test_lines_end_at_line_feeds_only(self, tmp_path: Path) -> None:
        body = 'comm="a\x1c\x85\u2028b" exe="/x"'
        events = events_of(tmp_path, line("SYSCALL", 1, body), line("SYSCALL", 2, "a=1"), end="\r\n")
        assert len(events) == 2
        assert events[0].metadata["SYSCALL"]["comm"] == "a\x1c\x85\u2028b"

    def test_events_wait_for_late_records_but_not_for_ever(self, tmp_path: Path) -> None:
        between = [line("LOGIN", 100 + number, "uid=0") for number in range(WAITING_EVENTS + 5)]
        first, late = line("SYSCALL", 1, "syscall=2"), line("PATH", 1, 'name="/a"')
        assert len(events_of(tmp_path, first, *between[: WAITING_EVENTS - 1], late)) == WAITING_EVENTS
        events = events_of(tmp_path, first, *between, late)
        assert len(events) == len(between) + 2
        assert len({event.key for event in events}) == len(events)  # what came too late is not lost

    def test_an_idle_source_hands_over_what_waits(self) -> None:
        class Idle(OpenLog):
            """A file that is followed: after the first line nothing comes for a while."""

            def __init__(self) -> None:
                super().__init__("tail", lambda: b"", lambda: 0)

            def lines(self, *, tells_idle: bool = True) -> Iterator[str]:
                yield f"{SYSCALL}\n"
                assert tells_idle
                yield ""
                yield f"{line('LOGIN', 6, 'uid=0')}\n"

        records = iter(auditd_records(Idle()))
        first = next(records)
        assert isinstance(first, Record)
        assert list(first.fields) == ["time", "serial", "SYSCALL"]
        assert len(list(records)) == 1

    def test_the_end_of_an_event_in_the_file_before_is_nothing(self, tmp_path: Path) -> None:
        assert len(events_of(tmp_path, line("EOE", 1), line("LOGIN", 2, "uid=0"))) == 1

    def test_the_second_half_of_an_event_in_the_next_file_is_kept(self, tmp_path: Path) -> None:
        whole = event_of(tmp_path, line("SYSCALL", 1, "syscall=2"))
        rest = event_of(tmp_path, line("PATH", 1, 'name="/a"'))
        assert whole.key == "auditd:1793541600.123:1:SYSCALL"
        assert rest.key != whole.key
        assert rest.description == "PATH record without the record that it belongs to: /a"

    def test_a_record_knows_its_lines(self, tmp_path: Path) -> None:
        log = write(tmp_path, "\n".join(["junk", SYSCALL, line("CWD", 5, 'cwd="/"'), ""]))
        events, rejects = read(log)
        assert [(reject.line, reject.text) for reject in rejects] == [(1, "junk")]
        assert len(events) == 1


class TestValues:
    """The text of a value, without the quotes and digits that carry it."""

    @pytest.mark.parametrize(
        ("kind", "body", "expected"),
        [
            ("SYSCALL", 'a0=1 comm="x y" exe="/b"', {"a0": "1", "comm": "x y", "exe": "/b"}),
            ("SYSCALL", f"a0={HEX_PATH} exe={HEX_PATH}", {"a0": HEX_PATH, "exe": "/tmp/my file"}),
            ("SYSCALL", "exe=2F7 key=(null)", {"exe": "2F7", "key": "(null)"}),
            ("SYSCALL", "key=610162", {"key": ["a", "b"]}),
            ("SYSCALL", "subj=a:b subj=c:d", {"subj": ["a:b", "c:d"]}),
            ("SYSCALL", "subj=a subj=a", {"subj": "a"}),
            ("PATH", "name=C3A9FF", {"name": "é\udcff"}),
            ("PATH", 'name="C3A9"', {"name": "C3A9"}),
            ("PROCTITLE", "proctitle=636174002F746D702F782079", {"proctitle": "cat '/tmp/x y'"}),
            ("PROCTITLE", "proctitle=6361740061", {"proctitle": "cat a"}),
            ("EXECVE", f'argc=2 a0="if=x" a1={HEX_PATH}', {"argc": "2", "a0": "if=x", "a1": "/tmp/my file"}),
            ("EXECVE", "a0=6361 a1_len=4 a1[0]=C3 a1[1]=A9", {"a0": "ca", "a1_len": "4", "a1": "é"}),
            ("EXECVE", 'a1[0]="ab" a1[1]="cd"', {"a1": "abcd"}),
            ("USER_CMD", "pid=1 msg='cwd=\"/\" cmd=6C73 res=success'",
             {"pid": "1", "cwd": "/", "cmd": "ls", "res": "success"}),
            ("LOGIN", "uid=0 old auid=1 new auid=2", {"uid": "0", "old-auid": "1", "new-auid": "2"}),
            ("SYSCALL", 'uid=0\x1dUID="Ann Lee" AUID="un"', {"uid": "0", "UID": "Ann Lee", "AUID": "un"}),
            ("SOCKADDR", "saddr=02\x1dSADDR={ saddr_fam=inet lport=80 }",
             {"saddr": "02", "SADDR": "{ saddr_fam=inet lport=80 }"}),
            ("DAEMON_END", "auditd normal halt, sending auid=? res=success",
             {"auid": "?", "res": "success", "text": "auditd normal halt, sending"}),
            ("TTY", "tty pid=1 data=6C730D", {"pid": "1", "data": "ls\r", "text": "tty"}),
            ("OTHER", "data=6C73", {"data": "6C73"}),
            ("OTHER", "", {}),
            ("OTHER", 'x="a b=c" y=1', {"x": "a b=c", "y": "1"}),
        ],
    )  # fmt: skip
    def test_fields(self, kind: str, body: str, expected: dict[str, Any]) -> None:
        assert parse_fields(body, kind) == expected

    def test_small_things(self) -> None:
        assert decoded("0g") == "0g"
        assert command_line(["a", ""]) == "a ''"
        assert type_name("UNKNOWN[1323]") == "MMAP"
        assert type_name("UNKNOWN[9]") == "UNKNOWN[9]"
        assert type_name("") == "UNKNOWN"
        assert kind_of("DAEMON_START") == "audit-daemon"
        assert kind_of("NEW_TYPE") == "unknown"

    @pytest.mark.parametrize(
        ("arch", "number", "name"),
        [
            ("c000003e", "59", "execve"),
            ("c000003e", "439", "faccessat2"),
            ("40000003", "11", "execve"),
            ("c00000b7", "221", "execve"),
            ("c00000b7", "56", "openat"),
            ("ffffffff", "59", None),
            ("c000003e", "99999", None),
            ("", "openat", "openat"),
        ],
    )
    def test_system_calls(self, arch: str, number: str, name: str | None) -> None:
        assert syscall_name(arch, number) == name

    @pytest.mark.parametrize(
        ("saddr", "text"),
        [
            ("02000050A9FEA9FE0000000000000000", "169.254.169.254 port 80"),
            ("0A0000160000000020010DB80000000000000000000000010000", "2001:db8::1 port 22"),
            ("0A0000160000000000000000000000000000FFFF7F000001", "127.0.0.1 port 22"),
            ("01002F7661722F72756E2F7300", "/var/run/s"),
            ("100000000000000000000000", None),
            ("zz", None),
        ],
    )
    def test_sockets(self, saddr: str, text: str | None) -> None:
        socket = socket_address({"saddr": saddr})
        assert (None if socket is None else str(socket)) == text


class TestWhatIsTold:
    """Events tell who did what, whether it went well, and the sentence."""

    @pytest.mark.parametrize(
        ("lines", "user", "outcome", "sentence"),
        [
            (
                [SYSCALL, f'type=EXECVE {AT} argc=2 a0="cat" a1={HEX_PATH}'],
                "1000", "success", "user 1000 ran cat '/tmp/my file'",
            ),
            (
                [SYSCALL, f'type=EXECVE {AT} argc=1 a0=""',
                 f'type=PATH {AT} item=0 name="/bin/sh" nametype=NORMAL',
                 f"type=PROCTITLE {AT} proctitle=7375002D"],
                "1000", "success", "user 1000 ran /bin/sh",
            ),
            (
                [line("SYSCALL", 1, 'arch=c000003e syscall=87 success=no exit=-13 auid=9 uid=0 exe="/bin/rm"'
                 '\x1dAUID="al" UID="root"'),
                 line("CWD", 1, 'cwd="/etc"'), line("PATH", 1, 'item=0 name="/etc" nametype=PARENT'),
                 line("PATH", 1, 'item=1 name="shadow" nametype=DELETE')],
                "al", "failure", "al as root was not allowed to delete /etc/shadow using /bin/rm",
            ),
            (
                [line("SYSCALL", 1, 'arch=c000003e syscall=82 success=yes auid=0 exe="/bin/mv"'),
                 line("PATH", 1, 'name="/a" nametype=DELETE'), line("PATH", 1, 'name="/b" nametype=CREATE')],
                "root", "success", "root renamed /a to /b using /bin/mv",
            ),
            (
                [line("ADD_USER", 1, "uid=0 auid=1000 msg='op=add-user acct=\"bob\" exe=\"/sbin/useradd\""
                                     " addr=? res=success'\x1dAUID=\"alice\"")],
                "alice", "success", "alice added user account bob using /sbin/useradd",
            ),
            (
                [line("USER_AUTH", 1, "uid=0 auid=4294967295 msg='op=PAM acct=\"eve\" exe=\"/bin/su\" addr=?"
                                      " res=failed'")],
                "eve", "failure", "eve failed to authenticate using /bin/su",
            ),
            (
                [line("CONFIG_CHANGE", 1, "auid=0 audit_enabled=0 old=1 res=1")],
                "root", "success", "root set audit_enabled from 1 to 0",
            ),
            (
                [line("AVC", 1, 'apparmor="DENIED" operation="open" profile="/x" name="/etc/y" comm="man"')],
                None, "failure", "AppArmor denied man open on /etc/y",
            ),
            (
                [line("AVC", 1, "avc:  denied  { read } for comm=\"x\" name=\"y\" tclass=file permissive=1")],
                None, "success", "SELinux denied x read on file y, but let it pass",
            ),
            (
                [line("SYSCALL", 1, "arch=c000003e syscall=1 success=yes auid=-1 uid=33")],
                "33", "success", "user 33 called write",
            ),
            ([line("NEW_TYPE", 1, "hello there")], None, "unknown", "NEW_TYPE record: hello there"),
            ([line("SERVICE_START", 1, "uid=0 msg='unit=cron comm=\"systemd\" res=success'")],
             "root", "success", "root started service cron"),
            ([line("ADD_GROUP", 1, "uid=0 res=success")], "root", "success", "root added a group"),
        ],
    )  # fmt: skip
    def test_sentences(
        self, tmp_path: Path, lines: list[str], user: str | None, outcome: str, sentence: str
    ) -> None:
        event = event_of(tmp_path, *lines)
        assert (event.user, event.outcome, event.description) == (user, Outcome(outcome), sentence)

    def test_a_refusal_says_so(self, tmp_path: Path) -> None:
        event = event_of(tmp_path, line("SYSCALL", 1, "arch=c000003e syscall=2 success=no exit=-1 auid=0"))
        assert event.metadata["outcome_detail"] == "denied"

    def test_a_field_that_is_given_twice_refuses_nothing(self, tmp_path: Path) -> None:
        event = event_of(tmp_path, line("SYSCALL", 1, "syscall=2 success=no exit=-1 exit=-2 auid=0 auid=1"))
        assert event.metadata["SYSCALL"]["exit"] == ["-1", "-2"]
        assert "outcome_detail" not in event.metadata

    def test_the_key_of_the_rule_names_the_event(self, tmp_path: Path) -> None:
        assert event_of(tmp_path, f'{SYSCALL} key="exec"').event == "exec"
        assert event_of(tmp_path, f"{SYSCALL} key=(null)").event == "execve"

    def test_an_address_comes_from_the_record_or_the_socket_that_was_accepted(self, tmp_path: Path) -> None:
        body = "arch=c000003e syscall={} success=yes auid=0"
        socket = line("SOCKADDR", 1, "saddr=02000050C63364070000000000000000")
        assert event_of(tmp_path, line("SYSCALL", 1, body.format(43)), socket).source_ip == "198.51.100.7"
        connected = event_of(tmp_path, line("SYSCALL", 1, body.format(42)), socket)
        assert (connected.source_ip, connected.target) == (None, "198.51.100.7 port 80")

    @pytest.mark.parametrize("time", ["999999999999.1", "0.0", "1.5"])
    def test_times_out_of_range_are_rejected(self, tmp_path: Path, time: str) -> None:
        events, rejects = read(write(tmp_path, line("LOGIN", 1, "uid=0") + "\n" + line("LOGIN", 2, "", time)))
        assert len(events) + len(rejects) == 2
        assert bool(rejects) == (time != "1.5")


@pytest.mark.parametrize(
    ("head", "is_audit"),
    [
        (SYSCALL, True),
        (f"node=a {SYSCALL}", True),
        (f"# comment\n{SYSCALL}", True),
        (f"Nov  1 14:00:00 web audispd: node=a {SYSCALL}\n", True),
        ('Nov  1 14:00:00 web kernel: audit: type=1400 audit(1793541600.5:7): apparmor="DENIED"\n', True),
        ("time,event\n2026-11-01,type=SYSCALL\n", False),
        ("Nov 1 a\nNov 1 b\nNov 1 c\nNov 1 kernel: audit: type=1400 audit(1793541600.5:7): x\n", False),
        ("", False),
    ],
)
def test_how_an_audit_log_begins(head: str, is_audit: bool) -> None:
    assert begins(head) is is_audit


def test_what_syslog_puts_before_a_record_is_kept(tmp_path: Path) -> None:
    event = event_of(tmp_path, f"Nov  1 14:00:00 web audispd: node=a {SYSCALL}")
    assert event.metadata["prefix"] == "Nov  1 14:00:00 web audispd:"
    assert event.metadata["node"] == "a"


def test_numbers_where_nothing_is_translated() -> None:
    assert user_of({"auid": "1000", "uid": "0"}, {}, "audit-rule") == "1000"
