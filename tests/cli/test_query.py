"""``query`` and ``count``: which events, in what form, and what is said beside them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import BashComplete

from audit_tui.cli.main import NAME, commands
from audit_tui.core.event import AuditEvent
from tests.cli.running import EVENTS, at, make_store, run
from tests.payloads import PAYLOADS

if TYPE_CHECKING:
    from pathlib import Path

ALL = ("--range", "all-time")


def keys(store: Path, *options: str) -> list[str]:
    result = run("query", "-s", str(store), "--format", "jsonl", *options)
    assert result.exit_code == 0
    return [json.loads(line)["key"] for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["k2", "k1"]),
        ([*ALL], ["k2", "k1", "k3", "k4"]),
        (["--range", "All Time"], ["k2", "k1", "k3", "k4"]),
        (["--range", "today"], ["k2"]),
        (["--range", "LAST YEAR"], ["k4"]),
        (["--since", "2026-10-23"], ["k2", "k1", "k3"]),
        (["--since", "2026-10-25", "--until", "2026-11-20"], ["k1"]),
        (["--until", "2025-03-01"], ["k4"]),
        (["--until", "2025-03-01 12:00"], []),
        (["--since", "2026-11-22 14:40", "--tz", "Europe/Berlin"], ["k2"]),
        (["--range", "today", "--tz", "Pacific/Kiritimati"], ["k2"]),
        ([*ALL, "--filter", "event=Login"], ["k2", "k4"]),
        ([*ALL, "--filter", "event!=Login"], ["k1", "k3"]),
        ([*ALL, "--filter", "event=login"], []),
        ([*ALL, "--filter", "user="], ["k3"]),
        ([*ALL, "--filter", "user!=alice@acme.io"], ["k2", "k3"]),
        ([*ALL, "--filter", "event=Login", "--filter", "user=alice@acme.io"], ["k4"]),
        (
            [*ALL, "--filter", "event=Login", "--filter", "category=Roles", "--match", "ANY"],
            ["k2", "k1", "k4"],
        ),
        ([*ALL, "event:login"], ["k2", "k4"]),
        ([*ALL, "event:login", "user:ALICE*"], ["k4"]),
        ([*ALL, "event:login user:(bob*, nobody)"], ["k2"]),
        ([*ALL, "event:login", "-q", "-user:alice*"], ["k2"]),
        ([*ALL, "event:login", "--filter", "user=alice@acme.io"], ["k4"]),
        ([*ALL, "-q", "failed or refused"], ["k2"]),
        ([*ALL, "alice"], ["k1", "k4"]),
        ([*ALL, "--filter", "text~heartbeat"], ["k3"]),
        ([*ALL, "--filter", "severity=1"], ["k1"]),
        ([*ALL, "severity>=info ip:10.0.0.0/8 source:app seq:1"], ["k1"]),
        ([*ALL, "meta.nested.ok=true meta.nested.n>1e18"], ["k1"]),
        (["event:login since:2025 until:2025"], ["k4"]),
        (['event:* since:"2026-11-22 13:00" until:now'], ["k2"]),
        (["--since", "1h"], ["k2"]),
        (["--since", "yesterday 09:00", "--until", "13:40"], []),
        (["--since", "Oct 23", "--until", "2026-10"], ["k3"]),
        ([*ALL, "--limit", "1"], ["k2"]),
        ([*ALL, "--limit", "0"], ["k2", "k1", "k3", "k4"]),
    ],
)
def test_the_events_that_were_asked_for(store: Path, options: list[str], expected: list[str]) -> None:
    assert keys(store, *options) == expected
    if "--limit" not in options:
        assert run("count", "-s", str(store), *options).stdout == f"{len(expected)}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--range", "today", "--since", "2026-11-01"], "--range cannot be used with"),
        (["--range", "all-time", "--until", "2026-11-01"], "--range cannot be used with"),
        (["--range", "someday"], "There is no range 'someday'."),
        (["--since", "yesterdy"], "The time 'yesterdy' cannot be read."),
        (["--since", "2026-11-02", "--until", "2026-11-01"], "2026-11-02 comes after 2026-11-01."),
        (["--filter", "colour=red"], "names an unknown column 'colour'"),
        (["--filter", "evnt=Login"], "Did you mean event? Columns are event,"),
        (["--filter", "ip=10.0.0.1"], "Did you mean source_ip? Columns are event,"),
        (["--filter", "user"], "has none of =, !=, ~ and !~."),
        (["--tz", "Europe/Berln"], "There is no time zone 'Europe/Berln'."),
        (["--match", "some"], "'some' is not one of"),
        (["--limit", "-1"], "--limit is a whole number, 0 or more."),
        (["--format", "xml"], "'xml' is not one of"),
        (["--nonsense"], "There is no option --nonsense."),
        (["{store}"], "{store} is a file, not a query.\nA store is named with -s: -s {store}."),
        (
            ["usr:alice"],
            "There is no column 'usr'.\n  usr:alice\n  ^^^\nDid you mean user?\nPerhaps: user:alice",
        ),
        (["user:a", "since:1h", "--until", "now"], "The time range is given twice."),
        (["user:a", "-q", "event:"], 'A value must follow ":".'),
    ],
)
def test_wrong_usage_is_told_and_ends_with_2(store: Path, options: list[str], message: str) -> None:
    result = run("query", "-s", str(store), *(option.format(store=store) for option in options))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message.format(store=store) in result.stderr


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--sort", "time"], ["k2", "k1", "k3", "k4"]),
        (["--reverse"], ["k4", "k3", "k1", "k2"]),
        (["--sort", "User"], ["k1", "k4", "k2", "k3"]),
        (["--sort", "user", "--reverse"], ["k3", "k2", "k1", "k4"]),
        (["--sort", "event", "--limit", "2"], ["k3", "k2"]),
        (["--sort", "description"], ["k1", "k2", "k3", "k4"]),
    ],
)
def test_the_order_that_was_asked_for(store: Path, options: list[str], expected: list[str]) -> None:
    assert keys(store, *ALL, *options) == expected


def test_the_columns_that_were_asked_for(store: Path) -> None:
    for form in ("csv", "table", "md", "jsonl", "json"):
        options = ("--format", form, "--columns", "target,Date,user", "event:Role*")
        shown = run("query", "-s", str(store), *ALL, *options).stdout
        assert shown.index("Auditor") < shown.index("2026-11-20") < shown.index("alice@acme.io")
        assert "Roles" not in shown
    assert run("query", "-s", str(store), "--columns", "colour").exit_code == 2
    table = run("query", "-s", str(store), "--columns", "seq,severity,outcome", "event:Role*").stdout
    assert table.splitlines()[1].split() == ["1", "1", "success"]


def test_a_list_from_a_file(store: Path, tmp_path: Path) -> None:
    people = tmp_path / "people.txt"
    people.write_text("bob@acme.io\n\n  nobody \n", encoding="utf-8")
    assert keys(store, *ALL, f"user=@{people}") == ["k2"]
    # As the editors of Windows begin a file.
    people.write_bytes(b"\xef\xbb\xbf" + people.read_bytes())
    assert keys(store, *ALL, f"user=@{people}") == ["k2"]
    assert keys(store, *ALL, f"user!=@{people}") == ["k1", "k3", "k4"]
    result = run("count", "-s", str(store), f"user=@{people}x")
    assert result.exit_code == 3
    assert f"There is no file {people}x with a list of values." in result.stderr


def test_a_name_that_looks_like_a_query_is_one(store: Path) -> None:
    result = run("open", "--plain", str(store), "user:bob* since:all-time")
    assert result.stdout.count("bob@acme.io") == 1
    assert run("nothing").exit_code == 2


def test_json_is_as_it_was_stored_with_times_in_utc(store: Path) -> None:
    result = run("query", "-s", str(store), *ALL, "--format", "json", "--tz", "Asia/Tokyo")
    told = json.loads(result.stdout)
    by_key = {event.key: event.to_json() for event in EVENTS}
    assert [event["seq"] for event in told] == [2, 1, 3, 4]
    assert told == [by_key[event["key"]] | {"seq": event["seq"]} for event in told]
    assert told[1]["time"] == "2026-11-20T09:30:00.250000Z"
    assert list(told[0]) == list(EVENTS[0].to_json())


def test_no_events_are_still_json(store: Path) -> None:
    result = run("query", "-s", str(store), "--range", "yesterday", "--format", "json")
    assert (json.loads(result.stdout), result.exit_code) == ([], 0)
    assert "No events in Yesterday: 2026-11-21, 1 day; --range all-time takes in all." in result.stderr


def test_csv_has_local_times_with_their_offset(store: Path) -> None:
    result = run("query", "-s", str(store), *ALL, "--format", "csv", "--tz", "Europe/Berlin")
    rows = list(csv.DictReader(io.StringIO(result.stdout, newline="")))
    assert [row["time"] for row in rows] == [
        "2026-11-22T14:40:00.000000+01:00",
        "2026-11-20T10:30:00.250000+01:00",
        "2026-10-24T01:59:59.000000+02:00",
        "2025-03-01T13:00:00.000000+01:00",
    ]
    assert json.loads(rows[1]["metadata"]) == EVENTS[0].metadata
    assert (rows[2]["user"], rows[2]["severity"], rows[2]["metadata"]) == ("", "", "")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ('"=1', "'\"=1"),
        (" =1", "' =1"),
        ("＝1", "'＝1"),  # noqa: RUF001 - the look-alike is what is tested
        ("a=1", "a=1"),
        ('say "hi", twice\nor\rmore', 'say "hi", twice\nor\rmore'),
    ],
)
def test_no_cell_of_a_csv_is_a_formula(tmp_path: Path, value: str, cell: str) -> None:
    store = make_store(tmp_path / "s.db", [AuditEvent("E", at("2026-11-22 12:00"), description=value)])
    result = run("query", "-s", str(store), "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout_bytes.decode(), newline=""))
    assert row["description"] == cell


def test_a_table_lines_up_and_is_not_cut_when_it_goes_elsewhere(store: Path) -> None:
    result = run("query", "-s", str(store))
    assert result.stdout.splitlines() == [
        " Event         Category      User           Date (UTC)           Description",
        "✗Login         Login/Logout  bob@acme.io    2026-11-22 13:40:00  Refused: wrong password",
        " Role created  Roles         alice@acme.io  2026-11-20 09:30:00  Created Auditor",
    ]


def test_markdown_is_a_table_whatever_the_data(tmp_path: Path) -> None:
    hostile = AuditEvent("a|b", at("2026-11-22 12:00"), user="<b>*x*", description="[l](u)\nnext `c`")
    store = make_store(tmp_path / "s.db", [hostile])
    result = run("query", "-s", str(store), "--format", "md")
    assert result.stdout.splitlines() == [
        "| Event | Category | User | Date (UTC) | Description |",
        "| --- | --- | --- | --- | --- |",
        r"| a\|b | - | \<b\>\*x\* | 2026-11-22 12:00:00 | \[l\](u)␊next \`c\` |",
    ]


@pytest.mark.parametrize("form", ["table", "md", "jsonl", "json"])
def test_no_payload_reaches_the_output(tmp_path: Path, form: str) -> None:
    events = [
        AuditEvent(f"e{text}", at("2026-11-22 12:00"), user=text, description=text, metadata={text: text})
        for text in PAYLOADS
    ]
    store = make_store(tmp_path / "s.db", events)
    result = run("query", "-s", str(store), "--format", form)
    assert result.exit_code == 0
    unsafe = [character for character in result.stdout if not character.isprintable() and character != "\n"]
    assert unsafe == []


def test_json_gives_back_what_was_escaped(tmp_path: Path) -> None:
    text = "\x9b31m \u202e \u2028 \U000e0041 é 漢字 \x7f"
    store = make_store(tmp_path / "s.db", [AuditEvent("E", at("2026-11-22 12:00"), metadata={"t": text})])
    result = run("query", "-s", str(store), "--format", "jsonl")
    assert json.loads(result.stdout)["metadata"] == {"t": text}
    assert "é 漢字" in result.stdout


def test_what_a_limit_cuts_is_told(store: Path) -> None:
    result = run("query", "-s", str(store), *ALL, "--limit", "3")
    assert result.stderr == "3 of 4 events; --limit 0 shows all.\n"
    for whole in ("4", "5", "0"):
        assert run("query", "-s", str(store), *ALL, "--limit", whole).stderr == ""


def test_nothing_in_the_default_range_falls_back_to_all_time(tmp_path: Path) -> None:
    store = make_store(tmp_path / "old.db", [AuditEvent("Login", at("2023-01-01 00:00"), user="\x1b[2J")])
    for words in (("count",), ("query", "--format", "csv"), ("facets", "event"), ("histogram", "--no-empty")):
        result = run(*words, "-s", str(store))
        assert "1" in result.stdout.splitlines()[-1]
        assert result.stderr == "Nothing in Last 30 Days: these are of all time.\n"
    assert run("count", "-s", str(store)).stdout == "1\n"
    assert run("count", "-s", str(store), "user:x").stdout == "0\n"
    assert run("count", "-s", str(store), "--range", "last-30-days").stdout == "0\n"
    assert run("count", "-s", str(store), "--range", "today").stderr == ""
    result = run("query", "-s", str(store), "--filter", "user=\x1b]0;x", *ALL)
    assert result.stderr == "No events with User is \\x1b]0;x in All Time, since the first event.\n"


def test_the_zone_of_the_settings_counts_and_the_option_wins(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_TUI_ZONE", "Asia/Tokyo")
    assert "Date (Asia/Tokyo)" in run("query", "-s", str(store)).stdout
    assert "Date (UTC+02:00)" in run("query", "-s", str(store), "--tz", "+02:00").stdout


def test_a_week_begins_as_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 2026-11-22 is a Sunday.
    store = make_store(tmp_path / "s.db", [AuditEvent("E", at("2026-11-16 12:00"))])
    assert run("count", "-s", str(store), "--range", "this-week").stdout == "1\n"
    monkeypatch.setenv("AUDIT_TUI_FIRST_WEEKDAY", "sunday")
    assert run("count", "-s", str(store), "--range", "this-week").stdout == "0\n"


@pytest.mark.parametrize("command", ["count", "query"])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "2 events of Last 30 Days; --range all-time takes in all 4.\n"),
        (
            ["--filter", "user=alice@acme.io"],
            "1 event of Last 30 Days; --range all-time takes in all 2.\n",
        ),
        (["--filter", "user=bob@acme.io"], ""),
        (["--range", "last-30-days"], ""),
        ([*ALL], ""),
        (["--since", "2026-11-01"], ""),
    ],
)
def test_a_range_that_nobody_asked_for_is_told_where_it_leaves_events_out(
    store: Path, command: str, options: list[str], told: str
) -> None:
    result = run(command, "-s", str(store), *options)
    assert (result.exit_code, result.stderr) == (0, told)
    assert result.stdout


def test_a_limit_and_a_range_that_leave_events_out_are_told_together(store: Path) -> None:
    result = run("query", "-s", str(store), "--limit", "1")
    assert result.stderr == (
        "1 of 2 events of Last 30 Days; --limit 0 shows all, --range all-time takes in all 4.\n"
    )


def test_an_unknown_range_is_told_with_what_a_shell_takes(store: Path) -> None:
    hint = run("query", "-s", str(store), "--range", "someday").stderr.splitlines()[1]
    assert "all-time, today, yesterday, this-week, this-month, last-month, last-30-days" in hint


@pytest.mark.parametrize("command", [("query", "--range", "all-time", "--limit", "0"), ("facets", "user")])
def test_csv_in_a_pipe_controls_no_terminal_and_in_a_file_is_data(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    text = "a\x1b]0;pwn\x07\x9b\u202eb"
    store = make_store(
        tmp_path / "audit.db", [AuditEvent(text, at("2026-11-20 09:00"), user=text, description="1\n2")]
    )
    argv = [sys.executable, "-m", "audit_tui", *command, "-s", str(store), "--format", "csv"]
    argv += [] if command[0] == "query" else ["--range", "all-time"]
    piped = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout.decode()
    assert not set(piped) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert "a\\x1b]0;pwn\\x07\\x9b\\u202eb" in piped
    with (tmp_path / "out.csv").open("wb") as file:
        subprocess.run(argv, stdout=file, check=True)
    written = (tmp_path / "out.csv").read_text()
    assert text in written
    if command[0] == "query":
        assert '"1\n2"' in piped
        assert '"1\n2"' in written


def test_a_name_that_can_be_written_in_two_ways_is_told(tmp_path: Path) -> None:
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    store = make_store(tmp_path / "audit.db", [AuditEvent("Login", at("2026-11-20 09:00"), user=composed)])
    args = ("query", "-s", str(store), "--range", "all-time", "--filter")
    assert "look the same" not in run(*args, f"user={composed}").stderr
    missed = run(*args, f"user={decomposed}")
    assert "can also be written with composed letters, which look the same." in missed.stderr
    assert "look the same" not in run(*args, "user=nobody").stderr


def test_columns_may_be_fields_of_the_metadata(tmp_path: Path) -> None:
    store = make_store(tmp_path / "audit.db", EVENTS)
    words = (
        "query",
        "-s",
        str(store),
        "--range",
        "all-time",
        "--columns",
        "event,ip,meta.Role ID,meta.nested",
    )
    rows = [json.loads(line) for line in run(*words, "--format", "jsonl").stdout.splitlines()]
    created = next(row for row in rows if row["event"] == "Role created")
    assert list(created) == ["event", "source_ip", "meta.Role ID", "meta.nested"]
    assert created["meta.Role ID"] == "r-17"
    assert created["meta.nested"] == "true, 12345678901234567890"
    lines = run(*words, "--format", "csv").stdout.splitlines()
    assert lines[0] == "event,source_ip,meta.Role ID,meta.nested"
    assert 'Role created,10.20.4.7,r-17,"true, 12345678901234567890"' in lines
    table = run(*words, "--format", "table").stdout
    assert table.splitlines()[0].split("  ")[0].strip() == "Event"
    assert "meta.Role ID" in table
    assert "r-17" in run(*words, "--format", "md").stdout
    assert run("query", "-s", str(store), "--columns", "event,meta.").exit_code == 2


def completed(store: Path, *words: str) -> list[str]:
    """Return what a shell is told of the last word."""
    shell = BashComplete(commands, {}, NAME, "_AUDIT_TUI_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("query", "us"), ["user:"]),
        (("query", "user:al"), ["user:alice@acme.io"]),
        (("query", "ip:10."), ["ip:10.20.4.7"]),
        (("query", "target:"), ["target:Auditor"]),
        (("query", "met"), ["meta."]),
        (("query", "meta.Ro"), ['meta."Role ID":']),
        (("query", 'meta."Role ID":r'), ['meta."Role ID":r-17']),
        (("query", "--filter", "us"), ["user=", "user!="]),
        (("query", "--filter", "user=b"), ["user=bob@acme.io"]),
        (("query", "--columns", "vi"), ["visible"]),
        (("query", "--columns", "user,us"), []),
        (("export", "--columns", "event,us"), ["event,user"]),
        (("export", "--columns", "event,meta.nes"), ["event,meta.nested.n", "event,meta.nested.ok"]),
        (("facets", "source_"), ["source_ip"]),
        (("facets", "meta.R"), ["meta.Role ID"]),
        (("redact", "--field", "des"), ["description"]),
        (("watch", "category:Ro"), ["category:Roles"]),
    ],
)
def test_a_shell_completes_columns_fields_of_the_metadata_and_values(
    store: Path, words: tuple[str, ...], first: list[str]
) -> None:
    command, *rest = words
    assert completed(store, command, "-s", str(store), *rest) == first


def test_completion_shows_no_name_when_names_are_hidden(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_TUI_REDACT", "true")
    words = completed(store, "query", "-s", str(store), "user:")
    assert words
    assert all(word.startswith("user:user-") for word in words)


def test_completion_of_a_store_that_is_not_one_is_quiet(tmp_path: Path) -> None:
    assert completed(tmp_path, "query", "-s", str(tmp_path), "user:") == []


def test_a_store_without_events_says_so(tmp_path: Path) -> None:
    empty = str(make_store(tmp_path / "empty.db", []))
    for command in (("query",), ("count",), ("facets", "user"), ("histogram",)):
        assert run(*command, "-s", empty).stderr == "The store has no events yet.\n"
