"""Recording one event from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.query import EventQuery
from audit_tui.store.read.reader import StoreReader
from tests.cli.running import EVENTS, NOW, at, run
from tests.test_imports import HEAVY, RUN, imported_by

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROLE = ("--meta", "Role Name=Auditor", "--meta", "Role ID=r-1", "--meta", "User ID=u-1")


def stored(path: Path) -> list[AuditEvent]:
    with StoreReader(path) as reader:
        return sorted(reader.events(EventQuery()), key=lambda event: event.seq or 0)


def test_an_event_is_recorded_and_its_number_printed(tmp_path: Path) -> None:
    path = tmp_path / "new" / "audit.db"
    result = run("record", "Heartbeat", "-s", str(path))
    assert (result.exit_code, result.stdout) == (0, "1\n")
    assert result.stderr == f"Event 1 is recorded in {path}.\n"
    assert [file.name for file in path.parent.iterdir()] == ["audit.db"]
    (event,) = stored(path)
    assert event == AuditEvent("Heartbeat", to_us(NOW), key=event.key, seq=1)


def test_all_that_is_told_is_recorded(store: Path) -> None:
    told = ["--user", "bob", "--category", "Mine", "--description", "bob did it", "--outcome", "Failure"]
    told += ("--source-ip", "::1", "--target", "it", "--key", "k", "--time", "2026-11-01 14:00:00.5+01:00")
    result = run("record", "Payment", *told, "--meta", "a=b=c", "--meta", "empty=", "-s", str(store))
    assert (result.exit_code, result.stdout) == (0, "5\n")
    assert stored(store)[4] == AuditEvent(
        "Payment",
        at("2026-11-01 13:00:00.5"),
        key="k",
        category="Mine",
        user="bob",
        description="bob did it",
        outcome=Outcome.FAILURE,
        source_ip="::1",
        target="it",
        metadata={"a": "b=c", "empty": ""},
        seq=5,
    )


def test_the_catalogue_fills_in_and_tells_what_was_expected(store: Path) -> None:
    result = run("record", "Role created", *ROLE, "-s", str(store), "--json")
    event = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert (event["seq"], event["category"], event["target"]) == (5, "Roles", "Auditor")
    assert event == stored(store)[4].to_json()
    assert result.stderr.splitlines()[1:] == ["Expected, not recorded: IP Address."]


def test_a_name_that_is_nearly_in_the_catalogue_is_told(store: Path) -> None:
    result = run("record", "Role Created", "-s", str(store))
    assert result.exit_code == 0
    assert result.stderr.endswith("The catalogue does not know it; it knows Role created.\n")


def test_the_time_is_in_the_zone_of_the_settings(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_TUI_ZONE", "Europe/Berlin")
    assert run("record", "x", "--time", "2026-07-01 14:00", "-s", str(store)).exit_code == 0
    assert run("record", "x", "--time", "now", "-s", str(store)).exit_code == 0
    assert [event.occurred_us for event in stored(store)[4:]] == [at("2026-07-01 12:00"), to_us(NOW)]


def test_a_key_stores_once(store: Path) -> None:
    first = run("record", "Payment", "--key", "p-1", "--user", "bob", "-s", str(store))
    again = run("record", "Payment", "--key", "p-1", "--user", "bob", "-s", str(store))
    later = run(
        "record", "Payment", "--key", "p-1", "--user", "bob", "-s", str(store), now=NOW + timedelta(1)
    )
    assert [(result.exit_code, result.stdout) for result in (first, again, later)] == [(0, "5\n")] * 3
    assert again.stderr == f"Nothing new: event 5 in {store} has the key p-1.\n"
    other = run("record", "Payment", "--key", "p-1", "--user", "eve", "-s", str(store))
    assert (other.exit_code, other.stdout) == (2, "")
    assert "'p-1' is that of event 5, which says something else" in other.stderr
    assert len(stored(store)) == len(EVENTS) + 1


USAGE: list[tuple[Sequence[str], str]] = [
    ([], "EVENT is missing."),
    ([""], "An event needs a name."),
    (
        ["x", "--time", "2026-11-01"],
        '2026-11-01 is a day, not a moment.\nGive the time of day too: "2026-11-01',
    ),
    (["x", "--time", "soon"], "The time 'soon' cannot be read."),
    (["x", "--meta", "a"], "--meta 'a' is not NAME=VALUE."),
    (["x", "--meta", "=a"], "--meta '=a' is not NAME=VALUE."),
    (["x", "--meta", "a=1", "--meta", "a=2"], "--meta names 'a' twice."),
    (["x", "--key", ""], "The key is empty."),
    (["x", "--outcome", "ok"], "'ok' is not one of"),
    (["Role Created", "--strict"], "Did you mean Role created?"),
    (["Role created", "--strict", *ROLE], "IP Address is missing"),
    (["Role created", "--strict", "--category", "x", *ROLE], "its category is not 'x'"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE])
def test_wrong_usage_makes_no_store(tmp_path: Path, arguments: Sequence[str], message: str) -> None:
    result = run("record", *arguments, "-s", str(tmp_path / "audit.db"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert not (tmp_path / "audit.db").exists()


def test_strict_recording_takes_what_the_catalogue_knows(store: Path) -> None:
    result = run("record", "Role created", "--strict", *ROLE, "--meta", "IP Address=::1", "-s", str(store))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (0, "5\n", 1)


def test_what_is_no_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("a log\n" * 100)
    result = run("record", "x", "-s", str(path))
    assert (result.exit_code, result.stdout) == (3, "")
    assert "is not an audit store" in result.stderr
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["notes.txt"]


def test_hostile_text_is_stored_as_it_is_and_shown_harmless(store: Path) -> None:
    evil = "\x1b]0;x\x07\u202e"
    result = run("record", evil, "--key", evil, "-s", str(store))
    again = run("record", evil, "--key", evil, "-s", str(store))
    assert stored(store)[4].event == evil
    assert not {"\x1b", "\x07", "\u202e"} & set(result.output + again.output)


def test_bytes_that_are_no_text_are_kept_readable(store: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "audit_tui", "record", b"caf\xe9", "-s", os.fsencode(store)],
        capture_output=True,
        check=True,
    )
    assert ended.stdout == b"5\n"
    assert stored(store)[4].event == r"caf\udce9"


def test_it_is_recorded_even_when_nobody_reads_the_answer(store: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "audit_tui", "record", "x", "-s", str(store)],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (141, b"")
    assert stored(store)[4].event == "x"
    assert [file.name for file in store.parent.glob("audit.db*") if file.name.endswith("lock")] == []


def test_recording_into_a_store_imports_nothing_heavy(store: Path) -> None:
    line = ["record", "Role created", *ROLE, "--time", "2026-11-01 14:00", "-s", str(store), "--json"]
    assert imported_by(RUN, json.dumps([line])).isdisjoint(HEAVY)


def test_an_event_as_json_moves_no_cursor(store: Path) -> None:
    result = run("record", "x", "--user", "\x9b31m\u202ebob", "-s", str(store), "--json")
    assert result.stdout.rstrip("\n").isprintable()
    assert json.loads(result.stdout)["user"] == "\x9b31m\u202ebob"
